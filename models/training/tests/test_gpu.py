import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
import unittest
from pathlib import Path

try:
    import numpy as np
    import onnxruntime  # noqa: F401
    import sklearn  # noqa: F401
    import soundfile
    import torch  # noqa: F401
except ModuleNotFoundError as missing:
    raise unittest.SkipTest(f"needs {missing.name}")
import data

HERE = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(HERE / "gpu"))
from check import leave_one_out  # noqa: E402
from run import SHARES, Timer, slices  # noqa: E402

# small enough that every stage makes its step in seconds
TINY = dict(dim=32, encoder_layers=1, mae_decoder_layers=1, summary_layers=1, denoiser_layers=1, rvq_codes=16, vocoder_dim=32,
            vocoder_hidden=48, vocoder_layers=1, encoder_frames=800, crop_frames=[40, 100], crop_shares=[0.5, 0.5], diffusion_batch=8,
            vocoder_batch=2, target_windows=32, calibration_windows=64, fit_batches=2, prefetchers=1, weighting="uncertainty",
            rhythm_weight=0.1)


def tone(hertz: float, seconds: float) -> np.ndarray:
    t = np.arange(int(data.RATE * seconds)) / data.RATE
    return (9000 * np.exp(-t) * (np.sin(2 * np.pi * hertz * t) + 0.3 * np.sin(4 * np.pi * hertz * t))).astype(np.int16)


def prepare(work: Path, drums: tuple[str, ...] = ()) -> None:
    """A folder as data.py leaves it, of tones."""
    writer = data.Writer(work / "pcm", "music", "samples", "gm-notes-fluidr3", "gm-phrases-fluidr3", *(["gm-drums-fluidr3"] if drums else []))
    source = dict(package="p", version="1", licence="CC0-1.0", licenceBasis="file", sha256="x", copyright="")
    for k in range(6):
        writer.add("music", np.tile(tone(100 + 40 * k, 4), 4), path=f"a{k % 2}/{k}.ogg", group=f"m{k}", **source)
        writer.add("samples", tone(700 + 90 * k, 0.5), path=f"{k}.wav", group=f"s{k}", **source)
    for program in (0, 40, 73):
        for k in range(10):
            writer.add("gm-notes-fluidr3", tone(200 + 4 * program + 9 * k, 1.5), path="f.sf2", group=f"gm/{program}", program=program,
                       font="fluidr3", **source)
        writer.add("gm-phrases-fluidr3", np.tile(tone(200 + 4 * program, 2), 5), path="f.sf2", group=f"gm/{program}", program=program,
                   font="fluidr3", **source)
    for k, kind in enumerate(drums):
        writer.add("gm-drums-fluidr3", tone(90 + 50 * k, 0.3), path="f.sf2", group=f"gm-drums/{kind}", drum=kind, kit=0, font="fluidr3", **source)
    writer.close()


class Times(unittest.TestCase):
    def test_every_stage_gets_its_share_of_what_is_left(self):
        timer, given = Timer(600), []
        ahead = list(SHARES)
        while ahead:
            minutes = timer.minutes(ahead[0], ahead)
            given.append(minutes)
            timer.end -= minutes * 60
            ahead.pop(0)
        self.assertLess(sum(given), 10)
        self.assertGreater(sum(given), 8)
        self.assertGreater(timer.left, 0)
        late = Timer(600)
        late.end -= 400  # what came before took long
        self.assertLess(late.minutes("diffusion", ["diffusion"]) * 60, 200)
        self.assertGreater(late.minutes("diffusion", ["diffusion"]), 1)


class Neighbours(unittest.TestCase):
    def test_leave_one_out_never_asks_a_row_about_itself(self):
        z = np.array([[0, 0], [0.1, 0], [9, 9], [9.1, 9], [50, 50]], float)
        self.assertEqual(leave_one_out(z, np.array(list("aabbc")), 1), 100)
        self.assertEqual(leave_one_out(z, np.array(list("ababc")), 1), 0)


@unittest.skipUnless(shutil.which("ffmpeg"), "needs ffmpeg")
class OneStep(unittest.TestCase):
    def test_from_parts_to_a_checked_pack_and_on_again(self):
        with tempfile.TemporaryDirectory() as name:
            root = Path(name)
            prepare(root / "prepared")
            for kind, hertz in (("low", 150), ("high", 1500)):
                for k in range(4):
                    (root / "kinds" / kind).mkdir(parents=True, exist_ok=True)
                    soundfile.write(root / "kinds" / kind / f"{k}.wav", tone(hertz + 10 * k, 1), data.RATE)
            packed = subprocess.run([sys.executable, HERE / "gpu/pack_up.py", "--work", root / "prepared", "--out", root / "parts",
                                     "--part-mib", "0.35", "--parts", "3", "--dev", root / "kinds"], capture_output=True, text=True)
            self.assertEqual(packed.returncode, 0, packed.stderr[-2000:])
            parts = sorted((root / "parts").glob("part-*.tar"))
            self.assertGreaterEqual(len(parts), 1)
            self.assertTrue(all(p.stat().st_size <= 0.35 * 2 ** 20 for p in parts))

            def run(*more: str) -> tuple[int, dict, str]:
                done = subprocess.run([sys.executable, HERE / "gpu/run.py", "--parts", root / "parts", "--work", root / "work", "--out",
                                       root / "out", "--steps", "1", "--device", "cpu", "--threads", "1", "--recipe",
                                       json.dumps(TINY), *more], capture_output=True, text=True)
                return done.returncode, json.loads((root / "out/report.json").read_text()), done.stdout + done.stderr

            code, report, told = run()
            self.assertNotIn("trace", report, told[-3000:])
            self.assertEqual(set(report["dev"]), {"kinds"}, told[-3000:])
            self.assertEqual(report["dev"]["kinds"]["sounds"], 8)
            # One step teaches nothing; that it is not better than the twin is all that may be wrong.
            self.assertTrue(all("untrained twin" in p for p in report["problems"]), report["problems"])
            self.assertEqual(code, 1 if report["problems"] else 0)
            self.assertEqual(set(report["secondsByStage"]),
                             {"unpack", "mels", "targets", "encoder", "calibrate", "decoder", "fit", "diffusion", "export"})
            self.assertIn("uncertainty", report["recipe"]["weighting"])
            back = sorted((root / "out").iterdir())
            self.assertLessEqual(len(back), 8)
            joined = root / "joined.tar"
            joined.write_bytes(b"".join(p.read_bytes() for p in back if p.name.startswith("slice-")))
            with tarfile.open(joined) as tar:
                names = set(tar.getnames())
            self.assertTrue({"pack/encoder.onnx", "pack/pack.json", "pack/data-card.json", "joint-average.pt"} <= names)
            manifest = json.loads((root / "work/pack/pack.json").read_text())
            self.assertEqual(manifest["licence"], "CC-BY-4.0")

            # The same again has nothing left to do; one that was ended in the middle goes on there.
            _, again, _ = run()
            self.assertEqual(again["secondsByStage"], {})
            for stale in ("diffusion.done", "pack/pack.json"):
                (root / "work" / stale).unlink()
            _, resumed, told = run()
            self.assertEqual(set(resumed["secondsByStage"]), {"diffusion", "export"}, told[-3000:])
            self.assertEqual(torch.load(root / "work/diffusion.pt", weights_only=False)["step"], 2)

    def test_without_parts_says_so_and_still_reports(self):
        with tempfile.TemporaryDirectory() as name:
            root = Path(name)
            done = subprocess.run([sys.executable, HERE / "gpu/run.py", "--parts", root, "--work", root / "w", "--out", root / "o"],
                                  capture_output=True, text=True)
            self.assertEqual(done.returncode, 1)
            self.assertIn("no part-NN.tar", json.loads((root / "o/report.json").read_text())["problems"][0])


class Back(unittest.TestCase):
    def test_slices_make_the_tar_again(self):
        with tempfile.TemporaryDirectory() as name:
            root = Path(name)
            (root / "big").write_bytes(bytes(16 * 2 ** 20))
            self.assertEqual(slices(root, [("big", root / "big")]), 2)
            self.assertLessEqual(max(p.stat().st_size for p in root.glob("slice-*")), 16 * 2 ** 20)


if __name__ == "__main__":
    unittest.main()
