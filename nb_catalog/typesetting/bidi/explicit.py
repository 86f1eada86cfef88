"""Embeddings, overrides and isolates: rules P2 to X10."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Final, NamedTuple

LTR: Final = 0
# BD2.
MAX_DEPTH: Final = 125
ISOLATES: Final = frozenset({"LRI", "RLI", "FSI"})
EMBEDDINGS: Final = {"LRE": 0, "RLE": 1, "LRO": 0, "RLO": 1}
OVERRIDES: Final = {"LRO": "L", "RLO": "R"}
# X9.
REMOVED: Final = frozenset({*EMBEDDINGS, "PDF", "BN"})
# A left-to-right paragraph of nothing but these classes is at level 0 throughout.
LEFT_TO_RIGHT_ONLY: Final = frozenset(
    {"L", "EN", "ES", "ET", "CS", "NSM", "BN", "B", "S", "WS", "ON"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplicitState:
    """The result of rules X1 to X9: levels (None for what is removed), Bidi_Classes after overrides, and
    the index of the PDI that closes each isolate, by the isolate's index."""

    levels: list[int | None]
    classes: list[str]
    isolate_ends: Mapping[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class IsolatingRunSequence:
    """An isolating run sequence (BD13); ``sos`` and ``eos`` are the strong classes at its ends."""

    indices: list[int]
    level: int
    sos: str
    eos: str

    @property
    def direction(self) -> str:
        return level_direction(self.level)


def level_direction(level: int) -> str:
    """Return the strong class of a level's direction: "L" or "R"."""
    return "R" if level % 2 else "L"


def first_strong_level(classes: Sequence[str]) -> int | None:
    """Return the level of the first strong character outside isolates; None without one."""
    return _first_strong_level(classes, _match_isolates(classes), 0, len(classes))


def _first_strong_level(
    classes: Sequence[str], isolate_ends: Mapping[int, int], index: int, end: int
) -> int | None:
    while index < end:
        bidi_class = classes[index]
        if bidi_class in {"L", "R", "AL"}:
            return 0 if bidi_class == "L" else 1
        index = isolate_ends.get(index, end) if bidi_class in ISOLATES else index + 1
    return None


def _match_isolates(classes: Sequence[str]) -> dict[int, int]:
    """Apply BD9: map the index of each closed isolate to that of its PDI."""
    opened: list[int] = []
    isolate_ends = {}
    for index, bidi_class in enumerate(classes):
        if bidi_class in ISOLATES:
            opened.append(index)
        elif bidi_class == "PDI" and opened:
            isolate_ends[opened.pop()] = index
    return isolate_ends


class _Status(NamedTuple):
    level: int
    override: str | None
    is_isolate: bool


@dataclass(slots=True, kw_only=True)
class _DirectionalStatusStack:
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
            while not self.top.is_isolate:
                self.statuses.pop()
            self.statuses.pop()
            self.valid_isolates -= 1

    def end_embedding(self) -> None:
        """X7."""
        if self.overflowing_isolates:
            return
        if self.overflowing_embeddings:
            self.overflowing_embeddings -= 1
        elif not self.top.is_isolate and len(self.statuses) > 1:
            self.statuses.pop()

    def _push(self, rtl: int, status: _Status) -> bool:
        level = self.top.level + 1
        level += level % 2 != rtl
        if level > MAX_DEPTH or self.overflowing_isolates or self.overflowing_embeddings:
            return False
        self.statuses.append(status._replace(level=level))
        return True


def resolve_explicit(classes: Sequence[str], *, base: int) -> ExplicitState:
    """Apply rules X1 to X9 to the Bidi_Classes of a paragraph at level ``base``."""
    isolate_ends, stack = _match_isolates(classes), _DirectionalStatusStack(base=base)
    levels: list[int | None] = []
    changed: list[str] = []
    for index, bidi_class in enumerate(classes):
        if bidi_class == "PDI":
            stack.end_isolate()
        level, override = stack.top.level, stack.top.override
        if bidi_class in EMBEDDINGS:
            stack.embed(rtl=EMBEDDINGS[bidi_class], override=OVERRIDES.get(bidi_class))
        elif bidi_class == "PDF":
            stack.end_embedding()
        elif bidi_class == "FSI":
            end = isolate_ends.get(index, len(classes))
            stack.isolate(rtl=_first_strong_level(classes, isolate_ends, index + 1, end) or 0)
        elif bidi_class in ISOLATES:
            stack.isolate(rtl=int(bidi_class == "RLI"))
        elif bidi_class == "B":
            level, override = base, None
        levels.append(None if bidi_class in REMOVED else level)
        changed.append(override or bidi_class)
    return ExplicitState(levels=levels, classes=changed, isolate_ends=isolate_ends)


def isolating_run_sequences(state: ExplicitState, *, base: int) -> Iterator[IsolatingRunSequence]:
    """Apply rule X10: split a paragraph into isolating run sequences."""
    levels = state.levels
    remaining = [index for index, level in enumerate(levels) if level is not None]
    rank_of = {index: rank for rank, index in enumerate(remaining)}
    level_runs = [list(group) for _level, group in groupby(remaining, key=levels.__getitem__)]
    run_from = {run[0]: run for run in level_runs}  # BD7
    continuations = set(state.isolate_ends.values())
    for first, run in run_from.items():
        if first in continuations:
            continue
        indices = list(run)
        while (end := state.isolate_ends.get(indices[-1])) is not None:
            indices += run_from[end]
        level = levels[first] or 0
        before, after = rank_of[first] - 1, rank_of[indices[-1]] + 1
        # X10: after an unclosed isolate initiator, the paragraph's level counts as the next one.
        is_last = after == len(remaining) or state.classes[indices[-1]] in ISOLATES
        level_before = base if before < 0 else levels[remaining[before]] or 0
        level_after = base if is_last else levels[remaining[after]] or 0
        yield IsolatingRunSequence(
            indices=indices,
            level=level,
            sos=level_direction(max(level, level_before)),
            eos=level_direction(max(level, level_after)),
        )
