"""What all ways of finding a product's box share."""

from __future__ import annotations

from typing import Final, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from nb_catalog.imaging.box import Box

Mask: TypeAlias = npt.NDArray[np.uint8]
Rgba: TypeAlias = npt.NDArray[np.uint8]
"""(H, W, 4) sRGB with straight alpha, cropped to what is visible."""

OUTLINE_SIDE: Final = 512
"""Pixels of the longer side at which outlines are searched for."""
PIECE: Final = 0.05
"""Share of the largest piece from which another piece belongs to the product."""


def reduced(pixels: npt.NDArray[np.uint8], side: int) -> npt.NDArray[np.uint8]:
    """Return (H, W, C) pixels with at most ``side`` of them on the longer side."""
    scale = side / max(pixels.shape[:2])
    if scale >= 1:
        return np.ascontiguousarray(pixels)
    size = (max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale)))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)


def box_of_pieces(mask: npt.NDArray[np.bool_]) -> Box | None:
    """Return the box around the pieces of a mask that are not specks; None for an empty one."""
    count, labels, stats, _centres = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    if count < 2:
        return None
    areas = stats[1:, cv2.CC_STAT_AREA]
    parts = stats[1:][areas >= PIECE * areas.max()]
    left, top = parts[:, cv2.CC_STAT_LEFT], parts[:, cv2.CC_STAT_TOP]
    right, bottom = left + parts[:, cv2.CC_STAT_WIDTH], top + parts[:, cv2.CC_STAT_HEIGHT]
    height, width = mask.shape
    return Box(left.min() / width, top.min() / height, right.max() / width, bottom.max() / height)
