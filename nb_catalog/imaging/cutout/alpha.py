"""Cut-outs from the photo's own transparency, which often contains a painted shadow."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from PIL import Image

from nb_catalog.core.text import message
from nb_catalog.exceptions import CutoutRefused
from nb_catalog.imaging.cutout.background import Mask
from nb_catalog.imaging.cutout.masks import Bytes, dilate
from nb_catalog.imaging.cutout.types import MIN_SHARE_OF_ALPHA, FoundMask, ways_out

# The name by which the translators' tools find texts.
_ = message

MAKER: Final = "alpha/1"
WORKING_SIZE: Final = 720
# A drop shadow is hardly ever more opaque than this; lenses and bottles often are.
SOLID: Final = 160
VISIBLE: Final = 8
# A shadow fades out to nothing; glass has an edge.
FADED: Final = 12
DARK: Final = 110
COLOURLESS: Final = 24


def has_outline(photo: Image.Image) -> bool:
    """Return whether the transparency of ``photo`` is an outline, not just rounded corners.

    More than 5 % of its pixels must be transparent.
    """
    if photo.mode != "RGBA":
        return False
    histogram = photo.getchannel("A").histogram()
    return sum(histogram[:VISIBLE]) > 0.05 * photo.width * photo.height


def find_product(photo: Image.Image) -> FoundMask:
    """Return the alpha of an RGBA ``photo`` without the shadow that was painted into it.

    A painted shadow is dark, colourless, faint, and fades to nothing. Transparent parts of a product
    have colour, an edge or a frame around them, and stay. Raises ``CutoutRefused`` if next to nothing
    is visible.
    """
    step = max(1, max(photo.size) // WORKING_SIZE)
    alpha = np.array(photo.getchannel("A"))
    coarse = np.asarray(photo.getchannel("A").reduce(step))
    size = (coarse.shape[1], coarse.shape[0])
    colours = np.asarray(photo.resize(size, Image.Resampling.NEAREST))[..., :3]
    shadow = _find_shadow(coarse, colours)
    if shadow.any():
        height, width = alpha.shape
        area = np.repeat(np.repeat(dilate(shadow, by=3), step, axis=0), step, axis=1)
        edge = dilate(alpha >= SOLID, by=1)
        alpha[area[:height, :width] & ~edge & (alpha < SOLID)] = 0
    if np.count_nonzero(alpha) < MIN_SHARE_OF_ALPHA * alpha.size:
        what = _("The photo is transparent and shows next to nothing.")
        raise CutoutRefused(f"{what} {ways_out()}")
    return FoundMask(alpha=alpha, method="alpha", maker=MAKER, score=1.0)


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
