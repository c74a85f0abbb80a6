"""From parts to a checked pack in ten minutes on a machine with a GPU and no network.

    python3 models/training/gpu/run.py --parts PARTS --work /tmp/work --out OUT [--seconds 540] [--recipe '{"encoder_frames": 24000}']

Every stage has a share of the time that is left when it begins, so that one that takes long shortens the others and the last
ones still run. What a stage leaves in WORK is kept: the same command again goes on where the last one ended. OUT gets at most
eight files of 16 MiB: the pack and the averaged weights in slices of one tar (`cat slice-* | tar -x`), and report.json.
`--steps 1` makes one step per stage, to try it all on a processor.
"""
import argparse
import importlib
import io
import json
import os
import sys
import tarfile
import threading
import time
import traceback
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]
# of the whole time; what has no share takes what it takes
SHARES = {"encoder": 0.46, "decoder": 0.13, "diffusion": 0.25}
RESERVED = 0.13  # for targets, calibration, export and checks
# for a GPU with room; --recipe adds to it
RECIPE = {"encoder_frames": 48_000, "vocoder_batch": 48, "diffusion_batch": 48, "prefetchers": 6}
SLICE = 15 * 2 ** 20
MOST_SLICES = 7


class Timer:
    """Seconds left of the whole time, and how they are shared out."""

    def __init__(self, seconds: float):
        self.end, self.total, self.began = time.time() + seconds, seconds, time.time()

    @property
    def left(self) -> float:
        return max(0.0, self.end - time.time())

    def minutes(self, stage: str, ahead: list[str]) -> float:
        """For a stage, when the stages `ahead` (this one among them) still want theirs."""
        free = max(0.0, self.left - RESERVED * self.total * sum(SHARES[s] for s in ahead) / sum(SHARES.values()))
        return free * SHARES[stage] / sum(SHARES[s] for s in ahead) / 60


def heartbeat(timer: Timer, state: dict) -> None:
    """One line a minute: whoever looks at the output sees where it stands."""
    while True:
        time.sleep(60)
        print(json.dumps(dict(stage=state["stage"], left=round(timer.left))), flush=True)


def call(module: str, *arguments: object) -> None:
    """Runs main() of a script in this process: starting PyTorch anew for every stage would cost a tenth of the time."""
    before = sys.argv
    sys.argv = [module, *map(str, arguments)]
    try:
        importlib.import_module(module).main()
    finally:
        sys.argv = before


def slices(folder: Path, files: list[tuple[str, Path]]) -> int:
    """Puts files into one tar, cut into slices; returns how many."""
    box = io.BytesIO()
    with tarfile.open(fileobj=box, mode="w") as tar:
        for name, path in files:
            tar.add(path, name)
    data = box.getvalue()
    count = -(-len(data) // SLICE)
    if count > MOST_SLICES:
        raise ValueError(f"{len(data)} bytes do not fit into {MOST_SLICES} slices")
    for i in range(count):
        (folder / f"slice-{i}").write_bytes(data[i * SLICE:(i + 1) * SLICE])
    return count


def averages(work: Path, names: tuple[str, ...]) -> list[tuple[str, Path]]:
    """The averaged weights alone, in half precision: enough to go on from, a sixth of a checkpoint's size."""
    import torch
    from common import load, save
    found = []
    for name in names:
        if state := load(work / f"{name}.pt"):
            half = {k: v.half() if v.dtype == torch.float32 else v for k, v in state["average"].items()}
            path = work / f"{name}-average.pt"
            save(path, dict(average=half, step=state.get("step"), seconds=state.get("seconds")))
            found.append((path.name, path))
    return found


def train(args: argparse.Namespace, timer: Timer, state: dict) -> dict:
    """All stages; returns the report."""
    import torch
    from unpack import unpack
    work, device = args.work, args.device or ("cuda" if torch.cuda.is_available() else "cpu")
    steps = ("--steps", args.steps) if args.steps else ()
    common = ("--work", work, "--device", device, *(("--bf16",) if device == "cuda" else ()))
    cpu = ("--work", work, "--device", "cpu", "--threads", args.threads)

    def stage(name: str, product: str | None, run) -> None:
        if product and (work / product).exists():
            return
        state["stage"] = name
        began = time.time()
        run()
        state["seconds"][name] = round(time.time() - began, 1)
        print(json.dumps(dict(done=name, seconds=state["seconds"][name], left=round(timer.left))), flush=True)

    def trained(name: str, script: str, product: str, *more: object) -> None:
        """Training stages go on from their checkpoint; `NAME.done` says that one has had its time."""
        mark = work / f"{name}.done"
        ahead = [s for s in SHARES if not (work / f"{s}.done").exists()]
        if mark.exists():
            return

        def run() -> None:
            minutes = timer.minutes(name, ahead) if not args.steps else 60
            from common import load
            used = (load(work / product) or {}).get("seconds", 0.0) / 60
            call(script, *common, "--minutes", max(minutes, 0.02) + used, *steps, *more)
            mark.touch()
        stage(name, None, run)

    stage("unpack", "unpacked.json", lambda: state.update(hours=unpack(args.parts, work, args.threads)))
    stage("mels", "mels.done", lambda: (call("mels", *common[:4]), (work / "mels.done").touch()))
    stage("targets", "rvq.pt", lambda: call("targets", *cpu))
    trained("encoder", "train_encoder", "encoder.pt")
    stage("calibrate", "joint.pt", lambda: call("calibrate", *cpu))
    trained("decoder", "train_decoder", "decoder.pt")
    stage("fit", "decoder-fit.pt", lambda: call("fit_decoder", *cpu))
    trained("diffusion", "train_diffusion", "diffusion.pt")
    stage("export", "pack/pack.json", lambda: call("export", "--work", work, "--out", work / "pack"))
    state["stage"] = "check"
    from check import check
    return check(work, work / "pack", device)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=540)
    parser.add_argument("--recipe", type=json.loads, default={})
    parser.add_argument("--device")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 2)
    parser.add_argument("--steps", type=int, default=0)
    args = parser.parse_args()
    recipe = {**RECIPE, **args.recipe}
    os.environ["ARCHETONE_RECIPE"] = json.dumps(recipe)  # before config.py is read
    args.work.mkdir(parents=True, exist_ok=True)
    args.out.mkdir(parents=True, exist_ok=True)
    timer, state = Timer(args.seconds), dict(stage="start", seconds={})
    threading.Thread(target=heartbeat, args=(timer, state), daemon=True).start()
    report: dict = dict(recipe=recipe)
    try:
        report |= train(args, timer, state)
    except Exception as error:  # what there is comes back all the same
        report |= dict(problems=[f"{state['stage']}: {error}"], trace=traceback.format_exc())
    report |= dict(secondsByStage=state["seconds"], hours=state.get("hours"), seconds=round(time.time() - timer.began, 1))
    report["logs"] = {p.stem: p.read_text().splitlines()[-40:] for p in sorted((args.work / "logs").glob("*.jsonl"))}
    report["slices"] = 0
    files = [(f"pack/{p.name}", p) for p in sorted((args.work / "pack").glob("*")) if p.suffix in (".onnx", ".json")]
    try:
        report["slices"] = slices(args.out, files + averages(args.work, ("joint", "diffusion", "decoder-fit")))
    except Exception as error:  # the report says what is missing
        report["problems"] = [*report["problems"], f"slices: {error}"]
    (args.out / "report.json").write_text(json.dumps(report, indent=1))
    print(json.dumps({k: report.get(k) for k in ("problems", "dev", "megabytes", "seconds", "slices")}), flush=True)
    sys.exit(1 if report["problems"] else 0)


if __name__ == "__main__":
    main()
