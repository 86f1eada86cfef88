"""Small real pictures for tests, without an imaging library."""

from __future__ import annotations

import struct
import zlib
from functools import lru_cache

from nb_catalog.core.types import Size

_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


@lru_cache(maxsize=64)
def solid_png(size: Size, *, colour: tuple[int, int, int] = (200, 200, 200)) -> bytes:
    """A PNG of one colour: ``size`` in pixels, 8-bit RGB."""
    header = struct.pack(">IIBBBBB", size.width, size.height, 8, 2, 0, 0, 0)
    row = b"\x00" + bytes(colour) * size.width
    pixels = zlib.compress(row * size.height, 1)
    return _SIGNATURE + _chunk(b"IHDR", header) + _chunk(b"IDAT", pixels) + _chunk(b"IEND", b"")


def colour_of(text: str) -> tuple[int, int, int]:
    """A colour that belongs to ``text``, so that mixed-up answers show."""
    crc = zlib.crc32(text.encode())
    return crc & 255, crc >> 8 & 255, crc >> 16 & 255
