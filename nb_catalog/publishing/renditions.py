"""Files for web pages, made from an image when it is published and never during a page view."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import inf
from time import monotonic
from typing import Any, Final

from django.utils.translation import gettext as _

from nb_catalog import storage
from nb_catalog.conf import picture_limits, settings
from nb_catalog.core.iteration import blocks
from nb_catalog.exceptions import RequestRefused
from nb_catalog.imaging.provenance import DigitalSourceType, xmp_packet
from nb_catalog.imaging.renditions import derive
from nb_catalog.models import ProductImage, Rendition
from nb_catalog.storage import catalog_storage

# Pictures whose files are looked up together.
BLOCK: Final = 500


def make_renditions(image: ProductImage) -> list[Rendition]:
    """Return the renditions of ``image``; if a configured format is missing, make them first.

    A change of ``RENDITION_WIDTHS`` alone affects new pictures only. Raises ``PictureError`` if the
    original cannot be read, ``StorageFailed``.
    """
    # Queried again: what a caller has prefetched may be filtered, or older than the files.
    rows = Rendition.objects.filter(image=image)
    existing = list(rows)
    if _is_complete(existing):
        return existing
    Rendition.objects.bulk_create(
        [Rendition(image=image, **columns) for columns in files_of(image)], ignore_conflicts=True
    )
    return list(rows.all())


def renditions_of(
    images: Sequence[ProductImage], *, seconds: float | None = None
) -> dict[int, list[Rendition]]:
    """Return the renditions of each of ``images``, by its key, as ``make_renditions`` does.

    A query for each ``BLOCK`` if none is missing. Those that were not made within ``seconds`` are refused
    with ``RequestRefused``; the others are kept.
    """
    until = inf if seconds is None else monotonic() + seconds
    files: dict[int, list[Rendition]] = {image.pk: [] for image in images}
    for block in blocks(files, size=BLOCK):
        for row in Rendition.objects.filter(image__in=block):
            files[row.image_id].append(row)
    missing = [image for image in images if not _is_complete(files[image.pk])]
    for number, image in enumerate(missing, start=1):
        files[image.pk] = make_renditions(image)
        if number < len(missing) and monotonic() >= until:
            raise RequestRefused(
                _(
                    "The files for web pages of %(made)s of %(number)s pictures are made so far, and nothing "
                    "was changed yet. Try again to make the others."
                )
                % {"made": len(images) - len(missing) + number, "number": len(images)}
            )
    return files


def without_files(images: Sequence[ProductImage]) -> list[ProductImage]:
    """Return those of ``images`` that lack files for web pages. A query for each ``BLOCK``."""
    missing: list[ProductImage] = []
    for block in blocks(images, size=BLOCK):
        formats: dict[int, set[str]] = {image.pk: set() for image in block}
        rows = Rendition.objects.filter(image__in=list(formats)).order_by()
        for pk, name in rows.values_list("image_id", "format").distinct():
            formats[pk].add(name)
        wanted = set(settings.RENDITION_FORMATS)
        missing += [image for image in block if not wanted <= formats[image.pk]]
    return missing


def _is_complete(rows: Iterable[Rendition]) -> bool:
    return set(settings.RENDITION_FORMATS) <= {row.format for row in rows}


def files_of(image: ProductImage) -> list[dict[str, Any]]:
    """Derive the configured files from ``image`` and store them, as ``store_files`` does. No queries, so that
    threads can call it."""
    return store_files(
        storage.read(str(image.file.name)),
        xmp=xmp_packet(DigitalSourceType(image.digital_source_type)),
    )


def store_files(data: bytes, *, xmp: bytes) -> list[dict[str, Any]]:
    """Derive the configured files from the picture ``data`` and store them.

    Return the columns of a ``DerivedFile`` for each. None is stored if one cannot be derived. Raises
    ``PictureError``, ``StorageFailed``.
    """
    files = derive(
        data,
        widths=settings.RENDITION_WIDTHS,
        formats=settings.RENDITION_FORMATS,
        xmp=xmp,
        **picture_limits(),
    )
    columns = []
    for file in list(files):
        stored = storage.store(file.data, folder="renditions", mime_type=file.mime_type)
        columns.append(
            {
                "format": file.format,
                "width": file.width,
                "height": file.height,
                "file": stored.name,
                "url": catalog_storage().url(stored.name),
                "byte_size": len(file.data),
            }
        )
    return columns
