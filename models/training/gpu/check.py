"""Whether what was trained is any good: finite, better than the untrained twin on dev, and small enough to ship."""
import json
from pathlib import Path

import numpy as np
import torch

from common import load
from config import FEATURES, TRAIN
from features import LogMel
from model import build
from train_encoder import Joint
from calibrate import calibrate

NEIGHBOURS = 5


def leave_one_out(z: np.ndarray, classes: np.ndarray, k: int = NEIGHBOURS) -> float:
    """Percent of rows [N, D] that the k nearest others (Euclidean) give their class; classes of one row are not asked."""
    names, labels, counts = np.unique(classes, return_inverse=True, return_counts=True)
    z = z - z.mean(0)
    distance = (z ** 2).sum(1)[:, None] + (z ** 2).sum(1)[None] - 2 * z @ z.T
    np.fill_diagonal(distance, np.inf)
    nearest = labels[np.argsort(distance, 1, kind="stable")[:, :k]]
    votes = (nearest[:, :, None] == np.arange(len(names))).sum(1)
    asked = counts[labels] > 1
    return float(100 * (votes.argmax(1) == labels)[asked].mean()) if asked.any() else 0.0


def standardised(x: np.ndarray) -> np.ndarray:
    return (x - x.mean(0)) / (x.std(0) + 1e-6)


def dev_sets(work: Path) -> dict[str, tuple[list[np.ndarray], np.ndarray]]:
    """First windows of the dev collections; without any, of every fifth note of one training soundfont."""
    found, size = {}, FEATURES.window
    paths = sorted((work / "dev").glob("dev-*.json")) or sorted((work / "pcm").glob("gm-notes-*.json"))[:1]
    for path in paths:
        entries = json.loads(path.read_text())
        if path.stem.startswith("gm-notes"):
            entries = [dict(e, **{"class": e["program"]}) for e in entries[::5]]
        pcm = np.memmap(path.with_suffix(".i16"), np.int16, "r")
        rows = []
        for e in entries:
            cut = pcm[e["offset"]:e["offset"] + min(e["length"], size)].astype(np.float32) / 32768
            rows.append(np.pad(cut, (0, size - len(cut))))
        found[path.stem.removeprefix("dev-")] = rows, np.array([str(e["class"]) for e in entries])
    return found


@torch.no_grad()
def embed(joint: Joint, mel: LogMel, rows: list[np.ndarray], device: str) -> tuple[np.ndarray, np.ndarray]:
    """z, and mean and deviation of the log-mel frames."""
    z, plain = [], []
    for i in range(0, len(rows), 32):
        features = mel(torch.from_numpy(np.stack(rows[i:i + 32])).to(device))
        z.append(joint.summary(joint.mae.encoder(features)).float().cpu().numpy())
        plain.append(torch.cat([features.mean(1), features.std(1)], 1).cpu().numpy())
    return np.concatenate(z), np.concatenate(plain)


def untrained(work: Path) -> Joint:
    """The same network with initial weights, its z standardised on the same audio."""
    torch.manual_seed(1)
    graphs, joint = build(1), Joint()
    graphs["encoder"].load_state_dict(load(work / "stats.pt"), strict=False)
    joint.mae.encoder, joint.summary = graphs["encoder"], graphs["summary"]
    calibrate(joint.eval(), work, load(work / "stats.pt"), TRAIN.seed + 97)
    return joint


def check(work: Path, pack: Path, device: str, most_mb: float = 40) -> dict:
    """Figures and what is wrong. `problems` is empty when the pack may be looked at further."""
    problems, dev = [], {}
    mel, trained = LogMel(), Joint()
    mel.load_state_dict(load(work / "stats.pt"), strict=False)
    trained.load_state_dict(load(work / "joint.pt")["average"])
    for name in ("joint", "diffusion", "decoder-fit"):
        state = load(work / f"{name}.pt")["average"]
        if not all(torch.isfinite(v).all() for v in state.values() if v.dtype.is_floating_point):
            problems.append(f"{name}.pt holds values that are not finite")
    mel, trained, twin = mel.to(device), trained.to(device).eval(), untrained(work).to(device).eval()
    for name, (rows, classes) in dev_sets(work).items():
        (z, plain), (other, _) = embed(trained, mel, rows, device), embed(twin, mel, rows, device)
        if not np.isfinite(z).all():
            problems.append(f"{name}: z is not finite")
            continue
        dev[name] = {key: round(leave_one_out(x, classes), 1) for key, x in
                     (("z", z), ("zStandardised", standardised(z)), ("twin", other), ("logMel", standardised(plain)))}
        dev[name] |= dict(sounds=len(rows), classes=len(set(classes)))
        if dev[name]["z"] <= dev[name]["twin"]:
            problems.append(f"{name}: z knows {dev[name]['z']} %, the untrained twin {dev[name]['twin']} %")
    megabytes = round(sum(p.stat().st_size for p in pack.glob("*.onnx")) / 1e6, 2)
    if megabytes > most_mb:
        problems.append(f"the pack has {megabytes} MB, {most_mb} at most")
    return dict(dev=dev, megabytes=megabytes, problems=problems)
