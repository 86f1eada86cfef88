"""Font files: what they cover, how heavy they come, and how a size's glyphs are had from them."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Final

import uharfbuzz as hb

from nb_catalog.exceptions import FontUnreadable

# How many bytes a font may have. The largest that shops use, all of Chinese, have 20 million.
MOST_BYTES: Final = 64 * 2**20
REGULAR: Final = 400

# OpenType's name table: https://learn.microsoft.com/typography/opentype/spec/name#name-ids
_FAMILY, _TYPOGRAPHIC_FAMILY = 1, 16
# Offsets in the OS/2 table: usWeightClass, usWidthClass, fsSelection, whose bit 0 says italic.
_WEIGHT_AT, _WIDTH_AT, _SELECTION_AT = 4, 6, 62
_NORMAL_WIDTH: Final = 5


@dataclass(frozen=True, eq=False)
class FontFace:
    """One face of a font file. ``name`` says where it came from."""

    name: str
    blob: hb.Blob = field(repr=False)
    index: int = 0

    @cached_property
    def handle(self) -> hb.Face:
        return hb.Face(self.blob, self.index)

    @cached_property
    def coverage(self) -> hb.Set:
        """Code points that it has a glyph for."""
        return self.handle.unicodes

    @cached_property
    def family(self) -> str:
        names = (self.handle.get_name(_TYPOGRAPHIC_FAMILY), self.handle.get_name(_FAMILY))
        return str(next((name for name in names if name), Path(self.name).stem))

    @cached_property
    def sha256(self) -> str:
        """Of the whole file, in hex."""
        return hashlib.sha256(self.blob.data).hexdigest()

    @cached_property
    def upem(self) -> int:
        """Font units in an em."""
        return int(self.handle.upem)

    @cached_property
    def weights(self) -> tuple[int, int]:
        """The lightest and the heaviest that it comes in, 100 to 900."""
        for axis in self.handle.axis_infos:
            if axis.tag == "wght":
                return int(axis.min_value), int(axis.max_value)
        weight = self._os2(_WEIGHT_AT) or REGULAR
        return weight, weight

    @property
    def is_upright(self) -> bool:
        """Neither italic nor narrow nor wide."""
        width = self._os2(_WIDTH_AT) or _NORMAL_WIDTH
        return not self._os2(_SELECTION_AT) & 1 and width == _NORMAL_WIDTH

    def covers(self, character: str) -> bool:
        """Whether it has a glyph. Unusual spaces are made from the usual one."""
        return ord(character) in self.coverage or (character.isspace() and 0x20 in self.coverage)

    def nearest(self, weight: int) -> int:
        """Of the weights that it comes in, the one next to ``weight``."""
        lightest, heaviest = self.weights
        return min(max(weight, lightest), heaviest)

    def _os2(self, offset: int) -> int:
        table = bytes(self.handle.reference_table("OS/2").data)
        if len(table) < offset + 2:
            return 0
        (number,) = struct.unpack_from(">H", table, offset)
        return int(number)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Font:
    """A face at one weight. Advances and outlines scale with the size: nothing is hinted."""

    face: FontFace
    weight: int
    shaper: hb.Font = field(repr=False)

    @property
    def upem(self) -> int:
        return self.face.upem


@lru_cache(maxsize=256)
def font(face: FontFace, weight: int) -> Font:
    """``face`` at ``weight``, which it must come in."""
    shaper = hb.Font(face.handle)
    if face.weights[0] != face.weights[1]:
        # By its tag: the order of axes differs, and some fonts stand at Thin by default.
        shaper.set_variations({"wght": weight})
    return Font(face=face, weight=weight, shaper=shaper)


@dataclass(frozen=True, eq=False)
class FontFamily:
    """Faces of one family that differ in weight."""

    faces: tuple[FontFace, ...]

    @property
    def name(self) -> str:
        return self.faces[0].family

    @property
    def weights(self) -> tuple[int, int]:
        """The lightest and the heaviest that it comes in, 100 to 900."""
        ranges = [face.weights for face in self.faces]
        return min(low for low, _ in ranges), max(high for _, high in ranges)

    def covers(self, character: str) -> bool:
        return all(face.covers(character) for face in self.faces)

    def at(self, weight: int) -> Font:
        """It at ``weight`` (100 to 900), or at the nearest that it has."""
        face = min(self.faces, key=lambda each: abs(each.nearest(weight) - weight))
        return font(face, face.nearest(weight))


def families(faces: Iterable[FontFace]) -> list[FontFamily]:
    """Upright faces by their family, in the order in which each is first met."""
    by_name: dict[str, list[FontFace]] = {}
    for face in faces:
        if face.is_upright:
            by_name.setdefault(face.family, []).append(face)
    return [FontFamily(tuple(group)) for group in by_name.values()]


def open_file(path: str | Path) -> list[FontFace]:
    """The faces of a font file on disk: one, or those of a collection. Kept while the file stays as
    it is; not read before it is used.

    Raises ``FontUnreadable``.
    """
    try:
        known = Path(path).stat()
    except OSError as error:
        raise FontUnreadable(f"The font {path} cannot be opened: {error.strerror}.") from error
    return _from_disk(str(path), known.st_mtime_ns, known.st_size)


@lru_cache(maxsize=1024)
def _from_disk(path: str, _changed: int, size: int) -> list[FontFace]:
    _bounded(path, size)
    return _opened(hb.Blob.from_file_path(path), name=path)


def open_bytes(data: bytes, *, name: str) -> list[FontFace]:
    """The faces of a TrueType or OpenType font.

    Raises ``FontUnreadable`` for anything else, woff2 among it.
    """
    _bounded(name, len(data))
    return _opened(hb.Blob(data), name=name)


def _bounded(name: str, size: int) -> None:
    if size > MOST_BYTES:
        raise FontUnreadable(
            f"The font {name} has {size:,} bytes; at most {MOST_BYTES:,} are read."
        )


def _opened(blob: hb.Blob, *, name: str) -> list[FontFace]:
    if bytes(blob.data[:4]) in {b"wOFF", b"wOF2"}:
        raise FontUnreadable(
            f"The font {name} is packed for the web (WOFF). Give the TTF or OTF that it was made from."
        )
    faces = [FontFace(name, blob, index) for index in range(hb.Face(blob).count)]
    if not faces or not all(face.coverage and face.handle.glyph_count for face in faces):
        raise FontUnreadable(f"The file {name} is not a font, or is damaged. Give a TTF or OTF.")
    return faces
