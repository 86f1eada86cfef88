"""Coverage masks: glyphs and rounded rectangles rasterized, outlined and blurred; painted glyphs."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
import uharfbuzz as hb

from nb_catalog.core.types import Rect, Size
from nb_catalog.imaging.scenery.canvas import Pixels
from nb_catalog.typesetting.colour_glyphs import Premultiplied, has_colours, paint
from nb_catalog.typesetting.paragraphs import ShapedLine

Mask = npt.NDArray[np.uint8]
# Outlines are computed at a multiple of the size, to know distances to a fraction of a pixel.
SUPERSAMPLING: Final = 2
# Empty pixels around rasterized glyphs.
PADDING: Final = 1


class PlacedLine(NamedTuple):
    """A line on a picture: the origin of its baseline, and its em, in pixels."""

    line: ShapedLine
    left: float
    baseline: float
    size: float

    @property
    def ink(self) -> Rect:
        """The pixels that it covers."""
        ink = self.line.ink
        left = math.floor(self.left + ink.left * self.size)
        top = math.floor(self.baseline - ink.top * self.size)
        right = math.ceil(self.left + ink.right * self.size)
        bottom = math.ceil(self.baseline - ink.bottom * self.size)
        return Rect(left, top, right - left, bottom - top)


@dataclass(frozen=True, slots=True, kw_only=True)
class GlyphMask:
    """Coverage (H, W) uint8, and the position of its top left pixel on the picture."""

    mask: Mask = field(repr=False)
    left: int
    top: int

    @property
    def rect(self) -> Rect:
        height, width = self.mask.shape
        return Rect(self.left, self.top, width, height)

    def clipped(self, size: Size) -> GlyphMask:
        """Return the part of it within a picture of ``size``."""
        left, top = max(0, self.left), max(0, self.top)
        right, bottom = min(size.width, self.rect.right), min(size.height, self.rect.bottom)
        rows = slice(top - self.top, max(top, bottom) - self.top)
        columns = slice(left - self.left, max(left, right) - self.left)
        return GlyphMask(mask=self.mask[rows, columns], left=left, top=top)

    def padded(self, margin: int) -> GlyphMask:
        """Return it with ``margin`` empty pixels on each side."""
        mask = np.pad(self.mask, margin)
        return GlyphMask(mask=mask, left=self.left - margin, top=self.top - margin)

    def outlined(self, width: float) -> GlyphMask:
        """Return it grown by ``width`` pixels in all directions."""
        wide = self.padded(math.ceil(width) + 1)
        fine = cv2.resize(
            wide.mask, None, fx=SUPERSAMPLING, fy=SUPERSAMPLING, interpolation=cv2.INTER_LINEAR
        )
        outside = (fine < 128).astype(np.uint8)
        distance = cv2.distanceTransform(outside, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        solid = np.clip(width * SUPERSAMPLING + 0.5 - distance, 0.0, 1.0) * 255
        rows, columns = wide.mask.shape
        mask = cv2.resize(solid, (columns, rows), interpolation=cv2.INTER_AREA)
        return GlyphMask(mask=np.rint(mask).astype(np.uint8), left=wide.left, top=wide.top)

    def blurred(self, sigma: float, *, right: int = 0, down: int = 0) -> GlyphMask:
        """Return it blurred, and shifted by ``right`` and ``down`` pixels."""
        soft = self.padded(math.ceil(3 * sigma) + 1)
        mask = cv2.GaussianBlur(soft.mask, (0, 0), sigma) if sigma > 0 else soft.mask
        return GlyphMask(mask=mask.astype(np.uint8), left=soft.left + right, top=soft.top + down)


@dataclass(frozen=True, slots=True, kw_only=True)
class ColourLayer:
    """Glyphs with colours of their own, premultiplied (H, W, 4) uint8, and the position of their top left
    pixel on the picture."""

    pixels: Premultiplied = field(repr=False)
    left: int
    top: int

    @property
    def mask(self) -> GlyphMask:
        """Their coverage."""
        return GlyphMask(mask=self.pixels[..., 3], left=self.left, top=self.top)

    def draw(self, picture: Pixels) -> None:
        """Draw them on ``picture`` (H, W, 3)."""
        visible = self.mask.clipped(Size(picture.shape[1], picture.shape[0])).rect
        own = self.pixels[
            visible.top - self.top : visible.bottom - self.top,
            visible.left - self.left : visible.right - self.left,
        ].astype(np.float32)
        part = picture[visible.top : visible.bottom, visible.left : visible.right]
        part[:] = np.rint(part * (1 - own[..., 3:] / 255) + own[..., :3]).clip(0, 255)


def rasterize(lines: Iterable[PlacedLine]) -> GlyphMask:
    """Return the coverage of the glyphs of ``lines``, painted ones included; a single empty pixel if there
    is no ink."""
    lines = list(lines)
    inks = [placed.ink for placed in lines if placed.ink.width > 0]
    if not inks:
        return GlyphMask(mask=np.zeros((1, 1), np.uint8), left=0, top=0)
    left, top = min(ink.left for ink in inks) - PADDING, min(ink.top for ink in inks) - PADDING
    width = max(ink.right for ink in inks) + PADDING - left
    height = max(ink.bottom for ink in inks) + PADDING - top
    raster = hb.RasterDraw()
    raster.extents = hb.RasterExtents(x_origin=0, y_origin=0, width=width, height=height, stride=0)
    for placed in lines:
        for glyph in placed.line.glyphs:
            if has_colours(glyph.font, glyph.id):
                continue
            scale = placed.size / glyph.font.upem
            right = placed.left + glyph.x * placed.size - left
            up = top + height - placed.baseline + glyph.y * placed.size
            raster.transform = (scale, 0, 0, scale, right, up)
            raster.draw_glyph(glyph.font.hb_font, glyph.id)
    image = raster.render()
    rows = np.frombuffer(image.buffer, np.uint8).reshape(-1, image.extents.stride)
    # HarfBuzz writes the bottom row first.
    mask = rows[::-1, :width].copy()
    if layer := paint_layer(lines):
        rect, painted = layer.mask.rect, layer.mask.mask
        window = mask[
            rect.top - top : rect.bottom - top, rect.left - left : rect.right - left
        ]  # fmt: skip
        np.maximum(window, painted[: len(window), : window.shape[1]], out=window)
    return GlyphMask(mask=mask, left=left, top=top)


def letters_only(lines: Iterable[PlacedLine]) -> list[PlacedLine]:
    """Return ``lines`` without glyphs that have colours of their own."""
    return [
        placed._replace(
            line=placed.line.with_only(
                *(each for each in placed.line.glyphs if not has_colours(each.font, each.id))
            )
        )
        for placed in lines
    ]


def paint_layer(
    lines: Iterable[PlacedLine], *, foreground: tuple[int, int, int] = (0, 0, 0)
) -> ColourLayer | None:
    """Return the glyphs of ``lines`` that have colours of their own; None if there are none.

    ``foreground`` is the colour of those of their parts that take the text's.
    """
    painted = []
    for placed in lines:
        for glyph in placed.line.glyphs:
            if not has_colours(glyph.font, glyph.id):
                continue
            x = placed.left + glyph.x * placed.size
            y = placed.baseline - glyph.y * placed.size
            pixels = paint(
                glyph.font, glyph.id, em=placed.size, x=x % 1, y=y % 1, foreground=foreground
            )
            painted.append(
                pixels._replace(left=pixels.left + int(x // 1), top=pixels.top + int(y // 1))
            )
    if not painted:
        return None
    left, top = min(each.left for each in painted), min(each.top for each in painted)
    right = max(each.left + each.pixels.shape[1] for each in painted)
    bottom = max(each.top + each.pixels.shape[0] for each in painted)
    layer = np.zeros((bottom - top, right - left, 4), np.float32)
    for each in painted:
        height, width = each.pixels.shape[:2]
        part = layer[
            each.top - top : each.top - top + height, each.left - left : each.left - left + width
        ]
        part[:] = part * (1 - each.pixels[..., 3:].astype(np.float32) / 255) + each.pixels
    return ColourLayer(pixels=np.rint(layer).clip(0, 255).astype(np.uint8), left=left, top=top)


def rounded_rect(rect: Rect, *, radius: float, fade: float = 1.0) -> GlyphMask:
    """Return ``rect`` with corners of ``radius`` pixels, fading out over ``fade`` pixels around it."""
    radius, margin = min(radius, rect.width / 2, rect.height / 2), math.ceil(fade) - 1
    width, height = rect.width + 2 * margin, rect.height + 2 * margin
    # Only one quarter is computed; the others are its mirror images.
    x = _beyond_corner(rect.width, margin=margin, radius=radius)[: (width + 1) // 2]
    y = _beyond_corner(rect.height, margin=margin, radius=radius)[: (height + 1) // 2]
    # The signed distance to the edge, negative inside (https://iquilezles.org/articles/distfunctions2d).
    distance = np.hypot(np.maximum(x, 0)[None, :], np.maximum(y, 0)[:, None])
    distance += np.minimum(np.maximum(x[None, :], y[:, None]), 0) - radius
    share = np.clip(1 - (distance + min(fade, 1.0) / 2) / fade, 0, 1)
    quarter = share * share * (3 - 2 * share) if fade > 1 else share
    quarter = np.rint(quarter * 255).astype(np.uint8)
    half = np.hstack([quarter, quarter[:, ::-1][:, width % 2 :]])
    mask = np.vstack([half, half[::-1][height % 2 :]])
    return GlyphMask(mask=mask, left=rect.left - margin, top=rect.top - margin)


def _beyond_corner(length: int, *, margin: int, radius: float) -> npt.NDArray[np.float32]:
    """Return how far each pixel along a side is beyond the centre of the corner's arc; negative before
    it."""
    from_middle = np.abs(np.arange(-margin, length + margin, dtype=np.float32) + 0.5 - length / 2)
    return np.asarray(from_middle - np.float32(length / 2 - radius), np.float32)
