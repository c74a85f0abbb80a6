"""Measure a pack and write its quality card.

    python evaluate.py --pack PACK --twin RANDOM_PACK --work DIR --instruments DIR_OF_CLASS_FOLDERS [--write]

Everything runs on the exported graphs in ONNX Runtime. The instrument folder is only ever evaluated on.
  knn5       k = 5 nearest neighbours, 5-fold stratified, on one vector per file (mean over its windows)
  cross      rendered notes of a soundfont that was never trained on (DIR/eval-gm, see gm.py) as training set and the
             instrument folder as test set, and the reverse; twelve shared classes; each side standardised on its own
  roundTrip  log-spectral distance (dB) and multi-resolution STFT distance of decoder(features(x)) and of Griffin-Lim on
             the same features
  sonify     level, spectral centroid and cycle cosine of sounds made from embeddings
"""
import argparse
import hashlib
import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import librosa
import numpy as np
import onnxruntime as ort
from sklearn.model_selection import StratifiedKFold
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler

from config import FEATURES
from data import AUDIO, Windows, decode
from export import write_json

RATE, SIZE = FEATURES.sample_rate, FEATURES.window
CLIPS = 12  # per round-trip set: Griffin-Lim is slow

class Pack:
    """The graphs of a pack as functions on numpy arrays."""

    def __init__(self, folder: Path, threads: int = 2):
        self.folder, self.manifest = folder, json.loads((folder / "pack.json").read_text())
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self.sessions = {name: ort.InferenceSession(str(folder / g["file"]), options, providers=["CPUExecutionProvider"])
                         for name, g in self.manifest["graphs"].items()}

    def run(self, name: str, **inputs) -> np.ndarray:
        return self.sessions[name].run(None, inputs)[0]

    def hidden(self, waveforms: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        features = self.run("features", waveform=waveforms)
        return features, self.run("encoder", features=features)

    def embed(self, waveforms: np.ndarray) -> np.ndarray:
        """[B, S] -> z [B, D], in batches of 16."""
        return np.concatenate([self.run("summary", hidden=self.hidden(waveforms[i:i + 16])[1])
                               for i in range(0, len(waveforms), 16)])

    def sample(self, z: np.ndarray, steps: int, guidance: float, seed: int) -> np.ndarray:
        """z [B, D] -> features [B, T, F], by the formulas of the pack contract."""
        b = len(z)
        x = np.random.default_rng(seed).standard_normal((b, FEATURES.frames, FEATURES.mels)).astype(np.float32)
        zero = np.zeros_like(z)
        schedule = np.linspace(1, 0, steps + 1)
        for now, after in zip(schedule[:-1], schedule[1:]):
            sigma = np.full(b, now, np.float32)
            v = self.run("denoiser", features=x, sigma=sigma, z=z)
            if guidance:
                v = v + guidance * (v - self.run("denoiser", features=x, sigma=sigma, z=zero))
            a, s = np.cos(now * np.pi / 2), np.sin(now * np.pi / 2)
            clean, noise = a * x - s * v, s * x + a * v
            x = (np.cos(after * np.pi / 2) * clean + np.sin(after * np.pi / 2) * noise).astype(np.float32)
        return x

    def sonify(self, z: np.ndarray, steps: int, guidance: float, seed: int = 0) -> np.ndarray:
        return np.concatenate([self.run("decoder", features=self.sample(z[i:i + 8], steps, guidance, seed + i))
                               for i in range(0, len(z), 8)])


# ---------------------------------------------------------------- figures of a signal

def rms_dbfs(x: np.ndarray) -> float:
    return float(20 * np.log10(np.sqrt(np.mean(x ** 2)) + 1e-9))


def centroid(x: np.ndarray) -> float:
    """Magnitude-weighted mean frequency over the window, Hz."""
    spectrum = np.abs(librosa.stft(x, n_fft=1024, hop_length=480)).sum(1)
    return float((spectrum * np.fft.rfftfreq(1024, 1 / RATE)).sum() / (spectrum.sum() + 1e-9))


def log_spectral_distance(a: np.ndarray, b: np.ndarray) -> float:
    """Mean over frames of the root-mean-square difference in dB, floor at -80 dB re the reference's peak."""
    spectra = [np.abs(librosa.stft(x, n_fft=1024, hop_length=256)) for x in (a, b)]
    floor = spectra[0].max() * 1e-4
    la, lb = (20 * np.log10(np.maximum(s, floor)) for s in spectra)
    heard = spectra[0].max(0) > floor
    return float(np.sqrt(((la - lb) ** 2).mean(0))[heard].mean()) if heard.any() else 0.0


# ---------------------------------------------------------------- classification

def windows_of(pcm: np.ndarray) -> np.ndarray:
    """int16 file -> [W, S]: consecutive windows; a rest under a second is dropped unless it is all there is."""
    x = pcm.astype(np.float32) / 32768
    count = max(1, len(x) // SIZE + (len(x) % SIZE >= RATE))
    x = np.pad(x, (0, max(0, count * SIZE - len(x))))
    return x[:count * SIZE].reshape(count, SIZE)


def load_instruments(folder: Path, cache: Path, name: str = "instruments") -> tuple[list[np.ndarray], np.ndarray]:
    """Clips and class names; decoded once into `cache` (a folder apart from the training data)."""
    store = cache / f"{name}.npz"
    if not store.exists():
        cache.mkdir(parents=True, exist_ok=True)
        files = sorted(p for p in folder.rglob("*") if p.suffix.lower() in AUDIO)
        with ThreadPoolExecutor(2) as pool:
            clips = list(pool.map(decode, files))
        np.savez(store, pcm=np.concatenate(clips), length=[len(c) for c in clips],
                 label=[p.parent.name for p in files])
    data = np.load(store)
    pcm, ends = data["pcm"], np.cumsum(data["length"])
    return [windows_of(pcm[e - n:e]) for e, n in zip(ends, data["length"])], data["label"]


def log_mel_vector(features: np.ndarray, silence: np.ndarray) -> np.ndarray:
    """Mean and deviation of the audible frames [T, F]."""
    heard = features[(features > silence + 0.05).any(1)]
    heard = heard if len(heard) else features
    return np.concatenate([heard.mean(0), heard.std(0)])


def vectors(pack: Pack, clips: list[np.ndarray], cache: Path) -> dict[str, np.ndarray]:
    """One vector per clip: z, mean-pooled hidden states (audible frames), log-mel statistics.

    Kept in `cache` under the hashes of the graphs and the clips, so a random twin is measured once."""
    key = hashlib.sha256(b"".join(c.tobytes() for c in clips))
    for name in ("features", "encoder", "summary"):
        key.update(pack.manifest["graphs"][name]["sha256"].encode())
    store = cache / f"vectors-{key.hexdigest()[:16]}.npz"
    if store.exists():
        return dict(np.load(store))
    silence = pack.run("features", waveform=np.zeros((1, SIZE), np.float32))[0, 0]
    flat, owner = np.concatenate(clips), np.repeat(np.arange(len(clips)), [len(c) for c in clips])
    out = {"z": [], "pooled": [], "logMel": []}
    for i in range(0, len(flat), 16):
        features, hidden = pack.hidden(flat[i:i + 16])
        out["z"].append(pack.run("summary", hidden=hidden))
        for f, h in zip(features, hidden):
            heard = (f > silence + 0.05).any(1)
            out["pooled"].append(h[heard if heard.any() else slice(None)].mean(0)[None])
            out["logMel"].append(log_mel_vector(f, silence)[None])
    joined = {k: np.concatenate(v) for k, v in out.items()}
    result = {k: np.stack([v[owner == j].mean(0) for j in range(len(clips))]) for k, v in joined.items()}
    np.savez(store, **result)
    return result


def knn_folds(x: np.ndarray, y: np.ndarray, scale: bool) -> float:
    """Accuracy of k = 5, 5 stratified folds, percent."""
    right = []
    for train, test in StratifiedKFold(5, shuffle=True, random_state=0).split(x, y):
        a, b = x[train], x[test]
        if scale:
            scaler = StandardScaler().fit(a)
            a, b = scaler.transform(a), scaler.transform(b)
        right.append(KNeighborsClassifier(5).fit(a, y[train]).predict(b) == y[test])
    return round(100 * float(np.concatenate(right).mean()), 2)


def mfcc_vectors(clips: list[np.ndarray]) -> np.ndarray:
    """Mean and deviation of 20 MFCC and their deltas over audible frames, one vector per file."""
    out = []
    for clip in clips:
        x = clip.reshape(-1)
        mfcc = librosa.feature.mfcc(y=x, sr=RATE, n_mfcc=20, n_fft=1024, hop_length=480)
        both = np.concatenate([mfcc, librosa.feature.delta(mfcc)])
        loud = librosa.feature.rms(y=x, frame_length=1024, hop_length=480)[0] > 1e-4
        both = both[:, loud[:both.shape[1]]] if loud.any() else both
        out.append(np.concatenate([both.mean(1), both.std(1)]))
    return np.stack(out)


def cross(a: np.ndarray, ya: np.ndarray, b: np.ndarray, yb: np.ndarray) -> dict:
    """k = 5 between two collections, each standardised on its own, classes in both; percent, both directions and mean."""
    keep_a, keep_b = np.isin(ya, yb), np.isin(yb, ya)
    a, b = StandardScaler().fit_transform(a[keep_a]), StandardScaler().fit_transform(b[keep_b])
    ya, yb = ya[keep_a], yb[keep_b]
    there, back = KNeighborsClassifier(5).fit(a, ya).score(b, yb), KNeighborsClassifier(5).fit(b, yb).score(a, ya)
    return {"fromMidi": round(100 * there, 2), "toMidi": round(100 * back, 2), "mean": round(50 * (there + back), 2)}


def classification(pack: Pack, twin: Pack, work: Path, folder: Path) -> dict:
    cache = work / "evaluation"
    clips, labels = load_instruments(folder, cache)
    notes, note_labels = load_instruments(work / "eval-gm", cache, "eval-gm")
    ours, theirs = vectors(pack, clips, cache), vectors(twin, clips, cache)
    ours_midi, theirs_midi = vectors(pack, notes, cache), vectors(twin, notes, cache)
    mfcc, mfcc_midi = mfcc_vectors(clips), mfcc_vectors(notes)
    return {
        "files": len(clips), "classes": len(set(labels)),
        "accuracy": knn_folds(ours["z"], labels, False), "randomTwin": knn_folds(theirs["z"], labels, False),
        "pooled": knn_folds(ours["pooled"], labels, True), "pooledRandomTwin": knn_folds(theirs["pooled"], labels, True),
        "logMel": knn_folds(ours["logMel"], labels, True), "mfcc": knn_folds(mfcc, labels, True),
        "cross": {"files": len(notes), "classes": len(set(note_labels)),
                  "z": cross(ours_midi["z"], note_labels, ours["z"], labels),
                  "pooled": cross(ours_midi["pooled"], note_labels, ours["pooled"], labels),
                  "randomTwin": cross(theirs_midi["z"], note_labels, theirs["z"], labels),
                  "logMel": cross(ours_midi["logMel"], note_labels, ours["logMel"], labels),
                  "mfcc": cross(mfcc_midi, note_labels, mfcc, labels)},
    }


# ---------------------------------------------------------------- sound

def griffin_lim(features: np.ndarray, mean: np.ndarray, std: np.ndarray) -> np.ndarray:
    """Baseline decoder: non-negative least squares to a spectrogram, 32 Griffin-Lim iterations."""
    bank = librosa.filters.mel(sr=RATE, n_fft=FEATURES.fft, n_mels=FEATURES.mels, fmin=FEATURES.fmin,
                               fmax=FEATURES.fmax, norm=None)
    bank = bank / bank.sum(1, keepdims=True)
    mel = np.maximum(np.exp(features * std + mean) - FEATURES.floor, 0).T
    magnitude = librosa.util.nnls(bank, mel) * (np.hanning(FEATURES.fft + 1)[:-1].sum() / 2)
    # librosa centres frames on multiples of the hop, the front-end half a hop later: add a frame, drop half a hop
    made = librosa.griffinlim(np.pad(magnitude, ((0, 0), (1, 0)), mode="edge"), n_iter=32, hop_length=FEATURES.hop,
                              n_fft=FEATURES.fft, length=SIZE, random_state=0)
    return np.pad(made[FEATURES.hop // 2:], (0, FEATURES.hop // 2))


def stft_distance(a: np.ndarray, b: np.ndarray) -> float:
    """Multi-resolution STFT distance of b from the reference a: spectral convergence plus mean absolute difference of
    log magnitudes (floor at -80 dB re the reference's peak), mean over three resolutions (arXiv 1910.11480)."""
    total = 0.0
    for size, hop in ((512, 128), (1024, 256), (2048, 512)):
        x, y = (np.abs(librosa.stft(v, n_fft=size, hop_length=hop)) for v in (a, b))
        floor = x.max() * 1e-4
        total += np.linalg.norm(x - y) / (np.linalg.norm(x) + 1e-9)
        total += np.abs(np.log(np.maximum(x, floor)) - np.log(np.maximum(y, floor))).mean()
    return float(total / 3)


def round_trip(pack: Pack, clips: np.ndarray, mean: np.ndarray, std: np.ndarray) -> dict:
    features = pack.run("features", waveform=clips)
    ours = pack.run("decoder", features=features)
    theirs = [griffin_lim(f, mean, std) for f in features]
    again = pack.run("features", waveform=ours)
    average = lambda distance, made: round(float(np.mean([distance(x, y) for x, y in zip(clips, made)])), 3)
    return {"clips": len(clips), "logSpectralDistanceDb": average(log_spectral_distance, ours),
            "griffinLimDb": average(log_spectral_distance, theirs),
            "multiResolution": average(stft_distance, ours), "griffinLimMultiResolution": average(stft_distance, theirs),
            "melErrorDb": round(float((np.abs(again - features) * std).mean() * 8.686), 2)}


def cosine(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return (a * b).sum(-1) / (np.linalg.norm(a, axis=-1) * np.linalg.norm(b, axis=-1) + 1e-9)


def inside(value: float, limits: list[float]) -> bool:
    return limits[0] <= value <= limits[-1]


def sonification(pack: Pack, z: np.ndarray, steps: int, guidance: float, levels: dict) -> dict:
    """Figures of the sounds made from embeddings z; `inRange`: share of them whose level and centroid both lie
    between the 5th and 95th percentile of the training windows."""
    start = time.perf_counter()
    sounds = pack.sonify(z, steps, guidance)
    seconds = time.perf_counter() - start
    back = pack.embed(sounds)
    loudness, brightness = [rms_dbfs(s) for s in sounds], [centroid(s) for s in sounds]
    fitting = [inside(r, levels["rmsDbfs"]) and inside(c, levels["centroidHz"]) for r, c in zip(loudness, brightness)]
    quartiles = lambda v: [round(float(q), 1) for q in np.percentile(v, [5, 50, 95])]
    return {"count": len(z), "steps": steps, "guidance": guidance, "finite": bool(np.isfinite(sounds).all()),
            "peak": round(float(np.abs(sounds).max()), 3),
            "clippedShare": round(float((np.abs(sounds).max(1) > 1).mean()), 3),
            "inRange": round(float(np.mean(fitting)), 3), "rmsDbfs": quartiles(loudness), "centroidHz": quartiles(brightness),
            "cycleCosine": round(float(cosine(z, back).mean()), 4),
            "cycleCosineToOthers": round(float(cosine(z, np.roll(back, 1, 0)).mean()), 4),
            "secondsEachInBatchesOf8": round(seconds / len(z), 2)}


def speed(pack: Pack) -> dict:
    """Windows embedded per second on two threads (batch 8) and milliseconds for one sonification, both from the
    process's CPU time, so that other work on the machine does not count."""
    x = np.random.default_rng(0).standard_normal((8, SIZE)).astype(np.float32) * 0.1
    pack.embed(x)
    times = []
    for _ in range(5):
        start = time.process_time()
        pack.embed(x)
        times.append(time.process_time() - start)
    sampler = pack.manifest["sampler"]
    z, sonify = np.random.default_rng(0).standard_normal((1, 256)).astype(np.float32), []
    for _ in range(3):
        start = time.process_time()
        pack.sonify(z, sampler["steps"], sampler["guidance"])
        sonify.append(time.process_time() - start)
    return {"windowsPerSecond": round(8 / (min(times) / 2), 1), "sonifyMs": round(1000 * min(sonify) / 2)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pack", type=Path, required=True)
    parser.add_argument("--twin", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--instruments", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--guidance", type=float, nargs="+", default=[0.0, 0.5, 1.0],
                        help="values tried; unclipped, most often in range, then best cycle cosine goes into the card")
    parser.add_argument("--only", choices=["knn", "levels"], help="print classification, or write the levels, alone")
    parser.add_argument("--write", action="store_true", help="write the figures into pack.json")
    args = parser.parse_args()
    import torch
    stats = torch.load(args.work / "stats.pt")
    mean, std = stats["mean"].numpy(), stats["std"].numpy()
    pack, twin = Pack(args.pack), Pack(args.twin)
    training = Windows(args.work, 1234).batch(96)
    levels = {"rmsDbfs": [round(float(v), 1) for v in np.percentile([rms_dbfs(x) for x in training], [5, 50, 95])],
              "centroidHz": [round(float(v)) for v in np.percentile([centroid(x) for x in training], [5, 50, 95])]}
    if args.only == "levels":
        pack.manifest["levels"] = levels
        return write_json(args.pack / "pack.json", pack.manifest)
    knn = classification(pack, twin, args.work, args.instruments)
    print(json.dumps(knn), flush=True)
    if args.only:
        return
    clips, _ = load_instruments(args.instruments, args.work / "evaluation")
    unseen = np.stack([c[0] for c in clips[::13]])
    trips = {"trainingWindows": round_trip(pack, training[:CLIPS], mean, std),
             "instruments": round_trip(pack, unseen[:CLIPS], mean, std)}
    print(json.dumps({"levels": levels, "roundTrip": trips}), flush=True)
    z = pack.embed(np.concatenate([training[:8], unseen[:8]]))
    tried = [sonification(pack, z, args.steps, g, levels) for g in args.guidance]
    for t in tried:
        print(json.dumps(t), flush=True)
    best = max(tried, key=lambda t: (t["clippedShare"] == 0, t["inRange"], t["cycleCosine"]))
    timing = speed(pack)
    print(json.dumps(timing), flush=True)
    if args.write:
        pack.manifest["levels"] = levels
        pack.manifest["quality"] = {
            "knn5": {"philharmonia": knn}, "roundTrip": trips, "cycleCosine": best["cycleCosine"],
            "sonification": best, "speedTwoThreads": timing,
            "notes": ("knn5: percent, 5 stratified folds, one vector per file; 'pooled' is the mean of the encoder's "
                      "hidden states over audible frames; 'cross' goes between rendered notes of TimGM6mb and the real "
                      "instruments, twelve shared classes. roundTrip: distances from the input. Neither the instruments nor "
                      "that soundfont were trained on.")}
        write_json(args.pack / "pack.json", pack.manifest)


if __name__ == "__main__":
    main()
