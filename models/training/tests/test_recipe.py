import math
import unittest
from dataclasses import replace

try:
    import numpy as np
    import torch
    import soundfile  # noqa: F401
    import sklearn  # noqa: F401
except ModuleNotFoundError as missing:
    raise unittest.SkipTest(f"needs {missing.name}")
import config
import likeness
from augment import LAGS, augment, codec, mixed, rhythm
from config import FEATURES, MODEL, TRAIN
from features import HZ, LogMel, mel_frequencies
from model import ResidualQuantiser
from train_encoder import BANDS, CLASSES, Joint, losses, priors
from weighting import KINDS, SPAN, Weighting


class Recipe(unittest.TestCase):
    def test_changes_values_where_they_belong(self):
        _, model, train = config.recipe((config.FEATURES, config.MODEL, TRAIN), {"encoder_layers": 2, "weighting": "dwa", "views": [0.0]})
        self.assertEqual((model.encoder_layers, model.views, train.weighting), (2, (0.0,), "dwa"))
        with self.assertRaisesRegex(ValueError, "no_such"):
            config.recipe((config.MODEL,), {"no_such": 1})


class Weights(unittest.TestCase):
    def test_fixed_is_the_sum_of_config(self):
        w = Weighting("fixed", {"a": 2.0, "b": 0.5, "off": 0.0})
        self.assertAlmostEqual(w({"a": torch.tensor(3.0), "b": torch.tensor(4.0), "off": torch.tensor(9.0)}).item(), 8.0)

    def test_equal_counts_all_the_same(self):
        self.assertAlmostEqual(Weighting("equal", {"a": 2.0, "b": 0.5})({"a": torch.tensor(3.0), "b": torch.tensor(4.0)}).item(), 7.0)

    def test_uncertainty_ends_where_exp_s_is_the_loss(self):
        w = Weighting("uncertainty", {"a": 1.0, "b": 1.0})
        values = {"a": torch.tensor(0.2), "b": torch.tensor(20.0)}
        optimiser = torch.optim.Adam(w.parameters(), lr=0.05)
        for _ in range(800):
            optimiser.zero_grad()
            w(values).backward()
            optimiser.step()
        for s, loss in zip(w.log_variance.exp().tolist(), (0.2, 20.0)):
            self.assertAlmostEqual(s / loss, 1, places=2)

    def test_dwa_counts_most_what_falls_least(self):
        w = Weighting("dwa", {"falls": 1.0, "stays": 1.0}).train()
        self.assertEqual(w.weights().tolist(), [1, 1])
        for span in range(2):
            for _ in range(SPAN):
                w({"falls": torch.tensor(1.0 if span == 0 else 0.25), "stays": torch.tensor(3.0)})
        falls, stays = w.weights().tolist()
        self.assertGreater(stays, falls)
        self.assertAlmostEqual(falls + stays, 2, places=5)
        self.assertAlmostEqual(stays / falls, math.exp((1 - 0.25) / 2), places=4)
        # The sum really is weighted.
        total = w.eval()({"falls": torch.tensor(1.0), "stays": torch.tensor(0.0)}).item()
        self.assertAlmostEqual(total, falls, places=5)

    def test_refuses_what_it_does_not_know(self):
        with self.assertRaises(ValueError):
            Weighting("best", {"a": 1.0})


def tones(rows: int, frames: int) -> torch.Tensor:
    t = torch.arange(frames * FEATURES.hop) / FEATURES.sample_rate
    return torch.stack([0.3 * torch.sin(2 * math.pi * 220 * 1.3 ** k * t) for k in range(rows)])


class Tasks(unittest.TestCase):
    def setUp(self):
        torch.manual_seed(0)
        self.rows, frames = 10, 100
        logs = LogMel().log_mel(tones(self.rows, frames))
        heard = torch.ones(self.rows, frames // MODEL.patch)
        self.batch = dict(features=(logs + 4) / 2, chroma=torch.rand(self.rows, frames // MODEL.patch, 12), heard=heard,
                          pitched=torch.tensor([1.0, 0.0] * 5), labels=torch.tensor([0, 1]), albums=torch.arange(4), rhythm=rhythm(logs),
                          alike=likeness.neighbours(logs[2:], TRAIN.likeness_width))
        self.rvq = ResidualQuantiser()
        self.rvq.books.normal_()

    def loss(self, kind: str, t=TRAIN) -> tuple[torch.Tensor, dict, Joint]:
        torch.manual_seed(1)
        model = Joint()
        model.weighting = Weighting(kind, priors(t)).train()
        total, report = losses(model, self.rvq, self.batch, torch.Generator().manual_seed(1), False)
        return total, report, model

    def test_fixed_weights_give_what_they_say(self):
        total, report, _ = self.loss("fixed")
        wanted = sum(weight * report[name] for name, weight in priors().items())
        self.assertAlmostEqual(total.item(), wanted, places=4)
        # as the recipe of 0.4 had it: one weight for all that tokens predict, chroma twice
        self.assertAlmostEqual(sum(priors()[k] for k in ("chroma", "onset", "bands")), TRAIN.token_weight * (24 + 1 + BANDS) / (13 + BANDS))

    def test_every_weighting_makes_a_step(self):
        t = replace(TRAIN, rhythm_weight=0.2)
        for kind in KINDS:
            total, _, model = self.loss(kind, t)
            total.backward()
            grads = [p.grad for n, p in model.named_parameters() if p.grad is not None]
            self.assertTrue(torch.isfinite(total) and all(torch.isfinite(g).all() for g in grads), kind)
            self.assertGreater(model.rhythm_head.weight.grad.abs().sum().item(), 0, kind)
            learned = model.weighting.log_variance.grad
            self.assertEqual(learned is not None, kind == "uncertainty")
        self.assertGreater(len(CLASSES), 50)

    def test_crops_too_short_have_no_rhythm(self):
        self.batch["rhythm"] = torch.zeros(self.rows, 0)
        _, report, _ = self.loss("fixed", replace(TRAIN, rhythm_weight=0.2))
        self.assertEqual(report["rhythm"], 0)


class Augmentation(unittest.TestCase):
    def setUp(self):
        self.g = torch.Generator().manual_seed(3)
        self.logs = LogMel().log_mel(tones(4, 100))

    def test_rhythm_is_heard_at_its_lag(self):
        logs = torch.full((1, 200, 128), -9.0)
        logs[:, ::20] = 0.0  # every ten tokens
        found = rhythm(logs)[0]
        self.assertEqual(LAGS[int(found.argmax())], 10)

    def test_mixes_another_sound_well_below(self):
        under = self.logs.roll(1, 0)
        out = mixed(self.logs, under, self.g)
        self.assertTrue((out >= self.logs - 1e-4).all())
        self.assertLess((out.amax((1, 2)) - self.logs.amax((1, 2))).abs().max().item(), 0.2)
        self.assertGreater((out - self.logs).abs().mean().item(), 0.01)

    def test_codec_takes_the_top_and_what_is_masked(self):
        out = codec(self.logs, self.g)
        self.assertTrue((out[:, :, HZ > 12000] <= -15).all())
        self.assertTrue(torch.equal(out.amax(2), self.logs.amax(2)))
        self.assertLess((out == self.logs).float().mean().item(), 0.9)

    def test_same_seed_same_sound(self):
        one, other = (augment(self.logs.clone(), torch.Generator().manual_seed(5))[0] for _ in range(2))
        self.assertTrue(torch.equal(one, other))
        self.assertTrue(torch.isfinite(one).all())


class Scale(unittest.TestCase):
    def test_is_slaneys(self):
        try:
            import librosa
        except ModuleNotFoundError:
            self.skipTest("needs librosa")
        np.testing.assert_allclose(mel_frequencies(130, 20.0, 12000.0), librosa.mel_frequencies(130, fmin=20.0, fmax=12000.0), rtol=1e-10)


if __name__ == "__main__":
    unittest.main()
