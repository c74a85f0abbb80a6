"""Fixes the mean and deviation by which z is standardised, once encoder and summary are trained.

    python calibrate.py --work DIR [--start encoder]      -> DIR/joint.pt (the averaged weights, calibrated)
"""
import torch

from common import CONFIG, arguments, load, save
from config import TRAIN
from data import Windows
from features import LogMel
from train_encoder import Joint


@torch.no_grad()
def calibrate(model: Joint, work, stats: dict, seed: int) -> None:
    """Standardise z by its mean and deviation over training windows as the application cuts them."""
    mel, windows, raws = LogMel(), Windows(work, seed), []
    mel.load_state_dict(stats, strict=False)
    for _ in range(TRAIN.calibration_windows // 16):
        raws.append(model.summary.raw(model.mae.encoder(mel(torch.from_numpy(windows.batch(16))))))
    raw = torch.cat(raws)
    model.summary.standardise.running_mean.copy_(raw.mean(0))
    model.summary.standardise.running_var.copy_(raw.var(0).clamp(min=1e-8))


def main() -> None:
    args = arguments(__doc__, 0, "start")
    state, model = load(args.work / f"{args.start or 'encoder'}.pt"), Joint()
    model.load_state_dict(state["average"], strict=False)
    calibrate(model.eval(), args.work, load(args.work / "stats.pt"), TRAIN.seed + 97)
    save(args.work / f"{args.name or 'joint'}.pt",
         dict(average=model.state_dict(), step=state["step"], seconds=state["seconds"], config=CONFIG))


if __name__ == "__main__":
    main()
