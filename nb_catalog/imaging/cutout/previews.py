"""Photos, masks and cut-outs as files for people who judge and correct them."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image

from nb_catalog.imaging.cutout.strokes import FINE_SIDE, Stroke, solve
from nb_catalog.imaging.encode import encode, flatten
from nb_catalog.imaging.inspect import open_photo


def photo_file(photo: bytes, *, longest_side: int, max_bytes: int, max_pixels: int) -> bytes:
    """Return ``photo``, upright in sRGB and on white if it is transparent, as a JPEG file."""
    view = open_photo(photo, longest_side=longest_side, max_bytes=max_bytes, max_pixels=max_pixels)
    return encode(flatten(view), format="jpeg", quality=90)


def mask_file(
    photo: bytes, *, mask: bytes | None, longest_side: int, max_bytes: int, max_pixels: int
) -> bytes:
    """Return the product's mask at the size of ``photo_file``, as a grey PNG file.

    Without ``mask`` it is the photo's own transparency, and black for a photo without one.
    """
    limits = {"max_bytes": max_bytes, "max_pixels": max_pixels}
    view = open_photo(photo, longest_side=longest_side, **limits)
    return _png(_mask_of(view, mask, **limits))


def cut_file(
    photo: bytes, *, mask: bytes | None, longest_side: int, max_bytes: int, max_pixels: int
) -> bytes:
    """Return ``photo`` with its mask as transparency, as a WebP file; see ``mask_file``."""
    limits = {"max_bytes": max_bytes, "max_pixels": max_pixels}
    view = open_photo(photo, longest_side=longest_side, **limits)
    alpha = _mask_of(view, mask, **limits)
    cut = view.convert("RGB")
    cut.putalpha(alpha)
    file = BytesIO()
    cut.save(file, "WEBP", quality=85, method=2)
    return file.getvalue()


def solved_file(
    photo: bytes,
    *,
    strokes: Sequence[Stroke],
    mask: bytes | None,
    max_bytes: int,
    max_pixels: int,
) -> bytes:
    """Return the mask that ``strokes`` draw, from the file of the present one, as a grey PNG file."""
    limits = {"max_bytes": max_bytes, "max_pixels": max_pixels}
    view = open_photo(photo, longest_side=FINE_SIDE, **limits)
    present = None if mask is None else np.asarray(_mask_of(view, mask, **limits))
    return _png(Image.fromarray(solve(view, strokes=strokes, mask=present)))


def _mask_of(view: Image.Image, mask: bytes | None, **limits: Any) -> Image.Image:
    if mask is not None:
        opened = open_photo(mask, longest_side=max(view.size), **limits).convert("L")
        return opened.resize(view.size, Image.Resampling.BILINEAR)
    return view.getchannel("A") if view.mode == "RGBA" else Image.new("L", view.size)


def _png(mask: Image.Image) -> bytes:
    file = BytesIO()
    mask.save(file, "PNG", compress_level=3)
    return file.getvalue()
