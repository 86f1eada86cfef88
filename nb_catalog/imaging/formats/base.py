"""What is read of a picture file before any of its pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, NamedTuple

MAX_PARTS: Final = 65_536
"""Segments, chunks, blocks or boxes of one file. Files in use have at most a few thousand; reading
millions of empty ones takes a minute."""
MAX_EXIF: Final = 256 * 1024
MAX_XMP: Final = 2**20
MAX_PROFILE: Final = 8 * 2**20
"""Bytes of metadata that are read, after decompression. More is treated as if it were not there."""

SRGB_XY: Final = (0.3127, 0.3290, 0.640, 0.330, 0.300, 0.600, 0.150, 0.060)
XY = tuple[float, ...]


class Chromaticities(NamedTuple):
    """CIE 1931 xy coordinates of white and of the primary colours."""

    white: XY
    red: XY
    green: XY
    blue: XY

    @property
    def are_near_srgb(self) -> bool:
        """Whether they are sRGB's, as far as the digits that programs write."""
        pairs = zip((*self.white, *self.red, *self.green, *self.blue), SRGB_XY, strict=True)
        return all(abs(one - other) < 0.002 for one, other in pairs)


@dataclass(frozen=True, slots=True, kw_only=True)
class ColourSpace:
    """A colour space that a file describes in numbers rather than by a profile.

    ``transfer`` is a number of ITU-T H.273, table 3; if it is 0, ``gamma`` is the exponent that turns
    stored values into light; if that is 0 too, ``curve`` is light, 0 to 1, by stored value, and
    without any of them the curve of sRGB applies. ``is_narrow`` means that black is 16 and white 235.
    """

    chromaticities: Chromaticities | None = None
    transfer: int = 0
    gamma: float = 0.0
    curve: tuple[tuple[float, ...], ...] = ()
    is_narrow: bool = False


class CameraTags(NamedTuple):
    """What EXIF says about how a picture is to be shown.

    ``colour_space`` is 1 for sRGB, 2 for Adobe RGB, 0xFFFF for another one and 0 if nothing is said.
    """

    orientation: int = 0
    colour_space: int = 0
    interoperability: bytes = b""
    gamma: float = 0.0
    chromaticities: Chromaticities | None = None
    transfer: tuple[float, ...] = ()


SRGB: Final = ColourSpace(transfer=13)


@dataclass(frozen=True, kw_only=True)
class PictureFile:
    """A picture file, taken apart.

    ``parts`` are the bytes that a decoder needs for the first picture in it, and nothing else.
    ``override``, ``profile`` and ``space`` say what its colours mean, in this order. ``width`` and
    ``height`` are 0 if only a decoder finds them; ``frames`` are counted up to 100, and 0 if only a
    decoder counts them. ``coefficients`` are those that a decoder of a progressive JPEG holds;
    ``is_lossless`` and ``has_alpha`` are known of a WebP, ``bits`` of a PNG's samples. A file that
    ``is_sendable`` has no metadata in its parts. ``damage`` says what is wrong with the file, and
    ``unusual`` why it is decoded in a process of its own; ``lacks_end`` marks a JPEG of which only
    decoding shows whether more than its last marker is missing.
    """

    mime_type: str
    original: bytes = field(repr=False)
    parts: Sequence[bytes | memoryview] = field(repr=False)
    width: int = 0
    height: int = 0
    frames: int = 1
    camera: CameraTags = CameraTags()
    xmp: bytes = field(default=b"", repr=False)
    profile: bytes = field(default=b"", repr=False)
    override: ColourSpace | None = None
    space: ColourSpace | None = None
    bits: int = 8
    coefficients: int = 0
    is_grey: bool = False
    is_lossless: bool = False
    has_alpha: bool = False
    is_sendable: bool = False
    damage: str = ""
    lacks_end: bool = False
    unusual: str = ""

    @cached_property
    def essential(self) -> bytes:
        """The file with ``parts`` alone; ``original`` itself if nothing else is in it."""
        joined = b"".join(self.parts)
        return self.original if joined == self.original else joined
