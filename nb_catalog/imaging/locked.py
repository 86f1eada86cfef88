"""The locked treatment on a model's surroundings: the product's own pixels, set into its picture."""

from __future__ import annotations

from typing import Final, cast

import numpy as np

from nb_catalog.core.types import Rect
from nb_catalog.imaging.compose import Pose, compose_on
from nb_catalog.imaging.cutout import Cutout, cut_out
from nb_catalog.imaging.encode import encode
from nb_catalog.imaging.inspect import open_photo
from nb_catalog.imaging.provenance import of_lineage, xmp_packet

QUALITY: Final = 95


def outlined(photo: bytes, *, max_bytes: int, max_pixels: int) -> Cutout:
    """The product in ``photo``. Raises ``PictureError``, above all ``CutoutRefused``."""
    return cut_out(open_photo(photo, max_bytes=max_bytes, max_pixels=max_pixels))


def compose_into(
    picture: bytes, *, photo: bytes, pose: str = "", max_bytes: int, max_pixels: int
) -> tuple[bytes, Rect]:
    """The product of ``photo`` in ``picture``, a model's empty surroundings: a marked JPEG, and where
    on it the product is.

    ``pose`` is one of ``types.POSES``. Raises ``PictureError`` when either does not
    open or the product does not come out.
    """
    product = outlined(photo, max_bytes=max_bytes, max_pixels=max_pixels)
    ground = open_photo(picture, max_bytes=max_bytes, max_pixels=max_pixels).convert("RGB")
    term = of_lineage(model_drew_ground=True, model_drew_product=False)
    made = compose_on(product, np.asarray(ground), rests=cast("Pose | None", pose or None))
    data = encode(
        made.pixels, format="jpeg", quality=QUALITY, xmp=xmp_packet(term), full_chroma=True
    )
    return data, made.product
