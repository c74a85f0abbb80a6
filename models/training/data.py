"""Data: fetch packages, decode audio to 24 kHz mono int16, and draw training windows.

    python data.py --work DIR [--against DIR …]

Each step skips what is already there. The result in DIR/pcm is one `.i16` file per collection and beside it a list of
entries with source, licence, hash and position. What may be trained on is decided by `licences.py`, file by file; nothing
else is written here, and nothing else is read.
"""
import argparse
import hashlib
import json
import random
import subprocess
import tarfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

import collect
import gm
import licences
import sources
from config import FEATURES, TRAIN

# soundfont -> (package, file, licence); the notes and phrases are the same for all of them
SOUNDFONTS = {
    "fluidr3": ("fluid-soundfont-gm", "FluidR3_GM.sf2", "MIT"),
    "musescore": ("musescore-general-soundfont-lossless", "MuseScore_General_Full.sf2", "MIT"),
    "gmbank": ("csound-soundfont", "sf_GMbank.sf2", "public-domain"),
    "opl3": ("opl3-soundfont", "OPL-3_FM_128M.sf2", "CC-BY-SA-4.0"),
    "generaluser": ("minuet-data", "GeneralUser-v1.47.sf2", "GeneralUser GS 2.0"),
}
NPM_SOUNDFONTS = {"sonivox": ("@coderline/alphatab@1.8.4", "sonivox.sf2", "Apache-2.0")}
# recorded single notes of real instruments: npm packages tonejs-instrument-NAME-mp3, version and programme of each.
# Sources by their sample-source-info.txt: VSCO 2 CE, Karoryfer, University of Iowa, Freesound; none of them Philharmonia.
RECORDED = {"bass-electric": ("1.1.2", 33), "bassoon": ("1.1.2", 70), "cello": ("1.1.1", 42), "clarinet": ("1.1.2", 71),
            "contrabass": ("1.1.2", 43), "flute": ("1.1.2", 73), "french-horn": ("1.1.2", 60),
            "guitar-acoustic": ("1.1.2", 25), "guitar-electric": ("1.1.1", 27), "guitar-nylon": ("1.1.1", 24),
            "harmonium": ("1.1.1", 20), "harp": ("1.1.1", 46), "organ": ("1.1.1", 19), "piano": ("1.1.2", 0),
            "saxophone": ("1.1.2", 65), "trombone": ("1.1.2", 57), "trumpet": ("1.1.2", 56), "tuba": ("1.1.2", 58),
            "violin": ("1.1.1", 40), "xylophone": ("1.1.2", 13)}
RECORDED_LICENCE = "CC-BY-3.0"
VALIDATION_FONT = "generaluser"  # never trained on: its author cannot vouch for every sample's origin
EVALUATION_FONT = ("timgm6mb-soundfont", "TimGM6mb.sf2")  # never trained on, nor looked at for choices
AUDIO = {".ogg", ".oga", ".opus", ".flac", ".wav", ".mp3"}
RATE = FEATURES.sample_rate


def run(*command: str, cwd: Path | None = None) -> None:
    subprocess.run(command, cwd=cwd, check=True, stdout=subprocess.DEVNULL)


def sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as f:
        while block := f.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


# ---------------------------------------------------------------- fetching

def fetch(work: Path, package: str) -> tuple[Path, str]:
    """Download and unpack a Debian package without installing it; returns (folder, version)."""
    debs, folder = work / "debs", work / "x" / package
    debs.mkdir(parents=True, exist_ok=True)
    if not list(debs.glob(f"{package}_*.deb")):
        run("apt-get", "download", package, cwd=debs)
    deb = sorted(debs.glob(f"{package}_*.deb"))[-1]
    if not folder.exists():
        part = folder.with_name(package + ".part")
        run("dpkg", "-x", str(deb), str(part))
        part.rename(folder)
    version = subprocess.run(["dpkg-deb", "-f", str(deb), "Version"], check=True, capture_output=True, text=True)
    return folder, version.stdout.strip()


def fetch_npm(work: Path, package: str) -> tuple[Path, str]:
    """Download and unpack an npm package ("name@version") without installing it; returns (folder, version)."""
    name, version = package.rsplit("@", 1)
    folder = work / "x" / f"npm-{name.replace('/', '-').lstrip('@')}"
    if not folder.exists():
        part = folder.with_name(folder.name + ".part")
        part.mkdir(parents=True, exist_ok=True)
        run("npm", "pack", package, "--silent", "--pack-destination", str(part), cwd=part)
        with tarfile.open(next(part.glob("*.tgz"))) as tar:
            tar.extractall(part, filter="data")
        part.rename(folder)
    return folder, version


# ---------------------------------------------------------------- decoding

def decode(path: Path) -> np.ndarray:
    """Any audio file as mono int16 at 24 kHz; empty if ffmpeg cannot read it."""
    done = subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-i", str(path), "-map", "0:a:0", "-ac", "1",
                           "-ar", str(RATE), "-f", "s16le", "-"], capture_output=True)
    return np.frombuffer(done.stdout[:len(done.stdout) // 2 * 2], np.int16)


def usable(pcm: np.ndarray) -> bool:
    return len(pcm) >= RATE // 20 and int(np.abs(pcm[:RATE * 60].astype(np.int32)).max()) > 300


class Writer:
    """Appends PCM to one file per collection and keeps its index; the index file appears when all is written."""

    def __init__(self, folder: Path, *collections: str):
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.index = folder, {c: [] for c in collections}
        self.files = {c: (folder / f"{c}.i16").open("wb") for c in collections}

    def add(self, collection: str, pcm: np.ndarray, **entry) -> None:
        terms = licences.allowed(entry["licence"])
        if terms is None and entry.get("font") != VALIDATION_FONT:
            raise sources.Refused(f"{entry['package']}: {entry['licence']} is no licence to train on")
        entry["terms"] = terms.name if terms else None
        offset = self.files[collection].tell() // 2
        self.files[collection].write(pcm.tobytes())
        self.index[collection].append(dict(collection=collection, offset=offset, length=len(pcm),
                                           seconds=round(len(pcm) / RATE, 3), **entry))

    def close(self) -> None:
        for collection, f in self.files.items():
            f.close()
            part = self.folder / f"{collection}.part"
            part.write_text(json.dumps(self.index[collection], indent=0))
            part.rename(self.folder / f"{collection}.json")


def prepare_files(work: Path, against: list[Path], pool: ThreadPoolExecutor) -> None:
    """Collections `music` and `samples`: what `collect.take` takes, in the order of the packages."""
    if all((work / "pcm" / f"{c}.json").exists() for c in ("music", "samples")):
        return
    taken = work / "taken.json"
    if not taken.exists():
        taken.write_text(json.dumps(collect.take(work, sources.DEBIAN, against), indent=0))
    entries = json.loads(taken.read_text())["files"]
    writer = Writer(work / "pcm", "music", "samples")
    paths = [work / "audio" / e["package"] / e["path"] for e in entries]
    for entry, audio in zip(entries, pool.map(decode, paths)):
        collection = "samples" if len(audio) <= collect.SHORT_SECONDS * RATE else "music"
        fields = {k: v for k, v in entry.items() if k not in ("seconds", "terms")}
        writer.add(collection, audio[:int(collect.MOST_SECONDS * RATE)], group=f"{entry['package']}/{entry['path']}", **fields)
    writer.close()


def font_source(work: Path, name: str) -> tuple[Path, dict]:
    """Fetch a soundfont; its file and what every entry made with it says of its source."""
    package, file, licence = (SOUNDFONTS | NPM_SOUNDFONTS)[name]
    folder, version = (fetch_npm if name in NPM_SOUNDFONTS else fetch)(work, package)
    package = package.rsplit("@", 1)[0] if name in NPM_SOUNDFONTS else package
    font = next(folder.rglob(file))
    return font, dict(package=package, version=version, licence=licence, licenceBasis="file", font=name,
                      path=str(font.relative_to(folder)), sha256=sha256(font))


def prepare_font(work: Path, name: str, pool: ThreadPoolExecutor) -> None:
    """Collections `gm-notes-NAME` and `gm-phrases-NAME` rendered from one soundfont."""
    kinds = ("gm-notes", "gm-phrases")
    if all((work / "pcm" / f"{k}-{name}.json").exists() for k in kinds):
        return
    font, source = font_source(work, name)
    writer = Writer(work / "pcm", *(f"{k}-{name}" for k in kinds))
    for kind in kinds:
        programs = gm.PROGRAMS
        renders = pool.map(lambda p: decode(gm.render(font, work / "gm" / name, p, kind, TRAIN.seed)), programs)
        for program, audio in zip(programs, renders):
            step = int(gm.SLOT_SECONDS * RATE) if kind == "gm-notes" else len(audio)
            for k in range(gm.NOTES_PER_PROGRAM if kind == "gm-notes" else 1):
                piece = audio[k * step:(k + 1) * step]
                if usable(piece):
                    writer.add(f"{kind}-{name}", piece, group=f"gm/{program}", program=program, **source)
    writer.close()


def prepare_drums(work: Path, name: str, pool: ThreadPoolExecutor) -> None:
    """Collection `gm-drums-NAME`: single drums of a soundfont's kits, each with its kind. Of a kit it lacks it plays another one: what
    differs by level alone is left out, what a sampler changes with velocity besides is not."""
    collection = f"gm-drums-{name}"
    if (work / "pcm" / f"{collection}.json").exists():
        return
    font, source = font_source(work, name)
    writer, seen, step = Writer(work / "pcm", collection), set(), int(gm.DRUM_SLOT_SECONDS * RATE)
    renders = pool.map(lambda kit: decode(gm.render(font, work / "gm" / name, kit, "gm-drums", TRAIN.seed)), gm.DRUM_KITS)
    for kit, audio in zip(gm.DRUM_KITS, renders):
        for k, (kind, key, _) in enumerate(gm.drum_notes(kit, random.Random(TRAIN.seed * 1000 + kit))):
            piece = audio[k * step:(k + 1) * step]
            shape = piece.astype(np.float32) / max(1, int(np.abs(piece.astype(np.int32)).max()))
            same = (key, np.round(shape[:RATE // 4] * 16).astype(np.int8).tobytes())  # at another velocity, so another level
            if usable(piece) and same not in seen:
                seen.add(same)
                writer.add(collection, piece, group=f"gm-drums/{kind}", drum=kind, kit=kit, **source)
    writer.close()


def prepare_recorded(work: Path, pool: ThreadPoolExecutor) -> None:
    """Collection `gm-notes-recorded`: real instruments' notes, filed under the programme of their name."""
    if (work / "pcm" / "gm-notes-recorded.json").exists():
        return
    writer = Writer(work / "pcm", "gm-notes-recorded")
    for name, (version, program) in RECORDED.items():
        package = f"tonejs-instrument-{name}-mp3"
        folder, _ = fetch_npm(work, f"{package}@{version}")
        files = sorted(folder.rglob("*.mp3"))
        for path, audio in zip(files, pool.map(decode, files)):
            if usable(audio):
                writer.add("gm-notes-recorded", trimmed(audio), group=f"gm/{program}", program=program, package=package,
                           version=version, path=str(path.relative_to(folder)), licence=RECORDED_LICENCE, licenceBasis="package",
                           font="recorded", sha256=sha256(path))
    writer.close()


def trimmed(pcm: np.ndarray) -> np.ndarray:
    """Without what lies before the first sample 40 dB below the peak."""
    loud = np.abs(pcm.astype(np.int32))
    return pcm[max(0, int(np.argmax(loud > loud.max() // 100)) - RATE // 100):]


def prepare(work: Path, against: list[Path], jobs: int = 2) -> None:
    """The whole preparation, deterministic in order; finished collections are skipped."""
    with ThreadPoolExecutor(jobs) as pool:
        prepare_files(work, against, pool)
        for name in SOUNDFONTS | NPM_SOUNDFONTS:
            prepare_font(work, name, pool)
            prepare_drums(work, name, pool)
        prepare_recorded(work, pool)
    folder, _ = fetch(work, EVALUATION_FONT[0])
    if not (work / "eval-gm").exists():
        gm.evaluation_set(next(folder.rglob(EVALUATION_FONT[1])), work / "eval-gm")


def load_index(work: Path, validation: bool = False) -> list[dict]:
    """Every entry of the training collections, or of the validation soundfont.

    Raises sources.Refused where a folder was prepared with audio that is no longer taken."""
    parts = sorted((work / "pcm").glob("*.json"))
    found = [e for p in parts for e in json.loads(p.read_text()) if (e.get("font") == VALIDATION_FONT) == validation]
    refused = {f"{e['package']} ({e['licence']})" for e in found if not validation and licences.allowed(e["licence"]) is None}
    if refused:
        raise sources.Refused(f"prepared with what is no longer trained on: {', '.join(sorted(refused))}; remove {work / 'pcm'}")
    return found


# ---------------------------------------------------------------- drawing windows

def open_pcm(work: Path, collection: str) -> np.memmap:
    return np.memmap(work / "pcm" / f"{collection}.i16", np.int16, "r")


# of the other soundfonts' weight: a synthesiser chip's idea of each instrument; a small bank; real recordings
FONT_SHARE = {"opl3": 0.3, "sonivox": 0.6, "recorded": 1.8}


class Drawing:
    """Which entry to train on next, seeded: balanced by kind of collection, soundfont and duration."""

    def __init__(self, work: Path, seed: int, mix: dict | None = None):
        self.rng = np.random.default_rng(seed)
        self.index = load_index(work)
        mix = mix or TRAIN.mix
        self.entries, self.groups, self.programs, self.drums = {}, {}, {}, {}
        for e in self.index:
            self.entries.setdefault(e["collection"], []).append(e)
            self.groups.setdefault((e["collection"].split("-")[0], e["group"]), []).append(e)
            if "program" in e:
                self.programs.setdefault(e["program"], {}).setdefault(e["collection"], []).append(e)
            if "drum" in e:
                self.drums.setdefault(e["drum"], {}).setdefault(e["collection"], []).append(e)
        self.collections = list(self.entries)
        kinds = [next(k for k in mix if c.startswith(k)) for c in self.collections]
        fonts = np.array([FONT_SHARE.get(self.entries[c][0].get("font"), 1.0) for c in self.collections])
        self.weights = np.array([mix[k] * w / sum(v for j, v in zip(kinds, fonts) if j == k) for k, w in zip(kinds, fonts)])
        self.weights /= self.weights.sum()
        self.shares = {c: self._shares(c) for c in self.collections}

    def _shares(self, collection: str) -> np.ndarray:
        return collect.shares_by_source(self.entries[collection], 300.0 if collection == "music" else 2.0)

    def pick(self, collection: str | None = None) -> dict:
        if collection is None:
            collection = self.collections[self.rng.choice(len(self.collections), p=self.weights)]
        entries = self.entries[collection]
        return entries[self.rng.choice(len(entries), p=self.shares[collection])]

    def pick_program(self, program: int, phrases: float) -> dict:
        """A note, or with probability `phrases` a phrase, of a programme: soundfont first, then the entry."""
        kind = "gm-phrases" if self.rng.random() < phrases else "gm-notes"
        own = self.programs[program]
        found = [c for c in own if c.startswith(kind)] or list(own)  # recorded instruments play no phrases
        return self.of_font({c: own[c] for c in found})

    def pick_drum(self, kind: str) -> dict:
        """A single drum of a kind."""
        return self.of_font(self.drums[kind])

    def of_font(self, collections: dict[str, list[dict]]) -> dict:
        """Soundfont first, by its share, then any entry."""
        found = list(collections)
        share = np.array([FONT_SHARE.get(c.rsplit("-", 1)[1], 1.0) for c in found])
        entries = collections[found[self.rng.choice(len(found), p=share / share.sum())]]
        return entries[self.rng.integers(len(entries))]


class Windows(Drawing):
    """Random training windows.

    Short material starts at the window's start and is followed by digital silence, as the
    application pads one-shot samples; a share of long material is cut short the same way."""

    def __init__(self, work: Path, seed: int, samples: int | None = None, mix: dict | None = None):
        super().__init__(work, seed, mix)
        self.samples = samples or FEATURES.window
        self.pcm = {c: open_pcm(work, c) for c in self.collections}

    def cut(self, entry: dict, augment: bool = True) -> np.ndarray:
        """One window [S] in [-1, 1] of an entry."""
        rng, size = self.rng, self.samples
        pcm = self.pcm[entry["collection"]][entry["offset"]:entry["offset"] + entry["length"]]
        short = entry["length"] < size
        start = 0 if short else rng.integers(0, entry["length"] - size + 1)
        length = min(size, entry["length"])
        if not short and augment and rng.random() < 0.08:
            length = int(size * rng.uniform(0.06, 0.9))
        out = np.zeros(size, np.float32)
        out[:length] = pcm[start:start + length].astype(np.float32) / 32768.0
        if augment:
            out *= self.gain(out)
        return out

    def gain(self, x: np.ndarray) -> float:
        """A random gain of -9..+6 dB that does not clip."""
        peak = float(np.abs(x).max())
        wanted = 10 ** (self.rng.uniform(-9, 6) / 20)
        return min(wanted, 0.98 / peak) if peak > 0 else 1.0

    def audible(self, entry: dict, tries: int = 4) -> np.ndarray:
        """A window that is not silent, if `tries` cuts find one."""
        for _ in range(tries):
            x = self.cut(entry)
            if np.sqrt(np.mean(x[:FEATURES.sample_rate] ** 2)) > 1e-3:
                break
        return x

    def batch(self, size: int) -> np.ndarray:
        """Waveforms [size, S]."""
        return np.stack([self.audible(self.pick()) for _ in range(size)])

    def pairs(self, size: int) -> np.ndarray:
        """Waveforms [2 * size, S]: rows i and i + size come from the same track (file or GM programme)."""
        first, second = [], []
        for _ in range(size):
            entry = self.pick()
            mates = self.groups[(entry["collection"].split("-")[0], entry["group"])]
            mate = mates[self.rng.integers(len(mates))]
            first.append(self.audible(entry))
            second.append(self.audible(mate))
        return np.stack(first + second)


def data_hash(work: Path) -> str:
    """sha256 over every source hash and position: identifies the training data."""
    index = load_index(work)
    keys = [(e["collection"], e["package"], e["path"], e["sha256"], e["offset"], e["length"]) for e in index]
    return hashlib.sha256(json.dumps(keys).encode()).hexdigest()


def card(work: Path) -> dict:
    """The data card: one row per source file (GM renders count under their soundfont), hours by licence, whom to name, and the
    licence of the weights that follows."""
    rows: dict = {}
    for e in load_index(work):
        key = (e["package"], e["path"], e["collection"])
        row = rows.setdefault(key, dict(package=e["package"], version=e["version"], path=e["path"], licence=e["licence"],
                                        terms=e["terms"], licenceBasis=e["licenceBasis"], copyright=e.get("copyright", ""),
                                        sha256=e["sha256"], seconds=0.0, collection=e["collection"]))
        row["seconds"] = round(row["seconds"] + e["seconds"], 3)
    hours: dict = {}
    for row in rows.values():
        hours[row["terms"]] = hours.get(row["terms"], 0.0) + row["seconds"] / 3600
    used = [licences.allowed(row["licence"]) for row in rows.values()]
    return dict(schema="archetone.data-card/2", dataHash=data_hash(work),
                hours=round(sum(row["seconds"] for row in rows.values()) / 3600, 2),
                hoursByLicence={k: round(v, 3) for k, v in sorted(hours.items())},
                weightsLicence=licences.weights_licence(used), attribution=attribution(list(rows.values())),
                note="Licences are those of debian/copyright (licenceBasis 'file': a stanza names the file; 'package': the "
                     "package's default) or of the npm package; `terms` is what was made use of. General MIDI material was "
                     "rendered with fluidsynth from the soundfont named in its row, by gm.py; recorded notes are files.",
                files=sorted(rows.values(), key=lambda r: (r["package"], r["path"], r["collection"])))


def attribution(rows: list[dict]) -> list[dict]:
    """Whom to name: of every package whose licence asks for it, the holders by licence, as its copyright file words them."""
    named: dict = {}
    for row in rows:
        terms = licences.allowed(row["licence"])
        if terms and terms.attribution:
            named.setdefault((row["package"], row["version"], terms.name), set()).add(row["copyright"] or row["package"])
    return [dict(package=p, version=v, licence=name, holders=sorted(holders)) for (p, v, name), holders in sorted(named.items())]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--against", nargs="*", type=Path, default=[], help="folders the pack is judged on: their like is left out")
    args = parser.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    prepare(args.work.resolve(), [folder.resolve() for folder in args.against])
    found = card(args.work)
    print(json.dumps({k: v for k, v in found.items() if k not in ("files", "attribution")}, indent=1))


if __name__ == "__main__":
    main()
