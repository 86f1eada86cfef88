"""The product's box by its features: prints, seams and labels, found again in the picture."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from nb_catalog.imaging.box import Box
from nb_catalog.imaging.cutout.outline import find_solid
from nb_catalog.imaging.product_box.common import Rgba, reduced
from nb_catalog.imaging.root_sift import root_sift, root_sift_of_product
from nb_catalog.imaging.scenery.canvas import Pixels

PICTURE_SIDE, PRODUCT_SIDE = 1024, 768
"""Pixels of the longer sides at which features are looked for."""
MOST_FEATURES: Final = 3000
RATIO: Final = 0.8
"""A feature is matched if its nearest neighbour is this much nearer than the second (Lowe, 2004)."""
LEAST_MATCHES: Final = 12
REPROJECTION: Final = 4.0
"""Pixels by which a matched feature may be off the transformation."""
STRETCH: Final = 1.15
"""A transformation that stretches the product more does not show the same product again."""


def box_by_features(pixels: Pixels, product: Rgba) -> Box | None:
    """Return where SIFT features of ``product`` are found again under one affine transformation (RANSAC).

    None if too few are: a plain product has hardly any.
    """
    picture, view = reduced(pixels, PICTURE_SIDE), reduced(product, PRODUCT_SIDE)
    alpha = np.ascontiguousarray(view[..., 3])
    cover = alpha[..., None] / np.float32(255)
    # On grey: the hidden colours of transparent pixels would be features.
    seen = np.rint(view[..., :3] * cover + 128 * (1 - cover)).astype(np.uint8)
    inside = cv2.erode((alpha > 200).astype(np.uint8), np.ones((5, 5), np.uint8))
    grey, there = (
        np.asarray(cv2.cvtColor(each, cv2.COLOR_RGB2GRAY), np.uint8) for each in (seen, picture)
    )
    places, looks = root_sift_of_product(grey, np.asarray(inside, np.uint8), most=MOST_FEATURES)
    others, other_looks = root_sift(there, None, most=MOST_FEATURES)
    if min(len(places), len(others)) < LEAST_MATCHES:
        return None
    pairs = cv2.BFMatcher(cv2.NORM_L2).knnMatch(looks, other_looks, k=2)
    good = [a for a, b in pairs if a.distance < RATIO * b.distance]
    if len(good) < LEAST_MATCHES:
        return None
    origin = places[[each.queryIdx for each in good]]
    targets = others[[each.trainIdx for each in good]]
    cv2.setRNGSeed(1)
    matrix, inliers = cv2.estimateAffine2D(
        origin, targets, ransacReprojThreshold=REPROJECTION, maxIters=4000, confidence=0.999
    )
    if matrix is None or int(inliers.sum()) < LEAST_MATCHES:
        return None
    strongest, weakest = np.linalg.svd(matrix[:, :2], compute_uv=False)
    if weakest <= 0 or strongest / weakest > STRETCH or np.linalg.det(matrix[:, :2]) < 0:
        return None
    rows, columns = np.nonzero(find_solid(alpha))
    # A pixel is as wide as one: its corners count, not its middle.
    moved = np.stack([columns, rows], 1) @ matrix[:, :2].T + matrix[:, 2]
    (left, top), (right, bottom) = moved.min(0), moved.max(0) + strongest
    height, width = picture.shape[:2]
    return Box(left / width, top / height, right / width, bottom / height)
