"""The changed places of a product as polygons on its picture."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from nb_catalog.imaging.fidelity.alignment import Placement
from nb_catalog.imaging.fidelity.report import Polygon
from nb_catalog.imaging.fidelity.views import Mask

AROUND: Final = 7
"""Pixels by which places are joined, and by which a polygon is larger than what it surrounds."""
LEAST_SHARE: Final = 0.001
"""Share of the product's frame below which a place is noise."""
MOST: Final = 8
MOST_CORNERS: Final = 24


def regions_of(
    changed: Mask, placement: Placement, *, size: tuple[int, int]
) -> tuple[Polygon, ...]:
    """Return polygons around the places of ``changed``, a mask in the product's frame, the largest first.

    ``size`` is the width and height of the picture in the pixels of ``placement``.
    """
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * AROUND + 1, 2 * AROUND + 1))
    joined = cv2.dilate(changed.astype(np.uint8), kernel)
    contours, _tree = cv2.findContours(joined, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    least = LEAST_SHARE * changed.size
    large = sorted(
        (each for each in contours if cv2.contourArea(each) >= least), key=cv2.contourArea
    )
    return tuple(
        _polygon(each.astype(np.float32), placement, size=size) for each in large[::-1][:MOST]
    )


def whole_product(mask: Mask, placement: Placement, *, size: tuple[int, int]) -> Polygon:
    """Return the outline of the product, for a change that is everywhere in it."""
    contours, _tree = cv2.findContours(
        mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE
    )
    largest = max(contours, key=cv2.contourArea)
    return _polygon(largest.astype(np.float32), placement, size=size)


def _polygon(contour: np.ndarray, placement: Placement, *, size: tuple[int, int]) -> Polygon:
    tolerance = 1.5
    corners = cv2.approxPolyDP(contour, tolerance, True)
    while len(corners) > MOST_CORNERS:
        tolerance *= 1.5
        corners = cv2.approxPolyDP(contour, tolerance, True)
    on_picture = cv2.transform(corners, placement.matrix)[:, 0] / np.array(size)
    return tuple((round(float(x), 4), round(float(y), 4)) for x, y in np.clip(on_picture, 0, 1))
