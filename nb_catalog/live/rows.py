"""Feeds of rows that are only ever added: a client that connects again gets those that it has missed."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final, TypeAlias

from django.db.models import QuerySet

from nb_catalog.live.feeds import Event, Feed
from nb_catalog.models.db.clock import database_now

# Transactions do not commit in the order of their rows' keys: rows younger than this are read again each
# time, so that one that was committed late is not missed.
SETTLES_AFTER: Final = timedelta(seconds=10)
# If a table has more at once, a client reads what it needs by other means.
MOST: Final = 500

Position: TypeAlias = tuple[int, ...]
"""The keys up to which each table has been read for good."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """An event that a row of the table ``letter`` is. ``series`` is that of its picture."""

    letter: str
    pk: int
    at: datetime
    name: str
    data: Mapping[str, Any]
    series: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table of events. ``letter`` names its keys in the ids of events, ``at`` is the column with the time,
    ``read`` turns its rows, ordered and cut, into events."""

    letter: str
    rows: Callable[[], QuerySet[Any]]
    at: str
    read: Callable[[QuerySet[Any]], Iterable[Row]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recent:
    """``rows`` are those after ``position``. ``floods`` counts how often there were too many."""

    position: Position
    rows: tuple[Row, ...]
    floods: int = 0


class RowFeed(Feed[Recent]):
    """The rows of ``tables``. After an interruption, those of the last seconds may come twice.

    ``reset`` means that there were too many to be sent.
    """

    tables: ClassVar[tuple[Table, ...]]

    def __init__(self) -> None:
        self.sent: set[tuple[str, int]] = set()
        self.floods = 0

    def is_wanted(self, row: Row) -> bool:
        """Return whether ``row`` is for this client."""
        return True

    def read(self, before: Recent | None) -> Recent:
        now = database_now()
        if before is None:
            return self._after(self._newest_before(now - SETTLES_AFTER), now=now, floods=0)
        state = self._after(before.position, now=now, floods=before.floods)
        return before if state == before else state

    def _after(self, position: Position, *, now: datetime, floods: int) -> Recent:
        rows = list(self._rows_after(position))
        if _is_flood(rows):
            return Recent(position=self._newest_before(now), rows=(), floods=floods + 1)
        reached = dict(zip((table.letter for table in self.tables), position, strict=True))
        for letter in reached:
            for row in rows:
                if row.letter != letter:
                    continue
                if row.at >= now - SETTLES_AFTER:
                    break
                reached[letter] = row.pk
        left = tuple(row for row in rows if row.pk > reached[row.letter])
        return Recent(position=tuple(reached.values()), rows=left, floods=floods)

    def events(self, state: Recent, *, after: str) -> list[Event]:
        pattern = "-".join(rf"{table.letter}(\d{{1,18}})" for table in self.tables)
        found = re.fullmatch(pattern, after, re.ASCII)
        known = tuple(map(int, found.groups())) if found else None
        rows: Collection[Row] = state.rows
        if known is not None and any(map(int.__lt__, known, state.position)):
            rows = list(self._rows_after(known))
        if state.floods > self.floods or _is_flood(rows):
            self.floods = state.floods
            return [Event(name="reset", id=self.position(state), data={})]
        fresh = [row for row in rows if (row.letter, row.pk) not in self.sent]
        self.sent = {(row.letter, row.pk) for row in state.rows}
        return [
            Event(name=row.name, id=self.position(state), data=row.data)
            for row in fresh
            if self.is_wanted(row)
        ]

    def position(self, state: Recent) -> str:
        letters = (table.letter for table in self.tables)
        return "-".join(
            f"{letter}{key}" for letter, key in zip(letters, state.position, strict=True)
        )

    def _newest_before(self, moment: datetime) -> Position:
        """Return the newest key of each table that is older than ``moment``; all rows before it are, too."""
        keys = []
        for table in self.tables:
            newest = table.rows().order_by("-pk").values_list("pk", table.at)[: MOST + 1]
            older = [pk for pk, at in newest if at < moment]
            keys.append(older[0] if older else min((pk for pk, _at in newest), default=1) - 1)
        return tuple(keys)

    def _rows_after(self, position: Position) -> Iterator[Row]:
        """Yield rows of each table after ``position``, in the order of their keys: up to ``MOST``, and one
        more if there are too many."""
        for table, key in zip(self.tables, position, strict=True):
            yield from table.read(table.rows().filter(pk__gt=key).order_by("pk")[: MOST + 1])


def _is_flood(rows: Collection[Row]) -> bool:
    return any(number > MOST for number in Counter(row.letter for row in rows).values())
