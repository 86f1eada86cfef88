"""The Unicode Bidirectional Algorithm (UAX #9): in which direction each character of a text runs.

``explicit`` implements rules P2 to X10, ``implicit`` W1 to N2; I1 to L2 are here. ``isolates`` finds what
a typed text should have isolated. Character properties are those of ``unicodedata``, in its version of
Unicode.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from typing import Final, TypeVar

from nb_catalog.typesetting.bidi import explicit, implicit
from nb_catalog.typesetting.bidi.explicit import ISOLATES, LTR, REMOVED
from nb_catalog.typesetting.bidi.implicit import Bracket
from nb_catalog.typesetting.bidi.isolates import left_to_right_runs

__all__ = [
    "LTR", "RTL", "bidi_classes", "embedding_levels", "left_to_right_runs", "line_levels", "paragraph_level",
    "resolve_levels", "visual_order",
]  # fmt: skip

RTL: Final = 1

LRO: Final = "\u202d"
PDF: Final = "\u202c"
LRI: Final = "\u2066"
PDI: Final = "\u2069"

Level = TypeVar("Level", int, int | None)

_SEPARATORS: Final = frozenset({"S", "B"})
_TRAILING: Final = frozenset({"WS", "PDI", *ISOLATES, *REMOVED})
# Rules I1 and I2: how far each class rises above an even and above an odd level.
_RISE: Final = ({"R": 1, "AN": 2, "EN": 2}, {"L": 1, "EN": 1, "AN": 1})


def bidi_classes(text: str) -> list[str]:
    """Return the Bidi_Class of each character; "L" for unassigned ones."""
    return [unicodedata.bidirectional(character) or "L" for character in text]


def embedding_levels(
    text: str, *, base: int, isolates: Iterable[tuple[int, int]] = ()
) -> list[int]:
    """Return the level of each character of a paragraph, before it is broken into lines.

    ``isolates`` are starts and ends of runs that are ordered from left to right as a whole, as if isolated;
    they must not overlap or reach across directional marks.

    Even levels run left to right, odd ones right to left. ``base`` is the paragraph's own level: 0, or 1
    if the locale is written from right to left. Embedding marks, which rule X9 leaves without a level,
    take the level of the character before them (section 5.2).
    """
    starts, ends = set(), set()
    for start, end in isolates:
        starts.add(start)
        ends.add(end)
    if starts:
        marked, is_own = "", []
        for index in range(len(text) + 1):
            # Arabic digits alone would be ordered from right to left within an isolate, hence the override.
            marks = (PDF + PDI) * (index in ends) + (LRI + LRO) * (index in starts)
            marked += marks + text[index : index + 1]
            is_own += [False] * len(marks) + [True]
        ordered = embedding_levels(marked, base=base)
        return [level for level, own in zip(ordered, is_own, strict=False) if own]
    classes = bidi_classes(text)
    if base == LTR and explicit.LEFT_TO_RIGHT_ONLY.issuperset(classes):
        return [LTR] * len(text)
    last, levels = base, []
    for level in resolve_levels(classes, base=base, brackets=implicit.find_brackets(text)):
        last = last if level is None else level
        levels.append(last)
    return levels


def resolve_levels(
    classes: Sequence[str], *, base: int, brackets: Sequence[Bracket | None]
) -> list[int | None]:
    """Apply rules X1 to I2 to Bidi_Classes. Return the levels; None for what rule X9 removes.

    ``brackets`` holds the paired bracket at each index, or None.
    """
    state = explicit.resolve_explicit(classes, base=base)
    levels: list[int | None] = list(state.levels)
    for run in explicit.isolating_run_sequences(state, base=base):
        resolved = implicit.resolve_weak([state.classes[i] for i in run.indices], sos=run.sos)
        resolved = implicit.resolve_neutral(
            resolved,
            run=run,
            brackets=[brackets[i] for i in run.indices],
            is_mark=[classes[i] == "NSM" for i in run.indices],
        )
        for index, bidi_class in zip(run.indices, resolved, strict=True):
            levels[index] = run.level + _RISE[run.level % 2].get(bidi_class, 0)
    return levels


def paragraph_level(classes: Sequence[str]) -> int:
    """Return the level of a paragraph of unknown direction: rules P2 and P3."""
    return explicit.first_strong_level(classes) or LTR


def line_levels(levels: Sequence[Level], classes: Sequence[str], *, base: int) -> list[Level]:
    """Apply rule L1 to one line: tabs, and white space before them or at its end, take level ``base``.

    ``classes`` are the original Bidi_Classes of its characters.
    """
    changed = list(levels)
    is_trailing = True
    for index in reversed(range(len(classes))):
        bidi_class = classes[index]
        is_trailing = bidi_class in _SEPARATORS or (is_trailing and bidi_class in _TRAILING)
        if is_trailing and changed[index] is not None:
            changed[index] = base
    return changed


def visual_order(levels: Sequence[int]) -> list[int]:
    """Apply rule L2: return the indices of ``levels`` (one per character or run) from left to right."""
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
