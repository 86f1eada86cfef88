"""GIF files: the blocks of the first picture, and a colour profile in an application block."""

from __future__ import annotations

import struct
from typing import Final

from nb_catalog.imaging.formats.base import MAX_PROFILE, PictureFile

EXTENSION, PICTURE, TRAILER = 0x21, 0x2C, 0x3B
GRAPHIC_CONTROL, APPLICATION = 0xF9, 0xFF
PROFILE: Final = b"\x0bICCRGBG1012"
MAX_FRAMES: Final = 100
MAX_BLOCKS: Final = 2**19
"""Blocks have up to 255 bytes; a file of 64 MB in full blocks has half as many."""


def read(data: bytes) -> PictureFile:
    """Take a GIF apart. Raises ``ValueError`` for one that costs too much to read."""
    view = memoryview(data)
    width, height, flags = struct.unpack_from("<HHB", data.ljust(13, b"\0"), 6)
    at = 13 + _table_size(flags)
    parts: list[bytes | memoryview] = [view[:at]]
    control = profile = b""
    frames = blocks = 0
    is_complete = False
    while at < len(data) and frames < MAX_FRAMES and data[at] in {EXTENSION, PICTURE}:
        start = at
        if data[at] == EXTENSION:
            label = data[at + 1] if at + 1 < len(data) else 0
            at += 2
        else:
            label = None
            at += 10 + (_table_size(data[at + 9]) if at + 9 < len(data) else 0) + 1
        while at < len(data) and data[at]:
            at += 1 + data[at]
            blocks += 1
            if blocks > MAX_BLOCKS:
                raise ValueError(f"it has more than {MAX_BLOCKS:,} blocks")
        at += 1
        if label is None:
            frames += 1
            if frames == 1:
                parts += [control, view[start:at]]
                is_complete = at <= len(data)
        elif label == GRAPHIC_CONTROL and not frames:
            control = data[start:at]
        elif label == APPLICATION and not profile and data.startswith(PROFILE, start + 2):
            profile = _joined(data[start + 14 : min(at, start + 14 + MAX_PROFILE)])
    if is_complete:
        parts.append(bytes([TRAILER]))
    return PictureFile(
        mime_type="image/gif",
        original=data,
        parts=parts,
        width=width,
        height=height,
        frames=max(frames, 1),
        profile=profile,
        damage="" if is_complete else "its first picture is cut off",
    )


def _table_size(flags: int) -> int:
    return 3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0


def _joined(blocks: bytes) -> bytes:
    content, at = [], 0
    while at < len(blocks) and blocks[at]:
        content.append(blocks[at + 1 : at + 1 + blocks[at]])
        at += 1 + blocks[at]
    return b"".join(content)
