"""What the tasks and their weightings are worth: small encoders, some seeds, told apart on sounds that none of them learned from.

    python ablate.py --work DIR --apart DIR2 [--steps 200] [--seeds 3] [--threads 1]      -> DIR/ablation.json, a table

DIR holds what `collect.py take` took and `data.py` decoded (without soundfonts the recorded notes are the programmes); DIR2 what
`collect.py inventory` unpacked of the packages of sources.KEPT_APART. Whoever chooses a weighting looks at dev; report is for
what was chosen. A row is a weighting of all tasks, or the fixed one without some of them. Sizes come from ARCHETONE_RECIPE, as
everywhere. Runs are resumed: what DIR/ablation.json knows is not done again.
"""
import argparse
import json
import math
import re
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler

import mels
import targets
from common import Average, load, save
from config import FEATURES, TRAIN, as_dict
from data import AUDIO, RATE, decode, prepare_files, prepare_recorded, usable
from features import LogMel
from model import ResidualQuantiser
from sources import KEPT_APART
from train_encoder import CONTENT_WORKERS, TOKEN_WORKERS, Batches, Joint, groups, losses, priors
from weighting import KINDS, Weighting

NEIGHBOURS = 5
MOST_PER_CLASS, LEAST_PER_CLASS = 40, 8
DRAWS = 2000  # of files and seeds, for intervals
# tasks that are left out together
WITHOUT = {"codes": ("codes",), "programs": ("programs",), "tracks": ("tracks",), "contents": (*TOKEN_WORKERS, *CONTENT_WORKERS),
           "rhythm": ("rhythm",)}
WINDOW_FRAMES, WINDOWS_PER_FILE = 100, 4  # 2 s each
# of a drum sound, by its file's name; the first that fits
DRUMS = {"kick": r"kick|bass.?drum|\bbd\b|kdrum", "snare": r"snare|\bsd\b|sdrum|rim", "hat": r"hat|\bhh", "tom": r"tom",
         "cymbal": r"crash|ride|cymbal|splash|china", "clap": r"clap", "cowbell": r"cowbell"}


def kind_of(path: str) -> str | None:
    """What a drum sound is of; None where its name does not say."""
    name = re.sub(r"[_\-0-9]+", " ", Path(path).stem.lower())
    return next((kind for kind, pattern in DRUMS.items() if re.search(pattern, name)), None)


def kept_apart(apart: Path, part: str) -> dict[str, list[tuple[Path, str]]]:
    """What is there of dev or report: files with their class, soundtracks by game and one-shots by kind of drum."""
    def files(kind):
        return [(p, name) for name in KEPT_APART[kind][part] for p in sorted((apart / "audio" / name).rglob("*"))
                if p.suffix.lower() in AUDIO and p.is_file()]
    return {"soundtracks": files("soundtracks"),
            "one-shots": [(p, k) for p, _ in files("one-shots") if (k := kind_of(p.name)) is not None]}


def judged(files: list[tuple[Path, str]], kind: str, mel: LogMel, pool) -> tuple[list[torch.Tensor], np.ndarray]:
    """Raw log-mel [windows, T, 128] of each file that is used, and classes. Music of 12 s and more only, files drawn by TRAIN.seed."""
    rng, rows, classes = np.random.default_rng(TRAIN.seed), [], []
    by_class: dict[str, list[Path]] = {}
    for path, name in files:
        by_class.setdefault(name, []).append(path)
    size = WINDOW_FRAMES * FEATURES.hop
    for name, paths in sorted(by_class.items()):
        found = []
        for pcm in pool.map(decode, [paths[i] for i in rng.permutation(len(paths))][:2 * MOST_PER_CLASS]):
            if not usable(pcm) or (kind == "soundtracks") != (len(pcm) >= 12 * RATE) or len(found) == MOST_PER_CLASS:
                continue
            starts = [0] if len(pcm) <= size else np.linspace(0, len(pcm) - size, WINDOWS_PER_FILE, dtype=int) if kind == "soundtracks" else [0]
            cut = np.zeros((len(starts), size), np.float32)
            for row, start in zip(cut, starts):
                piece = pcm[start:start + size]
                row[:len(piece)] = piece / 32768
            found.append(mel.log_mel(torch.from_numpy(cut)))
        if len(found) >= LEAST_PER_CLASS:
            rows += found
            classes += [name] * len(found)
    return rows, np.array(classes)


def told(vectors: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Which files are told right by the other files' five nearest; dimensions standardised over the set."""
    x = StandardScaler().fit_transform(vectors)
    nearest = KNeighborsClassifier(NEIGHBOURS).fit(x, classes).kneighbors(return_distance=False)  # without themselves
    votes = [max(sorted(set(classes[n])), key=lambda c: (classes[n] == c).sum()) for n in nearest]
    return np.array(votes) == classes


def balanced(hits: np.ndarray, classes: np.ndarray) -> float:
    """Percent, each class counting alike."""
    return 100 * float(np.mean([hits[classes == c].mean() for c in np.unique(classes)]))


@torch.no_grad()
def vectors_of(model: Joint, mel: LogMel, rows: list[torch.Tensor]) -> np.ndarray:
    """Mean z of each file's windows."""
    out = []
    for windows in rows:
        tokens = model.mae.encoder.tokens((windows - mel.mean) / mel.std)
        out.append(model.summary.raw_tokens(tokens).mean(0).numpy())
    return np.stack(out)


def train(work: Path, stats: dict, rvq: ResidualQuantiser, kind: str, without: tuple[str, ...], seed: int,
          steps: int) -> tuple[Joint, dict]:
    """An encoder whose tasks are weighted so, without some of them; its averaged weights, and the last losses. The rate follows
    steps, not the clock."""
    torch.manual_seed(seed)
    model = Joint()
    model.weighting = Weighting(kind, {name: 0.0 if name in without else weight for name, weight in priors().items()})
    model.mae.encoder.load_state_dict({"mean": stats["mean"], "std": stats["std"]}, strict=False)
    model.train()
    optimiser = torch.optim.AdamW(groups(model), lr=TRAIN.encoder_lr, betas=(0.9, 0.98), weight_decay=0.05)
    average, generator = Average(model, TRAIN.ema), torch.Generator().manual_seed(seed)
    batches, report = Batches(work, seed + 17, stats["mean"], stats["std"]), {}
    for step in range(steps):
        rate = min(1.0, (step + 1) / 30) * (0.02 + 0.98 * (0.5 + 0.5 * math.cos(math.pi * step / steps)))
        for group in optimiser.param_groups:
            group["lr"] = TRAIN.encoder_lr * rate
        loss, report = losses(model, rvq, batches(), generator, False)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 2.0)
        optimiser.step()
        average.update(model)
    model.load_state_dict(average.state)
    weights = dict(zip(model.weighting.names, (round(w, 3) for w in model.weighting.weights().tolist())))
    return model.eval(), {"losses": {k: round(v, 3) for k, v in report.items()}, "weights": weights}


def figures(runs: list[dict], other: list[dict] | None, classes: np.ndarray, part: str, kind: str) -> tuple[float, float, float]:
    """Mean over seeds and an interval of 95 % over draws of files (within their classes) and seeds; minus the other's where there is one."""
    hits = np.array([[c == "1" for c in run["hits"][part][kind]] for run in runs], float)
    if other is not None:
        hits = hits - np.array([[c == "1" for c in run["hits"][part][kind]] for run in other], float)
    rng, draws = np.random.default_rng(TRAIN.seed), []
    members = [np.flatnonzero(classes == c) for c in np.unique(classes)]
    for _ in range(DRAWS):
        seeds = rng.integers(len(hits), size=len(hits))
        draws.append(100 * np.mean([hits[np.ix_(seeds, rng.choice(own, len(own)))].mean() for own in members]))
    return balanced(hits.mean(0), classes), *np.percentile(draws, [2.5, 97.5])


def table(found: dict, part: str) -> str:
    """Percent told right with intervals, and the difference to the fixed weighting of all tasks, of the same seeds."""
    sets = {kind: np.array(classes) for kind, classes in found["classes"][part].items()}
    head = [c for kind, y in sets.items() for c in (f"{part} {kind} {len(y)}/{len(set(y))}", "minus fixed")]
    lines = ["| row | " + " | ".join(head) + " |", "|---" * (len(head) + 1) + "|"]
    by_row = {}
    for run in found["runs"]:
        by_row.setdefault(run["row"], []).append(run)
    for row, runs in by_row.items():
        cells = []
        for kind, y in sets.items():
            mean, low, high = figures(runs, None, y, part, kind)
            cells.append(f"{mean:.1f} ({low:.1f}–{high:.1f})")
            paired = None
            if row not in ("fixed", "log-mel") and "fixed" in by_row:
                seeds = {run["seed"]: run for run in by_row["fixed"]}
                paired = [(run, seeds[run["seed"]]) for run in runs if run["seed"] in seeds]
            if paired:
                mean, low, high = figures([a for a, _ in paired], [b for _, b in paired], y, part, kind)
                cells.append(f"{mean:+.1f} ({low:+.1f} … {high:+.1f})")
            else:
                cells.append("")
        lines.append(f"| {row} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--apart", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    with ThreadPoolExecutor(args.threads) as pool:
        prepare_files(args.work, [], pool)
        prepare_recorded(args.work, pool)
        if load(args.work / "rvq.pt") is None:
            stats, tokens = targets.statistics(args.work, TRAIN.seed)
            save(args.work / "stats.pt", stats)
            save(args.work / "rvq.pt", targets.quantiser(tokens, TRAIN.seed).state_dict())
        mels.prepare(args.work)
        stats, mel, rvq = load(args.work / "stats.pt"), LogMel(), ResidualQuantiser()
        mel.load_state_dict(stats, strict=False)
        rvq.load_state_dict(load(args.work / "rvq.pt"))
        with torch.no_grad():
            sets = {part: {kind: judged(files, kind, mel, pool) for kind, files in kept_apart(args.apart, part).items()}
                    for part in ("dev", "report")}
    # A single class is always told right.
    sets = {part: {kind: own for kind, own in kinds.items() if len(set(own[1])) > 1} for part, kinds in sets.items()}
    path = args.work / "ablation.json"
    found = json.loads(path.read_text()) if path.exists() else {"config": as_dict(), "steps": args.steps, "runs": []}
    if (found["config"], found["steps"]) != (json.loads(json.dumps(as_dict())), args.steps) and found["runs"]:
        raise SystemExit(f"{path} is of other sizes or steps: move it away")
    found["classes"] = {part: {kind: y.tolist() for kind, (_, y) in own.items()} for part, own in sets.items()}

    def judge(embed) -> dict:
        hits = {part: {kind: told(embed(rows), y) for kind, (rows, y) in own.items()} for part, own in sets.items()}
        return {"hits": {part: {kind: "".join("01"[int(h)] for h in own) for kind, own in kinds.items()} for part, kinds in hits.items()}}

    def keep(run: dict) -> None:
        found["runs"].append(run)
        path.write_text(json.dumps(found, indent=1))
        shown = {part: {kind: round(balanced(np.array([c == "1" for c in own]), np.array(found["classes"][part][kind])), 1)
                        for kind, own in kinds.items()} for part, kinds in run["hits"].items()}
        print(json.dumps({k: v for k, v in run.items() if k != "hits"} | shown), flush=True)

    known = {(run["row"], run["seed"]) for run in found["runs"]}
    if ("log-mel", 0) not in known:
        flat = lambda rows: np.stack([np.concatenate([x.mean((0, 1)).numpy(), x.std((0, 1)).numpy()]) for x in rows])
        keep(dict(row="log-mel", seed=0, **judge(flat)))
    # A task of weight 0 in the recipe is not there to be left out.
    absent = {name for name, weight in priors().items() if weight == 0}
    rows = [("untrained", "fixed", (), 0), *((kind, kind, (), args.steps) for kind in KINDS),
            *((f"fixed without {name}", "fixed", tasks, args.steps) for name, tasks in WITHOUT.items() if not absent >= set(tasks))]
    for seed in range(1, args.seeds + 1):
        for row, kind, without, steps in rows:
            if (row, seed) in known:
                continue
            cpu = time.process_time()
            model, said = train(args.work, stats, rvq, kind, without, seed, steps)
            run = dict(row=row, seed=seed, **judge(lambda rows: vectors_of(model, mel, rows)))
            keep(run | said | {"cpuSeconds": round(time.process_time() - cpu)})
    print(table(found, "dev"), table(found, "report"), sep="\n\n")


if __name__ == "__main__":
    main()
