"""Composition of two picture files, whose product is looked for where its place is not known."""

from __future__ import annotations

from typing import Final

import numpy as np

from nb_catalog.conf import PictureLimits
from nb_catalog.core.types import Size
from nb_catalog.imaging.box import Box
from nb_catalog.imaging.composition import CompositionChange, compare_composition, take_sketch
from nb_catalog.imaging.inspect import open_photo
from nb_catalog.imaging.product_box import measure_box
from nb_catalog.imaging.product_box.common import Rgba
from nb_catalog.imaging.product_box.features import box_by_features
from nb_catalog.imaging.scenery.canvas import Pixels

EXAMINED_SIDE: Final = 1024
"""Pixels of the longer side at which pictures are compared."""


def compare_files(
    draft: bytes,
    final: bytes,
    *,
    draft_product: Box | None = None,
    final_product: Box | None = None,
    cutout: Rgba | None = None,
    max_bytes: int,
    max_pixels: int,
) -> CompositionChange:
    """Compare the files of a draft and its final.

    Where a product's box is not known, ``cutout``, its pixels with alpha, is looked for; without it, nothing
    is said about its place. Raises ``PictureError`` for a file that does not open.
    """
    limits: PictureLimits = {"max_bytes": max_bytes, "max_pixels": max_pixels}
    first, second = (
        np.asarray(open_photo(each, longest_side=EXAMINED_SIDE, **limits).convert("RGB"))
        for each in (draft, final)
    )
    if cutout is not None:
        draft_product = draft_product or find_product(first, cutout=cutout)
        # Looked for where the draft has it: there, two ways have to agree on less.
        final_product = final_product or find_product(second, cutout=cutout, near=draft_product)
    return compare_composition(
        take_sketch(first, product=draft_product), take_sketch(second, product=final_product)
    )


def find_product(pixels: Pixels, *, cutout: Rgba, near: Box | None = None) -> Box | None:
    """Return where the product is, ``near`` a place or where its features are; None if that is not
    certain."""
    size = Size(pixels.shape[1], pixels.shape[0])
    for expected in (near, box_by_features(pixels, cutout)):
        if expected is None:
            continue
        is_across = max(0.0, expected.left) < min(1.0, expected.right)
        if not is_across or max(0.0, expected.top) >= min(1.0, expected.bottom):
            continue  # outside the picture
        measured = measure_box(pixels, product=cutout, expected=expected.rect(size))
        if measured is not None:
            return measured.box
    return None
