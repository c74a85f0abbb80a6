"""Where audio comes from, and what may never be trained on or chosen by."""
from dataclasses import dataclass

# What the pack is judged on: the tables of docs/scoring-packs.md and docs/evaluations are made with these. Matched as the
# start of a package's name, so that a game's further voices and languages are refused with it.
JUDGED_ON = (
    "ardentryst", "colobot-common-sounds", "drascula", "extremetuxracer", "fillets-ng-data", "hedgewars", "megaglest",
    "supertux-data", "unknown-horizons", "warmux",
    # samples that live-coding tools ship
    "sonic-pi", "supersonic-scsynth", "@sonic-pi", "dirt-samples", "superdirt", "tidal", "strudel", "@strudel", "supercollider",
    "chuck-data", "gibber", "vowel",
)
# Only ever chosen by or reported on: soundfonts and music whose licence keeps them out of training anyway.
NEVER_TRAINED = ("timgm6mb-soundfont", "minuet-data")


class Refused(ValueError):
    """A package that must not be trained on."""


def check(package: str) -> str:
    """The package's name. Raises Refused for what the pack is judged on, or chosen by."""
    name = package.rsplit("@", 1)[0] if "@" in package[1:] else package
    if any(name.lower().startswith(start) for start in JUDGED_ON + NEVER_TRAINED):
        raise Refused(f"{package} is what the pack is judged on or chosen by: never train on it")
    return package


# Debian packages with audio that debian/copyright may allow. What is taken of each is decided file by file.
DEBIAN = (
    "flare-game", "endless-sky-data", "openclonk-data", "marsshooter-data", "krank", "singularity-music", "xmoto-data",
    "neverball-data", "lincity-ng-data", "minetest-data", "lomiri-sounds", "sound-theme-freedesktop", "yaru-theme-sound",
    "deepin-sound-theme", "hydrogen-drumkits", "hydrogen-drumkits-effects", "hydrogen-data", "avldrums.lv2-soundfont", "mixxx-data",
    "grandorgue-demo", "lmms-common", "fretsonfire-songs-muldjord", "fretsonfire-songs-sectoid", "openttd-opensfx", "teeworlds-data",
    "ddnet-data", "caveexpress-data", "cavepacker-data", "mrrescue", "pax-britannica-data", "gamine-data", "ktuberling-data",
    "bucklespring-data", "lugaru-data", "blobwars-data", "starfighter-data", "dustracing2d-data", "zaz-data",
    "pingus-data", "tuxpaint-stamps-default", "oxygen-sounds", "freedroidrpg-data", "wesnoth-1.16-music", "warzone2100-music", "asc-music",
    "btanks-data", "trigger-rally-data", "xblast-tnt-musics", "wordwarvi-sound", "brainparty-data", "pushover-data", "frozen-bubble-data",
    "plee-the-bear-data", "tuxfootball", "raincat-data", "miceamaze", "boswars-data", "7kaa-data", "trackballs-data", "csound-data",
    "gcompris-qt-data", "naev-data", "nexuiz-music", "hyperrogue-music", "ufoai-music", "ufoai-sound", "widelands-data",
    "openarena-data", "freeorion-data", "scorched3d-data", "supertuxkart-data", "redeclipse-data", "0ad-data", "torcs-data", "cube2-data",
)


@dataclass(frozen=True)
class Read:
    """A debian/copyright in free text, read by hand: what it says of the audio, valid for that very text alone."""
    sha256: str
    licence: str
    holders: str


READ = {
    "singularity-music": Read("3b99032fe6876cb91628ad2805c1a3fb18d7be127d8df6bbcf2f867c91fbf24d", "CC-BY-SA-3.0",
                              "2007-2008, 2012 Max McCracken"),
    "fretsonfire-songs-sectoid": Read("7bcad6ce53a15f7196d4c93b326272e004cdb5b9ce4871f2eee13ccf707bb747", "Expat",
                                      "2006/2007 Carlos Viola Iborra"),
    "fretsonfire-songs-muldjord": Read("3e8443bee1b96aa9fc9c29c88933a967e59345baa1966a47960b8503065ae7dc", "CC-BY-SA-3.0",
                                       "2009 El Senator (Muldjord)"),
}

# Albums of these are kept apart: *dev* is what choices are made by, *report* is looked at once per version. What licence
# keeps out of training is good for that: nobody can be trained on it by mistake.
# kind -> part -> packages
KEPT_APART = {
    "soundtracks": {
        "dev": ("boswars-data", "trackballs-data", "pushover-data", "hyperrogue-music", "asc-music", "warzone2100-music"),
        "report": ("wesnoth-1.16-music", "nexuiz-music", "ufoai-music", "trigger-rally-data", "btanks-data", "xblast-tnt-musics"),
    },
    "one-shots": {"dev": ("hydrogen-drumkits",), "report": ("hydrogen-drumkits-effects", "lmms-common")},
    "effects": {"dev": ("freedroidrpg-data", "tuxpaint-stamps-default"), "report": ("ufoai-sound", "wordwarvi-sound")},
    "speech": {"dev": ("ktuberling-data",), "report": ("gcompris-qt-data",)},
    "instruments": {"dev": ("minuet-data",), "report": ("timgm6mb-soundfont",)},
}


def part_of(package: str) -> str:
    """`train`, `dev` or `report`."""
    for parts in KEPT_APART.values():
        for part, packages in parts.items():
            if package in packages:
                return part
    return "train"
