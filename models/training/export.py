"""Write a pack: five ONNX graphs and pack.json.

    python export.py --work DIR --out PACK                      trained weights
    python export.py --work DIR --out PACK --random-seed 1      a twin with random weights (id "compact-random")

Each graph is checked against PyTorch with ONNX Runtime, at the pack's window and at another batch and length.
Files are written beside their final name and renamed, pack.json last. `evaluate.py` adds the quality card.
"""
import argparse
import hashlib
import json
import os
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import torch

from common import load
from config import FEATURES, MODEL, TRAIN
from data import card
from model import build
from train_encoder import Joint
from calibrate import calibrate

OPSET = 17
VERSION = "0.5.0"
HALF = {"denoiser", "decoder"}  # graphs whose large weights are stored as float16 (and computed as float32)
HALF_SIZE = 4096                # elements above which a weight counts as large
SIGNATURES = {
    "features": (["waveform"], ["features"]),
    "encoder": (["features"], ["hidden"]),
    "summary": (["hidden"], ["z"]),
    "denoiser": (["features", "sigma", "z"], ["v"]),
    "decoder": (["features"], ["magnitude", "real", "imaginary"]),
}
DYNAMIC = {"waveform": {0: "B", 1: "S"}, "features": {0: "B", 1: "T"}, "hidden": {0: "B", 1: "T"},
           "z": {0: "B"}, "sigma": {0: "B"}, "v": {0: "B", 1: "T"}}


# Measured, see runs.md
SAMPLER = {"method": "ddim", "steps": 4, "guidance": 0, "initialNoise": 1, "candidates": 5, "accept": 0.9}


def trained(work: Path, names: dict[str, str]) -> dict[str, torch.nn.Module]:
    """The graphs with the averaged weights of the checkpoints `names` (joint, diffusion, decoder)."""
    graphs, joint = build(0), Joint()
    joint.load_state_dict(load(work / f"{names['joint']}.pt")["average"])
    graphs["denoiser"].load_state_dict(load(work / f"{names['diffusion']}.pt")["average"])
    graphs["decoder"].load_state_dict(load(work / f"{names['decoder']}.pt")["average"])
    graphs.update(encoder=joint.mae.encoder, summary=joint.summary)
    return graphs


def random_twin(seed: int, work: Path) -> dict[str, torch.nn.Module]:
    """The same graphs with initial weights, standardised on the same audio; the layers that start at zero get random values."""
    graphs, stats = build(seed), load(work / "stats.pt")
    graphs["denoiser"].output.reset_parameters()
    for module in (graphs["features"], graphs["decoder"].mel, graphs["encoder"]):
        module.load_state_dict(stats, strict=False)
    joint = Joint()
    joint.mae.encoder, joint.summary = graphs["encoder"], graphs["summary"]
    calibrate(joint.eval(), work, stats, TRAIN.seed + 97)
    return graphs


@torch.no_grad()
def fold(summary: torch.nn.Module) -> None:
    """Fold the scaling of z into the summary's last layers; raises AssertionError should that change z."""
    norm, hidden = summary.standardise, example("summary", 4, FEATURES.frames)[0]
    before = summary(hidden)
    scale = summary.whiten.weight / torch.sqrt(norm.running_var + norm.eps)
    for layer, shift in ((summary.output, norm.running_mean), (summary.pool, 0.0)):
        layer.weight.copy_(scale @ layer.weight)
        layer.bias.copy_(scale @ (layer.bias - shift))
    summary.standardise = summary.whiten = torch.nn.Identity()
    torch.testing.assert_close(summary(hidden), before, atol=1e-3, rtol=1e-3)


def example(name: str, batch: int, frames: int) -> tuple[torch.Tensor, ...]:
    """Random inputs of a graph."""
    g = torch.Generator().manual_seed(batch * 1000 + frames)
    normal = lambda *shape: torch.randn(*shape, generator=g)
    return {"features": (normal(batch, frames * FEATURES.hop) * 0.1,),
            "encoder": (normal(batch, frames, FEATURES.mels),),
            "summary": (normal(batch, frames, MODEL.dim),),
            "denoiser": (normal(batch, frames, FEATURES.mels), torch.rand(batch, generator=g), normal(batch, MODEL.dim)),
            "decoder": (normal(batch, frames, FEATURES.mels),)}[name]


class Method(torch.nn.Module):
    """One method of a module, as a module that can be exported."""

    def __init__(self, module: torch.nn.Module, name: str):
        super().__init__()
        self.module, self.name = module, name

    def forward(self, *inputs: torch.Tensor):
        return getattr(self.module, self.name)(*inputs)


def to_onnx(module: torch.nn.Module, inputs: tuple, names: list[str], outputs: list[str], path: Path) -> onnx.ModelProto:
    axes = {k: DYNAMIC.get(k, {0: "B", 1: "T"}) for k in [*names, *outputs]}
    torch.onnx.export(module.eval(), inputs, str(path), opset_version=OPSET, dynamo=False, input_names=names,
                      output_names=outputs, do_constant_folding=False, dynamic_axes=axes)
    return onnx.load(str(path))


@torch.no_grad()
def export_graph(name: str, module: torch.nn.Module, path: Path) -> float:
    """Write one graph; returns the largest absolute difference from PyTorch over two shapes."""
    inputs, outputs = SIGNATURES[name]
    part = path.with_suffix(".part")
    # The application retrieves the phases itself (`phaseRetrieval` in pack.json).
    module = Method(module.eval(), "start") if name == "decoder" else module.eval()
    model = to_onnx(module, example(name, 2, FEATURES.frames), inputs, outputs, part)
    strip(model)
    if name in HALF:
        halve(model)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, str(part))
    session = ort.InferenceSession(str(part), providers=["CPUExecutionProvider"])
    worst = 0.0
    for batch, frames in ((1, FEATURES.frames), (3, 75)):
        values = example(name, batch, frames)
        found = session.run(outputs, {k: v.numpy() for k, v in zip(inputs, values)})
        wanted = module(*values)
        for got, want in zip(found, wanted if isinstance(wanted, tuple) else (wanted,)):
            worst = max(worst, float(np.abs(got - want.numpy()).max()))
    os.replace(part, path)
    return worst


def strip(model: onnx.ModelProto) -> None:
    """Remove what the exporter records about its own source files."""
    model.doc_string = ""
    model.producer_name, model.producer_version = "archetone", VERSION
    del model.metadata_props[:]
    for node in model.graph.node:
        node.doc_string = ""
        del node.metadata_props[:]


def halve(model: onnx.ModelProto) -> None:
    """Store large float32 weights as float16, each behind a cast that the runtime folds when it loads the graph."""
    casts = []
    for tensor in model.graph.initializer:
        if tensor.data_type != onnx.TensorProto.FLOAT or np.prod(tensor.dims) <= HALF_SIZE:
            continue
        name, values = tensor.name, onnx.numpy_helper.to_array(tensor)
        tensor.CopyFrom(onnx.numpy_helper.from_array(values.astype(np.float16), name + ".half"))
        casts.append(onnx.helper.make_node("Cast", [name + ".half"], [name], to=onnx.TensorProto.FLOAT))
    nodes = list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend(casts + nodes)


def describe(path: Path) -> dict:
    data = path.read_bytes()
    return {"file": path.name, "sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}


def write_json(path: Path, value: dict) -> None:
    part = path.with_suffix(".part")
    part.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n")
    os.replace(part, path)


def write_card(path: Path, value: dict) -> None:
    """The data card, one source file per line."""
    rows = ",\n".join(json.dumps(row, ensure_ascii=False) for row in value["files"])
    head = json.dumps({k: v for k, v in value.items() if k != "files"}, indent=2, ensure_ascii=False)
    part = path.with_suffix(".part")
    part.write_text(head[:-2] + ',\n  "files": [\n' + rows + "\n]}\n")
    os.replace(part, path)


def manifest(out: Path, data: dict, random_seed: int | None) -> dict:
    """pack.json without its quality card."""
    twin = random_seed is not None
    return {
        "schema": "archetone.pack/1", "id": "compact-random" if twin else "compact", "version": VERSION,
        "title": "Archetone compact, random weights" if twin else "Archetone compact", "kind": "generative",
        "licence": "CC0-1.0" if twin else data["weightsLicence"],
        "attribution": ("Random weights, for tests." if twin else
                        "Weights by the Archetone authors, trained on audio under "
                        f"{', '.join(data['hoursByLicence'])}; everybody to be named stands in data-card.json, and "
                        "`archetone packs attribution` prints them."),
        "sampleRate": FEATURES.sample_rate, "windowSeconds": FEATURES.window_seconds,
        "windowSamples": FEATURES.window, "frameRate": FEATURES.sample_rate // FEATURES.hop,
        "framesPerWindow": FEATURES.frames, "featureDim": FEATURES.mels, "embeddingDim": MODEL.dim,
        "sampler": SAMPLER,
        "phaseRetrieval": {"size": FEATURES.fft, "hop": FEATURES.hop, "rounds": MODEL.phase_rounds,
                           "momentum": MODEL.phase_momentum},
        "trainingData": {
            "statement": ("Not trained: random weights." if twin else
                          "Music, sound effects and drum samples from Debian's archive, notes of twenty recorded "
                          "instruments, and phrases and notes rendered from five General MIDI soundfonts, whose programme "
                          "numbers served as labels; "
                          "sources, licences and hashes in the card."),
            "hours": 0 if twin else data["hours"], "card": "data-card.json"},
        "graphs": {name: describe(out / f"{name}.onnx") for name in SIGNATURES},
        "quality": {"knn5": {}, "roundTrip": {}, "notes": "not measured"},
        "levels": {"rmsDbfs": [0, 0, 0], "centroidHz": [0, 0, 0]},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--random-seed", type=int)
    for name, default in (("joint", "joint"), ("diffusion", "diffusion"), ("decoder", "decoder-fit")):
        parser.add_argument(f"--{name}", default=default, help="checkpoint name")
    args = parser.parse_args()
    torch.set_num_threads(1)
    names = {k: getattr(args, k) for k in ("joint", "diffusion", "decoder")}
    graphs = trained(args.work, names) if args.random_seed is None else random_twin(args.random_seed, args.work)
    graphs["features"].load_state_dict(load(args.work / "stats.pt"), strict=False)
    for module in graphs.values():
        module.eval()
    fold(graphs["summary"])
    args.out.mkdir(parents=True, exist_ok=True)
    for name, module in graphs.items():
        error = export_graph(name, module, args.out / f"{name}.onnx")
        print(f"{name:9s} max abs error against PyTorch {error:.2e}", flush=True)
    data = card(args.work)
    write_card(args.out / "data-card.json", data)
    write_json(args.out / "pack.json", manifest(args.out, data, args.random_seed))
    total = sum(p.stat().st_size for p in args.out.glob("*.onnx"))
    print(f"pack of {total / 1e6:.2f} MB in {args.out.name}")


if __name__ == "__main__":
    main()
