"""Files for delivery, made from an image when it is published and never during a page view."""

from __future__ import annotations

from collections.abc import Sequence

from nb_catalog import storage
from nb_catalog.conf import settings
from nb_catalog.imaging.provenance import DigitalSourceType, xmp_packet
from nb_catalog.imaging.renditions import Derived, derive
from nb_catalog.models import ProductImage, Rendition
from nb_catalog.storage import catalog_storage


def make_renditions(image: ProductImage) -> list[Rendition]:
    """The renditions of ``image``; those that the settings ask for and that are missing are made.

    Raises ``PictureError`` when the original cannot be read, ``StorageFailed``.
    """
    # Asked anew: what somebody prefetched may be filtered, or older than the files.
    stored = Rendition.objects.filter(image=image)
    there = list(stored)
    if _complete(there):
        return there
    made = [_stored(image, derived) for derived in _derived(image)]
    Rendition.objects.bulk_create(made, ignore_conflicts=True)
    return list(stored.all())


def _complete(there: Sequence[Rendition]) -> bool:
    """Whether every format is there; a change of RENDITION_WIDTHS concerns new pictures."""
    return set(settings.RENDITION_FORMATS) <= {rendition.format for rendition in there}


def _derived(image: ProductImage) -> list[Derived]:
    mark = xmp_packet(DigitalSourceType(image.digital_source_type))
    return list(
        derive(
            storage.read(str(image.file.name)),
            widths=settings.RENDITION_WIDTHS,
            formats=settings.RENDITION_FORMATS,
            xmp=mark,
            max_bytes=settings.MAX_PICTURE_BYTES,
            max_pixels=settings.MAX_PICTURE_PIXELS,
        )
    )


def _stored(image: ProductImage, derived: Derived) -> Rendition:
    stored = storage.store(derived.data, folder="renditions", mime_type=derived.mime_type)
    return Rendition(
        image=image,
        format=derived.format,
        width=derived.width,
        height=derived.height,
        file=stored.name,
        url=catalog_storage().url(stored.name),
        byte_size=len(derived.data),
    )
