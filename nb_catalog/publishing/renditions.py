"""Files for web pages, made from an image when it is published and never during a page view."""

from __future__ import annotations

from typing import Any

from nb_catalog import storage
from nb_catalog.conf import picture_limits, settings
from nb_catalog.imaging.provenance import DigitalSourceType, xmp_packet
from nb_catalog.imaging.renditions import derive
from nb_catalog.models import ProductImage, Rendition
from nb_catalog.storage import catalog_storage


def make_renditions(image: ProductImage) -> list[Rendition]:
    """Return the renditions of ``image``; if a configured format is missing, make them first.

    A change of ``RENDITION_WIDTHS`` alone affects new pictures only. Raises ``PictureError`` if the
    original cannot be read, ``StorageFailed``.
    """
    # Queried again: what a caller has prefetched may be filtered, or older than the files.
    rows = Rendition.objects.filter(image=image)
    existing = list(rows)
    if set(settings.RENDITION_FORMATS) <= {rendition.format for rendition in existing}:
        return existing
    files = store_files(
        storage.read(str(image.file.name)),
        xmp=xmp_packet(DigitalSourceType(image.digital_source_type)),
    )
    Rendition.objects.bulk_create(
        [Rendition(image=image, **columns) for columns in files], ignore_conflicts=True
    )
    return list(rows.all())


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
