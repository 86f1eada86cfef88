"""Filling lines: a paragraph is measured once, in segments, and broken into lines of any width."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Final, TypeAlias

from nb_catalog.typesetting.paragraphs import Paragraph, ShapedLine

# Added to the raggedness of a line that ends without a space, so that spaces are preferred in languages
# that have both.
PHRASE_BREAK_COST: Final = 0.04
# Added to that of a line that ends with an automatic hyphen.
HYPHEN_COST: Final = 0.2
# Fewer letters between two hyphens look like a mistake.
MIN_BETWEEN_HYPHENS: Final = 8

# Lines and automatic hyphens so far.
_State: TypeAlias = tuple[int, int]
# The lowest cost of a state, the first segment of its last line, and the state before that line.
_Way: TypeAlias = tuple[float, int, _State]


@dataclass(frozen=True)
class MeasuredParagraph:
    """A paragraph split into segments at ``breaks``, each shaped once: its advances scale.

    A line that ends at one of ``hyphens`` gets a hyphen.
    """

    paragraph: Paragraph
    breaks: tuple[int, ...]
    hyphens: frozenset[int] = frozenset()

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
            if end in self.hyphens:
                advances.append((whole, self.shape_line(start, end).advance))
                continue
            if self.paragraph.breaks_word(end):
                advances.append((self.paragraph.shape_line(start, end - 1).advance, whole))
                continue
            trimmed = self._trim(start, end)
            at_end = whole if trimmed == end else self.paragraph.shape_line(start, trimmed).advance
            advances.append((whole, at_end))
        return advances

    def shape_line(self, start: int, end: int) -> ShapedLine:
        """Shape characters ``start`` to ``end`` as a line of their own."""
        return self.paragraph.shape_line(start, end, hyphenated=end in self.hyphens)

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

    @property
    def total_width(self) -> float:
        """The width of all of it on one line, in ems."""
        return self._offsets[-1]

    def width(self, first: int, after: int) -> float:
        """Return the width of the segments ``first`` up to ``after``, exclusive, on one line, in ems."""
        if first == after:
            return 0.0
        at_end = self._advances[after - 1][1]
        return self._offsets[after - 1] - self._offsets[first] + at_end + self._overhang

    def count_lines(self, width: float, *, max_hyphens: int = 0) -> int | None:
        """Return the fewest lines of ``width`` ems that hold it, with at most ``max_hyphens`` automatic
        hyphens; None if there are none."""
        if self.min_width > width:
            return None
        if self.hyphens:
            ways = self._ways(width, max_lines=len(self.segments), max_hyphens=max_hyphens)[-1]
            return min((lines for lines, _hyphens in ways), default=None)
        lines, first = 1, 0
        for index in range(len(self.segments)):
            if self.width(first, index + 1) > width:
                lines, first = lines + 1, index
        return lines

    def break_lines(
        self, width: float, *, lines: int, max_hyphens: int = 0
    ) -> list[tuple[int, int]]:
        """Return the bounds of ``lines`` lines of at most ``width`` ems with the least raggedness."""
        ways = self._ways(width, max_lines=lines, max_hyphens=max_hyphens)
        after = len(self.segments)
        state = min(
            (state for state in ways[after] if state[0] == lines),
            key=lambda each: ways[after][each],
        )
        bounds: list[tuple[int, int]] = []
        while after:
            _cost, first, state = ways[after][state]
            start, end = self.segments[first][0], self.segments[after - 1][1]
            bounds.insert(0, (start, self._trim(start, end)))
            after = first
        return bounds

    def _ways(self, width: float, *, max_lines: int, max_hyphens: int) -> list[dict[_State, _Way]]:
        """Return how the first n segments can be broken, for each n, by dynamic programming."""
        text, count = self.paragraph.text, len(self.segments)
        ways: list[dict[_State, _Way]] = [{} for _ in range(count + 1)]
        ways[0][0, 0] = (0.0, 0, (0, 0))
        for after in range(1, count + 1):
            end = self.segments[after - 1][1]
            is_hyphen = end in self.hyphens
            ends_at_space = end == len(text) or text[end - 1].isspace()
            end_cost = 0.0 if ends_at_space else PHRASE_BREAK_COST
            end_cost += HYPHEN_COST if is_hyphen else 0.0
            for first in range(after - 1, -1, -1):
                used_width = self.width(first, after)
                if used_width > width:
                    break
                start = self.segments[first][0]
                if is_hyphen and start in self.hyphens and end - start < MIN_BETWEEN_HYPHENS:
                    continue
                cost = ((width - used_width) / width) ** 2 + end_cost
                for (lines, hyphens), (before, _first, _state) in ways[first].items():
                    state = (lines + 1, hyphens + is_hyphen)
                    way = (before + cost, first, (lines, hyphens))
                    is_allowed = state[0] <= max_lines and state[1] <= max_hyphens
                    if is_allowed and (state not in ways[after] or way < ways[after][state]):
                        ways[after][state] = way
        return ways

    def _trim(self, start: int, end: int) -> int:
        """Return ``end`` without the spaces before it."""
        return start + len(self.paragraph.text[start:end].rstrip())
