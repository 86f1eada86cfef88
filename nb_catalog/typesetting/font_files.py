"""Font files: faces and families, the characters they cover, their weights."""

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

# The largest fonts that shops use, with all of Chinese, have 20 million bytes.
MAX_FONT_BYTES: Final = 64 * 2**20
REGULAR: Final = 400

# OpenType's name table: https://learn.microsoft.com/typography/opentype/spec/name#name-ids
_FAMILY, _STYLE, _TYPOGRAPHIC_FAMILY, _TYPOGRAPHIC_STYLE = 1, 2, 16, 17
# Offsets in the OS/2 table: usWeightClass, usWidthClass, fsSelection.
_WEIGHT_OFFSET, _WIDTH_OFFSET, _SELECTION_OFFSET = 4, 6, 62
# Bits of fsSelection: ITALIC and OBLIQUE.
_SLANTED: Final = 1 | 1 << 9
_NORMAL_WIDTH: Final = 5
# Coordinates of the registered axes at which a variable font is upright and of normal width, as shares
# of 100 and in degrees: https://learn.microsoft.com/typography/opentype/spec/dvaraxisreg
_NORMAL_AXES: Final = {"wdth": 100.0, "ital": 0.0, "slnt": 0.0}
_NO_INK: Final = hb.GlyphExtents(x_bearing=0, y_bearing=0, width=0, height=0)
_GRINNING_FACE: Final = 0x1F600


@dataclass(frozen=True, eq=False)
class FontFace:
    """One face of a font file. ``name`` is its path, or "storage:name"."""

    name: str
    blob: hb.Blob = field(repr=False)
    index: int = 0

    @cached_property
    def hb_face(self) -> hb.Face:
        return hb.Face(self.blob, self.index)

    @cached_property
    def coverage(self) -> hb.Set:
        """The code points that it has glyphs for."""
        return self.hb_face.unicodes

    @cached_property
    def family(self) -> str:
        names = (self.hb_face.get_name(_TYPOGRAPHIC_FAMILY), self.hb_face.get_name(_FAMILY))
        return str(next((name for name in names if name), Path(self.name).stem))

    @cached_property
    def style(self) -> str:
        """The name of the face within its family, such as "Condensed Bold"."""
        names = (self.hb_face.get_name(_TYPOGRAPHIC_STYLE), self.hb_face.get_name(_STYLE))
        return str(next((name for name in names if name), "Regular"))

    @property
    def label(self) -> str:
        """Its family and style, as people know it; of a variable font, whose style is only its default's
        name, the family."""
        is_plain = self.axes or self.style == "Regular"
        return self.family if is_plain else f"{self.family} {self.style}"

    @cached_property
    def sha256(self) -> str:
        """The hash of the whole file, in hex."""
        return hashlib.sha256(self.blob.data).hexdigest()

    @cached_property
    def upem(self) -> int:
        """Font units per em."""
        return int(self.hb_face.upem)

    @cached_property
    def axes(self) -> dict[str, tuple[float, float]]:
        """The least and the greatest coordinate of each axis, by its tag; empty unless it is variable."""
        return {axis.tag: (axis.min_value, axis.max_value) for axis in self.hb_face.axis_infos}

    @cached_property
    def weight_range(self) -> tuple[int, int]:
        """Its lightest and heaviest weight, 100 to 900; both the same unless the font is variable."""
        if "wght" in self.axes:
            lightest, heaviest = self.axes["wght"]
            return int(lightest), int(heaviest)
        weight = self._read_os2(_WEIGHT_OFFSET) or REGULAR
        return weight, weight

    @cached_property
    def normal_axes(self) -> dict[str, float]:
        """The coordinates of its axes at which it is upright and of normal width, where it can be."""
        return {
            tag: normal
            for tag, normal in _NORMAL_AXES.items()
            if tag in self.axes and self.axes[tag][0] <= normal <= self.axes[tag][1]
        }

    @cached_property
    def is_slanted(self) -> bool:
        if {"ital", "slnt"} & self.normal_axes.keys():
            return False
        return bool(self._read_os2(_SELECTION_OFFSET) & _SLANTED)

    @cached_property
    def width(self) -> int:
        """Its width from 1 (ultra-condensed) to 9 (ultra-expanded); 5 is normal."""
        if "wdth" in self.normal_axes:
            return _NORMAL_WIDTH
        return self._read_os2(_WIDTH_OFFSET) or _NORMAL_WIDTH

    @property
    def deviation(self) -> tuple[bool, int]:
        """How far it is from upright and normal width; (False, 0) if it is both."""
        return self.is_slanted, abs(self.width - _NORMAL_WIDTH)

    @cached_property
    def is_emoji(self) -> bool:
        """Whether it is made for emoji in colour. Such fonts have digits for keycaps only."""
        face = self.hb_face
        return (
            bool(face.has_color_png or face.has_color_layers or face.has_color_paint)
            and _GRINNING_FACE in self.coverage
        )

    def covers(self, character: str) -> bool:
        """Return whether it can draw ``character``. HarfBuzz derives unusual spaces from U+0020."""
        return ord(character) in self.coverage or (character.isspace() and 0x20 in self.coverage)

    def nearest_weight(self, weight: int) -> int:
        """Return ``weight``, clamped to its own range."""
        lightest, heaviest = self.weight_range
        return min(max(weight, lightest), heaviest)

    def _read_os2(self, offset: int) -> int:
        table = bytes(self.hb_face.reference_table("OS/2").data)
        if len(table) < offset + 2:
            return 0
        (number,) = struct.unpack_from(">H", table, offset)
        return int(number)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Font:
    """A face at one weight. Advances and outlines scale linearly with the size; there is no hinting."""

    face: FontFace
    weight: int
    hb_font: hb.Font = field(repr=False)

    @property
    def upem(self) -> int:
        return self.face.upem


@lru_cache(maxsize=256)
def font_at(face: FontFace, weight: int) -> Font:
    """Return ``face`` at ``weight``, which must be within its range."""
    hb_font = hb.Font(face.hb_face)
    if face.axes:
        # By tag: the order of axes differs between fonts, and the default of some is Thin (100).
        weights = {"wght": float(weight)} if "wght" in face.axes else {}
        hb_font.set_variations({**face.normal_axes, **weights})
    return Font(face=face, weight=weight, hb_font=hb_font)


@lru_cache(maxsize=4096)
def glyph_extents(font: Font, glyph: int) -> hb.GlyphExtents:
    """Return the bounding box of a glyph in font units."""
    # None for a glyph without outline and bitmap, such as the space of a bitmap font.
    return font.hb_font.get_glyph_extents(glyph) or _NO_INK


@dataclass(frozen=True, eq=False)
class FontFamily:
    """Faces of one family that differ in weight only."""

    faces: tuple[FontFace, ...]

    @property
    def name(self) -> str:
        return self.faces[0].family

    @property
    def weight_range(self) -> tuple[int, int]:
        """Its lightest and heaviest weight, 100 to 900."""
        ranges = [face.weight_range for face in self.faces]
        return min(low for low, _ in ranges), max(high for _, high in ranges)

    @property
    def is_emoji(self) -> bool:
        return self.faces[0].is_emoji

    @property
    def is_normal(self) -> bool:
        """Whether its faces are upright and of normal width."""
        return self.faces[0].deviation == (False, 0)

    def covers(self, character: str) -> bool:
        """Return whether its faces map ``character`` to a glyph, which may be blank."""
        return all(face.covers(character) for face in self.faces)

    def at(self, weight: int) -> Font:
        """Return the font at ``weight`` (100 to 900), or at the nearest weight that exists."""
        face = min(self.faces, key=lambda each: abs(each.nearest_weight(weight) - weight))
        return font_at(face, face.nearest_weight(weight))


def group_families(faces: Iterable[FontFace]) -> list[FontFamily]:
    """Group faces by family, in order of first appearance.

    Of each family only the faces nearest to upright and normal width are kept: italic and condensed
    ones are used if nothing else is there.
    """
    by_name: dict[str, list[FontFace]] = {}
    for face in faces:
        by_name.setdefault(face.family, []).append(face)
    families = []
    for group in by_name.values():
        least = min(face.deviation for face in group)
        families.append(FontFamily(tuple(face for face in group if face.deviation == least)))
    return families


def superseded_faces(faces: Iterable[FontFace]) -> dict[FontFace, FontFace]:
    """Return the faces that ``group_families`` does not keep, each with one that is kept instead."""
    faces = list(faces)
    kept = {family.name: family.faces for family in group_families(faces)}
    return {face: kept[face.family][0] for face in faces if face not in kept[face.family]}


def open_file(path: str | Path) -> list[FontFace]:
    """Open a font file on disk and return its faces: one, or those of a collection.

    Cached until the file changes; data is read when it is used. Raises ``FontUnreadable``.
    """
    try:
        stat = Path(path).stat()
    except OSError as error:
        raise FontUnreadable(f"The font {path} cannot be opened: {error.strerror}.") from error
    return _open_path(str(path), stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=1024)
def _open_path(path: str, _mtime_ns: int, size: int) -> list[FontFace]:
    _check_size(path, size)
    return _open_blob(hb.Blob.from_file_path(path), name=path)


def open_bytes(data: bytes, *, name: str) -> list[FontFace]:
    """Return the faces of a TrueType or OpenType font.

    Raises ``FontUnreadable`` for anything else, including WOFF2.
    """
    _check_size(name, len(data))
    return _open_blob(hb.Blob(data), name=name)


def _check_size(name: str, size: int) -> None:
    if size > MAX_FONT_BYTES:
        raise FontUnreadable(
            f"The font {name} has {size:,} bytes; the limit is {MAX_FONT_BYTES:,}."
        )


def _open_blob(blob: hb.Blob, *, name: str) -> list[FontFace]:
    if bytes(blob.data[:4]) in {b"wOFF", b"wOF2"}:
        raise FontUnreadable(
            f"The font {name} is a web font (WOFF). Use the TTF or OTF that it was made from."
        )
    faces = [FontFace(name, blob, index) for index in range(hb.Face(blob).count)]
    if not faces or not all(face.coverage and face.hb_face.glyph_count for face in faces):
        raise FontUnreadable(f"The file {name} is not a font, or is damaged. Use a TTF or OTF.")
    return faces
