import hashlib
import io
import json
import tempfile
import unittest
import zipfile
from pathlib import Path
from unittest import mock

try:
    import numpy as np
    import collect
except ModuleNotFoundError as missing:
    raise unittest.SkipTest(f"needs {missing.name}")
import sources


class Excluded(unittest.TestCase):
    def test_refuses_what_the_pack_is_judged_on(self):
        for name in ["ardentryst", "colobot-common-sounds", "drascula-music", "extremetuxracer-data", "fillets-ng-data",
                     "fillets-ng-data-cs", "hedgewars-data", "megaglest-data", "supertux-data", "unknown-horizons", "warmux-data",
                     "sonic-pi-samples", "supersonic-scsynth-samples@0.84.2", "dirt-samples@1.0.0", "@strudel/samples",
                     "timgm6mb-soundfont"]:
            with self.assertRaises(sources.Refused, msg=name):
                sources.check(name)
        for name in ["supertuxkart-data", "flare-game", "@coderline/alphatab@1.8.4"]:
            self.assertEqual(sources.check(name), name)

    def test_has_none_of_them_in_its_tables(self):
        for name in [*sources.DEBIAN, *sources.READ]:
            sources.check(name)

    def test_a_text_read_by_hand_counts_for_that_text_alone(self):
        text = b"All songs are free for everybody."
        read = sources.Read(hashlib.sha256(text).hexdigest(), "CC-BY-SA-3.0", "A")
        with mock.patch.dict(sources.READ, {"songs": read}):
            self.assertEqual(collect.stanzas_of("songs", text)[0].licence, "CC-BY-SA-3.0")
            self.assertEqual(collect.stanzas_of("songs", text + b" But not for sale."), [])
        for read in sources.READ.values():
            self.assertIsNotNone(collect.licences.allowed(read.licence))

    def test_refuses_them_before_anything_is_fetched(self):
        with mock.patch("collect.subprocess.run", side_effect=AssertionError("fetched")):
            with self.assertRaises(sources.Refused):
                collect.take(Path("/nowhere"), ("supertux-data",), [])

    def test_keeps_dev_and_report_apart(self):
        parts = [(part, p) for kinds in sources.KEPT_APART.values() for part, ps in kinds.items() for p in ps]
        self.assertGreaterEqual(len(sources.KEPT_APART), 4)
        self.assertEqual(len({p for _, p in parts}), len(parts))
        self.assertTrue(all(sources.part_of(p) == part for part, p in parts))
        self.assertEqual(sources.part_of("flare-game"), "train")


class Files(unittest.TestCase):
    def test_writes_nothing_outside_and_opens_archives(self):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name) / "in"
            folder.mkdir()
            collect.write_member(folder, "../out.wav", b"x")
            inner = io.BytesIO()
            with zipfile.ZipFile(inner, "w") as z:
                z.writestr("music/a.ogg", b"a")
                z.writestr("../../evil.ogg", b"e")
                z.writestr("readme.txt", b"t")
            collect.write_member(folder, "data.pk3", inner.getvalue())
            collect.write_member(folder, "broken.zip", b"no archive")
            self.assertEqual([p.relative_to(name).as_posix() for p in sorted(Path(name).rglob("*")) if p.is_file()],
                             ["in/data.pk3.d/music/a.ogg"])

    def test_counts_by_licence(self):
        row = lambda package, terms, licence, seconds: dict(package=package, terms=terms, licence=licence, seconds=seconds)
        found = collect.summary([row("a", "CC0-1.0", "CC0", 2), row("a", "CC0-1.0", "CC0", 7200), row("b", None, "GPL-2", 3600)])
        self.assertEqual(found["byLicence"]["CC0-1.0"], dict(musicHours=2.0, oneShots=1, taken=2, files=2))
        self.assertEqual(found["byLicence"]["left out: GPL-2"]["taken"], 0)
        self.assertIn("| CC0-1.0 | 2.00 | 1 |", collect.markdown(found))


class Alike(unittest.TestCase):
    def setUp(self):
        self.rng = np.random.default_rng(1)

    def sound(self, hertz: float, seconds: float = 1.0) -> np.ndarray:
        t = np.arange(int(24000 * seconds)) / 24000
        return np.exp(-3 * t) * np.sin(2 * np.pi * hertz * t) + 0.01 * self.rng.standard_normal(len(t))

    def test_knows_a_copy_at_another_level_but_not_another_sound(self):
        heard, sound = collect.Heard(), self.sound(440)
        heard.add(1.0, collect.fingerprint(sound, 24000))
        self.assertTrue(heard.has(1.005, collect.fingerprint(0.3 * sound[:-100], 24000)))
        self.assertFalse(heard.has(1.0, collect.fingerprint(self.sound(600), 24000)))
        self.assertFalse(heard.has(1.5, collect.fingerprint(sound, 24000)))

    def test_balances_by_source(self):
        entries = [dict(package="big", seconds=300.0)] * 100 + [dict(package="small", seconds=300.0)]
        shares = collect.shares_by_source(entries)
        self.assertAlmostEqual(shares.sum(), 1)
        self.assertAlmostEqual(shares[:100].sum() / shares[100], 10)


class Taking(unittest.TestCase):
    def test_takes_each_recording_once_and_only_what_is_allowed(self):
        try:
            import soundfile
        except ModuleNotFoundError:
            self.skipTest("needs soundfile")
        rng = np.random.default_rng(2)
        with tempfile.TemporaryDirectory() as name:
            work = Path(name)
            folder = work / "audio" / "flare-game"
            folder.mkdir(parents=True)
            rows = []
            first = rng.standard_normal(24000) * np.linspace(0.3, 0, 24000)
            sounds = dict(a=first, again=first, quieter=first / 3, other=np.sin(np.arange(24000) / 9) / 3, gpl=first[::-1], silent=first * 0)
            for stem, samples in sounds.items():
                soundfile.write(folder / f"{stem}.wav", samples, 24000)
                allowed = None if stem == "gpl" else "CC0-1.0"
                rows.append(dict(package="flare-game", version="1", path=f"{stem}.wav", licence=allowed or "GPL-2", terms=allowed,
                                 licenceBasis="file", copyright="", seconds=1.0))
            (work / "files").mkdir()
            (work / "files" / "flare-game.json").write_text(json.dumps(rows))
            pcm = lambda path: (soundfile.read(path)[0] * 32767).astype(np.int16)
            with mock.patch("data.decode", pcm):
                found = collect.take(work, ("flare-game", "boswars-data"), [])
            self.assertEqual([row["path"] for row in found["files"]], ["a.wav", "other.wav"])
            self.assertEqual(found["leftOut"], {
                "the same file": 1, "sounds like another file, or like what the pack is judged on": 1, "licence: GPL-2": 1,
                "silent, too short or unreadable": 1, "kept apart for dev": 1})


if __name__ == "__main__":
    unittest.main()
