"""Small real pictures for tests, made without an imaging library."""

from __future__ import annotations

import struct
import zlib
from functools import lru_cache
from typing import Final

from nb_catalog.core.types import Size

PNG_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
JPEG_SIGNATURE: Final = b"\xff\xd8"


@lru_cache(maxsize=64)
def solid_png(size: Size, *, colour: tuple[int, int, int] = (200, 200, 200)) -> bytes:
    """Return a PNG file of one colour: ``size`` in pixels, 8-bit RGB."""
    header = struct.pack(">IIBBBBB", size.width, size.height, 8, 2, 0, 0, 0)
    row = b"\x00" + bytes(colour) * size.width
    pixels = zlib.compress(row * size.height, 1)
    return PNG_SIGNATURE + _chunk(b"IHDR", header) + _chunk(b"IDAT", pixels) + _END


def colour_of(text: str) -> tuple[int, int, int]:
    """Return a colour derived from ``text``, so that mixed-up responses are noticed."""
    crc = zlib.crc32(text.encode())
    return crc & 255, crc >> 8 & 255, crc >> 16 & 255


def with_comment(data: bytes, comment: str, *, at_least: int = 0) -> bytes:
    """Return the PNG or JPEG file ``data`` with ``comment`` in its metadata, padded to about
    ``at_least`` bytes."""
    if data.startswith(JPEG_SIGNATURE):
        segment = _segment(comment.encode())
        missing = max(0, at_least - len(data) - len(segment))
        return data[:2] + segment + jpeg_padding(missing) + data[2:]
    chunk = _chunk(b"tEXt", b"Comment\0" + comment.encode())
    missing = at_least - len(data) - len(chunk)
    padding = png_padding(missing) if missing > 12 else b""
    return data.removesuffix(_END) + chunk + padding + _END


@lru_cache(maxsize=8)
def png_padding(length: int) -> bytes:
    """Return a private chunk that every decoder skips: ancillary and safe to copy."""
    return _chunk(b"npAd", bytes(length - 12))


@lru_cache(maxsize=8)
def jpeg_padding(length: int) -> bytes:
    """Return comment segments of about ``length`` bytes in total."""
    # A segment holds at most 65,533 bytes.
    whole, rest = divmod(length, 2**16)
    return _segment(bytes(2**16 - 4)) * whole + (_segment(bytes(rest - 4)) if rest > 4 else b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _segment(content: bytes) -> bytes:
    return b"\xff\xfe" + struct.pack(">H", len(content) + 2) + content


_END: Final = _chunk(b"IEND", b"")
