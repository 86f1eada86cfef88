"""A product that was to be painted in another colour: its main colour is moved back to the photo's.

What is left can be compared like any other picture: print and parts that were to stay have to be as they
were.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from nb_catalog.core.colours import Rgb
from nb_catalog.imaging.colour_shift import ciede2000, lab, linear
from nb_catalog.imaging.fidelity.views import Mask, Pixels, ProductView

Colours = npt.NDArray[np.float32]
"""(N, 3) or (H, W, 3) CIELAB."""

SAMPLE: Final = 6000
"""Pixels of which colours are found."""
SHADING: Final = 0.4
"""Weight of lightness where a main colour is looked for: folds and shadows vary it."""
WEIGHTS: Final = np.array([SHADING, 1, 1], np.float32)
BIN: Final = 6.0
"""CIELAB units per side of a bin in which colours are counted."""
REACH: Final = 15.0
"""Weighted CIELAB units within which a colour belongs to the main one."""
WIDE: Final = 20.0
"""The same around the colour asked for, of which a picture may be off."""
ALREADY: Final = 16.0
"""CIEDE2000 up to which a colour of the photo is about the one asked for."""
LEAST_ALIKE: Final = 0.01
"""Share of a picture that the colour asked for takes at least where the product has it."""
LEAST_MAIN: Final = 0.2
"""Share of the product that its main colour must take, so that there is one."""
STOPS: Final = np.linspace(-0.75, 0.75, 13)
"""Exposures at which the main colour may be the one that was asked for."""
KNOTS: Final = np.linspace(2, 98, 13)
"""Percentiles of lightness at which both pictures are laid onto each other."""
VOTE: Final = 2.0
"""Deviation in pixels of the blur over which it is decided whether a place was recoloured."""


class Recoloured(NamedTuple):
    """``picture`` is (H, W, 3) sRGB with the main colour moved back, ``asked`` the CIEDE2000 between the main
    colour and the one asked for, at the exposure that suits it best, and ``kept`` the percentage of the
    product's main colour that still has its old colour."""

    picture: Pixels
    asked: float
    kept: float


def move_back(before: Pixels, after: Pixels, core: Mask, *, colour: Rgb) -> Recoloured | None:
    """Return ``after`` with a main colour of ``before`` instead of ``colour``, inside ``core``.

    Both are (H, W, 3) and lie on each other. Of several main colours it is the one that came closest to
    ``colour``. None if the product of ``before`` has no main colour.
    """
    first, second = _lab(before), _lab(after)
    wanted = lab(linear(np.array([colour], np.float64)))
    distances = [
        (_distance_to(after[main], wanted), main)
        for number, main in enumerate(_main_colours(first, core))
        # A second one that has the colour in the photo already does not show that it was painted.
        if not number or _distance_to(before[main], wanted) > ALREADY
    ]
    if not distances:
        return None
    asked, main = min(distances, key=lambda each: each[0])
    moved = second.copy()
    moved[core] = _moved(second[core], _calm(second)[core], first[main], second[main])
    # A place may have the new colour or be as it was: print and other parts stay.
    as_moved, as_kept = (
        np.sqrt((0.5 * each[..., 0]) ** 2 + each[..., 1] ** 2 + each[..., 2] ** 2)
        for each in (first - moved, first - second)
    )
    closer = cv2.GaussianBlur(as_kept - as_moved, (0, 0), VOTE)
    was_moved = (closer > 0) & core
    picture = np.where(was_moved[..., None], moved, second)
    return Recoloured(
        picture=_srgb(picture),
        asked=asked,
        kept=float(100 * np.mean(~was_moved[main])),
    )


def guess_back(product: ProductView, picture: Pixels, *, colour: Rgb) -> Pixels | None:
    """Return ``picture``, (H, W, 3), with everything that is about ``colour`` in the main colour of
    ``product``.

    The product can then be found: print that is darker than it in the photo and lighter in the picture is
    darker again. None if the product has no main colour, or the picture nothing of ``colour``.
    """
    first, second = _lab(product.pixels), _lab(picture)
    mains = _main_colours(first, product.mask)
    if not mains:
        return None
    flat = second.reshape(-1, 3) * WEIGHTS
    sample = flat[:: max(1, len(flat) // SAMPLE)]
    start = lab(linear(np.array([colour], np.float64)))[0] * WEIGHTS
    centre = _centre_near(sample, start, reach=WIDE)
    if centre is None:
        return None
    alike = (np.linalg.norm(flat - centre, axis=1) < WIDE).reshape(second.shape[:2])
    if np.count_nonzero(alike) < LEAST_ALIKE * alike.size:
        return None
    moved = second.copy()
    moved[alike] = _moved(second[alike], _calm(second)[alike], first[mains[0]], second[alike])
    return _srgb(moved)


def _main_colours(pixels: Colours, core: Mask) -> list[Mask]:
    """Return where the product has its most frequent colours, (H, W) each, the largest first; colours that
    take too little of it are left out."""
    flat = pixels[core] * WEIGHTS
    main: list[Mask] = []
    rest = np.ones(len(flat), np.bool_)
    while np.count_nonzero(rest) >= max(1, LEAST_MAIN * len(flat)):
        sample = flat[rest]
        sample = sample[:: max(1, len(sample) // SAMPLE)]
        least = sample.min(axis=0)
        bins = np.floor((sample - least) / BIN).astype(np.intp)
        counts = np.zeros(bins.max(axis=0) + 3, np.float32)
        np.add.at(counts, tuple((bins + 1).T), 1)
        for axis in range(3):
            counts = np.roll(counts, -1, axis) + counts + np.roll(counts, 1, axis)
        fullest = np.unravel_index(int(np.argmax(counts)), counts.shape)
        start = (np.array(fullest) - 0.5) * BIN + least
        centre = _centre_near(sample, start, reach=REACH)
        if centre is None:
            break
        alike = (np.linalg.norm(flat - centre, axis=1) < REACH) & rest
        if np.count_nonzero(alike) < LEAST_MAIN * len(flat):
            break
        places = np.zeros(core.shape, np.bool_)
        places[core] = alike
        main.append(places)
        rest &= ~alike
    return main


def _centre_near(
    sample: Colours, start: npt.NDArray[np.floating], *, reach: float
) -> npt.NDArray[np.floating] | None:
    """Return the mean of the colours within ``reach`` of itself, found from ``start``; None if there are
    none."""
    centre = start
    for _round in range(8):
        near = np.linalg.norm(sample - centre, axis=1) < reach
        if not near.any():
            return None
        centre = sample[near].mean(axis=0)
    return centre


def _distance_to(pixels: Pixels, wanted: npt.NDArray[np.float64]) -> float:
    """Return the CIEDE2000 between what is in the middle of ``pixels`` (N, 3) and ``wanted``, (1, 3) CIELAB,
    at the exposure that suits it best."""
    middle = np.median(linear(pixels[:: max(1, len(pixels) // SAMPLE)]), axis=0)
    lit = np.clip(np.exp2(STOPS)[:, None] * middle, 0, 1)
    return float(ciede2000(lab(lit), np.repeat(wanted, len(lit), axis=0)).min())


def _calm(pixels: Colours) -> npt.NDArray[np.float32]:
    """Return the lightness of ``pixels``, (H, W), without grain: on a dark colour, what stands for the
    shading of a white one is little more than that."""
    light = np.ascontiguousarray(pixels[..., 0])
    return np.asarray(cv2.bilateralFilter(light, 7, 8, 3), np.float32)


def _moved(
    pixels: Colours, calm: npt.NDArray[np.float32], before: Colours, after: Colours
) -> Colours:
    """Return ``pixels`` of the picture with the main colour that the photo has at the same lightness.

    ``calm`` (N,) is their lightness without grain, ``before`` and ``after`` are the main colour's pixels in
    photo and picture. Lightness is laid on lightness by their percentiles; what differs from the main colour
    of that lightness goes on to differ.
    """
    before, after = (each[:: max(1, len(each) // SAMPLE)] for each in (before, after))
    own, other = (np.percentile(each[:, 0], KNOTS) for each in (after, before))
    own = np.maximum.accumulate(own + np.arange(len(own)) * 1e-3)
    inside = np.clip(calm, own[0], own[-1])
    target = np.interp(inside, own, other)
    moved = np.empty_like(pixels)
    moved[:, 0] = target + (pixels[:, 0] - inside)
    for channel in (1, 2):
        here = np.polynomial.Polynomial.fit(after[:, 0], after[:, channel], 2)
        there = np.polynomial.Polynomial.fit(before[:, 0], before[:, channel], 2)
        moved[:, channel] = pixels[:, channel] - here(inside) + there(target)
    return moved


def _lab(pixels: Pixels) -> Colours:
    return np.asarray(cv2.cvtColor(pixels.astype(np.float32) / 255, cv2.COLOR_RGB2LAB), np.float32)


def _srgb(pixels: Colours) -> Pixels:
    light = cv2.cvtColor(pixels.astype(np.float32), cv2.COLOR_LAB2RGB)
    return np.asarray(np.rint(np.clip(light, 0, 1) * 255), np.uint8)
