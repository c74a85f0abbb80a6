"""Fetch packages, decide file by file what may be trained on, and say what is at hand.

    python collect.py inventory --work DIR [--packages NAME …]      hours and one-shots by licence: DIR/inventory.{json,md}
    python collect.py take --work DIR [--against DIR …]             the files to train on: DIR/taken.json

Nothing is installed: only audio and debian/copyright are read out of the archives. A second run takes up where the first ended.
`--against` names folders of audio (what the pack is judged on): a file that sounds like one of theirs is left out.
"""
import argparse
import hashlib
import io
import json
import os
import subprocess
import tarfile
import zipfile
from pathlib import Path

import numpy as np

import licences
import sources

AUDIO = {".ogg", ".oga", ".opus", ".flac", ".wav", ".mp3", ".aif", ".aiff", ".au"}
ARCHIVES = {".pk3", ".zip", ".ocd", ".ocg"}
SHORT_SECONDS = 12.0  # up to this length a file is a one-shot or a loop, above it music
MOST_SECONDS = 1200.0  # of one file: an hour of one recording is no more music than twenty minutes of it
LONGEST_PATH = 200


# ---------------------------------------------------------------- reading archives

def deb_of(work: Path, package: str) -> Path:
    """The package's archive, downloaded by apt if it is not there."""
    folder = work / "debs"
    folder.mkdir(parents=True, exist_ok=True)
    if not list(folder.glob(f"{package}_*.deb")):
        subprocess.run(["apt-get", "download", package], cwd=folder, check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
    return sorted(folder.glob(f"{package}_*.deb"))[-1]


def unpack(work: Path, package: str) -> tuple[Path, str]:
    """Audio and debian/copyright of a Debian package; returns (folder, version)."""
    deb, folder = deb_of(work, package), work / "audio" / package
    if not folder.exists():
        part = folder.with_name(package + ".part")
        part.mkdir(parents=True, exist_ok=True)
        with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", str(deb)], stdout=subprocess.PIPE) as process:
            with tarfile.open(fileobj=process.stdout, mode="r|") as tar:
                for member in tar:
                    name = member.name.removeprefix("./")
                    if member.isfile() and (name.endswith("/copyright") or Path(name).suffix.lower() in AUDIO | ARCHIVES):
                        write_member(part, name, tar.extractfile(member).read())
        part.rename(folder)
    version = subprocess.run(["dpkg-deb", "-f", str(deb), "Version"], check=True, capture_output=True, text=True)
    return folder, version.stdout.strip()


def write_member(folder: Path, name: str, data: bytes) -> None:
    """A file below the folder, never outside of it; archives are opened."""
    target = (folder / name).resolve()
    if not target.is_relative_to(folder.resolve()) or len(name) > LONGEST_PATH:
        return
    if target.suffix.lower() in ARCHIVES:
        if not zipfile.is_zipfile(io.BytesIO(data)):
            return
        with zipfile.ZipFile(io.BytesIO(data)) as inner:
            for entry in inner.namelist():
                if Path(entry).suffix.lower() in AUDIO:
                    write_member(folder, f"{name}.d/{entry}", inner.read(entry))
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(data)


def files_of(work: Path, package: str) -> list[dict]:
    """Every audio file of a package with the decision on its licence."""
    folder, version = unpack(work, package)
    texts = sorted(folder.glob("usr/share/doc/*/copyright"))
    stanzas = stanzas_of(package, texts[0].read_bytes()) if texts else []
    rows = []
    for path in sorted(p for p in folder.rglob("*") if p.is_file() and p.suffix.lower() in AUDIO):
        relative = path.relative_to(folder).as_posix()
        decision = licences.decide(relative.replace(".pk3.d/", "/").replace(".zip.d/", "/"), stanzas)
        rows.append(dict(package=package, version=version, path=relative, licence=decision.licence,
                         terms=decision.terms.name if decision.terms else None, licenceBasis=decision.basis,
                         copyright=decision.copyright, seconds=seconds_of(path)))
    return [row for row in rows if row["seconds"] > 0]


def stanzas_of(package: str, text: bytes) -> list[licences.Stanza]:
    """What debian/copyright says; free text as it was read by hand, as long as it is the very same."""
    read = sources.READ.get(package)
    if read and hashlib.sha256(text).hexdigest() == read.sha256:
        return [licences.Stanza(("*",), read.licence, read.holders)]
    return licences.parse_copyright(text.decode(errors="replace"))


def seconds_of(path: Path) -> float:
    """Length of an audio file by its header; 0 where nothing can be read."""
    try:
        import soundfile
        info = soundfile.info(str(path))
        return round(info.frames / info.samplerate, 3)
    except Exception:
        done = subprocess.run(["ffprobe", "-v", "error", "-show_entries", "format=duration", "-of", "csv=p=0", str(path)],
                              capture_output=True, text=True)
        try:
            return round(float(done.stdout), 3)
        except ValueError:
            return 0.0


# ---------------------------------------------------------------- inventory

def inventory(work: Path, packages: tuple[str, ...]) -> list[dict]:
    """Files of all packages, those of each kept in DIR/files; packages that cannot be had are told and left out."""
    (work / "files").mkdir(parents=True, exist_ok=True)
    rows = []
    for package in packages:
        path = work / "files" / f"{package}.json"
        if not path.exists():
            try:
                found = files_of(work, package)
            except (subprocess.CalledProcessError, tarfile.TarError) as error:
                print(f"{package}: {error}", flush=True)
                continue
            part = path.with_suffix(".part")
            part.write_text(json.dumps(found))
            os.replace(part, path)
        rows += json.loads(path.read_text())
    return rows


def summary(rows: list[dict]) -> dict:
    """Hours of music and number of one-shots: by licence, and by package what is taken and what is left out."""
    by_licence, by_package = {}, {}
    for row in rows:
        name = row["terms"] or f"left out: {row['licence']}"
        for table, key in ((by_licence, name), (by_package, row["package"])):
            entry = table.setdefault(key, dict(musicHours=0.0, oneShots=0, taken=0, files=0))
            entry["files"] += 1
            entry["taken"] += row["terms"] is not None
            if row["seconds"] > SHORT_SECONDS:
                entry["musicHours"] += row["seconds"] / 3600
            else:
                entry["oneShots"] += 1
    for table in (by_licence, by_package):
        for entry in table.values():
            entry["musicHours"] = round(entry["musicHours"], 2)
    return dict(byLicence=by_licence, byPackage=by_package)


def markdown(found: dict) -> str:
    """The summary as two tables."""
    lines = ["| licence | hours of music | one-shots and loops |", "|---|---|---|"]
    order = sorted(found["byLicence"].items(), key=lambda item: (item[0].startswith("left out"), -item[1]["musicHours"]))
    lines += [f"| {name} | {e['musicHours']:.2f} | {e['oneShots']} |" for name, e in order]
    lines += ["", "| package | files | of them taken | hours of music | one-shots and loops |", "|---|---|---|---|---|"]
    lines += [f"| {name} | {e['files']} | {e['taken']} | {e['musicHours']:.2f} | {e['oneShots']} |"
              for name, e in sorted(found["byPackage"].items())]
    return "\n".join(lines) + "\n"


# ---------------------------------------------------------------- what sounds alike

BANDS, PARTS = 24, 6
ALIKE = 0.995  # correlation of two fingerprints from which files are the same recording
LENGTHS = 0.03  # relative difference of length up to which they may be


def fingerprint(pcm: np.ndarray, rate: int) -> np.ndarray:
    """Levels in dB of 24 bands in six parts of a sound, less their mean: the same whatever the gain. `pcm` in [-1, 1]."""
    size = 1024
    pcm = pcm if len(pcm) >= PARTS * size else np.pad(pcm, (0, PARTS * size - len(pcm)))
    edges = np.geomspace(60, min(10_000, rate / 2), BANDS + 1)
    hertz = np.fft.rfftfreq(size, 1 / rate)
    band = np.clip(np.searchsorted(edges, hertz) - 1, 0, BANDS - 1)
    rows = []
    for part in np.array_split(pcm, PARTS):
        frames = np.lib.stride_tricks.sliding_window_view(part, size)[::max(1, (len(part) - size) // 8)]
        power = (np.abs(np.fft.rfft(frames * np.hanning(size))) ** 2).mean(0)
        rows.append(np.bincount(band, power, BANDS))
    levels = 10 * np.log10(np.array(rows) + 1e-9 * (np.max(rows) + 1e-20) + 1e-20)
    return (levels - levels.mean()).ravel()


class Heard:
    """Recordings that were met; tells whether another one is among them."""

    def __init__(self):
        self.by_length: dict[int, list[tuple[float, np.ndarray]]] = {}

    @staticmethod
    def _slot(seconds: float) -> int:
        return int(np.log(max(seconds, 0.01)) / LENGTHS)

    def add(self, seconds: float, print_: np.ndarray) -> None:
        self.by_length.setdefault(self._slot(seconds), []).append((seconds, print_))

    def has(self, seconds: float, print_: np.ndarray) -> bool:
        slot = self._slot(seconds)
        near = [e for k in (slot - 1, slot, slot + 1) for e in self.by_length.get(k, [])]
        return any(abs(np.log(max(seconds, 0.01) / max(other, 0.01))) <= LENGTHS and _correlation(print_, known) >= ALIKE
                   for other, known in near)


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    return float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b) + 1e-12))


def shares_by_source(entries: list[dict], longest: float = 300.0) -> np.ndarray:
    """How often each file is drawn: packages by the square root of their hours, files of one by their length up to `longest`.

    A game with thirty hours is heard five times as often as one with an hour, not thirty times."""
    weight = np.array([min(e["seconds"], longest) for e in entries])
    names = np.array([e["package"] for e in entries])
    shares = np.zeros(len(entries))
    for name in dict.fromkeys(names):
        own = names == name
        shares[own] = weight[own] / weight[own].sum() * np.sqrt(weight[own].sum())
    return shares / shares.sum()


def take(work: Path, packages: tuple[str, ...], against: list[Path]) -> dict:
    """Which files are trained on, decoded once each, and why others are not."""
    from data import RATE, decode, sha256, usable
    heard, seen, taken = Heard(), set(), []
    left: dict[str, int] = {}
    leave = lambda why: left.__setitem__(why, left.get(why, 0) + 1)
    for folder in against:
        for path in sorted(p for p in folder.rglob("*") if p.suffix.lower() in AUDIO):
            pcm = decode(path)
            heard.add(len(pcm) / RATE, fingerprint(pcm / 32768, RATE))
    for package in packages:
        sources.check(package)
        if sources.part_of(package) != "train":
            leave(f"kept apart for {sources.part_of(package)}")
            continue
        for row in inventory(work, (package,)):
            path = work / "audio" / package / row["path"]
            if row["terms"] is None:
                leave(f"licence: {row['licence']}")
                continue
            digest = sha256(path)
            pcm = decode(path)[:int(MOST_SECONDS * RATE)] if digest not in seen else np.empty(0, np.int16)
            if digest in seen:
                leave("the same file")
                continue
            seen.add(digest)
            if not usable(pcm):
                leave("silent, too short or unreadable")
                continue
            mark = fingerprint(pcm / 32768, RATE)
            if heard.has(len(pcm) / RATE, mark):
                leave("sounds like another file, or like what the pack is judged on")
                continue
            heard.add(len(pcm) / RATE, mark)
            taken.append(row | dict(sha256=digest, seconds=round(len(pcm) / RATE, 3)))
    return dict(files=taken, leftOut=left)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("inventory", "take"))
    parser.add_argument("--work", type=Path, required=True, help="folder of archives and audio, outside of the repository")
    parser.add_argument("--packages", nargs="*", default=sources.DEBIAN)
    parser.add_argument("--against", nargs="*", type=Path, default=[])
    args = parser.parse_args()
    packages = tuple(args.packages)
    if args.what == "inventory":
        found = summary(inventory(args.work, packages))
        (args.work / "inventory.json").write_text(json.dumps(found, indent=1))
        (args.work / "inventory.md").write_text(markdown(found))
        print(markdown(found))
        return
    found = take(args.work, packages, args.against)
    (args.work / "taken.json").write_text(json.dumps(found, indent=0))
    print(json.dumps(dict(files=len(found["files"]), leftOut=found["leftOut"]), indent=1))


if __name__ == "__main__":
    main()
