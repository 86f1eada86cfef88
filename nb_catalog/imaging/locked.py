"""The locked treatment with a model: the product's own pixels on a background that it painted."""

from __future__ import annotations

from typing import Final, cast

import numpy as np

from nb_catalog.core.types import Rect
from nb_catalog.imaging.compose import Pose, compose_on
from nb_catalog.imaging.cutout import Cutout, cut_out
from nb_catalog.imaging.encode import encode
from nb_catalog.imaging.inspect import open_photo
from nb_catalog.imaging.provenance import source_type_for, xmp_packet

QUALITY: Final = 95


def cut_out_photo(photo: bytes, *, max_bytes: int, max_pixels: int) -> Cutout:
    """Cut out the product of a photo file. Raises ``PictureError``, mostly ``CutoutRefused``."""
    return cut_out(open_photo(photo, max_bytes=max_bytes, max_pixels=max_pixels))


def compose_into(
    picture: bytes, *, photo: bytes, pose: str = "", max_bytes: int, max_pixels: int
) -> tuple[bytes, Rect]:
    """Place the product of ``photo`` in ``picture``, an empty background from a model.

    Returns a JPEG with its provenance mark, and the rectangle that the product takes in it.
    ``pose`` is one of ``types.POSES``; "" means to estimate it. Raises ``PictureError`` if either
    file does not open or the product cannot be cut out.
    """
    product = cut_out_photo(photo, max_bytes=max_bytes, max_pixels=max_pixels)
    background = open_photo(picture, max_bytes=max_bytes, max_pixels=max_pixels).convert("RGB")
    term = source_type_for(model_drew_background=True, model_drew_product=False)
    composition = compose_on(
        product, np.asarray(background), pose=cast("Pose | None", pose or None)
    )
    data = encode(
        composition.pixels, format="jpeg", quality=QUALITY, xmp=xmp_packet(term), full_chroma=True
    )
    return data, composition.product
