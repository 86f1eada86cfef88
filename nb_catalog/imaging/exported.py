"""A stored picture as the file that leaves the shop: another format or size, and always with its mark."""

from __future__ import annotations

from typing import Final

from nb_catalog.imaging.encode import Format, encode, flatten
from nb_catalog.imaging.inspect import examine, open_photo
from nb_catalog.imaging.provenance import has_c2pa, read_mark

JPEG_QUALITY: Final = 92
"""Channels encode pictures again; some refuse less than 90."""
_FORMATS: Final[dict[str, Format]] = {
    "image/jpeg": "jpeg", "image/png": "png", "image/webp": "webp", "image/avif": "avif"
}  # fmt: skip


def exported_size(width: int, height: int, *, longest_side: int | None) -> tuple[int, int]:
    """Return the size in pixels at which a picture is exported: at most ``longest_side``, never enlarged."""
    if longest_side is None or max(width, height) <= longest_side:
        return width, height
    scale = longest_side / max(width, height)
    return max(1, round(width * scale)), max(1, round(height * scale))


def export_file(
    picture: bytes,
    *,
    format: Format | None,
    longest_side: int | None,
    xmp: bytes,
    max_bytes: int,
    max_pixels: int,
) -> tuple[bytes, Format]:
    """Return ``picture`` in ``format``, or in its own if it is None, in sRGB and with a mark of its origin,
    and the format that it has.

    The bytes are those of ``picture`` wherever they need no change. A file signed with C2PA keeps its bytes,
    even without XMP: encoding it again would remove the signature. Raises ``PictureError``.
    """
    facts = examine(picture, max_bytes=max_bytes, max_pixels=max_pixels, decode=True)
    own = _FORMATS.get(facts.mime_type)
    is_small = longest_side is None or max(facts.width, facts.height) <= longest_side
    is_marked = read_mark(picture) is not None or has_c2pa(picture)
    is_plain = facts.is_srgb and facts.upright and facts.frames == 1
    if own and format in (None, own) and is_small and is_marked and is_plain:
        return picture, own
    image = open_photo(
        picture, longest_side=longest_side, max_bytes=max_bytes, max_pixels=max_pixels
    )
    wanted = format or own or "jpeg"
    if wanted == "jpeg":
        image = flatten(image)
    data = encode(
        image,
        format=wanted,
        quality=JPEG_QUALITY if wanted == "jpeg" else None,
        xmp=xmp,
        full_chroma=wanted == "jpeg",
    )
    return data, wanted
