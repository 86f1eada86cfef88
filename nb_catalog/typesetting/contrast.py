"""Contrast of text with its background, and the scrim opacity that makes it sufficient.

Contrast is the ratio of WCAG 2.2 (https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio), from 1 to 21.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from nb_catalog.imaging.scenery.canvas import Pixels
from nb_catalog.typesetting.glyph_masks import Mask

# Glyphs are seen against the pixels within this distance, in ems.
HALO: Final = 0.12
# Small highlights do not make a text unreadable.
PERCENTILE: Final = 5.0
# Pixels covered less than this, of 255, are antialiased edges.
INK_THRESHOLD: Final = 32
# The narrowest outline that counts as what letters are seen against, in ems and in pixels. WCAG 2.2 counts
# a border around a letter, and ISO 9241-3 (5.4, stroke width) wants strokes of 1/12 to 1/6 of the height of
# a capital, which has about 0.7 em. Below a pixel an outline does not show in its own colour.
MIN_STROKE_EM: Final = 0.7 / 12
MIN_STROKE_PIXELS: Final = 1.0
_OPACITY_STEPS: Final = 9
# Weights of the channels in relative luminance (WCAG 2.2).
_WEIGHTS: Final = np.array([0.2126, 0.7152, 0.0722])
_SRGB: Final = np.arange(256) / 255
# The linear value of each sRGB byte.
_LINEAR: Final = np.where(_SRGB <= 0.04045, _SRGB / 12.92, ((_SRGB + 0.055) / 1.055) ** 2.4)


def luminance(colours: Pixels) -> npt.NDArray[np.float64]:
    """Return the relative luminance, 0 to 1, of sRGB colours (..., 3) uint8."""
    return np.asarray(_LINEAR[colours] @ _WEIGHTS)


def ratio(one: npt.ArrayLike, other: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return the contrast of two luminances."""
    lighter, darker = np.maximum(one, other), np.minimum(one, other)
    return np.asarray((lighter + 0.05) / (darker + 0.05))


def with_halo(mask: Mask, *, em: float) -> Mask:
    """Return a mask of the same shape that is not zero on glyphs and their halo; ``em`` in pixels."""
    reach = max(2, round(em * HALO))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    return np.asarray(cv2.dilate((mask > INK_THRESHOLD).astype(np.uint8), kernel), np.uint8)


def outline_counts(width: float, *, em: float) -> bool:
    """Return whether letters are seen against an outline of ``width`` ems; ``em`` in pixels."""
    return width >= MIN_STROKE_EM and width * em >= MIN_STROKE_PIXELS


def text_contrast(
    background: Pixels,
    *,
    colour: tuple[int, int, int],
    characters: Sequence[npt.NDArray[np.intp]] = (),
) -> float:
    """Return the contrast that text of ``colour`` reaches on 95 % of the pixels ``background`` (N, 3), and
    on half of those around each of ``characters``, which are indices; 1 if there are no pixels.

    Five percent of a sentence are a whole letter: no character may be lost in them.
    """
    if not len(background):
        return 1.0
    ratios = ratio(luminance(background), luminance(np.array(colour, np.uint8)))
    rank = int(PERCENTILE / 100 * (len(ratios) - 1))
    lowest = [np.partition(ratios, rank)[rank]]
    for indices in characters:
        if len(indices):
            own = ratios[indices]
            lowest.append(np.partition(own, len(own) // 2)[len(own) // 2])
    return float(min(lowest))


def scrim_opacity(
    background: Pixels,
    coverage: npt.NDArray[np.float32],
    *,
    colour: tuple[int, int, int],
    scrim: tuple[int, int, int],
    target: float,
    characters: Sequence[npt.NDArray[np.intp]] = (),
) -> float | None:
    """Return the lowest opacity, 0 to 1, at which text on a scrim reaches the contrast ``target``.

    ``background`` (N, 3) are the pixels around the glyphs, ``coverage`` (N,), 0 to 1, that of the scrim
    on each, ``characters`` as in ``text_contrast``. None if even an opaque scrim is not enough.
    """

    def is_enough(opacity: float) -> bool:
        blended = blend(background, coverage * opacity, colour=scrim)
        return text_contrast(blended, colour=colour, characters=characters) >= target

    if is_enough(0.0):
        return 0.0
    if not is_enough(1.0):
        return None
    low, high = 0.0, 1.0
    for _ in range(_OPACITY_STEPS):
        middle = (low + high) / 2
        low, high = (low, middle) if is_enough(middle) else (middle, high)
    return high


def blend(
    background: Pixels, alpha: npt.NDArray[np.float32], *, colour: tuple[int, int, int]
) -> Pixels:
    """Return ``background`` (H, W, 3) or (N, 3) under a colour, rounded to bytes as in the file.

    ``alpha`` is (H, W) or (N,), 0 to 1.
    """
    shape = background.shape
    if background.ndim == 2:
        background, alpha = background[None], alpha[None]
    # One plane at a time: numpy fills interleaved bytes several times as slowly.
    over = cv2.merge([np.full(alpha.shape, value, np.uint8) for value in colour])
    return np.asarray(cv2.blendLinear(background, over, 1 - alpha, alpha), np.uint8).reshape(shape)
