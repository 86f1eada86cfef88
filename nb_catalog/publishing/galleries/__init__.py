"""Delivery of published pictures into the host's own models, in which its pages, search and feeds look."""

from nb_catalog.core.gallery_files import is_delivered
from nb_catalog.publishing.galleries.base import Gallery, GalleryPicture
from nb_catalog.publishing.galleries.decisions import decide
from nb_catalog.publishing.galleries.delivery import deliver_due
from nb_catalog.publishing.galleries.image_field import ImageFieldGallery
from nb_catalog.publishing.galleries.related_rows import RelatedRowsGallery

__all__ = [
    "Gallery",
    "GalleryPicture",
    "ImageFieldGallery",
    "RelatedRowsGallery",
    "decide",
    "deliver_due",
    "is_delivered",
]
