"""The summary's last network, trained on cached outputs of the frozen encoder.

    python train_head.py --work DIR --start encoder      -> DIR/head.pt (a checkpoint like train_encoder.py's)

Same tasks for z as in train_encoder.py. A crop's class token, mean and deviation are computed once; the network on
top of them then sees thousands of crops in every step, where end-to-end steps see a hundred.
"""
import torch
import torch.nn.functional as F

from common import CONFIG, arguments, load, log, save
from config import TRAIN
from data import Windows
from features import LogMel
from train_encoder import Batches, Joint, class_loss, content_targets, track_loss


@torch.no_grad()
def cache(args, model: Joint, stats: dict, seed: int, batches: int) -> dict:
    """Parts, labels and content targets of many crops; pairs of one track lie side by side."""
    make = Batches(args.work, seed, stats["mean"], stats["std"])
    out = {k: [] for k in ("parts", "labels", "content", "pitched", "pairs", "pair_content")}
    for k in range(batches):
        batch = make()
        with torch.autocast("cpu", torch.bfloat16, enabled=args.bf16):
            parts = model.summary.parts(model.mae.encoder.tokens(batch["features"])).float()
        content, rows = content_targets(batch["features"], batch["chroma"], batch["heard"]), len(batch["labels"])
        out["parts"].append(parts[:rows])
        out["labels"].append(batch["labels"])
        out["content"].append(content[:rows])
        out["pitched"].append(batch["pitched"][:rows])
        out["pairs"].append(torch.stack(parts[rows:].chunk(2), 1))
        out["pair_content"].append(torch.stack(content[rows:].chunk(2), 1))
        if k % 40 == 39:
            print(f"cached {k + 1} batches", flush=True)
    return {k: torch.cat(v) for k, v in out.items()}


@torch.no_grad()
def calibrate(model: Joint, work, stats: dict, seed: int) -> None:
    """Standardise z by its mean and deviation over training windows as the application cuts them."""
    mel, windows, raws = LogMel(), Windows(work, seed), []
    mel.load_state_dict(stats, strict=False)
    for _ in range(TRAIN.calibration_windows // 16):
        raws.append(model.summary.raw(model.mae.encoder(mel(torch.from_numpy(windows.batch(16))))))
    raw = torch.cat(raws)
    model.summary.standardise.running_mean.copy_(raw.mean(0))
    model.summary.standardise.running_var.copy_(raw.var(0).clamp(min=1e-8))


def main() -> None:
    args = arguments(__doc__, 0, "start")
    torch.manual_seed(TRAIN.seed)
    state, stats = load(args.work / f"{args.start or 'encoder'}.pt"), load(args.work / "stats.pt")
    model = Joint()
    model.load_state_dict(state["average"], strict=False)
    model.eval()
    store = args.work / f"{args.name or 'head'}-cache.pt"
    data = load(store)
    if data is None or data["step"] != state["step"]:
        data = dict(cache(args, model, stats, TRAIN.seed + 71, TRAIN.head_batches), step=state["step"])
        save(store, data)
    held = len(data["parts"]) // 10
    summary = model.summary
    trained = [*summary.refine.parameters(), *summary.pool.parameters(), *summary.output.parameters(), model.classes,
               *model.content_head.parameters()]
    optimiser = torch.optim.AdamW(trained, lr=TRAIN.head_lr, weight_decay=TRAIN.head_decay)
    steps = TRAIN.head_passes * (len(data["parts"]) - held) // TRAIN.head_rows
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, TRAIN.head_lr, total_steps=steps)
    model.train()
    for step in range(steps):
        rows = torch.randint(held, len(data["parts"]), (TRAIN.head_rows,))
        pairs = torch.randint(0, len(data["pairs"]), (TRAIN.head_rows // 6,))
        parts = torch.cat([data["parts"][rows], data["pairs"][pairs, 0], data["pairs"][pairs, 1]])
        parts = F.dropout(parts, 0.1)
        z = summary.standardise(summary.combine(parts))
        programs, accuracy = class_loss(z[:len(rows)], model.classes, data["labels"][rows])
        tracks = track_loss(z[len(rows):])
        wanted = torch.cat([data["content"][rows], data["pair_content"][pairs, 0], data["pair_content"][pairs, 1]])
        content = F.smooth_l1_loss(model.content_head(z), wanted)
        loss = TRAIN.class_weight * programs + TRAIN.track_weight * tracks + TRAIN.content_weight * content
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 2.0)
        optimiser.step()
        schedule.step()
        if step % 50 == 0 or step + 1 == steps:
            model.eval()
            with torch.no_grad():
                held_z = summary.standardise(summary.combine(data["parts"][:held]))
                held_loss, held_accuracy = class_loss(held_z, model.classes, data["labels"][:held])
            model.train()
            log(args.work, args.name or "head", step=step, programs=programs.item(), accuracy=accuracy, tracks=tracks.item(),
                content=content.item(), heldPrograms=held_loss.item(), heldAccuracy=held_accuracy)
    model.eval()
    calibrate(model, args.work, stats, TRAIN.seed + 97)
    save(args.work / f"{args.name or 'head'}.pt", dict(average=model.state_dict(), step=state["step"], seconds=state["seconds"],
                                                      config=CONFIG))


if __name__ == "__main__":
    main()
