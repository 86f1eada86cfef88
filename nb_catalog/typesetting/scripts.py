"""Scripts (ISO 15924): which one each character belongs to, and the leading each one needs."""

from __future__ import annotations

import unicodedata
from typing import Final

from fontTools import unicodedata as unicode_scripts
from uniseg.emoji import emoji_presentation

# Common, Inherited, Unknown: digits, punctuation, spaces, and marks that take the script of their base.
COMMON: Final = frozenset({"Zyyy", "Zinh", "Zzzz"})
LATIN: Final = "Latn"
CJK: Final = frozenset({"Hani", "Hira", "Kana", "Bopo"})
HANGUL: Final = "Hang"

# Distance between baselines in ems. Scripts that stack marks above and below letters need more.
LEADING: Final = {
    "Arab": 1.35,
    "Deva": 1.30,
    "Beng": 1.30,
    "Taml": 1.30,
    "Telu": 1.35,
    "Thai": 1.40,
    "Laoo": 1.40,
    "Khmr": 1.45,
    "Mymr": 1.45,
}
DEFAULT_LEADING: Final = 1.18


def scripts_of(text: str) -> list[str]:
    """Return the script of each character. Characters without a script of their own take that of the
    character before them, or of the one after them at the start (UAX #24, 5.1)."""
    own = [unicode_scripts.script(character) for character in text]
    current = next((script for script in own if script not in COMMON), LATIN)
    resolved = []
    for character, script in zip(text, own, strict=True):
        if script not in COMMON:
            current = script
        elif (
            unicodedata.east_asian_width(character) in {"W", "F"}
            and not character.isspace()
            # Emoji are as wide, but one sequence must not be split between scripts.
            and not emoji_presentation(character)
        ):
            # Between Latin words too, so that the font draws the form for the text's language.
            resolved.append("Hani")
            continue
        resolved.append(current)
    return resolved


def leading(text: str) -> float:
    """Return the distance between baselines of ``text`` in ems."""
    return max((LEADING.get(script, DEFAULT_LEADING) for script in scripts_of(text)), default=0.0)
