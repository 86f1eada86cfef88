"""A picture brought into the frame of the product's photo, so that the two lie on each other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

import cv2
import numpy as np

from nb_catalog.imaging.fidelity.alignment import Placement
from nb_catalog.imaging.fidelity.views import Mask, Pixels, ProductView
from nb_catalog.imaging.root_sift import Floats

INNER: Final = 3
"""Pixels along the outline of which nothing is said: the edge that the two cut-outs draw differently."""
SMALL_FLOW: Final = 0.006
"""Share of the product's diagonal up to which a shift is an error of the alignment, and is undone."""
STEP: Final = 3.0
"""Levels of detail from which flow can be measured at a place."""


class Overlay(NamedTuple):
    """A product and the same place of a picture, (H, W, 3) sRGB uint8 each, at the same resolution.

    ``mask`` (H, W) is the product, ``core`` the same without its edge and what the picture's frame cuts off.
    ``seen`` is the picture as it is, if ``picture`` has been prepared for the comparison. ``flow`` is what
    the alignment leaves: the 90th percentile of its length, in percent of the product's diagonal; None for a
    product without texture.
    """

    product: Pixels
    picture: Pixels
    mask: Mask
    core: Mask
    flow: float | None
    seen: Pixels


def overlay(
    product: ProductView,
    picture: Pixels,
    placement: Placement,
    *,
    prepare: Callable[[Pixels, Pixels, Mask], Pixels] | None = None,
) -> Overlay:
    """Return ``picture`` in the frame of ``product``; whichever has more detail is blurred to the other's.

    ``prepare`` gets the product, the picture and the core, and returns what is compared instead of the
    picture.
    """
    height, width = product.mask.shape
    scale = placement.scale
    source, seen = product.pixels, picture
    if scale < 1:
        small = (max(1, round(width * scale)), max(1, round(height * scale)))
        reduced = cv2.resize(source, small, interpolation=cv2.INTER_AREA)
        source = np.asarray(
            cv2.resize(reduced, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8
        )
    elif scale > 1.2:
        seen = np.asarray(cv2.GaussianBlur(seen, (0, 0), 0.5 * (scale**2 - 1) ** 0.5), np.uint8)
    how = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    size = (width, height)
    at_place = cv2.warpAffine(
        seen, placement.matrix, size, flags=how, borderMode=cv2.BORDER_REPLICATE
    )
    whole = np.full(picture.shape[:2], 255, np.uint8)
    shown = cv2.warpAffine(whole, placement.matrix, size, flags=cv2.WARP_INVERSE_MAP) > 127
    solid = np.pad(product.mask.astype(np.uint8), 1)
    depth = cv2.distanceTransform(solid, cv2.DIST_L2, 3)[1:-1, 1:-1]
    core = (depth > INNER) & shown
    warped = np.asarray(at_place, np.uint8)
    compared = warped if prepare is None else prepare(source, warped, core)
    shift, flow = _small_shifts(source, compared, product.mask, core)
    settled = _shifted(compared, shift)
    as_seen = settled if prepare is None else _shifted(warped, shift)
    return Overlay(source, settled, product.mask & shown, core, flow, as_seen)


def _small_shifts(
    source: Pixels, seen: Pixels, mask: Mask, core: Mask
) -> tuple[Floats, float | None]:
    """Return the shifts of ``seen`` up to ``SMALL_FLOW``, (H, W, 2), and how far it is shifted in all.

    Dense inverse search on locally equalised grey, which light does not change much.
    """
    equalise = cv2.createCLAHE(2.0, (8, 8))
    greys = []
    for pixels in (source, seen):
        grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
        # The background is the same in both, so that it does not move.
        grey[~mask] = int(np.median(grey[core])) if core.any() else 128
        greys.append(equalise.apply(grey))
    finder = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    flow = np.asarray(finder.calc(greys[0], greys[1], None), np.float32)  # type: ignore[call-overload]
    diagonal = float(np.hypot(*mask.shape))
    detail = np.abs(cv2.Laplacian(cv2.cvtColor(source, cv2.COLOR_RGB2GRAY), cv2.CV_32F))
    textured = core & (cv2.GaussianBlur(detail, (0, 0), 3) > STEP)
    length: float | None = None
    if np.count_nonzero(textured) > 200:
        far = np.hypot(flow[..., 0], flow[..., 1])[textured]
        length = float(np.percentile(far, 90) / diagonal * 100)
    smooth: Floats = np.asarray(cv2.GaussianBlur(flow, (0, 0), 9), np.float32)
    far_off = np.maximum(np.hypot(smooth[..., 0], smooth[..., 1]), np.float32(1e-6))
    smooth *= np.minimum(np.float32(1), np.float32(SMALL_FLOW * diagonal) / far_off)[..., None]
    return smooth, length


def _shifted(pixels: Pixels, shift: Floats) -> Pixels:
    rows, columns = np.indices(pixels.shape[:2], np.float32)
    settled = cv2.remap(
        pixels, columns + shift[..., 0], rows + shift[..., 1], cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )  # fmt: skip
    return np.asarray(settled, np.uint8)
