"""A text made ready for shaping: runs of one direction, script and font."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from itertools import groupby
from typing import NamedTuple

import uharfbuzz as hb

from nb_catalog.exceptions import CharacterMissing
from nb_catalog.typesetting import bidi
from nb_catalog.typesetting.font_fallback import FontChain
from nb_catalog.typesetting.font_files import Font
from nb_catalog.typesetting.line_breaking import SOFT_HYPHEN
from nb_catalog.typesetting.scripts import leading, scripts_of


class Run(NamedTuple):
    """Characters ``start`` to ``end`` of a paragraph, shaped as one."""

    start: int
    end: int
    level: int
    script: str
    font: Font


class Glyph(NamedTuple):
    """A glyph on a line: where it stands in ems, right and up from the line's beginning."""

    font: Font
    id: int
    x: float
    y: float


class Ink(NamedTuple):
    """What is drawn on: in ems, right and up from the baseline's beginning."""

    left: float
    bottom: float
    right: float
    top: float


@dataclass(frozen=True, kw_only=True)
class Line:
    """Glyphs from left to right; ``advance`` is the line's width in ems."""

    text: str
    glyphs: tuple[Glyph, ...] = field(repr=False)
    advance: float

    @cached_property
    def ink(self) -> Ink:
        boxes = [_ink_of(glyph) for glyph in self.glyphs]
        inked = [box for box in boxes if box.right > box.left]
        if not inked:
            return Ink(0.0, 0.0, 0.0, 0.0)
        return Ink(
            left=min(box.left for box in inked),
            bottom=min(box.bottom for box in inked),
            right=max(box.right for box in inked),
            top=max(box.top for box in inked),
        )

    def only(self, glyph: Glyph) -> Line:
        """One of its glyphs, where it stands."""
        return Line(text="", glyphs=(glyph,), advance=0.0)


def _ink_of(glyph: Glyph) -> Ink:
    box, upem = _extents(glyph.font, glyph.id), glyph.font.upem
    left, top = glyph.x + box.x_bearing / upem, glyph.y + box.y_bearing / upem
    return Ink(left, top + box.height / upem, left + box.width / upem, top)


@lru_cache(maxsize=4096)
def _extents(font: Font, glyph: int) -> hb.GlyphExtents:
    return font.shaper.get_glyph_extents(glyph)


@dataclass(frozen=True)
class Paragraph:
    """A text without line breaks of its own, in a locale and a chain of fonts.

    ``base`` is the level of its locale: 0, or 1 where it is written from right to left.
    Raises ``CharacterMissing`` when it is made.
    """

    text: str
    chain: FontChain
    weight: int
    language: str
    base: int

    def __post_init__(self) -> None:
        _ = self.runs  # or a missing glyph would be found when half of the picture is drawn

    @cached_property
    def kinds(self) -> list[str]:
        return bidi.classes(self.text)

    @cached_property
    def levels(self) -> list[int]:
        return bidi.levels(self.text, base=self.base)

    @cached_property
    def leading(self) -> float:
        return leading(self.text)

    @cached_property
    def runs(self) -> tuple[Run, ...]:
        """In the order of the text."""
        return tuple(self._runs(0, len(self.text), self.levels))

    @cached_property
    def _scripts(self) -> list[str]:
        return scripts_of(self.text)

    @cached_property
    def _fonts(self) -> list[Font]:
        try:
            return self.chain.fonts_of(self.text, weight=self.weight)
        except CharacterMissing as error:
            raise CharacterMissing(error.what, text=self.text) from error

    def _runs(self, start: int, end: int, levels: list[int]) -> list[Run]:
        """Of ``start`` to ``end``, whose levels on their line are ``levels``."""

        def key(index: int) -> tuple[int, str, Font]:
            return levels[index - start], self._scripts[index], self._fonts[index]

        runs = []
        for (level, script, font), same in groupby(range(start, end), key=key):
            indices = list(same)
            runs.append(Run(indices[0], indices[-1] + 1, level, script, font))
        return runs

    def line(self, start: int, end: int) -> Line:
        """Characters ``start`` to ``end`` shaped as one line. One that ends at a soft hyphen shows it.

        Raises ``CharacterMissing`` where a font has the characters but not the glyph that they make.
        """
        shown = self.text
        if self.is_parted(end):
            shown = f"{shown[: end - 1]}-{shown[end:]}"
        on_line = bidi.for_line(self.levels[start:end], self.kinds[start:end], base=self.base)
        runs = self._runs(start, end, on_line)
        glyphs: list[Glyph] = []
        pen = 0.0
        for place in bidi.visual_order([run.level for run in runs]):
            shaped, advance = self._shaped(runs[place], shown)
            glyphs += [Glyph(each.font, each.id, pen + each.x, each.y) for each in shaped]
            pen += advance
        return Line(text=shown[start:end], glyphs=tuple(glyphs), advance=pen)

    def is_parted(self, end: int) -> bool:
        """Whether a line that ends there parts a word at a soft hyphen."""
        return 0 < end < len(self.text) and self.text[end - 1] == SOFT_HYPHEN

    def _shaped(self, run: Run, text: str) -> tuple[list[Glyph], float]:
        buffer = hb.Buffer()
        # The whole paragraph goes along: letters join, or not, over the ends of their run.
        buffer.add_str(text, run.start, run.end - run.start)
        buffer.direction = "rtl" if run.level % 2 else "ltr"
        buffer.script = run.script
        buffer.language = self.language
        hb.shape(run.font.shaper, buffer)
        upem, pen = run.font.upem, 0.0
        glyphs = []
        for info, place in zip(buffer.glyph_infos, buffer.glyph_positions, strict=True):
            if info.codepoint == 0:
                raise CharacterMissing(
                    f"the font {run.font.face.family} cannot draw "
                    f"{self.text[run.start : run.end]!r}.",
                    text=self.text,
                )
            glyphs.append(
                Glyph(run.font, info.codepoint, pen + place.x_offset / upem, place.y_offset / upem)
            )
            pen += place.x_advance / upem
        return glyphs, pen
