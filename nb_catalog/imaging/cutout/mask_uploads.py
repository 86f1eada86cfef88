"""Masks that people draw or upload: whether they fit the photo and show anything."""

from __future__ import annotations

from typing import Final

import numpy as np

from nb_catalog.core.text import message as _
from nb_catalog.core.types import PhotoKind, Size
from nb_catalog.exceptions import CutoutRefused
from nb_catalog.imaging.cutout.mask_files import read_mask, save_mask

# Share of all pixels: what is less is a slip of the hand.
LEAST_SHARE: Final = 0.0005
SOLID: Final = 128
# Mean of a mask without anything that is not product.
FULL: Final = 254.5
SAME_SHAPE: Final = 0.01


def mask_from_upload(data: bytes, *, photo: Size, max_bytes: int, max_pixels: int) -> bytes:
    """Return the mask that a person's picture file holds, as the bytes of a PNG.

    The product is where a picture with transparency is opaque, or another one is white: both a cut photo
    and a mask will do. ``photo`` is the photo's size in pixels, 0 by 0 if unknown; a mask of the same shape
    may be smaller or larger. Raises ``PictureError`` for a file that is not a sound picture, and
    ``CutoutRefused`` for a mask of another shape, an empty or a full one.
    """
    alpha = read_mask(data, max_bytes=max_bytes, max_pixels=max_pixels)
    height, width = alpha.shape
    if all(photo) and not has_shape(Size(width, height), photo):
        raise CutoutRefused(
            _(
                "The mask has %(mask)s pixels and the photo %(photo)s: they are not of the same shape. "
                "Export the mask from the uncropped photo."
            )
            % {"mask": f"{width} × {height}", "photo": f"{photo.width} × {photo.height}"}
        )
    if float(np.mean(alpha >= SOLID)) < LEAST_SHARE:
        raise CutoutRefused(
            _("The mask is empty: nothing in it is product. White, or opaque, is product.")
        )
    if float(np.mean(alpha)) > FULL:
        raise CutoutRefused(
            _(
                "The mask is full: the whole photo would be product. If it is, as a book cover is, set the "
                "kind of photo to “%(kind)s”."
            )
            % {"kind": PhotoKind.FULL_FRAME.label}
        )
    return save_mask(np.ascontiguousarray(alpha))


def has_shape(size: Size, photo: Size) -> bool:
    """Return whether ``size`` is ``photo`` scaled; its sides are whole numbers of pixels."""
    expected = size.width * photo.height / photo.width
    return abs(size.height - expected) <= max(1.0, SAME_SHAPE * expected)
