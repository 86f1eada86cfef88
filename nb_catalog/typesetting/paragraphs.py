"""Shaping: a paragraph is itemized into runs of one direction, script and font, and shaped line by line."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby, pairwise
from typing import NamedTuple

import uharfbuzz as hb

from nb_catalog.exceptions import CharacterMissing
from nb_catalog.typesetting import bidi, hyphenation, scripts
from nb_catalog.typesetting.font_fallback import FontChain
from nb_catalog.typesetting.font_files import Font, glyph_extents
from nb_catalog.typesetting.line_breaking import SOFT_HYPHEN


class Run(NamedTuple):
    """Characters ``start`` to ``end`` of a paragraph, shaped together."""

    start: int
    end: int
    level: int
    script: str
    font: Font


class Glyph(NamedTuple):
    """A glyph on a line. ``x`` and ``y`` in ems, right and up from the line's origin. ``cluster`` is the
    index, in the line's text, of the first character that it draws."""

    font: Font
    id: int
    x: float
    y: float
    cluster: int


class InkExtents(NamedTuple):
    """The bounding box of drawn outlines in ems, right and up from the line's origin."""

    left: float
    bottom: float
    right: float
    top: float


@dataclass(frozen=True, kw_only=True)
class ShapedLine:
    """Glyphs from left to right; ``advance`` is the line's width in ems."""

    text: str
    glyphs: tuple[Glyph, ...] = field(repr=False)
    advance: float

    @cached_property
    def ink(self) -> InkExtents:
        boxes = []
        for glyph in self.glyphs:
            extents, upem = glyph_extents(glyph.font, glyph.id), glyph.font.upem
            left, top = glyph.x + extents.x_bearing / upem, glyph.y + extents.y_bearing / upem
            box = InkExtents(left, top + extents.height / upem, left + extents.width / upem, top)
            if box.right > box.left:
                boxes.append(box)
        if not boxes:
            return InkExtents(0.0, 0.0, 0.0, 0.0)
        return InkExtents(
            left=min(box.left for box in boxes),
            bottom=min(box.bottom for box in boxes),
            right=max(box.right for box in boxes),
            top=max(box.top for box in boxes),
        )

    def with_only(self, *glyphs: Glyph) -> ShapedLine:
        """Return a line with nothing but some of its glyphs, in the same position."""
        return ShapedLine(text="", glyphs=glyphs, advance=0.0)

    def by_cluster(self) -> list[tuple[str, tuple[Glyph, ...]]]:
        """Return the glyphs that belong together with the characters that they draw, in reading order."""
        groups: dict[int, list[Glyph]] = {}
        for glyph in self.glyphs:
            groups.setdefault(glyph.cluster, []).append(glyph)
        bounds = [*sorted({0, *groups}), len(self.text)]
        return [
            (self.text[start:end], tuple(groups.get(start, ()))) for start, end in pairwise(bounds)
        ]


@dataclass(frozen=True)
class Paragraph:
    """A text without hard line breaks, with the language and the fonts that it is shaped in.

    ``base`` is the paragraph's bidi level: 0, or 1 if its locale is written from right to left. The
    constructor raises ``CharacterMissing``.
    """

    text: str
    chain: FontChain
    weight: int
    language: str
    base: int

    def __post_init__(self) -> None:
        _ = self.fonts  # or a missing glyph would be noticed when half of the picture is drawn

    @cached_property
    def bidi_classes(self) -> list[str]:
        return bidi.bidi_classes(self.text)

    @cached_property
    def levels(self) -> list[int]:
        isolates = bidi.left_to_right_runs(self.text) if self.base == bidi.RTL else ()
        return bidi.embedding_levels(self.text, base=self.base, isolates=isolates)

    @cached_property
    def leading(self) -> float:
        return scripts.leading(self.text)

    @cached_property
    def scripts(self) -> list[str]:
        return scripts.scripts_of(self.text)

    @cached_property
    def fonts(self) -> list[Font]:
        """The font of each character. Raises ``CharacterMissing``."""
        try:
            return self.chain.assign_fonts(self.text, weight=self.weight)
        except CharacterMissing as error:
            raise CharacterMissing(error.what, text=self.text) from error

    @cached_property
    def hyphenation_points(self) -> frozenset[int]:
        """Where a line may end with a hyphen that is not in the text, in fonts that have one."""
        points = hyphenation.hyphenation_points(self.text, language=self.language)
        return frozenset(
            point for point in points if self.fonts[point - 1].hb_font.get_nominal_glyph(ord("-"))
        )

    def itemize(self, start: int, end: int, levels: list[int]) -> list[Run]:
        """Split characters ``start`` to ``end`` into runs; ``levels`` are theirs on their line."""

        def key(index: int) -> tuple[int, str, Font]:
            return levels[index - start], self.scripts[index], self.fonts[index]

        runs = []
        for (level, script, font), group in groupby(range(start, end), key=key):
            indices = list(group)
            runs.append(Run(indices[0], indices[-1] + 1, level, script, font))
        return runs

    def shape_line(self, start: int, end: int, *, hyphenated: bool = False) -> ShapedLine:
        """Shape characters ``start`` to ``end`` as one line, with a hyphen in place of a final soft hyphen,
        or after the last letter if it is ``hyphenated``.

        Raises ``CharacterMissing`` if a font has the characters but not the glyph that they form.
        """
        text = self.text
        levels = bidi.line_levels(
            self.levels[start:end], self.bidi_classes[start:end], base=self.base
        )
        runs = self.itemize(start, end, levels)
        if hyphenated:
            runs[-1] = runs[-1]._replace(end=end + 1)
            text = f"{text[:end]}-{text[end:]}"
            end += 1
        elif self.breaks_word(end):
            text = f"{text[: end - 1]}-{text[end:]}"
        glyphs: list[Glyph] = []
        pen = 0.0
        for index in bidi.visual_order([run.level for run in runs]):
            shaped, advance = self._shape_run(runs[index], text)
            glyphs += [
                each._replace(x=pen + each.x, cluster=each.cluster - start) for each in shaped
            ]
            pen += advance
        return ShapedLine(text=text[start:end], glyphs=tuple(glyphs), advance=pen)

    def breaks_word(self, end: int) -> bool:
        """Return whether a line that ends at ``end`` breaks a word at a soft hyphen."""
        return 0 < end < len(self.text) and self.text[end - 1] == SOFT_HYPHEN

    def _shape_run(self, run: Run, text: str) -> tuple[list[Glyph], float]:
        buffer = hb.Buffer()
        # With the whole paragraph as context: whether letters join depends on their neighbours.
        buffer.add_str(text, run.start, run.end - run.start)
        buffer.direction = "rtl" if run.level % 2 else "ltr"
        buffer.script = run.script
        buffer.language = self.language
        hb.shape(run.font.hb_font, buffer)
        upem, pen = run.font.upem, 0.0
        glyphs = []
        for info, position in zip(buffer.glyph_infos, buffer.glyph_positions, strict=True):
            if info.codepoint == 0:
                raise CharacterMissing(
                    f"the font {run.font.face.family} cannot draw "
                    f"{self.text[run.start : run.end]!r}.",
                    text=self.text,
                )
            glyphs.append(
                Glyph(
                    run.font, info.codepoint,
                    pen + position.x_offset / upem, position.y_offset / upem, info.cluster,
                )
            )  # fmt: skip
            pen += position.x_advance / upem
        return glyphs, pen
