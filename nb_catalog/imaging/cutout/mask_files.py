"""Masks as files: grey PNGs, white where the product is."""

from __future__ import annotations

from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from nb_catalog.imaging.cutout.alpha import has_outline
from nb_catalog.imaging.inspect import open_photo


def read_mask(data: bytes, *, max_bytes: int, max_pixels: int) -> NDArray[np.uint8]:
    """Return the alpha, (H, W) uint8, that a picture file states: its own transparency if it has an
    outline, as a photo that was cut out elsewhere, otherwise its lightness. Raises ``PictureError``."""
    image = open_photo(data, max_bytes=max_bytes, max_pixels=max_pixels)
    channel = image.getchannel("A") if has_outline(image) else image.convert("L")
    return np.asarray(channel, np.uint8)


def save_mask(alpha: NDArray[np.uint8]) -> bytes:
    """Return ``alpha`` (H, W) as a grey PNG file."""
    file = BytesIO()
    Image.fromarray(alpha).save(file, "PNG", compress_level=6)
    return file.getvalue()
