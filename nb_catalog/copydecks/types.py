"""Values that carry texts into and out of copy decks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Self

# (locale, role)
Cell = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeckTexts:
    """Texts that somebody brings: an imported file, a form, the body of a request.

    ``proposals`` need a person's review: a program translated them, or the text that they were
    translated from has changed since; ``notes`` say why. ``tool`` is the program that wrote the file.
    An empty text deletes the stored one; with ``empties_discard`` it also discards a proposal in a
    cell without text.
    """

    texts: Mapping[Cell, str] = field(default_factory=dict)
    proposals: Mapping[Cell, str] = field(default_factory=dict)
    notes: Mapping[Cell, str] = field(default_factory=dict)
    tool: str = ""
    warnings: tuple[str, ...] = ()
    empties_discard: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CellState:
    """What a deck holds for one locale and role: its text, and a proposal to replace it."""

    text: str = ""
    proposal: str = ""
    proposed_by: str = ""
    note: str = ""


class ChangeKind(StrEnum):
    """What happens to a cell."""

    NEW = "new"
    CHANGED = "changed"
    DELETED = "deleted"
    PROPOSED = "proposed"
    DISCARDED = "discarded"


@dataclass(frozen=True, slots=True, kw_only=True)
class CellChange:
    """One cell before and after."""

    locale: str
    role: str
    before: CellState
    after: CellState
    warnings: tuple[str, ...] = ()

    @property
    def cell(self) -> Cell:
        return self.locale, self.role

    @property
    def kind(self) -> ChangeKind:
        before, after = self.before, self.after
        if before.text != after.text:
            if not before.text:
                return ChangeKind.NEW
            return ChangeKind.CHANGED if after.text else ChangeKind.DELETED
        return ChangeKind.PROPOSED if after.proposal else ChangeKind.DISCARDED

    @property
    def old(self) -> str:
        """The text that is replaced; of a proposal, also the one that it would replace."""
        return self.before.text or self.before.proposal

    @property
    def new(self) -> str:
        """The text or proposal that is written; "" for one that is deleted."""
        return self.after.proposal if self.kind == ChangeKind.PROPOSED else self.after.text

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "warnings": list(self.warnings)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        states = {name: CellState(**data[name]) for name in ("before", "after")}
        return cls(**{**data, **states, "warnings": tuple(data["warnings"])})


@dataclass(frozen=True, slots=True, kw_only=True)
class DeckChanges:
    """What some ``DeckTexts`` would change in a deck. ``unchanged`` is the number of other cells."""

    changes: tuple[CellChange, ...]
    unchanged: int = 0
    warnings: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.changes)

    @property
    def counts(self) -> dict[str, int]:
        """The number of changes of each kind that occurs."""
        return count_kinds(self.changes)

    @property
    def all_warnings(self) -> list[str]:
        """Those about the whole, then those about single cells with their places."""
        own = [
            f"{each.locale} {each.role}: {text}" for each in self.changes for text in each.warnings
        ]
        return [*self.warnings, *own]

    @property
    def changes_texts(self) -> bool:
        """Whether any text changes that can be on a picture."""
        return any(each.before.text != each.after.text for each in self.changes)


def count_kinds(changes: Sequence[CellChange]) -> dict[str, int]:
    """Return the number of ``changes`` of each kind that occurs, in the order of ``ChangeKind``."""
    found = Counter(str(each.kind) for each in changes)
    return {str(kind): found[kind] for kind in ChangeKind if found[kind]}
