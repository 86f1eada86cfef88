"""Where a product is in a picture: SIFT features matched and a similarity transform by RANSAC."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from nb_catalog.imaging.fidelity.views import Mask, Pixels, ProductView
from nb_catalog.imaging.root_sift import Floats, root_sift, root_sift_of_product

MOST_FEATURES: Final = 2500
RATIO: Final = 0.82
"""A match counts if the next best is this much farther away (Lowe, 2004)."""
REDUCED: Final = 0.7
"""Size at which features are looked for. SIFT begins with twice the size that it is given."""
REACH: Final = 4.0
"""Pixels of the picture by which a feature may miss its place."""
LEAST_MATCHES: Final = 10
"""Features at which a product counts as found. Chance, and another product, seldom reach half of it."""
LEAST_FEATURES: Final = 30
"""Features that a product must have for its absence to mean something."""
RIM: Final = 17
"""Twice the width in pixels of the rim in which a feature shows background as well."""
SCALES: Final = (0.08, 4.0)
"""Sizes in the picture of one pixel of the product that are plausible."""


Grey: TypeAlias = npt.NDArray[np.uint8]
"""(H, W)."""


class Placement(NamedTuple):
    """A product in a picture: ``matrix`` (2, 3) leads from the product's pixels to the picture's,
    ``matches`` is the number of features that agree with it."""

    matrix: npt.NDArray[np.float64]
    matches: int

    @property
    def scale(self) -> float:
        """Pixels of the picture for one of the product."""
        return float(np.hypot(self.matrix[0, 0], self.matrix[1, 0]))


def find_placements(
    product: ProductView, picture: Pixels, *, most: int = 2, also: Pixels | None = None
) -> list[Placement] | None:
    """Return where ``product`` is in ``picture``, the surest first; an empty list if it is not found, None
    if it shows too little detail to be found anywhere.

    Features of the picture look for their likes in the product, not the other way round, so that a product
    that is there twice is found twice. ``also`` is the same picture in other colours, in which features are
    looked for too.
    """
    solid = product.mask.astype(np.uint8)
    places, looks = _features(
        _grey(product.pixels), cv2.erode(solid, np.ones((3, 3), np.uint8)) > 0
    )
    # Not counting those of the outline, which any background changes.
    deep = cv2.erode(solid, np.ones((RIM, RIM), np.uint8)) > 0
    columns, rows = np.rint(places).astype(np.intp).T
    if np.count_nonzero(deep[rows, columns]) < LEAST_FEATURES:
        return None
    seen, seen_looks = _features(_grey(picture), None)
    if also is not None:
        others, other_looks = _features(_grey(also), None)
        seen, seen_looks = np.concatenate([seen, others]), np.concatenate([seen_looks, other_looks])
    if len(seen) < LEAST_MATCHES:
        return []
    pairs = cv2.BFMatcher(cv2.NORM_L2).knnMatch(seen_looks, looks, k=2)
    good = [best for best, other in pairs if best.distance < RATIO * other.distance]
    origins = np.array([places[match.trainIdx] for match in good], np.float32).reshape(-1, 2)
    targets = np.array([seen[match.queryIdx] for match in good], np.float32).reshape(-1, 2)
    return list(_placements(product, origins, targets, most=most))


def _grey(pixels: Pixels) -> Grey:
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.uint8)


def _features(grey: Grey, mask: Mask | None) -> tuple[Floats, Floats]:
    """Return the places (N, 2) and descriptors (N, 128) of features; of a product those in ``mask``."""
    reduced = cv2.resize(grey, None, fx=REDUCED, fy=REDUCED, interpolation=cv2.INTER_AREA)
    grey = np.asarray(reduced, np.uint8)
    if mask is None:
        places, looks = root_sift(grey, None, most=MOST_FEATURES)
    else:
        size = (grey.shape[1], grey.shape[0])
        small = cv2.resize(mask.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
        inside = np.asarray(small * 255, np.uint8)
        places, looks = root_sift_of_product(grey, inside, most=MOST_FEATURES)
    # Centres of pixels keep their places.
    return ((places + 0.5) / REDUCED - 0.5).astype(np.float32), looks


def _placements(
    product: ProductView, origins: Floats, targets: Floats, *, most: int
) -> Iterator[Placement]:
    height, width = product.mask.shape
    corners = np.array([[[0, 0], [width, 0], [width, height], [0, height]]], np.float32)
    for _number in range(most):
        if len(origins) < LEAST_MATCHES:
            return
        matrix, agrees = cv2.estimateAffinePartial2D(
            origins, targets, method=cv2.RANSAC, ransacReprojThreshold=REACH,
            maxIters=4000, confidence=0.999,
        )  # fmt: skip
        if matrix is None:
            return
        # One feature of the product may be claimed by many of the picture's.
        agreeing = len(np.unique(np.round(origins[agrees.ravel() > 0]), axis=0))
        placement = Placement(np.asarray(matrix, np.float64), agreeing)
        if agreeing < LEAST_MATCHES or not SCALES[0] <= placement.scale <= SCALES[1]:
            return
        yield placement
        outline = cv2.transform(corners, matrix)[0]
        outside = np.array(
            [cv2.pointPolygonTest(outline, (float(x), float(y)), False) < 0 for x, y in targets]
        )
        origins, targets = origins[outside], targets[outside]
