"""Letters as coverage: how much of each pixel they fill, and what lies around them."""

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
from nb_catalog.typesetting.paragraphs import Line

Mask = npt.NDArray[np.uint8]
# Outlines are measured at so many times the size: a distance to a pixel's edge is a fraction of it.
FINER: Final = 2
# Empty pixels around drawn letters.
EDGE: Final = 1


class Placed(NamedTuple):
    """A line on a picture: where its baseline begins, in pixels right and down, and its em."""

    line: Line
    left: float
    baseline: float
    size: float

    @property
    def ink(self) -> Rect:
        """The pixels that it touches."""
        ink = self.line.ink
        left = math.floor(self.left + ink.left * self.size)
        top = math.floor(self.baseline - ink.top * self.size)
        right = math.ceil(self.left + ink.right * self.size)
        bottom = math.ceil(self.baseline - ink.bottom * self.size)
        return Rect(left, top, right - left, bottom - top)


@dataclass(frozen=True, slots=True, kw_only=True)
class GlyphMask:
    """Coverage (H, W) uint8, and where its top left pixel lies on the picture."""

    mask: Mask = field(repr=False)
    left: int
    top: int

    @property
    def rect(self) -> Rect:
        height, width = self.mask.shape
        return Rect(self.left, self.top, width, height)

    def on(self, size: Size) -> GlyphMask:
        """The part of it that lies on a picture."""
        left, top = max(0, self.left), max(0, self.top)
        right, bottom = min(size.width, self.rect.right), min(size.height, self.rect.bottom)
        rows = slice(top - self.top, max(top, bottom) - self.top)
        columns = slice(left - self.left, max(left, right) - self.left)
        return GlyphMask(mask=self.mask[rows, columns], left=left, top=top)

    def grown(self, margin: int) -> GlyphMask:
        """The same with ``margin`` empty pixels around it."""
        mask = np.pad(self.mask, margin)
        return GlyphMask(mask=mask, left=self.left - margin, top=self.top - margin)

    def outlined(self, width: float) -> GlyphMask:
        """It and everything up to ``width`` pixels away."""
        wide = self.grown(math.ceil(width) + 1)
        fine = cv2.resize(wide.mask, None, fx=FINER, fy=FINER, interpolation=cv2.INTER_LINEAR)
        outside = (fine < 128).astype(np.uint8)
        away = cv2.distanceTransform(outside, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        solid = np.clip(width * FINER + 0.5 - away, 0.0, 1.0) * 255
        height, across = wide.mask.shape
        mask = cv2.resize(solid, (across, height), interpolation=cv2.INTER_AREA)
        return GlyphMask(mask=np.rint(mask).astype(np.uint8), left=wide.left, top=wide.top)

    def blurred(self, sigma: float, *, right: int = 0, down: int = 0) -> GlyphMask:
        """It out of focus, and moved by so many pixels."""
        soft = self.grown(math.ceil(3 * sigma) + 1)
        mask = cv2.GaussianBlur(soft.mask, (0, 0), sigma) if sigma > 0 else soft.mask
        return GlyphMask(mask=mask.astype(np.uint8), left=soft.left + right, top=soft.top + down)


def draw_line(lines: Iterable[Placed]) -> GlyphMask:
    """The letters of ``lines``. Empty where there is no ink."""
    lines = list(lines)
    inks = [placed.ink for placed in lines if placed.ink.width > 0]
    if not inks:
        return GlyphMask(mask=np.zeros((1, 1), np.uint8), left=0, top=0)
    left, top = min(ink.left for ink in inks) - EDGE, min(ink.top for ink in inks) - EDGE
    width = max(ink.right for ink in inks) + EDGE - left
    height = max(ink.bottom for ink in inks) + EDGE - top
    raster = hb.RasterDraw()
    raster.extents = hb.RasterExtents(x_origin=0, y_origin=0, width=width, height=height, stride=0)
    for placed in lines:
        for glyph in placed.line.glyphs:
            scale = placed.size / glyph.font.upem
            right = placed.left + glyph.x * placed.size - left
            up = top + height - placed.baseline + glyph.y * placed.size
            raster.transform = (scale, 0, 0, scale, right, up)
            raster.draw_glyph(glyph.font.shaper, glyph.id)
    image = raster.render()
    rows = np.frombuffer(image.buffer, np.uint8).reshape(-1, image.extents.stride)
    # HarfBuzz writes the lowest row first.
    return GlyphMask(mask=rows[::-1, :width].copy(), left=left, top=top)


def rounded(rect: Rect, *, radius: float, fade: float = 1.0) -> GlyphMask:
    """A rectangle whose corners are arcs of ``radius`` pixels, and which ends over ``fade`` pixels
    around it."""
    radius, margin = min(radius, rect.width / 2, rect.height / 2), math.ceil(fade) - 1
    width, height = rect.width + 2 * margin, rect.height + 2 * margin
    # One quarter is drawn: the others are its mirror images.
    across = _beyond(rect.width, margin=margin, radius=radius)[: (width + 1) // 2]
    along = _beyond(rect.height, margin=margin, radius=radius)[: (height + 1) // 2]
    # The signed distance to the edge, negative inside (https://iquilezles.org/articles/distfunctions2d).
    away = np.hypot(np.maximum(across, 0)[None, :], np.maximum(along, 0)[:, None])
    away += np.minimum(np.maximum(across[None, :], along[:, None]), 0) - radius
    share = np.clip(1 - (away + min(fade, 1.0) / 2) / fade, 0, 1)
    quarter = share * share * (3 - 2 * share) if fade > 1 else share
    quarter = np.rint(quarter * 255).astype(np.uint8)
    half = np.hstack([quarter, quarter[:, ::-1][:, width % 2 :]])
    mask = np.vstack([half, half[::-1][height % 2 :]])
    return GlyphMask(mask=mask, left=rect.left - margin, top=rect.top - margin)


def _beyond(length: int, *, margin: int, radius: float) -> npt.NDArray[np.float32]:
    """Of each pixel along a side, how far it lies beyond where the corner's arc begins; negative
    before that."""
    from_middle = np.abs(np.arange(-margin, length + margin, dtype=np.float32) + 0.5 - length / 2)
    return np.asarray(from_middle - np.float32(length / 2 - radius), np.float32)
