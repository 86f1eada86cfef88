"""Requests that published pictures be delivered, in the transaction that publishes them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final, TypeAlias

from django.contrib.contenttypes.models import ContentType
from django.db import connection

from nb_catalog import tasks
from nb_catalog.models import GalleryDelivery, ProductImage
from nb_catalog.models.db.clock import database_now
from nb_catalog.models.galleries import GalleryState
from nb_catalog.models.generic import key_condition
from nb_catalog.registry import GalleryLike, is_registered, source_for

_PLACE: Final = ("content_type", "object_id", "slot", "locale", "position", "gallery")
_REQUESTED: Final = ("image", "state", "due_at", "attempts", "problem", "overwrites")

COLUMNS: Final = ("content_type_id", "object_id", "slot", "locale", "position")
# The values of these columns.
PlaceKey: TypeAlias = tuple[Any, ...]


def galleries_of(content_type_id: int) -> tuple[GalleryLike, ...]:
    """Return the galleries of the source of a model; none if it is not registered any more."""
    model = ContentType.objects.get_for_id(content_type_id).model_class()
    if model is None or not is_registered(model):
        return ()
    return tuple(source_for(model).galleries)


def build(
    key: PlaceKey, gallery: GalleryLike, *, image_id: int, due_at: datetime
) -> GalleryDelivery:
    """Return the row, not saved, of a delivery of the place ``key``."""
    type_id, object_id, slot, locale, position = key
    return GalleryDelivery(
        content_type_id=type_id,
        object_id=object_id,
        slot=slot,
        locale=locale,
        position=position,
        gallery=gallery.key,
        image_id=image_id,
        due_at=due_at,
    )


def request(changes: Iterable[tuple[PlaceKey, ProductImage | None]]) -> None:
    """Have the picture of each of these places, locked, delivered to the galleries that take it; None
    takes back what was delivered.

    At most three queries, none if no source of the places has galleries. Workers deliver after the commit.
    """
    now = database_now()
    wanted: list[GalleryDelivery] = []
    emptied: set[PlaceKey] = set()
    for key, image in changes:
        galleries = galleries_of(key[0])
        if image is None:
            emptied |= {key} if galleries else set()
            continue
        wanted += [
            build(key, gallery, image_id=image.pk, due_at=now)
            for gallery in galleries
            if gallery.takes(*key[2:])
        ]
    if wanted:
        # In one order, so that two processes do not wait for each other.
        wanted.sort(key=lambda row: (row.content_type_id, row.object_id, row.slot, row.position))
        target = _PLACE if connection.features.supports_update_conflicts_with_target else None
        GalleryDelivery.objects.bulk_create(
            wanted, update_conflicts=True, update_fields=_REQUESTED, unique_fields=target
        )
    taken_back: list[int] = []
    if emptied:
        condition = key_condition({(key[0], key[1]) for key in emptied})
        for pk, *place in GalleryDelivery.objects.filter(condition).values_list("pk", *COLUMNS):
            taken_back += [pk] if tuple(place) in emptied else []
    if taken_back:
        take_back(taken_back)
    if wanted or taken_back:
        tasks.wake_up()


def take_back(keys: Iterable[int]) -> int:
    """Have the deliveries with these primary keys taken back; return how many."""
    return GalleryDelivery.objects.filter(pk__in=list(keys)).update(
        image=None, state=GalleryState.WAITING, due_at=database_now(),
        attempts=0, problem="", overwrites=False,
    )  # fmt: skip


def request_texts(image: ProductImage) -> None:
    """Have the texts of ``image`` written again wherever it is delivered: its alternative text is another
    one. What waits for a person is left alone."""
    rows = GalleryDelivery.objects.filter(image=image, state=GalleryState.DELIVERED)
    if rows.update(state=GalleryState.WAITING, due_at=database_now(), attempts=0):
        tasks.wake_up()
