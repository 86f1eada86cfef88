"""The events that signals and webhooks report, for clients that keep a connection open."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from django.db.models import QuerySet

from nb_catalog.core.event_types import FIELDS, EventType
from nb_catalog.live.pictures import made_pictures
from nb_catalog.live.rows import Row, RowFeed, Table
from nb_catalog.models import CatalogEvent, PlacementEvent, ReviewEvent
from nb_catalog.signals import events

# What ``events.picture_facts`` reads.
_IMAGE = ("content_type_id", "object_id", "series")


def _waiting(rows: QuerySet[Any]) -> Iterator[Row]:
    for image in rows.only("created_at", *_IMAGE):
        facts = events.picture_facts(image)
        yield _row("m", image.pk, image.created_at, EventType.PICTURE_WAITING, facts)


def _decided(rows: QuerySet[Any]) -> Iterator[Row]:
    related = rows.select_related("image").only(
        "at", "move", "state", "actor_id", *(f"image__{name}" for name in _IMAGE)
    )
    for event in related:
        yield _row("d", event.pk, event.at, EventType.PICTURE_DECIDED, events.decided_facts(event))


def _placed(rows: QuerySet[Any]) -> Iterator[Row]:
    for event in rows:
        if event.image_after_id is None:
            name, facts = EventType.PICTURE_WITHDRAWN, events.withdrawn_facts(event)
        else:
            name, facts = EventType.PICTURE_PUBLISHED, events.published_facts(event)
        yield _row("p", event.pk, event.at, name, facts)


def _logged(rows: QuerySet[Any]) -> Iterator[Row]:
    for event in rows:
        yield _row("e", event.pk, event.at, EventType(event.event), event.data)


def _row(letter: str, pk: int, at: Any, event: EventType, facts: Mapping[str, Any]) -> Row:
    data = {name: facts[name] for name in FIELDS[event]}
    return Row(letter=letter, pk=pk, at=at, name=event.value, data=data)


class CatalogFeed(RowFeed):
    """Those of the events ``names``, each under its own name and with the data of a webhook."""

    key = "catalog"
    tables = (
        Table(letter="m", rows=made_pictures, at="created_at", read=_waiting),
        Table(letter="d", rows=ReviewEvent.objects.all, at="at", read=_decided),
        Table(letter="p", rows=PlacementEvent.objects.all, at="at", read=_placed),
        Table(letter="e", rows=CatalogEvent.objects.all, at="at", read=_logged),
    )

    def __init__(self, *, names: Collection[str] = tuple(EventType)) -> None:
        super().__init__()
        self.names = frozenset(names)

    def is_wanted(self, row: Row) -> bool:
        return row.name in self.names
