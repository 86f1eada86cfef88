"""Paid bytes on disk before the database knows them, so that a dead worker loses nothing.

Two files per call: the picture, byte for byte, so that a storage on the same disk can link it
instead of writing it again; and what the provider reported about it, as JSON.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from nb_catalog.conf import settings
from nb_catalog.providers.types import ImageResult

SUFFIX: Final = ".staged"
METADATA_SUFFIX: Final = ".json"
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
        }
    )
    # The metadata first: a picture without it could not be settled.
    try:
        target.with_suffix(METADATA_SUFFIX).write_text(metadata)
    except FileNotFoundError:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        target.with_suffix(METADATA_SUFFIX).write_text(metadata)
    unfinished = target.with_suffix(".writing")
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
    """Delete what was put under ``name``: the database has it now."""
    target = path(name)
    target.unlink(missing_ok=True)
    target.with_suffix(METADATA_SUFFIX).unlink(missing_ok=True)


def set_aside(name: str) -> Path:
    """Keep what was put under ``name`` for a person to inspect; no sweep reads it again."""
    aside = path(name).with_suffix(".broken")
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
