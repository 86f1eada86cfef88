"""Cropping, turning and scaling: the same pixels in another frame, and where the product goes with them."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from nb_catalog.core.text import message
from nb_catalog.core.types import Rect, Size
from nb_catalog.exceptions import AdjustmentRefused
from nb_catalog.imaging.adjust.kinds import Crop, Resize, Straighten
from nb_catalog.imaging.own_photo import Place, crop_box

# The name by which the translators' tools find texts.
_ = message

Bytes = NDArray[np.uint8]
Matrix = NDArray[np.float64]
"""(2, 3): from pixels of one picture to those of another. Pixels are squares, whose corners are whole."""
LEAST_SIDE: Final = 32
"""In pixels; a worker accepts nothing smaller as a picture."""
MOST_ENLARGED: Final = 2.0


def identity() -> Matrix:
    return np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])


def matrix_of(rows: Any) -> Matrix:
    """Return the matrix that ``as_rows`` returned as plain data; the identity for nothing."""
    return np.array(rows, np.float64) if rows else identity()


def as_rows(matrix: Matrix) -> list[list[float]]:
    """Return plain data for a picture's checks, exact to a thousandth of a pixel in any picture."""
    return [[round(float(each), 9) for each in row] for row in matrix]


def then(first: Matrix, second: Matrix) -> Matrix:
    """Return the matrix that does ``first``, and ``second`` to its result."""
    whole = np.vstack([second, [0, 0, 1]]) @ np.vstack([first, [0, 0, 1]])
    return np.asarray(whole[:2])


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A picture on its way: (H, W, 3) or (H, W, 4) ``pixels``, the ``product``'s rectangle and its ``mask``,
    (H, W), as far as they are known, and the ``matrix`` from the first picture to this one."""

    pixels: Bytes
    product: Rect | None
    mask: Bytes | None
    matrix: Matrix

    @property
    def size(self) -> Size:
        return Size(self.pixels.shape[1], self.pixels.shape[0])


def check_size(size: Size, *, most: int) -> None:
    """Raise ``AdjustmentRefused`` if a picture of that ``size`` has more than ``most`` pixels."""
    if size.width * size.height > most:
        raise AdjustmentRefused(
            _("The picture would have %(width)s × %(height)s pixels, more than this site accepts.")
            % {"width": size.width, "height": size.height}
        )


def crop(frame: Frame, adjustment: Crop) -> Frame:
    """Raises ``AdjustmentRefused`` if the product does not fit, ``CropRefused`` if too little is left."""
    product = frame.product
    place = None if product is None else Place(product, product)
    ratio = adjustment.ratio
    widest = None if product is None else crop_box(frame.size, ratio=ratio, place=None)
    if widest and product and (product.width > widest.width or product.height > widest.height):
        raise AdjustmentRefused(
            _(
                "Cropped to %(ratio)s, part of the product would be cut off. Choose another ratio, or extend "
                "the ground."
            )
            % {"ratio": ratio}
        )
    box = crop_box(frame.size, ratio=ratio, place=place)
    return frame if box is None else cut(frame, box)


def cut(frame: Frame, box: Rect) -> Frame:
    """Return what is inside ``box``."""
    rows, columns = slice(box.top, box.bottom), slice(box.left, box.right)
    product = frame.product
    return replace(
        frame,
        pixels=np.ascontiguousarray(frame.pixels[rows, columns]),
        product=product and product._replace(left=product.left - box.left, top=product.top - box.top),
        mask=None if frame.mask is None else np.ascontiguousarray(frame.mask[rows, columns]),
        matrix=then(frame.matrix, np.array([[1.0, 0, -box.left], [0, 1.0, -box.top]])),
    )  # fmt: skip


def straighten(frame: Frame, adjustment: Straighten) -> Frame:
    """Raises ``AdjustmentRefused`` if the product is not wholly inside of what is left."""
    width, height = frame.size
    angle = math.radians(adjustment.degrees)
    cos, sin = math.cos(angle), abs(math.sin(angle))
    share = min(width / (width * cos + height * sin), height / (width * sin + height * cos))
    left = Size(math.floor(width * share), math.floor(height * share))
    if min(left) < LEAST_SIDE:
        raise AdjustmentRefused(_("Too little of the picture would be left. Turn it less."))
    turn = np.array([[cos, -math.sin(angle)], [math.sin(angle), cos]])
    offset = np.array(left) / 2 - turn @ (np.array(frame.size) / 2)
    matrix = np.column_stack([turn, offset])
    product = None if frame.product is None else moved_box(frame.product, matrix)
    if product is not None and not Rect(0, 0, *left).holds(product):
        raise AdjustmentRefused(
            _(
                "Turned by %(degrees)s degrees, part of the product would be cut off. Turn it less, or "
                "extend the ground first."
            )
            % {"degrees": f"{adjustment.degrees:g}"}
        )
    return replace(
        frame,
        pixels=warped(frame.pixels, matrix, size=left),
        product=product,
        mask=None if frame.mask is None else warped(frame.mask, matrix, size=left),
        matrix=then(frame.matrix, matrix),
    )


def resize(frame: Frame, adjustment: Resize) -> Frame:
    """Raises ``AdjustmentRefused`` for an enlargement that was not asked for, or is too large."""
    scale = adjustment.width / frame.size.width
    if scale == 1:
        return frame
    if scale > 1 and not adjustment.enlarge:
        raise AdjustmentRefused(
            _(
                "The picture is %(width)d pixels wide, and enlarging it to %(wanted)d adds no detail. Choose "
                "a smaller width, make it again at a larger size, or ask for it to be enlarged."
            )
            % {"width": frame.size.width, "wanted": adjustment.width}
        )
    if scale > MOST_ENLARGED:
        raise AdjustmentRefused(
            _(
                "The picture is %(width)d pixels wide. It can be enlarged to twice that at most, not to "
                "%(wanted)d."
            )
            % {"width": frame.size.width, "wanted": adjustment.width}
        )
    size = Size(adjustment.width, max(1, round(frame.size.height * scale)))
    if min(size) < LEAST_SIDE:
        raise AdjustmentRefused(
            _("The picture would have %(width)s × %(height)s pixels. Choose a larger width.")
            % {"width": size.width, "height": size.height}
        )
    factors = size.width / frame.size.width, size.height / frame.size.height
    matrix = np.array([[factors[0], 0, 0], [0, factors[1], 0]])
    return replace(
        frame,
        pixels=_scaled(frame.pixels, size),
        product=None if frame.product is None else moved_box(frame.product, matrix),
        mask=None if frame.mask is None else _scaled(frame.mask, size),
        matrix=then(frame.matrix, matrix),
    )


def moved_box(box: Rect, matrix: Matrix) -> Rect:
    """Return the whole pixels around ``box`` after ``matrix``."""
    corners = np.array(
        [[x, y, 1.0] for x in (box.left, box.right) for y in (box.top, box.bottom)]
    ) @ matrix.T  # fmt: skip
    # Rounding errors must not add a pixel.
    left, top = np.floor(corners.min(axis=0) + 1e-6)
    right, bottom = np.ceil(corners.max(axis=0) - 1e-6)
    return Rect(int(left), int(top), int(right - left), int(bottom - top))


def warped(pixels: Bytes, matrix: Matrix, *, size: Size) -> Bytes:
    """Return ``pixels`` after ``matrix`` in a picture of ``size``; the edge is repeated outside."""
    into = matrix.copy()
    # OpenCV's whole numbers are the middles of pixels.
    into[:, 2] += matrix[:, :2] @ np.array([0.5, 0.5]) - 0.5
    return np.asarray(
        cv2.warpAffine(
            pixels, into, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
        ),
        np.uint8,
    )  # fmt: skip


def _scaled(pixels: Bytes, size: Size) -> Bytes:
    return np.array(
        Image.fromarray(pixels).resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
    )
