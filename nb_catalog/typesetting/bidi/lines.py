"""A paragraph's levels on one line, and the order in which it is drawn: rules L1 and L2."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeVar

from nb_catalog.typesetting.bidi.explicit import ISOLATES, REMOVED

Level = TypeVar("Level", int, int | None)

_SEPARATORS: Final = frozenset({"S", "B"})
_TRAILING: Final = frozenset({"WS", "PDI", *ISOLATES, *REMOVED})


def for_line(levels: Sequence[Level], kinds: Sequence[str], *, base: int) -> list[Level]:
    """L1: tabs, and white space before them or at the line's end, run as the paragraph does.

    ``kinds`` are the Bidi_Classes that the characters had at first.
    """
    changed = list(levels)
    trailing = True
    for index in reversed(range(len(kinds))):
        kind = kinds[index]
        trailing = kind in _SEPARATORS or (trailing and kind in _TRAILING)
        if trailing and changed[index] is not None:
            changed[index] = base
    return changed


def visual_order(levels: Sequence[int]) -> list[int]:
    """L2: places in ``levels`` (one for each character or run) from left to right."""
    order = list(range(len(levels)))
    lowest_odd = min((level for level in levels if level % 2), default=None)
    if lowest_odd is None:
        return order
    for level in range(max(levels), lowest_odd - 1, -1):
        start = 0
        while start < len(order):
            end = start
            while end < len(order) and levels[order[end]] >= level:
                end += 1
            order[start:end] = reversed(order[start:end])
            start = max(end, start + 1)
    return order
