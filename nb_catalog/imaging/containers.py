"""Container formats of picture files: type, chunks and size, read without decoding a pixel."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

PNG_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
TIFF_SIGNATURES: Final = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
AVIF_BRANDS: Final = frozenset({b"avif", b"avis"})
HEIF_BRANDS: Final = frozenset({b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1"})

JPEG_START_OF_SCAN: Final = 0xDA
JPEG_WITHOUT_LENGTH: Final = frozenset({0x01, *range(0xD0, 0xDA)})


def sniff(data: bytes) -> str | None:
    """Return the MIME type by the file's signature, or None if it is not a known picture format."""
    if data.startswith(PNG_SIGNATURE):
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


def png_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield type and content of every chunk of a PNG; stop silently where the file is truncated."""
    at = len(PNG_SIGNATURE)
    while at + 12 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        if at + 12 + length > len(data):
            return
        yield kind, data[at + 8 : at + 8 + length]
        at += 12 + length


def jpeg_segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield marker (its second byte) and content of a JPEG's segments before the first scan."""
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        if marker == JPEG_START_OF_SCAN:
            return
        if marker in JPEG_WITHOUT_LENGTH:
            at += 2
            continue
        (length,) = struct.unpack_from(">H", data, at + 2)
        yield marker, data[at + 4 : at + 2 + length]
        at += 2 + length


def riff_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield type and content of every chunk of a WebP; stop silently where the file is truncated."""
    at = 12
    while at + 8 <= len(data):
        kind, length = struct.unpack_from("<4sI", data, at)
        if at + 8 + length > len(data):
            return
        yield kind, data[at + 8 : at + 8 + length]
        at += 8 + length + length % 2


def iso_boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield type and content of the top-level boxes of an ISO base media file such as AVIF."""
    at = 0
    while at + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        header = 8
        if length == 1 and at + 16 <= len(data):
            (length,) = struct.unpack_from(">Q", data, at + 8)
            header = 16
        end = at + length if length else len(data)
        if end > len(data) or end < at + header:
            return
        yield kind, data[at + header : end]
        at = end


def webp_size(data: bytes) -> tuple[int, int] | None:
    """Return width and height from a WebP's header, or None if it cannot be read."""
    kind = data[12:16]
    if kind == b"VP8 " and len(data) >= 30:
        width, height = struct.unpack_from("<HH", data, 26)
        return width & 0x3FFF, height & 0x3FFF
    if kind == b"VP8L" and len(data) >= 25:
        (bits,) = struct.unpack_from("<I", data, 21)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8X" and len(data) >= 30:
        return (
            int.from_bytes(data[24:27], "little") + 1,
            int.from_bytes(data[27:30], "little") + 1,
        )
    return None


def png_is_complete(data: bytes) -> bool:
    """Return whether a PNG has its last chunk.

    Decoders accept a file without it: the pixels are complete, but chunks after them, such as the
    provenance mark, may be lost.
    """
    return any(kind == b"IEND" for kind, _ in png_chunks(data))
