"""Fitting: the largest size at which a text fits its box, and its lines at that size."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final

from nb_catalog.core.text import message as _
from nb_catalog.exceptions import TextDoesNotFit
from nb_catalog.typesetting.line_breaking import LineBreaks, line_breaks
from nb_catalog.typesetting.line_filling import MeasuredParagraph
from nb_catalog.typesetting.paragraphs import Paragraph, ShapedLine

# Phrases are broken and words hyphenated only if that makes the text larger by this factor.
MIN_GAIN: Final = 1.25
# Shaped whole, a text may be narrower than its segments: the share by which an estimate may be wrong.
_ESTIMATE_SLACK: Final = 0.03
# Lines closer than this, in ems, seem to touch.
MIN_LINE_GAP: Final = 0.06


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedText:
    """Lines of text at a size, in pixels; ``line_height`` is the distance between baselines."""

    size: float
    line_height: float
    lines: tuple[ShapedLine, ...] = field(repr=False)

    @property
    def width(self) -> float:
        """The width of the widest line, its ink included."""
        widths = (
            max(line.advance, line.ink.right) - min(0.0, line.ink.left) for line in self.lines
        )
        return max(widths, default=0.0) * self.size

    @property
    def ascent(self) -> float:
        """From the first baseline up to the top of the ink."""
        return max(
            (
                line.ink.top * self.size - index * self.line_height
                for index, line in enumerate(self.lines)
            ),
            default=0.0,
        )

    @property
    def descent(self) -> float:
        """From the first baseline down to the bottom of the ink."""
        return max(
            (
                index * self.line_height - line.ink.bottom * self.size
                for index, line in enumerate(self.lines)
            ),
            default=0.0,
        )

    @property
    def height(self) -> float:
        return self.ascent + self.descent


@dataclass(frozen=True)
class _TextBlock:
    """All paragraphs of a text, and the box they must fit, in pixels; ``margin`` ems on each side of it
    stay free. Each paragraph may have ``max_hyphens`` automatic hyphens."""

    paragraphs: tuple[MeasuredParagraph, ...]
    width: float
    height: float
    margin: float
    max_hyphens: int = 0

    @property
    def segments(self) -> int:
        return sum(len(each.segments) for each in self.paragraphs)

    @cached_property
    def line_height(self) -> float:
        """The distance between baselines in ems: the script's leading, or more so that no lines touch."""
        return max(
            max((each.paragraph.leading for each in self.paragraphs), default=0.0),
            self._ascent + self._descent + MIN_LINE_GAP,
        )

    @cached_property
    def _ascent(self) -> float:
        return max((each.ink_extents[0] for each in self.paragraphs), default=0.0)

    @cached_property
    def _descent(self) -> float:
        return max((each.ink_extents[1] for each in self.paragraphs), default=0.0)

    def height_of(self, lines: int, *, size: float) -> float:
        """Return the height of ``lines`` lines in pixels, with the ink extents of the whole text."""
        return size * (self._ascent + self._descent + (lines - 1) * self.line_height)

    def free_space(self, size: float) -> tuple[float, float]:
        """Return width and height within the margins, in pixels."""
        margins = 2 * self.margin * size
        return self.width - margins, self.height - margins

    def line_counts(self, size: float) -> list[int] | None:
        """Return the fewest lines of each paragraph at ``size``; None if a segment is too wide."""
        width = self.free_space(size)[0] / size
        counts = [each.count_lines(width, max_hyphens=self.max_hyphens) for each in self.paragraphs]
        return None if None in counts else [count or 0 for count in counts]

    def fits(self, size: float, *, max_lines: int) -> bool:
        counts = self.line_counts(size)
        if counts is None or sum(counts) > max_lines:
            return False
        return self.height_of(sum(counts), size=size) <= self.free_space(size)[1]

    def may_fit(self, size: float, *, max_lines: int) -> bool:
        """Return whether it could fit at ``size`` if it could be broken anywhere."""
        width, height = self.free_space(size)
        if width <= 0:
            return False
        room = width / size * (1 + _ESTIMATE_SLACK)
        lines = sum(math.ceil(each.total_width / room) for each in self.paragraphs)
        return lines <= max_lines and self.height_of(lines, size=size) <= height

    def fit(self, sizes: tuple[int, int], *, max_lines: int) -> FittedText | None:
        """Return the text at the largest of ``sizes`` at which it fits; None if there is none."""
        size = self.largest_size(sizes, max_lines=max_lines)
        while size is not None and size >= sizes[0]:
            fitted = self.set_at(size)
            # Whole lines may shape wider than the sum of their segments, and ink may overhang.
            if fitted.width <= self.free_space(size)[0]:
                return fitted
            size -= 1
        return None

    def largest_size(self, sizes: tuple[int, int], *, max_lines: int) -> int | None:
        smallest, largest = sizes
        best = None
        while smallest <= largest:
            size = (smallest + largest) // 2
            if self.fits(size, max_lines=max_lines):
                best, smallest = size, size + 1
            else:
                largest = size - 1
        return best

    def set_at(self, size: float) -> FittedText:
        counts = self.line_counts(size) or []
        width = self.free_space(size)[0] / size
        lines = [
            each.shape_line(*bounds)
            for each, count in zip(self.paragraphs, counts, strict=True)
            for bounds in each.break_lines(width, lines=count, max_hyphens=self.max_hyphens)
        ]
        return FittedText(size=size, line_height=self.line_height * size, lines=tuple(lines))

    def explain_misfit(self, *, smallest: int, max_lines: int) -> str:
        width, height = self.free_space(smallest)
        widest = max((each.min_width for each in self.paragraphs), default=0.0) * smallest
        if widest > width:
            reason = _("its longest word is %(width)s px wide") % {"width": f"{widest:.0f}"}
        else:
            lines = sum(self.line_counts(smallest) or [])
            reason = (
                _("it takes %(lines)s lines") % {"lines": lines}
                if lines > max_lines
                else _("its %(lines)s lines are %(height)s px high")
                % {"lines": lines, "height": f"{self.height_of(lines, size=smallest):.0f}"}
            )
        return _(
            "does not fit into %(width)s x %(height)s px and %(lines)s lines: at the smallest size, "
            "%(size)s px, %(reason)s. Shorten the text, or enlarge its box."
        ) % {
            "width": f"{width:.0f}",
            "height": f"{height:.0f}",
            "lines": max_lines,
            "size": smallest,
            "reason": reason,
        }


def fit_text(
    paragraphs: Sequence[Paragraph],
    *,
    width: float,
    height: float,
    sizes: tuple[int, int],
    max_lines: int,
    margin: float = 0.0,
    hyphenate: bool = True,
) -> FittedText:
    """Set a text as large as it fits; ``paragraphs`` are its parts between hard line breaks.

    ``width`` and ``height`` are in pixels, ``sizes`` the smallest and largest em in whole pixels.
    ``margin``, in ems, stays free on each side and scales with the text. Lines break between words and
    phrases. Phrases are broken, and words hyphenated if ``hyphenate``, where the text becomes larger by
    ``MIN_GAIN``; ideographs and short pairs such as "T-Shirt" are separated only if no size fits otherwise.

    Raises ``TextDoesNotFit``.
    """
    most_hyphens = max_lines - len(paragraphs) if hyphenate else 0

    def block_of(degree: Callable[[LineBreaks], tuple[int, ...]], *, hyphens: int) -> _TextBlock:
        measured = []
        for each in paragraphs:
            breaks = degree(line_breaks(each.text, language=each.language))
            points = each.hyphenation_points if hyphens else frozenset()
            measured.append(MeasuredParagraph(each, tuple(sorted({*breaks, *points})), points))
        return _TextBlock(tuple(measured), width, height, margin, hyphens)

    smallest, largest = sizes
    block = broken = block_of(lambda breaks: breaks.words, hyphens=0)
    fitted = block.fit(sizes, max_lines=max_lines)
    # Each further hyphen has to make up for how it looks.
    for hyphens in range(max(0, most_hyphens) + 1):
        larger = math.ceil(fitted.size * MIN_GAIN) if fitted else smallest
        if larger > largest or not block.may_fit(larger, max_lines=max_lines):
            break
        if hyphens > 1:
            broken = replace(broken, max_hyphens=hyphens)
        else:
            broken = block_of(lambda breaks: breaks.tight, hyphens=hyphens)
        if broken.segments > block.segments or hyphens > 1:
            fitted = broken.fit((larger, largest), max_lines=max_lines) or fitted
    if not fitted:
        block = block_of(lambda breaks: breaks.anywhere, hyphens=max(0, most_hyphens))
        fitted = block.fit(sizes, max_lines=max_lines)
    if fitted:
        return fitted
    # Without hyphens, so that the word is reported and not its part.
    block = block_of(lambda breaks: breaks.anywhere, hyphens=0)
    raise TextDoesNotFit(
        block.explain_misfit(smallest=smallest, max_lines=max_lines),
        text=" ".join(each.text for each in paragraphs),
    )
