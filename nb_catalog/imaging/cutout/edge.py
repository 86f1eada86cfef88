"""The last pixels of an outline: how much of each is product, and which colour that part has."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from nb_catalog.imaging.cutout.background import Floats, Ground, Mask
from nb_catalog.imaging.cutout.masks import Bytes, dilated, eroded

# JPEG halves the resolution of colour, so lightness says more about where an edge is.
CHANNEL_WEIGHTS: Final = np.array([1.0, 0.5, 0.5], np.float32)
# Below the first distance product and ground look the same, above the second they clearly differ.
SAME, DIFFERENT = 5.0, 12.0
# Noise makes neither end of the scale exact: what is nearly ground is ground.
FLOOR, CEILING = 0.08, 0.92


def matte(rgb: Bytes, *, mask: Mask, ground: Ground, x: Floats, y: Floats, radius: int) -> Bytes:
    """(H, W, 4) uint8 with straight alpha from (H, W, 3) sRGB bytes and a rough ``mask``.

    Known-background matting in a band of ``radius`` pixels to both sides of the outline: alpha is
    where the pixel lies on the line from the ground's colour to the product's own colour nearby
    (CIE Lab). The ground's share is then taken out of the colour: C = aF + (1 - a)B, solved for F.
    ``x`` and ``y`` are the columns' and rows' places in the whole photo, from -0.5 to 0.5.
    """
    sure = eroded(mask, by=radius)
    sure |= _thin_parts(rgb, mask & ~dilated(sure, by=radius + 1), ground=ground, x=x, y=y)
    unknown = dilated(mask, by=radius) & ~sure
    rows, columns = np.nonzero(unknown)
    out = np.dstack([rgb, sure.astype(np.uint8) * np.uint8(255)])
    if not len(rows) or not sure.any():
        return out
    behind = ground.at(x[columns], y[rows])
    product = _nearby_product(rgb, sure=sure)[rows, columns]
    seen = np.asarray(cv2.GaussianBlur(rgb, (0, 0), 0.6), np.uint8)[rows, columns]
    softened = np.asarray(
        cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 0.4 * radius), np.float32
    )[rows, columns]
    alpha = _shares(_to_lab(seen), behind=behind, product=_to_lab(product), else_=softened)
    colours = _without_ground(
        rgb[rows, columns], alpha=alpha, behind=_to_rgb(behind), product=product
    )
    out[rows, columns, :3] = colours
    out[rows, columns, 3] = np.rint(alpha * 255).astype(np.uint8)
    return out


def _thin_parts(rgb: Bytes, thin: Mask, *, ground: Ground, x: Floats, y: Floats) -> Mask:
    """The middle of laces and cords, which no erosion leaves, where they clearly differ.

    What does not differ there is the fringe that JPEG leaves around a strong edge.
    """
    middle = eroded(thin, by=1)
    rows, columns = np.nonzero(middle)
    if len(rows):
        off = _to_lab(rgb[rows, columns]) - ground.at(x[columns], y[rows])
        middle[rows, columns] = np.linalg.norm(off, axis=-1) > DIFFERENT
    return middle


def _nearby_product(rgb: Bytes, *, sure: Mask) -> Bytes:
    """For every pixel the colour of the nearest sure product, averaged over its surroundings."""
    weights = cv2.GaussianBlur(sure.astype(np.float32), (0, 0), 2.0)
    sums = cv2.GaussianBlur(np.where(sure[..., None], rgb, np.uint8(0)), (0, 0), 2.0)
    _, labels = cv2.distanceTransformWithLabels(
        (~sure).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    rows, columns = np.nonzero(sure)
    table = np.zeros((int(labels.max()) + 1, 3), np.uint8)
    averages = sums[rows, columns] / np.maximum(weights[rows, columns], 1e-3)[:, None]
    table[labels[rows, columns]] = np.clip(averages, 0, 255)
    return np.asarray(table[labels], np.uint8)


def _shares(seen: Floats, *, behind: Floats, product: Floats, else_: Floats) -> Floats:
    """The product's share of each of N pixels; ``else_`` where the colours cannot tell."""
    line = (product - behind) * CHANNEL_WEIGHTS
    length = np.einsum("ij,ij->i", line, line)
    along = np.einsum("ij,ij->i", (seen - behind) * CHANNEL_WEIGHTS, line)
    shares = (along / np.maximum(length, 1e-3) - FLOOR) / (CEILING - FLOOR)
    trust = np.clip((np.sqrt(length) - SAME) / (DIFFERENT - SAME), 0, 1)
    mixed = trust * np.clip(shares, 0, 1) + (1 - trust) * else_
    return np.asarray(mixed, np.float32)


def _without_ground(seen: Bytes, *, alpha: Floats, behind: Floats, product: Bytes) -> Bytes:
    share = alpha[:, None]
    own = (seen - (1 - share) * behind) / np.maximum(share, 0.1)
    # Where little of the product is left in a pixel, dividing by it brings up noise.
    trust = np.clip((share - 0.3) / 0.5, 0, 1)
    mixed = np.clip(trust * own + (1 - trust) * product, 0, 255)
    return np.asarray(np.rint(mixed), np.uint8)


def _to_lab(colours: Bytes) -> Floats:
    scaled = colours.astype(np.float32)[:, None] / 255
    return np.asarray(cv2.cvtColor(scaled, cv2.COLOR_RGB2LAB)[:, 0], np.float32)


def _to_rgb(colours: NDArray[np.float32]) -> Floats:
    return np.asarray(cv2.cvtColor(colours[:, None], cv2.COLOR_LAB2RGB)[:, 0] * 255, np.float32)
