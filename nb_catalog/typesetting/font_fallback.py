"""Font fallback: each word is drawn by the first font of a chain that can draw all of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from nb_catalog.core.text import character_name, is_visible
from nb_catalog.core.text import message as _
from nb_catalog.exceptions import CharacterMissing
from nb_catalog.typesetting.clusters import ZWJ, clusters, is_emoji, is_emoji_sequence
from nb_catalog.typesetting.coverage import draws
from nb_catalog.typesetting.font_files import REGULAR, Font, FontFamily
from nb_catalog.typesetting.scripts import CJK, scripts_of

__all__ = ["ZWJ", "FontChain", "clusters", "is_invisible"]

# Spaces that join what is on both sides of them into one word: a price, a number and its unit.
_JOINING_SPACES: Final = frozenset("\u00a0\u202f\u2007")


@dataclass(frozen=True, slots=True, kw_only=True)
class FontChain:
    """Font families in the order in which they are tried for a word."""

    families: tuple[FontFamily, ...]

    def missing_characters(self, text: str) -> list[str]:
        """Return the characters and sequences of ``text`` that no family draws, each once."""
        found = (text[start:end] for start, end in clusters(text))
        return [
            each
            for each in dict.fromkeys(found)
            if not any(draws(family.at(REGULAR), each) for family in self.families)
        ]

    def missing_places(self, text: str) -> list[tuple[int, str]]:
        """Return what no family draws as ``missing_characters`` does, with the index of each first one."""
        missing = self.missing_characters(text)
        starts = {text[start:end]: start for start, end in reversed([*clusters(text)])}
        return [(starts[each], each) for each in missing]

    def assign_fonts(self, text: str, *, weight: int) -> list[Font]:
        """Return the font of each character: one for a word, if any font draws all of it.

        Of a word that no single font draws, each draws as much as it can. Raises ``CharacterMissing``.
        """
        if missing := self.missing_characters(text):
            raise CharacterMissing(self.explain_missing(missing[0]), text=missing[0])
        previous: FontFamily | None = None
        fonts: list[Font] = []
        for word in _words(text):
            for family, count in self._split(word, previous=previous, weight=weight):
                fonts += [family.at(weight)] * count
                # An emoji between two words does not decide about the second.
                previous = previous if family.is_emoji else family
        return fonts

    def explain_missing(self, cluster: str) -> str:
        """Return that no font draws ``cluster``, and what to do."""
        code_points = ", ".join(map(character_name, cluster))
        names = ", ".join(family.name for family in self.families) or _("none is installed")
        if is_emoji_sequence(cluster):
            code_points = _("the sequence %(characters)s") % {"characters": code_points}
        problem = (
            _(
                "no font has a glyph for %(characters)s. Remove it, or add a font for emoji in colour to "
                "NB_CATALOG['FONTS']. Fonts tried: %(fonts)s."
            )
            if is_emoji(cluster)
            else _(
                "no font has a glyph for %(characters)s. Remove it, or add a font that has it to "
                "NB_CATALOG['FONTS']. Fonts tried: %(fonts)s."
            )
        )
        return problem % {"characters": code_points, "fonts": names}

    def _split(
        self, word: Sequence[str], *, previous: FontFamily | None, weight: int
    ) -> Iterator[tuple[FontFamily, int]]:
        """Yield the families that draw ``word``, a sequence of clusters, and how many characters."""
        families = [*self.families]
        if is_emoji(word[0]):
            families.sort(key=lambda each: not each.is_emoji)
        else:
            families.sort(key=lambda each: each.is_emoji)
            # Spaces and punctuation stay in the font of the word before them if it has them.
            if previous is not None and not any(each.isalnum() for part in word for each in part):
                families.insert(0, previous)
        done = 0
        while done < len(word):
            drawn, family = 0, families[0]
            for candidate in families:
                font, rest = candidate.at(weight), word[done:]
                count = next((i for i, each in enumerate(rest) if not draws(font, each)), len(rest))
                if count > drawn:
                    drawn, family = count, candidate
                if done + drawn == len(word):
                    break
            # A weight that lacks what the regular one has.
            if not drawn:
                raise CharacterMissing(self.explain_missing(word[done]), text=word[done])
            yield family, sum(map(len, word[done : done + drawn]))
            done += drawn


def _words(text: str) -> Iterator[list[str]]:
    """Yield the clusters of each word, of the spaces between words, and each emoji alone.

    Ideographs and kana are apart from letters, because their languages have no spaces around names.
    """
    scripts = scripts_of(text)
    kinds: list[tuple[str, int]] = []
    for number, (start, end) in enumerate(clusters(text)):
        cluster = text[start:end]
        if is_emoji(cluster):
            kinds.append(("emoji", number))
        elif cluster.isspace() and not _JOINING_SPACES.issuperset(cluster):
            kinds.append(("space", 0))
        elif kinds and not any(map(is_visible, cluster)):
            # Joiners and no-break spaces belong to what is before them, but not to a space or an emoji.
            kinds.append(("word", 0) if kinds[-1][0] in {"emoji", "space"} else kinds[-1])
        else:
            kinds.append(("ideographs" if scripts[start] in CJK else "word", 0))
    pieces = (text[start:end] for start, end in clusters(text))
    for _kind, group in groupby(zip(kinds, pieces, strict=True), key=lambda each: each[0]):
        yield [cluster for _kind, cluster in group]


def is_invisible(character: str) -> bool:
    """Return whether it needs no glyph: directional marks, joiners, line breaks."""
    return not is_visible(character) and not character.isspace()
