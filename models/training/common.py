"""What the three training scripts share: arguments, wall-clock schedule, checkpoints, logging."""
import argparse
import json
import math
import os
import queue
import signal
import threading
import time
from pathlib import Path

import torch

from config import as_dict


def arguments(description: str, minutes: float, *names: str) -> argparse.Namespace:
    """The options every script has; `names` are further options of this one."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--work", type=Path, required=True, help="folder of prepared data and checkpoints")
    parser.add_argument("--minutes", type=float, default=minutes, help="wall-clock budget, resumes included")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--name", default=None, help="checkpoint name, to keep several runs apart")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--steps", type=int, default=0, help="stop after so many steps of this call")
    parser.add_argument("--bf16", action="store_true", help="half-precision products in the forward pass")
    for name in names:
        parser.add_argument(f"--{name}", default=None, help="see above")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    return args


def save(path: Path, state: dict) -> None:
    """Write a checkpoint atomically."""
    part = path.with_suffix(".part")
    torch.save(state, part)
    os.replace(part, path)


def load(path: Path, device: str = "cpu") -> dict | None:
    return torch.load(path, map_location=device, weights_only=False) if path.exists() else None


class Clock:
    """Share of the budget used (0..1) across resumes, and the learning-rate factor that follows from it."""

    def __init__(self, minutes: float, used: float = 0.0, steps: int = 0):
        self.steps, self.first, self.step = steps, None, 0
        self.budget, self.used, self.start, self.stopped = minutes * 60, used, time.time(), False
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, self.stop)  # so that a killed run ends with a checkpoint

    def stop(self, *_: object) -> None:
        self.stopped = True

    @property
    def running(self) -> bool:
        enough = self.steps > 0 and self.first is not None and self.step - self.first >= self.steps
        return self.share < 1 and not self.stopped and not enough

    @property
    def seconds(self) -> float:
        return self.used + time.time() - self.start

    @property
    def share(self) -> float:
        return min(1.0, self.seconds / self.budget)

    def rate(self, step: int, warmup: int = 60) -> float:
        """Linear warm-up, then a cosine to 2 %. Takes note of the step, for runs of so many."""
        self.step = step
        self.first = step if self.first is None else self.first
        return min(1.0, (step + 1) / warmup) * (0.02 + 0.98 * (0.5 + 0.5 * math.cos(math.pi * self.share)))


def prefetch(make, depth: int = 3):
    """Endless iterator over make() computed in a background thread."""
    box: queue.Queue = queue.Queue(depth)

    def work():
        while True:
            box.put(make())

    threading.Thread(target=work, daemon=True).start()
    while True:
        yield box.get()


def prefetch_all(makers: list, depth: int = 2):
    """Batches of several makers in turn, each computed in a thread of its own: the same order every time."""
    streams = [prefetch(make, depth) for make in makers]
    while True:
        for stream in streams:
            yield next(stream)


def log(work: Path, name: str, **values) -> None:
    """One JSON line per report, to the console and to WORK/logs."""
    folder = work / "logs"
    folder.mkdir(exist_ok=True)
    line = json.dumps({k: round(v, 4) if isinstance(v, float) else v for k, v in values.items()})
    print(line, flush=True)
    with (folder / f"{name}.jsonl").open("a") as f:
        f.write(line + "\n")


class Workers:
    """Several processes training one model on the processor: `torchrun --nproc_per_node N script ...`.

    Gradients are averaged once per step, which loses far less on busy cores than threads inside each
    operation. Every worker draws its own data; worker 0 keeps the clock, the log and the checkpoints."""

    def __init__(self):
        self.count, self.rank = int(os.environ.get("WORLD_SIZE", 1)), int(os.environ.get("RANK", 0))
        if self.count > 1:
            torch.distributed.init_process_group("gloo")

    @property
    def first(self) -> bool:
        return self.rank == 0

    def average_gradients(self, module: torch.nn.Module) -> None:
        if self.count == 1:
            return
        grads = [p.grad for p in module.parameters() if p.grad is not None]
        flat = torch.cat([g.reshape(-1) for g in grads])
        torch.distributed.all_reduce(flat)
        for g, part in zip(grads, (flat / self.count).split([g.numel() for g in grads])):
            g.copy_(part.view_as(g))

    def agree(self, *values: float) -> list[float]:
        """Worker 0's values, everywhere."""
        if self.count == 1:
            return list(values)
        box = torch.tensor(values, dtype=torch.float64)
        torch.distributed.broadcast(box, 0)
        return box.tolist()


class Average:
    """Exponential moving average of a module's parameters."""

    def __init__(self, module: torch.nn.Module, decay: float):
        self.decay, self.steps = decay, 0
        self.state = {k: v.detach().clone() for k, v in module.state_dict().items()}

    @torch.no_grad()
    def update(self, module: torch.nn.Module) -> None:
        self.steps += 1
        decay = min(self.decay, (1 + self.steps) / (10 + self.steps))
        for k, v in module.state_dict().items():
            if k not in self.state:  # a layer added since the checkpoint
                self.state[k] = v.clone()
            elif v.dtype.is_floating_point:
                self.state[k].lerp_(v, 1 - decay)
            else:
                self.state[k].copy_(v)


CONFIG = as_dict()
