"""The host's own photos on a page: their renditions, otherwise the files if browsers show them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath
from typing import Final, NamedTuple, TypeAlias

from django.core.files.storage import storages

from nb_catalog.core.types import Photo, Size
from nb_catalog.models import CatalogPhoto
from nb_catalog.models.generic import ObjectKey
from nb_catalog.storefront.picture_data import PictureData

# What every browser shows. A file that was not read yet is judged by its name; one without a suffix
# is hardly ever anything else.
SHOWABLE_TYPES: Final = frozenset(
    {"image/jpeg", "image/png", "image/gif", "image/webp", "image/avif", "image/svg+xml"}
)
SHOWABLE_SUFFIXES: Final = frozenset(
    {"", ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".gif", ".webp", ".avif", ".svg"}
)
# Django's columns have the size of the rows as they are stored; a JPEG or WebP may be turned by EXIF.
NEVER_TURNED: Final = frozenset({".png", ".gif"})


class PhotoFacts(NamedTuple):
    """What was found when a photo was read; sizes in pixels, 0 if unknown."""

    mime_type: str
    width: int
    height: int
    picture_data: PictureData


Photos: TypeAlias = Mapping[tuple[ObjectKey, str], PhotoFacts]


def fetch_facts(keys: Iterable[ObjectKey]) -> Photos:
    """Return the facts of the photos of these objects that have been read. One query."""
    rows = CatalogPhoto.objects.about_keys(keys).exclude(read_at=None).order_by()
    return {
        ((type_id, object_id), key): PhotoFacts(*facts)
        for type_id, object_id, key, *facts in rows.values_list(
            "content_type_id", "object_id", "key", "mime_type", "width", "height", "picture_data"
        )
    }


def photo_data(photo: Photo, facts: PhotoFacts | None) -> PictureData | None:
    """Return what a page needs to show ``photo``; None if browsers do not show such a file.

    The size is the true one, or 0 if it is not known.
    """
    if facts is not None and facts.picture_data:
        return facts.picture_data
    if facts is None:
        suffix = PurePosixPath(photo.name).suffix.lower()
        showable, size = suffix in SHOWABLE_SUFFIXES, Size(0, 0)
        field = getattr(photo.file, "field", None)
        names = [getattr(field, name, None) for name in ("width_field", "height_field")]
        if suffix in NEVER_TURNED and all(names):
            size = Size(*(getattr(photo.file.instance, str(name)) or 0 for name in names))
    else:
        showable, size = facts.mime_type in SHOWABLE_TYPES, Size(facts.width, facts.height)
    if not showable:
        return None
    src = photo_url(photo)
    return {"src": src, "width": size.width, "height": size.height, "srcsets": {}, "origin": ""}


def photo_url(photo: Photo) -> str:
    """Return the address of the host's own photo."""
    storage = photo.file.storage if photo.file is not None else storages[photo.storage]
    url: str = storage.url(photo.name)
    return url
