"""Container formats of picture files: telling them apart, and taking a file apart."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from nb_catalog.imaging.formats import gif, heif, jpeg, png, tiff, webp
from nb_catalog.imaging.formats.base import PictureFile

TIFF_SIGNATURES: Final = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
AVIF_BRANDS: Final = frozenset({b"avif", b"avis"})
HEIF_BRANDS: Final = frozenset({b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1"})

READERS: Final[Mapping[str, Callable[[bytes], PictureFile]]] = {
    "image/png": png.read,
    "image/jpeg": jpeg.read,
    "image/webp": webp.read,
    "image/gif": gif.read,
    "image/tiff": tiff.read,
    "image/avif": partial(heif.read, mime_type="image/avif"),
    "image/heic": partial(heif.read, mime_type="image/heic"),
}


def sniff(data: bytes) -> str | None:
    """Return the MIME type by the file's signature, or None if it is not a known picture format."""
    if data.startswith(png.SIGNATURE):
        return "image/png"
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if data.startswith(TIFF_SIGNATURES):
        return "image/tiff"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    if data[4:8] == b"ftyp":
        # ISO 14496-12: box length, "ftyp", major brand, minor version, compatible brands.
        (length,) = struct.unpack_from(">I", data)
        brands = {data[8:12], *(data[at : at + 4] for at in range(16, min(length, 256), 4))}
        if brands & AVIF_BRANDS:
            return "image/avif"
        return "image/heic" if brands & HEIF_BRANDS else None
    return None


def take_apart(data: bytes, *, mime_type: str) -> PictureFile:
    """Return what ``data``, a file of ``mime_type``, says about itself, without decoding a pixel.

    Time and memory are bounded, whatever the file holds. Raises ``ValueError``, ``LookupError`` or
    ``struct.error`` for a damaged file, and for one that costs more to read than any picture needs.
    """
    return READERS[mime_type](data)
