"""The compact pack's embedding in PyTorch (eager): the very modules of models/training/model.py, with initial weights,
whose values do not change the amount of work.

Reads {"batch": 8, "threads": 2, "repeats": 4} from a line of standard input and answers {"cpu": ms, "wall": ms} for one
window. Taking turns with the caller keeps a changing machine from favouring either.
"""
import json
import resource
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "models" / "training"))

import torch  # noqa: E402
from config import FEATURES  # noqa: E402
from model import build  # noqa: E402

graphs = {name: module.eval() for name, module in build(0).items()}


def used() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


@torch.inference_mode()
def main() -> None:
    for line in sys.stdin:
        asked = json.loads(line)
        torch.set_num_threads(asked["threads"])
        x = torch.randn(asked["batch"], FEATURES.window) * 0.1
        graphs["summary"](graphs["encoder"](graphs["features"](x)))
        cpu, wall = used(), time.perf_counter()
        for _ in range(asked["repeats"]):
            graphs["summary"](graphs["encoder"](graphs["features"](x)))
        windows = asked["repeats"] * asked["batch"]
        print(json.dumps({"cpu": 1000 * (used() - cpu) / windows, "wall": 1000 * (time.perf_counter() - wall) / windows}),
              flush=True)


main()
