"""Requests for pictures that were published before a gallery was declared."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from nb_catalog.core.iteration import blocks
from nb_catalog.models import GalleryDelivery, Placement
from nb_catalog.models.db.clock import database_now
from nb_catalog.models.generic import content_type_of
from nb_catalog.publishing import places
from nb_catalog.publishing.galleries import outbox
from nb_catalog.registry import CatalogSource, registered


def request_published() -> int:
    """Have all published pictures delivered to the galleries that take them, except to those for which they
    were requested before. Return how many."""
    requested = 0
    for model, source in registered().items():
        slots = {slot for gallery in source.galleries for slot in gallery.slots}
        rows = Placement.objects.filter(content_type=content_type_of(model), slot__in=slots)
        for block in blocks(rows.order_by("pk").iterator(), size=places.BLOCK):
            requested += _request(block, source=source)
    return requested


@transaction.atomic
def _request(rows: Sequence[Placement], *, source: CatalogSource) -> int:
    # Locked: a picture that is withdrawn at this moment must not be delivered afterwards.
    current = places.lock_places(map(places.place_key, rows))
    keys = {(key[0], key[1]) for key in current}
    known = set(GalleryDelivery.objects.about_keys(keys).values_list(*places.PLACE, "gallery"))
    now = database_now()
    missing = [
        outbox.build(key, gallery, image_id=row.image_id, due_at=now)
        for key, row in current.items()
        for gallery in source.galleries
        if gallery.takes(*key[2:]) and (*key, gallery.key) not in known
    ]
    GalleryDelivery.objects.bulk_create(missing)
    return len(missing)
