"""Brackets, spaces and signs: rules N0 to N2."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Final

from nb_catalog.typesetting.bidi.brackets import Kind, paired
from nb_catalog.typesetting.bidi.explicit import IsolatingRun

NEUTRAL: Final = frozenset({"B", "S", "WS", "ON", "FSI", "LRI", "RLI", "PDI"})
# For neutrals, numbers stand for right to left.
_STRONG: Final = {"L": "L", "R": "R", "EN": "R", "AN": "R"}


def resolve(
    kinds: Sequence[str],
    *,
    run: IsolatingRun,
    pairs: Sequence[Kind | None],
    marks: Sequence[bool],
) -> list[str]:
    """The classes of one isolating run sequence after rules N0 to N2.

    ``marks`` says which characters were marks (NSM) at first: they follow their bracket.
    """
    kinds = list(kinds)
    if NEUTRAL.isdisjoint(kinds):
        return kinds
    brackets = (pair if kind == "ON" else None for pair, kind in zip(pairs, kinds, strict=True))
    for opening, closing in paired(brackets):
        way = _way_of_pair(kinds, opening, closing, run=run)
        if way is not None:
            for bracket in (opening, closing):
                _set(kinds, bracket, way, marks=marks)
    _fill(kinds, run=run)
    return kinds


def _way_of_pair(kinds: list[str], opening: int, closing: int, *, run: IsolatingRun) -> str | None:
    """N0 b to d; None where nothing strong stands between the brackets."""
    inside = {_STRONG.get(kind) for kind in kinds[opening + 1 : closing]} - {None}
    if run.direction in inside:
        return run.direction
    if not inside:
        return None
    before = _first(_STRONG.get(kind) for kind in reversed(kinds[:opening])) or run.sos
    return before if before in inside else run.direction


def _first(kinds: Iterable[str | None]) -> str | None:
    return next((kind for kind in kinds if kind), None)


def _set(kinds: list[str], bracket: int, way: str, *, marks: Sequence[bool]) -> None:
    kinds[bracket] = way
    index = bracket + 1
    while index < len(kinds) and marks[index]:
        kinds[index] = way
        index += 1


def _fill(kinds: list[str], *, run: IsolatingRun) -> None:
    """N1 and N2: neutrals between two of a kind are of that kind, else of the text around them."""
    start = 0
    for neutral, same in groupby(list(kinds), key=NEUTRAL.__contains__):
        end = start + len(list(same))
        if neutral:
            before = _STRONG[kinds[start - 1]] if start else run.sos
            after = _STRONG[kinds[end]] if end < len(kinds) else run.eos
            way = before if before == after else run.direction
            kinds[start:end] = [way] * (end - start)
        start = end
