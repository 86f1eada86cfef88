"""Paid bytes on disk before the database knows them, so that a dead worker loses nothing.

Two files a call: the picture, byte for byte, so that a storage on the same disk can link it
instead of writing it again; and what the provider said about it, as JSON.
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
SAID: Final = ".said"
# Bytes. Answers that are on their way when a disk fills up need room too.
LEAST_FREE: Final = 64 * 2**20


def put(name: str, result: ImageResult) -> None:
    """Write ``result`` so that it is there whole or not at all, whatever dies when.

    Raises ``OSError`` when the disk is full or cannot be written to.
    """
    target = path(name)
    if not target.parent.is_dir():
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # The words first: a picture without them could not be settled.
    target.with_suffix(SAID).write_text(json.dumps(_said(result)))
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
    """Whether the disk takes some pictures more. Asked before calls go out that are paid for."""
    directory = settings.STAGING_DIR
    while not directory.is_dir() and directory != directory.parent:
        directory = directory.parent
    return shutil.disk_usage(directory).free >= LEAST_FREE


def get(name: str) -> ImageResult | None:
    """What was put under ``name``, or None."""
    target = path(name)
    try:
        return ImageResult(data=target.read_bytes(), **_read_facts(target.with_suffix(SAID)))
    except FileNotFoundError:
        return None


def _read_facts(said: Path) -> dict[str, Any]:
    """What the provider said. A power cut can take it; the picture is worth keeping without."""
    try:
        facts: dict[str, Any] = json.loads(said.read_text())
    except (FileNotFoundError, ValueError):
        return {"mime_type": ""}
    return facts


def drop(name: str) -> None:
    """Forget what was put under ``name``: the database has it now."""
    target = path(name)
    target.unlink(missing_ok=True)
    target.with_suffix(SAID).unlink(missing_ok=True)


def set_aside(name: str) -> Path:
    """Keep what was put under ``name`` for a person to look at; no sweep reads it again."""
    aside = path(name).with_suffix(".broken")
    path(name).replace(aside)
    return aside


def names() -> Iterator[str]:
    """What lies here, by name: normally the few calls that are being finished."""
    directory = settings.STAGING_DIR
    if directory.is_dir():
        found = sorted(directory.glob(f"*{SUFFIX}"), key=lambda each: each.name)
        yield from (each.name.removesuffix(SUFFIX) for each in found)


def path(name: str) -> Path:
    """Where ``name`` lies, or would."""
    return settings.STAGING_DIR / f"{name}{SUFFIX}"


def _said(result: ImageResult) -> dict[str, Any]:
    return {
        "mime_type": result.mime_type,
        "usage": dict(result.usage),
        "model_version": result.model_version,
        "request_id": result.request_id,
    }
