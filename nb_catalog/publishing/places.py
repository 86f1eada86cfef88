"""The rows of places: locked in one order, and written together with the event of each change."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias, TypeVar

from django.db import IntegrityError, connection
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from nb_catalog import storefront
from nb_catalog.core.iteration import blocks
from nb_catalog.core.types import Actor
from nb_catalog.exceptions import InvalidTransition, RequestRefused
from nb_catalog.models import Placement, PlacementEvent, ProductImage, Publication
from nb_catalog.models.generic import ObjectKey, key_condition
from nb_catalog.models.placements import Place
from nb_catalog.publishing.galleries import outbox
from nb_catalog.signals import events

PLACE: Final = ("content_type_id", "object_id", "slot", "locale", "position")
BLOCK: Final = 500
_WRITTEN: Final = ("image", "picture_data", "actor", "published_at", "stale_since", "next_base")

P = TypeVar("P", bound=Place)

PlaceKey: TypeAlias = tuple[Any, ...]
"""The values of ``PLACE``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceChange:
    """What is to be in a place. ``current`` is its locked row, None if it is empty. ``image`` and
    ``picture_data`` are None to empty it. ``note`` is recorded with the change."""

    key: PlaceKey
    current: Placement | None
    image: ProductImage | None = None
    picture_data: storefront.PictureData | None = None
    note: str = ""


def place_key(row: Place) -> PlaceKey:
    return tuple(getattr(row, name) for name in PLACE)


def shown_in(keys: Iterable[PlaceKey]) -> dict[PlaceKey, Placement]:
    """Return what the places ``keys`` show, without those that are empty. A query for each ``BLOCK`` of a
    slot, a locale and a position."""
    rows: dict[PlaceKey, Placement] = {}
    for shown in rows_in(keys, Placement.objects.all()):
        rows |= {place_key(each): each for each in shown}
    return rows


def lock_places(keys: Iterable[PlaceKey]) -> dict[PlaceKey, Placement]:
    """Lock the places ``keys`` until the transaction ends; return those that show something.

    A transaction that locks places and images locks all places first, by their primary keys, and then calls
    ``lock_images``: an order that all share prevents deadlocks. Two queries for each ``BLOCK`` of a slot, a
    locale and a position.
    """
    found: list[int] = []
    for shown in rows_in(keys, Placement.objects.all()):
        found += shown.values_list("pk", flat=True)
    rows: dict[PlaceKey, Placement] = {}
    for block_of_keys in blocks(sorted(found), size=BLOCK):
        places = Placement.objects.filter(pk__in=block_of_keys).order_by("pk").select_for_update()
        rows |= {place_key(each): each for each in places}
    return rows


def rows_in(keys: Iterable[PlaceKey], rows: QuerySet[P]) -> Iterator[QuerySet[P]]:
    """Yield those of ``rows`` that are about the places ``keys``: a queryset for each ``BLOCK`` of a slot, a
    locale and a position."""
    objects: dict[tuple[Any, ...], list[ObjectKey]] = defaultdict(list)
    for type_id, object_id, *rest in keys:
        objects[tuple(rest)].append((type_id, object_id))
    for (slot, locale, position), group in objects.items():
        for block in blocks(group, size=BLOCK):
            yield rows.filter(key_condition(block), slot=slot, locale=locale, position=position)


def lock_images(keys: Iterable[int | None]) -> dict[int, str]:
    """Lock the images with these primary keys until the transaction ends, and return their states.

    Lock those that are replaced as well: the event of a change refers to them, which locks their rows.
    """
    states: dict[int, str] = {}
    for block in blocks(sorted({key for key in keys if key is not None}), size=BLOCK):
        rows = ProductImage.objects.filter(pk__in=block).order_by("pk").select_for_update()
        states |= dict(rows.values_list("pk", "state"))
    return states


def write_changes(
    changes: Sequence[PlaceChange],
    *,
    actor: Actor,
    move: str,
    publication: Publication | None = None,
) -> list[Placement]:
    """Make ``changes`` of locked places, with an event of ``move`` for each, and return the placements of
    those that are not emptied.

    A constant number of queries for each ``BLOCK``. Call it in a transaction that ends with whatever is
    raised here: ``RequestRefused`` if a place that is to be emptied is empty, ``InvalidTransition`` if
    someone else has published to an empty one meanwhile.
    """
    if any(each.image is None and each.current is None for each in changes):
        raise RequestRefused(_("Nothing is published there."))
    written: list[Placement] = []
    for block in blocks(changes, size=BLOCK):
        written += _write_block(block, actor=actor, move=move, publication=publication)
    return written


def _write_block(
    changes: Sequence[PlaceChange],
    *,
    actor: Actor,
    move: str,
    publication: Publication | None,
) -> list[Placement]:
    changed = [
        PlacementEvent(
            **columns(each.key),
            image_before_id=each.current.image_id if each.current else None,
            image_after=each.image,
            actor=actor,
            move=move,
            note=each.note,
            publication=publication,
        )
        for each in changes
    ]
    new: list[Placement] = []
    replaced: list[Placement] = []
    emptied: list[int] = []
    for each in changes:
        if each.image is None:
            emptied += [each.current.pk] if each.current else []
            continue
        row = each.current or Placement(**columns(each.key))
        row.image, row.picture_data, row.actor = each.image, each.picture_data, actor
        row.stale_since = None
        if move != "renew":
            # The same picture with newer text still waits for its final, another one does not.
            row.next_base = None
        (replaced if each.current else new).append(row)
    _insert(new)
    if replaced:
        # An upsert of whole rows, which are locked: a CASE for every column of every row would be slow.
        target = ("id",) if connection.features.supports_update_conflicts_with_target else None
        Placement.objects.bulk_create(
            replaced, update_conflicts=True, update_fields=_WRITTEN, unique_fields=target
        )
    if emptied:
        Placement.objects.filter(pk__in=emptied).delete()
    PlacementEvent.objects.bulk_create(changed)
    outbox.request((each.key, each.image) for each in changes)
    rows = [*new, *replaced]
    keys = {place_key(each): each.pk for each in rows}
    events.record_places((each, keys.get(place_key(each))) for each in changed)
    return rows


def _insert(new: Sequence[Placement]) -> None:
    if not new:
        return
    try:
        if connection.features.can_return_rows_from_bulk_insert:
            Placement.objects.bulk_create(new)
        else:
            # MySQL does not return the keys, which signals need.
            for row in new:
                row.save(force_insert=True)
    except IntegrityError as error:
        raise InvalidTransition(
            _(
                "Someone else has published to this place at the same moment. Look at it, and try again."
            )
        ) from error


def columns(key: PlaceKey) -> Mapping[str, Any]:
    """Return the values of ``PLACE`` by their names."""
    return dict(zip(PLACE, key, strict=True))
