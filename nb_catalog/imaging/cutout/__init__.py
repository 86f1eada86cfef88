"""Cutting products out of their photos: masks, and the pixels inside them."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from nb_catalog.core.text import message
from nb_catalog.core.types import Size
from nb_catalog.exceptions import CutoutRefused
from nb_catalog.imaging.cutout import alpha as transparency
from nb_catalog.imaging.cutout import edge
from nb_catalog.imaging.cutout.base import CutoutBackend
from nb_catalog.imaging.cutout.classical import ClassicalCutout
from nb_catalog.imaging.cutout.kinds import KindSuggestion, suggest_kind
from nb_catalog.imaging.cutout.outline import find_solid
from nb_catalog.imaging.cutout.reasons import describe_reason
from nb_catalog.imaging.cutout.types import CropBox, Cutout, FoundMask, nothing_visible

__all__ = [
    "ClassicalCutout",
    "CropBox",
    "Cutout",
    "CutoutBackend",
    "FoundMask",
    "KindSuggestion",
    "cut_by_mask",
    "cut_out",
    "describe_reason",
    "find_mask",
    "suggest_kind",
]

# The name by which the translators' tools find texts.
_ = message

MARGIN: Final = 2
"""Pixels around the product that a cut-out keeps."""
SAME_SHAPE: Final = 0.02
"""How far the aspect ratios of a mask and its photo may differ, as a share."""


def find_mask(view: Image.Image, *, backend: CutoutBackend) -> FoundMask:
    """Return the product's mask in ``view``: its own transparency, otherwise what ``backend`` finds.

    ``view`` is RGB or RGBA in sRGB, as ``inspect.open_photo`` returns it. Raises ``CutoutRefused``.
    """
    if transparency.has_outline(view):
        return transparency.find_product(view)
    return backend.find_mask(view if view.mode == "RGB" else view.convert("RGB"))


def cut_by_mask(
    photo: Image.Image, alpha: NDArray[np.uint8] | Image.Image, *, refine: bool
) -> Cutout:
    """Cut the product out of ``photo`` where ``alpha``, (H, W) uint8 or an "L" image, is not 0.

    ``alpha`` is scaled to the photo, and the background's colour is removed from partly transparent
    pixels; pixels of alpha 255 are those of the photo. ``refine`` computes alpha again in a band along
    the outline: right for a mask of a machine, found at a smaller size; without it, alpha stays as a
    person drew it. A photo with an outline of its own keeps its alpha inside the mask.

    Raises ``CutoutRefused`` for a mask of another shape, and if nothing is visible.
    """
    mask = np.asarray(alpha.convert("L") if isinstance(alpha, Image.Image) else alpha, np.uint8)
    height, width = mask.shape
    if abs(width * photo.height / (height * photo.width) - 1) > SAME_SHAPE:
        what = _(
            "The mask has %(mask)s pixels and the photo %(photo)s: a mask needs the photo's own "
            "proportions. Export it at the photo's size."
        )
        sizes = {"mask": f"{width} × {height}", "photo": f"{photo.width} × {photo.height}"}
        raise CutoutRefused(what % sizes)
    if (width, height) != photo.size:
        shrinks = width > photo.width
        mask = np.asarray(
            cv2.resize(
                mask, photo.size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
            ),
            np.uint8,
        )
    around = MARGIN + max(2, round(edge.HALF_BAND * max(photo.size) / edge.BAND_SIDE)) * 2
    outer = _bounds(mask > 0, around=around)
    near, crop = mask[outer.top : outer.bottom, outer.left : outer.right], photo.crop(outer)
    if transparency.has_outline(photo):
        pixels = np.array(crop)
        own = pixels[..., 3]
        pixels[..., 3] = np.where(near > 0, own, 0) if refine else np.minimum(own, near)
    else:
        rgb = np.asarray(crop.convert("RGB"))
        pixels = edge.refine(rgb, near, side=max(photo.size)) if refine else edge.unmix(rgb, near)
    inner = _bounds(find_solid(pixels[..., 3]), around=MARGIN)
    box = CropBox(
        outer.left + inner.left,
        outer.top + inner.top,
        outer.left + inner.right,
        outer.top + inner.bottom,
    )
    return Cutout(
        pixels=np.ascontiguousarray(pixels[inner.top : inner.bottom, inner.left : inner.right]),
        box=box,
        photo_size=Size(*photo.size),
    )


def cut_out(photo: Image.Image, *, backend: CutoutBackend | None = None) -> Cutout:
    """Find the product of ``photo`` and cut it out. ``backend`` is the classical one by default.

    Raises ``CutoutRefused``.
    """
    found = find_mask(photo, backend=backend or ClassicalCutout())
    return cut_by_mask(photo, found.alpha, refine=True).by(found)


def _bounds(mask: NDArray[np.bool_], *, around: int) -> CropBox:
    """Return the box of ``mask`` with a margin. Raises ``CutoutRefused`` if it is empty."""
    left, top, width, height = cv2.boundingRect(mask.astype(np.uint8))
    if not width:
        raise nothing_visible()
    return CropBox(
        max(0, left - around),
        max(0, top - around),
        min(mask.shape[1], left + width + around),
        min(mask.shape[0], top + height + around),
    )
