"""Glyphs with colours of their own: layers (COLR) and bitmaps (CBDT, sbix), painted at any size.

Glyphs that exist in colour only as SVG documents are drawn by their outlines, if they have any.
"""

from __future__ import annotations

import io
import math
from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import uharfbuzz as hb
from PIL import Image

from nb_catalog.typesetting.font_files import Font, glyph_extents

# Premultiplied red, green, blue and alpha, (H, W, 4).
Premultiplied = npt.NDArray[np.uint8]
# Empty pixels around a painted glyph, for edges that are smoothed.
_PADDING: Final = 1


class PaintedGlyph(NamedTuple):
    """A glyph's pixels, and the position of the top left one relative to the glyph's origin: pixels to
    the right of it, and down from the baseline."""

    pixels: Premultiplied
    left: int
    top: int


@lru_cache(maxsize=8192)
def has_colours(font: Font, glyph: int) -> bool:
    """Return whether ``glyph`` is painted in colours of its own."""
    face = font.face.hb_face
    return bool(
        (face.has_color_paint and face.glyph_has_color_paint(glyph))
        or (face.has_color_layers and face.get_glyph_color_layers(glyph))
        or _bitmap(font, glyph)
    )


@lru_cache(maxsize=256)
def paint(
    font: Font,
    glyph: int,
    *,
    em: float,
    x: float = 0.0,
    y: float = 0.0,
    foreground: tuple[int, int, int] = (0, 0, 0),
) -> PaintedGlyph:
    """Paint ``glyph``, which has colours, with an em of ``em`` pixels.

    ``x`` and ``y`` are the parts of a pixel, 0 to 1, by which its origin is right of and below a corner
    of the pixel grid. ``foreground`` is the colour of layers that take the text's.
    """
    extents, scale = glyph_extents(font, glyph), em / font.upem
    left = math.floor(x + extents.x_bearing * scale) - _PADDING
    top = math.floor(y - extents.y_bearing * scale) - _PADDING
    width = math.ceil(x + (extents.x_bearing + extents.width) * scale) + _PADDING - left
    height = math.ceil(y - (extents.y_bearing + extents.height) * scale) + _PADDING - top
    bitmap = _bitmap(font, glyph)
    if bitmap:
        painted = _scale_bitmap(
            bitmap, width=width, height=height,
            box=(x + extents.x_bearing * scale - left, y - extents.y_bearing * scale - top,
                 extents.width * scale, -extents.height * scale),
        )  # fmt: skip
    else:
        painted = _paint_layers(
            font, glyph, width=width, height=height, foreground=foreground,
            transform=(scale, 0, 0, scale, x - left, height - (y - top)),
        )  # fmt: skip
    return PaintedGlyph(painted, left, top)


def _bitmap(font: Font, glyph: int) -> bytes:
    """Return the largest PNG file of ``glyph``; empty if there is none."""
    if not font.face.hb_face.has_color_png:
        return b""
    blob = font.hb_font.get_glyph_color_png(glyph)
    return bytes(blob.data) if blob else b""


def _scale_bitmap(
    data: bytes, *, width: int, height: int, box: tuple[float, float, float, float]
) -> Premultiplied:
    """Return a PNG file drawn into ``box`` (left, top, width, height) of an empty picture."""
    with Image.open(io.BytesIO(data)) as opened:
        # Premultiplied: the colour of transparent pixels must not bleed into the edges.
        bitmap = opened.convert("RGBA").convert("RGBa")
    left, top, wide, high = box
    # Down to the size by areas, then moved by parts of a pixel.
    if bitmap.width > wide:
        bitmap = bitmap.resize((max(1, round(wide)), max(1, round(high))), Image.Resampling.BOX)
    across, down = bitmap.width / wide, bitmap.height / high
    drawn = bitmap.transform(
        (width, height),
        Image.Transform.AFFINE,
        (across, 0, -left * across, 0, down, -top * down),
        Image.Resampling.BILINEAR,
    )
    return np.asarray(drawn, np.uint8)


def _paint_layers(
    font: Font,
    glyph: int,
    *,
    width: int,
    height: int,
    foreground: tuple[int, int, int],
    transform: tuple[float, float, float, float, float, float],
) -> Premultiplied:
    raster = hb.RasterPaint()
    raster.transform = transform
    raster.extents = hb.RasterExtents(x_origin=0, y_origin=0, width=width, height=height, stride=0)
    red, green, blue = foreground
    raster.foreground = hb.Color(red=red, green=green, blue=blue, alpha=255)
    raster.paint_glyph(font.hb_font, glyph)
    image = raster.render()
    rows = np.frombuffer(image.buffer, np.uint8).reshape(-1, image.extents.stride)
    # HarfBuzz writes the bottom row first, and blue first.
    bgra = rows[::-1, : 4 * width].reshape(height, width, 4)
    return np.ascontiguousarray(bgra[..., [2, 1, 0, 3]])
