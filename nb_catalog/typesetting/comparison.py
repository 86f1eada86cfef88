"""Measures of how the pixels of a file differ from the ink that they should show."""

from __future__ import annotations

import math
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from nb_catalog.core.types import Size
from nb_catalog.imaging.encode import shrink
from nb_catalog.typesetting.glyph_masks import ColourLayer, GlyphMask
from nb_catalog.typesetting.ink import placed_characters
from nb_catalog.typesetting.layout_engine import LaidOutText, rgb

Plane = npt.NDArray[np.float32]

# The sigma of the smoothing in ems, and at least half a pixel.
_DIFFERENCE_SMOOTHING: Final = 0.03
# Ink beside letters is looked for up to this distance, in ems. A patch of their colour that reaches beyond it
# and is larger than this, in ems squared, belongs to the picture.
_ADDED_REACH: Final = 0.25
_PATCH: Final = 0.1
# Pixels this close to letters, in ems, are theirs; and pixels covered this much are solid.
GUARD: Final = 0.02
SOLID: Final = 0.98
# Ink beside letters is a part of one piece where there is more of it than this, 0 to 1.
MIN_ADDED: Final = 0.2
# The sigma, in ems, that compression's differences are smoothed with: smaller than a dot, larger than ringing
# at an edge.
STRAY_SMOOTHING: Final = 0.06
# A colour is the letters' own within this distance, of 255 in any channel.
_COLOUR_DISTANCE: Final = 128.0
# The background is estimated from pixels up to this distance from the glyphs, in ems.
BACKGROUND_REACH: Final = 0.35
# BT.601 luma, the plane that JPEG, WebP and AVIF keep at full resolution.
LUMA: Final = np.array([0.299, 0.587, 0.114], np.float32)


def smoothed(plane: Plane, em: float) -> Plane:
    """Return ``plane`` smoothed over a few pixels; ``em`` in pixels."""
    sigma = max(0.5, em * _DIFFERENCE_SMOOTHING)
    return np.asarray(cv2.GaussianBlur(plane.astype(np.float32), (0, 0), sigma), np.float32)


def dilated(plane: Plane, radius: float) -> Plane:
    """Return the highest value within ``radius`` pixels of each, and at least one."""
    reach = max(1, round(radius))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    return np.asarray(cv2.dilate(plane.astype(np.float32), kernel), np.float32)


def added_ink(
    pixels: Plane, drawn: Plane, *, colour: tuple[int, int, int], em: float
) -> float | None:
    """Return the most ink of ``colour`` beside what is ``drawn``; None where the picture has that colour.

    ``pixels`` (H, W, 3) are those of the file, ``drawn`` (H, W) the coverage of glyphs with outlines.
    """
    region = dilated((drawn > 0.1).astype(np.float32), _ADDED_REACH * em) > 0
    distance = np.abs(pixels - np.array(colour, np.float32)).max(axis=2)
    close = np.clip(1 - distance / _COLOUR_DISTANCE, 0, 1) - dilated(drawn, em * GUARD)
    plane = smoothed(np.where(region, np.maximum(close, 0), 0), em)
    count, labels, stats, _centres = cv2.connectedComponentsWithStats(
        (plane > MIN_ADDED).astype(np.uint8)
    )
    edge = region & (cv2.erode(region.astype(np.uint8), np.ones((3, 3), np.uint8)) == 0)
    edge[[0, -1]], edge[:, [0, -1]] = True, True
    beyond = {*np.unique(labels[edge]).tolist()}
    most, patches = 0.0, 0.0
    for label in range(1, count):
        area = float(stats[label, cv2.CC_STAT_AREA]) / em**2
        if label in beyond and area > _PATCH:
            patches += area
        else:
            most = max(most, float(plane[labels == label].max()))
    return None if patches > _PATCH else most


def emoji_difference(
    block: LaidOutText,
    layer: ColourLayer,
    pixels: Plane,
    drawn: Plane,
    *,
    size: Size,
    width: int,
    top: int,
    left: int,
) -> float:
    """Return the most by which a colour of an emoji differs from its own, of 255.

    ``pixels`` (H, W, 3) and ``drawn`` (H, W) are the window of the file at ``top`` and ``left``.
    """
    scale, window = width / size.width, (
        slice(top, top + pixels.shape[0]), slice(left, left + pixels.shape[1]),
    )  # fmt: skip
    painted = [
        coverage(
            GlyphMask(mask=layer.pixels[..., channel], left=layer.left, top=layer.top),
            size=size, width=width,
        )[window]
        for channel in range(4)
    ]  # fmt: skip
    em, alpha = block.em * scale, painted[3]
    stroke = rgb(block.box.stroke.colour) if block.box.stroke else None
    difference = np.zeros_like(alpha)
    for channel in range(3):
        own = np.ascontiguousarray(pixels[..., channel])
        under = background(own, drawn, reach=BACKGROUND_REACH * em)
        if stroke:
            under = under * (1 - drawn) + np.float32(stroke[channel]) * drawn
        shown = under * (1 - alpha) + painted[channel] * 255
        # Colours differ from pixel to pixel after compression, which keeps fewer of them.
        blurred = cv2.GaussianBlur(own - shown, (0, 0), max(1.0, em * STRAY_SMOOTHING))
        difference = np.maximum(difference, np.abs(blurred))
    most = 0.0
    for character in placed_characters(block.lines):
        if character.has_colours:
            rect = character.mask.rect
            part = (
                span(rect.top * scale - top, rect.bottom * scale - top),
                span(rect.left * scale - left, rect.right * scale - left),
            )
            solid = alpha[part] > 0.5
            most = max(most, float(difference[part][solid].max()) if solid.any() else 255.0)
    return most


def coverage(mask: GlyphMask, *, size: Size, width: int) -> Plane:
    """Return the coverage of each pixel, 0 to 1, in a file of ``width``, downscaled like renditions."""
    whole = np.zeros((size.height, size.width), np.uint8)
    visible = mask.clipped(size)
    rect = visible.rect
    whole[rect.top : rect.bottom, rect.left : rect.right] = visible.mask
    small = shrink(Image.fromarray(whole), width=width)
    return np.asarray(small, np.float32) / np.float32(255)


def background(luma: Plane, covered: Plane, *, reach: float) -> Plane:
    """Estimate the luma behind glyphs from the uncovered pixels around them."""
    free = (covered < 0.02).astype(np.float32)
    sigma = max(1.0, reach / 2)
    weight = cv2.GaussianBlur(free, (0, 0), sigma)
    light = cv2.GaussianBlur(luma * free, (0, 0), sigma)
    return np.asarray(np.where(free > 0, luma, light / np.maximum(weight, 1e-4)), np.float32)


def overlap(expected: Plane, ink: Plane) -> float:
    """Return the share of expected or found ink that is both; 0 if there is neither."""
    union = float(np.maximum(expected, ink).sum())
    return float(np.minimum(expected, ink).sum()) / union if union > 0 else 0.0


def span(start: float, end: float) -> slice:
    """Return the pixels from ``start`` to ``end``, and one more on each side."""
    return slice(max(0, math.floor(start) - 1), max(0, math.ceil(end) + 1))
