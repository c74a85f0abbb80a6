"""Training crops: short pieces of a collection as log-mel, augmented in the log-mel domain, where it is cheap."""
import numpy as np
import torch
import torch.nn.functional as F

from config import FEATURES, MODEL, TRAIN
from data import Drawing
from features import HZ
from mels import AUDIBLE, FLOOR, Mels, frames_of

BANDS = FEATURES.mels
QUIET = -16.0  # silence while the front-end's floor is taken off, so that gain and curves cannot raise it


def chroma_fold() -> torch.Tensor:
    """[128, 12]: shares of each band in the pitch classes, bands of 80 Hz to 5 kHz."""
    pitch = 69 + 12 * np.log2(HZ / 440)
    away = np.abs((pitch[:, None] - np.arange(12)[None] + 6) % 12 - 6)
    fold = np.maximum(0, 1 - away) * ((HZ > 80) & (HZ < 5000))[:, None]
    return torch.from_numpy(fold).float()


FOLD = chroma_fold()


def chroma(logs: torch.Tensor, patch: int = MODEL.patch) -> torch.Tensor:
    """Raw log-mel [B, T, 128] -> chroma of each token [B, T // patch, 12], the strongest pitch class at 1.

    Bands stand out against their neighbourhood first, so that broad spectra give flat chroma."""
    b, t, f = logs.shape
    x = logs.reshape(b, t // patch, patch, f).mean(2)
    around = F.avg_pool1d(x, 9, 1, 4, count_include_pad=False)
    folded = torch.exp(torch.relu(x - around) * 2).sub(1) @ FOLD.to(logs.device)
    return folded / folded.amax(2, keepdim=True).clamp(min=1.0)


def smooth_curves(count: int, sigma_db: float, g: torch.Generator, knots: int = 7) -> torch.Tensor:
    """Random smooth curves over bands, natural log, [count, 1, bands]."""
    points = torch.randn(count, 1, knots, generator=g, device=g.device) * (sigma_db / 8.686)
    return F.interpolate(points, size=BANDS, mode="linear", align_corners=True)


def warp(x: torch.Tensor, on: torch.Tensor, g: torch.Generator) -> torch.Tensor:
    """Shift by up to TRAIN.pitch_range semitones and change the speed by up to exp(TRAIN.speed_range), where `on`."""
    b, t, _ = x.shape
    shift = (torch.rand(b, generator=g, device=g.device) * 2 - 1) * TRAIN.pitch_range * on
    speed = torch.exp((torch.rand(b, generator=g, device=g.device) * 2 - 1) * TRAIN.speed_range * on)
    wanted = HZ[None] * 2 ** (-shift.cpu().numpy()[:, None] / 12)
    band = torch.from_numpy(np.interp(wanted, HZ, np.arange(BANDS))).float().to(x.device) / (BANDS - 1) * 2 - 1
    time = (torch.arange(t, device=x.device)[None] * speed[:, None]) / (t - 1) * 2 - 1
    grid = torch.stack([band[:, None, :].expand(b, t, BANDS), time[:, :, None].expand(b, t, BANDS)], 3)
    return F.grid_sample((x - QUIET)[:, None], grid, mode="bilinear", padding_mode="zeros", align_corners=True)[:, 0] + QUIET


def reverberate(x: torch.Tensor, g: torch.Generator) -> torch.Tensor:
    """An exponential tail of 0.2 to 1.6 s, 22 to 4 dB down, in the power domain."""
    b, t, _ = x.shape
    decay = 10 ** (-6 / (torch.rand(b, 1, generator=g, device=g.device) * 70 + 10))   # -60 dB after 10..80 frames
    wet = 10 ** (-(torch.rand(b, 1, generator=g, device=g.device) * 18 + 4) / 10) * (1 - decay) * 6
    power, tail, out = torch.exp(2 * x), torch.zeros(b, BANDS, device=x.device), []
    for k in range(t):
        out.append(power[:, k] + wet * tail)
        tail = decay * tail + power[:, k]
    return 0.5 * torch.log(torch.stack(out, 1))


def swell(x: torch.Tensor, g: torch.Generator) -> torch.Tensor:
    """A smooth random gain over time: what players do to a held note, and looped samples never do."""
    points = torch.randn(len(x), 1, 6, generator=g, device=g.device) * (5 / 8.686)
    return x + F.interpolate(points, size=x.shape[1], mode="linear", align_corners=True).transpose(1, 2)


def noise(x: torch.Tensor, g: torch.Generator) -> torch.Tensor:
    """A coloured noise floor 65 to 15 dB below the loudest band."""
    b, t, _ = x.shape
    level = x.amax((1, 2))[:, None, None] - (torch.rand(b, 1, 1, generator=g, device=g.device) * 50 + 15) / 8.686
    floor = level + smooth_curves(b, 6, g, 3) + 0.35 * torch.randn(b, t, BANDS, generator=g, device=g.device)
    return 0.5 * torch.log(torch.exp(2 * x) + torch.exp(2 * floor))


def mixed(x: torch.Tensor, under: torch.Tensor, g: torch.Generator) -> torch.Tensor:
    """Another sound under each, 6 to 24 dB below it by their loudest bands: what else plays is no part of what is asked."""
    down = (torch.rand(len(x), 1, 1, generator=g, device=g.device) * 18 + 6) / 8.686
    level = x.amax((1, 2), keepdim=True) - under.amax((1, 2), keepdim=True) - down
    return 0.5 * torch.log(torch.exp(2 * x) + torch.exp(2 * (under + level)))


def codec(x: torch.Tensor, g: torch.Generator) -> torch.Tensor:
    """What a lossy codec leaves out: all above 6 to 12 kHz, and bands 30 to 60 dB below the frame's loudest."""
    b = len(x)
    hertz = torch.from_numpy(HZ).float().to(x.device)
    edge = 6000 + 6000 * torch.rand(b, 1, 1, generator=g, device=g.device)
    masked = x.amax(2, keepdim=True) - (30 + 30 * torch.rand(b, 1, 1, generator=g, device=g.device)) / 8.686
    return torch.where((hertz > edge) | (x < masked), torch.full_like(x, QUIET), x)


LAGS = (5, 6, 8, 10, 12, 16, 20, 25)  # tokens of 40 ms: 300 to 60 beats a minute


def rhythm(logs: torch.Tensor) -> torch.Tensor:
    """Raw log-mel [B, T, 128] -> autocorrelation [B, 8] of the onset strength of its tokens at LAGS, -1..1; T of 100 at least."""
    b, t, f = logs.shape
    rise = torch.relu(logs[:, 1:] - logs[:, :-1]).mean(2)
    onset = F.pad(rise, (1, 0))[:, :t // 2 * 2].reshape(b, -1, 2).amax(2)
    onset = onset - onset.mean(1, keepdim=True)
    power = (onset ** 2).mean(1).clamp(min=1e-6)
    return torch.stack([(onset[:, k:] * onset[:, :-k]).mean(1) / power for k in LAGS], 1)


def augment(x: torch.Tensor, g: torch.Generator, strength: torch.Tensor | float = 1.0) -> tuple[torch.Tensor, torch.Tensor]:
    """Raw log-mel [B, T, 128] -> augmented, and which rows kept their pitch [B].

    `strength` [B], 0..1, of a row scales how often anything is done to it and how far the equaliser goes; gain is always drawn."""
    b = len(x)
    strength = torch.as_tensor(strength, device=g.device).expand(b)
    chosen = lambda share: torch.rand(b, generator=g, device=g.device) < share * strength
    warped = chosen(0.5)
    x = torch.log((torch.exp(x) - FEATURES.floor).clamp(min=float(np.exp(QUIET))))
    x = warp(x, warped.float(), g) if warped.any() else x
    rows = chosen(0.4)
    x[rows] = swell(x[rows], g)
    rows = chosen(0.35)
    x[rows] = reverberate(x[rows], g)
    x = x + (chosen(0.8).float() * strength)[:, None, None] * smooth_curves(b, 5, g)
    edge = 60 + torch.rand(b, 1, 1, generator=g, device=g.device) * 60
    low_pass = -torch.relu(torch.arange(BANDS, device=x.device) - edge) * 0.35
    x = x + chosen(0.2).float()[:, None, None] * low_pass
    x = x + (torch.rand(b, 1, 1, generator=g, device=g.device) * 24 - 15) / 8.686
    rows = chosen(0.45)
    x[rows] = noise(x[rows], g)
    if TRAIN.mix_share > 0:
        rows = chosen(TRAIN.mix_share)
        x[rows] = mixed(x[rows], x.roll(1, 0)[rows], g)
    if TRAIN.codec_share > 0:
        rows = chosen(TRAIN.codec_share)
        x[rows] = codec(x[rows], g)
    return torch.log(torch.exp(x.clamp(max=2.0)) + FEATURES.floor), ~warped


class Crops(Drawing):
    """Random crops, seeded; shorter than a window, since silent tails change nothing for the encoder."""

    def __init__(self, work, seed: int, mix: dict | None = None, device: str = "cpu"):
        super().__init__(work, seed, mix)
        self.mels = {c: Mels(work, c, own) for c, own in self.entries.items()}
        self.generator = torch.Generator(device).manual_seed(seed)

    def crop(self, entry: dict, frames: int, shift: bool = True) -> np.ndarray:
        """Raw log-mel [frames, 128], silence past the entry's end.

        Long material is cut anywhere, short material near its start; the sound may begin late or end early."""
        rng, length, second = self.rng, frames_of(entry), FEATURES.sample_rate // FEATURES.hop
        late = int(rng.integers(0, 8)) if shift and rng.random() < 0.4 else 0
        if length > frames + 3 * second:
            start = int(rng.integers(0, length - frames))
        else:
            start = int(rng.integers(0, min(length // 4, 24) + 1)) if shift and rng.random() < 0.3 else 0
        count = min(frames - late, length - start)
        if shift and rng.random() < 0.15:
            count = max(1, int(count * rng.uniform(0.2, 0.9)))
        out = np.full((frames, BANDS), FLOOR, np.float32)
        out[late:late + count] = self.mels[entry["collection"]](entry, start, count)
        if shift and out.max() < AUDIBLE:
            return self.crop(entry, frames, False)
        return out

    def logs(self, rows: list[np.ndarray]) -> torch.Tensor:
        """Crops -> raw log-mel [B, frames, 128] where the generator is."""
        return torch.from_numpy(np.stack(rows)).to(self.generator.device)
