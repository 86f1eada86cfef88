"""Cutting a product out of its photo: no network, no weights, and a clear no when it is unsure."""

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
from nb_catalog.imaging.cutout.background import Floats, Ground, Mask, fit_ground, lab

__all__ = ["Box", "Cutout", "Cutter", "cut_out", "cut_out_by_mask"]

LOOKED_AT: Final = 512
AGREEMENT: Final = 0.95
# Asking for half as much difference again must not change the mask by more than 2 %: it does
# where a white sole runs into a white table.
FIRMNESS, STEADINESS = 1.5, 0.98
WHITE: Final = 98.5
SMALL_HOLE, LARGE_HOLE = 0.0003, 0.0015
LEAST_SHARE, MOST_SHARE = 0.01, 0.95
LEAST_SHARE_OF_ALPHA: Final = 0.001
MOST_OF_RIM: Final = 0.35
# A studio ground strays from its fitted surface by less than 2 Lab units; a room or a street by
# 10 and more.
MOST_SPREAD: Final = 4.0
MOST_STRAYS: Final = 0.35
REACH: Final = 1.5

WAYS_OUT: Final = (
    "What would work: a photo on a plain, even background that differs from the product, "
    "a PNG with a transparent background, or the painted treatment with a model."
)


class Box(NamedTuple):
    """Pixels of the photo; right and bottom are the first ones outside."""

    left: int
    top: int
    right: int
    bottom: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cutout:
    """A product without its surroundings.

    ``pixels`` is (H, W, 4) uint8 sRGB with straight alpha, cropped to ``box`` of the photo.
    ``method`` names what found the outline; ``agreement`` is the overlap of two ways to find it,
    0 to 1, and None where it was given.
    """

    pixels: NDArray[np.uint8] = field(repr=False)
    box: Box
    photo_size: Size
    method: str
    agreement: float | None = None


Cutter: TypeAlias = Callable[[Image.Image], Cutout]


def cut_out(photo: Image.Image) -> Cutout:
    """The product in ``photo``: by the photo's own transparency, else off its plain background.

    ``photo`` is RGB or RGBA in sRGB, as ``inspect.open_photo`` gives it. This is a ``Cutter``;
    a host can put another in its place. Raises ``CutoutRefused``.
    """
    if alpha.has_outline(photo):
        return _cut_by_alpha(photo, method="alpha")
    return _cut_off_ground(photo if photo.mode == "RGB" else photo.convert("RGB"))


def cut_out_by_mask(photo: Image.Image, *, mask: Image.Image) -> Cutout:
    """The product in ``photo`` where a person's ``mask`` is white. Raises ``CutoutRefused``."""
    outlined = photo.convert("RGBA")
    outlined.putalpha(mask.convert("L").resize(photo.size, Image.Resampling.BILINEAR))
    return _cut_by_alpha(outlined, method="mask")


def _cut_by_alpha(photo: Image.Image, *, method: str) -> Cutout:
    pixels, (left, top) = alpha.product_of(photo)
    height, width = pixels.shape[:2]
    if np.count_nonzero(pixels[..., 3]) < LEAST_SHARE_OF_ALPHA * photo.width * photo.height:
        raise CutoutRefused(f"The photo is transparent and shows next to nothing. {WAYS_OUT}")
    return Cutout(
        pixels=pixels,
        box=Box(left, top, left + width, top + height),
        photo_size=Size(*photo.size),
        method=method,
    )


def _cut_off_ground(photo: Image.Image) -> Cutout:
    colours = lab(_small(photo))
    ground = _ground_of(colours)
    mask = masks.mask_by_colour(colours, ground=ground)
    _refuse_unlikely(mask)
    agreement = _agreement(mask, colours, ground=ground)
    mask = _opened(mask, colours, ground=ground)
    pixels, box = _at_full_size(photo, mask, ground=ground)
    return Cutout(
        pixels=pixels,
        box=box,
        photo_size=Size(*photo.size),
        method="plain background",
        agreement=agreement,
    )


def _ground_of(colours: Floats) -> Ground:
    """Fitted to the rim, then again to all around the first idea of the product."""
    ground = fit_ground(colours)
    if ground.spread > MOST_SPREAD or ground.strays > MOST_STRAYS:
        raise CutoutRefused(f"The photo's background is not plain. {WAYS_OUT}")
    around = masks.dilated(masks.mask_by_colour(colours, ground=ground), by=6)
    return ground if float(around.mean()) > MOST_SHARE else fit_ground(colours, product=around)


def _agreement(mask: Mask, colours: Floats, *, ground: Ground) -> float:
    """How far other ways to find the outline agree with ``mask``; refuses below what is needed."""
    firm = masks.mask_by_colour(colours, ground=ground, firmness=FIRMNESS)
    if masks.overlap(mask, firm) < STEADINESS:
        raise CutoutRefused(
            f"Parts of the product have nearly the colour of the background. {WAYS_OUT}"
        )
    by_grabcut = masks.mask_by_grabcut(colours, ground=ground, first=mask)
    agreement = masks.overlap(mask, by_grabcut)
    if agreement < AGREEMENT:
        raise CutoutRefused(
            "The product could not be told from its background with confidence: two ways to "
            f"find its outline agree to {agreement:.0%}, and {AGREEMENT:.0%} are needed. {WAYS_OUT}"
        )
    return agreement


def _opened(mask: Mask, colours: Floats, *, ground: Ground) -> Mask:
    """``mask`` without its holes.

    On a ground that is burnt out to white nobody can tell a hole from a burnt-out part of the
    product. Small ones are highlights there; a large one is a reason to refuse.
    """
    if float(ground.terms[0, 0]) <= WHITE:
        return mask & ~masks.holes(mask, colours, ground=ground, least=SMALL_HOLE)
    if masks.holes(mask, colours, ground=ground, least=LARGE_HOLE).any():
        raise CutoutRefused(
            "Part of the product looks exactly like the white background: it may be a hole, or "
            f"white itself. {WAYS_OUT}"
        )
    return mask


def _small(photo: Image.Image) -> NDArray[np.uint8]:
    # At half size or less: that averages away most of what JPEG adds around edges.
    scale = min(0.5, LOOKED_AT / max(photo.size))
    size = (max(1, round(photo.width * scale)), max(1, round(photo.height * scale)))
    return np.asarray(photo.resize(size, Image.Resampling.BOX))


def _refuse_unlikely(mask: Mask) -> None:
    share = float(mask.mean())
    if share < LEAST_SHARE:
        raise CutoutRefused(
            f"Nothing in the photo stands out clearly from its background. {WAYS_OUT}"
        )
    rim = np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]])
    if share > MOST_SHARE or float(rim.mean()) > MOST_OF_RIM:
        raise CutoutRefused(
            f"The product fills the photo to its borders: no background is left to see. {WAYS_OUT}"
        )


def _at_full_size(
    photo: Image.Image, mask: Mask, *, ground: Ground
) -> tuple[NDArray[np.uint8], Box]:
    scale = photo.width / mask.shape[1]
    radius = max(2, round(REACH * scale))
    box = _box(mask, photo=photo, around=radius + 2)
    x = _places(box.left, box.right, length=photo.width)
    y = _places(box.top, box.bottom, length=photo.height)
    shift = np.array(
        [
            [1 / scale, 0, (box.left + 0.5) / scale - 0.5],
            [0, 1 / scale, (box.top + 0.5) / scale - 0.5],
        ]
    )
    enlarged = cv2.warpAffine(
        mask.astype(np.float32),
        shift,
        (len(x), len(y)),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    rgb = np.asarray(photo.crop(box))
    return edge.matte(rgb, mask=enlarged > 0.5, ground=ground, x=x, y=y, radius=radius), box


def _places(first: int, last: int, *, length: int) -> Floats:
    return ((np.arange(first, last, dtype=np.float32) + 0.5) / length - 0.5).astype(np.float32)


def _box(mask: Mask, *, photo: Image.Image, around: int) -> Box:
    left, top, width, height = cv2.boundingRect(mask.astype(np.uint8))
    scale = photo.width / mask.shape[1]
    return Box(
        max(0, int(left * scale) - around),
        max(0, int(top * scale) - around),
        min(photo.width, int((left + width) * scale) + around + 1),
        min(photo.height, int((top + height) * scale) + around + 1),
    )
