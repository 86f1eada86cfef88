"""Paid bytes on disk before the database knows them, so that a dead worker loses nothing.

Two files per call: the picture, byte for byte, so that a storage on the same disk can link it
instead of writing it again; and what the provider reported about it, as JSON.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Final

from nb_catalog.conf import settings
from nb_catalog.providers.types import ImageResult

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

SUFFIX: Final = ".staged"
# Set aside for a person to inspect. The metadata stays beside it: it says what the call has used.
ASIDE_SUFFIX: Final = ".broken"
METADATA_SUFFIX: Final = ".json"
UNFINISHED_SUFFIX: Final = ".writing"
ATTEMPTS_SUFFIX: Final = ".attempts"
# What killed processes leave behind: files of ours with these endings, of an age in seconds that no write
# reaches. Metadata counts if its picture is gone.
LEFTOVER: Final = re.compile(r"\d+\.\d+\..+\.(json|writing|attempts|link)")
LEFTOVER_AGE: Final = 3600.0
# Bytes. Responses that are on their way when a disk fills up need room too.
LEAST_FREE: Final = 64 * 2**20


def put(name: str, result: ImageResult) -> None:
    """Write ``result`` atomically: after a crash it is there whole or not at all.

    Raises ``OSError`` when the disk is full or cannot be written to.
    """
    target = path(name)
    metadata = json.dumps(
        {
            "mime_type": result.mime_type,
            "usage": dict(result.usage),
            "model_version": result.model_version,
            "request_id": result.request_id,
            "report": dict(result.report),
        }
    )
    # The metadata first: a picture without it could not be settled.
    try:
        target.with_suffix(METADATA_SUFFIX).write_text(metadata)
    except FileNotFoundError:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        target.with_suffix(METADATA_SUFFIX).write_text(metadata)
    unfinished = target.with_suffix(UNFINISHED_SUFFIX)
    try:
        with unfinished.open("wb") as file:
            file.write(result.data)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(target)
    except OSError:
        unfinished.unlink(missing_ok=True)
        raise


def has_room() -> bool:
    """Return whether the disk has room for more pictures. Checked before paid calls go out."""
    directory = settings.STAGING_DIR
    while not directory.is_dir() and directory != directory.parent:
        directory = directory.parent
    return shutil.disk_usage(directory).free >= LEAST_FREE


def has(name: str) -> bool:
    """Return whether something was put under ``name``."""
    return path(name).exists()


def get(name: str) -> ImageResult | None:
    """Return what was put under ``name``, or None."""
    target = path(name)
    try:
        data = target.read_bytes()
    except FileNotFoundError:
        return None
    try:
        metadata: dict[str, Any] = json.loads(target.with_suffix(METADATA_SUFFIX).read_text())
    except (FileNotFoundError, ValueError):
        # Lost in a power cut, say. The picture is worth keeping without it.
        metadata = {"mime_type": ""}
    return ImageResult(data=data, **metadata)


def drop(name: str) -> None:
    """Delete what was put under ``name``, unless it was set aside: the database has it now."""
    target = path(name)
    target.unlink(missing_ok=True)
    metadata = target.with_suffix(METADATA_SUFFIX)
    if not _has_picture(metadata):
        metadata.unlink(missing_ok=True)


@contextmanager
def attempt(name: str) -> Iterator[int | None]:
    """Count an attempt to store what was put under ``name``; yield how many processes died in one.

    Yields None while another process attempts it. The count is on disk before the block runs, and is
    removed when it ends: only a process that dies in the block leaves it there.
    """
    count = path(name).with_suffix(ATTEMPTS_SUFFIX)
    with count.open("a+b") as file:
        if not _lock(file):
            yield None
            return
        file.seek(0)
        deaths = len(file.read())
        file.write(b".")
        file.flush()
        os.fsync(file.fileno())
        try:
            yield deaths
        finally:
            count.unlink(missing_ok=True)


def _lock(file: BinaryIO) -> bool:
    """Return whether this process has ``file`` now. Where files cannot be locked, any process has."""
    if fcntl is None:
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def remove_leftovers() -> int:
    """Delete what killed processes have left behind, except pictures. Return the number of files."""
    removed = 0
    directory = settings.STAGING_DIR
    if not directory.is_dir():
        return 0
    before = time.time() - LEFTOVER_AGE
    for file in directory.iterdir():
        if not LEFTOVER.fullmatch(file.name) or _has_picture(file):
            continue
        with contextlib.suppress(FileNotFoundError):
            if file.stat().st_mtime < before:
                file.unlink()
                removed += 1
    return removed


def _has_picture(file: Path) -> bool:
    """Return whether ``file`` is the metadata of a picture that is here, staged or set aside."""
    return file.suffix == METADATA_SUFFIX and any(
        file.with_suffix(suffix).exists() for suffix in (SUFFIX, ASIDE_SUFFIX)
    )


def set_aside(name: str) -> Path:
    """Keep what was put under ``name`` for a person to inspect; no sweep reads it again.

    Return the path of the picture. Its metadata keeps its name, beside it.
    """
    aside = path(name).with_suffix(ASIDE_SUFFIX)
    with contextlib.suppress(FileNotFoundError):  # it is there already
        path(name).replace(aside)
    return aside


def names() -> Iterator[str]:
    """Yield the names of everything in the spool: normally the few calls that are being finished."""
    directory = settings.STAGING_DIR
    if directory.is_dir():
        files = sorted(directory.glob(f"*{SUFFIX}"), key=lambda each: each.name)
        yield from (each.name.removesuffix(SUFFIX) for each in files)


def path(name: str) -> Path:
    """Return the path of the file for ``name``, whether it exists or not."""
    return settings.STAGING_DIR / f"{name}{SUFFIX}"
