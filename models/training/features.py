"""Log-mel front-end as plain matrix products, so that any execution provider can run it."""
import numpy as np
import torch
from torch import nn

from config import FEATURES

LINEAR_END = 1000.0  # Hz: Slaney's scale is linear below, 27 steps to a factor of 6.4 above
LINEAR_STEP = 200 / 3
LOG_STEP = np.log(6.4) / 27


def mel_frequencies(count: int, low: float, high: float) -> np.ndarray:
    """`count` frequencies from `low` to `high` Hz, evenly spaced on Slaney's mel scale (Auditory Toolbox, 1998)."""
    to_mel = lambda f: f / LINEAR_STEP if f < LINEAR_END else LINEAR_END / LINEAR_STEP + np.log(f / LINEAR_END) / LOG_STEP
    mels = np.linspace(to_mel(low), to_mel(high), count)
    above = LINEAR_END * np.exp(LOG_STEP * (mels - LINEAR_END / LINEAR_STEP))
    return np.where(mels * LINEAR_STEP < LINEAR_END, mels * LINEAR_STEP, above)


HZ = mel_frequencies(FEATURES.mels + 2, FEATURES.fmin, FEATURES.fmax)[1:-1]  # centres of the bands


class TrigBasis(nn.Module):
    """The matrices cos(2 pi r c / size), sin(2 pi r c / size) for r < rows, c < columns.

    Angles are reduced modulo `size` in integers and looked up, so an exported graph carries 2*size
    numbers instead of whole matrices; ONNX Runtime folds the look-up when it loads the graph."""

    def __init__(self, size: int, rows: int, columns: int):
        super().__init__()
        angle = 2 * np.pi * np.arange(size) / size
        self.register_buffer("cos", torch.tensor(np.cos(angle), dtype=torch.float32))
        self.register_buffer("sin", torch.tensor(np.sin(angle), dtype=torch.float32))
        self.register_buffer("row", torch.arange(rows))
        self.register_buffer("column", torch.arange(columns))
        self.size = size
        self._cached = None

    def forward(self) -> tuple[torch.Tensor, torch.Tensor]:
        if self._cached is not None and not torch.onnx.is_in_onnx_export():
            return self._cached
        index = torch.remainder(self.row[:, None] * self.column[None, :], self.size)
        out = self.cos[index], self.sin[index]
        if not torch.onnx.is_in_onnx_export():
            self._cached = out
        return out


class RealTransform(nn.Module):
    """Discrete Fourier transform of real frames [..., size] <-> (real, imaginary) [..., size / 2 + 1].

    In an exported graph both directions are two matrix products of half the usual size, since the cosine part
    only sees the even half of a frame and the sine part the odd half."""

    def __init__(self, size: int):
        super().__init__()
        self.size, half = size, size // 2
        self.basis = TrigBasis(size, half + 1, half + 1)
        weight = torch.full((half + 1,), 2.0 / size)
        weight[0] = weight[-1] = 1.0 / size
        self.register_buffer("weight", weight)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        if not torch.onnx.is_in_onnx_export():
            spectrum = torch.fft.rfft(x)
            return spectrum.real, spectrum.imag
        half, (cos, sin) = self.size // 2, self.basis()
        first, last = x[..., 1:half], torch.flip(x[..., half + 1:], [-1])
        even = torch.cat([x[..., :1], first + last, x[..., half:half + 1]], -1)
        return even @ cos, (last - first) @ sin[1:half]

    def inverse(self, real: torch.Tensor, imaginary: torch.Tensor) -> torch.Tensor:
        if not torch.onnx.is_in_onnx_export():
            return torch.fft.irfft(torch.complex(real, imaginary), n=self.size)
        half, (cos, sin) = self.size // 2, self.basis()
        even, odd = (real * self.weight) @ cos, (imaginary * self.weight) @ sin
        rest = torch.flip((even + odd)[..., 1:half], [-1])
        return torch.cat([even - odd, rest], -1)


class MelBank(nn.Module):
    """Slaney-spaced triangles [bins, mels], each summing to 1, worked out from their corners in the graph."""

    def __init__(self, config=FEATURES):
        super().__init__()
        edges = mel_frequencies(config.mels + 2, config.fmin, config.fmax)
        bins = np.fft.rfftfreq(config.fft, 1 / config.sample_rate)
        self.register_buffer("bins", torch.tensor(bins, dtype=torch.float32)[:, None])
        for name, part in (("low", edges[:-2]), ("middle", edges[1:-1]), ("high", edges[2:])):
            self.register_buffer(name, torch.tensor(part, dtype=torch.float32))

    def forward(self) -> torch.Tensor:
        rise = (self.bins - self.low) / (self.middle - self.low)
        fall = (self.high - self.bins) / (self.high - self.middle)
        bank = torch.relu(torch.minimum(rise, fall))
        return bank / bank.sum(0, keepdim=True)


class LogMel(nn.Module):
    """waveform [B, S] at 24 kHz in [-1, 1] -> normalised log-mel [B, S // 480, 128] at 50 Hz.

    Magnitudes are scaled so that a full-scale sine is 1; bands are means over Slaney triangles; every
    band is shifted and scaled by its training mean and deviation (`mean`, `std` [128])."""

    def __init__(self, config=FEATURES):
        super().__init__()
        self.hop, self.fft, self.floor = config.hop, config.fft, config.floor
        self.pad = (config.fft - config.hop) // 2
        window = np.hanning(config.fft + 1)[:-1]
        self.register_buffer("window", torch.tensor(window * 2 / window.sum(), dtype=torch.float32))
        self.bank = MelBank(config)
        self.transform = RealTransform(config.fft)
        self.register_buffer("mean", torch.zeros(config.mels))
        self.register_buffer("std", torch.ones(config.mels))

    def frames(self, x: torch.Tensor) -> torch.Tensor:
        """[B, S] -> overlapping windows [B, T, fft], centred on each hop, zeros outside."""
        count = x.shape[1] // self.hop
        blocks = -(-self.fft // self.hop)
        x = x[:, :count * self.hop]
        x = torch.nn.functional.pad(x, (self.pad, (blocks - 1) * self.hop - self.pad))
        x = x.reshape(x.shape[0], -1, self.hop)
        parts = [x[:, i:x.shape[1] - (blocks - 1) + i] for i in range(blocks)]
        return torch.cat(parts, dim=2)[:, :, :self.fft]

    def log_mel(self, x: torch.Tensor) -> torch.Tensor:
        """[B, S] -> natural log of band magnitudes [B, T, 128], before normalisation."""
        windowed = self.frames(x) * self.window
        real, imaginary = self.transform(windowed)
        power = real ** 2 + imaginary ** 2
        magnitude = torch.sqrt(power + 1e-12)
        return torch.log(magnitude @ self.bank() + self.floor)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (self.log_mel(x) - self.mean) / self.std
