"""The background behind the product: an even surface, fitted to the rim of the picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

RIM: Final = 0.06
"""Thickness of the rim, as a share of the shorter side."""
SAMPLES: Final = 8000
ROUNDS: Final = 4
# After JPEG, no two renderings of one grey are closer than this in CIE Lab.
LEAST_SPREAD: Final = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Background:
    """A second-order surface in CIE Lab over the picture, and how well the rim fits it.

    ``terms`` is (6, 3): 1, x, y, x2, y2, xy with x and y from -0.5 to 0.5. ``spread`` is a robust
    standard deviation in Lab units; ``strays`` is the share of the rim that does not fit.
    """

    terms: Floats
    spread: float
    strays: float

    def over(self, *, width: int, height: int) -> Floats:
        """Return the background's Lab colour at every pixel of a picture, (height, width, 3)."""
        x = _positions(width)[None, :, None]
        y = _positions(height)[:, None, None]
        t = self.terms
        surface = (t[0] + t[2] * y + t[4] * y * y) + (t[1] + t[5] * y) * x + t[3] * x * x
        return np.ascontiguousarray(surface, dtype=np.float32)

    def at(self, x: Floats, y: Floats) -> Floats:
        """Return the background's Lab colour, (N, 3), at N positions from -0.5 to 0.5."""
        return _features(x, y) @ self.terms


def lab(rgb: NDArray[np.uint8]) -> Floats:
    """Return (H, W, 3) sRGB bytes as CIE Lab (L 0 to 100)."""
    return np.asarray(cv2.cvtColor(rgb.astype(np.float32) / 255, cv2.COLOR_RGB2LAB), np.float32)


def fit_background(colours: Floats, *, product: Mask | None = None) -> Background:
    """Fit the background of a (H, W, 3) Lab picture to its rim, or to all that is not ``product``.

    Iteratively reweighted least squares with Cauchy weights, and the median absolute deviation
    times 1.4826 as the spread: a product that reaches into the rim has little influence. The rim
    alone does not show how a vignette continues towards the middle, so a second fit around a
    first estimate of the product is better.
    """
    height, width = colours.shape[:2]
    if product is None:
        thickness = max(4, int(RIM * min(height, width)))
        visible = np.ones((height, width), np.bool_)
        visible[thickness:-thickness, thickness:-thickness] = False
    else:
        visible = ~product
    places = np.flatnonzero(visible)
    places = places[:: max(1, len(places) // SAMPLES)]
    x = _positions(width)[places % width]
    y = _positions(height)[places // width]
    features, samples = _features(x, y), colours.reshape(-1, 3)[places]
    weights = np.ones(len(samples), np.float32)
    for _ in range(ROUNDS):
        weighted = weights[:, None]
        terms = np.linalg.lstsq(features * weighted, samples * weighted, rcond=None)[0]
        off = np.linalg.norm(samples - features @ terms, axis=1)
        spread = float(1.4826 * np.median(off) + LEAST_SPREAD)
        weights = (1 / (1 + (off / (3 * spread)) ** 2)).astype(np.float32)
    strays = float(np.mean(off > 4.0 + 3 * spread))
    return Background(terms=terms.astype(np.float32), spread=spread, strays=strays)


def _positions(length: int) -> Floats:
    return ((np.arange(length, dtype=np.float32) + 0.5) / length - 0.5).astype(np.float32)


def _features(x: Floats, y: Floats) -> Floats:
    return np.stack([np.ones_like(x), x, y, x * x, y * y, x * y], axis=-1)
