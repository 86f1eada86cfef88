"""Compares the product of a photo with the product in a picture that a model painted.

The product is found in the picture by its features, laid over its photo, and compared: colours without
their light, fine detail tile by tile, outline, shape. The method and what it does not see: docs/fidelity.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

import numpy as np
from PIL import Image

from nb_catalog.core.colours import Rgb
from nb_catalog.exceptions import CutoutRefused
from nb_catalog.imaging.fidelity.alignment import find_placements
from nb_catalog.imaging.fidelity.measures import Comparison, measure
from nb_catalog.imaging.fidelity.reasons import describe_left_out, describe_reason
from nb_catalog.imaging.fidelity.recolour import guess_back
from nb_catalog.imaging.fidelity.regions import regions_of, whole_product
from nb_catalog.imaging.fidelity.report import (
    BORDER,
    FIDELITY_CHECK,
    MANY_COLOURS,
    NOT_FOUND,
    TWICE,
    Fidelity,
    fidelity_in,
    for_recoloured,
    judge,
)
from nb_catalog.imaging.fidelity.views import Pixels, ProductView, open_product, view_picture

__all__ = [
    "BORDER",
    "FIDELITY_CHECK",
    "Checked",
    "Fidelity",
    "check_fidelity",
    "describe_left_out",
    "describe_reason",
    "fidelity_in",
    "judge_picture",
]

EVERYWHERE: Final = frozenset({"colour", "other_colour", "old_colour", "shape", "outline"})
"""Reasons that may concern the whole product rather than a place in it."""


class Checked(NamedTuple):
    """The result, and the two views whose print may be read and compared: the product of the photo and the
    same place of the picture, (H, W, 3), white outside the product. Both are None if it was not found."""

    fidelity: Fidelity
    before: Pixels | None = None
    after: Pixels | None = None


def check_fidelity(
    photo: bytes,
    picture: Image.Image,
    *,
    mask: bytes | None,
    is_full_frame: bool = False,
    colour: Rgb | None = None,
    thresholds: Mapping[str, float],
    max_bytes: int,
    max_pixels: int,
) -> Checked:
    """Compare the product of ``photo``, a file, with the one in ``picture``, as ``open_photo`` returns it.

    ``mask`` is a PNG of the product's alpha; without one, the photo's own transparency is its outline. With
    ``is_full_frame`` the whole photo is the product. ``colour`` is the one that its main colour had to
    become; everything else has to be as it was. ``thresholds`` are those of the setting ``FIDELITY``. Raises
    ``PictureError`` for a photo or a mask that does not open.
    """
    limits = {"max_bytes": max_bytes, "max_pixels": max_pixels}
    try:
        product = open_product(photo, mask=mask, is_full_frame=is_full_frame, **limits)
    except CutoutRefused:
        return Checked(Fidelity(score=None, left_out=("small",)))
    return judge_picture(product, view_picture(picture), colour=colour, thresholds=thresholds)


def judge_picture(
    product: ProductView,
    picture: Pixels,
    *,
    colour: Rgb | None = None,
    thresholds: Mapping[str, float],
) -> Checked:
    """Compare ``product`` with ``picture``, as ``views`` opens them. ``colour`` as in ``check_fidelity``."""
    also = None if colour is None else guess_back(product, picture, colour=colour)
    placements = find_placements(product, picture, also=also)
    if placements is None:
        return Checked(Fidelity(score=None, left_out=("plain",)))
    if not placements:
        return Checked(Fidelity(score=0.0, reasons=(NOT_FOUND,)))
    found = measure(product, picture, placements, colour=colour)
    limits = for_recoloured(thresholds) if found.has_main_colour else thresholds
    score, reasons = judge(found.measures, limits)
    if found.is_twice:
        score, reasons = min(score, BORDER / 2), (TWICE, *reasons)
    regions: tuple[tuple[tuple[float, float], ...], ...] = ()
    if reasons:
        size = (picture.shape[1], picture.shape[0])
        regions = regions_of(found.changed, found.placement, size=size)
        # If nothing in the product stands out, all of it is marked.
        if not regions and not EVERYWHERE.isdisjoint(reasons):
            regions = (whole_product(found.pair.mask, found.placement, size=size),)
    return Checked(
        Fidelity(
            score=score,
            reasons=reasons,
            left_out=(
                *(() if found.is_detailed else ("few_details",)),
                *((MANY_COLOURS,) if colour is not None and not found.has_main_colour else ()),
            ),
            measures={name: round(value, 3) for name, value in found.measures.items()},
            regions=regions,
        ),
        before=_on_white(found.pair.product, found),
        after=_on_white(found.pair.picture, found),
    )


def _on_white(pixels: Pixels, found: Comparison) -> Pixels:
    return np.where(found.pair.mask[..., None], pixels, np.uint8(255))
