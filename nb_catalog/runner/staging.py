"""Paid bytes on disk before the database knows them, so that a dead worker loses nothing.

One file a call: a line of JSON with what the provider said, then the picture.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from nb_catalog.conf import settings
from nb_catalog.types import ImageResult

SUFFIX: Final = ".staged"


def put(name: str, result: ImageResult) -> None:
    """Write ``result`` so that it is there whole or not at all, whatever dies when."""
    target = path(name)
    if not target.parent.is_dir():
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    unfinished = target.with_suffix(".writing")
    with unfinished.open("wb") as file:
        file.write(_header(result))
        file.write(result.data)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(target)


def get(name: str) -> ImageResult | None:
    """What was put under ``name``, or None."""
    try:
        with path(name).open("rb") as file:
            header = json.loads(file.readline())
            return ImageResult(data=file.read(), **header)
    except FileNotFoundError:
        return None


def drop(name: str) -> None:
    """Forget what was put under ``name``: the database has it now."""
    path(name).unlink(missing_ok=True)


def names() -> Iterator[str]:
    """What lies here, oldest first: normally the few calls that are being finished."""
    directory = settings.STAGING_DIR
    if directory.is_dir():
        found = sorted(directory.glob(f"*{SUFFIX}"), key=lambda each: each.name)
        yield from (each.name.removesuffix(SUFFIX) for each in found)


def path(name: str) -> Path:
    """Where ``name`` lies, or would."""
    return settings.STAGING_DIR / f"{name}{SUFFIX}"


def _header(result: ImageResult) -> bytes:
    said = {
        "mime_type": result.mime_type,
        "usage": dict(result.usage),
        "model_version": result.model_version,
        "request_id": result.request_id,
    }
    return json.dumps(said).encode() + b"\n"
