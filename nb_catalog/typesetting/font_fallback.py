"""Which font draws which character: the first of a chain that has it."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from nb_catalog.exceptions import CharacterMissing
from nb_catalog.typesetting.font_files import Font, FontFamily

ZWJ: Final = "\u200d"
_MARKS: Final = frozenset({"Mn", "Mc", "Me"})
_INVISIBLE: Final = frozenset({"Cf", "Cc"})


@dataclass(frozen=True, slots=True, kw_only=True)
class FontChain:
    """Families in the order in which they are asked for a character."""

    families: tuple[FontFamily, ...]

    def missing(self, text: str) -> list[str]:
        """Characters of ``text``, each once, that no family has a glyph for."""
        seen = dict.fromkeys(text)
        return [
            each
            for each in seen
            if not is_invisible(each) and not any(family.covers(each) for family in self.families)
        ]

    def fonts_of(self, text: str, *, weight: int) -> list[Font]:
        """Of each character its font. What stands together, a letter and its marks, has one.

        Raises ``CharacterMissing``.
        """
        before: FontFamily | None = None
        fonts: list[Font] = []
        for start, end in clusters(text):
            before = self._family_of(text[start:end], before=before)
            fonts += [before.at(weight)] * (end - start)
        return fonts

    def _family_of(self, cluster: str, *, before: FontFamily | None) -> FontFamily:
        visible = [each for each in cluster if not is_invisible(each)]
        families = self.families
        # A space or a sign stays in the font of the word before it, if that has it.
        if before is not None and not any(each.isalnum() for each in visible):
            families = (before, *families)
        for family in families:
            if all(family.covers(each) for each in visible):
                return family
        raise CharacterMissing(self._objection(visible), text=cluster)

    def _objection(self, characters: Sequence[str]) -> str:
        named = ", ".join(
            f"U+{ord(each):04X} {unicodedata.name(each, 'without a name')}" for each in characters
        )
        asked = ", ".join(family.name for family in self.families) or "none is installed"
        return (
            f"no font has a glyph for {named}. Leave it out, or give a font that has it in "
            f"NB_CATALOG['FONTS']. Asked were: {asked}."
        )


def is_invisible(character: str) -> bool:
    """Whether it needs no glyph: marks of direction, joiners, line breaks."""
    return unicodedata.category(character) in _INVISIBLE


def clusters(text: str) -> Iterator[tuple[int, int]]:
    """Where each letter with its marks and joiners begins and ends."""
    start = 0
    for index in range(1, len(text) + 1):
        if index == len(text) or not _joins(text[index - 1], text[index]):
            yield start, index
            start = index


def _joins(before: str, after: str) -> bool:
    return unicodedata.category(after) in _MARKS or after == ZWJ or before == ZWJ
