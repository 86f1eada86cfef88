"""Two ways to separate a product from an even background; they are reliable where they agree."""

from __future__ import annotations

from typing import Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from nb_catalog.imaging.cutout.background import Background, Floats, Mask

Bytes = NDArray[np.uint8]

# Distances in CIE Lab. The weak threshold includes the product's faint parts, the strong one
# decides where there is a product at all (hysteresis).
WEAK_IN_SPREADS: Final = 2.4
WEAK: Final = 1.3
STRONG: Final = 4.0
STRONG_IN_SPREADS: Final = 3.5
SHADOW_SOFTNESS: Final = 2.2
SHADOW_RIM: Final = 4.0
SPECK: Final = 0.003
CONTACT: Final = 0.02
"""Share of the outline along which a shadow lies against the product."""
STEP, BESIDE_EDGE = 0.25, 15
"""A product ends in a step: within a pixel, colours change by more than this share of what they differ from
the background beside the edge, in a square of so many pixels. A shadow fades out over a longer way."""
UNCERTAIN: Final = 5
RIMS: Final = ((5, 0.08), (2, 0.4))
# In Lab units and pixels, measured on mug handles against labels and soles.
HOLE_OFF: Final = 0.5
HOLE_RIM: Final = 2
HOLE_PIXELS: Final = 12
GAIN: Final = 3.0
"""Amplification of the difference to the background that GrabCut is given."""
MARGIN: Final = 24
GRABCUT_ROUNDS: Final = 3
FLAT: Final = 2.0
"""Standard deviation, of 255, up to which a region has one colour."""


def disc(radius: int) -> Bytes:
    size = 2 * radius + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)), np.uint8)


def erode(mask: Mask, *, by: int) -> Mask:
    return cv2.erode(mask.astype(np.uint8), disc(by)) > 0


def dilate(mask: Mask, *, by: int) -> Mask:
    return cv2.dilate(mask.astype(np.uint8), disc(by)) > 0


def overlap(one: Mask, other: Mask) -> float:
    """Intersection over union, 0 to 1."""
    union = int(np.count_nonzero(one | other))
    return int(np.count_nonzero(one & other)) / union if union else 0.0


def mask_by_colour(colours: Floats, *, background: Background, firmness: float = 1.0) -> Mask:
    """Return what differs from the background and touches what differs clearly.

    Its cast shadow is left out. ``firmness`` above 1 requires a greater difference: a mask that
    changes with it has no clear outline. Holes are closed, because a white label on a white
    background looks like one.
    """
    height, width = colours.shape[:2]
    behind = background.over(width=width, height=height)
    smooth = np.asarray(cv2.GaussianBlur(colours, (0, 0), 0.7), np.float32)
    distance = np.linalg.norm(smooth - behind, axis=-1)
    strong = distance > max(STRONG, STRONG_IN_SPREADS * background.spread)
    mask = _connected_to(
        distance > firmness * max(WEAK, WEAK_IN_SPREADS * background.spread), strong
    )
    mask = fill_holes(mask)
    if not mask.any():
        return mask
    mask &= ~dilate(_shadow(smooth, behind, mask, spread=background.spread), by=1)
    # Smoothing and JPEG's ringing added a rim next to strong edges. The edge itself lies about
    # half way up to the product's colour; ringing reaches as far as JPEG's blocks, but only to a
    # small share of the step that causes it.
    for reach, share in RIMS:
        rim = mask & ~erode(mask, by=reach)
        height_of_step = cv2.dilate(distance, disc(reach))
        mask = np.asarray(mask & ~(rim & (distance < share * height_of_step)))
    mask = remove_specks(_connected_to(mask, strong), share=SPECK)
    closed = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_CLOSE, disc(2))
    opened = cv2.morphologyEx(closed, cv2.MORPH_OPEN, disc(1))
    return fill_holes(opened > 0)


def find_holes(mask: Mask, colours: Floats, *, background: Background, least: float) -> Mask:
    """Return the parts of ``mask`` through which the background shows, as through a mug's handle.

    They are as even as the background outside and have exactly its colour; a label that resembles
    the background has shading or print. ``least`` is the smallest area that counts, as a share of
    the picture.
    """
    height, width = mask.shape
    behind = background.over(width=width, height=height)
    smooth = np.asarray(cv2.GaussianBlur(colours, (0, 0), 0.7), np.float32)
    alike = np.linalg.norm(smooth - behind, axis=-1) < max(
        WEAK, WEAK_IN_SPREADS * background.spread
    )
    off = colours - behind
    outside = off[~dilate(mask, by=6)]
    if not len(outside):
        return np.zeros_like(mask)
    noise = _noise(outside[:, 0])
    count, labels, stats, _ = cv2.connectedComponentsWithStats((mask & alike).astype(np.uint8))
    open_ = np.zeros(count, np.bool_)
    for label in range(1, count):
        if stats[label, cv2.CC_STAT_AREA] >= least * mask.size:
            inner = off[erode(labels == label, by=HOLE_RIM)]
            open_[label] = len(inner) >= HOLE_PIXELS and (
                float(np.linalg.norm(np.median(inner, axis=0))) < max(HOLE_OFF, background.spread)
                and _noise(inner[:, 0]) < 1.4 * noise + 0.03
            )
    return np.asarray(open_[labels])


def _noise(values: Floats) -> float:
    """Estimate the standard deviation from the 90th percentile of absolute deviations.

    Ringing in a tenth of ``values`` does not change it; 1.645 is the normal quantile.
    """
    return float(np.percentile(np.abs(values - np.median(values)), 90)) / 1.645


def has_one_colour(pixels: Bytes, where: Mask) -> bool:
    """Return whether ``pixels``, (H, W, 3), have a single colour ``where``: GrabCut takes seconds over that.

    It has if the standard deviation of each channel is at most ``FLAT``, or if there is nothing.
    """
    return not where.any() or float(pixels[where].std(axis=0).max()) <= FLAT


def mask_by_grabcut(colours: Floats, *, background: Background, first: Mask) -> Mask:
    """Separate both sides by colour models, starting from ``first``.

    GrabCut (Rother, Kolmogorov, Blake: "GrabCut", SIGGRAPH 2004) works on the difference to the
    background: a gradient behind the product would otherwise share its colours with the product's
    greys. Only the neighbourhood of the product is examined.
    """
    height, width = first.shape
    left, top, across, down = cv2.boundingRect(first.astype(np.uint8))
    window = np.s_[
        max(0, top - MARGIN) : top + down + MARGIN,
        max(0, left - MARGIN) : left + across + MARGIN,
    ]
    off = colours[window] - background.over(width=width, height=height)[window]
    nearby = first[window]
    states = np.where(nearby, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    states[erode(nearby, by=UNCERTAIN)] = cv2.GC_FGD
    states[~dilate(nearby, by=UNCERTAIN)] = cv2.GC_BGD
    background_model, product_model = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.grabCut(
        np.clip(128 + GAIN * off, 0, 255).astype(np.uint8), states, (0, 0, 0, 0),
        background_model, product_model, GRABCUT_ROUNDS, cv2.GC_INIT_WITH_MASK,
    )  # fmt: skip
    mask = np.zeros_like(first)
    mask[window] = (states == cv2.GC_FGD) | (states == cv2.GC_PR_FGD)
    return remove_specks(mask, share=0.01)


def remove_specks(mask: Mask, *, share: float) -> Mask:
    """Return only the pieces that have at least ``share`` of the largest one's area."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    if count < 3:
        return mask
    areas = stats[:, cv2.CC_STAT_AREA].copy()
    areas[0] = 0
    return np.asarray((areas >= share * areas.max())[labels] & mask)


def fill_holes(mask: Mask) -> Mask:
    """Return ``mask`` with its holes closed."""
    padded = np.pad(mask.astype(np.uint8), 1)
    cv2.floodFill(padded, None, (0, 0), 2, flags=4)
    return np.asarray(padded[1:-1, 1:-1] != 2)


class LeftOut(NamedTuple):
    """What differs from the background, lies against a mask and is not in it: its area as a ``share`` of the
    mask's, and the share of its outer edge that is a step, ``stepped``, 0 to 1."""

    share: float
    stepped: float


def left_out(mask: Mask, colours: Floats, *, background: Background) -> LeftOut:
    """Return what was taken for the product's shadow. It may as well be a soft white part of it."""
    height, width = mask.shape
    smooth = np.asarray(cv2.GaussianBlur(colours, (0, 0), 0.7), np.float32)
    distance = np.linalg.norm(smooth - background.over(width=width, height=height), axis=-1)
    whole = fill_holes(mask)
    near = dilate(whole, by=3)
    differs = fill_holes(distance > max(WEAK, WEAK_IN_SPREADS * background.spread))
    beside = differs & ~dilate(whole, by=1)
    count, labels = cv2.connectedComponents(beside.astype(np.uint8))
    contact = np.bincount(labels[beside & dilate(whole, by=2)], minlength=count)
    outline = int(np.count_nonzero(whole & ~erode(whole, by=1)))
    # What touches the product in a few pixels is another thing.
    against = contact >= CONTACT * outline
    against[0] = False
    part = against[labels]
    edge = dilate(part, by=1) & ~part & ~near
    if not edge.any():
        return LeftOut(0.0, 0.0)
    across, down = (cv2.Sobel(smooth, cv2.CV_32F, *way, ksize=3) / 8 for way in ((1, 0), (0, 1)))
    steepest = cv2.dilate(np.sqrt((across**2 + down**2).sum(-1)), np.ones((5, 5)))
    core = part & ~near
    inside = np.where(core, distance, 0).astype(np.float32)
    depth = np.maximum(cv2.dilate(inside, np.ones((BESIDE_EDGE, BESIDE_EDGE))), 1)
    return LeftOut(
        share=float(np.count_nonzero(core) / max(1, int(np.count_nonzero(mask)))),
        stepped=float(np.mean(steepest[edge] > STEP * depth[edge])),
    )


def _connected_to(weak: Mask, strong: Mask) -> Mask:
    """Return the pieces of ``weak`` that contain a pixel of ``strong``."""
    count, labels = cv2.connectedComponents(weak.astype(np.uint8), connectivity=8)
    touched = np.zeros(count, np.bool_)
    touched[labels[strong & weak]] = True
    touched[0] = False
    return np.asarray(touched[labels])


def _shadow(smooth: Floats, behind: Floats, mask: Mask, *, spread: float) -> Mask:
    """Return the soft shadow below the product: it keeps the background's hue and fades outwards."""
    shading = measure_shading(smooth, behind)
    rows = np.flatnonzero(mask.any(axis=1))
    below = np.arange(mask.shape[0])[:, None] > rows[0] + 0.55 * (rows[-1] - rows[0])
    soft = mask & below & (shading.slope < SHADOW_SOFTNESS)
    soft &= (shading.tint < 3 + 1.5 * spread) & (shading.depth > 0.5)
    outside = dilate(~mask, by=1)
    count, labels = cv2.connectedComponents(soft.astype(np.uint8), connectivity=4)
    shadow = np.zeros(count, np.bool_)
    rim = labels[soft & outside]
    depth = shading.depth[soft & outside]
    for label in np.unique(rim):
        shadow[label] = float(np.median(depth[rim == label])) <= SHADOW_RIM
    shadow[0] = False
    return np.asarray(shadow[labels])


class Shading(NamedTuple):
    """How far each pixel may be the background in shadow, (H, W) each, in Lab units.

    ``depth`` is how much darker it is, ``tint`` how far its hue is from that of the darkened background,
    ``slope`` how much its lightness changes from one pixel to the next.
    """

    depth: Floats
    tint: Floats
    slope: Floats


def measure_shading(smooth: Floats, behind: Floats) -> Shading:
    """Compare ``smooth``, a (H, W, 3) Lab picture, with the background ``behind`` it."""
    lightness = np.ascontiguousarray(smooth[..., 0])
    slope = np.hypot(
        cv2.Scharr(lightness, cv2.CV_32F, 1, 0) / 32, cv2.Scharr(lightness, cv2.CV_32F, 0, 1) / 32
    )
    dimmed = np.clip(lightness / np.maximum(behind[..., 0], 1), 0.05, 1.2)[..., None]
    tint = np.linalg.norm(smooth[..., 1:] - behind[..., 1:] * dimmed, axis=-1)
    return Shading(behind[..., 0] - lightness, np.asarray(tint, np.float32), slope)
