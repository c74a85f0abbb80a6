"""Masked encoder: half of the tokens are left out in gaps; their quantiser codes are predicted.

    python train_encoder.py --work DIR --minutes 40      -> DIR/encoder.pt (resumable)

EnCodecMAE (arXiv 2309.07391) with log-mel tokens in place of EnCodec's and quantiser codes of those tokens.
"""
import torch
import torch.nn.functional as F

from common import CONFIG, Average, Clock, Workers, arguments, load, log, prefetch, save
from config import FEATURES, MODEL, TRAIN
from data import Windows
from features import LogMel
from model import MaskedAutoencoder, ResidualQuantiser
from targets import audible_frames


def visible_tokens(batch: int, tokens: int, generator: torch.Generator) -> torch.Tensor:
    """Indices [B, V] of the tokens kept: whole gaps of TRAIN.mask_gap tokens are dropped."""
    gaps = tokens // TRAIN.mask_gap
    keep = gaps - int(gaps * TRAIN.mask_share)
    chosen = torch.rand(batch, gaps, generator=generator).argsort(1)[:, :keep].sort(1).values
    return (chosen[..., None] * TRAIN.mask_gap + torch.arange(TRAIN.mask_gap)).reshape(batch, -1)


def loss_of(model, codes, features, heard, visible) -> tuple[torch.Tensor, dict]:
    """Weighted cross-entropy; masked tokens count most, digital silence hardly."""
    logits = model(features, visible)
    b, n, stages, size = logits.shape
    entropy = F.cross_entropy(logits.reshape(-1, size), codes.reshape(-1), reduction="none").reshape(b, n, stages)
    entropy = (entropy * torch.tensor(TRAIN.rvq_weights, device=entropy.device)).sum(2)
    hidden = torch.ones(b, n, device=logits.device).scatter(1, visible, 0.0)
    weight = (0.05 + 0.95 * heard)
    masked = (entropy * hidden * weight).sum() / (hidden * weight).sum()
    seen = (entropy * (1 - hidden) * weight).sum() / ((1 - hidden) * weight).sum()
    first = (logits[:, :, 0].argmax(2) == codes[:, :, 0]).float()
    right = (first * hidden * heard).sum() / (hidden * heard).sum().clamp(min=1)
    share = TRAIN.visible_loss_share
    return (1 - share) * masked + share * seen, {"masked": masked.item(), "seen": seen.item(), "first": right.item()}


def main() -> None:
    args = arguments(__doc__, 40)
    name = args.name or "encoder"
    path, device = args.work / f"{name}.pt", args.device
    torch.manual_seed(TRAIN.seed)
    mel, rvq, model = LogMel(), ResidualQuantiser(), MaskedAutoencoder()
    mel.load_state_dict(load(args.work / "stats.pt"), strict=False)
    rvq.load_state_dict(load(args.work / "rvq.pt"))
    mel, rvq, model = mel.to(device), rvq.to(device), model.to(device)
    optimiser = torch.optim.AdamW(model.parameters(), lr=TRAIN.encoder_lr, betas=(0.9, 0.95), weight_decay=0.05)
    average, step, used = Average(model, TRAIN.ema), 0, 0.0
    if state := load(path, device):
        model.load_state_dict(state["model"])
        optimiser.load_state_dict(state["optimiser"])
        average.state, average.steps, step, used = state["average"], state["step"], state["step"], state["seconds"]
    clock, saved, workers = Clock(args.minutes, used), used, Workers()
    seed = TRAIN.seed + 1000 * workers.rank + step
    generator, windows = torch.Generator().manual_seed(seed), Windows(args.work, seed + 17)

    @torch.no_grad()
    def batch() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Features [B, T, F], codes [B, N, stages], audible tokens [B, N]; computed beside the training step."""
        logs = mel.log_mel(torch.from_numpy(windows.batch(TRAIN.encoder_batch)).to(device))
        features = (logs - mel.mean) / mel.std
        return features, rvq(features), audible_frames(logs).float().reshape(len(logs), -1, MODEL.patch).amax(2)

    batches = prefetch(batch)

    def checkpoint():
        save(path, dict(model=model.state_dict(), average=average.state, optimiser=optimiser.state_dict(),
                        step=step, seconds=clock.seconds, config=CONFIG))

    while True:
        rate, running = workers.agree(clock.rate(step), clock.running)
        if not running:
            break
        features, codes, heard = next(batches)
        visible = visible_tokens(len(features), features.shape[1] // MODEL.patch, generator).to(device)
        for group in optimiser.param_groups:
            group["lr"] = TRAIN.encoder_lr * rate
        loss, report = loss_of(model, codes, features, heard, visible)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        workers.average_gradients(model)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        average.update(model)
        step += 1
        if step % 25 == 0 and workers.first:
            log(args.work, name, step=step, seconds=round(clock.seconds), loss=loss.item(), **report)
        if clock.seconds - saved > 120 and workers.first:
            checkpoint()
            saved = clock.seconds
    if workers.first:
        checkpoint()


if __name__ == "__main__":
    main()
