"""What is read of one product through its source, checked: pose, kind of a photo, series, a photo's bytes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from django.conf import settings as django_settings
from django.core.files.storage import storages
from django.utils import translation

from nb_catalog.conf import settings
from nb_catalog.core.attributes import host_code
from nb_catalog.core.text import message as _
from nb_catalog.core.text import nearest
from nb_catalog.core.types import POSES, Photo, PhotoKind
from nb_catalog.exceptions import PictureMissing, RegistryError, StorageFailed
from nb_catalog.registry.sources import is_registered, source_for

if TYPE_CHECKING:
    from django.db.models import Model


def pose_of(product: Model) -> str:
    """Return the pose of the product as its source reports it. Raises ``RegistryError`` for a value
    that is not one of ``types.POSES``."""
    source = source_for(product)
    # By its title in the site's language: the same picture must not depend on who requests it.
    reading = host_code(f"{type(source).__name__}.pose()")
    with translation.override(django_settings.LANGUAGE_CODE), reading:
        pose = source.pose(product)
    if pose not in POSES:
        accepted = ", ".join(repr(each) for each in POSES)
        raise RegistryError(
            f"{type(source).__name__}.pose() returned {pose!r}. It must be one of {accepted}."
        )
    return pose


def photo_kind_of(product: Model, photo: Photo) -> str:
    """Return the kind of ``photo`` as its source reports it. Raises ``RegistryError`` for a value that is
    neither "" nor one of ``types.PhotoKind``."""
    source = source_for(product)
    with host_code(f"{type(source).__name__}.kind_of_photo()"):
        kind = source.kind_of_photo(product, photo)
    if kind and kind not in PhotoKind.values:
        raise RegistryError(
            f"{type(source).__name__} says that a photo is {kind!r}. It must be one of "
            f"{', '.join(map(repr, PhotoKind.values))}, or ''."
            + nearest(str(kind), PhotoKind.values)
        )
    return str(kind or "")


def height_of(product: Model) -> float | None:
    """Return the real height of the product in centimetres as its source reports it, None if unknown.

    Raises ``RegistryError`` for a value that is not a positive number.
    """
    source = source_for(product)
    with host_code(f"{type(source).__name__}.height_cm()"):
        height = source.height_cm(product)
        if height is None:
            return None
        height = float(height)
    if not math.isfinite(height) or height <= 0:
        raise RegistryError(
            f"{type(source).__name__}.height_cm() returned {height!r}. It must be a positive number of "
            f"centimetres, or None if it is not known."
        )
    return height


def value_of(product: Model) -> float:
    """Return what the source says that the product is worth, beside others.

    Raises ``RegistryError`` for a value that is not a number from 0 on.
    """
    source = source_for(product)
    with host_code(f"{type(source).__name__}.value()"):
        given = source.value(product)
        value = float(given)
    if isinstance(given, bool) or not math.isfinite(value) or value < 0:
        raise RegistryError(
            f"{type(source).__name__}.value() returned {given!r}. It must be a number from 0 on, such as "
            f"what the product earned last month."
        )
    return value


def series_of(product: Model) -> tuple[str, ...]:
    """Return the keys of the series that the source's rule puts ``product`` in. Raises ``RegistryError`` for
    anything but texts."""
    source = source_for(product)
    with host_code(f"{type(source).__name__}.series()"):
        keys = source.series(product)
        keys = keys if isinstance(keys, str) else tuple(keys)
    if isinstance(keys, str) or not all(isinstance(key, str) for key in keys):
        raise RegistryError(
            f"{type(source).__name__}.series() returned {keys!r}. It must return a list of keys of series."
        )
    return keys


def bundle_of(product: Model) -> tuple[Model | Photo, ...]:
    """Return the parts of a bundle as its source names them; nothing for a product that is not one.

    Raises ``RegistryError`` for a part that is neither an object of a registered model nor a photo.
    """
    source = source_for(product)
    with host_code(f"{type(source).__name__}.bundle()"):
        parts = tuple(source.bundle(product))
    for part in parts:
        if isinstance(part, Photo) or (hasattr(part, "_meta") and is_registered(type(part))):
            continue
        raise RegistryError(
            f"{type(source).__name__}.bundle() returned {part!r}. Its parts must be objects of registered "
            f"models, or photos of the product."
        )
    return parts


def read_photo(photo: Photo) -> bytes:
    """Return the bytes of a photo from its storage. Raises ``PictureMissing``, ``StorageFailed``.

    Of a file that is larger than MAX_PICTURE_BYTES only so much is read that its reader refuses it.
    """
    storage = photo.file.storage if photo.file is not None else storages[photo.storage]
    try:
        with storage.open(photo.name, "rb") as file:
            data: bytes = file.read(settings.MAX_PICTURE_BYTES + 1)
    except FileNotFoundError as error:
        raise PictureMissing(
            _("The product's photo %(name)r is not in its storage. Upload it again.")
            % {"name": photo.name}
        ) from error
    except Exception as error:  # noqa: BLE001 - a storage may be any foreign code with any error
        raise StorageFailed(
            _(
                "The storage failed to read the product's photo %(name)r (%(error)s). Try again when the "
                "storage works."
            )
            % {"name": photo.name, "error": type(error).__name__}
        ) from error
    return data
