"""Two ways to tell a product from an even ground. Where they agree, they can be believed."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from nb_catalog.imaging.cutout.background import Floats, Ground, Mask

Bytes = NDArray[np.uint8]

# Distances in CIE Lab. The weak threshold follows the product out to its faint parts, the strong
# one says where there is a product at all.
WEAK_IN_SPREADS: Final = 2.4
WEAK: Final = 1.3
STRONG: Final = 4.0
STRONG_IN_SPREADS: Final = 3.5
SHADOW_SOFTNESS: Final = 2.2
SHADOW_RIM: Final = 4.0
SPECK: Final = 0.003
UNCERTAIN: Final = 5
RIMS: Final = ((5, 0.08), (2, 0.4))
# In Lab units and pixels, measured on mug handles against labels and soles.
HOLE_OFF: Final = 0.5
HOLE_RIM: Final = 2
HOLE_PIXELS: Final = 12
GAIN: Final = 3.0
SURROUNDINGS: Final = 24
GRABCUT_ROUNDS: Final = 3


def disc(radius: int) -> Bytes:
    size = 2 * radius + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)), np.uint8)


def eroded(mask: Mask, *, by: int) -> Mask:
    return cv2.erode(mask.astype(np.uint8), disc(by)) > 0


def dilated(mask: Mask, *, by: int) -> Mask:
    return cv2.dilate(mask.astype(np.uint8), disc(by)) > 0


def overlap(one: Mask, other: Mask) -> float:
    """Intersection over union, 0 to 1."""
    union = int(np.count_nonzero(one | other))
    return int(np.count_nonzero(one & other)) / union if union else 0.0


def mask_by_colour(colours: Floats, *, ground: Ground, firmness: float = 1.0) -> Mask:
    """What differs from the ground, joined to what differs clearly, without its cast shadow.

    ``firmness`` above 1 asks for a greater difference: a mask that changes with it has no clear
    outline. Holes are closed, because a white label on a white ground looks like one.
    """
    height, width = colours.shape[:2]
    behind = ground.over(width=width, height=height)
    smooth = np.asarray(cv2.GaussianBlur(colours, (0, 0), 0.7), np.float32)
    distance = np.linalg.norm(smooth - behind, axis=-1)
    strong = distance > max(STRONG, STRONG_IN_SPREADS * ground.spread)
    found = _joined(distance > firmness * max(WEAK, WEAK_IN_SPREADS * ground.spread), strong)
    found = filled(found)
    if not found.any():
        return found
    found &= ~dilated(_shadow(smooth, behind, found, spread=ground.spread), by=1)
    return _tidied(_joined(_sharpened(found, distance), strong))


def holes(mask: Mask, colours: Floats, *, ground: Ground, least: float) -> Mask:
    """Parts of ``mask`` through which the ground shows, as through the handle of a mug.

    They are as even as the ground outside and have its very colour; a label that resembles the
    ground has shading or print. ``least`` is the smallest that counts, as a share of the picture.
    """
    height, width = mask.shape
    behind = ground.over(width=width, height=height)
    smooth = np.asarray(cv2.GaussianBlur(colours, (0, 0), 0.7), np.float32)
    alike = np.linalg.norm(smooth - behind, axis=-1) < max(WEAK, WEAK_IN_SPREADS * ground.spread)
    off = colours - behind
    outside = off[~dilated(mask, by=6)]
    if not len(outside):
        return np.zeros_like(mask)
    noise = _noise(outside[:, 0])
    count, labels, stats, _ = cv2.connectedComponentsWithStats((mask & alike).astype(np.uint8))
    open_ = np.zeros(count, np.bool_)
    for label in range(1, count):
        if stats[label, cv2.CC_STAT_AREA] >= least * mask.size:
            inner = off[eroded(labels == label, by=HOLE_RIM)]
            open_[label] = len(inner) >= HOLE_PIXELS and (
                float(np.linalg.norm(np.median(inner, axis=0))) < max(HOLE_OFF, ground.spread)
                and _noise(inner[:, 0]) < 1.4 * noise + 0.03
            )
    return np.asarray(open_[labels])


def _noise(values: Floats) -> float:
    """A standard deviation that ringing in a tenth of ``values`` does not move."""
    return float(np.percentile(np.abs(values - np.median(values)), 90)) / 1.645


def _sharpened(found: Mask, distance: Floats) -> Mask:
    """Without the rim that smoothing and JPEG's ringing added next to a strong edge.

    The edge itself lies about half way up to the product's colour; ringing reaches as far as
    JPEG's blocks, but only to a small share of the step that causes it.
    """
    for reach, share in RIMS:
        rim = found & ~eroded(found, by=reach)
        height = cv2.dilate(distance, disc(reach))
        found = np.asarray(found & ~(rim & (distance < share * height)))
    return found


def mask_by_grabcut(colours: Floats, *, ground: Ground, first: Mask) -> Mask:
    """Rother, Kolmogorov, Blake 2004: colour models of both sides, started from ``first``.

    It is given the difference to the ground: a gradient behind the product would otherwise
    share its colours with the product's greys. Only the product's surroundings are looked at.
    """
    height, width = first.shape
    left, top, across, down = cv2.boundingRect(first.astype(np.uint8))
    window = np.s_[
        max(0, top - SURROUNDINGS) : top + down + SURROUNDINGS,
        max(0, left - SURROUNDINGS) : left + across + SURROUNDINGS,
    ]
    off = colours[window] - ground.over(width=width, height=height)[window]
    found = np.zeros_like(first)
    found[window] = _grabcut(np.clip(128 + GAIN * off, 0, 255).astype(np.uint8), first[window])
    return without_specks(found, share=0.01)


def _grabcut(picture: Bytes, first: Mask) -> Mask:
    states = np.where(first, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    states[eroded(first, by=UNCERTAIN)] = cv2.GC_FGD
    states[~dilated(first, by=UNCERTAIN)] = cv2.GC_BGD
    ground_model, product_model = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.grabCut(
        picture,
        states,
        (0, 0, 0, 0),
        ground_model,
        product_model,
        GRABCUT_ROUNDS,
        cv2.GC_INIT_WITH_MASK,
    )
    return np.asarray((states == cv2.GC_FGD) | (states == cv2.GC_PR_FGD))


def without_specks(mask: Mask, *, share: float) -> Mask:
    """Only the pieces that have at least ``share`` of the biggest one's area."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    if count < 3:
        return mask
    areas = stats[:, cv2.CC_STAT_AREA].copy()
    areas[0] = 0
    return np.asarray((areas >= share * areas.max())[labels] & mask)


def filled(mask: Mask) -> Mask:
    """``mask`` with its holes closed."""
    padded = np.pad(mask.astype(np.uint8), 1)
    cv2.floodFill(padded, None, (0, 0), 2, flags=4)
    return np.asarray(padded[1:-1, 1:-1] != 2)


def _joined(weak: Mask, strong: Mask) -> Mask:
    count, labels = cv2.connectedComponents(weak.astype(np.uint8), connectivity=8)
    wanted = np.zeros(count, np.bool_)
    wanted[labels[strong & weak]] = True
    wanted[0] = False
    return np.asarray(wanted[labels])


def _shadow(smooth: Floats, behind: Floats, found: Mask, *, spread: float) -> Mask:
    """The soft darkening below the product that keeps the ground's hue and fades outwards."""
    lightness = np.ascontiguousarray(smooth[..., 0])
    slope = np.hypot(
        cv2.Scharr(lightness, cv2.CV_32F, 1, 0) / 32, cv2.Scharr(lightness, cv2.CV_32F, 0, 1) / 32
    )
    dimmed = np.clip(lightness / np.maximum(behind[..., 0], 1), 0.05, 1.2)[..., None]
    tint = np.linalg.norm(smooth[..., 1:] - behind[..., 1:] * dimmed, axis=-1)
    rows = np.flatnonzero(found.any(axis=1))
    below = np.arange(found.shape[0])[:, None] > rows[0] + 0.55 * (rows[-1] - rows[0])
    darker = behind[..., 0] - lightness
    soft = found & below & (slope < SHADOW_SOFTNESS) & (tint < 3 + 1.5 * spread) & (darker > 0.5)
    return _fading_outwards(soft, darker, outside=dilated(~found, by=1))


def _fading_outwards(soft: Mask, darker: Floats, *, outside: Mask) -> Mask:
    count, labels = cv2.connectedComponents(soft.astype(np.uint8), connectivity=4)
    shadow = np.zeros(count, np.bool_)
    rim = labels[soft & outside]
    depth = darker[soft & outside]
    for label in np.unique(rim):
        shadow[label] = float(np.median(depth[rim == label])) <= SHADOW_RIM
    shadow[0] = False
    return np.asarray(shadow[labels])


def _tidied(mask: Mask) -> Mask:
    mask = without_specks(mask, share=SPECK)
    closed = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_CLOSE, disc(2))
    opened = cv2.morphologyEx(closed, cv2.MORPH_OPEN, disc(1))
    return filled(opened > 0)
