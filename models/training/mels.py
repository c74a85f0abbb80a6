"""Log-mel of everything that is trained on, once: half of a training step went into making it anew for every crop.

    python mels.py --work DIR      -> DIR/mel/COLLECTION.f16, half-precision rows of 128 bands beside DIR/pcm

An hour of sound takes 46 MB. Crops begin at whole frames, and what lies beside a crop rings into its first and last frame.
"""
import numpy as np
import torch

from common import arguments
from config import FEATURES
from data import Drawing, load_index, open_pcm
from features import LogMel

TOGETHER = 64  # entries of one length in a batch
FLOOR = float(np.log(FEATURES.floor))
AUDIBLE = FLOOR + 1.5  # a band that is louder somewhere is no silence


def frames_of(entry: dict) -> int:
    """Frames of an entry, the last one filled up with zeros."""
    return -(-entry["length"] // FEATURES.hop)


class Mels:
    """Raw log-mel of a collection, by entry."""

    def __init__(self, work, collection: str, entries: list[dict]):
        self.rows = np.memmap(work / "mel" / f"{collection}.f16", np.float16, "r").reshape(-1, FEATURES.mels)
        counts = [frames_of(e) for e in entries]
        if sum(counts) != len(self.rows):
            raise ValueError(f"{collection}.f16 is of other audio; remove {work / 'mel'}")
        self.starts = dict(zip((e["offset"] for e in entries), np.cumsum([0, *counts])))

    def __call__(self, entry: dict, start: int, count: int) -> np.ndarray:
        """`count` frames from `start` on of an entry, [count, 128]."""
        first = self.starts[entry["offset"]] + start
        return self.rows[first:first + count]


def louder(logs: np.ndarray, decibels: float) -> np.ndarray:
    """Raw log-mel of a sound that is louder by so much: the floor is none of it."""
    return np.log(np.maximum(np.exp(logs) - FEATURES.floor, 0) * 10 ** (decibels / 20) + FEATURES.floor)


class MelWindows(Drawing):
    """Random training windows as the application cuts them, as data.Windows, but raw log-mel."""

    def __init__(self, work, seed: int):
        super().__init__(work, seed)
        self.mels = {c: Mels(work, c, own) for c, own in self.entries.items()}

    def cut(self, entry: dict) -> tuple[np.ndarray, int]:
        """Raw log-mel [T, 128] of one window, silence past the entry's end, and the frames before that."""
        rng, size, length = self.rng, FEATURES.frames, frames_of(entry)
        start = int(rng.integers(0, length - size + 1)) if length >= size else 0
        count = min(size, length)
        if length >= size and rng.random() < 0.08:
            count = max(1, int(size * rng.uniform(0.06, 0.9)))
        out = np.full((size, FEATURES.mels), FLOOR, np.float32)
        out[:count] = louder(self.mels[entry["collection"]](entry, start, count).astype(np.float32), rng.uniform(-9, 6))
        return out, count

    def audible(self, tries: int = 4) -> tuple[np.ndarray, int]:
        """A window of any entry that is not silent, if `tries` cuts find one."""
        entry = self.pick()
        for _ in range(tries):
            logs, count = self.cut(entry)
            if logs[:FEATURES.sample_rate // FEATURES.hop].max() > AUDIBLE:
                break
        return logs, count

    def batch(self, size: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Raw log-mel [size, T, 128], and the same with sounds that end early repeated to the end, every half second at most.

        z does not know how long a sound lasts (silence is left out of it), so a denoiser trained on silent tails of every
        length spreads mush over all of them."""
        cut, full = [], []
        for _ in range(size):
            logs, count = self.audible()
            heard = np.flatnonzero(logs[:count].max(1) > FLOOR + 0.05)
            period = max(int(heard[-1]) + 1 if len(heard) else len(logs), FEATURES.sample_rate // FEATURES.hop // 2)
            cut.append(logs)
            full.append(np.tile(logs[:period], (-(-len(logs) // period), 1))[:len(logs)] if period < 0.9 * len(logs) else logs)
        return torch.from_numpy(np.stack(cut)), torch.from_numpy(np.stack(full))


@torch.no_grad()
def write(work, collection: str, entries: list[dict], device: str) -> None:
    """All entries of a collection in their order; the file appears when it is whole."""
    path = work / "mel" / f"{collection}.f16"
    if path.exists():
        return
    path.parent.mkdir(exist_ok=True)
    pcm, mel, hop, at = open_pcm(work, collection), LogMel().to(device), FEATURES.hop, 0
    part = path.with_suffix(".part")
    with part.open("wb") as out:
        while at < len(entries):
            count = frames_of(entries[at])
            batch = [entries[at]]
            while len(batch) < TOGETHER and at + len(batch) < len(entries) and frames_of(entries[at + len(batch)]) == count and count < 1000:
                batch.append(entries[at + len(batch)])
            x = np.zeros((len(batch), count * hop), np.float32)
            for row, e in zip(x, batch):
                row[:e["length"]] = pcm[e["offset"]:e["offset"] + e["length"]].astype(np.float32) / 32768
            out.write(mel.log_mel(torch.from_numpy(x).to(device)).half().cpu().numpy().tobytes())
            at += len(batch)
    part.rename(path)


def prepare(work, device: str = "cpu") -> None:
    """All collections; what is there is kept."""
    entries: dict[str, list[dict]] = {}
    for e in load_index(work):
        entries.setdefault(e["collection"], []).append(e)
    for collection, own in entries.items():
        write(work, collection, own, device)


def main() -> None:
    args = arguments(__doc__, 0)
    prepare(args.work, args.device)


if __name__ == "__main__":
    main()
