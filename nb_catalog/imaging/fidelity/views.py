"""The two pictures that are compared: the product cut out of its photo, and the picture that shows it."""

from __future__ import annotations

from typing import Final, NamedTuple, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from nb_catalog.imaging.cutout import find_mask
from nb_catalog.imaging.cutout.backends import ClassicalCutout
from nb_catalog.imaging.cutout.mask_files import read_mask
from nb_catalog.imaging.cutout.types import nothing_visible
from nb_catalog.imaging.encode import flatten
from nb_catalog.imaging.inspect import open_photo, scale_within

Pixels: TypeAlias = npt.NDArray[np.uint8]
"""(H, W, 3) sRGB."""
Mask: TypeAlias = npt.NDArray[np.bool_]

PICTURE_SIDE: Final = 1024
"""Pixels of a picture's longer side at which it is judged."""
PRODUCT_SIDE: Final = 640
"""Side in pixels of the square whose area the product's box has at most: what a picture of 1024 shows."""
PHOTO_SIDE: Final = 2048
LEAST_SIDE: Final = 48
"""Pixels of the product's shorter side: with fewer, nothing can be said about it."""
OPAQUE: Final = 128
MARGIN: Final = 12
"""Pixels around the product."""


class ProductView(NamedTuple):
    """A product: its ``pixels`` (H, W, 3) on their own background, and the (H, W) ``mask`` of the product."""

    pixels: Pixels
    mask: Mask

    @property
    def area(self) -> int:
        """Its pixels."""
        return int(np.count_nonzero(self.mask))


def open_product(
    photo: bytes,
    *,
    mask: bytes | None,
    is_full_frame: bool = False,
    max_bytes: int,
    max_pixels: int,
) -> ProductView:
    """Return the product of a photo file, scaled as a picture shows it.

    ``mask`` is a PNG file of its alpha; without one, the photo's own transparency is the outline.
    Raises ``PictureError`` for files that do not open, ``CutoutRefused`` if no product can be seen.
    """
    limits = {"max_bytes": max_bytes, "max_pixels": max_pixels}
    view = open_photo(photo, longest_side=PHOTO_SIDE, **limits)
    if is_full_frame:
        alpha = np.full((view.height, view.width), 255, np.uint8)
    elif mask is None:
        alpha = find_mask(view, backend=ClassicalCutout()).alpha
    else:
        alpha = read_mask(mask, **limits)
    if alpha.shape != (view.height, view.width):
        alpha = np.asarray(cv2.resize(alpha, view.size, interpolation=cv2.INTER_AREA), np.uint8)
    solid = (alpha >= OPAQUE).astype(np.uint8)
    left, top, width, height = cv2.boundingRect(solid)
    if min(width, height) < LEAST_SIDE:
        raise nothing_visible()
    scale = min(1.0, PRODUCT_SIDE / (width * height) ** 0.5)
    around = round(MARGIN / scale)
    box = (left - around, top - around, left + width + around, top + height + around)
    size = (round((box[2] - box[0]) * scale), round((box[3] - box[1]) * scale))
    # Cropped beyond the photo, where a product that fills it has its margin.
    pixels = flatten(view.crop(box)).resize(size, Image.Resampling.BOX, reducing_gap=None)
    cut = Image.fromarray(solid * np.uint8(255)).crop(box).resize(size, Image.Resampling.BOX)
    return ProductView(np.asarray(pixels, np.uint8), np.asarray(cut) >= OPAQUE)


def view_picture(picture: Image.Image) -> Pixels:
    """Return the pixels of a picture on white, its longer side at most ``PICTURE_SIDE``."""
    return np.asarray(flatten(scale_within(picture, PICTURE_SIDE)), np.uint8)
