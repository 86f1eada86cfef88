"""Reads the host's own photos: true sizes, and renditions of those that browsers show badly or not at all.

Never during a page view. Requests are rows, so that the admin does not wait; workers and
``manage.py nb_renditions`` read the photos.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Any, Final

from django.db import transaction
from django.db.models import Model

from nb_catalog import storefront, tasks
from nb_catalog.conf import picture_limits
from nb_catalog.core.text import strip_unstorable
from nb_catalog.core.types import Photo
from nb_catalog.exceptions import PictureError, PictureMissing, StorageFailed
from nb_catalog.imaging import containers
from nb_catalog.imaging.inspect import examine
from nb_catalog.imaging.provenance import read_mark, xmp_packet
from nb_catalog.models import CatalogPhoto, PhotoRendition
from nb_catalog.models.db.clock import database_now
from nb_catalog.models.generic import ObjectKey, own_key
from nb_catalog.models.photos import find_photos, photo_key
from nb_catalog.publishing.renditions import store_files
from nb_catalog.registry import read_photo, source_for
from nb_catalog.storefront.photos import SHOWABLE_TYPES

logger = logging.getLogger(__name__)

UNKNOWN_TYPE: Final = "application/octet-stream"
# Photos that are looked up together.
BLOCK: Final = 100


def request_photo_renditions(
    products: Sequence[Model], *, again: bool = False, wake: bool = True
) -> int:
    """Have the photos of ``products`` read that have not been read yet; return how many.

    With ``again`` all of them, because files were replaced under their names. Photos that the products
    no longer have are forgotten. A worker is woken unless ``wake`` is False. Raises ``NotRegistered``.
    """
    photos: dict[ObjectKey, dict[str, Photo]] = {
        own_key(product): {photo_key(photo): photo for photo in source_for(product).photos(product)}
        for product in products
    }
    rows = CatalogPhoto.objects.about_keys(photos)
    known = {(row.content_type_id, row.object_id, row.key): row for row in rows}
    now = database_now()
    new = [
        CatalogPhoto(
            content_type_id=type_id,
            object_id=object_id,
            key=key,
            name=strip_unstorable(photo.name),
            requested_at=now,
        )
        for (type_id, object_id), by_key in photos.items()
        for key, photo in by_key.items()
        if (type_id, object_id, key) not in known
    ]
    gone = [
        row.pk for (type_id, key, each), row in known.items() if each not in photos[type_id, key]
    ]
    with transaction.atomic():
        if gone:
            CatalogPhoto.objects.filter(pk__in=gone).delete()
        CatalogPhoto.objects.bulk_create(new, ignore_conflicts=True)
        repeated = 0
        if again:
            keys = {row.pk for row in known.values()} - set(gone)
            repeated = CatalogPhoto.objects.filter(pk__in=keys).update(requested_at=now)
        if wake and (new or repeated):
            tasks.wake_up()
    return len(new) + repeated


def make_photo_renditions(*, limit: int | None = None) -> int:
    """Read the photos that were requested, at most ``limit`` of them; return how many were read.

    A photo that its storage does not deliver is left for the next time, one that cannot be read is
    marked.
    """
    done, after = 0, 0
    while limit is None or done < limit:
        size = BLOCK if limit is None else min(BLOCK, limit - done)
        waiting = CatalogPhoto.objects.filter(requested_at__isnull=False, pk__gt=after)
        rows = list(waiting.order_by("pk")[:size])
        if not rows:
            break
        after = rows[-1].pk
        found, gone = find_photos(rows)
        CatalogPhoto.objects.filter(pk__in=gone).delete()
        for each in found:
            done += _read(each.row, each.photo)
    return done


def _read(row: CatalogPhoto, photo: Photo) -> bool:
    try:
        data = read_photo(photo)
    except (PictureMissing, StorageFailed) as error:
        logger.warning("A photo of %s %s: %s", row.content_type_id, row.object_id, error)
        return False
    # By the bytes; SVG, which is text, by the name.
    is_svg = PurePosixPath(photo.name).suffix.lower() == ".svg" and data.lstrip()[:1] == b"<"
    mime_type = containers.sniff(data) or ("image/svg+xml" if is_svg else UNKNOWN_TYPE)
    columns: dict[str, Any] = {"mime_type": mime_type, "width": 0, "height": 0, "problem": ""}
    renditions: list[PhotoRendition] = []
    picture_data: Any = {}
    try:
        facts = examine(data, **picture_limits())
        columns |= {
            "mime_type": facts.mime_type, "width": facts.width, "height": facts.height
        }  # fmt: skip
        # A rendition would lose movement and transparency, which browsers show.
        if facts.mime_type not in SHOWABLE_TYPES or (facts.frames <= 1 and not facts.has_alpha):
            mark = read_mark(data)
            files = store_files(data, xmp=xmp_packet(mark) if mark else b"")
            renditions = [PhotoRendition(photo=row, **each) for each in files]
            picture_data = storefront.picture_data(renditions, origin=mark or "")
    except PictureError as error:
        columns["problem"] = str(error)
    except StorageFailed as error:
        logger.warning("Renditions of %s could not be stored: %s", photo.name, error)
        return False
    with transaction.atomic():
        # Fenced: someone may have requested it again, for another file under the same name.
        written = CatalogPhoto.objects.filter(pk=row.pk, requested_at=row.requested_at).update(
            **columns, picture_data=picture_data, requested_at=None, read_at=database_now()
        )
        if written:
            row.renditions.all().delete()
            PhotoRendition.objects.bulk_create(renditions)
    return bool(written)
