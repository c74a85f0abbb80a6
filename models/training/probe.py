"""Quick look at a checkpoint of train_encoder.py on the held-out soundfont (and, with --instruments, on real recordings).

    python probe.py --work DIR --checkpoint encoder [--instruments DIR]

k = 5 nearest neighbours on z, percent: `heldOut` trains on one training soundfont's notes and tests on the validation
soundfont (and back), once on the twelve shared instruments and once on every programme.
"""
import argparse
import json
from pathlib import Path

import numpy as np
import torch
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler

from common import load
from config import FEATURES
from data import VALIDATION_FONT, open_pcm
from evaluate import knn_folds, load_instruments
from features import LogMel
from gm import SHARED_INSTRUMENTS
from train_encoder import CLASS_OF, Joint

NAMES = {p: name for name, programs in SHARED_INSTRUMENTS.items() for p in programs}
STEP = 7  # every seventh note


@torch.no_grad()
def embed(model: Joint, mel: LogMel, logs: np.ndarray) -> np.ndarray:
    """Raw log-mel [B, T, 128] -> z before standardisation [B, D]."""
    out = []
    for i in range(0, len(logs), 64):
        features = (torch.from_numpy(logs[i:i + 64]) - mel.mean) / mel.std
        out.append(model.summary.raw_tokens(model.mae.encoder.tokens(features)).numpy())
    return np.concatenate(out)


def notes(work: Path, font: str, mel: LogMel, step: int) -> tuple[np.ndarray, np.ndarray]:
    """Every `step`-th note of a soundfont: raw log-mel [M, T, 128] and programmes."""
    name = f"gm-notes-{font}"
    entries = json.loads((work / "pcm" / f"{name}.json").read_text())[::step]
    pcm = open_pcm(work, name)
    rows = np.zeros((len(entries), max(e["length"] for e in entries)), np.float32)
    for row, e in zip(rows, entries):
        row[:e["length"]] = pcm[e["offset"]:e["offset"] + e["length"]].astype(np.float32) / 32768
    return mel.log_mel(torch.from_numpy(rows)).numpy(), np.array([e["program"] for e in entries])


def transfer(a, ya, b, yb) -> float:
    """Mean accuracy of both directions, each side standardised on its own, classes on both sides."""
    keep_a, keep_b = np.isin(ya, yb), np.isin(yb, ya)
    a, b = StandardScaler().fit_transform(a[keep_a]), StandardScaler().fit_transform(b[keep_b])
    ya, yb = ya[keep_a], yb[keep_b]
    there, back = KNeighborsClassifier(5).fit(a, ya).score(b, yb), KNeighborsClassifier(5).fit(b, yb).score(a, ya)
    return round(50 * (there + back), 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--checkpoint", default="encoder")
    parser.add_argument("--font", default="musescore")
    parser.add_argument("--test-font", default=VALIDATION_FONT)
    parser.add_argument("--instruments", type=Path)
    args = parser.parse_args()
    torch.set_num_threads(1)
    state = load(args.work / f"{args.checkpoint}.pt")
    model, mel = Joint().eval(), LogMel()
    model.load_state_dict(state["average"], strict=False)
    mel.load_state_dict(load(args.work / "stats.pt"), strict=False)
    ours, theirs = notes(args.work, args.font, mel, STEP), notes(args.work, args.test_font, mel, STEP)
    sets = [(embed(model, mel, x), y) for x, y in (ours, theirs)]
    flat = [(np.concatenate([x.mean(1), x.std(1)], 1), y) for x, y in (ours, theirs)]
    report = {"step": state["step"]}
    for what, ((a, ya), (b, yb)) in (("z", sets), ("logMel", flat)):
        grouped = [np.array([CLASS_OF[p] for p in y]) for y in (ya, yb)]
        report[f"{what}Programmes"] = transfer(a, grouped[0], b, grouped[1])
        shared = [np.array([p in NAMES for p in y]) for y in (ya, yb)]
        named = [np.array([NAMES[p] for p in y[k]]) for y, k in zip((ya, yb), shared)]
        report[f"{what}Shared"] = transfer(a[shared[0]], named[0], b[shared[1]], named[1])
    if args.instruments:
        clips, labels = load_instruments(args.instruments, args.work / "evaluation")
        with torch.no_grad():
            z = embed(model, mel, np.concatenate([mel.log_mel(torch.from_numpy(c)).numpy() for c in clips]))
        owner = np.repeat(np.arange(len(clips)), [len(c) for c in clips])
        z = np.stack([z[owner == k].mean(0) for k in range(len(clips))])
        report["instruments"] = knn_folds(z, labels, True)
    print(json.dumps(report), flush=True)


if __name__ == "__main__":
    main()
