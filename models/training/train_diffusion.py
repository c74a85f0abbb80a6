"""Denoiser, conditioned on z of the frozen encoder and summary.

    python train_diffusion.py --work DIR --minutes 35 [--warm NAME --warm-pack PACK]    -> DIR/diffusion.pt (resumable)

PECMAE (arXiv 2402.09318): a v-diffusion denoiser rebuilds a window's features from noise and z; 10 % of the
conditions are dropped for classifier-free guidance. What it predicts must also sound like z to the frozen encoder
(`cycle`), in part as the frozen decoder plays it, which a small denoiser does not learn from the squared error alone; and
it must pass for a recording with a small critic trained beside it (Sauer et al., arXiv 2311.17042) and have a recording's
grain: the encoder alone is pleased by textures. Where z itself was trained with this objective in the paper, it is trained with train_encoder.py's
tasks here and frozen (runs.md says why). `--warm` takes a denoiser that was trained on another z, namely that of PACK:
its condition layer is rewritten by a regression from the new z to the old.
"""
import math
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

from common import CONFIG, Average, Clock, Workers, arguments, load, log, prefetch, save
from config import FEATURES, TRAIN
from data import Windows
from features import LogMel
from mels import MelWindows
from model import Decoder, Denoiser, Denoising
from train_encoder import Joint

REMAP_WINDOWS = 320


def denoising_loss(model: Denoiser, features: torch.Tensor, z: torch.Tensor, heard: torch.Tensor,
                   generator: torch.Generator) -> torch.Tensor:
    """Mean squared error of v; silent frames [B, T] with heard = 0 weigh a fifth."""
    b, device = len(features), features.device
    # stratified sigmas: lower variance than independent draws
    sigma = ((torch.arange(b) + torch.rand(b, generator=generator)) / b)[torch.randperm(b, generator=generator)].to(device)
    if model.c.denoiser_predicts != "v":  # below it, v does not say what the last layer says
        least = 2 / math.pi * math.asin(Denoiser.SMALLEST_BETA)
        sigma = least + (1 - least) * sigma
    noise = torch.randn(features.shape, generator=generator).to(device)
    kept = (torch.rand(b, 1, generator=generator) >= TRAIN.unconditional_share).float().to(device)
    alpha, beta = (c[:, None, None] for c in Denoising.coefficients(sigma))
    v = model(alpha * features + beta * noise, sigma, z * kept)
    weight = (0.2 + 0.8 * heard)[..., None]
    error = (v.float() - (alpha * noise - beta * features)) ** 2
    return (error * weight).sum() / (weight.sum() * features.shape[2])


def prototype_like(z: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Conditions [B, D] as prototypes are: half of them drawn towards their nearest neighbour in the batch and scaled.

    Prototypes lie between the windows of their class, and training moves them further out or in; no recording has
    exactly such a z, so only the cycle term can be asked about them."""
    unit = F.normalize(z, dim=1)
    likeness = unit @ unit.T
    likeness.fill_diagonal_(-1)
    share = 0.5 * torch.rand(len(z), 1, generator=generator).to(z.device)
    scale = torch.exp(0.3 * torch.randn(len(z), 1, generator=generator)).to(z.device)
    mixed = scale * torch.lerp(z, z[likeness.argmax(1)], share)
    return torch.where((torch.rand(len(z), 1, generator=generator) < 0.5).to(z.device), mixed, z)


class Critic(nn.Module):
    """Features [B, T, F] -> a verdict for every patch, high for recordings. It is told where in the spectrum it looks."""

    def __init__(self, channels: tuple[int, ...] = (32, 64, 96)):
        super().__init__()
        sizes = (2, *channels)
        self.layers = nn.ModuleList(spectral_norm(nn.Conv2d(a, b, 4, 2, 1)) for a, b in zip(sizes, sizes[1:]))
        self.verdict = spectral_norm(nn.Conv2d(channels[-1], 1, 3, 1, 1))

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        place = torch.linspace(-1, 1, features.shape[2], device=features.device).expand_as(features)
        x = torch.stack([features, place.to(features.dtype)], 1)
        for layer in self.layers:
            x = F.leaky_relu(layer(x), 0.2)
        return self.verdict(x)


def excerpt(features: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """TRAIN.critic_frames frames of [B, T, F], from the same random place in every row."""
    start = int(torch.randint(0, features.shape[1] - TRAIN.critic_frames + 1, (1,), generator=generator))
    return features[:, start:start + TRAIN.critic_frames]


def few_steps(model: Denoiser, z: torch.Tensor, floor: torch.Tensor, frames: int, generator: torch.Generator) -> torch.Tensor:
    """Features [B, T, F] that a few steps from noise arrive at; values below the floor are lifted to it.

    The noisy features of the last step come from the model's own first one to three steps, as in sampling, not from a
    recording: there the error builds up that a denoiser trained on recordings alone never meets."""
    noisy = torch.randn(len(z), frames, model.features, generator=generator).to(z.device)
    before = int(torch.randint(1, 4, (1,), generator=generator))
    sigmas = 0.05 + 0.9 * torch.rand(before, len(z), generator=generator).sort(0, descending=True).values
    sigma = torch.ones(len(z), device=z.device)
    with torch.no_grad():
        for after in sigmas.to(z.device):
            alpha, beta = (c[:, None, None] for c in Denoising.coefficients(sigma))
            v = model(noisy, sigma, z).float()
            clean, noise = alpha * noisy - beta * v, beta * noisy + alpha * v
            alpha, beta = (c[:, None, None] for c in Denoising.coefficients(after))
            noisy, sigma = alpha * clean + beta * noise, after
    return torch.maximum(alpha * noisy - beta * model(noisy, sigma, z), floor)


def played(decoder: Decoder, mel: LogMel, made: torch.Tensor) -> torch.Tensor:
    """Features [B, T, F] of the sound that the frozen decoder makes of features, after the first of its phase rounds."""
    with torch.autocast(made.device.type, enabled=False):  # phases are angles of many turns
        made = made.float()
        trunk = decoder.vocoder.trunk(made)
        with torch.no_grad():  # where a sound is silent, phases have no gradient
            phases = decoder.spectra(decoder.vocoder.synthesise(trunk))
        return mel(decoder.consistent(decoder.read_out(trunk, made), *phases))


def cycle_loss(joint: Joint, made: torch.Tensor, z: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """1 - cosine of z [B, D] and what the frozen encoder hears in the features [B, T, F] made from it, changes from frame to
    frame blurred at random: the encoder must not be pleased by what no decoder can keep."""
    share = 0.25 * torch.rand(len(z), 1, 1, generator=generator).to(z.device)
    around = F.pad(made, (0, 0, 1, 1), mode="replicate")
    made = (1 - 2 * share) * made + share * (around[:, 2:] + around[:, :-2])
    heard = joint.summary.raw_tokens(joint.mae.encoder.viewed(made))
    return 1 - F.cosine_similarity(joint.summary.scaled(heard.float()), z).mean()


def roughness(features: torch.Tensor, heard: torch.Tensor) -> torch.Tensor:
    """[B, T, F] -> [B, 3, F]: by how much each band changes from frame to frame, over 160 ms and from its neighbour, on average
    over the audible frames [B, T]."""
    def mean(change: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        return (change.abs() * weight[..., None]).sum(1) / weight.sum(1).clamp(min=1)[:, None]
    apart = lambda k: mean(features[:, k:] - features[:, :-k], heard[:, k:] * heard[:, :-k])
    return torch.stack([apart(1), apart(8), F.pad(mean(features.diff(dim=2), heard), (0, 1))], 1)


def equalise(features: torch.Tensor, std: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """A random smooth equaliser curve (up to about +-6 dB) per window, added in the log domain."""
    b, _, bands = features.shape
    knots = torch.randn(b, 1, 6, generator=generator) * (4 / 8.686)
    curve = F.interpolate(knots, size=bands, mode="linear", align_corners=True).to(features.device)
    on = (torch.rand(b, 1, 1, generator=generator) < 0.5).float().to(features.device)
    return features + on * curve / std


def frozen(work: Path, name: str, device: str) -> tuple[LogMel, Joint]:
    """The front-end and the trained encoder and summary (calibrated, so that z is standardised)."""
    mel, joint = LogMel(), Joint()
    mel.load_state_dict(load(work / "stats.pt"), strict=False)
    joint.load_state_dict(load(work / f"{name}.pt")["average"])
    return mel.to(device), joint.to(device).eval().requires_grad_(False)


@torch.no_grad()
def remap(denoiser: Denoiser, pack: Path, work: Path, embed) -> float:
    """Rewrite the condition layer for the new z; returns the share of the old z's variance that the new one explains."""
    from evaluate import Pack
    old, windows = Pack(pack, 1), Windows(work, TRAIN.seed + 91)
    a, b = [], []
    for _ in range(REMAP_WINDOWS // 16):
        x = windows.batch(16)
        a.append(embed(torch.from_numpy(x)))
        b.append(torch.from_numpy(old.embed(x)))
    new, wanted = torch.cat([torch.cat(a), torch.ones(REMAP_WINDOWS, 1)], 1), torch.cat(b)
    penalty = torch.eye(new.shape[1]) * 0.1 * REMAP_WINDOWS
    weight = torch.linalg.solve(new.T @ new + penalty, new.T @ wanted)
    layer = denoiser.condition
    layer.bias.add_(layer.weight @ weight[-1])
    layer.weight.copy_(layer.weight @ weight[:-1].T)
    return float(1 - ((new @ weight - wanted) ** 2).sum() / ((wanted - wanted.mean(0)) ** 2).sum())


def main() -> None:
    args = arguments(__doc__, 35, "encoder", "warm", "warm-pack")
    name, encoder = args.name or "diffusion", args.encoder or "joint"
    path, device = args.work / f"{name}.pt", args.device
    torch.manual_seed(TRAIN.seed)
    (mel, joint), model = frozen(args.work, encoder, device), Denoiser().to(device)
    decoder = Decoder().to(device).eval().requires_grad_(False)
    decoder.load_state_dict(load(args.work / "decoder-fit.pt", device)["average"])
    decoder.mel.load_state_dict(load(args.work / "stats.pt"), strict=False)
    embed = lambda x: joint.summary(joint.mae.encoder(mel(x)))
    floor = (math.log(FEATURES.floor) - mel.mean) / mel.std
    step, used, workers = 0, 0.0, Workers()
    state = load(path, device)
    if state is None and args.warm:
        old = load(args.work / f"{args.warm}.pt", device)["average"]
        model.load_state_dict({k.removeprefix("denoiser."): v for k, v in old.items()
                               if not k.startswith(("summary.", "project."))})
        if args.warm_pack:
            share = remap(model, Path(args.warm_pack), args.work, embed)
            if workers.first:
                log(args.work, name, remapped=share)
    optimiser = torch.optim.AdamW(model.parameters(), lr=TRAIN.diffusion_lr, betas=(0.9, 0.98), weight_decay=0.01)
    average, critic = Average(model, TRAIN.ema), Critic().to(device)
    judging = torch.optim.AdamW(critic.parameters(), lr=TRAIN.critic_lr, betas=(0.5, 0.9), weight_decay=0.0)
    if state:
        model.load_state_dict(state["model"])
        optimiser.load_state_dict(state["optimiser"])
        average.state, average.steps, step, used = state["average"], state["step"], state["step"], state["seconds"]
    if state and "critic" in state:
        critic.load_state_dict(state["critic"])
        judging.load_state_dict(state["judging"])
    clock, saved = Clock(args.minutes, used, args.steps), used
    seed = TRAIN.seed + 1000 * workers.rank + step
    generator, windows = torch.Generator().manual_seed(seed), MelWindows(args.work, seed + 43)

    @torch.no_grad()
    def batch() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Features [B, T, F], audible frames [B, T], z [B, D]; computed beside the training step."""
        generator = torch.Generator().manual_seed(int(windows.rng.integers(2 ** 31)))
        cut, full = ((logs.to(device) - mel.mean) / mel.std for logs in windows.batch(TRAIN.diffusion_batch))
        features = full
        curves = equalise(torch.zeros_like(features), mel.std, generator)
        shaped = lambda f: torch.where(f > floor + 0.05, torch.maximum(f + curves[:len(f)], floor), f)
        features = shaped(features)
        half = TRAIN.diffusion_batch // 2  # the condition comes from the sound as the application cuts it, or as it is made
        seen = torch.cat([shaped(cut[:half]), features[half:]])
        with torch.autocast(device, torch.bfloat16, enabled=args.bf16):
            z = joint.summary(joint.mae.encoder(seen))
        return features, (features > floor + 0.05).any(2).float(), z.float()

    batches = prefetch(batch, 2)

    def checkpoint():
        save(path, dict(model=model.state_dict(), average=average.state, optimiser=optimiser.state_dict(),
                        critic=critic.state_dict(), judging=judging.state_dict(),
                        step=step, seconds=clock.seconds, encoder=encoder, config=CONFIG))

    while True:
        rate, running = workers.agree(clock.rate(step, 20), clock.running)
        if not running:
            break
        features, heard, z = next(batches)
        for group in optimiser.param_groups:
            group["lr"] = TRAIN.diffusion_lr * rate
        with torch.autocast(device, torch.bfloat16, enabled=args.bf16):
            denoise = denoising_loss(model, features, z, heard, generator)
            rows = int(len(z) * TRAIN.cycle_share)
            wanted = prototype_like(z, generator)[:rows]
            made = few_steps(model, wanted, floor, features.shape[1], generator)
            heard_as = torch.cat([played(decoder, mel, made[:TRAIN.played_rows]), made[TRAIN.played_rows:]])
            cycle = cycle_loss(joint, heard_as, wanted, generator)
            grain = (roughness(made.float(), heard[:rows]) - roughness(features, heard)[:rows]).abs().mean()
            seen = excerpt(made, generator)
            critic.requires_grad_(False)
            liked = critic(seen).float().mean()
            critic.requires_grad_(True)
            verdicts = critic(torch.cat([excerpt(features[-rows:], generator), seen.detach()])).float()
            judged = F.relu(1 - verdicts[:rows]).mean() + F.relu(1 + verdicts[rows:]).mean()
        loss = denoise + TRAIN.cycle_weight * cycle + TRAIN.grain_weight * grain - TRAIN.critic_weight * liked
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        workers.average_gradients(model)
        if torch.isfinite(torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)):  # one bad batch must not undo hours
            optimiser.step()
        average.update(model)
        judging.zero_grad(set_to_none=True)
        judged.backward()
        workers.average_gradients(critic)
        judging.step()
        step += 1
        if step % 10 == 0 and workers.first:
            log(args.work, name, step=step, seconds=round(clock.seconds), rate=rate, denoise=denoise.item(),
                cycle=cycle.item(), grain=grain.item(), liked=liked.item(), judged=judged.item())
        if clock.seconds - saved > 60 and workers.first:
            checkpoint()
            saved = clock.seconds
    if workers.first:
        checkpoint()


if __name__ == "__main__":
    main()
