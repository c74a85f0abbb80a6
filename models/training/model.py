"""The learned graphs. Shapes: B batch, T frames (50 Hz), N = ceil(T / patch) tokens, D = 256.

Sources: EnCodecMAE (arXiv 2309.07391) for the masked encoder with patch-out and residual-quantised
targets; PECMAE (arXiv 2402.09318) for the summary token trained by a v-diffusion denoiser with
classifier-free guidance; Vocos (arXiv 2306.00814) for the inverse-Fourier decoder.
"""
import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from config import FEATURES, MODEL
from features import HZ, LogMel, RealTransform


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

    def forward(self, x: torch.Tensor, bias: torch.Tensor | None = None) -> torch.Tensor:
        """`bias` [B, 1, 1, N] is added to the scores of each key."""
        b, n, d = x.shape
        q, k, v = self.qkv(x).reshape(b, n, 3, self.heads, self.width).permute(2, 0, 3, 1, 4).unbind(0)
        y = F.scaled_dot_product_attention(q, k, v, attn_mask=bias)
        return self.out(y.transpose(1, 2).reshape(b, n, d))


class Block(nn.Module):
    """Pre-norm transformer layer."""

    def __init__(self, dim: int, heads: int, ratio: int):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.attention = Attention(dim, heads)
        self.up, self.down = nn.Linear(dim, ratio * dim), nn.Linear(ratio * dim, dim)

    def forward(self, x: torch.Tensor, bias: torch.Tensor | None = None) -> torch.Tensor:
        x = x + self.attention(self.norm1(x), bias)
        return x + self.down(F.gelu(self.up(self.norm2(x))))


RUMBLE_BANDS = 1      # the band around 46 Hz: rooms and microphones differ there, instruments hardly
AUDIBLE_RANGE = 6.9  # natural log: a frame 60 dB below the window's loudest counts as silence
MASKED = -1e4         # added to the attention scores of silent tokens


def heard_tokens(features: torch.Tensor, mean: torch.Tensor, std: torch.Tensor, patch: int) -> torch.Tensor:
    """features [B, T, F] -> 1.0 for audible tokens, 0.0 for silent ones, [B, N]."""
    level = (features * std + mean)[:, :, RUMBLE_BANDS:].amax(2)
    limit = torch.clamp(level.amax(1, keepdim=True) - AUDIBLE_RANGE, min=math.log(FEATURES.floor) + 0.05)
    return to_tokens((level > limit).to(features.dtype)[..., None], patch).amax(2)


def transposition(semitones: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Where each band [F] of a sound transposed by `semitones` is found in the original: the lower of two neighbours, and the
    share of the upper one. The rumble stays where it is."""
    place = np.interp(HZ * 2 ** (-semitones / 12), HZ, np.arange(len(HZ))).clip(RUMBLE_BANDS, len(HZ) - 1)
    place[:RUMBLE_BANDS] = np.arange(RUMBLE_BANDS)
    lower = np.minimum(place.astype(np.int64), len(HZ) - 2)
    return torch.from_numpy(lower), torch.from_numpy(place - lower).float()


class Encoder(nn.Module):
    """features [B, T, F] -> hidden [B, T, D]: tokens of `c.patch` frames, each token's vector given to all of them.

    Silent tokens are never attended to and come out as zeros, so the length of a silent tail changes nothing. The
    lowest bands are not listened to: their place is taken by silence. Training hears a sound once; `forward`, and so
    the pack, hears it transposed by each of `c.views` semitones and averages the tokens.
    `mean` and `std` are those of the front-end."""

    def __init__(self, c=MODEL, features: int = FEATURES.mels):
        super().__init__()
        self.c = c
        self.input = nn.Linear(c.patch * features, c.dim)
        self.blocks = nn.ModuleList(Block(c.dim, c.heads, c.mlp_ratio) for _ in range(c.encoder_layers))
        self.norm = nn.LayerNorm(c.dim)
        self.register_buffer("mean", torch.zeros(features))
        self.register_buffer("std", torch.ones(features))
        lower, share = zip(*map(transposition, c.views))
        self.register_buffer("lower", torch.stack(lower), persistent=False)
        self.register_buffer("share", torch.stack(share), persistent=False)

    def tokens(self, x: torch.Tensor, visible: torch.Tensor | None = None) -> torch.Tensor:
        """features -> [B, N, D], or [B, V, D] of the `visible` token indices [B, V] alone (patch-out)."""
        return self.attend(x, heard_tokens(x, self.mean, self.std, self.c.patch), visible)

    def attend(self, x: torch.Tensor, heard: torch.Tensor, visible: torch.Tensor | None = None) -> torch.Tensor:
        """features and audible tokens [B, N] -> [B, N, D]."""
        silence = ((math.log(FEATURES.floor) - self.mean) / self.std)[:RUMBLE_BANDS]
        x = torch.cat([silence.expand(*x.shape[:2], -1), x[:, :, RUMBLE_BANDS:]], dim=2)
        x = self.input(to_tokens(x, self.c.patch))
        x = x + positions(x.shape[1], self.c.dim, x)
        if visible is not None:
            x = torch.gather(x, 1, visible[..., None].expand(-1, -1, self.c.dim))
            heard = torch.gather(heard, 1, visible)
        bias = ((1 - heard) * MASKED)[:, None, None, :].to(x.dtype)
        for block in self.blocks:
            x = block(x, bias)
        return self.norm(x) * heard[..., None]

    def viewed(self, features: torch.Tensor) -> torch.Tensor:
        """features -> [B, N, D], averaged over the views."""
        heard, count = heard_tokens(features, self.mean, self.std, self.c.patch), len(self.c.views)
        level = features * self.std + self.mean
        x = torch.cat([torch.lerp(level[..., low], level[..., low + 1], share) for low, share in zip(self.lower, self.share)])
        x = self.attend((x - self.mean) / self.std, heard.repeat(count, 1))
        return x.reshape(count, -1, *x.shape[1:]).mean(0)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        x = self.viewed(features)
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
    """hidden [B, T, D] -> z [B, D]: a class token attends to the audible tokens, and their gated mean and deviation
    are added; z is standardised per dimension, its strongest directions are softened (`whiten`), and it is brought to length
    sqrt(D), for training asks for its direction only and what is left in its length (how sure, how dense) blurs neighbourhoods.

    In training the batch's own statistics standardise (no affine), so z = 0 is the mean embedding and
    doubles as the unconditional token; calibrate.py fixes the statistics and `whiten` afterwards."""

    def __init__(self, c=MODEL):
        super().__init__()
        self.c = c
        self.input = nn.Linear(c.dim, c.dim)
        self.token = nn.Parameter(torch.randn(1, 1, c.dim) * 0.02)
        self.blocks = nn.ModuleList(Block(c.dim, c.heads, c.mlp_ratio) for _ in range(c.summary_layers))
        self.norm = nn.LayerNorm(c.dim)
        self.output = nn.Linear(c.dim, c.dim)
        self.gate, self.pool = nn.Linear(c.dim, 1), nn.Linear(2 * c.dim, c.dim)
        self.standardise = nn.BatchNorm1d(c.dim, affine=False, momentum=0.02)
        self.whiten = nn.Linear(c.dim, c.dim, bias=False).requires_grad_(False)
        nn.init.eye_(self.whiten.weight)

    def pooled(self, tokens: torch.Tensor, heard: torch.Tensor) -> torch.Tensor:
        """Gated mean and deviation of the audible tokens [B, N, D] -> [B, 2 D]."""
        weight = torch.sigmoid(self.gate(tokens)) * heard[..., None]
        weight = weight / (weight.sum(1, keepdim=True) + 1e-3)
        mean = (weight * tokens).sum(1)
        spread = (weight * (tokens - mean[:, None]) ** 2).sum(1)
        return torch.cat([mean, torch.sqrt(spread + 1e-3)], dim=1)

    def parts(self, tokens: torch.Tensor) -> torch.Tensor:
        """[B, N, D] -> class token, mean and deviation side by side [B, 3 D]; silent tokens are zeros."""
        heard = (tokens.abs().amax(2) > 0).to(tokens.dtype)
        x = torch.cat([self.token.expand(tokens.shape[0], -1, -1), self.input(tokens)], dim=1)
        bias = (F.pad(1 - heard, (1, 0)) * MASKED)[:, None, None, :]
        for block in self.blocks:
            x = block(x, bias.to(x.dtype))
        return torch.cat([self.norm(x[:, 0]), self.pooled(tokens, heard)], dim=1)

    def combine(self, parts: torch.Tensor) -> torch.Tensor:
        """[B, 3 D] -> z before standardisation."""
        d = self.c.dim
        return self.output(parts[:, :d]) + self.pool(parts[:, d:])

    def raw_tokens(self, tokens: torch.Tensor) -> torch.Tensor:
        """[B, N, D] -> z before standardisation."""
        return self.combine(self.parts(tokens))

    def raw(self, hidden: torch.Tensor) -> torch.Tensor:
        """[B, T, D] -> z before standardisation."""
        return self.raw_tokens(hidden[:, ::self.c.patch])

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        return F.normalize(self.scaled(self.raw(hidden)), dim=1) * math.sqrt(self.c.dim)

    def scaled(self, raw: torch.Tensor) -> torch.Tensor:
        """z [B, D] before standardisation -> z up to its length."""
        return self.whiten(self.standardise(raw))


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

    alpha = cos(pi sigma / 2), beta = sin(pi sigma / 2), noisy = alpha x + beta e, v = alpha e - beta x.

    v holds the noise, which fills all of a token's dimensions; the features do not. So the last layer may say x instead
    (Li and He, arXiv 2511.13720), and v = (alpha noisy - x) / beta follows. Below SMALLEST_BETA that is divided by, what
    follows is between x and the noisy features themselves, which are almost clean there."""

    SMALLEST_BETA = 0.2

    def __init__(self, c=MODEL, features: int = FEATURES.mels):
        super().__init__()
        self.c, self.features = c, features
        d = c.dim
        self.input = nn.Linear(c.denoiser_patch * features, d)
        self.time1, self.time2 = nn.Linear(d, d), nn.Linear(d, d)
        self.condition = nn.Linear(d, d)
        self.modulation = nn.Linear(d, 6 * d)
        self.blocks = nn.ModuleList(ModulatedBlock(d, c.heads, c.mlp_ratio) for _ in range(c.denoiser_layers))
        self.final = nn.Linear(d, 2 * d)
        self.norm = nn.LayerNorm(d, elementwise_affine=False)
        self.output = nn.Linear(d, c.denoiser_patch * features)
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
        x = self.input(to_tokens(features, self.c.denoiser_patch))
        x = x + positions(x.shape[1], d, x)
        for block in self.blocks:
            x = block(x, modulation)
        shift, scale = self.final(condition).reshape(-1, 2, 1, d).unbind(1)
        x = self.output(self.norm(x) * (1 + scale) + shift)
        x = x.reshape(x.shape[0], -1, self.features)[:, :features.shape[1]]
        if self.c.denoiser_predicts == "v":
            return x
        alpha, beta = (c[:, None, None] for c in Denoising.coefficients(sigma))
        return (alpha * features - x) / beta.clamp(min=self.SMALLEST_BETA)


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


def overlap_add(frames: torch.Tensor, size: int, hop: int) -> torch.Tensor:
    """[B, T, size] at multiples of `hop` -> [B, (T + blocks - 1) * hop], blocks = ceil(size / hop)."""
    blocks = -(-size // hop)
    x = F.pad(frames, (0, blocks * hop - size)).reshape(frames.shape[0], -1, blocks, hop)
    out = None
    for i in range(blocks):
        part = F.pad(x[:, :, i], (0, 0, i, blocks - 1 - i))
        out = part if out is None else out + part
    return out.reshape(out.shape[0], -1)


class Vocoder(nn.Module):
    """features [B, T, F] -> waveform [B, T * 480]: two short-time spectra per frame, inverse DFT, overlap-add."""

    def __init__(self, c=MODEL, f=FEATURES):
        super().__init__()
        self.fft, self.hop = c.vocoder_fft, c.vocoder_hop
        self.bins = self.fft // 2 + 1
        self.input = nn.Conv1d(f.mels, c.vocoder_dim, 5, padding=2)
        self.norm_in = nn.LayerNorm(c.vocoder_dim)
        self.blocks = nn.ModuleList(ConvNeXt(c.vocoder_dim, c.vocoder_hidden, c.vocoder_layers)
                                    for _ in range(c.vocoder_layers))
        self.norm = nn.LayerNorm(c.vocoder_dim)
        self.head = nn.Linear(c.vocoder_dim, f.hop // c.vocoder_hop * 2 * self.bins)
        self.transform = RealTransform(self.fft)
        self.register_buffer("window", torch.hann_window(self.fft))

    def trunk(self, features: torch.Tensor) -> torch.Tensor:
        """[B, T, F] -> [B, T, C]."""
        x = self.norm_in(self.input(features.transpose(1, 2)).transpose(1, 2)).transpose(1, 2)
        for block in self.blocks:
            x = block(x)
        return self.norm(x.transpose(1, 2))

    def synthesise(self, trunk: torch.Tensor) -> torch.Tensor:
        """[B, T, C] -> waveform."""
        y = self.head(trunk)
        y = y.reshape(y.shape[0], -1, 2 * self.bins)
        magnitude = torch.exp(torch.clamp(y[:, :, :self.bins], max=6.0))
        phase = y[:, :, self.bins:]
        pieces = self.transform.inverse(magnitude * torch.cos(phase), magnitude * torch.sin(phase)) * self.window
        # a Hann window squared at a quarter hop sums to 1.5; centre of the first window is the first sample + hop/2
        out = overlap_add(pieces, self.fft, self.hop) / 1.5
        start = (self.fft - self.hop) // 2
        return out[:, start:out.shape[1] - (self.fft - self.hop - start)]

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        return self.synthesise(self.trunk(features))


class Decoder(nn.Module):
    """features [B, T, F] -> waveform [B, T * 480]: the vocoder's waveform gives the phases, a linear read-out of its
    trunk the magnitudes at the front-end's own frames; both are then made to agree.

    The magnitudes are first multiplied until their bands are those of the features (multiplicative updates for
    non-negative factorisation, Lee and Seung 2001); silence stays silent that way. Then a few rounds of fast
    Griffin-Lim (Perraudin, Balazs and Sondergaard 2013) look for the waveform whose spectra have these magnitudes."""

    def __init__(self, c=MODEL, f=FEATURES):
        super().__init__()
        self.c, self.f = c, f
        self.vocoder, self.mel = Vocoder(c, f), LogMel(f)
        self.detail = nn.Linear(c.vocoder_dim + f.mels, f.fft // 2 + 1)  # natural log of magnitudes; fitted, see fit_decoder.py
        self.register_buffer("window", torch.hann_window(f.fft))

    def read_out(self, trunk: torch.Tensor, features: torch.Tensor) -> torch.Tensor:
        """Magnitudes [B, T, bins] whose bands are those of the features; a full-scale sine is 1."""
        bank = self.mel.bank()
        wanted = torch.relu(torch.exp(torch.clamp(features * self.mel.std + self.mel.mean, max=3.0)) - self.f.floor)
        magnitude = torch.exp(torch.clamp(self.detail(torch.cat([trunk, features], 2)), -16.0, 2.0))
        share = bank / torch.clamp(bank.sum(1, keepdim=True), min=1e-6)
        for _ in range(self.c.band_rounds):
            magnitude = magnitude * ((wanted / (magnitude @ bank + 1e-9)) @ share.T)
        return magnitude

    def spectra(self, waveform: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return self.mel.transform(self.mel.frames(waveform) * self.mel.window)

    def waveform(self, real: torch.Tensor, imaginary: torch.Tensor) -> torch.Tensor:
        """The waveform whose spectra come closest, [B, T, bins] twice -> [B, T * 480]."""
        frames = self.mel.transform.inverse(real, imaginary) * self.window
        weight = torch.ones_like(frames[:1, :, :1]) * (self.window * self.mel.window)
        weight = overlap_add(weight, self.f.fft, self.f.hop)
        out = overlap_add(frames, self.f.fft, self.f.hop) / torch.clamp(weight, min=2e-5)
        return out[:, self.mel.pad:self.mel.pad + frames.shape[1] * self.f.hop]

    def start(self, features: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Magnitudes to reach, and the spectra to start from (real, imaginary), each [B, T, bins]."""
        trunk = self.vocoder.trunk(features)
        return self.read_out(trunk, features), *self.spectra(self.vocoder.synthesise(trunk))

    def round(self, magnitude, real, imaginary, old_real, old_imaginary) -> tuple[torch.Tensor, ...]:
        """One round: the next two spectra, and what they were extrapolated from."""
        new_real, new_imaginary = self.spectra(self.consistent(magnitude, real, imaginary))
        momentum = self.c.phase_momentum
        return (new_real + momentum * (new_real - old_real), new_imaginary + momentum * (new_imaginary - old_imaginary),
                new_real, new_imaginary)

    def consistent(self, magnitude, real, imaginary) -> torch.Tensor:
        """The waveform closest to these magnitudes with the phases of these spectra."""
        scale = magnitude / (torch.sqrt(real ** 2 + imaginary ** 2) + 1e-9)
        return self.waveform(real * scale, imaginary * scale)

    def finish(self, magnitude, real, imaginary) -> torch.Tensor:
        out = self.consistent(magnitude, real, imaginary)
        return out / torch.clamp(out.abs().amax(1, keepdim=True), min=1.0)  # never beyond full scale

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        magnitude, real, imaginary = self.start(features)
        state = real, imaginary, real, imaginary
        for _ in range(self.c.phase_rounds - 1):
            state = self.round(magnitude, *state)
        return self.finish(magnitude, *state[:2])


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
