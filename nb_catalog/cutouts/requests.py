"""Cuts out the photos that somebody asked for, in a worker or by ``manage.py nb_cutout make``.

Requests are rows, so that no page waits.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from typing import Final

from django.db import transaction
from django.db.models import Model

from nb_catalog.core.text import strip_unstorable
from nb_catalog.core.types import Photo
from nb_catalog.cutouts.finding import FoundCutout, find_cutout, forget
from nb_catalog.cutouts.records import StoredCutout, record
from nb_catalog.exceptions import InvalidSettings, PictureError, PictureMissing, StorageFailed
from nb_catalog.models import PhotoCutout
from nb_catalog.models.db.clock import database_now
from nb_catalog.models.generic import own_key
from nb_catalog.models.photos import find_photos, photo_key
from nb_catalog.registry import CatalogSource, read_photo

logger = logging.getLogger(__name__)

# Photos that are looked up together.
BLOCK: Final = 50


def request_cutouts(photos: Iterable[tuple[Model, Photo]], *, again: bool = False) -> int:
    """Have each (product, photo) cut out that has not been; return how many.

    With ``again`` those that have been, unless a person made their masks, because the backend or a file has
    changed. The caller wakes a worker.
    """
    by_place = {(*own_key(product), photo_key(photo)): photo for product, photo in photos}
    if not by_place:
        return 0
    rows = PhotoCutout.objects.about_keys({place[:2] for place in by_place})
    known = {(row.content_type_id, row.object_id, row.key): row for row in rows}
    now = database_now()
    new = [
        PhotoCutout(
            content_type_id=type_id,
            object_id=object_id,
            key=key,
            name=strip_unstorable(photo.name),
            requested_at=now,
        )
        for (type_id, object_id, key), photo in by_place.items()
        if (type_id, object_id, key) not in known and not again
    ]
    repeated = 0
    with transaction.atomic():
        PhotoCutout.objects.bulk_create(new, ignore_conflicts=True)
        if again:
            asked = [row for place, row in known.items() if place in by_place and not row.by_person]
            for row in asked:
                forget(row.photo_sha256)
            keys = [row.pk for row in asked]
            repeated = PhotoCutout.objects.filter(pk__in=keys, by_person=False).update(
                requested_at=now
            )
    return len(new) + repeated


def make_cutouts(
    *, seconds: float | None = None, on_made: Callable[[StoredCutout], None] = lambda cutout: None
) -> int:
    """Cut out the photos that were requested, until ``seconds`` have passed; return how many were.

    A photo that its storage does not deliver is left for the next time; one that is not a sound picture
    cannot be cut out, and its row says why. ``on_made`` is called with each cut-out. While the backend
    is not configured as it should be, which is logged, all of them wait.
    """
    end = float("inf") if seconds is None else time.monotonic() + seconds
    done, after = 0, 0
    while time.monotonic() < end:
        waiting = PhotoCutout.objects.filter(requested_at__isnull=False, pk__gt=after)
        rows = list(waiting.order_by("pk")[:BLOCK])
        if not rows:
            break
        after = rows[-1].pk
        found, gone = find_photos(rows)
        # A photo that comes back finds the mask that a person made.
        PhotoCutout.objects.filter(pk__in=gone).update(requested_at=None)
        for each in found:
            if time.monotonic() >= end:
                break
            try:
                made = _make(each.row, each.photo, source=each.source)
            except InvalidSettings as error:
                logger.error("Photos cannot be cut out: %s", error)
                return done
            if made is not None:
                done += 1
                on_made(made)
    return done


def requested_count() -> int:
    """Return how many photos wait to be cut out."""
    return PhotoCutout.objects.filter(requested_at__isnull=False).count()


def _make(row: PhotoCutout, photo: Photo, *, source: CatalogSource) -> StoredCutout | None:
    try:
        data = read_photo(photo)
        found = find_cutout(data, source=source)
    except (PictureMissing, StorageFailed) as error:
        logger.warning("A photo of %s %s: %s", row.content_type_id, row.object_id, error)
        return None
    except PictureError as error:
        found = FoundCutout(photo_sha256="", width=0, height=0, problem=str(error))
    if not found.is_stored:
        return None
    owner = row.content_type_id, row.object_id
    return record(found, owner=owner, photo=photo, requested_at=row.requested_at)
