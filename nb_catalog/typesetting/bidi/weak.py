"""Numbers, marks and what stands beside them: rules W1 to W7."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Final

from nb_catalog.typesetting.bidi.explicit import ISOLATES

WEAK: Final = frozenset({"NSM", "EN", "AN", "AL", "ES", "ET", "CS"})
_ENDS_OF_ISOLATES: Final = ISOLATES | {"PDI"}


def resolve(kinds: Sequence[str], *, sos: str) -> list[str]:
    """The classes of one isolating run sequence after rules W1 to W7."""
    kinds = list(kinds)
    if WEAK.isdisjoint(kinds):
        return kinds
    for rule in _RULES:
        rule(kinds, sos)
    return kinds


def _w1(kinds: list[str], sos: str) -> None:
    """Marks are what they stand on."""
    before = sos
    for index, kind in enumerate(kinds):
        if kind == "NSM":
            kinds[index] = "ON" if before in _ENDS_OF_ISOLATES else before
        before = kinds[index]


def _w2(kinds: list[str], sos: str) -> None:
    """European digits after Arabic letters are Arabic numbers."""
    _after_strong(kinds, sos, strong="AL", becomes="AN")


def _w3(kinds: list[str], _sos: str) -> None:
    kinds[:] = ["R" if kind == "AL" else kind for kind in kinds]


def _w4(kinds: list[str], _sos: str) -> None:
    """One separator between two numbers of a kind belongs to them."""
    for index in range(1, len(kinds) - 1):
        before, kind, after = kinds[index - 1 : index + 2]
        joins = before == after and (
            (kind == "CS" and before in {"EN", "AN"}) or (kind == "ES" and before == "EN")
        )
        if joins:
            kinds[index] = before


def _w5(kinds: list[str], _sos: str) -> None:
    """Signs of currency and percent beside European numbers belong to them."""
    start = 0
    for kind, same in groupby(list(kinds)):
        end = start + len(list(same))
        if kind == "ET" and "EN" in (*kinds[start - 1 : start], *kinds[end : end + 1]):
            kinds[start:end] = ["EN"] * (end - start)
        start = end


def _w6(kinds: list[str], _sos: str) -> None:
    kinds[:] = ["ON" if kind in {"ES", "ET", "CS"} else kind for kind in kinds]


def _w7(kinds: list[str], sos: str) -> None:
    """European numbers in a text that runs left to right run with it."""
    _after_strong(kinds, sos, strong="L", becomes="L")


def _after_strong(kinds: list[str], sos: str, *, strong: str, becomes: str) -> None:
    last = sos
    for index, kind in enumerate(kinds):
        if kind in {"L", "R", "AL"}:
            last = kind
        elif kind == "EN" and last == strong:
            kinds[index] = becomes


_RULES: Final[tuple[Callable[[list[str], str], None], ...]] = (
    _w1, _w2, _w3, _w4, _w5, _w6, _w7,
)  # fmt: skip
