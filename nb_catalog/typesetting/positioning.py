"""Where the lines of a fitted text stand in their box."""

from __future__ import annotations

import math
from collections.abc import Sequence

from nb_catalog.core.types import Rect
from nb_catalog.exceptions import TextDoesNotFit
from nb_catalog.typesetting.fitting import Fitted
from nb_catalog.typesetting.glyph_masks import Placed
from nb_catalog.typesetting.layouts import Box
from nb_catalog.typesetting.paragraphs import Line


def margin_of(box: Box) -> float:
    """What a box keeps free on all sides, in ems."""
    outline = box.stroke.width if box.stroke else 0.0
    return max(outline, box.plate.padding if box.plate else 0.0)


def position(fitted: Fitted, *, rect: Rect, box: Box, rtl: bool) -> tuple[Placed, ...]:
    """The lines of ``fitted`` where ``box`` wants them in ``rect``."""
    rect = rect.grown(-math.ceil(margin_of(box) * fitted.size))
    free = rect.height - fitted.height
    above = {"top": 0.0, "middle": free / 2, "bottom": free}[box.stands]
    first = rect.top + above + fitted.above
    return tuple(
        Placed(
            line=line,
            left=_left(line, fitted.size, rect=rect, align=box.align, rtl=rtl),
            # On whole pixels, or the same letter would look different on each line.
            baseline=round(first + index * fitted.pitch),
            size=fitted.size,
        )
        for index, line in enumerate(fitted.lines)
    )


def _left(line: Line, size: float, *, rect: Rect, align: str, rtl: bool) -> float:
    """Where a line begins, so that its ink, which may reach over its advance, stays in ``rect``."""
    ink = line.ink
    low, high = rect.left - ink.left * size, rect.right - ink.right * size
    free = rect.width - line.advance * size
    at_left = align == ("end" if rtl else "start")
    share = 0.5 if align == "centre" else 0.0 if at_left else 1.0
    return min(max(rect.left + free * share, low), max(low, high))


def hold(rect: Rect, lines: Sequence[Placed], *, text: str) -> None:
    """Raise ``TextDoesNotFit`` when ink leaves its box: a proof, not a hope."""
    for each in lines:
        if each.ink.width > 0 and not rect.grown(1).holds(each.ink):
            raise TextDoesNotFit(
                f"its line {each.line.text!r} covers {tuple(each.ink)}, which is outside of its box "
                f"{tuple(rect)}.",
                text=text,
            )
