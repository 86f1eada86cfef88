"""Photos on their way to a model: in a format that it reads."""

from __future__ import annotations

from typing import Final

from nb_catalog.imaging.encode import encode
from nb_catalog.imaging.inspect import Facts, examine, open_photo
from nb_catalog.types import Reference

# Google's list for the Gemini image models, less HEIC and HEIF, which Pillow does not write.
READ_BY_MODELS: Final = frozenset({"image/png", "image/jpeg", "image/webp"})
READ_MODES: Final = frozenset({"RGB", "RGBA", "L"})


def as_reference(photo: bytes, *, max_bytes: int, max_pixels: int) -> Reference:
    """``photo`` itself where a model can read it, else the same picture as a PNG.

    Raises ``PictureError``.
    """
    facts = examine(photo, max_bytes=max_bytes, max_pixels=max_pixels)
    if _readable(facts):
        return Reference(data=photo, mime_type=facts.mime_type)
    opened = open_photo(photo, max_bytes=max_bytes, max_pixels=max_pixels)
    return Reference(data=encode(opened, format="png"), mime_type="image/png")


def _readable(facts: Facts) -> bool:
    # Nobody documents that a model heeds EXIF: what stands sideways in the file is turned.
    plain = facts.frames == 1 and facts.upright
    return plain and facts.mime_type in READ_BY_MODELS and facts.mode in READ_MODES
