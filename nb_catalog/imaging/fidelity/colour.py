"""Colours of a product in its photo and in a picture, compared as if both had the same light."""

from __future__ import annotations

from typing import Final, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from nb_catalog.imaging.colour_shift import SAMPLE, ciede2000, lab, linear
from nb_catalog.imaging.fidelity.views import Mask
from nb_catalog.imaging.fidelity.warping import Overlay

REDUCED: Final = 2
"""Pixels of the product per side of one pixel of which the colour is compared."""
SEEN: Final = 12.0
"""CIEDE2000 from which a place has another colour, whatever its texture."""
STOPS: Final = 0.5
"""Exposure that the light on the product may add or take away at a place beside the rest."""
EXPOSURES: Final = (0.5, 2.0)
WHITE: Final = (0.93, 1.07)
"""What the light may change of one channel beside the others: warmer or colder by 7 %."""
CHROMATIC: Final = 12.0
"""CIELAB chroma from which a colour has a hue."""

Colours = npt.NDArray[np.float64]


class ColourChange(NamedTuple):
    """How far the product's colours differ, its light aside.

    ``difference`` and ``chroma`` are medians of CIEDE2000, of all and without lightness; ``hue`` is in
    degrees, ``blob`` the largest place of another colour in percent of the product. ``places`` is (H, W),
    where the colour is another.
    """

    difference: float
    chroma: float
    hue: float
    blob: float
    places: Mask


def compare_colours(pair: Overlay) -> ColourChange:
    """Compare the colours of both pictures inside the product."""
    shape = pair.core.shape
    size = (max(1, shape[1] // REDUCED), max(1, shape[0] // REDUCED))
    core = cv2.resize(pair.core.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
    if not core.any():
        return ColourChange(0.0, 0.0, 0.0, 0.0, np.zeros(shape, np.bool_))
    sides = []
    for pixels in (pair.product, pair.picture):
        reduced = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
        smooth = np.asarray(cv2.GaussianBlur(reduced, (0, 0), 1.0), np.uint8)
        sides.append(linear(smooth[core]))
    before, after = sides
    first, second = lab(before), lab(_in_the_light_of(before, after, core))
    apart = ciede2000(first, second)
    step = max(1, len(first) // SAMPLE)
    grey = [
        np.column_stack([np.full(len(each[::step]), 50.0), each[::step, 1:]])
        for each in (first, second)
    ]
    places = np.zeros(core.shape, np.uint8)
    places[core] = apart > SEEN
    places = np.asarray(cv2.morphologyEx(places, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)))
    _count, _labels, stats, _middles = cv2.connectedComponentsWithStats(places)
    largest = int(stats[1:, cv2.CC_STAT_AREA].max(initial=0))
    full = cv2.resize(places, (shape[1], shape[0]), interpolation=cv2.INTER_NEAREST) > 0
    # By how many degrees the hue of the coloured pixels is turned on average.
    hue = 0.0
    chroma = [np.hypot(each[:, 1], each[:, 2]) for each in (first, second)]
    coloured = (chroma[0] > CHROMATIC) & (chroma[1] > CHROMATIC / 2)
    if np.count_nonzero(coloured) >= 0.05 * len(first):
        angles = [np.arctan2(each[coloured, 2], each[coloured, 1]) for each in (first, second)]
        turned = np.angle(np.mean(np.exp(1j * (angles[0] - angles[1]))))
        hue = float(abs(np.degrees(turned)))
    return ColourChange(
        difference=float(np.median(apart)),
        chroma=float(np.median(ciede2000(*grey))),
        hue=hue,
        blob=100 * largest / float(np.count_nonzero(core)),
        places=full & pair.core,
    )


def _in_the_light_of(before: Colours, after: Colours, core: Mask) -> Colours:
    """Return ``after``, linear light (N, 3), with the exposure of ``before``.

    The ratio of the luminances is fitted by a surface of second order over the product, twice, the second
    time without what differs most; a part that is gone does not look like a shadow.
    """
    rows, columns = np.nonzero(core)
    x = columns / max(1, core.shape[1]) - 0.5
    y = rows / max(1, core.shape[0]) - 0.5
    terms = np.column_stack([np.ones_like(x), x, y, x * x, x * y, y * y])
    brightness = [each[:, 0] + each[:, 1] + each[:, 2] for each in (before, after)]
    stops = np.log2((brightness[0] / 3 + 0.01) / (brightness[1] / 3 + 0.01))
    middle = float(np.clip(np.median(stops), *np.log2(EXPOSURES)))
    near = np.abs(stops - middle) < 2 * STOPS
    near[np.arange(len(near)) % max(1, len(near) // SAMPLE) > 0] = False
    fitted = np.full_like(stops, middle)
    for _round in range(2):
        if np.count_nonzero(near) < 50:
            break
        # By the normal equations: six terms of at most 1 are well conditioned, and this is 20 times as fast.
        some = terms[near]
        weights, *_rest = np.linalg.lstsq(some.T @ some, some.T @ stops[near], rcond=None)
        fitted = np.clip(terms @ weights, middle - STOPS, middle + STOPS)
        near &= np.abs(stops - fitted) < STOPS / 2
    lit = after * np.exp2(fitted)[:, None]
    white = np.median((before + 0.02) / (lit + 0.02), axis=0)
    return np.asarray(np.clip(lit * np.clip(white / white.mean(), *WHITE), 0, 1), np.float64)
