"""What was delivered, for pages and the API."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from django.db.models import QuerySet

from nb_catalog.models import GalleryDelivery, Placement
from nb_catalog.models.galleries import GalleryState
from nb_catalog.publishing.galleries.outbox import COLUMNS, PlaceKey
from nb_catalog.registry import registered


def undecided() -> QuerySet[GalleryDelivery]:
    """Return the deliveries that wait for a person."""
    return GalleryDelivery.objects.filter(state__in=(GalleryState.FAILED, GalleryState.CHANGED))


def are_declared() -> bool:
    """Return whether any source has galleries."""
    return any(source.galleries for source in registered().values())


def deliveries_of(placements: Iterable[Placement]) -> dict[PlaceKey, list[GalleryDelivery]]:
    """Return the deliveries of each of ``placements`` that has any, by its place. One query,
    none without galleries."""
    found: dict[PlaceKey, list[GalleryDelivery]] = defaultdict(list)
    if not are_declared():
        return found
    keys = {(each.content_type_id, each.object_id) for each in placements}
    for row in GalleryDelivery.objects.about_keys(keys).order_by("gallery"):
        found[tuple(getattr(row, column) for column in COLUMNS)].append(row)
    return found
