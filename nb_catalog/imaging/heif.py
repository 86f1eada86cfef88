"""HEIC photos, as phones take them: read where the package pillow-heif is installed."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from io import BytesIO
from typing import Final

from PIL import ImageFile

INSTALL: Final = "pip install 'nb-catalog[heic]'"


@cache
def reader() -> Callable[[BytesIO], ImageFile.ImageFile] | None:
    """Pillow's kind of reader for HEIC, or None. It turns pictures upright by itself and gives
    8 bits a channel."""
    try:
        # An extra: whoever has no HEIC photos does not need it. Nothing is registered with Pillow.
        from pillow_heif import HeifImageFile
    except ImportError:
        return None
    return HeifImageFile  # type: ignore[no-any-return,unused-ignore]
