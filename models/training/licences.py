"""Which audio may be trained on, and what the weights' licence is: decided by the text of debian/copyright, file by file.

Taken: CC0, public domain, MIT (Expat), Apache-2.0, CC-BY and CC-BY-SA from version 2 on, with a version. Everything else, GPL
and whatever is unclear included, is left out: nobody should have to ask a lawyer whether weights are a work based on audio
under it (docs/adr/0031-licence-of-training-audio.md).
"""
import fnmatch
import re
from dataclasses import dataclass
from pathlib import PurePosixPath

# pattern of a short name -> (SPDX-like name, whether works based on it must be shared alike, whether it asks for attribution)
# Behind a version stands where it was ported to, never what it forbids.
KNOWN = [
    (r"cc0(-1\.0)?", "CC0-1.0", False, False),
    (r"(public-domain|pd)", "public-domain", False, False),
    (r"(expat|mit)", "MIT", False, True),
    (r"apache-2(\.0)?", "Apache-2.0", False, True),
    (r"cc-by-(2\.0|2\.5|3\.0|4\.0|[34])(-(?!(?:nc|nd|sa)\b)[a-z]{2,8})?\+?", "CC-BY", False, True),
    (r"cc-by-sa-(2\.0|2\.5|3\.0|4\.0|[34])(-(?!(?:nc|nd|sa)\b)[a-z]{2,8})?\+?", "CC-BY-SA", True, True),
]
UNCLEAR = "unclear"


@dataclass(frozen=True)
class Terms:
    """What a licence asks for. `name` is written into the data card."""
    name: str
    share_alike: bool
    attribution: bool


def terms_of(name: str) -> Terms | None:
    """The terms of one short name; None for what is not taken."""
    for pattern, plain, share_alike, attribution in KNOWN:
        if found := re.fullmatch(pattern, name.strip().lower()):
            version = next((g for g in found.groups() if g and g[0].isdigit()), None) if plain.startswith("CC-BY") else None
            full = f"{plain}-{version if '.' in version else version + '.0'}" if version else plain
            return Terms(full, share_alike, attribution)
    return None


def allowed(expression: str) -> Terms | None:
    """The terms under which a file with a DEP-5 licence expression may be used, or None.

    `or` is the user's choice, of which the least demanding is taken; of `and` all must be allowed, and all bind. A comma
    before `and` binds less tightly than `or`, as the format has it. An exception (`GPL-2+ with …`) is no name known here."""
    every = [_any_of(part) for part in re.split(r",\s*and\s+", expression.strip())]
    return _together(every)


def _any_of(expression: str) -> Terms | None:
    found = [_together([terms_of(name) for name in re.split(r"\s+and\s+", part)])
             for part in re.split(r",?\s+or\s+|\s*\|\s*", expression)]
    fine = [t for t in found if t]
    return min(fine, key=lambda t: (t.share_alike, t.attribution)) if fine else None


def _together(parts: list) -> Terms | None:
    if not parts or any(t is None for t in parts):
        return None
    return Terms(" and ".join(dict.fromkeys(t.name for t in parts)), any(t.share_alike for t in parts),
                 any(t.attribution for t in parts))


@dataclass(frozen=True)
class Stanza:
    """A `Files:` paragraph of debian/copyright. `copyright` holds the holders, for the attribution list."""
    patterns: tuple[str, ...]
    licence: str
    copyright: str


def parse_copyright(text: str) -> list[Stanza]:
    """The `Files:` paragraphs of a machine-readable debian/copyright (DEP-5), in order; empty if it is free text."""
    paragraphs = [_fields(p) for p in re.split(r"\n[ \t]*\n", text.replace("\r\n", "\n"))]
    if not paragraphs or "format" not in paragraphs[0]:
        return []
    return [Stanza(tuple(filter(None, re.split(r"[\s,]+", p["files"]))), p["license"].split("\n")[0].strip() or UNCLEAR,
                   " ".join(p.get("copyright", "").split()))
            for p in paragraphs if p.get("files", "").strip() and "license" in p]


def _fields(paragraph: str) -> dict[str, str]:
    """Field names in small letters -> values, continuation lines joined by newlines. Comment lines are no part of it."""
    out: dict[str, str] = {}
    name = None
    for line in paragraph.split("\n"):
        if line.startswith("#") or not line.strip():
            continue
        if line[0] in " \t" and name:
            out[name] += "\n" + line.strip()
        elif found := re.match(r"([A-Za-z][A-Za-z0-9-]*):(.*)", line):
            name = found.group(1).lower()
            out[name] = found.group(2).strip()
    return out


def glob_matches(path: str, pattern: str) -> bool:
    """DEP-5 globs: `*` and `?` match anything, slashes as well; `[` is a plain character."""
    return fnmatch.fnmatchcase(path, pattern.removeprefix("./").replace("[", "[[]"))


def _places(path: str, pattern: str) -> bool:
    """Whether a pattern of source paths may mean an installed file.

    Upstream paths are moved on installation, so leading folders of either may be gone; at least the file's name, or a folder
    next to it, has to be there literally."""
    installed, parts = PurePosixPath(path).parts, PurePosixPath(pattern.removeprefix("./")).parts
    for drop in range(len(parts)):
        rest = parts[drop:]
        if not any("*" not in part and "?" not in part for part in rest):
            # A bare `*.ogg` counts only if nothing was dropped from it.
            if drop > 0 or len(parts) > 1 or rest[0] == "*":
                continue
        tail = "/".join(rest)
        if any(glob_matches("/".join(installed[k:]), tail) for k in range(len(installed))):
            return True
    return False


@dataclass(frozen=True)
class Decision:
    """`licence` as debian/copyright words it; `terms` None where the file is left out; `basis` file or package."""
    licence: str
    terms: Terms | None
    basis: str
    copyright: str


def decide(path: str, stanzas: list[Stanza]) -> Decision:
    """What may be done with an installed file.

    The last stanza naming it wins, as in the format. Since installed paths differ from source paths, several may seem to name it:
    where the winner is allowed and another is not, the file is left out as unclear."""
    default = next((s for s in reversed(stanzas) if "*" in s.patterns), None)
    named = [s for s in stanzas if any(p != "*" and not p.startswith("debian/") and _places(path, p) for p in s.patterns)]
    if not named:
        if default is None:
            return Decision(UNCLEAR, None, "package", "")
        return Decision(default.licence, allowed(default.licence), "package", default.copyright)
    last = named[-1]
    if allowed(last.licence) and any(allowed(s.licence) is None for s in named):
        return Decision(UNCLEAR, None, "file", last.copyright)
    return Decision(last.licence, allowed(last.licence), "file", last.copyright)


def weights_licence(used: list[Terms]) -> str:
    """CC-BY-SA-4.0 if any share-alike audio was trained on, else CC-BY-4.0."""
    return "CC-BY-SA-4.0" if any(t.share_alike for t in used) else "CC-BY-4.0"


def undecided(hours_by_licence: dict[str, float]) -> dict[str, float]:
    """The hours of a data card under licences that are no longer taken."""
    return {name: hours for name, hours in hours_by_licence.items() if hours > 0 and allowed(name) is None}
