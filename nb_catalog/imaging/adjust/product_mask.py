"""Which pixels of a picture are the product: the mask of its photo, laid where the product was placed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from PIL import Image

from nb_catalog.core.text import message
from nb_catalog.core.types import Rect, Size
from nb_catalog.exceptions import AdjustmentRefused, CutoutRefused
from nb_catalog.imaging.adjust.geometry import Bytes, Matrix, matrix_of, then, warped
from nb_catalog.imaging.cutout import cut_by_mask
from nb_catalog.imaging.cutout.alpha import find_product as find_product_alpha
from nb_catalog.imaging.cutout.alpha import has_outline
from nb_catalog.imaging.cutout.mask_files import read_mask, save_mask
from nb_catalog.imaging.cutout.outline import solid_box
from nb_catalog.imaging.edit_area import touches
from nb_catalog.imaging.inspect import examine, open_photo
from nb_catalog.imaging.own_photo import crop_box, find_product

# The name by which the translators' tools find texts.
_ = message

SAME_SHAPE: Final = 0.03
"""By how much the outline's ratio may differ from that of its place, as a share."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductMask:
    """A PNG ``file`` of a product's alpha, the rectangle that its solid part takes in the picture as it was
    made first, and the ``matrix`` from there to this picture. ``refine``: a machine made the mask."""

    file: bytes
    place: Rect
    matrix: Matrix
    refine: bool


def alpha_of(pixels: Bytes, mask: ProductMask, *, max_bytes: int, max_pixels: int) -> Bytes:
    """Return how much of each of ``pixels``, (H, W, 3), is product: (H, W), 255 where it is all.

    Raises ``AdjustmentRefused`` if the mask is not one of the product at its place.
    """
    alpha = read_mask(mask.file, max_bytes=max_bytes, max_pixels=max_pixels)
    solid = solid_box(alpha)
    if not solid.width or not mask.place.width or not mask.place.height:
        raise AdjustmentRefused(unknown_background())
    across, down = mask.place.width / solid.width, mask.place.height / solid.height
    if abs(across / down - 1) > SAME_SHAPE:
        # Another photo, or a cover that is turned.
        raise AdjustmentRefused(unknown_background())
    onto = np.array(
        [
            [across, 0, mask.place.left - across * solid.left],
            [0, down, mask.place.top - down * solid.top],
        ]
    )
    size = Size(pixels.shape[1], pixels.shape[0])
    # Reduced by a whole number first, so that warping it does not skip pixels.
    step = max(1, int(1 / max(across, down)))
    if step > 1:
        alpha = np.asarray(Image.fromarray(alpha).reduce(step), np.uint8)
    matrix = then(onto, mask.matrix) @ np.diag([step, step, 1.0])
    laid = warped(alpha, matrix, size=size)
    out = np.zeros(pixels.shape[:2], np.uint8)
    try:
        cutout = cut_by_mask(Image.fromarray(pixels), laid, refine=mask.refine)
    except CutoutRefused as error:
        raise AdjustmentRefused(unknown_background()) from error
    box = cutout.box
    out[box.top : box.bottom, box.left : box.right] = cutout.pixels[..., 3]
    return out


def mask_in_picture(picture: bytes, mask: ProductMask, *, max_bytes: int, max_pixels: int) -> bytes:
    """Return a PNG file of the product's alpha in the file of a ``picture``. Raises ``PictureError``."""
    limits = {"max_bytes": max_bytes, "max_pixels": max_pixels}
    rgb = np.asarray(open_photo(picture, **limits).convert("RGB"))
    return save_mask(alpha_of(rgb, mask, **limits))


def area_meets_product(
    area: bytes,
    *,
    size: Size,
    product: Sequence[int] | None,
    place: Sequence[int] | None,
    matrix: Any,
    mask: bytes | None,
    max_bytes: int,
    max_pixels: int,
) -> bool:
    """Return whether an edit of ``area``, a mask file, may change the product of a picture of ``size``.

    Its outline counts if ``mask`` and ``place`` are known, otherwise the box ``product``; without either the
    answer is yes. Raises ``PictureError``.
    """
    limits = {"max_bytes": max_bytes, "max_pixels": max_pixels}
    painted = read_mask(area, **limits)
    if mask is not None and place is not None:
        flat = np.zeros((size.height, size.width, 3), np.uint8)
        laid = ProductMask(file=mask, place=Rect(*place), matrix=matrix_of(matrix), refine=False)
        return touches(painted, alpha_of(flat, laid, **limits))
    if product is None:
        return True
    box = np.zeros((size.height, size.width), np.uint8)
    left, top, width, height = product
    box[max(0, top) : top + height, max(0, left) : left + width] = 255
    return touches(painted, box)


def unknown_background() -> str:
    return _(
        "It is not known which pixels of this picture are background. That is known of pictures with the "
        "product's own pixels, once its photo is cut out; ask a model in words for other pictures."
    )


def place_in_photo(
    mask: bytes,
    *,
    picture: Size,
    photo: bytes | None = None,
    ratio: str = "",
    max_bytes: int,
    max_pixels: int,
) -> Rect:
    """Return the rectangle of a product in its own photo as a ``picture`` of this size.

    ``mask`` is a PNG file of the product's alpha in the photo. If the picture is the ``photo`` cropped to
    ``ratio``, its file is needed. Raises ``PictureError``.
    """
    limits = {"max_bytes": max_bytes, "max_pixels": max_pixels}
    alpha = read_mask(mask, **limits)
    solid, whole, crop = solid_box(alpha), picture, None
    if photo is not None and ratio:
        facts = examine(photo, decode=False, **limits)
        whole = Size(facts.width, facts.height)
        crop = crop_box(whole, ratio=ratio, place=find_product(photo, size=whole, **limits))
    across, down = whole.width / alpha.shape[1], whole.height / alpha.shape[0]
    left, top = round(solid.left * across), round(solid.top * down)
    return Rect(
        left - (crop.left if crop else 0),
        top - (crop.top if crop else 0),
        round(solid.width * across),
        round(solid.height * down),
    )


def own_mask(photo: bytes, *, max_bytes: int, max_pixels: int) -> bytes | None:
    """Return a PNG file of the outline that a photo has by its own transparency; None without one.

    Raises ``PictureError``.
    """
    image = open_photo(photo, max_bytes=max_bytes, max_pixels=max_pixels)
    return save_mask(find_product_alpha(image).alpha) if has_outline(image) else None
