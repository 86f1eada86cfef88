"""The outline of a product: which pixels of a cut-out count as product, for cropping, pose and shadows."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from nb_catalog.core.types import Rect

Bytes = NDArray[np.uint8]
Mask = NDArray[np.bool_]

SOLID: Final = 24
"""Opacity from which a pixel counts as product. A see-through foot of glass does, the halo that a
segmentation network leaves does not."""
REACH: Final = 2.0
"""Pixels on both sides of an outline between which the colour has to step."""
FAINT: Final = 4
"""A product that is nowhere opaque counts from this fraction of its strongest opacity."""


def find_solid(alpha: Bytes) -> Mask:
    """Return the pixels of ``alpha`` (H, W) that are product; none if nothing is visible."""
    strongest = int(alpha.max(initial=0))
    return np.asarray(alpha >= max(1, min(SOLID, strongest // FAINT)))


def solid_box(alpha: Bytes) -> Rect:
    """Return the smallest rectangle around the product; 0 by 0 if nothing is visible."""
    return Rect(*cv2.boundingRect(find_solid(alpha).astype(np.uint8)))


def lowest(solid: Mask) -> NDArray[np.float32]:
    """Return the row of the lowest solid pixel of each column; -1 for a column without any."""
    rows = solid.shape[0] - 1 - np.argmax(solid[::-1], axis=0)
    return np.where(solid.any(axis=0), rows, -1).astype(np.float32)


def visible_share(mask: Mask, colours: NDArray[np.float32], *, least: float = 2.0) -> float:
    """Return the share of the outline of ``mask`` across which the colour steps, 0 to 1.

    ``colours`` is (H, W, 3) CIE Lab at the size of ``mask``; a step is at least ``least`` Lab units
    over ``REACH`` pixels on both sides, along the outline's normal.
    """
    if mask.all() or not mask.any():
        return 0.0
    inside = mask.astype(np.uint8)
    smooth = cv2.GaussianBlur(colours, (0, 0), 1.0)
    within = cv2.distanceTransform(inside, cv2.DIST_L2, 5).astype(np.float32)
    beyond = cv2.distanceTransform(1 - inside, cv2.DIST_L2, 5).astype(np.float32)
    depth = cv2.GaussianBlur(within - beyond, (0, 0), 2.0)
    down, across = np.gradient(depth)
    steepness = np.hypot(across, down) + 1e-6
    rows, columns = np.nonzero(mask & ~(cv2.erode(inside, np.ones((3, 3), np.uint8)) > 0))
    x_step = (REACH * across / steepness)[rows, columns]
    y_step = (REACH * down / steepness)[rows, columns]

    def sampled(sign: int) -> NDArray[np.float32]:
        x = (columns + sign * x_step).astype(np.float32)[:, None]
        y = (rows + sign * y_step).astype(np.float32)[:, None]
        return np.asarray(
            cv2.remap(smooth, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32
        )

    steps = np.linalg.norm(sampled(1) - sampled(-1), axis=-1)
    return float(np.mean(steps >= least))
