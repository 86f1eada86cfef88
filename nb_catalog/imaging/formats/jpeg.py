"""JPEG files: which segments a decoder needs, and whether every pixel is there."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass, field
from typing import Final

from nb_catalog.imaging.formats.base import (
    MAX_EXIF,
    MAX_PARTS,
    MAX_PROFILE,
    MAX_XMP,
    PictureFile,
)
from nb_catalog.imaging.formats.tags import tags_of_exif

START_OF_SCAN: Final = 0xDA
END: Final = b"\xff\xd9"
# Start-of-frame markers (ITU-T T.81, table B.1); DHT, JPG and DAC are among their numbers.
FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
PROGRESSIVE: Final = frozenset({0xC2, 0xC6, 0xCA, 0xCE})
WITHOUT_LENGTH: Final = frozenset({0x01, *range(0xD0, 0xD9)})
# DHT, DAC, DQT, DNL and DRI: tables and numbers that decoding needs.
TABLES: Final = frozenset({0xC4, 0xCC, 0xDB, 0xDC, 0xDD})
# The first byte of a marker in entropy-coded data. FF 00 is the value 255, D0 to D7 are restarts.
NEXT_MARKER: Final = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")

MAX_SCANS: Final = 200
"""A progressive file has about ten. Each of them goes through all pixels: a few bytes of a scan cost as
much time as a picture."""
USUAL_SCANS: Final = 24
PADDING: Final = 8


@dataclass(slots=True)
class _Scans:
    """Which coefficients the scans of a file hold, to their last bit: without them a file that ends
    early still gives a picture, coarser than it should be."""

    frame: int = 0
    components: dict[int, set[int]] = field(default_factory=dict)
    count: int = 0

    def begin(self, marker: int, content: bytes) -> None:
        self.frame = marker
        self.components = {content[at]: set() for at in range(6, len(content) - 2, 3)}

    def add(self, content: bytes) -> None:
        self.count += 1
        if len(content) < 4 or len(content) < 2 * content[0] + 4:
            return
        first, last, approximation = content[-3:]
        if self.frame not in PROGRESSIVE:
            first, last, approximation = 0, 63, 0
        if approximation & 0x0F == 0:
            for at in range(1, 1 + 2 * content[0], 2):
                self.components.get(content[at], set()).update(range(first, last + 1))

    @property
    def are_complete(self) -> bool:
        return bool(self.components) and all(len(each) == 64 for each in self.components.values())


def segments(data: bytes) -> list[tuple[int, int, int]]:
    """Return marker (its second byte), start and end of the segments of the first picture in ``data``.

    The segment of a scan includes its entropy-coded data. What is between segments belongs to none;
    a segment that the end of the file cuts off is the last one and ends beyond it. Raises
    ``ValueError`` for too many.
    """
    found: list[tuple[int, int, int]] = []
    at = 2
    while (at := data.find(b"\xff", at)) != -1 and at + 1 < len(data):
        marker = data[at + 1]
        if marker in {0x00, 0xFF} or marker in WITHOUT_LENGTH:
            at += 1 if marker == 0xFF else 2
            continue
        if marker == END[1]:
            found.append((marker, at, at + 2))
            break
        if len(found) == MAX_PARTS:
            raise ValueError(f"it has more than {MAX_PARTS:,} segments")
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        end = at + 2 + max(length, 2)
        if marker == START_OF_SCAN:
            following = NEXT_MARKER.search(data, end)
            end = following.start() if following else max(end, len(data))
        found.append((marker, at, end))
        at = end
    return found


def read(data: bytes) -> PictureFile:
    """Take a JPEG apart. Raises ``ValueError`` for one that costs too much to decode."""
    view = memoryview(data)
    parts: list[bytes | memoryview] = [view[:2]]
    scans = _Scans()
    profile: dict[int, bytes] = {}
    exif = xmp = b""
    width = height = colours = coefficients = 0
    has_end = is_whole = False
    for marker, at, end in segments(data):
        content = data[at + 4 : min(end, at + 2 + int.from_bytes(data[at + 2 : at + 4], "big"))]
        is_whole = end <= len(data)
        if marker == END[1]:
            has_end = True
            parts.append(END)
        elif marker in FRAMES:
            if len(content) >= 6:
                height, width, colours = struct.unpack_from(">HHB", content, 1)
            scans.begin(marker, content)
            coefficients = _samples(width, height, content) if marker in PROGRESSIVE else 0
            parts.append(view[at:end])
        elif marker == START_OF_SCAN:
            scans.add(content)
            parts.append(view[at:end])
        elif marker in TABLES:
            parts.append(view[at:end])
        elif marker == 0xE0 and content.startswith(b"JFIF\0") and len(content) >= 14:
            if content[12:] == b"\0\0":
                parts.append(view[at:end])
            else:  # without its thumbnail
                parts.append(b"\xff\xe0\0\x10" + content[:12] + b"\0\0")
        elif marker == 0xEE and content.startswith(b"Adobe") and len(content) >= 12:
            # How the colours are coded. Without it CMYK comes out inverted.
            parts.append(b"\xff\xee\0\x0e" + content[:12])
        elif marker == 0xE1 and not exif and content.startswith(b"Exif\0\0"):
            exif = content[6 : 6 + MAX_EXIF]
        elif marker == 0xE1 and not xmp and content.startswith(b"http://ns.adobe.com/xap/1.0/\0"):
            xmp = content[29 : 29 + MAX_XMP]
        elif marker == 0xE2 and content.startswith(b"ICC_PROFILE\0") and len(content) > 14:
            # ICC.1:2010, B.4: number of this part, from 1, and of all parts.
            profile.setdefault(content[12], content[14:])
        if scans.count > MAX_SCANS:
            raise ValueError(f"it has more than {MAX_SCANS} scans")
    damage = ""
    if not has_end:
        damage = "its end is missing"
        if is_whole and scans.are_complete:
            # Perhaps nothing but the marker is missing, which decoding shows.
            damage = ""
            parts[-1:] = _without_padding(bytes(parts[-1])), END
    whole_profile = b"".join(profile[number] for number in sorted(profile))
    return PictureFile(
        mime_type="image/jpeg",
        original=data,
        parts=parts,
        width=width,
        height=height,
        camera=tags_of_exif(exif),
        xmp=xmp,
        profile=whole_profile if len(whole_profile) <= MAX_PROFILE else b"",
        coefficients=coefficients,
        is_grey=colours == 1,
        is_sendable=True,
        damage=damage,
        lacks_end=not has_end and not damage,
        unusual=f"{scans.count} scans" if scans.count > USUAL_SCANS else "",
    )


def _samples(width: int, height: int, frame: bytes) -> int:
    """Return the number of samples of all components, of which some have fewer rows or columns."""
    factors = [(frame[at] >> 4 or 1, frame[at] & 15 or 1) for at in range(7, len(frame), 3)]
    widest, tallest = (
        (max(each, default=1) for each in zip(*factors, strict=True)) if factors else (1, 1)
    )
    return sum(-(-width * x // widest) * -(-height * y // tallest) for x, y in factors)


def _without_padding(scan: bytes) -> bytes:
    """Return a scan without half a marker, or the zeros that a storage or a transfer appended to it.

    A few zeros stay: data may end with them, and after the last pixel they do not matter.
    """
    shorter = scan.rstrip(b"\0")
    return scan[: len(shorter) + PADDING].rstrip(b"\xff")
