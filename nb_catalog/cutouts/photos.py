"""The photo of a cut-out: looked up through its catalog object, and read from its storage."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from itertools import islice
from typing import Final, NamedTuple

from django.db.models import Model
from django.utils.translation import gettext as _

from nb_catalog.conf import picture_limits
from nb_catalog.core.types import Photo
from nb_catalog.cutouts import requests
from nb_catalog.exceptions import PictureMissing
from nb_catalog.imaging.inspect import examine
from nb_catalog.models import PhotoCutout
from nb_catalog.models.generic import fetch_subjects, object_key
from nb_catalog.models.photos import find_photos
from nb_catalog.registry import all_photos, read_photo, subject_of

# Products whose photos are looked up together.
BLOCK: Final = 200


class MeasuredPhoto(NamedTuple):
    """The photo of a cut-out as it is now: its hash, and its pixels after EXIF rotation."""

    photo_sha256: str
    width: int
    height: int


def photo_of(cutout: PhotoCutout) -> Photo:
    """Return the photo that ``cutout`` was made of. Raises ``PictureMissing``."""
    found, _gone = find_photos([cutout])
    if not found:
        raise PictureMissing(
            _("The product no longer has this photo: it was deleted, or replaced by another one.")
        )
    return found[0].photo


def read_photo_of(cutout: PhotoCutout) -> bytes:
    """Return the bytes of the photo of ``cutout``. Raises ``PictureMissing``, ``StorageFailed``."""
    return read_photo(photo_of(cutout))


def request_for_products(products: Iterable[Model]) -> int:
    """Have the photos of ``products`` cut out that have not been; return how many.

    Those of their subjects, whose pictures they show. The caller wakes a worker. Raises ``NotRegistered``.
    """
    requested, rest = 0, iter(products)
    while block := list(islice(rest, BLOCK)):
        fetch_subjects(block)
        subjects = {object_key(product): subject_of(product) for product in block}
        requested += requests.request_cutouts(
            (subject, photo) for subject in subjects.values() for photo in all_photos(subject)
        )
    return requested


def measure(cutout: PhotoCutout) -> MeasuredPhoto:
    """Return which bytes a mask of ``cutout`` is about from now on. Raises ``PictureError``,
    ``StorageFailed``."""
    data = read_photo_of(cutout)
    facts = examine(data, decode=False, **picture_limits())
    return MeasuredPhoto(sha256(data).hexdigest(), facts.width, facts.height)
