"""The largest size at which a text fits its box, and its lines at that size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from nb_catalog.exceptions import TextDoesNotFit
from nb_catalog.typesetting.line_breaking import between_letters, between_words
from nb_catalog.typesetting.paragraphs import Line, Paragraph

# Of a line that ends in the middle of a phrase, as if it were so much too short: where a language
# has spaces in it, they are the better places.
PHRASE_COST: Final = 0.04
# Lines that stand closer than this, in ems, look as if they touched.
AIR: Final = 0.06


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """Lines of text at a size. All in pixels; ``pitch`` is from one baseline to the next."""

    size: float
    pitch: float
    lines: tuple[Line, ...] = field(repr=False)

    @property
    def width(self) -> float:
        """Of the widest line, its ink included."""
        widths = (
            max(line.advance, line.ink.right) - min(0.0, line.ink.left) for line in self.lines
        )
        return max(widths, default=0.0) * self.size

    @property
    def above(self) -> float:
        """From the top of the ink down to the first baseline."""
        return max(
            (line.ink.top * self.size - at * self.pitch for at, line in enumerate(self.lines)),
            default=0.0,
        )

    @property
    def below(self) -> float:
        """From the first baseline down to the bottom of the ink."""
        return max(
            (at * self.pitch - line.ink.bottom * self.size for at, line in enumerate(self.lines)),
            default=0.0,
        )

    @property
    def height(self) -> float:
        return self.above + self.below


@dataclass(frozen=True)
class Measured:
    """A paragraph's stretches between the places where it may be broken, each shaped once."""

    paragraph: Paragraph
    places: tuple[int, ...]

    @cached_property
    def stretches(self) -> list[tuple[int, int]]:
        bounds = [0, *self.places, len(self.paragraph.text)]
        return [(start, end) for start, end in zip(bounds, bounds[1:], strict=False) if end > start]

    @cached_property
    def _shaped(self) -> dict[tuple[int, int], Line]:
        return {bounds: self.paragraph.line(*bounds) for bounds in self.stretches}

    @cached_property
    def rise(self) -> tuple[float, float]:
        """How far its ink goes above the baseline and below it, in ems."""
        inks = [line.ink for line in self._shaped.values()]
        return max((ink.top for ink in inks), default=0.0), -min(
            (ink.bottom for ink in inks), default=0.0
        )

    @cached_property
    def _advances(self) -> list[tuple[float, float]]:
        """Of each stretch, as it is within a line and as it is at its end: without the spaces after it,
        and with the hyphen of a word that is parted there. In ems."""
        advances = []
        for start, end in self.stretches:
            whole = self._shaped[start, end].advance
            if self.paragraph.is_parted(end):
                advances.append((self.paragraph.line(start, end - 1).advance, whole))
                continue
            inner = self.end_of_ink(start, end)
            bare = whole if inner == end else self.paragraph.line(start, inner).advance
            advances.append((whole, bare))
        return advances

    @cached_property
    def widest(self) -> float:
        """The widest stretch: what the narrowest box must hold."""
        return max((bare for _whole, bare in self._advances), default=0.0) + self._overhang

    @cached_property
    def _overhang(self) -> float:
        """How far ink reaches beyond where its letters begin and end, at most. In ems."""
        lines = self._shaped.values()
        left = max((-line.ink.left for line in lines), default=0.0)
        right = max((line.ink.right - line.advance for line in lines), default=0.0)
        return max(0.0, left) + max(0.0, right)

    @cached_property
    def _sums(self) -> list[float]:
        sums = [0.0]
        for whole, _bare in self._advances:
            sums.append(sums[-1] + whole)
        return sums

    def width(self, first: int, after: int) -> float:
        """Of the stretches ``first`` to ``after`` on one line, in ems."""
        if first == after:
            return 0.0
        bare = self._advances[after - 1][1]
        return self._sums[after - 1] - self._sums[first] + bare + self._overhang

    def end_of_ink(self, start: int, end: int) -> int:
        """``end`` less the spaces before it."""
        return start + len(self.paragraph.text[start:end].rstrip())

    def greedy(self, width: float) -> int | None:
        """How few lines of ``width`` ems hold it; None when one stretch alone is wider."""
        if self.widest > width:
            return None
        lines, first = 1, 0
        for index in range(len(self.stretches)):
            if self.width(first, index + 1) > width:
                lines, first = lines + 1, index
        return lines

    def balanced(self, width: float, *, lines: int) -> list[tuple[int, int]]:
        """Its ``lines`` with the least raggedness, as places in the text."""
        count = len(self.stretches)
        # Of the best way to break the first n stretches into so many lines: cost, and where the
        # last of these lines begins.
        best: list[dict[int, tuple[float, int]]] = [{} for _ in range(count + 1)]
        best[0][0] = (0.0, 0)
        for after in range(1, count + 1):
            for first in range(after - 1, -1, -1):
                taken = self.width(first, after)
                if taken > width:
                    break
                cost = ((width - taken) / width) ** 2 + self._cost(after)
                for used, (before, _) in best[first].items():
                    found = (before + cost, first)
                    if used < lines and found < best[after].get(used + 1, (float("inf"), 0)):
                        best[after][used + 1] = found
        broken: list[tuple[int, int]] = []
        after = count
        for used in range(lines, 0, -1):
            first = best[after][used][1]
            start, end = self.stretches[first][0], self.stretches[after - 1][1]
            broken.insert(0, (start, self.end_of_ink(start, end)))
            after = first
        return broken

    def _cost(self, after: int) -> float:
        end = self.stretches[after - 1][1]
        text = self.paragraph.text
        return 0.0 if end == len(text) or text[end - 1].isspace() else PHRASE_COST


@dataclass(frozen=True)
class _Text:
    """All paragraphs of a text, and the box of so many pixels that they stand in.

    ``margin`` ems on each side stay free.
    """

    parts: tuple[Measured, ...]
    width: float
    height: float
    margin: float

    @cached_property
    def pitch(self) -> float:
        """From one baseline to the next, in ems: as the script wants, and no line touches another."""
        return max(
            max((part.paragraph.leading for part in self.parts), default=0.0),
            self._above + self._below + AIR,
        )

    @cached_property
    def _above(self) -> float:
        return max((part.rise[0] for part in self.parts), default=0.0)

    @cached_property
    def _below(self) -> float:
        return max((part.rise[1] for part in self.parts), default=0.0)

    def tall(self, *, size: float, lines: int) -> float:
        """At most so many pixels: no line's ink goes further than the text's."""
        return size * (self._above + self._below + (lines - 1) * self.pitch)

    def room(self, size: float) -> tuple[float, float]:
        """Width and height that are free at a size."""
        edges = 2 * self.margin * size
        return self.width - edges, self.height - edges

    def counts(self, size: float) -> list[int] | None:
        """How few lines each paragraph takes at ``size``; None when a phrase is too wide."""
        counts = [part.greedy(self.room(size)[0] / size) for part in self.parts]
        return None if None in counts else [count or 0 for count in counts]

    def fits(self, size: float, *, most_lines: int) -> bool:
        counts = self.counts(size)
        if counts is None or sum(counts) > most_lines:
            return False
        return self.tall(size=size, lines=sum(counts)) <= self.room(size)[1]

    def set(self, size: float) -> Fitted:
        counts = self.counts(size) or []
        width = self.room(size)[0] / size
        lines = [
            part.paragraph.line(*bounds)
            for part, count in zip(self.parts, counts, strict=True)
            for bounds in part.balanced(width, lines=count)
        ]
        return Fitted(size=size, pitch=self.pitch * size, lines=tuple(lines))


def fit(
    paragraphs: Sequence[Paragraph],
    *,
    width: float,
    height: float,
    sizes: tuple[int, int],
    most_lines: int,
    margin: float = 0.0,
) -> Fitted:
    """A text as large as it fits; ``paragraphs`` are what stands between its own line breaks.

    All in pixels, except ``margin``, which stays free on each side and grows with the text: ems.
    ``sizes`` are the smallest and the largest em, tried in whole pixels. Words and phrases stay
    whole; only where they do not fit are ideographs parted.

    Raises ``TextDoesNotFit``.
    """
    for breaks in (between_words, between_letters):
        parts = [
            Measured(each, tuple(breaks(each.text, language=each.language))) for each in paragraphs
        ]
        text = _Text(tuple(parts), width, height, margin)
        size = _largest(text, sizes=sizes, most_lines=most_lines)
        while size is not None and size >= sizes[0]:
            fitted = text.set(size)
            # Lines are shaped anew as wholes, and letters may reach over their advance.
            if fitted.width <= text.room(size)[0]:
                return fitted
            size -= 1
    raise TextDoesNotFit(
        _objection(text, smallest=sizes[0], most_lines=most_lines),
        text=" ".join(each.text for each in paragraphs),
    )


def _largest(text: _Text, *, sizes: tuple[int, int], most_lines: int) -> int | None:
    smallest, largest = sizes
    best = None
    while smallest <= largest:
        size = (smallest + largest) // 2
        if text.fits(size, most_lines=most_lines):
            best, smallest = size, size + 1
        else:
            largest = size - 1
    return best


def _objection(text: _Text, *, smallest: int, most_lines: int) -> str:
    width, height = text.room(smallest)
    widest = max((part.widest for part in text.parts), default=0.0) * smallest
    if widest > width:
        why = f"its longest word is {widest:.0f} px wide"
    else:
        lines = sum(text.counts(smallest) or [])
        tall = text.tall(size=smallest, lines=lines)
        why = (
            f"it takes {lines} lines"
            if lines > most_lines
            else f"its {lines} lines are {tall:.0f} px high"
        )
    return (
        f"does not fit into {width:.0f} x {height:.0f} px and {most_lines} lines: at the smallest "
        f"size, {smallest} px, {why}. Shorten the text, or enlarge its box."
    )
