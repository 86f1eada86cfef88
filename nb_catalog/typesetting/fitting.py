"""Fitting: the largest size at which a text fits its box, and its lines at that size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import Final

from nb_catalog.exceptions import TextDoesNotFit
from nb_catalog.typesetting.line_breaking import ideograph_breaks, word_breaks
from nb_catalog.typesetting.paragraphs import Paragraph, ShapedLine

# Added to the raggedness of a line that ends without a space, so that spaces are preferred in languages
# that have both.
PHRASE_BREAK_COST: Final = 0.04
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
class MeasuredParagraph:
    """A paragraph split into segments at ``breaks``, each shaped once: its advances scale."""

    paragraph: Paragraph
    breaks: tuple[int, ...]

    @cached_property
    def segments(self) -> list[tuple[int, int]]:
        bounds = [0, *self.breaks, len(self.paragraph.text)]
        return [(start, end) for start, end in pairwise(bounds) if end > start]

    @cached_property
    def _shaped(self) -> dict[tuple[int, int], ShapedLine]:
        return {bounds: self.paragraph.shape_line(*bounds) for bounds in self.segments}

    @cached_property
    def ink_extents(self) -> tuple[float, float]:
        """How far its ink reaches above and below the baseline, in ems."""
        inks = [line.ink for line in self._shaped.values()]
        return max((ink.top for ink in inks), default=0.0), -min(
            (ink.bottom for ink in inks), default=0.0
        )

    @cached_property
    def _advances(self) -> list[tuple[float, float]]:
        """Two advances per segment, in ems: within a line, and at its end, where trailing spaces are
        dropped and a soft hyphen is shown."""
        advances = []
        for start, end in self.segments:
            whole = self._shaped[start, end].advance
            if self.paragraph.breaks_word(end):
                advances.append((self.paragraph.shape_line(start, end - 1).advance, whole))
                continue
            trimmed = self._trim(start, end)
            at_end = whole if trimmed == end else self.paragraph.shape_line(start, trimmed).advance
            advances.append((whole, at_end))
        return advances

    @cached_property
    def min_width(self) -> float:
        """The width of the widest segment: the narrowest box that holds the paragraph, in ems."""
        return max((at_end for _whole, at_end in self._advances), default=0.0) + self._overhang

    @cached_property
    def _overhang(self) -> float:
        """How far ink reaches beyond the advances, at most, in ems."""
        lines = self._shaped.values()
        left = max((-line.ink.left for line in lines), default=0.0)
        right = max((line.ink.right - line.advance for line in lines), default=0.0)
        return max(0.0, left) + max(0.0, right)

    @cached_property
    def _offsets(self) -> list[float]:
        offsets = [0.0]
        for whole, _at_end in self._advances:
            offsets.append(offsets[-1] + whole)
        return offsets

    def width(self, first: int, after: int) -> float:
        """Return the width of the segments ``first`` up to ``after``, exclusive, on one line, in ems."""
        if first == after:
            return 0.0
        at_end = self._advances[after - 1][1]
        return self._offsets[after - 1] - self._offsets[first] + at_end + self._overhang

    def count_lines(self, width: float) -> int | None:
        """Return the fewest lines of ``width`` ems that hold it; None if one segment is wider."""
        if self.min_width > width:
            return None
        lines, first = 1, 0
        for index in range(len(self.segments)):
            if self.width(first, index + 1) > width:
                lines, first = lines + 1, index
        return lines

    def break_lines(self, width: float, *, lines: int) -> list[tuple[int, int]]:
        """Return the bounds of ``lines`` lines of at most ``width`` ems with the least raggedness, by
        dynamic programming over the segments."""
        text, count = self.paragraph.text, len(self.segments)
        # best[n][k]: the lowest cost of breaking the first n segments into k lines, and the first
        # segment of the last of these lines.
        best: list[dict[int, tuple[float, int]]] = [{} for _ in range(count + 1)]
        best[0][0] = (0.0, 0)
        for after in range(1, count + 1):
            end = self.segments[after - 1][1]
            ends_at_space = end == len(text) or text[end - 1].isspace()
            for first in range(after - 1, -1, -1):
                used_width = self.width(first, after)
                if used_width > width:
                    break
                cost = ((width - used_width) / width) ** 2
                cost += 0.0 if ends_at_space else PHRASE_BREAK_COST
                for used, (before, _) in best[first].items():
                    option = (before + cost, first)
                    if used < lines and option < best[after].get(used + 1, (float("inf"), 0)):
                        best[after][used + 1] = option
        bounds: list[tuple[int, int]] = []
        after = count
        for used in range(lines, 0, -1):
            first = best[after][used][1]
            start, end = self.segments[first][0], self.segments[after - 1][1]
            bounds.insert(0, (start, self._trim(start, end)))
            after = first
        return bounds

    def _trim(self, start: int, end: int) -> int:
        """Return ``end`` without the spaces before it."""
        return start + len(self.paragraph.text[start:end].rstrip())


@dataclass(frozen=True)
class _TextBlock:
    """All paragraphs of a text, and the box they must fit, in pixels; ``margin`` ems on each side of it
    stay free."""

    paragraphs: tuple[MeasuredParagraph, ...]
    width: float
    height: float
    margin: float

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
        counts = [each.count_lines(self.free_space(size)[0] / size) for each in self.paragraphs]
        return None if None in counts else [count or 0 for count in counts]

    def fits(self, size: float, *, max_lines: int) -> bool:
        counts = self.line_counts(size)
        if counts is None or sum(counts) > max_lines:
            return False
        return self.height_of(sum(counts), size=size) <= self.free_space(size)[1]

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
            each.paragraph.shape_line(*bounds)
            for each, count in zip(self.paragraphs, counts, strict=True)
            for bounds in each.break_lines(width, lines=count)
        ]
        return FittedText(size=size, line_height=self.line_height * size, lines=tuple(lines))

    def explain_misfit(self, *, smallest: int, max_lines: int) -> str:
        width, height = self.free_space(smallest)
        widest = max((each.min_width for each in self.paragraphs), default=0.0) * smallest
        if widest > width:
            reason = f"its longest word is {widest:.0f} px wide"
        else:
            lines = sum(self.line_counts(smallest) or [])
            reason = (
                f"it takes {lines} lines"
                if lines > max_lines
                else f"its {lines} lines are {self.height_of(lines, size=smallest):.0f} px high"
            )
        return (
            f"does not fit into {width:.0f} x {height:.0f} px and {max_lines} lines: at the smallest "
            f"size, {smallest} px, {reason}. Shorten the text, or enlarge its box."
        )


def fit_text(
    paragraphs: Sequence[Paragraph],
    *,
    width: float,
    height: float,
    sizes: tuple[int, int],
    max_lines: int,
    margin: float = 0.0,
) -> FittedText:
    """Set a text as large as it fits; ``paragraphs`` are its parts between hard line breaks.

    ``width`` and ``height`` are in pixels, ``sizes`` the smallest and largest em in whole pixels.
    ``margin``, in ems, stays free on each side and scales with the text. Lines break between words and
    phrases, and between ideographs only if no size fits otherwise.

    Raises ``TextDoesNotFit``.
    """
    for breaks in (word_breaks, ideograph_breaks):
        block = _TextBlock(
            tuple(
                MeasuredParagraph(each, tuple(breaks(each.text, language=each.language)))
                for each in paragraphs
            ),
            width,
            height,
            margin,
        )
        size = block.largest_size(sizes, max_lines=max_lines)
        while size is not None and size >= sizes[0]:
            fitted = block.set_at(size)
            # Whole lines may shape wider than the sum of their segments, and ink may overhang.
            if fitted.width <= block.free_space(size)[0]:
                return fitted
            size -= 1
    raise TextDoesNotFit(
        block.explain_misfit(smallest=sizes[0], max_lines=max_lines),
        text=" ".join(each.text for each in paragraphs),
    )
