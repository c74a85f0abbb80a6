"""Feature statistics and the residual quantiser, both from random training windows.

    python targets.py --work DIR      -> DIR/stats.pt, DIR/rvq.pt
"""
import numpy as np
import torch
from sklearn.cluster import MiniBatchKMeans

from common import arguments, load, save
from config import FEATURES, MODEL, TRAIN
from data import Windows
from features import LogMel
from model import ResidualQuantiser, to_tokens

SILENT_SHARE = 0.02  # of the silent tokens, so that silence has a code of its own


def audible_frames(log_mel: torch.Tensor) -> torch.Tensor:
    """[B, T, F] log-mel -> bool [B, T]: frames that are not digital silence."""
    return log_mel.amax(2) > np.log(FEATURES.floor) + 0.05


@torch.no_grad()
def statistics(work, seed: int) -> tuple[dict, torch.Tensor]:
    """Per-band mean and deviation over audible frames, and the normalised audible tokens [M, patch * F]."""
    torch.manual_seed(seed)
    windows, mel = Windows(work, seed), LogMel()
    logs = torch.cat([mel.log_mel(torch.from_numpy(windows.batch(32))) for _ in range(-(-TRAIN.target_windows // 32))])
    heard = audible_frames(logs)
    stats = {"mean": logs[heard].mean(0), "std": logs[heard].std(0)}
    tokens = to_tokens((logs - stats["mean"]) / stats["std"], MODEL.patch)
    keep = heard.reshape(len(heard), -1, MODEL.patch).any(2) | (torch.rand(tokens.shape[:2]) < SILENT_SHARE)
    return stats, tokens[keep]


def quantiser(tokens: torch.Tensor, seed: int) -> ResidualQuantiser:
    """Mini-batch k-means on tokens, stage after stage on what the last one left."""
    rvq = ResidualQuantiser()
    tokens = tokens.numpy()
    rest = tokens.astype(np.float32)
    for stage in range(MODEL.rvq_stages):
        fit = MiniBatchKMeans(MODEL.rvq_codes, batch_size=4096, n_init=1, max_iter=20, random_state=seed + stage).fit(rest)
        rest = rest - fit.cluster_centers_[fit.predict(rest)].astype(np.float32)
        rvq.books[stage] = torch.from_numpy(fit.cluster_centers_.astype(np.float32))
        print(f"stage {stage}: share of variance left {rest.var() / tokens.var():.3f}", flush=True)
    return rvq


def main() -> None:
    args = arguments(__doc__, 0)
    if load(args.work / "rvq.pt"):
        return
    stats, tokens = statistics(args.work, TRAIN.seed)
    save(args.work / "stats.pt", stats)
    save(args.work / "rvq.pt", quantiser(tokens, TRAIN.seed).state_dict())


if __name__ == "__main__":
    main()
