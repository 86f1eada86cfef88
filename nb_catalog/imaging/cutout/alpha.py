"""Cut-outs from the photo's own transparency, which often contains a painted shadow."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from PIL import Image

from nb_catalog.imaging.cutout.background import Mask
from nb_catalog.imaging.cutout.masks import Bytes, dilate

WORKING_SIZE: Final = 720
# A drop shadow is hardly ever more opaque than this; lenses and bottles often are.
SOLID: Final = 160
VISIBLE: Final = 8
# A shadow fades out to nothing; glass has an edge.
FADED: Final = 12
DARK: Final = 110
COLOURLESS: Final = 24
MARGIN: Final = 2


def has_outline(photo: Image.Image) -> bool:
    """Return whether the transparency of ``photo`` is an outline, not just rounded corners.

    More than 5 % of its pixels must be transparent.
    """
    if photo.mode != "RGBA":
        return False
    histogram = photo.getchannel("A").histogram()
    return sum(histogram[:VISIBLE]) > 0.05 * photo.width * photo.height


def extract_product(photo: Image.Image) -> tuple[Bytes, tuple[int, int]]:
    """Return the (H, W, 4) pixels of the product in an RGBA ``photo`` and their top left corner.

    A painted shadow is removed: dark, colourless, faint, and fading to nothing. Transparent parts
    of a product have colour, an edge or a frame around them, and stay. H or W is 0 if nothing is
    visible.
    """
    step = max(1, max(photo.size) // WORKING_SIZE)
    coarse = np.asarray(photo.getchannel("A").reduce(step))
    size = (coarse.shape[1], coarse.shape[0])
    colours = np.asarray(photo.resize(size, Image.Resampling.NEAREST))[..., :3]
    shadow = _find_shadow(coarse, colours)
    left, top, right, bottom = _bounds((coarse > 0) & ~shadow, around=2)
    corner = left * step, top * step
    crop = photo.crop((*corner, min(right * step, photo.width), min(bottom * step, photo.height)))
    pixels = np.array(crop)
    if not pixels.size:
        return pixels, corner
    if shadow.any():
        height, width = pixels.shape[:2]
        coarse_area = dilate(shadow[top:bottom, left:right], by=3)
        area = np.repeat(np.repeat(coarse_area, step, axis=0), step, axis=1)[:height, :width]
        alpha = pixels[..., 3]
        edge = dilate(alpha >= SOLID, by=1)
        alpha[area & ~edge & (alpha < SOLID)] = 0
    left, top, right, bottom = _bounds(pixels[..., 3] >= VISIBLE, around=MARGIN)
    trimmed = np.ascontiguousarray(pixels[top:bottom, left:right])
    return trimmed, (corner[0] + left, corner[1] + top)


def _find_shadow(alpha: Bytes, colours: Bytes) -> Mask:
    solid = alpha >= SOLID
    shadow = np.zeros(alpha.shape, np.bool_)
    if not solid.any():
        return shadow
    soft = (alpha > 0) & ~dilate(solid, by=2)
    count, labels = cv2.connectedComponents(soft.astype(np.uint8), connectivity=8)
    runs_out = soft & dilate(alpha == 0, by=1)
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
            shadow |= piece
    return shadow


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
