import random
import tempfile
import unittest
from dataclasses import replace
from pathlib import Path
from unittest import mock

try:
    import numpy as np
    import torch
    import soundfile  # noqa: F401
    import sklearn  # noqa: F401
except ModuleNotFoundError as missing:
    raise unittest.SkipTest(f"needs {missing.name}")
import gm
import likeness
from augment import FLOOR, Crops
from config import FEATURES, TRAIN
from features import LogMel
from mels import frames_of, prepare
from tests.test_gpu import prepare as prepare_tones, tone
from train_encoder import CLASSES, Batches, track_loss


def logs(*sounds: np.ndarray) -> torch.Tensor:
    size = FEATURES.hop * 60
    rows = np.stack([np.pad(s, (0, max(0, size - len(s))))[:size] for s in sounds]).astype(np.float32) / 32768
    return LogMel().log_mel(torch.from_numpy(rows))


class Likeness(unittest.TestCase):
    def setUp(self):
        noise = (np.random.default_rng(1).normal(0, 3000, 28800)).astype(np.int16)
        self.logs = logs(tone(300, 1.2), tone(310, 1.2), noise, (noise * 0.8).astype(np.int16), tone(2000, 0.3), tone(2100, 0.3))

    def test_neighbours_are_what_sounds_alike(self):
        near = likeness.neighbours(self.logs, 0.1)
        self.assertEqual(near.argmax(1).tolist(), [1, 0, 3, 2, 5, 4])
        self.assertTrue(torch.allclose(near.sum(1), torch.ones(6)) and bool((near.diagonal() == 0).all()))

    def test_says_nothing_of_level(self):
        for name, block in likeness.statistics(self.logs + 1.3).items():
            self.assertTrue(torch.allclose(block, likeness.statistics(self.logs)[name], atol=1e-4), name)

    def test_draws_rows_to_their_neighbours(self):
        z = torch.randn(6, 16, generator=torch.Generator().manual_seed(1)).requires_grad_()
        albums = torch.arange(3)
        alike = likeness.neighbours(self.logs[[0, 2, 4, 1, 3, 5]], 0.1)
        with mock.patch("train_encoder.TRAIN", replace(TRAIN, likeness_share=1.0)):
            for _ in range(200):
                loss = track_loss(z, albums, alike)
                z.grad = None
                loss.backward()
                with torch.no_grad():
                    z -= z.grad
            unit = torch.nn.functional.normalize(z.detach(), dim=1)
        away = (unit @ unit.T).fill_diagonal_(-2)
        self.assertEqual(away.argmax(1).tolist(), [3, 4, 5, 0, 1, 2])


class Prepared(unittest.TestCase):
    def test_a_crop_is_the_log_mel_of_its_place(self):
        with tempfile.TemporaryDirectory() as folder:
            work = Path(folder)
            prepare_tones(work)
            prepare(work)
            crops = Crops(work, 1)
            entry = crops.entries["music"][2]
            whole = crops.mels["music"](entry, 0, frames_of(entry))
            at = crops.crop(entry, 50, shift=False)
            starts = [s for s in range(len(whole) - 50) if np.array_equal(whole[s:s + 50], at.astype(np.float16))]
            self.assertTrue(starts)
            samples = np.memmap(work / "pcm/music.i16", np.int16)[entry["offset"]:entry["offset"] + entry["length"]]
            wanted = LogMel().log_mel(torch.from_numpy(samples.astype(np.float32) / 32768)[None])[0].numpy()
            self.assertLess(np.abs(wanted - whole[:len(wanted)]).max(), 0.01)
            short = crops.crop(crops.entries["samples"][0], 60, shift=False)
            self.assertTrue((short[30:] == FLOOR).all() and short[:20].max() > FLOOR + 3)

    def test_audio_that_was_changed_is_noticed(self):
        with tempfile.TemporaryDirectory() as folder:
            work = Path(folder)
            prepare_tones(work)
            prepare(work)
            with (work / "mel/samples.f16").open("ab") as file:
                file.write(bytes(256))
            with self.assertRaisesRegex(ValueError, "other audio"):
                Crops(work, 1)

    def test_drums_are_classes_where_they_were_prepared(self):
        kinds = list(gm.DRUM_KINDS)
        self.assertEqual(len([kind for kind, _, _ in gm.drum_notes(0, random.Random(1))]), 94)
        with tempfile.TemporaryDirectory() as folder:
            work = Path(folder)
            prepare_tones(work, tuple(kinds[:3]))
            prepare(work)
            changed = replace(TRAIN, drum_share=0.5, likeness_share=0.4, folder_share=0.5)
            with mock.patch("train_encoder.TRAIN", changed):
                batch = Batches(work, 1, torch.zeros(128), torch.ones(128))()
            found = {CLASSES[i] for i in batch["labels"].tolist()}
            self.assertTrue(found & set(kinds[:3]) and found & {0, 40, 73})
            self.assertEqual(len(batch["alike"]), 2 * len(batch["albums"]))


if __name__ == "__main__":
    unittest.main()
