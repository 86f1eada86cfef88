"""Which fonts the shop's words are set in: its own, those of installed packages, the system's.

Of the last two a locale gets the one family that covers its alphabet and is made for it.
"""

from __future__ import annotations

import shutil
import subprocess
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from importlib.metadata import entry_points
from itertools import chain as chained
from pathlib import Path
from typing import Any, Final

from django.core.files.storage import storages

from nb_catalog.conf import settings
from nb_catalog.core import locales
from nb_catalog.exceptions import FontUnreadable
from nb_catalog.typesetting.font_fallback import FontChain
from nb_catalog.typesetting.font_files import FontFace, FontFamily, families, open_bytes, open_file
from nb_catalog.typesetting.scripts import CJK, scripts_of

# Groups of entry points under which packages offer fonts.
_GROUPS: Final = ("fontpkg.family", "justmytype.packs")
_SUFFIXES: Final = frozenset({".ttf", ".otf", ".ttc"})
# Scripts of the fonts that our extras install.
_PACKAGED: Final = CJK | {
    "Arab", "Beng", "Cyrl", "Deva", "Grek", "Hang", "Hebr", "Latn", "Taml", "Telu", "Thai",
}  # fmt: skip
# Where systems without fontconfig keep theirs.
_FOLDERS: Final = ("/System/Library/Fonts", "/Library/Fonts", "C:/Windows/Fonts")
_LATIN: Final = "en"
# Of two system fonts that serve alike, not the one for code or for formulas.
_SPECIAL: Final = ("mono", "math", "serif", "symbol", "emoji")


class Origin(StrEnum):
    """Where a font comes from."""

    SHOP = "shop"
    PACKAGE = "package"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class FoundFamily:
    """A family, and where it comes from."""

    family: FontFamily
    origin: Origin


def chain_for(locale: str) -> FontChain:
    """The fonts for ``locale``: the shop's own, the one made for its script, the one for Latin
    letters in it, and the packages' others for words of other scripts.

    Raises ``FontUnreadable`` for a font of the shop's that does not open.
    """
    return FontChain(families=tuple(dict.fromkeys(found.family for found in _chain(locale))))


def families_for(locale: str) -> FoundFamily | None:
    """The first family for ``locale`` that has its whole alphabet; None: a font must be installed."""
    return next((found for found in _chain(locale) if not _lacks(found.family, locale)), None)


def _chain(locale: str) -> Iterator[FoundFamily]:
    yield from (FoundFamily(family, Origin.SHOP) for family in _of_shop(locale))
    for code in dict.fromkeys((locale, _LATIN)):
        if best := _best(code):
            yield best
    yield from (FoundFamily(family, Origin.PACKAGE) for family in _of_packages())


def advice(locale: str) -> str:
    """What to do so that ``locale`` has a font."""
    [(script, _count)] = Counter(scripts_of("".join(alphabet(locale)))).most_common(1)
    extra = "fonts-cjk" if script in {*CJK, "Hang"} else "fonts"
    if script in _PACKAGED:
        return f"no font has its letters. pip install 'nb-catalog[{extra}]'"
    return (
        f"no font has its letters (script {script}). Install a Noto font for it on this machine, or "
        f"name its file in NB_CATALOG['FONTS']."
    )


def alphabet(locale: str) -> frozenset[str]:
    """Letters that ``locale`` is written with: those in which CLDR names months, days, languages and
    countries in it."""
    return _alphabet(str(locales.parse_locale(locale)))


@lru_cache(maxsize=256)
def _alphabet(locale: str) -> frozenset[str]:
    known = locales.parse_locale(locale)
    words = chained(
        known.months["format"]["wide"].values(),
        known.days["format"]["wide"].values(),
        known.languages.values(),
        known.territories.values(),
    )
    return frozenset(letter for word in words for letter in word if letter.isalpha())


def _lacks(family: FontFamily, locale: str) -> set[str]:
    return {letter for letter in alphabet(locale) if not family.covers(letter)}


@lru_cache(maxsize=256)
def _best(locale: str) -> FoundFamily | None:
    for origin, offered in ((Origin.PACKAGE, _of_packages), (Origin.SYSTEM, _of_system)):
        fitting = [family for family in offered() if not _lacks(family, locale)]
        if fitting:
            return FoundFamily(min(fitting, key=lambda each: _distance(each, locale)), origin)
    return None


def _distance(family: FontFamily, locale: str) -> tuple[bool, int, int]:
    """How far a family that has the alphabet is from being made for it; the lowest is nearest.

    A font of ideographs covers its neighbours' too: the one with the fewest was made for fewest. Of
    others, the one with the most letters of the script, and few besides.
    """
    special = any(word in family.name.lower() for word in _SPECIAL)
    coverage = family.faces[0].coverage
    wanted = set(scripts_of("".join(sorted(alphabet(locale)))))
    if CJK & wanted:
        return special, 0, len(coverage)
    own = sum(script in wanted for script in scripts_of("".join(map(chr, coverage))))
    return special, -own, len(coverage)


def _of_shop(locale: str) -> list[FontFamily]:
    faces = [
        face
        for font in settings.FONTS
        if _is_for(locale, font.get("LOCALES", ()))
        for face in _shop_faces(font)
    ]
    return families(faces)


def _is_for(locale: str, named: Iterable[str]) -> bool:
    named = {locales.language_tag(each) for each in named}
    return not named or locales.language_tag(locale) in named


def _shop_faces(font: Mapping[str, Any]) -> list[FontFace]:
    if "STORAGE" not in font:
        return open_file(font["FILE"])
    return _from_storage(font["STORAGE"], font["FILE"])


@lru_cache(maxsize=64)
def _from_storage(alias: str, name: str) -> list[FontFace]:
    try:
        with storages[alias].open(name) as file:
            data = file.read()
    except Exception as error:  # noqa: BLE001 - each storage raises its own
        raise FontUnreadable(
            f"The font {name} cannot be read from STORAGES[{alias!r}]: {type(error).__name__}."
        ) from error
    return open_bytes(data, name=f"{alias}:{name}")


@lru_cache(maxsize=1)
def _of_packages() -> tuple[FontFamily, ...]:
    files = [
        Path(str(file.locate()))
        for group in _GROUPS
        for entry in sorted(entry_points(group=group), key=lambda each: each.name)
        for file in (entry.dist.files or () if entry.dist else ())
    ]
    return tuple(families(_readable(files)))


@lru_cache(maxsize=1)
def _of_system() -> tuple[FontFamily, ...]:
    return tuple(families(_readable(sorted(_system_files()))))


def _readable(files: Iterable[Path]) -> Iterator[FontFace]:
    """Faces of those that open: what others installed is not ours to complain about."""
    for file in files:
        if file.suffix.lower() in _SUFFIXES:
            try:
                yield from open_file(file)
            except FontUnreadable:
                continue


def _system_files() -> set[Path]:
    listing = shutil.which("fc-list")
    if listing is None:
        return {file for folder in _FOLDERS for file in Path(folder).glob("**/*")}
    said = subprocess.run(  # noqa: S603 - the system's own program, without input of anybody
        [listing, "--format", "%{file}\n"], capture_output=True, check=False, timeout=30, text=True
    )
    return {Path(line) for line in said.stdout.splitlines() if line}
