"""The Unicode Bidirectional Algorithm (UAX #9): which way each character of a text runs.

Stations, in the order of the standard's rules: ``explicit`` (P2 to X10), ``weak`` (W1 to W7),
``neutral`` (N0 to N2), ``lines`` (L1 and L2). The version of Unicode is that of ``unicodedata``.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from nb_catalog.typesetting.bidi import brackets, explicit, neutral, weak
from nb_catalog.typesetting.bidi.lines import for_line, visual_order

__all__ = ["classes", "first_strong", "for_line", "levels", "resolve", "visual_order"]

LTR, RTL = 0, 1


def levels(text: str, *, base: int) -> list[int]:
    """The embedding level of each character of one paragraph, before it is broken into lines:
    even levels run left to right, odd ones right to left.

    ``base`` is the paragraph's own level: 0, or 1 where the locale is written from right to left.
    Marks of embedding, which have no level by rule X9, get that of what stands before them (5.2).
    """
    kinds = classes(text)
    if base == LTR and not _needs_levels(kinds):
        return [LTR] * len(text)
    last, whole = base, []
    for level in resolve(kinds, base=base, pairs=brackets.kinds(text)):
        last = last if level is None else level
        whole.append(last)
    return whole


def resolve(
    kinds: Sequence[str], *, base: int, pairs: Sequence[brackets.Kind | None]
) -> list[int | None]:
    """Levels by Bidi_Class, rules X1 to I2; None for what rule X9 removes.

    ``pairs`` says of each character which paired bracket it is.
    """
    found = explicit.resolve(kinds, base=base)
    resolved: list[int | None] = list(found.levels)
    for run in explicit.isolating_runs(found, base=base):
        inner = weak.resolve([found.kinds[i] for i in run.indices], sos=run.sos)
        inner = neutral.resolve(
            inner,
            run=run,
            pairs=[pairs[i] for i in run.indices],
            marks=[kinds[i] == "NSM" for i in run.indices],
        )
        for index, kind in zip(run.indices, inner, strict=True):
            resolved[index] = run.level + _rise(kind, level=run.level)
    return resolved


def _rise(kind: str, *, level: int) -> int:
    """Rules I1 and I2."""
    if level % 2 == LTR:
        return {"R": 1, "AN": 2, "EN": 2}.get(kind, 0)
    return 1 if kind in {"L", "EN", "AN"} else 0


def classes(text: str) -> list[str]:
    """The Bidi_Class of each character; "L" for what is not assigned."""
    return [unicodedata.bidirectional(character) or "L" for character in text]


def first_strong(kinds: Sequence[str]) -> int:
    """The level of a paragraph that says nothing of its own: rules P2 and P3."""
    return explicit.first_strong(kinds) or LTR


def _needs_levels(kinds: Sequence[str]) -> bool:
    return not explicit.PLAIN.issuperset(kinds)
