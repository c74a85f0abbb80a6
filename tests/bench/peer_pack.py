"""Times the compact pack's networks in PyTorch (eager): the very modules of models/training/model.py that the pack is
exported from, with initial weights, whose values do not change the amount of work. Prints one JSON object.

    python peer_pack.py '{"batches": [1, 8], "repeats": 5, "sampleRuns": 2, "threads": 2, "steps": 30, "guidance": 1}'
"""
import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "models" / "training"))

import torch  # noqa: E402
from config import FEATURES, MODEL  # noqa: E402
from model import Denoising, build  # noqa: E402


def best(work, repeats: int) -> float:
    """Milliseconds of the fastest run, after one to warm up."""
    work()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return 1000 * min(times)


@torch.inference_mode()
def main() -> None:
    options = json.loads(sys.argv[1])
    torch.set_num_threads(options["threads"])
    graphs = {name: module.eval() for name, module in build(0).items()}
    repeats = options["repeats"]

    def embed(x: torch.Tensor) -> torch.Tensor:
        return graphs["summary"](graphs["encoder"](graphs["features"](x)))

    speed = {}
    for batch in options["batches"]:
        x = torch.randn(batch, FEATURES.window) * 0.1
        speed[str(batch)] = 1000 * batch / best(lambda: embed(x), repeats)
    x = torch.randn(2, FEATURES.frames, FEATURES.mels)
    z = torch.randn(2, MODEL.dim)
    sigma = torch.full((2,), 0.5)

    class Pair:
        """Both branches of guidance as one batch, as the application runs them."""

        def __call__(self, noisy, level, vector):
            if not options["guidance"]:
                return graphs["denoiser"](noisy, level, vector)
            both = graphs["denoiser"](noisy.repeat(2, 1, 1), level.repeat(2), torch.cat([vector, torch.zeros_like(vector)]))
            return both[:1] + options["guidance"] * (both[:1] - both[1:])

    def sonify() -> torch.Tensor:
        features = Denoising.sample(Pair(), z[:1], FEATURES.frames, options["steps"], 0.0, x[:1])
        return graphs["decoder"](features)

    print(json.dumps({
        "windowsPerSecond": speed,
        "stepMs": best(lambda: graphs["denoiser"](x, sigma, z), repeats),
        "decodeMs": best(lambda: graphs["decoder"](x[:1]), repeats),
        "sonifyMs": best(sonify, options["sampleRuns"]),
    }))


if __name__ == "__main__":
    main()
