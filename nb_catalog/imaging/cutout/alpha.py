"""Photos that bring their outline along as transparency, often with a shadow painted into it."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from PIL import Image

from nb_catalog.imaging.cutout.background import Mask
from nb_catalog.imaging.cutout.masks import Bytes, dilated

LOOKED_AT: Final = 720
# A drop shadow is hardly ever painted stronger than this; lenses and bottles often are.
SOLID: Final = 160
VISIBLE: Final = 8
# A shadow runs out into nothing; glass has an edge.
FADED: Final = 12
DARK: Final = 110
COLOURLESS: Final = 24
MARGIN: Final = 2


def has_outline(photo: Image.Image) -> bool:
    """Whether the transparency of ``photo`` shows where something ends, not just a rounded corner."""
    if photo.mode != "RGBA":
        return False
    histogram = photo.getchannel("A").histogram()
    return sum(histogram[:VISIBLE]) > 0.05 * photo.width * photo.height


def product_of(photo: Image.Image) -> tuple[Bytes, tuple[int, int]]:
    """The (H, W, 4) pixels of the product in an RGBA ``photo``, and its left top corner there.

    A baked-in shadow is taken out: dark, colourless, faint, and fading to nothing. See-through
    parts of a product have colour, or an edge, or a frame around them, and stay. H or W is 0
    when nothing is visible.
    """
    step = max(1, max(photo.size) // LOOKED_AT)
    coarse = np.asarray(photo.getchannel("A").reduce(step))
    shadow = _shadow(coarse, _colours(photo, step=step, shape=coarse.shape))
    left, top, right, bottom = _bounds((coarse > 0) & ~shadow, around=2)
    corner = left * step, top * step
    crop = photo.crop((*corner, min(right * step, photo.width), min(bottom * step, photo.height)))
    pixels = np.array(crop)
    if shadow.any() and pixels.size:
        _erase(pixels, shadow[top:bottom, left:right], step=step)
    return _trimmed(pixels, corner=corner)


def _colours(photo: Image.Image, *, step: int, shape: tuple[int, ...]) -> Bytes:
    size = (shape[1], shape[0])
    return np.asarray(photo.resize(size, Image.Resampling.NEAREST))[..., :3]


def _shadow(alpha: Bytes, colours: Bytes) -> Mask:
    solid = alpha >= SOLID
    nothing = np.zeros(alpha.shape, np.bool_)
    if not solid.any():
        return nothing
    soft = (alpha > 0) & ~dilated(solid, by=2)
    count, labels = cv2.connectedComponents(soft.astype(np.uint8), connectivity=8)
    runs_out = soft & dilated(alpha == 0, by=1)
    brightest = colours.max(axis=-1)
    colourless = brightest - colours.min(axis=-1)
    for label in range(1, count):
        piece = labels == label
        ends = alpha[piece & runs_out]
        body = piece & (alpha >= VISIBLE)
        fades = ends.size > 0 and np.median(ends) <= FADED
        if fades and (
            not body.any()
            or (np.median(brightest[body]) <= DARK and np.median(colourless[body]) <= COLOURLESS)
        ):
            nothing |= piece
    return nothing


def _erase(pixels: Bytes, shadow: Mask, *, step: int) -> None:
    height, width = pixels.shape[:2]
    grown = np.repeat(np.repeat(dilated(shadow, by=3), step, axis=0), step, axis=1)
    alpha = pixels[..., 3]
    edge = dilated(alpha >= SOLID, by=1)
    alpha[grown[:height, :width] & ~edge & (alpha < SOLID)] = 0


def _bounds(mask: Mask, *, around: int) -> tuple[int, int, int, int]:
    left, top, width, height = cv2.boundingRect(mask.astype(np.uint8))
    if not width:
        return 0, 0, 0, 0
    return (
        max(0, left - around),
        max(0, top - around),
        min(mask.shape[1], left + width + around),
        min(mask.shape[0], top + height + around),
    )


def _trimmed(pixels: Bytes, *, corner: tuple[int, int]) -> tuple[Bytes, tuple[int, int]]:
    if not pixels.size:
        return pixels, corner
    left, top, right, bottom = _bounds(pixels[..., 3] >= VISIBLE, around=MARGIN)
    trimmed = np.ascontiguousarray(pixels[top:bottom, left:right])
    return trimmed, (corner[0] + left, corner[1] + top)
