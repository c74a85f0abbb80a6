"""Fixes how z is scaled, once encoder and summary are trained.

    python calibrate.py --work DIR [--start encoder] [--before NAME --share 0.7]   -> DIR/joint.pt (averaged weights, calibrated)

`--before` names the checkpoint that the run went on from: weights between the two, `--share` of the way, keep more of what
was known before than the end of the run does (Wortsman et al., arXiv 2109.01903).
"""
import torch

from common import CONFIG, arguments, load, save
from config import TRAIN
from data import Windows
from features import LogMel
from train_encoder import Joint

SMALLEST = 0.02  # added to the variances: what hardly varies is not blown up


@torch.no_grad()
def calibrate(model: Joint, work, stats: dict, seed: int) -> None:
    """Standardise z over training windows as the application cuts them, and divide its principal directions by their
    deviation to the power of TRAIN.whitening: the strongest alone holds an eighth of the variance and drowns the rest."""
    mel, windows, raws = LogMel(), Windows(work, seed), []
    mel.load_state_dict(stats, strict=False)
    for _ in range(TRAIN.calibration_windows // 16):
        raws.append(model.summary.raw(model.mae.encoder(mel(torch.from_numpy(windows.batch(16))))))
    raw = torch.cat(raws)
    model.summary.standardise.running_mean.copy_(raw.mean(0))
    model.summary.standardise.running_var.copy_(raw.var(0).clamp(min=1e-8))
    variances, directions = torch.linalg.eigh(torch.cov(model.summary.standardise(raw).T))
    scale = (variances.clamp(min=0) + SMALLEST) ** (-TRAIN.whitening / 2)
    model.summary.whiten.weight.copy_(directions @ torch.diag(scale) @ directions.T)


def between(before: dict, after: dict, share: float) -> dict:
    """Weights `share` of the way from one state to the other."""
    return {k: torch.lerp(before[k], v, share) if v.dtype.is_floating_point else v for k, v in after.items()}


def main() -> None:
    args = arguments(__doc__, 0, "start", "before", "share")
    state, model = load(args.work / f"{args.start or 'encoder'}.pt"), Joint()
    average = state["average"]
    if args.before:
        average = between(load(args.work / f"{args.before}.pt")["average"], average, float(args.share))
    model.load_state_dict(average, strict=False)
    calibrate(model.eval(), args.work, load(args.work / "stats.pt"), TRAIN.seed + 97)
    save(args.work / f"{args.name or 'joint'}.pt",
         dict(average=model.state_dict(), step=state["step"], seconds=state["seconds"], config=CONFIG))


if __name__ == "__main__":
    main()
