"""The fonts of each locale: the shop's own, then those of installed packages, then the system's.

Of packages and system fonts, a locale gets the one family that covers its alphabet and is made for it.
"""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from importlib.metadata import entry_points
from itertools import chain as chained
from pathlib import Path
from typing import Any, Final, NamedTuple

from django.core.files.storage import storages

from nb_catalog.conf import settings
from nb_catalog.core import locales
from nb_catalog.core.text import is_visible
from nb_catalog.exceptions import FontUnreadable
from nb_catalog.typesetting.coverage import draws
from nb_catalog.typesetting.font_fallback import FontChain
from nb_catalog.typesetting.font_files import (
    REGULAR,
    Font,
    FontFace,
    FontFamily,
    group_families,
    open_bytes,
    open_file,
    superseded_faces,
)
from nb_catalog.typesetting.scripts import CJK, scripts_of

# Groups of entry points under which packages offer fonts.
_ENTRY_POINT_GROUPS: Final = ("fontpkg.family", "justmytype.packs")
_SUFFIXES: Final = frozenset({".ttf", ".otf", ".ttc"})
# Scripts of the fonts that our extras install.
_PACKAGED_SCRIPTS: Final = CJK | {
    "Arab", "Beng", "Cyrl", "Deva", "Grek", "Hang", "Hebr", "Latn", "Taml", "Telu", "Thai",
}  # fmt: skip
# Font folders of systems without fontconfig, or where it fails.
_SYSTEM_FOLDERS: Final = (
    "/usr/share/fonts", "/usr/local/share/fonts", "/System/Library/Fonts", "/Library/Fonts",
    "C:/Windows/Fonts",
)  # fmt: skip
# Listing thousands of fonts for the first time takes fontconfig some seconds.
_FC_LIST_SECONDS: Final = 30
_LATIN_LOCALE: Final = "en"
# In the names of families that lose against any other that covers the alphabet.
_SPECIAL_NAMES: Final = ("mono", "math", "serif", "symbol", "emoji")
# Drawn in each locale beside its alphabet, as words of their own: figures, and what prices are written with.
_FIGURES: Final = "0123456789"
_SIGNS: Final = "%,.-+"
# The weight of headlines and prices that a layout does not set.
SAMPLE_WEIGHT: Final = 700

logger = logging.getLogger(__name__)


class Origin(StrEnum):
    """Where a font comes from."""

    SHOP = "shop"
    PACKAGE = "package"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class FontMatch:
    """A family for a locale, and where it comes from."""

    family: FontFamily
    origin: Origin


def chain_for(locale: str) -> FontChain:
    """Return the fonts for ``locale``: the shop's own, the one made for its script, the Latin one, and
    all others from packages for text in other scripts.

    Raises ``FontUnreadable`` if one of the shop's own fonts does not open.
    """
    return FontChain(families=tuple(dict.fromkeys(match.family for match in _candidates(locale))))


def family_for(locale: str) -> FontMatch | None:
    """Return the first family that covers the alphabet of ``locale``; None if a font must be installed."""
    return next(
        (
            match
            for match in _candidates(locale)
            if _covers_alphabet(match.family, locale) and _draws_alphabet(match.family, locale)
        ),
        None,
    )


def _candidates(locale: str) -> Iterator[FontMatch]:
    yield from (FontMatch(family, Origin.SHOP) for family in group_families(_shop_faces(locale)))
    for code in dict.fromkeys((locale, _LATIN_LOCALE)):
        if match := match_installed(code):
            yield match
    yield from (FontMatch(family, Origin.PACKAGE) for family in _installed_families(Origin.PACKAGE))


def _shop_faces(locale: str) -> list[FontFace]:
    """Return the faces of the shop's own fonts for ``locale``. Raises ``FontUnreadable``."""
    tag = locales.language_tag(locale)
    faces: list[FontFace] = []
    for font in settings.FONTS:
        tags = {locales.language_tag(each) for each in font.get("LOCALES", ())}
        if tags and tag not in tags:
            continue
        faces += _faces_of(font)
    return faces


@dataclass(frozen=True, slots=True)
class UsedFace:
    """A face that draws text of a locale, at a weight, and the first characters that it draws."""

    face: FontFace
    origin: Origin
    weight: int
    characters: str


def used_faces(locale: str, *, weight: int = SAMPLE_WEIGHT) -> list[UsedFace]:
    """Return the faces that draw the alphabet, the figures and the prices of ``locale`` where a layout asks
    for ``weight``, the one that draws the most first. Raises ``FontUnreadable``.
    """
    matches = list(_candidates(locale))
    chain = FontChain(families=tuple(dict.fromkeys(match.family for match in matches)))
    price = locales.sample_texts(locale)["price"]
    drawn: dict[Font, dict[str, None]] = {}
    for word in (*sorted(alphabet(locale)), *_FIGURES, *_SIGNS, price):
        if not chain.missing_characters(word):
            for character, font in zip(word, chain.assign_fonts(word, weight=weight), strict=True):
                if is_visible(character):
                    drawn.setdefault(font, {})[character] = None
    origins = {face: match.origin for match in reversed(matches) for face in match.family.faces}
    return sorted(
        (
            UsedFace(font.face, origins[font.face], font.weight, "".join(characters))
            for font, characters in drawn.items()
        ),
        key=lambda each: -len(each.characters),
    )


class UnusedFace(NamedTuple):
    """A face of the shop's own fonts that draws nothing, and why."""

    face: FontFace
    reason: str


def unused_faces(codes: Sequence[str]) -> list[UnusedFace]:
    """Return the faces in ``FONTS`` that draw nothing in the locales ``codes``, and why.

    A face counts as used if another weight of its family is. Raises ``FontUnreadable``.
    """
    reasons: dict[FontFace, str] = {}
    used: set[FontFace] = set()
    for code in codes:
        faces = _shop_faces(code)
        drawing = {each.face for each in used_faces(code)}
        for family in group_families(faces):
            # No alphabet has emoji.
            if family.is_emoji or drawing.intersection(family.faces):
                used.update(family.faces)
            else:
                reasons.update(
                    dict.fromkeys(
                        family.faces, "fonts before it draw what it has of the languages."
                    )
                )
        for face, other in superseded_faces(faces).items():
            reasons[face] = (
                f"{face.style!r} is not upright or not of normal width, and {other.style!r} of the same "
                f"family is. List it without the others to use it."
            )
    for font in settings.FONTS:
        for face in _faces_of(font):
            reasons.setdefault(face, "it is for languages that the shop does not have.")
    return [UnusedFace(face, reason) for face, reason in reasons.items() if face not in used]


def _faces_of(font: Mapping[str, Any]) -> list[FontFace]:
    """Return the faces of an entry of ``FONTS``. Raises ``FontUnreadable``."""
    if "STORAGE" in font:
        return _open_from_storage(font["STORAGE"], font["FILE"])
    return open_file(font["FILE"])


def installation_hint(locale: str) -> str:
    """Return what to install so that ``locale`` has a font."""
    [(script, _count)] = Counter(scripts_of("".join(alphabet(locale)))).most_common(1)
    extra = "fonts-cjk" if script in {*CJK, "Hang"} else "fonts"
    if script in _PACKAGED_SCRIPTS:
        return f"no font covers its alphabet. pip install 'nb-catalog[{extra}]'"
    return (
        f"no font covers its alphabet (script {script}). Install a Noto font for it on this machine, "
        f"or add a font file to NB_CATALOG['FONTS']."
    )


@lru_cache(maxsize=256)
def alphabet(locale: str) -> frozenset[str]:
    """Return the letters of ``locale``: those in CLDR's names of months, days, languages and countries."""
    data = locales.parse_locale(locale)
    names = chained(
        data.months["format"]["wide"].values(),
        data.days["format"]["wide"].values(),
        data.languages.values(),
        data.territories.values(),
    )
    return frozenset(letter for name in names for letter in name if letter.isalpha())


def _covers_alphabet(family: FontFamily, locale: str) -> bool:
    return all(family.covers(letter) for letter in alphabet(locale))


@lru_cache(maxsize=256)
def match_installed(locale: str) -> FontMatch | None:
    for origin in (Origin.PACKAGE, Origin.SYSTEM):
        families = _installed_families(origin)
        matches = [family for family in families if _covers_alphabet(family, locale)]
        for family in sorted(matches, key=lambda each: _mismatch(each, locale)):
            if _draws_alphabet(family, locale):
                return FontMatch(family, origin)
    return None


def _draws_alphabet(family: FontFamily, locale: str) -> bool:
    """Return whether its letters leave ink and differ: fonts for tests and for last resort map every
    character, to a blank or to the same box."""
    font, letters = family.at(REGULAR), alphabet(locale)
    glyphs = {font.hb_font.get_nominal_glyph(ord(letter)) for letter in letters}
    return 2 * len(glyphs) > len(letters) and all(draws(font, letter) for letter in letters)


def _mismatch(family: FontFamily, locale: str) -> tuple[bool, bool, int, int]:
    """Return a sort key that is lowest for the family made for ``locale``, of those that cover it.

    Fonts with ideographs cover several languages: the one with the fewest characters is made for the
    fewest. Of other fonts, prefer most letters of the script, then fewest others.
    """
    is_special = any(word in family.name.lower() for word in _SPECIAL_NAMES)
    coverage = family.faces[0].coverage
    scripts = set(scripts_of("".join(sorted(alphabet(locale)))))
    if CJK & scripts:
        return not family.is_normal, is_special, 0, len(coverage)
    own = sum(script in scripts for script in scripts_of("".join(map(chr, coverage))))
    return not family.is_normal, is_special, -own, len(coverage)


@lru_cache(maxsize=64)
def _open_from_storage(alias: str, name: str) -> list[FontFace]:
    try:
        with storages[alias].open(name) as file:
            data = file.read()
    except Exception as error:  # noqa: BLE001 - each storage raises its own
        raise FontUnreadable(
            f"The font {name} cannot be read from STORAGES[{alias!r}]: {type(error).__name__}."
        ) from error
    return open_bytes(data, name=f"{alias}:{name}")


@lru_cache(maxsize=2)
def _installed_families(origin: Origin) -> tuple[FontFamily, ...]:
    faces: list[FontFace] = []
    for file in package_files() if origin == Origin.PACKAGE else sorted(system_files()):
        if file.suffix.lower() in _SUFFIXES:
            # Others installed these files: broken ones are skipped without complaint.
            with suppress(FontUnreadable):
                faces += open_file(file)
    return tuple(group_families(faces))


def package_files() -> list[Path]:
    """Return the files of all installed packages that offer fonts."""
    return [
        Path(str(file.locate()))
        for group in _ENTRY_POINT_GROUPS
        for entry in sorted(entry_points(group=group), key=lambda each: each.name)
        for file in (entry.dist.files or () if entry.dist else ())
    ]


def system_files() -> set[Path]:
    """Return the font files of this machine, by fontconfig where it is installed and answers."""
    fc_list = shutil.which("fc-list")
    if fc_list is not None:
        try:
            result = subprocess.run(  # noqa: S603 - the system's own program, without user input
                [fc_list, "--format", "%{file}\n"],
                capture_output=True, check=True, timeout=_FC_LIST_SECONDS,
            )  # fmt: skip
            return {Path(os.fsdecode(line)) for line in result.stdout.splitlines() if line}
        except (OSError, subprocess.SubprocessError) as error:
            logger.warning("fc-list does not list this system's fonts: %s", type(error).__name__)
    return {file for folder in _SYSTEM_FOLDERS for file in Path(folder).glob("**/*")}
