"""What a network and the colours of a photo say about its product, combined; and how certain that is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

import cv2
import numpy as np

from nb_catalog.imaging.cutout import masks
from nb_catalog.imaging.cutout.background import Floats, Mask
from nb_catalog.imaging.cutout.classical import Ground
from nb_catalog.imaging.cutout.outline import visible_share

# A piece that differs from the ground, and of which the network takes no more than this share for the
# product, is a shadow.
KNOWN: Final = 0.15
# Median Lab distance to the fitted ground. Of about 120 gaps in masks of real photos, true holes had at
# most 0.85, white logos and labels at least 1.24.
SAME_AS_GROUND: Final = 1.0
# The ground in shadow, in Lab units: how far from the ground's hue (and this many of its spreads), and how
# much darker at least. Its lightness changes from pixel to pixel by no more than a share of that depth, and
# noise: across the edge of a product it changes by half of it and more.
SHADE_TINT, SHADE_SPREADS, SHADE_DEPTH = 4.0, 1.5, 0.3
SHADE_SLOPE, SHADE_NOISE = 0.4, 0.6
# Pixels: thinner remains beside a shadow are its darkest line, not product.
THIN: Final = 3
SMALL_REST: Final = 0.03
"""Share of the product: smaller pieces that touch a shadow belong to it."""
# Share of the picture: smaller gaps are highlights and noise.
SMALLEST_GAP: Final = 0.0003
GAP_PIXELS: Final = 12
SHADED_GAP: Final = 0.0015
"""Share of the picture of a part that may be a gap in shadow, from which a person should look at it."""
PROBABLY: Final = 0.5
EDGE: Final = 3
"""Pixels on both sides of the network's outline that may be uncertain."""
SIGNAL_SIDE: Final = 512


class Fused(NamedTuple):
    """A mask, and whether a part of it may be a hole through which a shadow on the ground is seen."""

    mask: Mask
    may_have_hole: bool


def fuse(found: Floats, ground: Ground) -> Fused:
    """Return the product on a plain ``ground``, from what a network ``found`` (0..1, at the same size).

    The network knows what a product is, but leaves out white labels and logos in it; colours show every
    pixel that differs from the ground, but also its shadow. What either takes for the product is
    product, except for pieces that the network does not know, and for shadow around what it knows; a gap
    stays open if it has the ground's very colour.
    """
    by_network = found > PROBABLY
    by_colour = masks.mask_by_colour(ground.colours, background=ground.background)
    count, labels = cv2.connectedComponents(by_colour.astype(np.uint8))
    areas = np.bincount(labels.ravel(), minlength=count)
    known = np.bincount(labels.ravel(), weights=by_network.ravel(), minlength=count)
    keep = known > KNOWN * areas
    keep[0] = False
    whole = masks.fill_holes(by_network | keep[labels])
    core = masks.fill_holes(by_network)
    # The pixels that may be the ground in a soft shadow.
    height, width = ground.colours.shape[:2]
    behind = ground.background.over(width=width, height=height)
    smooth = np.asarray(cv2.GaussianBlur(ground.colours, (0, 0), 1.0), np.float32)
    shading = masks.measure_shading(smooth, behind)
    shade = shading.tint < SHADE_TINT + SHADE_SPREADS * ground.background.spread
    shade &= shading.slope < SHADE_SLOPE * shading.depth + SHADE_NOISE
    shade &= shading.depth > SHADE_DEPTH
    shadow = _around(core, shade & whole, whole=whole)
    if shadow.any():
        whole = core | _rest(whole & ~core, shadow, product=core)
    gaps = _gaps(whole & ~by_network, ground=ground)
    # Where the product has a shadow, a gap may show it instead of the ground's colour.
    shaded = masks.erode(whole & ~by_network & ~gaps & shade, by=1) if shadow.any() else gaps
    _, _, stats, _ = cv2.connectedComponentsWithStats(shaded.astype(np.uint8))
    largest = int(stats[1:, cv2.CC_STAT_AREA].max(initial=0))
    return Fused(whole & ~gaps, bool(shadow.any()) and largest >= SHADED_GAP * whole.size)


def _around(core: Mask, shade: Mask, *, whole: Mask) -> Mask:
    """Return the pieces of ``shade`` outside ``core`` that reach the border of ``whole``: there they fade,
    while the edge of a product is steep."""
    beyond = shade & ~masks.dilate(core, by=1)
    count, labels = cv2.connectedComponents(beyond.astype(np.uint8), connectivity=4)
    fades = np.zeros(count, np.bool_)
    fades[labels[beyond & masks.dilate(~whole, by=1)]] = True
    fades[0] = False
    return np.asarray(fades[labels])


def _rest(beyond: Mask, shadow: Mask, *, product: Mask) -> Mask:
    """Return what remains of ``beyond``, outside of what the network knows, without ``shadow``.

    Thin lines are the shadow's darkest part, and small pieces of what it touches the part of it that has
    the product's own colour, which it reflects.
    """
    rest = (beyond & ~masks.dilate(shadow, by=1)).astype(np.uint8)
    opened = cv2.morphologyEx(rest, cv2.MORPH_OPEN, masks.disc(THIN))
    _, before = cv2.connectedComponents(beyond.astype(np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(opened)
    goes = stats[:, cv2.CC_STAT_AREA] < SMALL_REST * np.count_nonzero(product)
    with_shadow = np.isin(before, np.unique(before[shadow]))
    goes[labels[(opened > 0) & ~with_shadow]] = False
    goes[0] = True
    return np.asarray(~goes[labels])


def _gaps(candidates: Mask, *, ground: Ground) -> Mask:
    """Return the connected parts of ``candidates`` through which the ground is seen."""
    off = ground.distance()
    count, labels, stats, _ = cv2.connectedComponentsWithStats(
        candidates.astype(np.uint8), connectivity=4
    )
    inner = masks.erode(candidates, by=1)
    is_gap = np.zeros(count, np.bool_)
    for label in range(1, count):
        if stats[label, cv2.CC_STAT_AREA] < SMALLEST_GAP * candidates.size:
            continue
        left, top, width, height = (int(each) for each in stats[label][:4])
        window = np.s_[top : top + height, left : left + width]
        there = off[window][inner[window] & (labels[window] == label)]
        is_gap[label] = len(there) >= GAP_PIXELS and float(np.median(there)) < SAME_AS_GROUND
    return np.asarray(is_gap[labels])


@dataclass(frozen=True, slots=True, kw_only=True)
class Signals:
    """What distinguishes a good mask from a bad one without knowing the true one; shares from 0 to 1.

    ``confidence`` is the mean of |2p - 1| over what a network takes for product at all, ``uncertain`` the
    uncertain area away from its outline, compared with the product. ``visible`` is the share of the
    mask's outline across which the colour steps, ``agreement`` how far the mask is what the network alone
    takes for the product. ``rim`` is the share of the photo's border that the
    mask touches, ``sides`` on how many sides it does so over a tenth of their length; ``pieces`` counts
    those of at least 2 % of the mask.
    """

    confidence: float
    uncertain: float
    visible: float
    agreement: float
    rim: float
    sides: int
    pieces: int
    share: float


def measure(found: Floats, mask: Mask, *, ground: Ground) -> Signals:
    """Return the signals of ``mask`` and of what a network ``found``, which may have another size."""
    size = (mask.shape[1], mask.shape[0])
    probable = cv2.resize(found, size, interpolation=cv2.INTER_AREA) > PROBABLY
    if found.shape[0] > SIGNAL_SIDE:
        size = (SIGNAL_SIDE, SIGNAL_SIDE)
        found = np.asarray(cv2.resize(found, size, interpolation=cv2.INTER_AREA), np.float32)
    product = found > PROBABLY
    near_outline = masks.dilate(product, by=EDGE) & ~masks.erode(product, by=EDGE)
    unsure = (found > 0.1) & (found < 0.9) & ~near_outline
    considered = found[found > 0.05]
    _, _, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    borders = [mask[0], mask[-1], mask[:, 0], mask[:, -1]]
    return Signals(
        confidence=float(np.abs(2 * considered - 1).mean()) if considered.size else 0.0,
        uncertain=int(np.count_nonzero(unsure)) / max(int(np.count_nonzero(product)), 1),
        visible=visible_share(mask, ground.colours),
        agreement=masks.overlap(masks.fill_holes(probable), masks.fill_holes(mask)),
        rim=float(np.concatenate(borders).mean()),
        sides=sum(float(border.mean()) > 0.1 for border in borders),
        pieces=int(np.count_nonzero(stats[1:, cv2.CC_STAT_AREA] >= 0.02 * mask.sum())),
        share=float(mask.mean()),
    )
