"""WebP files: which chunks a decoder needs (RFC 9649)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

from nb_catalog.imaging.formats.base import (
    MAX_EXIF,
    MAX_PARTS,
    MAX_PROFILE,
    MAX_XMP,
    PictureFile,
)
from nb_catalog.imaging.formats.tags import tags_of_exif

PIXELS: Final = frozenset({b"VP8 ", b"VP8L"})
ALPHA_FLAG: Final = 0b0001_0000
ANIMATION_FLAG: Final = 0b0000_0010
FRAME_HEADER: Final = 16


def chunks(data: bytes, at: int = 12, stop: int | None = None) -> Iterator[tuple[bytes, int, int]]:
    """Yield type, start and end (without the padding) of a WebP's chunks; what is cut off ends beyond it.

    Raises ``ValueError`` for too many.
    """
    if stop is None:
        stop = min(len(data), 8 + int.from_bytes(data[4:8], "little"))
    for _ in range(MAX_PARTS):
        if at + 8 > stop:
            return
        kind, length = struct.unpack_from("<4sI", data, at)
        yield kind, at, at + 8 + length
        at += 8 + length + length % 2
    raise ValueError(f"it has more than {MAX_PARTS:,} chunks")


def size_of(kind: bytes, content: bytes) -> tuple[int, int]:
    """Return width and height from the beginning of a chunk of pixels, 0 and 0 if it is damaged."""
    if kind == b"VP8 " and len(content) >= 10:
        width, height = struct.unpack_from("<HH", content, 6)
        return width & 0x3FFF, height & 0x3FFF
    if kind == b"VP8L" and len(content) >= 5:
        (bits,) = struct.unpack_from("<I", content, 1)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    return 0, 0


def read(data: bytes) -> PictureFile:
    """Take a WebP apart. Raises ``ValueError`` for one that costs too much to read."""
    header = b""
    animation = alpha = pixels = first_frame = None
    frames = 0
    exif = xmp = profile = b""
    for kind, at, end in chunks(data):
        if kind == b"VP8X":
            header = header or data[at + 8 : end]
        elif kind == b"ANIM":
            animation = animation or (at, end)
        elif kind == b"ANMF":
            first_frame = first_frame or (at, end)
            frames += 1
        elif kind == b"ALPH":
            alpha = alpha or (at, end)
        elif kind in PIXELS:
            pixels = pixels or (at, end)
        elif kind == b"EXIF":
            exif = exif or data[at + 8 : min(end, at + 8 + MAX_EXIF)]
        elif kind == b"XMP " and end - at <= MAX_XMP:
            xmp = xmp or data[at + 8 : end]
        elif kind == b"ICCP" and end - at <= MAX_PROFILE:
            profile = profile or data[at + 8 : end]
    canvas = _length(header[4:7]), _length(header[7:10])
    inside = first_frame[0] + 8 + FRAME_HEADER if first_frame else len(data)
    if first_frame and not pixels and _covers(data[inside - FRAME_HEADER : inside], canvas):
        # The first picture of an animation is a single one, then.
        for kind, at, end in chunks(data, inside, min(first_frame[1], len(data))):
            if kind == b"ALPH":
                alpha = alpha or (at, end)
            elif kind in PIXELS:
                pixels = pixels or (at, end)
        first_frame = None if pixels else first_frame
    flags = 0
    coding = b""
    if first_frame and not pixels:
        content = [(b"ANIM", *animation)] if animation else []
        content.append((b"ANMF", *first_frame))
        flags = header[:1][0] & (ALPHA_FLAG | ANIMATION_FLAG) if header else ANIMATION_FLAG
        width, height = canvas
    else:
        at, end = pixels or (len(data), len(data))
        coding, bitstream = data[at : at + 4], data[at + 8 : at + 18]
        width, height = size_of(coding, bitstream)
        content = [(coding, at, end)] if pixels else []
        if alpha:
            content.insert(0, (b"ALPH", *alpha))
            flags = ALPHA_FLAG
    body: list[bytes | memoryview] = []
    if flags:
        # Of the simple format, every byte is one of the picture's.
        plain_header = bytes([flags, 0, 0, 0]) + _three_bytes(width) + _three_bytes(height)
        body.append(b"VP8X" + struct.pack("<I", 10) + plain_header)
    view = memoryview(data)
    for _kind, at, end in content:
        body.append(view[at:end])
        if (end - at) % 2:
            body.append(b"\0")
    length = 4 + sum(map(len, body))
    return PictureFile(
        mime_type="image/webp",
        original=data,
        parts=[struct.pack("<4sI4s", b"RIFF", length, b"WEBP"), *body],
        width=max(width, canvas[0] if header else 0),
        height=max(height, canvas[1] if header else 0),
        # One that covers a part of the canvas is a picture on another.
        frames=min(max(frames, 2 if first_frame else 1), 100),
        camera=tags_of_exif(exif),
        xmp=xmp,
        profile=profile,
        is_lossless=coding == b"VP8L",
        # Lossless data has a flag after its size.
        has_alpha=bool(alpha) or (coding == b"VP8L" and bitstream[4:5] > b"\x0f"),
        is_sendable=not first_frame,
        damage="its end is missing"
        if not content or max(e for *_, e in content) > len(data)
        else "",
    )


def _covers(frame: bytes, canvas: tuple[int, int]) -> bool:
    """Return whether a frame begins at the top left and is as large as ``canvas``."""
    return frame[:6] == bytes(6) and (_length(frame[6:9]), _length(frame[9:12])) == canvas


def _length(three_bytes: bytes) -> int:
    return int.from_bytes(three_bytes, "little") + 1


def _three_bytes(length: int) -> bytes:
    return (max(length, 1) - 1).to_bytes(3, "little")
