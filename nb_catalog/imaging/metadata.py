"""Taking out of a file what its camera and its editors wrote into it, without touching a pixel."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

from nb_catalog.imaging import containers

# APP1 has EXIF and XMP, APP13 Photoshop's and IPTC's fields, 0xFE comments. APP2 is the colour
# profile and APP14 says how the colours are to be read: those stay.
_IN_JPEG: Final = frozenset({0xE1, 0xED, 0xFE})
_IN_PNG: Final = frozenset({b"eXIf", b"tEXt", b"iTXt", b"zTXt", b"tIME"})
_IN_WEBP: Final = frozenset({b"EXIF", b"XMP "})
# EXIF and XMP in the flags of VP8X (WebP container specification).
_WEBP_FLAGS: Final = 0b0000_1100


def without_metadata(data: bytes, *, mime_type: str) -> bytes:
    """``data``, a sound JPEG, PNG or WebP, without EXIF, XMP, IPTC and comments; itself when it has
    none. Pixels and colour profile stay bit for bit."""
    strip = {"image/jpeg": _jpeg, "image/png": _png, "image/webp": _webp}.get(mime_type)
    if strip is None:
        return data
    stripped = b"".join(strip(data))
    return data if len(stripped) == len(data) else stripped


def _jpeg(data: bytes) -> Iterator[bytes]:
    yield data[:2]
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        if marker == containers.JPEG_START_OF_SCAN:
            break
        length = 0
        if marker not in containers.JPEG_WITHOUT_LENGTH:
            (length,) = struct.unpack_from(">H", data, at + 2)
        if marker not in _IN_JPEG:
            yield data[at : at + 2 + length]
        at += 2 + length
    yield data[at:]


def _png(data: bytes) -> Iterator[bytes]:
    at = len(containers.PNG_SIGNATURE)
    yield data[:at]
    while at + 12 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        if kind not in _IN_PNG:
            yield data[at : at + 12 + length]
        at += 12 + length


def _webp(data: bytes) -> Iterator[bytes]:
    kept = [
        (kind, _flagged(kind, content))
        for kind, content in containers.riff_chunks(data)
        if kind not in _IN_WEBP
    ]
    body = b"".join(
        struct.pack("<4sI", kind, len(content)) + content + b"\0" * (len(content) % 2)
        for kind, content in kept
    )
    yield struct.pack("<4sI4s", b"RIFF", len(body) + 4, b"WEBP") + body


def _flagged(kind: bytes, content: bytes) -> bytes:
    if kind != b"VP8X" or not content:
        return content
    return bytes([content[0] & ~_WEBP_FLAGS & 0xFF]) + content[1:]
