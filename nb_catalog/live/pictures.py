"""Events about pictures: made, decided about, published. They are rows that are only ever added."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from django.db.models import F, QuerySet
from django.db.models.functions import Coalesce

from nb_catalog.live.feeds import Event, Feed
from nb_catalog.models import PlacementEvent, ProductImage, ReviewEvent
from nb_catalog.models.db.clock import database_now
from nb_catalog.models.images import ImageKind

# Transactions do not commit in the order of their rows' keys: rows younger than this are read again each
# time, so that one that was committed late is not missed.
SETTLES_AFTER: Final = timedelta(seconds=10)
# If a table has more at once, a client reads what it needs by other means.
MOST: Final = 500
TABLES: Final = ("made", "decided", "placed")
_POSITION: Final = re.compile(r"m(\d{1,18})-d(\d{1,18})-p(\d{1,18})")


class Position(NamedTuple):
    """The keys up to which each table has been read for good."""

    made: int = 0
    decided: int = 0
    placed: int = 0

    def __str__(self) -> str:
        return f"m{self.made}-d{self.decided}-p{self.placed}"

    @classmethod
    def parse(cls, text: str) -> Position | None:
        found = _POSITION.fullmatch(text)
        return cls(*map(int, found.groups())) if found else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    table: str
    pk: int
    at: datetime
    series: str
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recent:
    """``rows`` are those after ``position``. ``floods`` counts how often there were too many."""

    position: Position
    rows: tuple[Row, ...]
    floods: int = 0


class PictureFeed(Feed[Recent]):
    """``picture`` events. After an interruption, those of the last seconds may come twice.

    With ``series``, its pictures only. ``reset`` means that there were too many to be sent.
    """

    key = "pictures"

    def __init__(self, *, series: str = "", with_placements: bool = True) -> None:
        self.series = series
        self.tables = TABLES if with_placements else TABLES[:2]
        self.sent: set[tuple[str, int]] = set()
        self.floods = 0

    def read(self, before: Recent | None) -> Recent:
        now = database_now()
        if before is None:
            return self._after(_newest_before(now - SETTLES_AFTER), now=now, floods=0)
        state = self._after(before.position, now=now, floods=before.floods)
        return before if state == before else state

    def _after(self, position: Position, *, now: datetime, floods: int) -> Recent:
        rows = list(_rows_after(position))
        if _is_flood(rows):
            return Recent(position=_newest_before(now), rows=(), floods=floods + 1)
        reached = position._asdict()
        for table in TABLES:
            settled = (row.at < now - SETTLES_AFTER for row in rows if row.table == table)
            keys = (row.pk for row in rows if row.table == table)
            for pk, is_settled in zip(keys, settled, strict=True):
                if not is_settled:
                    break
                reached[table] = pk
        left = tuple(row for row in rows if row.pk > reached[row.table])
        return Recent(position=Position(**reached), rows=left, floods=floods)

    def events(self, state: Recent, *, after: str) -> list[Event]:
        known = Position.parse(after)
        rows: Collection[Row] = state.rows
        if known is not None and any(map(int.__lt__, known, state.position)):
            rows = list(_rows_after(known))
        if state.floods > self.floods or _is_flood(rows):
            self.floods = state.floods
            return [Event(name="reset", id=self.position(state), data={})]
        fresh = [row for row in rows if (row.table, row.pk) not in self.sent]
        self.sent = {(row.table, row.pk) for row in state.rows}
        return [
            Event(name="picture", id=self.position(state), data=row.data)
            for row in fresh
            if row.table in self.tables and self.series in ("", row.series)
        ]

    def position(self, state: Recent) -> str:
        return str(state.position)


def _is_flood(rows: Collection[Row]) -> bool:
    return any(number > MOST for number in Counter(row.table for row in rows).values())


def _newest_before(moment: datetime) -> Position:
    """Return the newest key of each table that is older than ``moment``; all rows before it are, too."""
    keys = []
    for query, at in ((_made(), "created_at"), (_decided(), "at"), (_placed(), "at")):
        newest = query.order_by("-pk").values_list("pk", at)[: MOST + 1]
        older = [pk for pk, created in newest if created < moment]
        keys.append(older[0] if older else min((pk for pk, _at in newest), default=1) - 1)
    return Position(*keys)


def _rows_after(position: Position) -> Iterator[Row]:
    """Yield rows of each table after ``position``, in the order of their keys: up to ``MOST``, and one more
    if there are too many."""
    made = _made().filter(pk__gt=position.made).order_by("pk")
    for image in made.values("pk", "created_at", "state", "series")[: MOST + 1]:
        data = {"change": "made", "image": image["pk"], "state": image["state"]}
        yield _row("made", image["pk"], image["created_at"], image["series"], data)
    decided = _decided().filter(pk__gt=position.decided).order_by("pk")
    fields = ("pk", "at", "move", "state", "image_id", "image__series")
    for event in decided.values(*fields)[: MOST + 1]:
        data = {"change": event["move"], "image": event["image_id"], "state": event["state"]}
        yield _row("decided", event["pk"], event["at"], event["image__series"], data)
    placed = _placed().filter(pk__gt=position.placed).order_by("pk")
    of_series = Coalesce(F("image_after__series"), F("image_before__series"))
    for event in placed.values(
        "pk", "at", "move", "slot", "locale", "position", "image_after_id", "image_before_id",
        of_series=of_series,
    )[: MOST + 1]:  # fmt: skip
        data = {
            "change": event["move"],
            "image": event["image_after_id"],
            "before": event["image_before_id"],
            **{name: event[name] for name in ("slot", "locale", "position")},
        }
        yield _row("placed", event["pk"], event["at"], event["of_series"], data)


def _row(table: str, pk: int, at: datetime, series: str | None, data: Mapping[str, Any]) -> Row:
    return Row(table=table, pk=pk, at=at, series=series or "", data=data)


def _made() -> QuerySet[ProductImage]:
    return ProductImage.objects.filter(kind=ImageKind.PICTURE)


def _decided() -> QuerySet[ReviewEvent]:
    return ReviewEvent.objects.all()


def _placed() -> QuerySet[PlacementEvent]:
    return PlacementEvent.objects.all()
