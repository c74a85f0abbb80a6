"""Summary token and denoiser, trained together on the frozen encoder.

    python train_diffusion.py --work DIR --minutes 35     -> DIR/diffusion.pt (resumable)

PECMAE (arXiv 2402.09318): z is whatever helps a v-diffusion denoiser rebuild the window's features;
10 % of the conditions are dropped for classifier-free guidance. Two windows of one track may also be
pulled together in z (NT-Xent, arXiv 2002.05709) with a small weight, see runs.md for what it brings.
"""
import math

import torch
import torch.nn.functional as F
from sklearn.linear_model import LogisticRegression
from torch import nn

from common import CONFIG, Average, Clock, Workers, arguments, load, log, prefetch, save
from config import FEATURES, MODEL, TRAIN
from data import Windows
from features import LogMel
from model import Denoiser, Denoising, MaskedAutoencoder, Summary


class Diffusion(nn.Module):
    """Summary, denoiser and the projection of the contrastive term."""

    def __init__(self, c=MODEL):
        super().__init__()
        self.summary, self.denoiser = Summary(c), Denoiser(c)
        self.project = nn.Linear(c.dim, 128)


def denoising_loss(model: Diffusion, features: torch.Tensor, z: torch.Tensor, heard: torch.Tensor,
                   generator: torch.Generator) -> torch.Tensor:
    """Mean squared error of v; silent frames [B, T] with heard = 0 weigh a fifth."""
    b, device = len(features), features.device
    # stratified sigmas: lower variance than independent draws
    sigma = ((torch.arange(b) + torch.rand(b, generator=generator)) / b)[torch.randperm(b, generator=generator)].to(device)
    noise = torch.randn(features.shape, generator=generator).to(device)
    kept = (torch.rand(b, 1, generator=generator) >= TRAIN.unconditional_share).float().to(device)
    alpha, beta = (c[:, None, None] for c in Denoising.coefficients(sigma))
    v = model.denoiser(alpha * features + beta * noise, sigma, z * kept)
    weight = (0.2 + 0.8 * heard)[..., None]
    error = (v - (alpha * noise - beta * features)) ** 2
    return (error * weight).sum() / (weight.sum() * features.shape[2])


def contrast(z: torch.Tensor, project: nn.Module) -> torch.Tensor:
    """NT-Xent: row i and row i + B/2 are two windows of the same track."""
    p = F.normalize(project(z), dim=1)
    similarity = (p @ p.T) / TRAIN.contrast_temperature
    similarity = similarity - torch.eye(len(p), device=p.device) * 1e4
    half = len(p) // 2
    target = torch.cat([torch.arange(half, 2 * half), torch.arange(half)]).to(p.device)
    return F.cross_entropy(similarity, target)


def equalise(features: torch.Tensor, std: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """A random smooth equaliser curve (up to about +-6 dB) per window, added in the log domain."""
    b, _, bands = features.shape
    knots = torch.randn(b, 1, 6, generator=generator) * (4 / 8.686)
    curve = F.interpolate(knots, size=bands, mode="linear", align_corners=True).to(features.device)
    on = (torch.rand(b, 1, 1, generator=generator) < 0.5).float().to(features.device)
    return features + on * curve / std


@torch.no_grad()
def start_pool(summary: Summary, hidden: torch.Tensor, heard: torch.Tensor, share: float = 0.6) -> None:
    """Data-driven start of the pooled branch: the gate tells audible from silent tokens, and the
    projection is a random rotation of the standardised mean, `share` as strong as the class token's branch."""
    tokens = hidden[:, ::MODEL.patch]
    labels = heard.reshape(len(heard), -1, MODEL.patch).amax(2)
    fit = LogisticRegression(C=1.0, max_iter=50).fit(tokens.reshape(-1, MODEL.dim)[::2].numpy(), labels.reshape(-1)[::2].numpy())
    summary.gate.weight.copy_(torch.from_numpy(fit.coef_))
    summary.gate.bias.copy_(torch.from_numpy(fit.intercept_))
    summary.pool.weight.zero_()
    summary.pool.bias.zero_()
    pooled, strength = summary.pooled(tokens), summary.raw(hidden).std(0).mean()
    rotation = torch.linalg.qr(torch.randn(MODEL.dim, MODEL.dim, generator=torch.Generator().manual_seed(TRAIN.seed)))[0]
    scale = share * strength / pooled.std(0).clamp(min=0.05)
    summary.pool.weight.copy_(rotation * scale[None, :])
    summary.pool.bias.copy_(-(rotation * scale[None, :]) @ pooled.mean(0))


def main() -> None:
    args = arguments(__doc__, 35)
    name = args.name or "diffusion"
    path, device = args.work / f"{name}.pt", args.device
    torch.manual_seed(TRAIN.seed)
    mel, mae, model = LogMel(), MaskedAutoencoder(), Diffusion()
    mel.load_state_dict(load(args.work / "stats.pt"), strict=False)
    mae.load_state_dict(load(args.work / f"{args.encoder}.pt")["average"])
    encoder, mel, model = mae.encoder.to(device).eval(), mel.to(device), model.to(device)
    floor = ((math.log(FEATURES.floor) - mel.mean) / mel.std)
    step, used, start, state = 0, 0.0, 0, load(path, device)
    resumed = state is not None and state["encoder"] == args.encoder
    if state:  # the denoiser and the class token may carry on with another encoder; the pooled branch starts anew
        model.load_state_dict(state["model"], strict=resumed)
        step = start = state["step"]
        used = state["seconds"]
    optimiser = torch.optim.AdamW(model.parameters(), lr=TRAIN.diffusion_lr, betas=(0.9, 0.98), weight_decay=0.01)
    average = Average(model, TRAIN.ema)
    if resumed:
        optimiser.load_state_dict(state["optimiser"])
        average.state, average.steps, start = state["average"], step, 0
    clock, saved, workers = Clock(args.minutes, used), used, Workers()
    seed = TRAIN.seed + 1000 * workers.rank + step
    generator, windows = torch.Generator().manual_seed(seed), Windows(args.work, seed + 43)

    @torch.no_grad()
    def batch() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Features [B, T, F], audible frames [B, T], hidden [B, T, D]; computed beside the training step."""
        generator = torch.Generator().manual_seed(int(windows.rng.integers(2 ** 31)))
        features = mel(torch.from_numpy(windows.pairs(TRAIN.diffusion_batch // 2)).to(device))
        features = torch.maximum(equalise(features, mel.std, generator), floor)
        return features, (features > floor + 0.05).any(2).float(), encoder(features)

    if not resumed:
        common = Windows(args.work, TRAIN.seed + 5)
        features = mel(torch.from_numpy(common.batch(96)).to(device))
        with torch.no_grad():
            start_pool(model.summary, encoder(features), (features > floor + 0.05).any(2).float())
        average = Average(model, TRAIN.ema)
    batches = prefetch(batch)

    def checkpoint():
        save(path, dict(model=model.state_dict(), average=average.state, optimiser=optimiser.state_dict(),
                        step=step, seconds=clock.seconds, encoder=args.encoder, config=CONFIG))

    while True:
        rate, running = workers.agree(clock.rate(step - start), clock.running)
        if not running:
            break
        features, heard, hidden = next(batches)
        for group in optimiser.param_groups:
            group["lr"] = TRAIN.diffusion_lr * rate
        z = model.summary(hidden)
        denoise = denoising_loss(model, features, z, heard, generator)
        pull = contrast(z, model.project)
        loss = denoise + TRAIN.contrast_weight * pull
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        workers.average_gradients(model)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        average.update(model)
        step += 1
        if step % 10 == 0 and workers.first:
            log(args.work, name, step=step, seconds=round(clock.seconds), rate=rate, denoise=denoise.item(),
                contrast=pull.item())
        if clock.seconds - saved > 90 and workers.first:
            checkpoint()
            saved = clock.seconds
    if workers.first:
        checkpoint()


if __name__ == "__main__":
    main()
