"""The product's box by its colours, against those of what is around it."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from nb_catalog.core.types import Size
from nb_catalog.imaging.box import Box
from nb_catalog.imaging.cutout.masks import has_one_colour
from nb_catalog.imaging.cutout.outline import find_solid
from nb_catalog.imaging.product_box.common import OUTLINE_SIDE, Rgba, box_of_pieces, reduced
from nb_catalog.imaging.scenery.canvas import Pixels

BAND: Final = 0.10
"""Share of the product's longer side around its outline in which GrabCut decides."""
ROUNDS: Final = 4


def box_by_colours(pixels: Pixels, product: Rgba, expected: Box) -> Box | None:
    """Return what GrabCut takes for the product in a band around the outline that it has in ``expected``.

    None if the product fills the frame, if nothing is left of it, or if the band has a single colour.
    """
    picture = reduced(pixels, OUTLINE_SIDE)
    size = Size(picture.shape[1], picture.shape[0])
    place = expected.rect(size)
    # The product's outline, scaled into its place in an empty frame.
    wide, tall = max(1, place.width), max(1, place.height)
    scaled = cv2.resize(product[..., 3], (wide, tall), interpolation=cv2.INTER_AREA)
    seed = np.zeros((size.height, size.width), np.uint8)
    rows = slice(max(0, place.top), min(size.height, place.top + tall))
    columns = slice(max(0, place.left), min(size.width, place.left + wide))
    seed[rows, columns] = find_solid(np.asarray(scaled, np.uint8))[
        rows.start - place.top : rows.stop - place.top,
        columns.start - place.left : columns.stop - place.left,
    ]
    reach = max(3, int(BAND * max(place.width, place.height)))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    labels = np.full(seed.shape, cv2.GC_BGD, np.uint8)
    labels[cv2.dilate(seed, disc) > 0] = cv2.GC_PR_BGD
    labels[seed > 0] = cv2.GC_PR_FGD
    labels[cv2.erode(seed, disc) > 0] = cv2.GC_FGD
    if has_one_colour(picture, (labels == cv2.GC_PR_BGD) | (labels == cv2.GC_PR_FGD)):
        return None
    cv2.setRNGSeed(1)
    background, product_model = np.zeros((1, 65)), np.zeros((1, 65))
    try:
        cv2.grabCut(
            picture, labels, (0, 0, 1, 1), background, product_model, ROUNDS, cv2.GC_INIT_WITH_MASK
        )
    except cv2.error:
        # One of the two classes has no pixel: the product fills the frame, or is thinner than the band.
        return None
    return box_of_pieces((labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD))
