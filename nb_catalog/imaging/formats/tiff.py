"""TIFF files: the tags that a decoder needs, in a directory of their own."""

from __future__ import annotations

import struct
from typing import Final

from nb_catalog.imaging.formats import tags
from nb_catalog.imaging.formats.base import MAX_PROFILE, PictureFile
from nb_catalog.imaging.formats.tags import TagFile

WIDTH, HEIGHT, PHOTOMETRIC, COMPRESSION = 256, 257, 262, 259
TILE_WIDTH, TILE_HEIGHT = 322, 323
PROFILE: Final = 34675
# Not the orientation: Pillow would turn the picture, in a second copy of it.
# Size, samples, compression, strips and tiles; palette, inks, extra samples; what the compressions need.
NEEDED: Final = frozenset(
    {
        *(WIDTH, HEIGHT, 258, COMPRESSION, PHOTOMETRIC, 266, 273, 277, 278, 279, 284, 292, 293, 317, 320),
        *(TILE_WIDTH, TILE_HEIGHT, 324, 325, 332, 334, 338, 339, 347),
        *(512, 513, 514, 515, 517, 518, 519, 520, 521, 529, 530, 531, 532),
    }
)  # fmt: skip
MAX_TAG_BYTES: Final = 32 * 2**20
"""Bytes of the values of all needed tags: places of strips and tiles, mostly."""
MAX_TILE_PIXELS: Final = 2**24
# None, CCITT, LZW, JPEG, Deflate, PackBits: what scanners, cameras and editors write.
USUAL: Final = frozenset({1, 2, 3, 4, 5, 7, 8, 32773, 32946})


def read(data: bytes) -> PictureFile:
    """Take a TIFF apart. Raises ``ValueError`` or ``struct.error`` for a damaged one."""
    file = TagFile(data)
    main = file.directory(file.first)
    kept = {number: tag for number, tag in sorted(main.items()) if number in NEEDED}
    if sum(tag.byte_size for tag in kept.values()) > MAX_TAG_BYTES:
        raise ValueError("its tags are larger than any picture needs")
    tile = file.number(main.get(TILE_WIDTH)) * file.number(main.get(TILE_HEIGHT))
    if tile > MAX_TILE_PIXELS:
        raise ValueError("its tiles are larger than any picture needs")
    compression = file.number(main.get(COMPRESSION)) or 1
    profile = b""
    if (tag := main.get(PROFILE)) is not None and tag.byte_size <= MAX_PROFILE:
        profile = data[tag.offset : tag.offset + tag.byte_size]
    # A directory of ``kept`` alone at the end of the file. Values keep their places.
    view = memoryview(file.data)
    padding = b"\0" * (-len(view) % 8)
    order, letter = file.order, file.offset_letter
    place = struct.pack(f"{order}{letter}", len(view) + len(padding))
    head = 8 if file.is_big else 4
    count = struct.pack(f"{order}{'Q' if file.is_big else 'H'}", len(kept))
    directory = count + b"".join(tag.entry for tag in kept.values()) + b"\0" * len(place)
    return PictureFile(
        mime_type="image/tiff",
        original=data,
        parts=[view[:head], place, view[head + len(place) :], padding, directory],
        width=file.number(main.get(WIDTH)),
        height=file.number(main.get(HEIGHT)),
        frames=file.count_pages(),
        camera=tags.camera_tags(file),
        profile=profile,
        is_grey=file.number(main.get(PHOTOMETRIC)) in {0, 1},
        unusual="" if compression in USUAL else f"compression {compression}",
    )
