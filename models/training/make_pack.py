"""From nothing to a committed pack: every step of the recipe in order, each resumable.

    python make_pack.py --work DIR --out PACK --instruments DIR [--minutes 50 30 40] [--threads 2]

`--work` holds data and checkpoints (about 16 GB) and must not be in the repository. `--minutes` are the
wall-clock budgets of encoder, denoiser and vocoder, resumes included: run again to carry on.
"""
import argparse
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def step(script: str, *options: object) -> None:
    print(f"== {script}", flush=True)
    subprocess.run([sys.executable, str(HERE / script), *map(str, options)], check=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--instruments", type=Path, required=True, help="class folders for evaluation only")
    parser.add_argument("--minutes", type=float, nargs=3, default=[50, 30, 40], help="encoder, denoiser, vocoder")
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    work, (encoder, diffusion, decoder) = args.work, args.minutes
    common = ["--work", work, "--threads", args.threads]
    step("data.py", "--work", work, "--against", args.instruments)
    step("mels.py", *common)
    step("targets.py", *common)
    step("train_encoder.py", *common, "--minutes", encoder)
    step("calibrate.py", *common)
    step("train_decoder.py", *common, "--minutes", decoder)
    step("fit_decoder.py", *common)
    step("train_diffusion.py", *common, "--minutes", diffusion)
    twin = work / "random-twin"
    step("export.py", "--work", work, "--out", twin, "--random-seed", 1)
    step("export.py", "--work", work, "--out", args.out)
    step("evaluate.py", "--pack", args.out, "--twin", twin, "--work", work, "--instruments", args.instruments, "--write")


if __name__ == "__main__":
    main()
