"""Encoder and summary, trained together on four tasks.

    python train_encoder.py --work DIR --minutes 50 [--start-encoder NAME --start-summary NAME]   -> DIR/encoder.pt

 codes       half of the tokens is left out in gaps; their quantiser codes are predicted (EnCodecMAE, arXiv 2309.07391)
 programmes  z of a General MIDI crop tells its programme whatever the soundfont, pitch, velocity and augmentation:
             cosine softmax over learned programme vectors with a margin (CosFace, arXiv 1801.09414). This is symbolic
             supervision: programme numbers come with the rendered files.
 tracks      two augmented crops of one music file or sample are neighbours in z (NT-Xent, arXiv 2002.05709), and so are crops
             of two files of one soundtrack, as contrastive learning from playlists has it (arXiv 2304.12257), two
             files of one folder of samples, and what is alike by statistics (likeness.py)
 contents    tokens predict chroma, onset strength and band energies; z predicts the crop's mean spectrum, its spread,
             envelope and chroma, so that it keeps what the denoiser needs, and, if asked, its rhythm

How the losses are weighted is `TRAIN.weighting` (weighting.py).
"""
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

import gm
import likeness
from common import CONFIG, Average, Clock, Workers, arguments, load, log, prefetch_all, save
from config import MODEL, TRAIN
from augment import LAGS, Crops, augment, chroma, rhythm
from model import MaskedAutoencoder, ResidualQuantiser, Summary, heard_tokens
from weighting import Weighting

# programmes that differ by name more than by sound count as one class
ALIKE = ([0, 1, 2, 3], [4, 5], [16, 17, 18], [24, 25], [26, 27, 28], [29, 30], [33, 34], [36, 37], [38, 39],
         [44, 48, 49, 50, 51], [52, 53, 54], [62, 63], [64, 65, 66, 67], [80, 81], [88, 89, 90, 91, 92, 93, 94, 95])
CLASS_OF = {p: min(next((g for g in ALIKE if p in g), [p])) for p in gm.PROGRAMS}
CLASSES = [*sorted(set(CLASS_OF.values())), *gm.DRUM_KINDS]
BANDS = 8        # coarse band energies predicted per token
ENVELOPE = 20    # coarse frames of the level envelope predicted from z
RHYTHM_FRAMES = 100  # a crop's length from which its rhythm can be asked for
# dimensions of what tokens and z predict, in the order of the heads
TOKEN_WORKERS = {"chroma": 12, "onset": 1, "bands": BANDS}
CONTENT_WORKERS = {"spectrum": 128, "spread": 128, "envelope": ENVELOPE, "pitches": 12}


def priors(t=TRAIN) -> dict[str, float]:
    """How much each task matters; a worker's loss is the mean over its dimensions. Chroma counts twice."""
    tokens, contents = sum(TOKEN_WORKERS.values()), sum(CONTENT_WORKERS.values())
    twice = lambda name: 2 if name in ("chroma", "pitches") else 1
    return ({"codes": t.code_weight, "programs": t.class_weight, "tracks": t.track_weight, "rhythm": t.rhythm_weight}
            | {k: t.token_weight * twice(k) * n / tokens for k, n in TOKEN_WORKERS.items()}
            | {k: t.content_weight * twice(k) * n / contents for k, n in CONTENT_WORKERS.items()})


class Joint(nn.Module):
    """Masked autoencoder, summary, and the heads that only training needs."""

    def __init__(self, c=MODEL):
        super().__init__()
        self.mae, self.summary = MaskedAutoencoder(c), Summary(c)
        self.classes = nn.Parameter(torch.randn(len(CLASSES), c.dim) * 0.1)
        self.token_head = nn.Linear(c.dim, 12 + 1 + BANDS)
        self.content_head = nn.Sequential(nn.Linear(c.dim, 512), nn.GELU(), nn.Linear(512, 128 + 128 + ENVELOPE + 12))
        self.rhythm_head = nn.Linear(c.dim, len(LAGS))
        self.weighting = Weighting(TRAIN.weighting, priors())


def visible_tokens(batch: int, tokens: int, generator: torch.Generator) -> torch.Tensor:
    """Indices [B, V] of the tokens kept: whole gaps of TRAIN.mask_gap tokens are dropped."""
    gaps = tokens // TRAIN.mask_gap
    keep = gaps - int(gaps * TRAIN.mask_share)
    chosen = torch.rand(batch, gaps, generator=generator).argsort(1)[:, :keep].sort(1).values
    return (chosen[..., None] * TRAIN.mask_gap + torch.arange(TRAIN.mask_gap)).reshape(batch, -1)


def code_loss(mae: MaskedAutoencoder, codes, features, heard, visible) -> tuple[torch.Tensor, float]:
    """Weighted cross-entropy of masked tokens, digital silence hardly counting; share of right first-stage codes."""
    logits = mae(features, visible).float()
    b, n, stages, size = logits.shape
    entropy = F.cross_entropy(logits.reshape(-1, size), codes.reshape(-1), reduction="none").reshape(b, n, stages)
    entropy = (entropy * torch.tensor(TRAIN.rvq_weights, device=entropy.device)).sum(2)
    hidden = torch.ones(b, n, device=logits.device).scatter(1, visible, 0.0) * (0.05 + 0.95 * heard)
    right = ((logits[:, :, 0].argmax(2) == codes[:, :, 0]) * hidden).sum() / hidden.sum()
    return (entropy * hidden).sum() / hidden.sum(), right.item()


def class_loss(z: torch.Tensor, classes: torch.Tensor, labels: torch.Tensor) -> tuple[torch.Tensor, float]:
    """Cosine softmax with an additive margin; accuracy."""
    cosine = F.normalize(z, dim=1) @ F.normalize(classes, dim=1).T
    margin = F.one_hot(labels, len(classes)) * TRAIN.class_margin
    loss = F.cross_entropy(TRAIN.class_scale * (cosine - margin), labels, label_smoothing=0.05)
    return loss, (cosine.argmax(1) == labels).float().mean().item()


def track_loss(z: torch.Tensor, albums: torch.Tensor, alike: torch.Tensor) -> torch.Tensor:
    """NT-Xent: row i and row i + B/2 come from the same file or album. `albums` [B/2] numbers the pairs' albums: rows of
    one album are no negatives of each other. TRAIN.likeness_share of a row's pull goes to the rows `alike` [B, B] names."""
    p, half = F.normalize(z, dim=1), len(z) // 2
    mate = torch.cat([torch.arange(half, 2 * half), torch.arange(half)]).to(p.device)
    same = albums.repeat(2)[:, None] == albums.repeat(2)[None]
    same[torch.arange(2 * half, device=p.device), mate] = False
    logits = p @ p.T / TRAIN.contrast_temperature
    loss = F.cross_entropy(logits.masked_fill(same, -1e4), mate)
    if not TRAIN.likeness_share:
        return loss
    own = torch.eye(2 * half, dtype=torch.bool, device=p.device)
    return (1 - TRAIN.likeness_share) * loss + TRAIN.likeness_share * F.cross_entropy(logits.masked_fill(own, -1e4), alike)


def token_targets(features: torch.Tensor, chroma: torch.Tensor) -> torch.Tensor:
    """Chroma [12], onset strength [1] and band energies [BANDS] of each token, from normalised features."""
    b, t, f = features.shape
    rise = torch.relu(features[:, 1:] - features[:, :-1]).mean(2)
    onset = F.pad(rise, (1, 0)).reshape(b, -1, MODEL.patch).amax(2, keepdim=True)
    bands = features.reshape(b, t // MODEL.patch, MODEL.patch, BANDS, f // BANDS).mean((2, 4))
    return torch.cat([chroma, onset, bands], 2)


def content_targets(features: torch.Tensor, chroma: torch.Tensor, heard: torch.Tensor) -> torch.Tensor:
    """What z should know: mean and spread of the spectrum over audible tokens, coarse envelope, mean chroma. Level is
    left out: collections differ by it more than instruments do."""
    weight = heard.repeat_interleave(MODEL.patch, 1)[..., None]
    total = weight.sum(1).clamp(min=1)
    mean = (features * weight).sum(1) / total
    spread = ((features - mean[:, None]) ** 2 * weight).sum(1).div(total).add(1e-4).sqrt()
    envelope = F.interpolate(features.mean(2)[:, None], size=ENVELOPE, mode="area")[:, 0]
    mean, envelope = mean - mean.mean(1, keepdim=True), envelope - envelope.mean(1, keepdim=True)
    return torch.cat([mean, spread, envelope, (chroma * heard[..., None]).sum(1) / heard.sum(1, keepdim=True).clamp(min=1)], 1)


def album_of(entry: dict) -> str:
    """Folder of a file: a soundtrack, or sounds of one kind."""
    return f"{entry['collection']}/{entry['package']}/{Path(entry['path']).parent}"


class Batches:
    """Draws crops and augments them: `programs` rows of General MIDI, then pairs of music and samples."""

    def __init__(self, work, seed: int, mean: torch.Tensor, std: torch.Tensor, device: str = "cpu"):
        self.crops, self.mean, self.std = Crops(work, seed, device=device), mean.to(device), std.to(device)
        # the same for every worker: a step takes as long as its slowest one
        self.lengths = np.random.default_rng(TRAIN.seed)
        self.programs, self.drums = sorted(self.crops.programs), sorted(self.crops.drums)
        self.albums: dict = {}
        for entry in [*self.crops.entries["music"], *self.crops.entries["samples"]]:
            self.albums.setdefault(album_of(entry), []).append(entry)

    def __call__(self) -> dict:
        crops, rng = self.crops, self.crops.rng
        frames = int(self.lengths.choice(TRAIN.crop_frames, p=TRAIN.crop_shares))
        rows = TRAIN.encoder_frames // frames
        pairs = int(rows * (1 - TRAIN.program_share)) // 2
        drums = int((rows - 2 * pairs) * TRAIN.drum_share) if self.drums else 0
        programs = rng.choice(self.programs, rows - 2 * pairs - drums)
        kinds = rng.choice(self.drums, drums) if drums else []
        first = [crops.pick("music" if rng.random() < TRAIN.music_share else "samples") for _ in range(pairs)]
        second = [self.mate(e) for e in first]
        # where mates are drawn from the file alone, two files of a folder are told apart
        names = [album_of(e) if self.share(e) else f"{i}" for i, e in enumerate(first)]
        albums = torch.tensor([names.index(name) for name in names])
        # the drum kit as a programme is phrases only, where its drums are classes of their own
        phrases = lambda p: 1.0 if drums and p == gm.DRUMS else 0.2
        notes = [crops.pick_program(p, phrases(p)) for p in programs] + [crops.pick_drum(k) for k in kinds]
        clean = crops.logs([crops.crop(e, frames) for e in notes + first + second])
        strength = torch.ones(len(clean), device=clean.device)
        strength[len(notes):] = TRAIN.pair_strength
        raw, pitched = augment(clean.clone(), crops.generator, strength)
        features = (raw - self.mean) / self.std
        heard = heard_tokens(features, self.mean, self.std, MODEL.patch)
        labels = torch.tensor([CLASSES.index(CLASS_OF[int(p)]) for p in programs] + [CLASSES.index(k) for k in kinds])
        alike = likeness.neighbours(clean[len(notes):], TRAIN.likeness_width) if TRAIN.likeness_share else torch.zeros(0)
        beats = rhythm(clean) if frames >= RHYTHM_FRAMES else torch.zeros(len(clean), 0)
        return dict(features=features, chroma=chroma(clean), pitched=pitched.float(), heard=heard, labels=labels, albums=albums,
                    rhythm=beats, alike=alike)

    def mate(self, entry: dict) -> dict:
        """The entry itself, or with probability `TRAIN.album_share` (music), `TRAIN.folder_share` (samples) any file of its folder."""
        if self.crops.rng.random() >= self.share(entry):
            return entry
        mates = self.albums[album_of(entry)]
        return mates[self.crops.rng.integers(len(mates))]

    def share(self, entry: dict) -> float:
        return TRAIN.album_share if entry["collection"] == "music" else TRAIN.folder_share


def losses(model: Joint, rvq: ResidualQuantiser, batch: dict, generator: torch.Generator, bf16: bool) -> tuple[torch.Tensor, dict]:
    features, heard, labels = batch["features"], batch["heard"], batch["labels"]
    device = features.device
    with torch.autocast(device.type, torch.bfloat16, enabled=bf16):
        tokens = model.mae.encoder.tokens(features)
        raw = model.summary.raw_tokens(tokens)
        some = torch.randperm(len(features), generator=generator)[:len(features) // 5].to(device)
        visible = visible_tokens(len(some), features.shape[1] // MODEL.patch, generator).to(device)
        codes, right = code_loss(model.mae, rvq(features[some]), features[some], heard[some], visible)
    z, tokens = model.summary.standardise(raw.float()), tokens.float()
    programs, accuracy = class_loss(z[:len(labels)], model.classes, labels)
    tracks = track_loss(z[len(labels):], batch["albums"], batch["alike"])
    pitched = batch["pitched"][:, None, None]
    error = (model.token_head(tokens) - token_targets(features, batch["chroma"])) ** 2 * heard[..., None]
    chromas, onsets, bands = error.split(list(TOKEN_WORKERS.values()), 2)
    parts = dict(codes=codes, programs=programs, tracks=tracks, chroma=(chromas * pitched).sum() / heard.sum() / 12,
                 onset=onsets.sum() / heard.sum(), bands=bands.sum() / heard.sum() / BANDS)
    wanted = content_targets(features, batch["chroma"], heard)
    error = F.smooth_l1_loss(model.content_head(z), wanted, reduction="none").split(list(CONTENT_WORKERS.values()), 1)
    parts |= dict(zip(CONTENT_WORKERS, (e.mean() for e in error)))
    parts["pitches"] = (error[-1] * batch["pitched"][:, None]).mean()
    beats = batch["rhythm"]
    # Crops too short to have a rhythm say nothing of it.
    parts["rhythm"] = F.smooth_l1_loss(model.rhythm_head(z), beats) if beats.shape[1] else model.rhythm_head(z).sum() * 0
    return model.weighting(parts), dict(right=right, accuracy=accuracy, **{k: v.item() for k, v in parts.items()})


def groups(model: Joint) -> list[dict]:
    """For the optimiser: what weights the tasks must not be drawn to zero."""
    own = set(model.weighting.parameters())
    return [dict(params=[p for p in model.parameters() if p not in own]), dict(params=list(own), weight_decay=0.0)]


def start_from(model: Joint, encoder: dict | None, summary: dict | None) -> None:
    """Warm start from earlier checkpoints; layers whose shape has changed keep what fits."""
    if encoder:
        model.mae.load_state_dict(encoder, strict=False)
    if summary:
        state = {k.removeprefix("summary."): v for k, v in summary.items() if k.startswith("summary.")}
        if state["pool.weight"].shape != model.summary.pool.weight.shape:
            state["pool.weight"] = torch.cat([state["pool.weight"], torch.zeros_like(state["pool.weight"])], 1)
        model.summary.load_state_dict(state, strict=False)


def main() -> None:
    args = arguments(__doc__, 50, "start-encoder", "start-summary")
    name = args.name or "encoder"
    path, device = args.work / f"{name}.pt", args.device
    torch.manual_seed(TRAIN.seed)
    stats = load(args.work / "stats.pt")
    rvq, model = ResidualQuantiser(), Joint()
    rvq.load_state_dict(load(args.work / "rvq.pt"))
    first = [load(args.work / f"{n}.pt") if n else None for n in (args.start_encoder, args.start_summary)]
    start_from(model, *(f and f["average"] for f in first))
    model.mae.encoder.load_state_dict({"mean": stats["mean"], "std": stats["std"]}, strict=False)
    rvq, model = rvq.to(device), model.to(device)
    optimiser = torch.optim.AdamW(groups(model), lr=TRAIN.encoder_lr, betas=(0.9, 0.98), weight_decay=0.05)
    average, step, used = Average(model, TRAIN.ema), 0, 0.0
    if state := load(path, device):
        model.load_state_dict(state["model"], strict=False)
        optimiser.load_state_dict(state["optimiser"])
        average.state, average.steps, step, used = state["average"], state["step"], state["step"], state["seconds"]
    clock, saved, workers = Clock(args.minutes, used, args.steps), used, Workers()
    seed = TRAIN.seed + 1000 * workers.rank + step
    generator = torch.Generator().manual_seed(seed)
    batches = prefetch_all([Batches(args.work, seed + 17 + 100_003 * i, stats["mean"], stats["std"], device)
                            for i in range(TRAIN.prefetchers)])

    def checkpoint():
        save(path, dict(model=model.state_dict(), average=average.state, optimiser=optimiser.state_dict(),
                        step=step, seconds=clock.seconds, config=CONFIG))

    while True:
        rate, running = workers.agree(clock.rate(step), clock.running)
        if not running:
            break
        batch = {k: v.to(device) for k, v in next(batches).items()}
        for group in optimiser.param_groups:
            group["lr"] = TRAIN.encoder_lr * rate
        loss, report = losses(model, rvq, batch, generator, args.bf16)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        workers.average_gradients(model)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 2.0)
        optimiser.step()
        average.update(model)
        step += 1
        if step % 10 == 0 and workers.first:
            log(args.work, name, step=step, seconds=round(clock.seconds), rate=rate, rows=len(batch["features"]), **report)
        if clock.seconds - saved > 90 and workers.first:
            checkpoint()
            saved = clock.seconds
    if workers.first:
        checkpoint()


if __name__ == "__main__":
    main()
