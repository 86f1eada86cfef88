"""Whether words can be read on their ground, and how thick a veil makes them so.

Contrast is the ratio of WCAG 2.2 (https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio), from 1 to 21.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from nb_catalog.imaging.scenery.canvas import Pixels
from nb_catalog.typesetting.glyph_masks import Mask

# Letters and so much around them, in ems: what the eye tells them from.
RING: Final = 0.12
# A few pixels of a leaf or of a highlight make nothing unreadable.
PERCENTILE: Final = 5.0
# Pixels that letters fill less than this, of 255, are their soft edges.
INKED: Final = 32
_STEPS: Final = 9
# Of three channels, what each adds to the light (WCAG 2.2, relative luminance).
_WEIGHTS: Final = np.array([0.2126, 0.7152, 0.0722])


def _linear() -> npt.NDArray[np.float64]:
    share = np.arange(256) / 255
    return np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)


_LINEAR: Final = _linear()


def luminance(colours: Pixels) -> npt.NDArray[np.float64]:
    """Of sRGB colours (..., 3) uint8: relative luminance, 0 to 1."""
    return np.asarray(_LINEAR[colours] @ _WEIGHTS)


def ratio(one: npt.ArrayLike, other: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Contrast of two luminances."""
    lighter, darker = np.maximum(one, other), np.minimum(one, other)
    return np.asarray((lighter + 0.05) / (darker + 0.05))


def around(letters: Mask, *, size: float) -> Mask:
    """Letters and their ring, of the mask's own shape, not zero. ``size`` is their em in pixels."""
    reach = max(2, round(size * RING))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    return np.asarray(cv2.dilate((letters > INKED).astype(np.uint8), kernel), np.uint8)


def worst(ground: Pixels, *, colour: tuple[int, int, int]) -> float:
    """Of letters in ``colour`` on the pixels ``ground`` (N, 3): the contrast that 95 % of them
    reach; 21 on no pixels at all."""
    if not len(ground):
        return 21.0
    of_colour = luminance(np.array(colour, np.uint8))
    ratios = ratio(luminance(ground), of_colour)
    rank = int(PERCENTILE / 100 * (len(ratios) - 1))
    return float(np.partition(ratios, rank)[rank])


def veil(
    ground: Pixels,
    thickness: npt.NDArray[np.float32],
    *,
    colour: tuple[int, int, int],
    scrim: tuple[int, int, int],
    target: float,
) -> float | None:
    """The smallest opacity, 0 to 1, at which a scrim lets letters reach ``target``.

    ``ground`` (N, 3) are the pixels around the letters and ``thickness`` (N,), 0 to 1, how much of
    the scrim lies on each. None where even a solid one is not enough.
    """

    def reached(opacity: float) -> bool:
        return worst(veiled(ground, thickness * opacity, scrim=scrim), colour=colour) >= target

    if reached(0.0):
        return 0.0
    if not reached(1.0):
        return None
    low, high = 0.0, 1.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (low, middle) if reached(middle) else (middle, high)
    return high


def veiled(
    ground: Pixels, thickness: npt.NDArray[np.float32], *, scrim: tuple[int, int, int]
) -> Pixels:
    """``ground`` (H, W, 3) or (N, 3) under so much of a colour, as bytes like the file's."""
    shape = ground.shape
    if ground.ndim == 2:
        ground, thickness = ground[None], thickness[None]
    # A plane at a time: numpy fills three bytes at a stride several times as slowly.
    over = cv2.merge([np.full(thickness.shape, value, np.uint8) for value in scrim])
    return np.asarray(cv2.blendLinear(ground, over, 1 - thickness, thickness), np.uint8).reshape(
        shape
    )
