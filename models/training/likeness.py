"""How alike sounds are by hand-made statistics of their log-mel: what an encoder that hears the same crops is drawn to.

Statistics tell recordings apart by what was recorded with what (kits, effects, voices), where programmes and augmentations
teach an encoder to leave just that out. Relational knowledge distillation (arXiv 1904.05068) in its simplest form: not the
statistics are learned but who is whose neighbour by them.
"""
import torch
import torch.nn.functional as F

AUDIBLE = 6.9                      # natural log: 60 dB below the loudest band counts as silence
EDGES = (0, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 160, 200)  # frames: a logarithmic grid
WEIGHTS = {"shape": 0.6, "deviation": 0.5, "change": 0.3, "rise": 0.3, "envelope": 0.35, "covariance": 0.3, "length": 0.15}


def statistics(logs: torch.Tensor) -> dict[str, torch.Tensor]:
    """Raw log-mel [B, T, 128] -> blocks of statistics [B, n]; level is left out.

    Shape and deviation of the spectrum in 64 bands, change and rise from frame to frame and covariance in 16, envelope, length."""
    b, t, f = logs.shape
    loudest = logs.amax((1, 2), keepdim=True)
    x = torch.maximum(logs, loudest - AUDIBLE) - loudest
    heard = (x.amax(2, keepdim=True) > -AUDIBLE + 0.05).to(x.dtype)
    total = heard.sum(1).clamp(min=1)
    over_time = lambda v: (v * heard).sum(1) / total
    bands = lambda v, n: v.reshape(b, -1, n, f // n).mean(3)
    shape = bands(x - x.mean(2, keepdim=True), 64)
    mean = over_time(shape)
    step = F.pad(bands(x, 16)[:, 1:] - bands(x, 16)[:, :-1], (0, 0, 1, 0))
    rough = shape.reshape(b, t, 16, 4).mean(3) - mean.reshape(b, 1, 16, 4).mean(3)
    covariance = torch.einsum("bti,btj,bt->bij", rough, rough, heard[..., 0]) / total[:, :, None]
    upper = torch.triu_indices(16, 16, device=x.device)
    level = x.exp().mean(2).log()
    level = F.pad(level - level.amax(1, keepdim=True), (0, max(0, EDGES[-1] - t)), value=-AUDIBLE).clamp(min=-AUDIBLE)
    spread = covariance.diagonal(dim1=1, dim2=2).mean(1).clamp(min=1e-6)
    return {"shape": mean, "deviation": over_time((shape - mean[:, None]) ** 2).sqrt(),
            "change": over_time(step.abs()), "rise": over_time(step.relu()),
            "envelope": torch.stack([level[:, low:high].mean(1) for low, high in zip(EDGES, EDGES[1:])], 1),
            "covariance": covariance[:, upper[0], upper[1]] / spread[:, None], "length": total.log()}


def described(logs: torch.Tensor) -> torch.Tensor:
    """Raw log-mel [B, T, 128] -> [B, n]: blocks standardised over the rows and weighted, so that plain distances compare them."""
    out = []
    for name, block in statistics(logs).items():
        standard = (block - block.mean(0)) / (block.std(0, correction=0) + 1e-3)
        out.append(standard * (WEIGHTS[name] / block.shape[1] ** 0.5))
    return torch.cat(out, 1)


def neighbours(logs: torch.Tensor, width: float) -> torch.Tensor:
    """Raw log-mel [B, T, 128] -> [B, B]: each row the share of its neighbours, zero for itself, in sum 1.

    A share falls by e for every `width` of the row's mean squared distance."""
    away = torch.cdist(*[described(logs)] * 2) ** 2
    self_ = torch.eye(len(away), dtype=torch.bool, device=away.device)
    scale = away.sum(1, keepdim=True) / (len(away) - 1) * width
    return (-away / scale.clamp(min=1e-6)).masked_fill(self_, float("-inf")).softmax(1)
