"""Vocoder: log-mel features back to waveform, with multi-resolution spectral losses.

    python train_decoder.py --work DIR --minutes 40      -> DIR/decoder.pt (resumable)

fit_decoder.py makes the decoder of the pack from it.

Vocos (arXiv 2306.00814) without its discriminators: magnitudes are compared at four resolutions
(as in Parallel WaveGAN, arXiv 1910.11480), and log-mel at the front-end's own resolution.
"""
import torch
import torch.nn.functional as F

from common import CONFIG, Average, Clock, Workers, arguments, load, log, prefetch, save
from config import FEATURES, TRAIN
from data import Windows
from features import LogMel
from model import Vocoder

RESOLUTIONS = ((240, 60), (512, 128), (1024, 256), (2048, 512))  # (DFT length, hop) in samples


def magnitudes(x: torch.Tensor, size: int, hop: int) -> torch.Tensor:
    """[B, S] -> [B, bins, frames], a full-scale sine at 1."""
    window = torch.hann_window(size, device=x.device)
    spectrum = torch.stft(x, size, hop, size, window, return_complex=True)
    return torch.sqrt(spectrum.real ** 2 + spectrum.imag ** 2 + 1e-9) * (2 / window.sum())


def spectral_loss(made: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
    """Mean over resolutions of relative magnitude error and log-magnitude error."""
    total = 0.0
    for size, hop in RESOLUTIONS:
        a, b = magnitudes(made, size, hop), magnitudes(real, size, hop)
        norm = torch.linalg.norm(b.flatten(1), dim=1).clamp(min=1e-2)
        relative = (torch.linalg.norm((a - b).flatten(1), dim=1) / norm).mean()
        total = total + relative + F.l1_loss(torch.log(a + 1e-4), torch.log(b + 1e-4))
    return total / len(RESOLUTIONS)


def main() -> None:
    args = arguments(__doc__, 40)
    name = args.name or "decoder"
    path, device = args.work / f"{name}.pt", args.device
    torch.manual_seed(TRAIN.seed)
    mel, model = LogMel(), Vocoder()
    mel.load_state_dict(load(args.work / "stats.pt"), strict=False)
    mel, model = mel.to(device), model.to(device)
    optimiser = torch.optim.AdamW(model.parameters(), lr=TRAIN.vocoder_lr, betas=(0.8, 0.98), weight_decay=0.01)
    average, step, used = Average(model, TRAIN.ema), 0, 0.0
    if state := load(path, device):
        model.load_state_dict(state["model"])
        optimiser.load_state_dict(state["optimiser"])
        average.state, average.steps, step, used = state["average"], state["step"], state["step"], state["seconds"]
    clock, saved, workers = Clock(args.minutes, used, args.steps), used, Workers()
    seed = TRAIN.seed + 1000 * workers.rank + step
    size = int(TRAIN.vocoder_seconds * FEATURES.sample_rate)
    windows = Windows(args.work, seed + 29, size)

    @torch.no_grad()
    def batch() -> tuple[torch.Tensor, torch.Tensor]:
        """Waveforms [B, S] and their features; computed beside the training step."""
        real = torch.from_numpy(windows.batch(TRAIN.vocoder_batch)).to(device)
        return real, mel(real)

    batches = prefetch(batch)

    def checkpoint():
        save(path, dict(model=model.state_dict(), average=average.state, optimiser=optimiser.state_dict(),
                        step=step, seconds=clock.seconds, config=CONFIG))

    while True:
        rate, running = workers.agree(clock.rate(step), clock.running)
        if not running:
            break
        real, features = next(batches)
        for group in optimiser.param_groups:
            group["lr"] = TRAIN.vocoder_lr * rate
        made = model(features)
        mel_loss = F.l1_loss(mel(made), features)
        spectral = spectral_loss(made, real)
        loss = mel_loss + spectral
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        workers.average_gradients(model)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        average.update(model)
        step += 1
        if step % 25 == 0 and workers.first:
            log(args.work, name, step=step, seconds=round(clock.seconds), mel=mel_loss.item(), spectral=spectral.item())
        if clock.seconds - saved > 120 and workers.first:
            checkpoint()
            saved = clock.seconds
    if workers.first:
        checkpoint()


if __name__ == "__main__":
    main()
