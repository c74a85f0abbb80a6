"""Pack prepared data to travel to a machine without network: parts of at most so many MiB, audio as Opus.

    python gpu/pack_up.py --work DIR --out PARTS [--part-mib 20] [--parts 6] [--kbps 16] [--dev DIR …]

DIR/pcm is what data.py prepared. Files are drawn in the shares of training, so that a smaller budget keeps the balance. `--dev`
names folders of kinds (a folder per class) that the result is checked on. PARTS/part-NN.tar are what is carried, one or more a
call; PARTS/README says how.
"""
import argparse
import io
import json
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from collect import AUDIO  # noqa: E402
from config import FEATURES, TRAIN  # noqa: E402
from data import Drawing, decode, open_pcm  # noqa: E402

RATE = FEATURES.sample_rate
PIECE = 240  # seconds of one Opus file: many short sounds share one
LONGEST = 300  # seconds taken of one file


def opus(pcm: np.ndarray, kbps: int) -> bytes:
    """Mono int16 at 24 kHz as Ogg Opus."""
    done = subprocess.run(["ffmpeg", "-v", "error", "-f", "s16le", "-ar", str(RATE), "-ac", "1", "-i", "-", "-c:a", "libopus",
                           "-b:a", f"{kbps}k", "-f", "ogg", "-"], input=pcm.tobytes(), capture_output=True, check=True)
    return done.stdout


class Parts:
    """Tar files of at most so many bytes."""

    def __init__(self, folder: Path, part_bytes: int, most: int):
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.part_bytes, self.most = folder, part_bytes, most
        self.count, self.size, self.tar = 0, 0, None

    def add(self, name: str, data: bytes) -> bool:
        """False if there is no room any more; nothing is written then."""
        need = len(data) + 1536
        if self.tar is None or self.size + need > self.part_bytes - 20480:
            if self.count == self.most or need > self.part_bytes - 20480:
                return False
            self.close()
            self.tar, self.size = tarfile.open(self.folder / f"part-{self.count:02d}.tar", "w"), 0
            self.count += 1
        info = tarfile.TarInfo(name)
        info.size = len(data)
        self.tar.addfile(info, io.BytesIO(data))
        self.size += need
        return True

    def close(self) -> None:
        if self.tar:
            self.tar.close()


class Pieces:
    """Entries of one collection, put together to Opus files of some minutes with a list of what is where."""

    def __init__(self, name: str, parts: Parts, kbps: int):
        self.name, self.parts, self.kbps, self.count = name, parts, kbps, 0
        self.waiting, self.entries = [], []

    def add(self, pcm: np.ndarray, entry: dict) -> bool:
        self.entries.append({**entry, "offset": sum(map(len, self.waiting)), "length": len(pcm)})
        self.waiting.append(pcm)
        return sum(map(len, self.waiting)) < PIECE * RATE or self.flush()

    def flush(self) -> bool:
        if not self.waiting:
            return True
        name = f"{self.name}/{self.count:04d}"
        data = opus(np.concatenate(self.waiting), self.kbps)
        # The list comes in the same part as its audio: a part is whole by itself.
        fine = self.parts.add(f"{name}.json", json.dumps(self.entries).encode()) and self.parts.add(f"{name}.ogg", data)
        self.waiting, self.entries, self.count = [], [], self.count + 1
        return fine


def pack_dev(folders: list[Path], parts: Parts, kbps: int, most: int = 400) -> None:
    """Collections `dev-KIND`: the first seconds of at most `most` files each, with their class."""
    for folder in folders:
        files = sorted(p for p in folder.rglob("*") if p.suffix.lower() in AUDIO)
        pieces = Pieces(f"dev-{folder.name}", parts, kbps)
        for path in files[::max(1, -(-len(files) // most))]:
            pcm = decode(path)[:FEATURES.window * 4]
            if len(pcm) and not pieces.add(pcm, {"class": path.relative_to(folder).parts[0], "path": path.name}):
                return
        pieces.flush()


def pack_training(work: Path, parts: Parts, kbps: int) -> float:
    """As much as there is room for; returns hours."""
    drawing = Drawing(work, TRAIN.seed)
    order = {c: iter(drawing.rng.permutation(len(e))) for c, e in drawing.entries.items()}
    pcm = {c: open_pcm(work, c) for c in drawing.entries}
    pieces = {c: Pieces(c, parts, kbps) for c in drawing.entries}
    spent = {c: 0.0 for c in order}
    while order:
        # whichever collection is furthest behind its share
        weights = dict(zip(drawing.collections, drawing.weights))
        collection = min(order, key=lambda c: spent[c] / max(weights[c], 1e-9))
        index = next(order[collection], None)
        if index is None:
            del order[collection]
            continue
        entry = drawing.entries[collection][int(index)]
        length = min(entry["length"], LONGEST * RATE)
        spent[collection] += length / RATE
        fields = {k: entry[k] for k in ("package", "path", "version", "licence", "terms", "licenceBasis", "sha256", "group", "font",
                                        "program", "drum", "kit", "copyright") if k in entry}
        if not pieces[collection].add(pcm[collection][entry["offset"]:entry["offset"] + length], fields):
            break
    for piece in pieces.values():
        piece.flush()
    return sum(spent.values()) / 3600


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--part-mib", type=float, default=20)
    parser.add_argument("--parts", type=int, default=6)
    parser.add_argument("--kbps", type=int, default=16)
    parser.add_argument("--dev", nargs="*", type=Path, default=[])
    args = parser.parse_args()
    parts = Parts(args.out, int(args.part_mib * 2 ** 20), args.parts)
    pack_dev(args.dev, parts, args.kbps)
    hours = pack_training(args.work, parts, args.kbps)
    parts.close()
    print(json.dumps(dict(parts=parts.count, hours=round(hours, 2),
                          mib=round(sum(p.stat().st_size for p in args.out.glob("part-*.tar")) / 2 ** 20, 1))))


if __name__ == "__main__":
    main()
