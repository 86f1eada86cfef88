"""The ground behind the product: an even surface, fitted to what the picture's rim shows of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

RIM: Final = 0.06
SAMPLES: Final = 8000
ROUNDS: Final = 4
# No two renderings of one grey are closer than this in CIE Lab after JPEG.
LEAST_SPREAD: Final = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """A second-order surface in CIE Lab over the picture, and how far the rim strays from it.

    ``terms`` is (6, 3): 1, x, y, x2, y2, xy with x and y from -0.5 to 0.5. ``spread`` is a robust
    standard deviation in Lab units; ``strays`` is the share of the rim that is something else.
    """

    terms: Floats
    spread: float
    strays: float

    def over(self, *, width: int, height: int) -> Floats:
        """The ground's Lab colour at every pixel of a picture, (height, width, 3)."""
        x = _positions(width)[None, :, None]
        y = _positions(height)[:, None, None]
        t = self.terms
        surface = (t[0] + t[2] * y + t[4] * y * y) + (t[1] + t[5] * y) * x + t[3] * x * x
        return np.ascontiguousarray(surface, dtype=np.float32)

    def at(self, x: Floats, y: Floats) -> Floats:
        """The ground's Lab colour at N places given from -0.5 to 0.5, (N, 3)."""
        return _features(x, y) @ self.terms


def lab(rgb: NDArray[np.uint8]) -> Floats:
    """CIE Lab (L 0 to 100) of (H, W, 3) sRGB bytes."""
    return np.asarray(cv2.cvtColor(rgb.astype(np.float32) / 255, cv2.COLOR_RGB2LAB), np.float32)


def fit_ground(colours: Floats, *, product: Mask | None = None) -> Ground:
    """Fit the ground of a (H, W, 3) Lab picture to its rim, or to all that is not ``product``.

    Iteratively reweighted least squares with Cauchy weights: a product that runs into the rim
    pulls little. The rim alone cannot tell how a vignette goes on in the middle, so a second fit
    around a first idea of the product is better.
    """
    height, width = colours.shape[:2]
    seen_at = _rim(height, width) if product is None else ~product
    places = np.flatnonzero(seen_at)
    places = places[:: max(1, len(places) // SAMPLES)]
    x = _positions(width)[places % width]
    y = _positions(height)[places // width]
    features, seen = _features(x, y), colours.reshape(-1, 3)[places]
    weights = np.ones(len(seen), np.float32)
    for _ in range(ROUNDS):
        weighted = weights[:, None]
        terms = np.linalg.lstsq(features * weighted, seen * weighted, rcond=None)[0]
        off = np.linalg.norm(seen - features @ terms, axis=1)
        spread = float(1.4826 * np.median(off) + LEAST_SPREAD)
        weights = (1 / (1 + (off / (3 * spread)) ** 2)).astype(np.float32)
    strays = float(np.mean(off > 4.0 + 3 * spread))
    return Ground(terms=terms.astype(np.float32), spread=spread, strays=strays)


def _positions(length: int) -> Floats:
    return ((np.arange(length, dtype=np.float32) + 0.5) / length - 0.5).astype(np.float32)


def _features(x: Floats, y: Floats) -> Floats:
    return np.stack([np.ones_like(x), x, y, x * x, y * y, x * y], axis=-1)


def _rim(height: int, width: int) -> Mask:
    thickness = max(4, int(RIM * min(height, width)))
    rim = np.ones((height, width), np.bool_)
    rim[thickness:-thickness, thickness:-thickness] = False
    return rim
