"""AVIF and HEIC files: the items in their meta box (ISO 14496-12 and 23008-12)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from nb_catalog.imaging.formats.base import (
    MAX_EXIF,
    MAX_PARTS,
    MAX_PROFILE,
    MAX_XMP,
    ColourSpace,
    PictureFile,
)
from nb_catalog.imaging.formats.cicp import coded_space
from nb_catalog.imaging.formats.tags import tags_of_exif

MAX_META: Final = 8 * 2**20
"""Bytes of the meta box: a panorama of a thousand tiles has 100 KB."""
MAX_ITEMS: Final = 8_192
XMP: Final = b"application/rdf+xml"


def boxes(data: bytes, at: int = 0, stop: int | None = None) -> Iterator[tuple[bytes, int, int]]:
    """Yield type, start and end of the contents of a file's boxes, or of those within one.

    A box that is cut off ends beyond the data and is the last one. Raises ``ValueError`` for too many.
    """
    stop = len(data) if stop is None else min(stop, len(data))
    for _ in range(MAX_PARTS):
        if at + 8 > stop:
            return
        length, kind = struct.unpack_from(">I4s", data, at)
        header = 8
        if length == 1 and at + 16 <= stop:
            (length,) = struct.unpack_from(">Q", data, at + 8)
            header = 16
        end = at + length if length else stop
        if end < at + header:
            return
        yield kind, at + header, end
        at = end
    raise ValueError(f"it has more than {MAX_PARTS:,} boxes")


@dataclass(slots=True)
class _Item:
    kind: bytes = b""
    content_type: bytes = b""
    type_at: int = 0
    extents: list[tuple[int, int]] = field(default_factory=list)
    properties: list[int] = field(default_factory=list)


@dataclass(slots=True)
class _Meta:
    """Items by number, the main one's number, and the properties of all, as type, start and end."""

    items: dict[int, _Item] = field(default_factory=dict)
    main: int = 0
    properties: list[tuple[bytes, int, int]] = field(default_factory=list)


def read(data: bytes, *, mime_type: str) -> PictureFile:
    """Take an AVIF or HEIC apart. Raises ``ValueError`` or ``struct.error`` for a damaged one."""
    meta = _Meta()
    damage = ""
    for kind, start, end in boxes(data):
        if end > len(data):
            damage = "its end is missing"
        if kind == b"meta" and not meta.items:
            if end - start > MAX_META:
                raise ValueError("its list of items is larger than any picture needs")
            meta = _read_meta(data, start + 4, end)
    metadata = [each for each in meta.items.values() if each.kind in {b"Exif", b"mime"}]
    exif = next((each for each in metadata if each.kind == b"Exif"), None)
    xmp = next((each for each in metadata if each.content_type == XMP), None)
    sizes = [
        struct.unpack_from(">II", data, start + 4)
        for kind, start, _end in meta.properties
        if kind == b"ispe"
    ]
    width, height = max(sizes, key=lambda size: size[0] * size[1], default=(0, 0))
    profile, space = _colours(data, meta)
    # Decoders copy metadata whatever its size: they are renamed to a type that no decoder knows, and
    # everything else keeps its place.
    parts: list[bytes | memoryview] = []
    view, at = memoryview(data), 0
    for item in sorted(metadata, key=lambda each: each.type_at):
        parts += [view[at : item.type_at], b"skip"]
        at = item.type_at + 4
    parts.append(view[at:])
    return PictureFile(
        mime_type=mime_type,
        original=data,
        parts=parts,
        width=width,
        height=height,
        frames=0,
        # Its first four bytes are the place of the TIFF header (ISO 23008-12, A.2.1).
        camera=tags_of_exif(_content(data, exif, most=MAX_EXIF)[4:]),
        xmp=_content(data, xmp, most=MAX_XMP),
        profile=profile,
        space=space,
        damage=damage,
    )


def _content(data: bytes, item: _Item | None, *, most: int) -> bytes:
    if item is None or sum(length for _, length in item.extents) > most:
        return b""
    return b"".join(data[at : at + length] for at, length in item.extents)


def _colours(data: bytes, meta: _Meta) -> tuple[bytes, ColourSpace | None]:
    """Return the main item's profile and coded space: its own, or those of any item if it has none."""
    of_main = [
        meta.properties[number - 1]
        for number in meta.items.get(meta.main, _Item()).properties
        if 0 < number <= len(meta.properties)
    ]
    of_main = [each for each in of_main if each[0] == b"colr"] or [
        each for each in meta.properties if each[0] == b"colr"
    ]
    profile, space = b"", None
    for _kind, start, end in of_main:
        match data[start : start + 4]:
            case b"prof" | b"rICC" if end - start <= MAX_PROFILE:
                profile = profile or data[start + 4 : end]
            case b"nclx" if end - start >= 8:
                # The decoder has already applied matrix and range.
                space = space or coded_space(*struct.unpack_from(">HH", data, start + 4))
    return profile, space


def _read_meta(data: bytes, at: int, stop: int) -> _Meta:
    meta = _Meta()
    idat = 0
    locations: tuple[int, int] | None = None
    for kind, start, end in boxes(data, at, stop):
        match kind:
            case b"pitm":
                letter = ">H" if data[start] == 0 else ">I"
                (meta.main,) = struct.unpack_from(letter, data, start + 4)
            case b"iinf":
                _read_names(data, start, end, into=meta.items)
            case b"iloc":
                locations = start, end
            case b"idat":
                idat = start
            case b"iprp":
                for inner, first, last in boxes(data, start, end):
                    if inner == b"ipco":
                        meta.properties = list(boxes(data, first, last))
                    elif inner == b"ipma":
                        _read_associations(data, first, into=meta.items)
    if locations:
        _read_locations(data, *locations, idat=idat, into=meta.items)
    return meta


def _read_names(data: bytes, start: int, end: int, *, into: dict[int, _Item]) -> None:
    for kind, at, stop in boxes(data, start + (6 if data[start] == 0 else 8), end):
        if kind != b"infe" or data[at] < 2:
            continue
        if len(into) > MAX_ITEMS:
            raise ValueError(f"it has more than {MAX_ITEMS:,} items")
        letter, size = (">H", 2) if data[at] == 2 else (">I", 4)
        (number,) = struct.unpack_from(letter, data, at + 4)
        item = into.setdefault(number, _Item())
        item.type_at = at + 6 + size
        item.kind = data[item.type_at : item.type_at + 4]
        if item.kind == b"mime":
            texts = data[item.type_at + 4 : min(stop, item.type_at + 600)].split(b"\0")
            item.content_type = texts[1] if len(texts) > 1 else b""


def _read_associations(data: bytes, at: int, *, into: dict[int, _Item]) -> None:
    version, is_wide = data[at], data[at + 3] & 1
    (count,) = struct.unpack_from(">I", data, at + 4)
    at += 8
    for _ in range(min(count, MAX_ITEMS)):
        (number,) = struct.unpack_from(">H" if version == 0 else ">I", data, at)
        at += 2 if version == 0 else 4
        total = data[at]
        at += 1
        step, mask = (2, 0x7FFF) if is_wide else (1, 0x7F)
        places = range(at, at + total * step, step)
        item = into.setdefault(number, _Item())
        item.properties += [int.from_bytes(data[p : p + step], "big") & mask for p in places]
        at += total * step


def _read_locations(data: bytes, at: int, end: int, *, idat: int, into: dict[int, _Item]) -> None:
    """Read where items are stored (ISO 14496-12, 8.11.3): in the file, or in the box ``idat``."""
    version = data[at]
    widths = data[at + 4] >> 4, data[at + 4] & 15, data[at + 5] >> 4, data[at + 5] & 15
    offset_size, length_size, base_size, index_size = widths
    at += 6

    def number(size: int) -> int:
        nonlocal at
        if at + size > end:
            raise ValueError("the places of its items are cut off")
        at += size
        return int.from_bytes(data[at - size : at], "big")

    total = 0
    for _ in range(number(2 if version < 2 else 4)):
        item = into.setdefault(number(2 if version < 2 else 4), _Item())
        method = number(2) & 15 if version else 0
        number(2)
        base = number(base_size) + (idat if method == 1 else 0)
        for _ in range(number(2)):
            if version:
                number(index_size)
            item.extents.append((base + number(offset_size), number(length_size)))
            total += 1
            if total > MAX_PARTS or len(into) > MAX_ITEMS:
                raise ValueError("it has more items than any picture needs")
