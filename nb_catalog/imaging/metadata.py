"""Removal of metadata that cameras and editors wrote into a file, without touching a pixel."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

from nb_catalog.imaging import containers

# APP1 holds EXIF and XMP, APP13 Photoshop and IPTC fields, 0xFE comments. APP2, the colour profile,
# and APP14, which decoders need to interpret the colours, stay.
_IN_JPEG: Final = frozenset({0xE1, 0xED, 0xFE})
_IN_PNG: Final = frozenset({b"eXIf", b"tEXt", b"iTXt", b"zTXt", b"tIME"})
_IN_WEBP: Final = frozenset({b"EXIF", b"XMP "})
# EXIF and XMP in the flags of VP8X (WebP container specification).
_WEBP_FLAGS: Final = 0b0000_1100


def without_metadata(data: bytes, *, mime_type: str) -> bytes:
    """Return an undamaged JPEG, PNG or WebP without EXIF, XMP, IPTC and comments.

    Pixels and colour profile stay bit for bit. Returns ``data`` itself if it has no metadata or
    another type.
    """
    if mime_type == "image/jpeg":
        stripped = b"".join(_jpeg_parts(data))
    elif mime_type == "image/png":
        at = len(containers.PNG_SIGNATURE)
        parts = [data[:at]]
        while at + 12 <= len(data):
            length, kind = struct.unpack_from(">I4s", data, at)
            if kind not in _IN_PNG:
                parts.append(data[at : at + 12 + length])
            at += 12 + length
        stripped = b"".join(parts)
    elif mime_type == "image/webp":
        parts = []
        for kind, content in containers.riff_chunks(data):
            if kind in _IN_WEBP:
                continue
            if kind == b"VP8X" and content:
                content = bytes([content[0] & ~_WEBP_FLAGS & 0xFF]) + content[1:]
            header = struct.pack("<4sI", kind, len(content))
            parts.append(header + content + b"\0" * (len(content) % 2))
        body = b"".join(parts)
        stripped = struct.pack("<4sI4s", b"RIFF", len(body) + 4, b"WEBP") + body
    else:
        return data
    return data if len(stripped) == len(data) else stripped


def _jpeg_parts(data: bytes) -> Iterator[bytes]:
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
