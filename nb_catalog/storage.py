"""Bytes in the catalog's storage, under names made of their hash: written once, cached for ever."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import Final
from uuid import uuid4

from django.core.files.base import ContentFile, File
from django.core.files.storage import FileSystemStorage, Storage, storages

from nb_catalog.conf import settings
from nb_catalog.exceptions import PictureMissing, StorageFailed

ROOT: Final = "nb_catalog"
# What came, what was made of it, what is delivered.
FOLDERS: Final = ("originals", "composed", "renditions")
EXTENSIONS: Final = {
    "image/avif": ".avif",
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/webp": ".webp",
}
# By the folder of a hash: what one thread has half written is not what a kill has left behind.
_one_at_a_time: Final = {f"{number:02x}": Lock() for number in range(256)}


def catalog_storage() -> Storage:
    """Return the storage that originals and renditions live in."""
    return storages[settings.STORAGE]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """Where bytes lie: the storage's name for them, and their sha256 in hex."""

    name: str
    sha256: str


def store(data: bytes, *, folder: str, mime_type: str, on_disk: Path | None = None) -> Stored:
    """Write ``data``, unless the same bytes are there already. Raises ``StorageFailed``.

    ``on_disk`` is a file that holds the same bytes: a storage on the same disk links it, which
    spares writing them again. The file itself stays.
    """
    digest = sha256(data).hexdigest()
    name = f"{ROOT}/{folder}/{digest[:2]}/{digest}{EXTENSIONS.get(mime_type, '.bin')}"
    storage = catalog_storage()
    try:
        # Two products may have the same picture made in the same moment, in two threads.
        with _one_at_a_time[digest[:2]]:
            there = _is_there(storage, name, size=len(data))
            saved = name if there else _save(storage, name, data, on_disk=on_disk)
    except Exception as error:  # noqa: BLE001 - a storage may be any foreign code with any error
        raise StorageFailed(
            f"The storage did not take {name!r} ({type(error).__name__}). Nothing is lost: "
            f"it is tried again once the storage works."
        ) from error
    return Stored(name=saved, sha256=digest)


def _is_there(storage: Storage, name: str, *, size: int) -> bool:
    """Whether the storage has all of the file. A full disk or a kill in the middle of a write leaves
    the first part of one, which is taken away."""
    if not storage.exists(name):
        return False
    if storage.size(name) == size:
        return True
    storage.delete(name)
    return False


def _save(storage: Storage, name: str, data: bytes, *, on_disk: Path | None) -> str:
    if on_disk is None or not isinstance(storage, FileSystemStorage):
        return storage.save(name, ContentFile(data))
    link = on_disk.with_name(f"{on_disk.name}.{uuid4().hex}.link")
    try:
        link.hardlink_to(on_disk)
    except OSError:  # another kind of disk, or a system without links
        return storage.save(name, ContentFile(data))
    try:
        with _Linked(link) as linked:
            return storage.save(name, linked)
    finally:
        link.unlink(missing_ok=True)


class _Linked(File):  # type: ignore[type-arg]
    """A file that Django's own storage may move into place; a host's kind of it may read it."""

    def __init__(self, path: Path) -> None:
        super().__init__(path.open("rb"), name=path.name)
        self.path = path

    def temporary_file_path(self) -> str:
        return str(self.path)


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
