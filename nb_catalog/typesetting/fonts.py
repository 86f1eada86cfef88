"""The fonts of each locale: the shop's own, then those of installed packages, then the system's.

Of packages and system fonts, a locale gets the one family that covers its alphabet and is made for it.
"""

from __future__ import annotations

import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from importlib.metadata import entry_points
from itertools import chain as chained
from pathlib import Path
from typing import Final

from django.core.files.storage import storages

from nb_catalog.conf import settings
from nb_catalog.core import locales
from nb_catalog.exceptions import FontUnreadable
from nb_catalog.typesetting.font_fallback import FontChain
from nb_catalog.typesetting.font_files import (
    FontFace,
    FontFamily,
    group_families,
    open_bytes,
    open_file,
)
from nb_catalog.typesetting.scripts import CJK, scripts_of

# Groups of entry points under which packages offer fonts.
_ENTRY_POINT_GROUPS: Final = ("fontpkg.family", "justmytype.packs")
_SUFFIXES: Final = frozenset({".ttf", ".otf", ".ttc"})
# Scripts of the fonts that our extras install.
_PACKAGED_SCRIPTS: Final = CJK | {
    "Arab", "Beng", "Cyrl", "Deva", "Grek", "Hang", "Hebr", "Latn", "Taml", "Telu", "Thai",
}  # fmt: skip
# Font folders of systems without fontconfig.
_SYSTEM_FOLDERS: Final = ("/System/Library/Fonts", "/Library/Fonts", "C:/Windows/Fonts")
_LATIN_LOCALE: Final = "en"
# In the names of families that lose against any other that covers the alphabet.
_SPECIAL_NAMES: Final = ("mono", "math", "serif", "symbol", "emoji")


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
        (match for match in _candidates(locale) if _covers_alphabet(match.family, locale)), None
    )


def _candidates(locale: str) -> Iterator[FontMatch]:
    tag = locales.language_tag(locale)
    shop_faces: list[FontFace] = []
    for font in settings.FONTS:
        tags = {locales.language_tag(each) for each in font.get("LOCALES", ())}
        if tags and tag not in tags:
            continue
        if "STORAGE" in font:
            shop_faces += _open_from_storage(font["STORAGE"], font["FILE"])
        else:
            shop_faces += open_file(font["FILE"])
    yield from (FontMatch(family, Origin.SHOP) for family in group_families(shop_faces))
    for code in dict.fromkeys((locale, _LATIN_LOCALE)):
        if match := _match_installed(code):
            yield match
    yield from (FontMatch(family, Origin.PACKAGE) for family in _installed_families(Origin.PACKAGE))


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
def _match_installed(locale: str) -> FontMatch | None:
    for origin in (Origin.PACKAGE, Origin.SYSTEM):
        families = _installed_families(origin)
        if matches := [family for family in families if _covers_alphabet(family, locale)]:
            return FontMatch(min(matches, key=lambda each: _mismatch(each, locale)), origin)
    return None


def _mismatch(family: FontFamily, locale: str) -> tuple[bool, int, int]:
    """Return a sort key that is lowest for the family made for ``locale``, of those that cover it.

    Fonts with ideographs cover several languages: the one with the fewest characters is made for the
    fewest. Of other fonts, prefer most letters of the script, then fewest others.
    """
    is_special = any(word in family.name.lower() for word in _SPECIAL_NAMES)
    coverage = family.faces[0].coverage
    scripts = set(scripts_of("".join(sorted(alphabet(locale)))))
    if CJK & scripts:
        return is_special, 0, len(coverage)
    own = sum(script in scripts for script in scripts_of("".join(map(chr, coverage))))
    return is_special, -own, len(coverage)


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
    """Return the font files of this machine, by fontconfig where it is installed."""
    fc_list = shutil.which("fc-list")
    if fc_list is None:
        return {file for folder in _SYSTEM_FOLDERS for file in Path(folder).glob("**/*")}
    result = subprocess.run(  # noqa: S603 - the system's own program, without user input
        [fc_list, "--format", "%{file}\n"], capture_output=True, check=False, timeout=30, text=True
    )
    return {Path(line) for line in result.stdout.splitlines() if line}
