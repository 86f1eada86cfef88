"""The edge of a cut-out: alpha and colour of the pixels that are partly product."""

from __future__ import annotations

from typing import Final, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from nb_catalog.imaging.cutout.background import Floats, Mask
from nb_catalog.imaging.cutout.masks import Bytes, dilate, erode, remove_specks

# JPEG halves the resolution of colour, so lightness locates an edge better.
CHANNEL_WEIGHTS: Final = np.array([1.0, 0.5, 0.5], np.float32)
# Lab distances: below the first, product and background look the same, above the second they
# clearly differ.
SAME, DIFFERENT = 5.0, 12.0
# Noise makes neither end of the scale exact: what is nearly background is background.
FLOOR, CEILING = 0.08, 0.92
HALF_BAND: Final = 4
"""Pixels on both sides of the outline in which alpha is computed, in a photo of ``BAND_SIDE``."""
BAND_SIDE: Final = 1600
SPECK: Final = 0.003
SMOOTHNESS: Final = 0.7
"""Standard deviation of the blur, in pixels of the mask."""

Places: TypeAlias = tuple[NDArray[np.intp], ...]


def enlarge(mask: Mask, *, size: tuple[int, int]) -> Bytes:
    """Return ``mask`` as alpha of a picture of ``size`` (width, height), with an even edge.

    Without a little blur, the pixels of the mask would be steps wherever the photo shows no edge. A line
    of one pixel is still more than half opaque.
    """
    smooth = cv2.GaussianBlur(mask.astype(np.float32) * 255, (0, 0), SMOOTHNESS)
    return np.asarray(np.rint(cv2.resize(smooth, size, interpolation=cv2.INTER_LINEAR)), np.uint8)


def refine(rgb: Bytes, soft: Bytes, *, side: int) -> Bytes:
    """Return (H, W, 4) uint8 with straight alpha from (H, W, 3) sRGB bytes and a rough mask, ``soft``.

    Known-background matting in a band along the outline of ``soft``: alpha is the pixel's position on
    the line from the background's colour nearby to the product's own colour nearby (CIE Lab); where
    these are alike, ``soft`` decides. ``side`` is the longer side of the whole photo in pixels.
    """
    mask = remove_specks(soft > 127, share=SPECK)
    radius = max(2, round(HALF_BAND * side / BAND_SIDE))
    inside, outside = erode(mask, by=radius), ~dilate(mask, by=radius)
    if not outside.any():
        return np.dstack([rgb, mask.astype(np.uint8) * np.uint8(255)])
    thin = mask & ~dilate(inside, by=radius + 1)
    # Erosion removes laces and cords. Their middle is product where it clearly differs; what does not
    # differ there is the fringe that JPEG leaves around a strong edge.
    behind = _nearest(rgb, sure=outside, at=thin)
    middle = erode(thin, by=1)
    if middle.any():
        differs = np.zeros_like(thin)
        off = np.linalg.norm(_to_lab(rgb[thin]) - _to_lab(behind), axis=-1)
        differs[thin] = off > DIFFERENT
        inside |= middle & differs
    if not inside.any():
        return np.dstack([rgb, np.where(mask, soft, np.uint8(0))])
    places = np.nonzero(~inside & ~outside)
    behind_there = _nearest(rgb, sure=outside, at=~inside & ~outside)
    product = _nearest(rgb, sure=inside, at=~inside & ~outside)
    smooth = np.asarray(cv2.GaussianBlur(rgb, (0, 0), 0.6), np.uint8)[places]
    shares = _product_share(
        _to_lab(smooth),
        behind=_to_lab(behind_there),
        product=_to_lab(product),
        fallback=(soft[places] / np.float32(255)).astype(np.float32),
    )
    alpha = inside.astype(np.uint8) * np.uint8(255)
    alpha[places] = np.rint(shares * 255).astype(np.uint8)
    return _unmixed(rgb, alpha, places=places, behind=behind_there, product=product)


def unmix(rgb: Bytes, alpha: Bytes) -> Bytes:
    """Return (H, W, 4) uint8 with ``alpha`` as it is, and the background's colour removed where it is
    partly transparent. Pixels of alpha 255 keep their colour."""
    partly = (alpha > 0) & (alpha < 255)
    inside, outside = alpha == 255, alpha == 0
    if not partly.any() or not inside.any() or not outside.any():
        return np.dstack([rgb, alpha])
    return _unmixed(
        rgb,
        alpha,
        places=np.nonzero(partly),
        behind=_nearest(rgb, sure=outside, at=partly),
        product=_nearest(rgb, sure=inside, at=partly),
    )


def _unmixed(rgb: Bytes, alpha: Bytes, *, places: Places, behind: Bytes, product: Bytes) -> Bytes:
    """Solve the compositing equation C = aF + (1 - a)B (Porter, Duff 1984) for F at ``places``."""
    share = alpha[places].astype(np.float32)[:, None] / 255
    own = (rgb[places] - (1 - share) * behind) / np.maximum(share, 0.1)
    # Where a pixel contains little of the product, dividing by its share amplifies noise.
    trust = np.clip((share - 0.3) / 0.5, 0, 1)
    mixed = np.rint(np.clip(trust * own + (1 - trust) * product, 0, 255)).astype(np.uint8)
    out = np.dstack([rgb, alpha])
    out[places[0], places[1], :3] = np.where(share == 1, rgb[places], mixed)
    return out


def _nearest(rgb: Bytes, *, sure: Mask, at: Mask) -> Bytes:
    """Return for each of the N pixels of ``at`` the colour of the nearest pixel of ``sure``, averaged
    around that place: (N, 3)."""
    if not at.any():
        return np.zeros((0, 3), np.uint8)
    weights = cv2.GaussianBlur(sure.astype(np.float32), (0, 0), 2.0)
    sums = cv2.GaussianBlur(np.where(sure[..., None], rgb, np.uint8(0)), (0, 0), 2.0)
    _, labels = cv2.distanceTransformWithLabels(
        (~sure).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    wanted = labels[at]
    places = np.zeros(int(labels.max()) + 1, np.intp)
    flat = np.flatnonzero(sure)
    places[labels.reshape(-1)[flat]] = flat
    found = places[wanted]
    averages = sums.reshape(-1, 3)[found] / np.maximum(weights.reshape(-1)[found], 1e-3)[:, None]
    return np.asarray(np.clip(np.rint(averages), 0, 255), np.uint8)


def _product_share(colours: Floats, *, behind: Floats, product: Floats, fallback: Floats) -> Floats:
    """Return the product's share of each of N pixels; ``fallback`` where colours do not differ."""
    line = (product - behind) * CHANNEL_WEIGHTS
    length = np.einsum("ij,ij->i", line, line)
    along = np.einsum("ij,ij->i", (colours - behind) * CHANNEL_WEIGHTS, line)
    shares = (along / np.maximum(length, 1e-3) - FLOOR) / (CEILING - FLOOR)
    trust = np.clip((np.sqrt(length) - SAME) / (DIFFERENT - SAME), 0, 1)
    mixed = trust * np.clip(shares, 0, 1) + (1 - trust) * fallback
    return np.asarray(mixed, np.float32)


def _to_lab(colours: Bytes) -> Floats:
    scaled = colours.astype(np.float32)[:, None] / 255
    return np.asarray(cv2.cvtColor(scaled, cv2.COLOR_RGB2LAB)[:, 0], np.float32)
