"""The decoder's magnitude read-out: ridge regression of log magnitudes on the trained vocoder's trunk and the features.

    python fit_decoder.py --work DIR [--name decoder]      -> DIR/decoder-fit.pt
"""
import math

import torch

from common import CONFIG, arguments, load, log, save
from config import FEATURES, TRAIN
from data import Windows
from features import LogMel
from model import Decoder

BATCH = 16
EPSILON = 1e-5    # -100 dB: magnitudes below do not matter
RIDGE = 1e-5      # of the mean diagonal


@torch.no_grad()
def main() -> None:
    args = arguments(__doc__, 0)
    torch.manual_seed(TRAIN.seed)
    model, windows = Decoder().eval(), Windows(args.work, TRAIN.seed + 61)
    state = load(args.work / f"{args.name or 'decoder'}.pt")
    model.vocoder.load_state_dict(renamed(state["average"]), strict=False)
    model.mel.load_state_dict(load(args.work / "stats.pt"), strict=False)
    gram, cross, square, count = 0.0, 0.0, 0.0, 0
    for _ in range(TRAIN.fit_batches):
        x = torch.from_numpy(windows.batch(BATCH))
        features = model.mel(x)
        real, imaginary = model.spectra(x)
        keep = model.mel.log_mel(x).amax(2) > math.log(FEATURES.floor) + 0.05
        inputs = torch.cat([model.vocoder.trunk(features), features, torch.ones_like(features[..., :1])], 2)[keep].double()
        wanted = torch.log(torch.sqrt(real ** 2 + imaginary ** 2) + EPSILON)[keep].double()
        gram, cross = gram + inputs.T @ inputs, cross + inputs.T @ wanted
        square, count = square + (wanted ** 2).sum(), count + wanted.numel()
    weight = torch.linalg.solve(gram + RIDGE * gram.diagonal().mean() * torch.eye(len(gram)), cross)
    error = (square - 2 * (weight * cross).sum() + (weight * (gram @ weight)).sum()) / count
    model.detail.weight.copy_(weight[:-1].T)
    model.detail.bias.copy_(weight[-1])
    log(args.work, "decoder-fit", step=state["step"], frames=count // (FEATURES.fft // 2 + 1),
        errorDb=(float(error) ** 0.5) * 8.686)
    save(args.work / "decoder-fit.pt", dict(average=model.state_dict(), step=state["step"], seconds=state["seconds"], config=CONFIG))


def renamed(state: dict) -> dict:
    """Checkpoints from before the transform had a module of its own kept its tables elsewhere."""
    return {k: v for k, v in state.items() if not k.startswith("basis.") and k != "weight"}


if __name__ == "__main__":
    main()
