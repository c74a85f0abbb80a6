"""The learned graphs. Shapes: B batch, T frames (50 Hz), N = ceil(T / 2) tokens (25 Hz), D = 256.

Sources: EnCodecMAE (arXiv 2309.07391) for the masked encoder with patch-out and residual-quantised
targets; PECMAE (arXiv 2402.09318) for the summary token trained by a v-diffusion denoiser with
classifier-free guidance; Vocos (arXiv 2306.00814) for the inverse-Fourier decoder.
"""
import math

import torch
import torch.nn.functional as F
from torch import nn

from config import FEATURES, MODEL
from features import LogMel, TrigBasis


def positions(count, dim: int, like: torch.Tensor) -> torch.Tensor:
    """Sinusoidal positions [count, dim], computed in the graph so that any length works."""
    rate = torch.exp(torch.arange(0, dim, 2, device=like.device, dtype=torch.float32) * (-math.log(10000.0) / dim))
    angle = torch.arange(count, device=like.device).to(torch.float32)[:, None] * rate[None, :]
    return torch.cat([torch.sin(angle), torch.cos(angle)], dim=1)


def to_tokens(x: torch.Tensor, patch: int) -> torch.Tensor:
    """[B, T, C] -> [B, N, patch * C]; an incomplete last patch repeats the last frame."""
    count = (x.shape[1] + patch - 1) // patch
    x = torch.cat([x] + [x[:, -1:]] * (patch - 1), dim=1)[:, :count * patch]
    return x.reshape(x.shape[0], count, patch * x.shape[2])


class Attention(nn.Module):
    """Multi-head self-attention, [B, N, D] -> [B, N, D]."""

    def __init__(self, dim: int, heads: int):
        super().__init__()
        self.heads, self.width = heads, dim // heads
        self.qkv = nn.Linear(dim, 3 * dim)
        self.out = nn.Linear(dim, dim)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        b, n, d = x.shape
        q, k, v = self.qkv(x).reshape(b, n, 3, self.heads, self.width).permute(2, 0, 3, 1, 4).unbind(0)
        y = F.scaled_dot_product_attention(q, k, v)
        return self.out(y.transpose(1, 2).reshape(b, n, d))


class Block(nn.Module):
    """Pre-norm transformer layer."""

    def __init__(self, dim: int, heads: int, ratio: int):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.attention = Attention(dim, heads)
        self.up, self.down = nn.Linear(dim, ratio * dim), nn.Linear(ratio * dim, dim)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x + self.attention(self.norm1(x))
        return x + self.down(F.gelu(self.up(self.norm2(x))))


class Encoder(nn.Module):
    """features [B, T, F] -> hidden [B, T, D]: tokens of two frames, each token's vector given to both."""

    def __init__(self, c=MODEL, features: int = FEATURES.mels):
        super().__init__()
        self.c = c
        self.input = nn.Linear(c.patch * features, c.dim)
        self.blocks = nn.ModuleList(Block(c.dim, c.heads, c.mlp_ratio) for _ in range(c.encoder_layers))
        self.norm = nn.LayerNorm(c.dim)

    def tokens(self, x: torch.Tensor, visible: torch.Tensor | None = None) -> torch.Tensor:
        """features -> [B, N, D], or [B, V, D] of the `visible` token indices [B, V] alone (patch-out)."""
        x = self.input(to_tokens(x, self.c.patch))
        x = x + positions(x.shape[1], self.c.dim, x)
        if visible is not None:
            x = torch.gather(x, 1, visible[..., None].expand(-1, -1, self.c.dim))
        for block in self.blocks:
            x = block(x)
        return self.norm(x)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        x = self.tokens(features)
        x = x[:, :, None, :].expand(-1, -1, self.c.patch, -1).reshape(x.shape[0], -1, self.c.dim)
        return x[:, :features.shape[1]]


class MaskedAutoencoder(nn.Module):
    """Training-time wrapper: predicts the quantiser codes of the hidden half of the tokens."""

    def __init__(self, c=MODEL):
        super().__init__()
        self.c = c
        self.encoder = Encoder(c)
        self.mask = nn.Parameter(torch.randn(c.dim) * 0.02)
        self.blocks = nn.ModuleList(Block(c.dim, c.heads, c.mlp_ratio) for _ in range(c.mae_decoder_layers))
        self.norm = nn.LayerNorm(c.dim)
        self.head = nn.Linear(c.dim, c.rvq_stages * c.rvq_codes)

    def forward(self, features: torch.Tensor, visible: torch.Tensor) -> torch.Tensor:
        """features [B, T, F], visible [B, V] -> logits [B, N, stages, codes]."""
        seen = self.encoder.tokens(features, visible)
        b, n = features.shape[0], (features.shape[1] + self.c.patch - 1) // self.c.patch
        x = self.mask.expand(b, n, self.c.dim).scatter(1, visible[..., None].expand(-1, -1, self.c.dim), seen)
        x = x + positions(n, self.c.dim, x)
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x)).reshape(b, n, self.c.rvq_stages, self.c.rvq_codes)


class ResidualQuantiser(nn.Module):
    """Codes of tokens by successive nearest centroids; `books` [stages, codes, patch * F] come from k-means."""

    def __init__(self, c=MODEL, features: int = FEATURES.mels):
        super().__init__()
        self.register_buffer("books", torch.zeros(c.rvq_stages, c.rvq_codes, c.patch * features))
        self.patch = c.patch

    @torch.no_grad()
    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """[B, T, F] -> codes [B, N, stages]."""
        tokens = to_tokens(features, self.patch)
        rest, codes = tokens.reshape(-1, tokens.shape[2]), []
        for book in self.books:
            distance = (book ** 2).sum(1) - 2 * rest @ book.T
            code = distance.argmin(1)
            codes.append(code)
            rest = rest - book[code]
        return torch.stack(codes, 1).reshape(*tokens.shape[:2], -1)


class Summary(nn.Module):
    """hidden [B, T, D] -> z [B, D]: a class token attends to the tokens, and a gated mean of the tokens is
    added (the gate leaves silence out); z is standardised per dimension.

    In training the batch's own statistics standardise (no affine), so z = 0 is the mean embedding and
    doubles as the unconditional token; `calibrate` fixes the statistics afterwards."""

    def __init__(self, c=MODEL):
        super().__init__()
        self.c = c
        self.input = nn.Linear(c.dim, c.dim)
        self.token = nn.Parameter(torch.randn(1, 1, c.dim) * 0.02)
        self.blocks = nn.ModuleList(Block(c.dim, c.heads, c.mlp_ratio) for _ in range(c.summary_layers))
        self.norm = nn.LayerNorm(c.dim)
        self.output = nn.Linear(c.dim, c.dim)
        self.gate, self.pool = nn.Linear(c.dim, 1), nn.Linear(c.dim, c.dim)
        self.standardise = nn.BatchNorm1d(c.dim, affine=False, momentum=0.02)

    def pooled(self, tokens: torch.Tensor) -> torch.Tensor:
        """Gated mean of the tokens [B, N, D] -> [B, D]."""
        weight = torch.sigmoid(self.gate(tokens))
        return (weight * tokens).sum(1) / (weight.sum(1) + 1e-3)

    def raw(self, hidden: torch.Tensor) -> torch.Tensor:
        """[B, T, D] -> z before standardisation."""
        tokens = hidden[:, ::self.c.patch]
        x = self.input(tokens)
        x = torch.cat([self.token.expand(x.shape[0], -1, -1), x], dim=1)
        for block in self.blocks:
            x = block(x)
        return self.output(self.norm(x[:, 0])) + self.pool(self.pooled(tokens))

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        return self.standardise(self.raw(hidden))


class ModulatedBlock(nn.Module):
    """Transformer layer whose norms and branches are scaled by the condition (shared projection + own table)."""

    def __init__(self, dim: int, heads: int, ratio: int):
        super().__init__()
        self.norm1 = nn.LayerNorm(dim, elementwise_affine=False)
        self.norm2 = nn.LayerNorm(dim, elementwise_affine=False)
        self.attention = Attention(dim, heads)
        self.up, self.down = nn.Linear(dim, ratio * dim), nn.Linear(ratio * dim, dim)
        self.table = nn.Parameter(torch.randn(6, dim) * 0.02)

    def forward(self, x: torch.Tensor, condition: torch.Tensor) -> torch.Tensor:
        """x [B, N, D], condition [B, 6, D]."""
        a_shift, a_scale, a_gate, m_shift, m_scale, m_gate = (condition + self.table).unsqueeze(2).unbind(1)
        x = x + a_gate * self.attention(self.norm1(x) * (1 + a_scale) + a_shift)
        y = self.norm2(x) * (1 + m_scale) + m_shift
        return x + m_gate * self.down(F.gelu(self.up(y)))


class Denoiser(nn.Module):
    """noisy features [B, T, F], sigma [B] in [0, 1], z [B, D] -> v [B, T, F].

    alpha = cos(pi sigma / 2), beta = sin(pi sigma / 2), noisy = alpha x + beta e, v = alpha e - beta x."""

    def __init__(self, c=MODEL, features: int = FEATURES.mels):
        super().__init__()
        self.c, self.features = c, features
        d = c.dim
        self.input = nn.Linear(c.patch * features, d)
        self.time1, self.time2 = nn.Linear(d, d), nn.Linear(d, d)
        self.condition = nn.Linear(d, d)
        self.modulation = nn.Linear(d, 6 * d)
        self.blocks = nn.ModuleList(ModulatedBlock(d, c.heads, c.mlp_ratio) for _ in range(c.denoiser_layers))
        self.final = nn.Linear(d, 2 * d)
        self.norm = nn.LayerNorm(d, elementwise_affine=False)
        self.output = nn.Linear(d, c.patch * features)
        nn.init.zeros_(self.output.weight)
        nn.init.zeros_(self.output.bias)

    def embed_sigma(self, sigma: torch.Tensor) -> torch.Tensor:
        rate = torch.exp(torch.linspace(0.0, math.log(1000.0), self.c.dim // 2, device=sigma.device))
        angle = sigma[:, None] * rate[None, :]
        return self.time2(F.silu(self.time1(torch.cat([torch.sin(angle), torch.cos(angle)], dim=1))))

    def forward(self, features: torch.Tensor, sigma: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
        d = self.c.dim
        condition = F.silu(self.embed_sigma(sigma) + self.condition(z))
        modulation = self.modulation(condition).reshape(-1, 6, d)
        x = self.input(to_tokens(features, self.c.patch))
        x = x + positions(x.shape[1], d, x)
        for block in self.blocks:
            x = block(x, modulation)
        shift, scale = self.final(condition).reshape(-1, 2, 1, d).unbind(1)
        x = self.output(self.norm(x) * (1 + scale) + shift)
        return x.reshape(x.shape[0], -1, self.features)[:, :features.shape[1]]


class ConvNeXt(nn.Module):
    """Depthwise convolution over frames, then a two-layer mixer; x [B, C, T]."""

    def __init__(self, dim: int, hidden: int, layers: int):
        super().__init__()
        self.depthwise = nn.Conv1d(dim, dim, 7, padding=3, groups=dim)
        self.norm = nn.LayerNorm(dim)
        self.up, self.down = nn.Linear(dim, hidden), nn.Linear(hidden, dim)
        self.scale = nn.Parameter(torch.full((dim,), 1.0 / layers))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.norm(self.depthwise(x).transpose(1, 2))
        y = self.down(F.gelu(self.up(y))) * self.scale
        return x + y.transpose(1, 2)


class Decoder(nn.Module):
    """features [B, T, F] -> waveform [B, T * 480]: two short-time spectra per frame, inverse DFT, overlap-add."""

    def __init__(self, c=MODEL, f=FEATURES):
        super().__init__()
        self.fft, self.hop, self.per_frame = c.vocoder_fft, c.vocoder_hop, f.hop // c.vocoder_hop
        self.bins = self.fft // 2 + 1
        self.overlap = self.fft // self.hop
        self.input = nn.Conv1d(f.mels, c.vocoder_dim, 5, padding=2)
        self.norm_in = nn.LayerNorm(c.vocoder_dim)
        self.blocks = nn.ModuleList(ConvNeXt(c.vocoder_dim, c.vocoder_hidden, c.vocoder_layers)
                                    for _ in range(c.vocoder_layers))
        self.norm = nn.LayerNorm(c.vocoder_dim)
        self.head = nn.Linear(c.vocoder_dim, self.per_frame * 2 * self.bins)
        self.basis = TrigBasis(self.fft, self.bins, self.fft)
        window = torch.hann_window(self.fft)
        self.register_buffer("window", window)
        weight = torch.full((self.bins, 1), 2.0)
        weight[0] = weight[-1] = 1.0
        self.register_buffer("weight", weight / self.fft)

    def spectra(self, features: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """features -> (real, imaginary) [B, 2 T, bins]."""
        x = self.norm_in(self.input(features.transpose(1, 2)).transpose(1, 2)).transpose(1, 2)
        for block in self.blocks:
            x = block(x)
        y = self.head(self.norm(x.transpose(1, 2)))
        y = y.reshape(y.shape[0], -1, 2 * self.bins)
        magnitude = torch.exp(torch.clamp(y[:, :, :self.bins], max=6.0))
        phase = y[:, :, self.bins:]
        return magnitude * torch.cos(phase), magnitude * torch.sin(phase)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        real, imaginary = self.spectra(features)
        cos, sin = self.basis()
        pieces = (real @ (cos * self.weight) - imaginary @ (sin * self.weight)) * self.window  # [B, 2T, fft]
        pieces = pieces.reshape(pieces.shape[0], -1, self.overlap, self.hop)
        out = None
        for i in range(self.overlap):
            part = F.pad(pieces[:, :, i], (0, 0, i, self.overlap - 1 - i))
            out = part if out is None else out + part
        # a Hann window squared at a quarter hop sums to 1.5; centre of the first window is the first sample + hop/2
        out = (out / 1.5).reshape(out.shape[0], -1)
        start = (self.fft - self.hop) // 2
        return out[:, start:out.shape[1] - (self.fft - self.hop - start)]


class Denoising:
    """The diffusion schedule of the pack contract, for training and sampling in PyTorch."""

    @staticmethod
    def coefficients(sigma: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        angle = sigma * (math.pi / 2)
        return torch.cos(angle), torch.sin(angle)

    @staticmethod
    @torch.no_grad()
    def sample(model, z: torch.Tensor, frames: int, steps: int, guidance: float, noise: torch.Tensor) -> torch.Tensor:
        """z [B, D] -> features [B, T, F]; deterministic given `noise` [B, T, F]."""
        x, zero = noise, torch.zeros_like(z)
        schedule = torch.linspace(1, 0, steps + 1)
        for now, after in zip(schedule[:-1], schedule[1:]):
            sigma = now.expand(len(z))
            v = model(x, sigma, z)
            if guidance:
                v = v + guidance * (v - model(x, sigma, zero))
            a, b = Denoising.coefficients(now)
            clean, noise_hat = a * x - b * v, b * x + a * v
            a, b = Denoising.coefficients(after)
            x = a * clean + b * noise_hat
        return x


def build(seed: int | None = None) -> dict[str, nn.Module]:
    """The five graphs, freshly initialised."""
    if seed is not None:
        torch.manual_seed(seed)
    return {"features": LogMel(), "encoder": Encoder(), "summary": Summary(), "denoiser": Denoiser(), "decoder": Decoder()}


if __name__ == "__main__":
    for name, module in build(0).items():
        count = sum(p.numel() for p in module.parameters())
        print(f"{name:9s} {count / 1e6:6.3f} M parameters, {count * 4 / 1e6:6.2f} MB")
