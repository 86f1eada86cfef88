"""Tags of TIFF files, and of EXIF, which has the same structure, read within bounds.

Pillow's reader copies the value of every tag, and values may overlap: a few kilobytes of tags that
point to the same megabytes fill the memory. This one reads only the tags that are asked for.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Final, NamedTuple

from nb_catalog.imaging.formats.base import MAX_EXIF, CameraTags, Chromaticities

# Type of a tag -> bytes of one value, and its letter in ``struct`` (TIFF 6.0, section 2; BigTIFF).
TYPES: Final[Mapping[int, tuple[int, str]]] = {
    1: (1, "B"), 2: (1, ""), 3: (2, "H"), 4: (4, "I"), 5: (8, "I"), 6: (1, "b"), 7: (1, ""),
    8: (2, "h"), 9: (4, "i"), 10: (8, "i"), 11: (4, "f"), 12: (8, "d"), 13: (4, "I"),
    16: (8, "Q"), 17: (8, "q"), 18: (8, "Q"),
}  # fmt: skip
FRACTIONS: Final = frozenset({5, 10})

ORIENTATION: Final = 0x0112
TRANSFER_FUNCTION: Final = 0x012D
WHITE_POINT: Final = 0x013E
PRIMARIES: Final = 0x013F
EXIF: Final = 0x8769
COLOUR_SPACE: Final = 0xA001
INTEROPERABILITY: Final = 0xA005
INTEROPERABILITY_INDEX: Final = 0x0001
GAMMA: Final = 0xA500

MAX_PAGES: Final = 100
"""Directories of a chain that are counted."""
MAX_TAGS: Final = 4_096
MAX_VALUES: Final = 65_536
"""Values of one tag that are read."""


class Tag(NamedTuple):
    """Type and number of a tag's values, and their place; ``entry`` is its bytes in the directory."""

    kind: int
    length: int
    offset: int
    entry: bytes

    @property
    def byte_size(self) -> int:
        return TYPES.get(self.kind, (1, ""))[0] * self.length


class TagFile:
    """A TIFF file, or EXIF after its heading. Raises ``ValueError`` if it does not begin like one."""

    def __init__(self, data: bytes) -> None:
        order = {b"II": "<", b"MM": ">"}.get(data[:2])
        if order is None or len(data) < 16:
            raise ValueError("it does not begin like a TIFF file")
        self.data, self.order = data, order
        self.is_big = self._unpack("H", 2) == 43  # BigTIFF: offsets have 8 bytes
        self.offset_letter = "Q" if self.is_big else "I"
        self.first = self._unpack(self.offset_letter, 8 if self.is_big else 4)

    def _unpack(self, letter: str, at: int) -> int:
        (value,) = struct.unpack_from(self.order + letter, self.data, at)
        return int(value)

    def _entries(self, at: int) -> range:
        """Return the places of a directory's entries."""
        head, size = (8, 20) if self.is_big else (2, 12)
        count = self._unpack("Q" if self.is_big else "H", at)
        if count > MAX_TAGS or at + head + count * size > len(self.data):
            raise ValueError("a directory of tags is damaged")
        return range(at + head, at + head + count * size, size)

    def directory(self, at: int) -> Mapping[int, Tag]:
        """Return the directory at ``at``. Raises ``ValueError``, ``struct.error`` if it is damaged."""
        tags: dict[int, Tag] = {}
        for place in self._entries(at):
            number, kind, values = struct.unpack_from(
                f"{self.order}HH{self.offset_letter}", self.data, place
            )
            inline = place + (12 if self.is_big else 8)
            tag = Tag(kind, values, inline, self.data[place : place + (20 if self.is_big else 12)])
            if tag.byte_size > (8 if self.is_big else 4):
                tag = tag._replace(offset=self._unpack(self.offset_letter, inline))
            tags.setdefault(number, tag)
        return tags

    def count_pages(self) -> int:
        """Return the length of the chain of directories, at most ``MAX_PAGES``, to damage or a loop."""
        at, seen = self.first, set[int]()
        while at and at not in seen and len(seen) < MAX_PAGES:
            try:
                following = self._unpack(self.offset_letter, self._entries(at).stop)
            except (ValueError, struct.error):
                following = 0
            seen.add(at)
            at = following
        return len(seen)

    def values(self, tag: Tag | None) -> tuple[float, ...]:
        """Return a tag's numbers; nothing if it is missing, too long, cut off or not of numbers."""
        size, letter = TYPES.get(tag.kind, (0, "")) if tag else (0, "")
        if tag is None or not letter or tag.length > MAX_VALUES:
            return ()
        count = tag.length * (2 if tag.kind in FRACTIONS else 1)
        try:
            numbers = struct.unpack_from(f"{self.order}{count}{letter}", self.data, tag.offset)
        except struct.error:
            return ()
        if tag.kind not in FRACTIONS:
            return numbers
        pairs = zip(numbers[::2], numbers[1::2], strict=True)
        return tuple(above / below if below else 0.0 for above, below in pairs)

    def number(self, tag: Tag | None) -> int:
        """Return a tag's first whole number, 0 if it has none."""
        values = self.values(tag)
        return int(values[0]) if values and isinstance(values[0], int) else 0

    def text(self, tag: Tag | None) -> bytes:
        """Return a tag's first bytes, up to a NUL."""
        if tag is None:
            return b""
        return self.data[tag.offset : tag.offset + min(tag.length, 64)].partition(b"\0")[0]


def camera_tags(file: TagFile) -> CameraTags:
    """Return the tags of ``file`` that concern orientation and colour.

    Raises ``ValueError`` or ``struct.error`` if its first directory is damaged.
    """
    main = file.directory(file.first)

    def inner(tag: Tag | None) -> Mapping[int, Tag]:
        try:
            return file.directory(file.number(tag)) if tag else {}
        except (ValueError, struct.error):
            return {}

    details = inner(main.get(EXIF))
    interoperability = inner(details.get(INTEROPERABILITY))
    white, primaries = file.values(main.get(WHITE_POINT)), file.values(main.get(PRIMARIES))
    chromaticities = None
    if len(white) == 2 and len(primaries) == 6:
        chromaticities = Chromaticities(white, primaries[:2], primaries[2:4], primaries[4:])
    return CameraTags(
        orientation=file.number(main.get(ORIENTATION)),
        colour_space=file.number(details.get(COLOUR_SPACE)),
        interoperability=file.text(interoperability.get(INTEROPERABILITY_INDEX)),
        gamma=next(iter(file.values(details.get(GAMMA))), 0.0),
        chromaticities=chromaticities,
        transfer=file.values(main.get(TRANSFER_FUNCTION)),
    )


def tags_of_exif(exif: bytes) -> CameraTags:
    """Return what ``exif`` says about orientation and colour, nothing if it is damaged.

    The first 256 KB are enough: what makes EXIF large are its thumbnail and the maker's notes.
    """
    try:
        return camera_tags(TagFile(exif.removeprefix(b"Exif\0\0")[:MAX_EXIF]))
    except (ValueError, struct.error):
        return CameraTags()
