"""Makes the prepared data of data.py again out of the parts that have arrived."""
import io
import json
import os
import tarfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np

RATE = 24_000


def read(task: tuple[str, str]) -> tuple[list[dict], bytes]:
    """One piece: its entries, and its audio as int16."""
    import soundfile
    listed, audio = Path(task[0]), Path(task[1])
    samples, rate = soundfile.read(io.BytesIO(audio.read_bytes()), dtype="float32")
    if rate != RATE:
        raise ValueError(f"{audio}: {rate} Hz instead of {RATE}")
    entries = json.loads(listed.read_text())
    wanted = max(e["offset"] + e["length"] for e in entries)
    if len(samples) < wanted - RATE // 20:
        raise ValueError(f"{audio}: {len(samples)} samples instead of {wanted}")
    samples = np.pad(samples, (0, max(0, wanted - len(samples))))
    return entries, np.clip(np.rint(samples * 32768), -32768, 32767).astype(np.int16)[:wanted].tobytes()


def unpack(parts: Path, work: Path, jobs: int = 16) -> dict[str, float]:
    """PARTS/part-*.tar -> WORK/pcm (training) and WORK/dev; returns hours by collection. Done once: a second call reads what is there."""
    done = work / "unpacked.json"
    if done.exists():
        return json.loads(done.read_text())
    found = sorted(parts.glob("part-*.tar"))
    if not found:
        raise FileNotFoundError(f"no part-NN.tar in {parts}")
    raw = work / "raw"
    for part in found:
        with tarfile.open(part) as tar:
            tar.extractall(raw, filter="data")
    hours: dict[str, float] = {}
    with ProcessPoolExecutor(jobs) as pool:
        for folder in sorted(p for p in raw.iterdir() if p.is_dir()):
            tasks = [(str(p), str(p.with_suffix(".ogg"))) for p in sorted(folder.glob("*.json")) if p.with_suffix(".ogg").exists()]
            target = work / ("dev" if folder.name.startswith("dev-") else "pcm")
            target.mkdir(parents=True, exist_ok=True)
            entries, offset = [], 0
            with (target / f"{folder.name}.i16").open("wb") as file:
                for own, pcm in pool.map(read, tasks):
                    entries += [dict(e, collection=folder.name, offset=offset + e["offset"], seconds=round(e["length"] / RATE, 3))
                                for e in own]
                    file.write(pcm)
                    offset += len(pcm) // 2
            (target / f"{folder.name}.json").write_text(json.dumps(entries))
            hours[folder.name] = round(offset / RATE / 3600, 3)
    part = done.with_suffix(".part")
    part.write_text(json.dumps(hours))
    os.replace(part, done)
    return hours
