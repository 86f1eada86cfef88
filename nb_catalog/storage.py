"""Files in the catalog's storage, named by their hash: written once, cacheable forever."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import IO, TYPE_CHECKING, Final
from uuid import uuid4

from django.core.files.base import ContentFile, File
from django.core.files.storage import FileSystemStorage, Storage, storages
from django.utils.translation import gettext_lazy as _

from nb_catalog.conf import settings
from nb_catalog.exceptions import PictureMissing, StorageFailed

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

ROOT: Final = "nb_catalog"
# Files as received, composed pictures, renditions for pages, masks of cut-outs, photos of scenes, files of
# scenes that wait for a decision, copies of files of the host that delivered pictures have replaced, ZIPs.
FOLDERS: Final = (
    "originals", "composed", "renditions", "masks", "backdrops", "imports", "replaced", "exports",
)  # fmt: skip
EXTENSIONS: Final = {
    "application/zip": ".zip",
    "image/avif": ".avif",
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/webp": ".webp",
}
_CANNOT_SAVE: Final = _("The storage failed to save %(name)r (%(error)s). It is tried again.")
_CANNOT_SAVE_YET: Final = _(
    "The storage failed to save %(name)r (%(error)s). Nothing is lost: saving is retried "
    "when the storage works."
)
_CANNOT_READ: Final = _("The storage failed to read %(name)r (%(error)s). Try again when it works.")
_CANNOT_DELETE: Final = _(
    "The storage failed to delete %(name)r (%(error)s). Try again when it works."
)
_NO_FILE: Final = _(
    "The file %(name)r is not in the storage. Restore it from a backup, or have it made again."
)
_NO_PICTURE: Final = _(
    "The picture's file %(name)r is not in the storage. Restore it from a backup."
)
# By the first byte of the hash: a file that another thread is writing must not pass for the remains of a
# killed process.
_write_locks: Final = {f"{number:02x}": Lock() for number in range(256)}


def catalog_storage() -> Storage:
    """Return the storage of originals and renditions."""
    return storages[settings.STORAGE]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A stored file: its name in the storage, and the sha256 of its bytes in hex."""

    name: str
    sha256: str


def store(data: bytes, *, folder: str, mime_type: str, on_disk: Path | None = None) -> Stored:
    """Write ``data``, unless the same bytes are stored already. Raises ``StorageFailed``.

    ``on_disk`` is a file with the same bytes: a storage on the same disk links it instead of writing
    them again. The file itself is kept.
    """
    digest = sha256(data).hexdigest()
    name = f"{ROOT}/{folder}/{digest[:2]}/{digest}{EXTENSIONS.get(mime_type, '.bin')}"
    storage = catalog_storage()
    # Two threads may store the same picture of two products at the same time.
    with _errors_of_storage(name, failed=_CANNOT_SAVE_YET), _write_locks[digest[:2]]:
        exists = storage.exists(name)
        if exists and storage.size(name) != len(data):
            # A full disk or a killed process leaves the first part of a file.
            storage.delete(name)
            exists = False
        saved = name if exists else _save(storage, name, data, on_disk=on_disk)
    return Stored(name=saved, sha256=digest)


def _save(storage: Storage, name: str, data: bytes, *, on_disk: Path | None) -> str:
    if on_disk is None or not isinstance(storage, FileSystemStorage):
        return storage.save(name, ContentFile(data))
    link = on_disk.with_name(f"{on_disk.name}.{uuid4().hex}.link")
    try:
        link.hardlink_to(on_disk)
    except OSError:  # another file system, or one without links
        return storage.save(name, ContentFile(data))
    try:
        with _Linked(link) as linked:
            return storage.save(name, linked)
    finally:
        link.unlink(missing_ok=True)


class _Linked(File):  # type: ignore[type-arg]
    """A file that Django's own storage moves into place; a host's subclass may read it instead."""

    def __init__(self, path: Path) -> None:
        super().__init__(path.open("rb"), name=path.name)
        self.path = path

    def temporary_file_path(self) -> str:
        return str(self.path)


def store_file(file: IO[bytes], *, folder: str, name: str) -> str:
    """Write ``file`` under ``name``, which nobody else has, and return its name in the storage.

    Raises ``StorageFailed``, and leaves no part of it that has the name.
    """
    with _errors_of_storage(name, failed=_CANNOT_SAVE):
        return catalog_storage().save(f"{ROOT}/{folder}/{name}", File(file))


def delete(name: str) -> None:
    """Delete the file that is stored as ``name``, if it is there. Raises ``StorageFailed``."""
    with _errors_of_storage(name, failed=_CANNOT_DELETE), suppress(FileNotFoundError):
        catalog_storage().delete(name)


def open_file(name: str) -> IO[bytes]:
    """Return the file that is stored as ``name``, open. Raises ``PictureMissing``, ``StorageFailed``."""
    with _errors_of_storage(name, failed=_CANNOT_READ, missing=_NO_FILE):
        return catalog_storage().open(name, "rb")


def read(name: str) -> bytes:
    """Return the bytes stored as ``name``. Raises ``PictureMissing``, ``StorageFailed``."""
    with (
        _errors_of_storage(name, failed=_CANNOT_READ, missing=_NO_PICTURE),
        catalog_storage().open(name, "rb") as file,
    ):
        data: bytes = file.read()
    return data


def exists(name: str) -> bool:
    """Return whether a file is stored as ``name``. Raises ``StorageFailed``."""
    with _errors_of_storage(name, failed=_CANNOT_READ):
        return bool(name) and catalog_storage().exists(name)


@contextmanager
def _errors_of_storage(
    name: str, *, failed: StrOrPromise, missing: StrOrPromise = ""
) -> Iterator[None]:
    """Raise ``StorageFailed`` with the text ``failed`` for what the storage raises about ``name``, and
    ``PictureMissing`` with ``missing``, if that is given, for a file that is not there."""
    try:
        yield
    except Exception as error:  # a storage may be any foreign code with any error
        if missing and isinstance(error, FileNotFoundError):
            raise PictureMissing(missing % {"name": name}) from error
        raise StorageFailed(failed % {"name": name, "error": type(error).__name__}) from error
