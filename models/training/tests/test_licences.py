import unittest

from licences import Terms, allowed, decide, parse_copyright, undecided, weights_licence

COPYRIGHT = """Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: thing
# a comment

Files: *
Copyright: 2001 Someone
License: GPL-2+

Files: data/music/*.ogg
 data/sounds/bell.wav,
Copyright: 2010 A Composer
           2011 Another
License: CC-BY-SA-3.0
 The text
 .
 of the licence.

Files: data/music/old.ogg
Copyright: 1999 Nobody Knows
License: custom
 Do not sell.

License: GPL-2+
 On Debian systems …
"""


class Names(unittest.TestCase):
    def test_takes_what_is_decided(self):
        for name, plain in [("CC0-1.0", "CC0-1.0"), ("CC0", "CC0-1.0"), ("public-domain", "public-domain"), ("Expat", "MIT"),
                            ("Apache-2", "Apache-2.0"), ("CC-BY-3.0-US", "CC-BY-3.0"), ("cc-by-4", "CC-BY-4.0"),
                            ("CC-BY-SA-4.0", "CC-BY-SA-4.0"), ("CC-BY-SA-3.0+", "CC-BY-SA-3.0")]:
            self.assertEqual(allowed(name).name, plain, name)

    def test_leaves_out_all_else(self):
        for name in ["GPL-2+", "GPL-3", "LGPL-2.1", "CC-BY-NC-3.0", "CC-BY-ND-4.0", "CC-BY-NC-SA-3.0", "CC-BY-3.0-NC", "CC-BY-4.0-nd", "CC-BY-3.0-SA", "CC-BY-SA-3.0-NC", "CC-BY", "CC-BY-SA", "CC-BY-SA-1.0",
                     "CC-Sampling-Plus-1.0", "GPL-2+ with sample exception", "Battle-Tanks-License", "custom", "", "unclear",
                     "see debian/copyright", "OFL-1.1", "CC-BY-SA-3.0 with restrictions", "non-CC0"]:
            self.assertIsNone(allowed(name), name)

    def test_reads_expressions(self):
        self.assertEqual(allowed("GPL-2+ or CC-BY-SA-3.0"), Terms("CC-BY-SA-3.0", True, True))
        self.assertEqual(allowed("GPL-2 | CC-BY-3.0").name, "CC-BY-3.0")
        self.assertEqual(allowed("CC-BY-SA-3.0 or CC0-1.0").name, "CC0-1.0")
        self.assertIsNone(allowed("GPL-2+ and CC-BY-SA-3.0"))
        self.assertIsNone(allowed("CC0-1.0 or CC-BY-3.0, and GPL-2"))
        self.assertEqual(allowed("MIT and CC-BY-SA-4.0"), Terms("MIT and CC-BY-SA-4.0", True, True))


class Files(unittest.TestCase):
    def setUp(self):
        self.stanzas = parse_copyright(COPYRIGHT)

    def test_reads_stanzas(self):
        self.assertEqual([(s.patterns, s.licence) for s in self.stanzas], [
            (("*",), "GPL-2+"), (("data/music/*.ogg", "data/sounds/bell.wav"), "CC-BY-SA-3.0"), (("data/music/old.ogg",), "custom")])
        self.assertEqual(self.stanzas[1].copyright, "2010 A Composer 2011 Another")

    def test_finds_installed_files(self):
        song = decide("usr/share/games/thing/music/song.ogg", self.stanzas)
        self.assertEqual((song.terms.name, song.basis, song.copyright), ("CC-BY-SA-3.0", "file", "2010 A Composer 2011 Another"))
        self.assertEqual(decide("usr/share/thing/data/sounds/bell.wav", self.stanzas).terms.name, "CC-BY-SA-3.0")
        self.assertEqual(decide("usr/share/thing/effects/bang.wav", self.stanzas).licence, "GPL-2+")
        self.assertIsNone(decide("usr/share/thing/effects/bang.wav", self.stanzas).terms)

    def test_leaves_out_what_later_stanzas_take_back_and_what_may_be_either(self):
        self.assertIsNone(decide("usr/share/games/thing/music/old.ogg", self.stanzas).terms)
        either = parse_copyright("Format: x\n\nFiles: a/snd/*\nLicense: GPL-2\n\nFiles: b/snd/*\nLicense: CC0-1.0\n")
        self.assertEqual(decide("usr/share/x/snd/q.wav", either).licence, "unclear")

    def test_free_text_says_nothing(self):
        self.assertEqual(parse_copyright("This package was debianised by …\n\nFiles are CC0-1.0.\n"), [])
        self.assertIsNone(decide("usr/share/x/q.wav", []).terms)


class Weights(unittest.TestCase):
    def test_are_shared_alike_if_any_audio_is(self):
        by, alike = allowed("CC-BY-3.0"), allowed("CC-BY-SA-3.0")
        self.assertEqual(weights_licence([by, alike]), "CC-BY-SA-4.0")
        self.assertEqual(weights_licence([by]), "CC-BY-4.0")

    def test_tells_what_a_card_holds_that_is_not_decided(self):
        self.assertEqual(undecided({"MIT": 10.0, "GPL-2+": 9.1, "custom": 0.4, "CC-BY-SA-3.0": 3.0}), {"GPL-2+": 9.1, "custom": 0.4})


if __name__ == "__main__":
    unittest.main()
