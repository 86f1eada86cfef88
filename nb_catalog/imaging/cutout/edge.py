"""The edge of a cut-out: alpha and colour of the pixels that are partly product."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from nb_catalog.imaging.cutout.background import Background, Floats, Mask
from nb_catalog.imaging.cutout.masks import Bytes, dilate, erode

# JPEG halves the resolution of colour, so lightness locates an edge better.
CHANNEL_WEIGHTS: Final = np.array([1.0, 0.5, 0.5], np.float32)
# Lab distances: below the first, product and background look the same, above the second they
# clearly differ.
SAME, DIFFERENT = 5.0, 12.0
# Noise makes neither end of the scale exact: what is nearly background is background.
FLOOR, CEILING = 0.08, 0.92


def matte(
    rgb: Bytes, *, mask: Mask, background: Background, x: Floats, y: Floats, radius: int
) -> Bytes:
    """Return (H, W, 4) uint8 with straight alpha from (H, W, 3) sRGB bytes and a rough ``mask``.

    Known-background matting in a band of ``radius`` pixels on both sides of the outline: alpha is
    the pixel's position on the line from the background's colour to the product's own colour
    nearby (CIE Lab). The background's share is then removed from the colour by solving the
    compositing equation C = aF + (1 - a)B (Porter, Duff 1984) for F. ``x`` and ``y`` are the
    positions of the columns and rows in the whole photo, from -0.5 to 0.5.
    """
    sure = erode(mask, by=radius)
    sure |= _thin_parts(rgb, mask & ~dilate(sure, by=radius + 1), background=background, x=x, y=y)
    unknown = dilate(mask, by=radius) & ~sure
    rows, columns = np.nonzero(unknown)
    out = np.dstack([rgb, sure.astype(np.uint8) * np.uint8(255)])
    if not len(rows) or not sure.any():
        return out
    behind = background.at(x[columns], y[rows])
    product = _nearby_product(rgb, sure=sure)[rows, columns]
    smooth = np.asarray(cv2.GaussianBlur(rgb, (0, 0), 0.6), np.uint8)[rows, columns]
    softened = np.asarray(
        cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 0.4 * radius), np.float32
    )[rows, columns]
    alpha = _product_share(
        _to_lab(smooth), behind=behind, product=_to_lab(product), fallback=softened
    )
    share = alpha[:, None]
    behind_rgb = cv2.cvtColor(behind[:, None], cv2.COLOR_LAB2RGB)[:, 0] * 255
    own = (rgb[rows, columns] - (1 - share) * behind_rgb) / np.maximum(share, 0.1)
    # Where a pixel contains little of the product, dividing by its share amplifies noise.
    trust = np.clip((share - 0.3) / 0.5, 0, 1)
    mixed = np.clip(trust * own + (1 - trust) * product, 0, 255)
    out[rows, columns, :3] = np.asarray(np.rint(mixed), np.uint8)
    out[rows, columns, 3] = np.rint(alpha * 255).astype(np.uint8)
    return out


def _thin_parts(rgb: Bytes, thin: Mask, *, background: Background, x: Floats, y: Floats) -> Mask:
    """Return the middle of laces and cords, which erosion removes, where they clearly differ.

    What does not differ there is the fringe that JPEG leaves around a strong edge.
    """
    middle = erode(thin, by=1)
    rows, columns = np.nonzero(middle)
    if len(rows):
        off = _to_lab(rgb[rows, columns]) - background.at(x[columns], y[rows])
        middle[rows, columns] = np.linalg.norm(off, axis=-1) > DIFFERENT
    return middle


def _nearby_product(rgb: Bytes, *, sure: Mask) -> Bytes:
    """Return for every pixel the colour of the nearest sure product, averaged around that place."""
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
