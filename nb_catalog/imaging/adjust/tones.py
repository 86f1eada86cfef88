"""Exposure, white balance and sharpness: pixels that stay where they are."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from nb_catalog.imaging.adjust.kinds import Exposure, Sharpen, WhiteBalance
from nb_catalog.imaging.compose.merge import TO_LINEAR, to_srgb
from nb_catalog.imaging.scenery.canvas import Pixels
from nb_catalog.imaging.scenery.light import LUMINANCE

Alpha = NDArray[np.uint8]
"""(H, W): how much of each pixel is product."""

WARMTH: Final = 0.35
"""Stops by which red gains, and blue loses, at a temperature of 100."""
TINT: Final = 0.25
"""Stops by which green loses at a tint of 100."""
RADIUS: Final = 0.0008
"""Deviation of the blur that sharpening takes from, as a share of the picture's longer side."""
LEAST_RADIUS: Final = 0.6
BAND: Final = 512
"""Rows processed at a time, so that a 4K picture never exists as float."""


def adjust_tones(pixels: Pixels, adjustment: Exposure | WhiteBalance | Sharpen) -> Pixels:
    """Return (H, W, 3) sRGB ``pixels`` with one adjustment, wherever its area is."""
    match adjustment:
        case Exposure(stops=stops):
            return _with_gains(pixels, np.full(3, 2.0**stops))
        case WhiteBalance(temperature=temperature, tint=tint):
            gains = 2.0 ** np.array(
                [WARMTH * temperature / 100, -TINT * tint / 100, -WARMTH * temperature / 100]
            )
            # A grey keeps its luminance.
            return _with_gains(pixels, gains / float(gains @ LUMINANCE))
        case Sharpen(amount=amount):
            # An unsharp mask of the luma alone makes no coloured fringes.
            sigma = max(LEAST_RADIUS, RADIUS * max(pixels.shape[:2]))
            luma = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).astype(np.float32)
            detail = (luma - cv2.GaussianBlur(luma, (0, 0), sigma)) * np.float32(amount)
            out = np.empty_like(pixels)
            for first in range(0, pixels.shape[0], BAND):
                rows = slice(first, first + BAND)
                sharper = pixels[rows].astype(np.float32) + detail[rows][..., None]
                out[rows] = np.clip(np.rint(sharper), 0, 255).astype(np.uint8)
            return out


def merge_area(before: Pixels, after: Pixels, *, product: Alpha) -> Pixels:
    """Return ``after`` where the product is not: its opaque pixels are those of ``before``."""
    out = after.copy()
    for first in range(0, before.shape[0], BAND):
        rows = slice(first, first + BAND)
        share = product[rows].astype(np.float32)[..., None] / np.float32(255)
        new = after[rows].astype(np.float32)
        mixed = new + (before[rows].astype(np.float32) - new) * share
        out[rows] = np.rint(mixed).astype(np.uint8)
    solid = product == 255
    out[solid] = before[solid]
    return out


def _with_gains(pixels: Pixels, gains: NDArray[np.floating]) -> Pixels:
    """Return ``pixels`` whose linear light is multiplied by a gain for each channel."""
    table = np.stack(
        [np.rint(to_srgb(np.minimum(TO_LINEAR * gain, 1.0))) for gain in gains], axis=-1
    )
    return np.asarray(cv2.LUT(pixels, table.astype(np.uint8)[None]), np.uint8)
