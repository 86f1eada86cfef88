"""Depth of field: rows that are nearer or further than the product lose their focus."""

from __future__ import annotations

import math
from typing import Final

import cv2
import numpy as np

from nb_catalog.imaging.scenery.canvas import Pixels
from nb_catalog.imaging.scenery.noise import Plane
from nb_catalog.imaging.scenery.stage import Stage

APERTURE: Final = 0.038
"""Blur at infinity in units (sigma): about f/4 for a product of 20 cm, with the camera of ``stage``."""
IN_FRONT: Final = 0.6
"""Share of the blur that the ground in front of the product gets: more looked like a mistake."""
SHARP: Final = 0.03
"""Within this share of its distance everything is as sharp as the product."""
WIDE: Final = 3.0
"""Sigma in pixels from which a blur is computed on a smaller copy, as that of a 4K picture is."""
FIRST: Final = 0.8
"""The narrowest blur that is computed, in pixels; between it and none, the two are mixed."""


def blur_by_depth(pixels: Pixels, *, stage: Stage, wall_blur: float = 0.0) -> None:
    """Blur the rows of a front view in place by their circle of confusion.

    Its size is proportional to |1 - focus / distance|. The wall has the distance of the edge of the
    ground; of a wall that already has more blur, ``wall_blur`` as sigma in pixels, only what meets
    the ground is blurred. The focus is where products stand, between the foremost and those that are
    low.
    """
    rows = np.maximum(np.arange(len(pixels), dtype=np.float32) + 0.5, np.float32(stage.edge))
    middle = np.array([stage.floor - stage.box.depth / 3], np.float32)
    away = 1 - stage.depth(middle)[0] / stage.depth(rows)
    sigma = APERTURE * stage.unit * np.maximum(np.abs(away) - SHARP, 0)
    sigma[away < 0] *= IN_FRONT
    source = pixels.copy()
    edge = int(np.clip(stage.edge, 0, len(pixels)))
    at_wall = float(sigma[0])
    if edge and at_wall > 0.3:
        first = max(0, edge - int(3 * at_wall)) if wall_blur > at_wall else 0
        reach = int(3 * at_wall) + 2
        near = source[max(0, first - reach) : edge + reach]
        soft = _soften(near, sigma=at_wall)
        pixels[first:edge] = soft[min(first, reach) :][: edge - first]
    steps = [0.0, FIRST]
    while steps[-1] < sigma.max():
        steps.append(1.6 * steps[-1])
    ground = np.arange(len(pixels)) >= edge
    for fine, coarse in zip(steps, steps[1:], strict=False):
        # Rows of one blur are behind the product, or before it, or both.
        for part in (ground & (away > 0), away <= 0):
            span = np.flatnonzero(part & (sigma > fine) & (sigma <= coarse))
            if span.size:
                _blur_rows(source, into=pixels, span=span, steps=(fine, coarse), sigma=sigma)


def _blur_rows(
    source: Pixels, *, into: Pixels, span: np.ndarray, steps: tuple[float, float], sigma: Plane
) -> None:
    """Write the rows ``span``, mixed of the two blurs ``steps`` by their ``sigma``."""
    first, last = int(span[0]), int(span[-1]) + 1
    reach = int(3 * steps[1]) + 2
    top = max(0, first - reach)
    near = source[top : last + reach]
    inside = slice(first - top, last - top)
    soft, softer = (_soften(near, sigma=each)[inside] if each else near[inside] for each in steps)
    share = ((sigma[first:last] - steps[0]) / (steps[1] - steps[0]))[:, None, None]
    mixed = soft.astype(np.float32)
    mixed += (softer - mixed) * share
    into[first:last] = (mixed + np.float32(0.5)).astype(np.uint8)


def _soften(pixels: Pixels, *, sigma: float) -> Pixels:
    """Return bytes with Gaussian blur; nothing is ever float at full size."""
    step = max(1, int(sigma / WIDE))
    height, width = pixels.shape[:2]
    small = (max(2, math.ceil(width / step)), max(2, math.ceil(height / step)))
    shrunk = cv2.resize(pixels, small, interpolation=cv2.INTER_AREA) if step > 1 else pixels
    soft = cv2.GaussianBlur(shrunk, (0, 0), sigma / step, borderType=cv2.BORDER_REPLICATE)
    if step > 1:
        soft = cv2.resize(soft, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(soft, np.uint8)
