"""Bytes in the catalog's storage, under names made of their hash: written once, cached for ever."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from django.core.files.base import ContentFile

from nb_catalog.exceptions import PictureMissing, StorageFailed
from nb_catalog.imaging.encode import extension_for
from nb_catalog.models.images import catalog_storage


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """Where bytes lie: the storage's name for them, and their sha256 in hex."""

    name: str
    sha256: str


def store(data: bytes, *, folder: str, mime_type: str) -> Stored:
    """Write ``data``, unless the same bytes are there already. Raises ``StorageFailed``."""
    digest = sha256(data).hexdigest()
    name = f"nb_catalog/{folder}/{digest[:2]}/{digest}{extension_for(mime_type)}"
    storage = catalog_storage()
    try:
        saved = name if storage.exists(name) else storage.save(name, ContentFile(data))
    except Exception as error:  # noqa: BLE001 - a storage may be any foreign code with any error
        raise StorageFailed(
            f"The storage did not take {name!r} ({type(error).__name__}). Nothing is lost: "
            f"it is tried again once the storage works."
        ) from error
    return Stored(name=saved, sha256=digest)


def read(name: str) -> bytes:
    """The bytes under ``name``. Raises ``PictureMissing``, ``StorageFailed``."""
    try:
        with catalog_storage().open(name, "rb") as file:
            data: bytes = file.read()
    except FileNotFoundError as error:
        raise PictureMissing(
            f"The picture's file {name!r} is not in the storage. Restore it from a backup."
        ) from error
    except Exception as error:  # noqa: BLE001 - a storage may be any foreign code with any error
        raise StorageFailed(
            f"The storage did not give {name!r} ({type(error).__name__}). Try again once it works."
        ) from error
    return data
