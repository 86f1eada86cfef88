"""Embeddings, overrides and isolates: rules P2 to X10."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Final, NamedTuple

# BD2.
MAX_DEPTH: Final = 125
ISOLATES: Final = frozenset({"LRI", "RLI", "FSI"})
EMBEDDINGS: Final = {"LRE": 0, "RLE": 1, "LRO": 0, "RLO": 1}
OVERRIDES: Final = {"LRO": "L", "RLO": "R"}
# X9.
REMOVED: Final = frozenset({*EMBEDDINGS, "PDF", "BN"})
# With nothing else in it a paragraph that runs left to right stays at level 0.
PLAIN: Final = frozenset({"L", "EN", "ES", "ET", "CS", "NSM", "BN", "B", "S", "WS", "ON"})


class _Status(NamedTuple):
    level: int
    override: str | None
    isolate: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Explicit:
    """Levels before the types of characters count (None for what is removed), and Bidi_Classes as
    overrides changed them."""

    levels: list[int | None]
    kinds: list[str]
    matches: Mapping[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class IsolatingRun:
    """An isolating run sequence (BD13), and what stands before and after it: "L" or "R"."""

    indices: list[int]
    level: int
    sos: str
    eos: str

    @property
    def direction(self) -> str:
        return direction(self.level)


def direction(level: int) -> str:
    """The direction of a level, as a strong type."""
    return "R" if level % 2 else "L"


def first_strong(kinds: Sequence[str]) -> int | None:
    """The level of the first strong character outside of isolates; None where there is none."""
    return _first_strong(kinds, _matches(kinds), 0, len(kinds))


def _first_strong(
    kinds: Sequence[str], matches: Mapping[int, int], index: int, end: int
) -> int | None:
    while index < end:
        kind = kinds[index]
        if kind in {"L", "R", "AL"}:
            return 0 if kind == "L" else 1
        index = matches.get(index, end) if kind in ISOLATES else index + 1
    return None


def _matches(kinds: Sequence[str]) -> dict[int, int]:
    """BD9: of each isolate that is closed, where."""
    opened: list[int] = []
    matches = {}
    for index, kind in enumerate(kinds):
        if kind in ISOLATES:
            opened.append(index)
        elif kind == "PDI" and opened:
            matches[opened.pop()] = index
    return matches


@dataclass(slots=True, kw_only=True)
class _Stack:
    """The directional status stack of rules X1 to X7."""

    base: int
    statuses: list[_Status] = field(default_factory=list)
    overflowing_isolates: int = 0
    overflowing_embeddings: int = 0
    valid_isolates: int = 0

    def __post_init__(self) -> None:
        self.statuses.append(_Status(self.base, None, False))

    @property
    def top(self) -> _Status:
        return self.statuses[-1]

    def embed(self, *, rtl: int, override: str | None) -> None:
        """X2 to X5."""
        if self._push(rtl, _Status(0, override, False)) or self.overflowing_isolates:
            return
        self.overflowing_embeddings += 1

    def isolate(self, *, rtl: int) -> None:
        """X5a to X5c."""
        if self._push(rtl, _Status(0, None, True)):
            self.valid_isolates += 1
        else:
            self.overflowing_isolates += 1

    def end_isolate(self) -> None:
        """X6a."""
        if self.overflowing_isolates:
            self.overflowing_isolates -= 1
        elif self.valid_isolates:
            self.overflowing_embeddings = 0
            while not self.top.isolate:
                self.statuses.pop()
            self.statuses.pop()
            self.valid_isolates -= 1

    def end_embedding(self) -> None:
        """X7."""
        if self.overflowing_isolates:
            return
        if self.overflowing_embeddings:
            self.overflowing_embeddings -= 1
        elif not self.top.isolate and len(self.statuses) > 1:
            self.statuses.pop()

    def _push(self, rtl: int, status: _Status) -> bool:
        level = self.top.level + 1
        level += level % 2 != rtl
        if level > MAX_DEPTH or self.overflowing_isolates or self.overflowing_embeddings:
            return False
        self.statuses.append(status._replace(level=level))
        return True


def resolve(kinds: Sequence[str], *, base: int) -> Explicit:
    """Rules X1 to X9."""
    matches, stack = _matches(kinds), _Stack(base=base)
    levels: list[int | None] = []
    changed: list[str] = []
    for index, kind in enumerate(kinds):
        if kind == "PDI":
            stack.end_isolate()
        level, override = stack.top.level, stack.top.override
        if kind in EMBEDDINGS:
            stack.embed(rtl=EMBEDDINGS[kind], override=OVERRIDES.get(kind))
        elif kind == "PDF":
            stack.end_embedding()
        elif kind in ISOLATES:
            stack.isolate(rtl=_rtl_of_isolate(kinds, matches, index))
        elif kind == "B":
            level, override = base, None
        levels.append(None if kind in REMOVED else level)
        changed.append(override or kind)
    return Explicit(levels=levels, kinds=changed, matches=matches)


def _rtl_of_isolate(kinds: Sequence[str], matches: Mapping[int, int], index: int) -> int:
    if kinds[index] != "FSI":
        return int(kinds[index] == "RLI")
    end = matches.get(index, len(kinds))
    return _first_strong(kinds, matches, index + 1, end) or 0


def isolating_runs(found: Explicit, *, base: int) -> Iterator[IsolatingRun]:
    """Rule X10."""
    kept = [index for index, level in enumerate(found.levels) if level is not None]
    place_of = {index: place for place, index in enumerate(kept)}
    runs = {run[0]: run for run in _level_runs(found.levels, kept)}
    continued = set(found.matches.values())
    for first, run in runs.items():
        if first in continued:
            continue
        indices = list(run)
        while (then := found.matches.get(indices[-1])) is not None:
            indices += runs[then]
        level = found.levels[first] or 0
        before, after = place_of[first] - 1, place_of[indices[-1]] + 1
        # After an isolate that is never closed comes nothing that its level is compared with.
        ends = after == len(kept) or found.kinds[indices[-1]] in ISOLATES
        level_before = base if before < 0 else found.levels[kept[before]] or 0
        level_after = base if ends else found.levels[kept[after]] or 0
        yield IsolatingRun(
            indices=indices,
            level=level,
            sos=direction(max(level, level_before)),
            eos=direction(max(level, level_after)),
        )


def _level_runs(levels: Sequence[int | None], kept: Sequence[int]) -> Iterator[list[int]]:
    """BD7."""
    for _level, run in groupby(kept, key=levels.__getitem__):
        yield list(run)
