"""Font fallback: each character is drawn by the first font of a chain that covers it."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from nb_catalog.exceptions import CharacterMissing
from nb_catalog.typesetting.font_files import Font, FontFamily

ZWJ: Final = "\u200d"
_MARKS: Final = frozenset({"Mn", "Mc", "Me"})
_INVISIBLE: Final = frozenset({"Cf", "Cc"})


@dataclass(frozen=True, slots=True, kw_only=True)
class FontChain:
    """Font families in the order in which they are tried for a character."""

    families: tuple[FontFamily, ...]

    def missing_characters(self, text: str) -> list[str]:
        """Return the characters of ``text`` that no family covers, each once."""
        return [
            character
            for character in dict.fromkeys(text)
            if not is_invisible(character)
            and not any(family.covers(character) for family in self.families)
        ]

    def assign_fonts(self, text: str, *, weight: int) -> list[Font]:
        """Return the font of each character. A base character and its marks share one.

        Raises ``CharacterMissing``.
        """
        previous: FontFamily | None = None
        fonts: list[Font] = []
        for start, end in clusters(text):
            visible = [each for each in text[start:end] if not is_invisible(each)]
            families = self.families
            # Spaces and punctuation stay in the font of the word before them if it has them.
            if previous is not None and not any(each.isalnum() for each in visible):
                families = (previous, *families)
            for family in families:
                if all(family.covers(each) for each in visible):
                    fonts += [family.at(weight)] * (end - start)
                    previous = family
                    break
            else:
                code_points = ", ".join(
                    f"U+{ord(each):04X} {unicodedata.name(each, 'without a name')}"
                    for each in visible
                )
                names = ", ".join(family.name for family in self.families) or "none is installed"
                raise CharacterMissing(
                    f"no font has a glyph for {code_points}. Remove it, or add a font that has it to "
                    f"NB_CATALOG['FONTS']. Fonts tried: {names}.",
                    text=text[start:end],
                )
        return fonts


def is_invisible(character: str) -> bool:
    """Return whether it needs no glyph: directional marks, joiners, line breaks."""
    return unicodedata.category(character) in _INVISIBLE


def clusters(text: str) -> Iterator[tuple[int, int]]:
    """Yield the start and end of each base character with its marks and joiners."""
    start = 0
    for index in range(1, len(text) + 1):
        is_joined = index < len(text) and (
            unicodedata.category(text[index]) in _MARKS or ZWJ in text[index - 1 : index + 1]
        )
        if not is_joined:
            yield start, index
            start = index
