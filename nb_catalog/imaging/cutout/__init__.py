"""Cutting a product out of its photo without network or model weights; unsure cases are refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, NamedTuple, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from nb_catalog.core.types import Size
from nb_catalog.exceptions import CutoutRefused
from nb_catalog.imaging.cutout import alpha, edge, masks
from nb_catalog.imaging.cutout.background import Background, Floats, Mask, fit_background, lab

__all__ = ["CropBox", "Cutout", "Cutter", "cut_out", "cut_out_by_mask"]

WORKING_SIZE: Final = 512
"""Pixels of the longer side at which the outline is searched for."""
# Measured on 43 photos with known outlines on four studio backgrounds: of the masks on which two
# methods agree this far (68 %), 91 % are good. The strength of edges says nothing about success.
AGREEMENT: Final = 0.95
# Requiring half as much difference again must not change the mask by more than 2 %: it does where
# a white sole meets a white table.
FIRMNESS, STEADINESS = 1.5, 0.98
WHITE: Final = 98.5
SMALL_HOLE, LARGE_HOLE = 0.0003, 0.0015
MIN_SHARE, MAX_SHARE = 0.01, 0.95
MIN_SHARE_OF_ALPHA: Final = 0.001
MAX_SHARE_OF_RIM: Final = 0.35
# A studio background deviates from its fitted surface by less than 2 Lab units; a room or a street
# by 10 and more.
MAX_SPREAD: Final = 4.0
MAX_STRAYS: Final = 0.35
EDGE_RADIUS: Final = 1.5
"""Half the width of the band in which the edge is refined, in pixels of the working size."""

WAYS_OUT: Final = (
    "What would work: a photo on a plain, even background that differs from the product, "
    "a PNG with a transparent background, or the painted treatment with a model."
)


class CropBox(NamedTuple):
    """Pixels of the photo; right and bottom are the first ones outside."""

    left: int
    top: int
    right: int
    bottom: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cutout:
    """A product without its background.

    ``pixels`` is (H, W, 4) uint8 sRGB with straight alpha, cropped to ``box`` of the photo.
    ``method`` names how the outline was determined; ``agreement`` is the overlap of two ways to
    find it, 0 to 1, or None if it was supplied.
    """

    pixels: NDArray[np.uint8] = field(repr=False)
    box: CropBox
    photo_size: Size
    method: str
    agreement: float | None = None


Cutter: TypeAlias = Callable[[Image.Image], Cutout]


def cut_out(photo: Image.Image) -> Cutout:
    """Cut out the product by the photo's own transparency, otherwise from its plain background.

    ``photo`` is RGB or RGBA in sRGB, as ``inspect.open_photo`` returns it. This is a ``Cutter``;
    a host can replace it with another. Raises ``CutoutRefused`` if the photo has no plain
    background or the outline is uncertain.
    """
    if alpha.has_outline(photo):
        return _cut_by_alpha(photo, method="alpha")
    photo = photo if photo.mode == "RGB" else photo.convert("RGB")
    # At half size or less: that averages away most of what JPEG adds around edges.
    scale = min(0.5, WORKING_SIZE / max(photo.size))
    size = (max(1, round(photo.width * scale)), max(1, round(photo.height * scale)))
    colours = lab(np.asarray(photo.resize(size, Image.Resampling.BOX)))
    background = fit_background(colours)
    if background.spread > MAX_SPREAD or background.strays > MAX_STRAYS:
        raise CutoutRefused(f"The photo's background is not plain. {WAYS_OUT}")
    product = masks.dilate(masks.mask_by_colour(colours, background=background), by=6)
    if float(product.mean()) <= MAX_SHARE:
        background = fit_background(colours, product=product)
    mask, agreement = _find_mask(colours, background=background)
    pixels, box = _at_full_size(photo, mask, background=background)
    return Cutout(
        pixels=pixels,
        box=box,
        photo_size=Size(*photo.size),
        method="plain background",
        agreement=agreement,
    )


def cut_out_by_mask(photo: Image.Image, *, mask: Image.Image) -> Cutout:
    """Cut out the product where a person's ``mask`` is white. Raises ``CutoutRefused``."""
    outlined = photo.convert("RGBA")
    outlined.putalpha(mask.convert("L").resize(photo.size, Image.Resampling.BILINEAR))
    return _cut_by_alpha(outlined, method="mask")


def _cut_by_alpha(photo: Image.Image, *, method: str) -> Cutout:
    pixels, (left, top) = alpha.extract_product(photo)
    height, width = pixels.shape[:2]
    if np.count_nonzero(pixels[..., 3]) < MIN_SHARE_OF_ALPHA * photo.width * photo.height:
        raise CutoutRefused(f"The photo is transparent and shows next to nothing. {WAYS_OUT}")
    return Cutout(
        pixels=pixels,
        box=CropBox(left, top, left + width, top + height),
        photo_size=Size(*photo.size),
        method=method,
    )


def _find_mask(colours: Floats, *, background: Background) -> tuple[Mask, float]:
    """Return the product's mask, holes removed, and how far a second method agrees with it.

    Raises ``CutoutRefused`` for a mask that is unlikely to be a product's.
    """
    mask = masks.mask_by_colour(colours, background=background)
    share = float(mask.mean())
    if share < MIN_SHARE:
        raise CutoutRefused(
            f"Nothing in the photo stands out clearly from its background. {WAYS_OUT}"
        )
    rim = np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]])
    if share > MAX_SHARE or float(rim.mean()) > MAX_SHARE_OF_RIM:
        raise CutoutRefused(
            f"The product fills the photo to its borders, so no background is visible. {WAYS_OUT}"
        )
    firm = masks.mask_by_colour(colours, background=background, firmness=FIRMNESS)
    if masks.overlap(mask, firm) < STEADINESS:
        raise CutoutRefused(
            f"Parts of the product have nearly the colour of the background. {WAYS_OUT}"
        )
    by_grabcut = masks.mask_by_grabcut(colours, background=background, first=mask)
    agreement = masks.overlap(mask, by_grabcut)
    if agreement < AGREEMENT:
        raise CutoutRefused(
            "The product could not be separated from its background with confidence: two ways to "
            f"find its outline agree to {agreement:.0%}, and {AGREEMENT:.0%} are needed. {WAYS_OUT}"
        )
    # On a background that is overexposed to white, a hole cannot be distinguished from an
    # overexposed part of the product. Small ones are highlights there; a large one is refused.
    if float(background.terms[0, 0]) <= WHITE:
        holes = masks.find_holes(mask, colours, background=background, least=SMALL_HOLE)
        return mask & ~holes, agreement
    if masks.find_holes(mask, colours, background=background, least=LARGE_HOLE).any():
        raise CutoutRefused(
            "Part of the product looks exactly like the white background: it may be a hole, or "
            f"white itself. {WAYS_OUT}"
        )
    return mask, agreement


def _at_full_size(
    photo: Image.Image, mask: Mask, *, background: Background
) -> tuple[NDArray[np.uint8], CropBox]:
    """Return the product's RGBA pixels at the photo's own size, and where they are in it."""
    scale = photo.width / mask.shape[1]
    radius = max(2, round(EDGE_RADIUS * scale))
    around = radius + 2
    left, top, width, height = cv2.boundingRect(mask.astype(np.uint8))
    box = CropBox(
        max(0, int(left * scale) - around),
        max(0, int(top * scale) - around),
        min(photo.width, int((left + width) * scale) + around + 1),
        min(photo.height, int((top + height) * scale) + around + 1),
    )
    x = _positions(box.left, box.right, length=photo.width)
    y = _positions(box.top, box.bottom, length=photo.height)
    shift = np.array(
        [
            [1 / scale, 0, (box.left + 0.5) / scale - 0.5],
            [0, 1 / scale, (box.top + 0.5) / scale - 0.5],
        ]
    )
    enlarged = cv2.warpAffine(
        mask.astype(np.float32), shift, (len(x), len(y)),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE,
    )  # fmt: skip
    rgb = np.asarray(photo.crop(box))
    pixels = edge.matte(rgb, mask=enlarged > 0.5, background=background, x=x, y=y, radius=radius)
    return pixels, box


def _positions(first: int, last: int, *, length: int) -> Floats:
    return ((np.arange(first, last, dtype=np.float32) + 0.5) / length - 0.5).astype(np.float32)
