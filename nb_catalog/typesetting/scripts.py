"""What differs between scripts: where they belong, how far apart their lines stand."""

from __future__ import annotations

import unicodedata
from typing import Final

from fontTools import unicodedata as unicode_scripts

# Of no script of their own: digits, signs, spaces; marks that take their letter's.
COMMON: Final = frozenset({"Zyyy", "Zinh", "Zzzz"})
LATIN: Final = "Latn"
CJK: Final = frozenset({"Hani", "Hira", "Kana", "Bopo"})

# From one baseline to the next, in ems: what is stacked above and below letters needs room.
LEADING: Final = {
    "Arab": 1.35,
    "Deva": 1.30,
    "Beng": 1.30,
    "Taml": 1.30,
    "Telu": 1.35,
    "Thai": 1.40,
}
USUAL_LEADING: Final = 1.18


def scripts_of(text: str) -> list[str]:
    """Of each character its script (ISO 15924): what has none takes that of what stands before it,
    and at the beginning that of what follows (UAX #24, 5.1)."""
    own = [unicode_scripts.script(character) for character in text]
    last = next((script for script in own if script not in COMMON), LATIN)
    resolved = []
    for character, script in zip(text, own, strict=True):
        if script not in COMMON:
            last = script
        elif _is_fullwidth(character):
            # Between Latin words too, so that their font's language is asked for its form.
            resolved.append("Hani")
            continue
        resolved.append(last)
    return resolved


def _is_fullwidth(character: str) -> bool:
    return unicodedata.east_asian_width(character) in {"W", "F"} and not character.isspace()


def leading(text: str) -> float:
    """From one baseline of ``text`` to the next, in ems."""
    return max((LEADING.get(script, USUAL_LEADING) for script in scripts_of(text)), default=0.0)
