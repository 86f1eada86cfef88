"""The models that have pictures, and how their title, facts, photos and copy are read."""

from nb_catalog.core.slots import Slot
from nb_catalog.registry.galleries import GalleryLike, gallery_problems
from nb_catalog.registry.reading import (
    bundle_of,
    height_of,
    photo_kind_of,
    pose_of,
    read_photo,
    series_of,
    value_of,
)
from nb_catalog.registry.sources import (
    CatalogSource,
    is_registered,
    register,
    registered,
    source_for,
    subject_of,
    unregister,
)
from nb_catalog.registry.variants import all_photos, photo_of_variant, variant_of, variants_of

__all__ = [
    "CatalogSource",
    "GalleryLike",
    "Slot",
    "all_photos",
    "bundle_of",
    "gallery_problems",
    "height_of",
    "is_registered",
    "photo_kind_of",
    "photo_of_variant",
    "pose_of",
    "read_photo",
    "register",
    "registered",
    "series_of",
    "source_for",
    "subject_of",
    "unregister",
    "value_of",
    "variant_of",
    "variants_of",
]
