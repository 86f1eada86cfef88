"""What a picture file is, measured on its own bytes and pixels: for rules of sales channels."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from io import BytesIO
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, JpegImagePlugin

from nb_catalog.imaging import containers
from nb_catalog.imaging.box import Box
from nb_catalog.imaging.inspect import examine_and_open
from nb_catalog.imaging.provenance import DigitalSourceType, read_mark

WHITE: Final = 253
"""The least value of each channel, 0 to 255, of a pixel that counts as pure white: a JPEG of white has pixels
of 254."""
LIGHT: Final = 200
"""The least value of the darkest channel of a light background."""
INK: Final = 244
"""The least value of each channel that is not part of the product on a white background."""
RING: Final = 0.01
"""Share of the longest side that the outermost ring has, which shows the background."""
NEAR_PRODUCT: Final = 0.02
"""Share of the frame around the product's box in which its shadow may be."""
DEEPEST_BORDER: Final = 0.06
"""Share of a side that a drawn border may be wide."""
BORDER_CONTRAST: Final = 24
"""By how many of 255 values a drawn border differs from what is inside of it."""
# Pixels of a row that are noise, as a share of it.
_NOISE: Final = 0.002

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True)
class FileMeasures:
    """A picture file; lengths in pixels, shares from 0 to 1.

    ``jpeg_quality`` is on libjpeg's scale, None for other formats and other encoders' tables. ``mark`` is the
    digital source type in its XMP. ``white_border`` and ``light_border`` are shares of the outermost ring,
    ``white_outside`` of what is away from the product's box, None without one. ``ink_box`` is what is
    not white on a white background, shadows included; None on any other. ``is_framed`` says that a border is
    drawn around the picture.
    """

    format: str
    width: int
    height: int
    byte_size: int
    jpeg_quality: int | None
    mark: DigitalSourceType | None
    has_alpha: bool
    white_border: float
    light_border: float
    white_outside: float | None
    ink_box: Box | None
    is_framed: bool


def measure_file(
    data: bytes, *, product: Box | None, max_bytes: int, max_pixels: int
) -> FileMeasures:
    """Return what the picture file ``data`` is. ``product`` is where its product is said to be.

    Transparent pixels count as what they show on white. Raises ``PictureError``.
    """
    opened = examine_and_open(data, max_bytes=max_bytes, max_pixels=max_pixels)
    facts, image = opened.facts, opened.image
    if image.mode == "RGBA":
        ground = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(ground, image)
    pixels: Pixels = np.asarray(image.convert("RGB"))
    darkest = pixels.min(axis=2)
    height, width = darkest.shape
    ring = np.ones((height, width), dtype=bool)
    depth = max(2, round(RING * max(width, height)))
    ring[depth:-depth, depth:-depth] = False
    outside: NDArray[np.bool_] | None = None
    if product is not None:
        near = product.grown(NEAR_PRODUCT)
        rows = slice(max(0, round(near.top * height)), max(0, round(near.bottom * height)))
        columns = slice(max(0, round(near.left * width)), max(0, round(near.right * width)))
        outside = np.ones((height, width), dtype=bool)
        outside[rows, columns] = False
    white_border = float((darkest[ring] >= WHITE).mean())
    return FileMeasures(
        format=(containers.sniff(data) or "").removeprefix("image/"),
        width=facts.width,
        height=facts.height,
        byte_size=len(data),
        jpeg_quality=_jpeg_quality(data),
        mark=read_mark(data),
        has_alpha=facts.has_alpha,
        white_border=white_border,
        light_border=float((darkest[ring] >= LIGHT).mean()),
        white_outside=None
        if outside is None or not outside.any()
        else float((darkest[outside] >= WHITE).mean()),
        ink_box=_ink_box(darkest) if white_border > 0.9 else None,
        is_framed=_is_framed(pixels, product=product),
    )


def _ink_box(darkest: NDArray[np.uint8]) -> Box | None:
    ink = darkest < INK
    height, width = ink.shape
    rows = np.flatnonzero(ink.mean(axis=1) > _NOISE)
    columns = np.flatnonzero(ink.mean(axis=0) > _NOISE)
    if not rows.size or not columns.size:
        return None
    return Box(
        float(columns[0] / width), float(rows[0] / height),
        float((columns[-1] + 1) / width), float((rows[-1] + 1) / height),
    )  # fmt: skip


def _is_framed(pixels: Pixels, *, product: Box | None) -> bool:
    """Return whether the picture has one colour along all four sides and, at one depth, another one.

    White along the sides is a background, and so is what is around a product that fills the frame.
    """
    height, width = pixels.shape[:2]
    deepest = max(2, round(DEEPEST_BORDER * min(height, width)))
    if 2 * deepest >= min(height, width):
        return False
    if product is not None:
        margins = (product.left, product.top, 1 - product.right, 1 - product.bottom)
        if max(margins) <= DEEPEST_BORDER + NEAR_PRODUCT:
            return False
    grey = pixels.mean(axis=2)
    sides = (grey, grey[::-1], grey.T, grey.T[::-1])
    if any(side[0].std() > 4 for side in sides):
        return False
    outer = [float(np.median(side[0])) for side in sides]
    if max(outer) - min(outer) > BORDER_CONTRAST / 2 or min(outer) >= WHITE:
        return False
    medians = np.array([np.median(side[: deepest + 1], axis=1) for side in sides])
    return bool((abs(medians - medians[:, :1]) > BORDER_CONTRAST).all(axis=0).any())


def _jpeg_quality(data: bytes) -> int | None:
    """Return the quality by the sum of the file's quantization tables, compared with libjpeg's."""
    if containers.sniff(data) != "image/jpeg":
        return None
    tables = JpegImagePlugin.JpegImageFile(BytesIO(data)).quantization
    total = sum(sum(table) for table in list(tables.values())[:1])
    return max((quality for quality, each in _luminance_sums() if each >= total), default=100)


@cache
def _luminance_sums() -> tuple[tuple[int, int], ...]:
    """Return each quality from 1 to 100 with the sum of libjpeg's table for lightness."""
    sums = []
    for quality in range(1, 101):
        file = BytesIO()
        Image.new("L", (8, 8)).save(file, "JPEG", quality=quality)
        table = JpegImagePlugin.JpegImageFile(BytesIO(file.getvalue())).quantization[0]
        sums.append((quality, sum(table)))
    return tuple(sums)
