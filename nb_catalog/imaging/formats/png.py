"""PNG files: which chunks a decoder needs, and every way in which they state colours (PNG, 3rd edition)."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator
from typing import Final

from nb_catalog.imaging.formats.base import (
    MAX_EXIF,
    MAX_PARTS,
    MAX_PROFILE,
    MAX_XMP,
    SRGB,
    Chromaticities,
    ColourSpace,
    PictureFile,
)
from nb_catalog.imaging.formats.cicp import coded_space
from nb_catalog.imaging.formats.tags import tags_of_exif

SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
NEEDED: Final = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"})
XMP: Final = b"XML:com.adobe.xmp"
# As ImageMagick writes EXIF into PNG where it does not know eXIf: text of hexadecimal digits.
RAW_EXIF: Final = frozenset({b"Raw profile type exif", b"Raw profile type APP1"})
NOT_HEX: Final = re.compile(rb"[^0-9A-Fa-f]")
# 1/2.2 is written for sRGB too, as the nearest power; then it means sRGB's own curve.
POWER_OF_SRGB: Final = range(45_400, 45_500)
PIECE: Final = 2**20


def chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield type, start and end of a PNG's chunks, to the last one.

    A chunk that the end of the file cuts off ends beyond it. Raises ``ValueError`` for too many.
    """
    at = len(SIGNATURE)
    for _ in range(MAX_PARTS):
        if at + 8 > len(data):
            return
        length, kind = struct.unpack_from(">I4s", data, at)
        end = at + 12 + length
        yield kind, at, end
        if kind == b"IEND" or end > len(data):
            return
        at = end
    raise ValueError(f"it has more than {MAX_PARTS:,} chunks")


def unpack(packed: bytes, *, most: int) -> bytes:
    """Return zlib's ``packed`` bytes, or nothing if they are damaged or more than ``most``."""
    try:
        unpacker = zlib.decompressobj()
        unpacked = unpacker.decompress(packed, most + 1)
    except zlib.error:
        return b""
    return unpacked if len(unpacked) <= most else b""


def read(data: bytes) -> PictureFile:
    """Take a PNG apart. Raises ``ValueError`` for one that costs too much to read."""
    view = memoryview(data)
    parts: list[bytes | memoryview] = [view[: len(SIGNATURE)]]
    contents: dict[bytes, bytes] = {}
    exif = raw_exif = xmp = b""
    frames = 1
    is_complete = False
    for kind, at, end in chunks(data):
        is_complete = kind == b"IEND" and end <= len(data)
        if kind in NEEDED:
            # Pillow takes 30 µs for each empty chunk.
            if end - at > 12 or kind != b"IDAT":
                parts.append(view[at:end])
            if kind == b"IHDR":
                contents.setdefault(kind, data[at + 8 : end - 4])
        elif kind in {b"cICP", b"iCCP", b"sRGB", b"gAMA", b"cHRM"}:
            contents.setdefault(kind, data[at + 8 : min(end - 4, at + 8 + MAX_PROFILE)])
        elif kind == b"eXIf":
            exif = exif or data[at + 8 : min(end - 4, at + 8 + MAX_EXIF)]
        elif kind == b"acTL" and end - at >= 20:
            frames = min(max(1, int.from_bytes(data[at + 8 : at + 12], "big")), 100)
        elif kind in {b"iTXt", b"zTXt", b"tEXt"}:
            keyword = data[at + 8 : min(end - 4, at + 88)].partition(b"\0")[0]
            text = view[at + 9 + len(keyword) : end - 4]
            if kind == b"iTXt" and keyword == XMP and not xmp:
                xmp = _international_text(text)
            elif kind != b"iTXt" and keyword in RAW_EXIF and not raw_exif:
                raw_exif = _raw_exif(text, packed=kind == b"zTXt")
    header = contents.get(b"IHDR", b"").ljust(13, b"\0")
    width, height, bits, kind_of_colour = struct.unpack_from(">IIBB", header)
    override = None
    if len(coded := contents.get(b"cICP", b"")) >= 4:
        override = coded_space(coded[0], coded[1], is_narrow=coded[3] == 0)
    _name, _, packed_profile = contents.get(b"iCCP", b"").partition(b"\0")
    return PictureFile(
        mime_type="image/png",
        original=data,
        parts=parts,
        width=width,
        height=height,
        frames=frames,
        camera=tags_of_exif(exif or raw_exif),
        xmp=xmp,
        override=override,
        profile=unpack(packed_profile[1:], most=MAX_PROFILE),
        space=_space(contents),
        bits=bits,
        is_grey=kind_of_colour in {0, 4},
        is_sendable=True,
        damage="" if is_complete else "its last chunk is missing",
    )


def _space(contents: dict[bytes, bytes]) -> ColourSpace | None:
    if b"sRGB" in contents:
        return SRGB
    chromaticities = None
    if len(numbers := contents.get(b"cHRM", b"")) >= 32:
        values = [number / 100_000 for number in struct.unpack_from(">8I", numbers)]
        chromaticities = Chromaticities(*(tuple(values[at : at + 2]) for at in (0, 2, 4, 6)))
    gamma = int.from_bytes(contents.get(b"gAMA", b"")[:4], "big")
    if chromaticities is None and (gamma == 0 or gamma in POWER_OF_SRGB):
        return None
    if gamma in POWER_OF_SRGB and chromaticities and chromaticities.are_near_srgb:
        return SRGB
    return ColourSpace(chromaticities=chromaticities, gamma=100_000 / gamma if gamma else 0.0)


def _international_text(rest: memoryview) -> bytes:
    """Return the text of an iTXt chunk after its keyword (PNG, 11.3.3.4), nothing if it is too long."""
    is_packed = bytes(rest[:1]) == b"\1"
    parts = bytes(rest[2 : 2 + MAX_XMP + 256]).split(b"\0", 2)
    text = parts[-1] if len(parts) == 3 else b""
    if is_packed:
        return unpack(text, most=MAX_XMP)
    return text if len(text) <= MAX_XMP else b""


def _raw_exif(text: memoryview, *, packed: bool) -> bytes:
    most = 3 * MAX_EXIF
    plain = unpack(bytes(text[1:most]), most=most) if packed else bytes(text[:most])
    # A line with the name, one with the length, then the digits.
    digits = NOT_HEX.sub(b"", b"".join(plain.strip().split(b"\n")[2:]))
    return bytes.fromhex(digits[: len(digits) // 2 * 2].decode("ascii"))[:MAX_EXIF]


def without_tail(file: PictureFile) -> list[bytes | memoryview]:
    """Return ``file``'s parts without what the chunks of pixels hold after the compressed picture.

    Programs that cropped pictures left the rest of the original there (CVE-2023-21036). Raises
    ``ValueError`` for a damaged stream, which decoders accept if every pixel is in it.
    """
    unpacker = zlib.decompressobj()
    parts: list[bytes | memoryview] = []
    for part in file.parts:
        if part[4:8] != b"IDAT":
            parts.append(part)
            continue
        if unpacker.eof:
            continue
        left: bytes | memoryview = part[8:-4]
        try:
            while left and not unpacker.eof:
                unpacker.decompress(left, PIECE)
                left = unpacker.unconsumed_tail
        except zlib.error as error:
            raise ValueError("its compressed pixels are damaged") from error
        if unpacker.unused_data:
            content = bytes(part[8 : -4 - len(unpacker.unused_data)])
            check = zlib.crc32(b"IDAT" + content)
            part = struct.pack(">I4s", len(content), b"IDAT") + content + struct.pack(">I", check)
        parts.append(part)
    return parts
