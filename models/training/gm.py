"""General MIDI material: writes standard MIDI files and renders them with fluidsynth (or timidity, for patches).

Three collections come out of every soundfont. `gm-notes` holds single notes in fixed slots, so that the
encoder meets short sounds followed by silence; `gm-phrases` holds one-instrument phrases, `gm-drums` the drums of
its kits one by one. The seed fixes
notes and phrases, so that every soundfont plays the same ones. The programme number is kept with every
entry: it is the symbolic supervision of the contrastive term.

    python gm.py --soundfont SF2 --out DIR     renders the evaluation set of the shared instruments, one file a note
"""
import argparse
import os
import random
import struct
import subprocess
from pathlib import Path

SLOT_SECONDS = 2.5
NOTES_PER_PROGRAM = 40
PHRASE_SECONDS = 50
TICKS = 480  # per quarter note; the default tempo of 120 bpm makes 960 ticks a second
DRUMS = 128  # our number for the percussion channel
# kind of drum -> its keys in the drum kits of General MIDI
DRUM_KINDS = {"kick": (35, 36), "stick": (37,), "snare": (38, 40), "clap": (39,), "tom": (41, 43, 45, 47, 48, 50), "hat": (42, 44),
              "open-hat": (46,), "crash": (49, 52, 55, 57), "ride": (51, 53, 59), "tambourine": (54,), "cowbell": (56,), "vibraslap": (58,),
              "bongo": (60, 61), "conga": (62, 63, 64), "timbale": (65, 66), "agogo": (67, 68), "cabasa": (69,), "maracas": (70,),
              "whistle": (71, 72), "guiro": (73, 74), "claves": (75,), "wood-block": (76, 77), "cuica": (78, 79), "triangle": (80, 81)}
DRUM_KITS = (0, 8, 16, 24, 25, 32, 40)  # standard, room, power, electronic, TR-808, jazz, brush; others have other keys
DRUM_SLOT_SECONDS = 1.5

# MIDI programme (0-based) -> playable range; unnamed programmes use DEFAULT_RANGE.
DEFAULT_RANGE = (40, 84)
RANGES = {32: (28, 55), 33: (28, 55), 34: (28, 55), 35: (28, 55), 36: (28, 55), 37: (28, 55),
          38: (28, 60), 39: (28, 60), 40: (55, 96), 41: (48, 84), 42: (36, 76), 43: (28, 60),
          24: (40, 79), 25: (40, 79), 56: (54, 84), 57: (36, 72), 58: (28, 60), 60: (38, 77),
          64: (56, 88), 65: (49, 81), 66: (44, 76), 67: (36, 69), 68: (58, 91), 69: (52, 81),
          70: (34, 72), 71: (50, 91), 72: (74, 102), 73: (60, 96), 105: (48, 81), 47: (36, 57)}
PROGRAMS = [*range(0, 120), DRUMS]


def variable_length(value: int) -> bytes:
    """A MIDI variable-length quantity."""
    out = [value & 127]
    while value := value >> 7:
        out.insert(0, (value & 127) | 128)
    return bytes(out)


def midi_file(events: list[tuple[int, bytes]]) -> bytes:
    """A format-0 file from (tick, message) pairs."""
    body, now = b"", 0
    for tick, message in sorted(events, key=lambda e: e[0]):
        body += variable_length(tick - now) + message
        now = tick
    body += b"\x00\xff\x2f\x00"
    return (b"MThd" + struct.pack(">IHHH", 6, 0, 1, TICKS)
            + b"MTrk" + struct.pack(">I", len(body)) + body)


def _note(channel: int, start: float, length: float, pitch: int, velocity: int) -> list:
    on, off = int(start * 960), int((start + length) * 960)
    return [(on, bytes([0x90 | channel, pitch, velocity])), (max(off, on + 1), bytes([0x80 | channel, pitch, 0]))]


def _start(program: int) -> tuple[int, tuple[int, int], list]:
    if program == DRUMS:
        return 9, (35, 81), []
    return 0, RANGES.get(program, DEFAULT_RANGE), [(0, bytes([0xC0, program]))]


def note_events(program: int, rng: random.Random) -> list:
    """Single notes, one at the start of every slot."""
    channel, (low, high), events = _start(program)
    for k in range(NOTES_PER_PROGRAM):
        length = rng.choice([0.12, 0.25, 0.5, 0.8, 1.2, 1.8])
        events += _note(channel, k * SLOT_SECONDS + 0.01, length, rng.randint(low, high), rng.randint(40, 125))
    return events + [(int(NOTES_PER_PROGRAM * SLOT_SECONDS * 960), bytes([0xB0 | channel, 1, 0]))]


def drum_notes(kit: int, rng: random.Random) -> list[tuple[str, int, int]]:
    """(kind, key, velocity) of a kit's notes, each key struck twice."""
    notes = [(kind, key) for kind, keys in DRUM_KINDS.items() for key in keys]
    return [(kind, key, rng.randint(*range_)) for range_ in ((45, 90), (90, 127)) for kind, key in notes]


def drum_events(kit: int, rng: random.Random) -> list:
    """`drum_notes` of a kit, one at the start of every slot of DRUM_SLOT_SECONDS."""
    events, notes = [(0, bytes([0xC9, kit]))], drum_notes(kit, rng)
    for k, (_, key, velocity) in enumerate(notes):
        events += _note(9, k * DRUM_SLOT_SECONDS + 0.01, 0.5, key, velocity)
    return events + [(int(len(notes) * DRUM_SLOT_SECONDS * 960), bytes([0xB9, 1, 0]))]


def phrase_events(program: int, rng: random.Random) -> list:
    """A wandering phrase in a random scale, with chords now and then."""
    channel, (low, high), events = _start(program)
    scale = [s + rng.randint(0, 11) for s in rng.choice(
        [(0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10), (0, 2, 4, 7, 9), (0, 3, 5, 7, 10)])]
    pitches = [p for p in range(low, high + 1) if p % 12 in {s % 12 for s in scale}]
    now, at = 0.0, len(pitches) // 2
    while now < PHRASE_SECONDS:
        beat = rng.choice([0.125, 0.25, 0.25, 0.5, 0.5, 1.0, 2.0])
        if rng.random() > 0.12:
            at = min(max(at + rng.randint(-4, 4), 0), len(pitches) - 1)
            for extra in rng.choice([(0,), (0,), (0,), (0, 2), (0, 2, 4)]):
                pitch = pitches[min(at + extra, len(pitches) - 1)]
                events += _note(channel, now, beat * rng.uniform(0.4, 1.1), pitch, rng.randint(50, 120))
        now += beat
    return events


def synthesise(soundfont: Path, mid: Path, wav: Path) -> None:
    """MIDI file -> 24 kHz wav, without reverb and chorus. A `.cfg` is a set of Gravis patches, played by timidity."""
    if soundfont.suffix == ".cfg":
        root = soundfont.parents[2]  # work folder: x/<package>/<name>.cfg lies beside the unpacked synthesiser
        libraries = ":".join(str(p.parent) for p in root.glob("x/libao4/**/libao.so.4"))
        subprocess.run([str(root / "x/timidity/usr/bin/timidity"), "-c", str(soundfont), "-Ow", "-s", "24000", "-EFreverb=0",
                        "-EFchorus=0", "-o", str(wav), str(mid)], check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, env={**os.environ, "LD_LIBRARY_PATH": libraries})
    else:
        subprocess.run(["fluidsynth", "-q", "-ni", "-g", "0.7", "-R", "0", "-C", "0", "-r", "24000", "-o",
                        "synth.dynamic-sample-loading=1", "-F", str(wav),
                        str(soundfont), str(mid)], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def render(soundfont: Path, out: Path, program: int, kind: str, seed: int) -> Path:
    """Render one programme, or drum kit, to a 24 kHz wav, once; returns its path."""
    wav = out / f"{kind}-{program:03d}.wav"
    if wav.exists():
        return wav
    out.mkdir(parents=True, exist_ok=True)
    rng = random.Random(seed * 1000 + program)
    make = {"gm-notes": note_events, "gm-phrases": phrase_events, "gm-drums": drum_events}[kind]
    mid, part = wav.with_suffix(".mid"), wav.with_suffix(".part.wav")
    mid.write_bytes(midi_file(make(program, rng)))
    synthesise(soundfont, mid, part)
    part.rename(wav)
    return wav


# ---------------------------------------------------------------- the evaluation set

# instrument -> programmes (0-based); the twelve that the Philharmonia folder and General MIDI share
SHARED_INSTRUMENTS = {"banjo": [105], "bassoon": [70], "cello": [42], "clarinet": [71], "cor-anglais": [69],
                      "double-bass": [43], "flute": [73], "french-horn": [60], "guitar": [24, 25], "oboe": [68],
                      "saxophone": [65, 66], "trombone": [57]}
EVALUATION_SEED = 20260
EVALUATION_NOTES = 40  # per instrument


def evaluation_set(soundfont: Path, out: Path) -> None:
    """OUT/<instrument>/p<programme>-<n>-<pitch>-<velocity>.wav: single notes of 0.25 to 1.5 s and their release.

    Pitch uniform over RANGES, velocity over 40..120, one note at a time in a silent 3 s slot, cut at -66 dBFS."""
    import numpy as np
    import soundfile
    for name, programs in SHARED_INSTRUMENTS.items():
        folder, each = out / name, EVALUATION_NOTES // len(programs)
        folder.mkdir(parents=True, exist_ok=True)
        for program in programs:
            rng = random.Random(EVALUATION_SEED * 1000 + program)
            low, high = RANGES[program]
            notes = [(rng.choice([0.25, 0.5, 1.0, 1.5]), rng.randint(low, high), rng.randint(40, 120)) for _ in range(each)]
            events = [(0, bytes([0xC0, program])), (each * 3 * 960, bytes([0xB0, 1, 0]))]
            for k, (length, pitch, velocity) in enumerate(notes):
                events += _note(0, 3 * k + 0.01, length, pitch, velocity)
            mid, wav = folder / "set.mid", folder / "set.wav"
            mid.write_bytes(midi_file(events))
            synthesise(soundfont, mid, wav)
            audio, rate = soundfile.read(wav, dtype="float32", always_2d=True)
            audio = audio.mean(1)
            for k, (_, pitch, velocity) in enumerate(notes):
                piece = audio[3 * k * rate:3 * (k + 1) * rate]
                heard = np.flatnonzero(np.abs(piece) > 5e-4)
                piece = piece[:heard[-1] + rate // 50] if len(heard) else piece[:rate]
                soundfile.write(folder / f"p{program:03d}-{k:02d}-{pitch:03d}-{velocity:03d}.wav", piece, rate, subtype="PCM_16")
            mid.unlink()
            wav.unlink()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--soundfont", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    evaluation_set(args.soundfont, args.out)
