import json
import tempfile
import unittest
from pathlib import Path

try:
    import numpy as np
    import data
except ModuleNotFoundError as missing:
    raise unittest.SkipTest(f"needs {missing.name}")
import sources


def entry(package: str, licence: str, **more) -> dict:
    return dict(package=package, version="1", path=f"{package}.ogg", licence=licence, licenceBasis="file", sha256="x", group=package) | more


class Written(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.work = Path(folder.name)
        self.hour = np.zeros(data.RATE * 36, np.int16)  # a hundredth of it

    def written(self, *entries: dict) -> None:
        writer = data.Writer(self.work / "pcm", "music")
        for e in entries:
            writer.add("music", self.hour, **e)
        writer.close()

    def test_refuses_audio_under_other_licences(self):
        with self.assertRaises(sources.Refused):
            self.written(entry("a", "GPL-2+"))

    def test_refuses_a_folder_prepared_before(self):
        (self.work / "pcm").mkdir()
        (self.work / "pcm" / "music.json").write_text(json.dumps([entry("old", "GPL-2+")]))
        with self.assertRaisesRegex(sources.Refused, "old .GPL-2"):
            data.load_index(self.work)

    def test_card_says_hours_by_licence_whom_to_name_and_the_licence_of_the_weights(self):
        self.written(entry("a", "CC0"), entry("b", "GPL-2 or CC-BY-3.0", copyright="2001 B"))
        card = data.card(self.work)
        self.assertEqual(card["hoursByLicence"], {"CC-BY-3.0": 0.01, "CC0-1.0": 0.01})
        self.assertEqual(card["weightsLicence"], "CC-BY-4.0")
        self.assertEqual(card["attribution"], [dict(package="b", version="1", licence="CC-BY-3.0", holders=["2001 B"])])
        self.written(entry("c", "CC-BY-SA-4.0", copyright="C"))
        self.assertEqual(data.card(self.work)["weightsLicence"], "CC-BY-SA-4.0")

    def test_soundfonts_that_are_trained_on_may_be(self):
        for name, (package, _, licence) in (data.SOUNDFONTS | data.NPM_SOUNDFONTS).items():
            if name != data.VALIDATION_FONT:
                sources.check(package)
                self.assertIsNotNone(data.licences.allowed(licence), name)
        self.assertIsNotNone(data.licences.allowed(data.RECORDED_LICENCE))


if __name__ == "__main__":
    unittest.main()
