"""The look of a picture: small maps of its light, colours and finish, which are cheap to keep and compare."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from nb_catalog.core.types import Rect, Size
from nb_catalog.imaging.box import Box
from nb_catalog.imaging.compose.light_map import Y
from nb_catalog.imaging.compose.merge import TO_LINEAR
from nb_catalog.imaging.inspect import open_photo
from nb_catalog.imaging.scenery.canvas import Pixels

Map: TypeAlias = npt.NDArray[np.float32]
"""(rows, columns) or (rows, columns, channels)."""
SIDE: Final = 1024
"""Pixels of the longer side at which a picture is examined; a smaller one is examined as it is."""
LEAST_SIDE: Final = 128
"""Pixels of the shorter side of the smallest picture of which a look is taken."""
CELLS: Final = 32
"""Cells a side of the maps of light and finish."""
COLOURS: Final = 128
"""Cells a side of the map of colours."""
ROWS, COLUMNS = 512, 32
"""Of the map in which the line between wall and ground is searched for."""
FINE, COARSE = 1.0, 2.5
"""Deviations in pixels of the two blurs between which sharp detail is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a comparison needs of one picture, 400 kB of float32 maps whatever its size.

    ``size`` is the picture's in pixels. ``light`` is linear luminance 0..1, ``detail`` and ``grain`` are
    mean contrasts in L*, each (CELLS, CELLS); ``colours`` is CIELAB (COLOURS, COLOURS, 3) and ``bands``
    CIELAB (ROWS, COLUMNS, 3).
    """

    size: Size
    product: Box
    light: Map = field(repr=False)
    colours: Map = field(repr=False)
    bands: Map = field(repr=False)
    detail: Map = field(repr=False)
    grain: Map = field(repr=False)


def take_look(pixels: Pixels, *, product: Rect) -> Look:
    """Return the look of a picture, (H, W, 3) sRGB uint8, whose product is in the box ``product``.

    The box may reach beyond the frame. Raises ``ValueError`` for pixels of another shape or type, for a
    picture of less than ``LEAST_SIDE`` pixels, and for a box that is empty or outside the frame.
    """
    if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8:
        raise ValueError(
            f"Expected (height, width, 3) uint8, got {pixels.shape} {pixels.dtype}. "
            "Convert the picture to RGB."
        )
    size = Size(pixels.shape[1], pixels.shape[0])
    if min(size) < LEAST_SIDE:
        raise ValueError(
            f"A look needs at least {LEAST_SIDE} pixels a side, got {size.width} x {size.height}."
        )
    if not product.shared(Rect(0, 0, *size)):
        raise ValueError(f"The product's box {tuple(product)} shares no pixel with the picture.")
    if (longer := max(size)) > SIDE:
        at = (round(size.width * SIDE / longer), round(size.height * SIDE / longer))
        pixels = np.asarray(cv2.resize(pixels, at, interpolation=cv2.INTER_AREA), np.uint8)
    lab = cv2.cvtColor(pixels.astype(np.float32) * np.float32(1 / 255), cv2.COLOR_RGB2LAB)
    lightness = np.ascontiguousarray(lab[..., 0])
    fine, coarse = (cv2.GaussianBlur(lightness, (0, 0), each) for each in (FINE, COARSE))
    rough = cv2.absdiff(lightness, cv2.medianBlur(lightness, 3))
    linear = cv2.transform(cv2.LUT(pixels, TO_LINEAR), Y[None])
    return Look(
        size=size,
        product=Box.of(product, size),
        light=_pooled(linear, CELLS, CELLS),
        colours=_pooled(lab, COLOURS, COLOURS),
        bands=_pooled(lab, ROWS, COLUMNS),
        detail=_pooled(cv2.absdiff(fine, coarse), CELLS, CELLS),
        grain=_pooled(rough, CELLS, CELLS),
    )


def look_of_file(picture: bytes, *, product: Box, max_bytes: int, max_pixels: int) -> Look:
    """Return the look of a picture file. Raises ``PictureError``, and as ``look_of`` does."""
    return look_of(open_photo(picture, max_bytes=max_bytes, max_pixels=max_pixels), product=product)


def look_of(picture: Image.Image, *, product: Box) -> Look:
    """Return the look of a picture, as ``open_photo`` returns it. Raises as ``take_look`` does."""
    return take_look(np.asarray(picture.convert("RGB")), product=product.rect(Size(*picture.size)))


def _pooled(plane: npt.NDArray[Any], rows: int, columns: int) -> Map:
    return np.asarray(cv2.resize(plane, (columns, rows), interpolation=cv2.INTER_AREA), np.float32)
