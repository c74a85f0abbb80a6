"""Times the published models' networks in PyTorch at full size with random weights, on windows of four seconds: EnCodec,
EnCodecMAE base, the summary and one guided denoiser step (two passes, as the reference makes). Weight normalisation is
folded and attention is PyTorch's fused operator, which the reference does not use. Prints one JSON object of the best
wall and CPU seconds.

    python peer_official.py '{"threads": 2, "repeats": 3}'
"""
import json
import math
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F

RATIOS = (2, 4, 5, 8)
FRAMES, WIDTH, DIM, INNER = 300, 128, 768, 4096


class Causal(nn.Module):
    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1):
        super().__init__()
        self.conv, self.left = nn.Conv1d(inputs, outputs, kernel, stride), kernel - stride

    def forward(self, x):
        return self.conv(F.pad(x, (self.left, 0), mode="reflect") if self.left else x)


class Up(nn.Module):
    def __init__(self, inputs: int, outputs: int, stride: int):
        super().__init__()
        self.conv, self.stride = nn.ConvTranspose1d(inputs, outputs, 2 * stride, stride), stride

    def forward(self, x):
        return self.conv(x)[..., :-self.stride]


class Residual(nn.Module):
    def __init__(self, width: int):
        super().__init__()
        self.inner, self.outer = Causal(width, width // 2, 3), Causal(width // 2, width, 1)
        self.shortcut = Causal(width, width, 1)

    def forward(self, x):
        return self.shortcut(x) + self.outer(F.elu(self.inner(F.elu(x))))


class Memory(nn.Module):
    def __init__(self, width: int):
        super().__init__()
        self.lstm = nn.LSTM(width, width, 2)

    def forward(self, x):
        y = x.permute(2, 0, 1)
        return (self.lstm(y)[0] + y).permute(1, 2, 0)


def encodec_encoder() -> nn.Module:
    layers, width = [Causal(1, 32, 7)], 32
    for ratio in RATIOS:
        layers += [Residual(width), nn.ELU(), Causal(width, 2 * width, 2 * ratio, ratio)]
        width *= 2
    return nn.Sequential(*layers, Memory(width), nn.ELU(), Causal(width, WIDTH, 7))


def encodec_decoder() -> nn.Module:
    layers, width = [Causal(WIDTH, 512, 7), Memory(512)], 512
    for ratio in reversed(RATIOS):
        layers += [nn.ELU(), Up(width, width // 2, ratio), Residual(width // 2)]
        width //= 2
    return nn.Sequential(*layers, nn.ELU(), Causal(width, 1, 7))


class Stack(nn.Module):
    """ResiDual layers that share one feed-forward part."""

    def __init__(self, layers: int, heads: int):
        super().__init__()
        linear = lambda: nn.ModuleList(nn.Linear(DIM, DIM, bias=False) for _ in range(layers))
        self.heads, self.layers = heads, layers
        self.q, self.k, self.v, self.o = linear(), linear(), linear(), linear()
        self.feed = nn.Sequential(nn.Linear(DIM, INNER), nn.ReLU(), nn.Linear(INNER, DIM))
        self.norm1, self.norm2 = (nn.ModuleList(nn.LayerNorm(DIM) for _ in range(layers)) for _ in range(2))
        self.last = nn.LayerNorm(DIM)

    def forward(self, x):
        batch, length, _ = x.shape
        split = lambda y: y.view(batch, length, DIM // self.heads, self.heads).permute(0, 3, 1, 2)
        a = b = x
        for i in range(self.layers):
            heard = F.scaled_dot_product_attention(split(self.q[i](a)), split(self.k[i](a)), split(self.v[i](a)))
            y = self.o[i](heard.permute(0, 2, 3, 1).reshape(batch, length, DIM))
            a, b = self.norm1[i](a + y), b + y
            y = self.feed(a)
            a, b = self.norm2[i](a + y), b + y
        return a + self.last(b)


def positions() -> torch.Tensor:
    angle = torch.arange(FRAMES)[:, None] * torch.exp(torch.arange(0, DIM, 2) * (-math.log(1e4) / DIM))
    return torch.stack([angle.sin(), angle.cos()], 2).reshape(FRAMES, DIM)


class Denoiser(nn.Module):
    def __init__(self):
        super().__init__()
        self.enter, self.leave = nn.Linear(WIDTH, DIM), nn.Linear(DIM, WIDTH)
        self.time = nn.Sequential(nn.Linear(1, DIM), nn.ReLU(), nn.Linear(DIM, DIM))
        self.stack, self.where = Stack(8, 8), positions()

    def forward(self, x, sigma, z):
        tokens = torch.cat([z[:, None], self.time(sigma[:, None])[:, None], self.enter(x) + self.where], 1)
        return self.leave(self.stack(tokens)[:, 2:])


def best(work, repeats: int) -> dict:
    """Seconds of the fastest run after one to warm up, wall and CPU each on its own."""
    work()
    wall, cpu = [], []
    for _ in range(repeats):
        start, used = time.perf_counter(), time.process_time()
        work()
        wall.append(time.perf_counter() - start)
        cpu.append(time.process_time() - used)
    return {"wall": min(wall), "cpu": min(cpu)}


@torch.inference_mode()
def main() -> None:
    options = json.loads(sys.argv[1])
    torch.set_num_threads(options["threads"])
    torch.manual_seed(1)
    encode, decode = encodec_encoder().eval(), encodec_decoder().eval()
    project, encoder, summary, denoiser = nn.Linear(WIDTH, DIM), Stack(10, 12), Stack(2, 8), Denoiser()
    where, token = positions(), torch.randn(1, 1, DIM)
    wave, latents = torch.randn(1, 1, FRAMES * 320) * 0.1, torch.randn(1, FRAMES, WIDTH)
    hidden, z, sigma = torch.randn(1, FRAMES, DIM), torch.randn(1, DIM), torch.full((1,), 0.5)

    def step():
        sure = denoiser(latents, sigma, z)
        return sure + 4 * (sure - denoiser(latents, sigma, torch.zeros_like(z)))

    stages = {
        "EnCodec encode": lambda: encode(wave),
        "EnCodecMAE": lambda: encoder(project(latents) + where),
        "summary": lambda: summary(torch.cat([token, hidden + where], 1))[:, 0],
        "guided step": step,
        "EnCodec decode": lambda: decode(latents.transpose(1, 2)),
    }
    print(json.dumps({name: best(work, options["repeats"]) for name, work in stages.items()}))


if __name__ == "__main__":
    main()
