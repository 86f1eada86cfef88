"""Where the product is in a painted picture, whose mask nobody knows: found in ways that must agree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np
from PIL import Image

from nb_catalog.core.types import Rect, Size
from nb_catalog.exceptions import CutoutRefused
from nb_catalog.imaging.box import Box
from nb_catalog.imaging.cutout import Cutout, CutoutBackend
from nb_catalog.imaging.cutout.outline import find_solid, solid_box
from nb_catalog.imaging.product_box.colours import box_by_colours
from nb_catalog.imaging.product_box.common import Rgba, box_of_pieces
from nb_catalog.imaging.product_box.features import box_by_features
from nb_catalog.imaging.product_box.outline import box_by_outline
from nb_catalog.imaging.scenery.canvas import Pixels

__all__ = ["MeasuredBox", "agreed_box", "find_product_in", "measure_box"]

AGREEMENT: Final = 0.015
"""Share of the frame by which each side of two boxes may differ at most."""
MARGIN: Final = 0.35
"""Share of the expected box's longer side around it that a network gets to see."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredBox:
    """The product's box, and the names of the ways that agree on it."""

    box: Box
    ways: tuple[str, ...]


def measure_box(
    pixels: Pixels, *, product: Rgba, expected: Rect, backend: CutoutBackend | None = None
) -> MeasuredBox | None:
    """Return where ``product`` is in a picture, or None if no two ways find it in the same place.

    ``pixels`` is (H, W, 3) sRGB uint8, ``product`` the cut-out that the picture is of, and ``expected``
    the box in which it was asked for; the product may be 16 % larger or smaller and 6 % of the frame
    away. The ways are the product's features, its outline, its colours against those of the background,
    and, if these do not agree, the mask that ``backend``, which should be a network, finds near the
    expected box. Raises ``ValueError`` if nothing of ``product`` is visible, or if ``expected`` shares no
    pixel with the picture.
    """
    size = Size(pixels.shape[1], pixels.shape[0])
    if not expected.shared(Rect(0, 0, *size)):
        raise ValueError(f"The expected box {tuple(expected)} is outside the picture.")
    solid = solid_box(product[..., 3])
    if not solid.width:
        raise ValueError("Nothing of the product is visible in its cut-out.")
    product = product[solid.top : solid.bottom, solid.left : solid.right]
    found = {
        "outline": box_by_outline(pixels, product, expected),
        "colours": box_by_colours(pixels, product, Box.of(expected, size)),
        "features": box_by_features(pixels, product),
    }
    measured = agreed_box(found)
    if measured is None and backend is not None:
        measured = agreed_box({**found, "network": box_by_network(pixels, expected, backend)})
    return measured


def agreed_box(found: Mapping[str, Box | None]) -> MeasuredBox | None:
    """Return the median of the boxes that agree with one of the closest two; None if these do not agree."""
    boxes = {way: box for way, box in found.items() if box is not None}
    pairs = [(boxes[a].difference(boxes[b]), a, b) for a, b in combinations(boxes, 2)]
    if not pairs or min(pairs)[0] > AGREEMENT:
        return None
    _difference, first, second = min(pairs)
    ways = tuple(
        way
        for way, box in boxes.items()
        if min(box.difference(boxes[first]), box.difference(boxes[second])) <= AGREEMENT
    )
    sides = np.median([boxes[way] for way in ways], axis=0)
    return MeasuredBox(box=Box(*(float(side) for side in sides)), ways=ways)


def box_by_network(pixels: Pixels, expected: Rect, backend: CutoutBackend) -> Box | None:
    """Return the box of the mask that ``backend`` finds in the part of the picture around ``expected``."""
    size = Size(pixels.shape[1], pixels.shape[0])
    margin = round(MARGIN * max(expected.width, expected.height))
    near = expected.grown(margin)
    left, top = max(0, near.left), max(0, near.top)
    right, bottom = min(size.width, near.right), min(size.height, near.bottom)
    try:
        alpha = backend.find_mask(Image.fromarray(pixels[top:bottom, left:right])).alpha
    except CutoutRefused:
        return None
    box = box_of_pieces(find_solid(alpha))
    if box is None:
        return None
    wide, tall = right - left, bottom - top
    return Box(
        (left + box.left * wide) / size.width, (top + box.top * tall) / size.height,
        (left + box.right * wide) / size.width, (top + box.bottom * tall) / size.height,
    )  # fmt: skip


def find_product_in(picture: Image.Image, *, product: Cutout, expected: Box) -> Box | None:
    """Return where ``product`` is in a picture, near its ``expected`` box, as ``measure_box`` does."""
    try:
        measured = measure_box(
            np.asarray(picture.convert("RGB")),
            product=product.pixels,
            expected=expected.rect(Size(*picture.size)),
        )
    except ValueError:
        return None
    return None if measured is None else measured.box
