"""Lights far behind the product, out of focus: each a different image of the lens's opening."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import numpy.typing as npt

from nb_catalog.imaging.scenery.canvas import BAND, Pixels, parse_colour
from nb_catalog.imaging.scenery.noise import Plane, blur, warp
from nb_catalog.imaging.scenery.recipe import Prop

GAMMA: Final = 2.2
EACH_UNIT: Final = 26
"""Lights per unit of the wall's width if the prop's height is 1."""
NEARBY: Final = 14
"""Lights in a view from above if the prop's height is 1."""
MAP: Final = 1024
"""Longer side of the map of these lights, in pixels."""
IN_STRINGS: Final = 0.5
"""Share of the lights that hang together in a few strings; the rest is anywhere."""
STRINGS: Final = 4
STOPPED_DOWN: Final = 0.25
"""Share of the way from a circle to the polygon of the lens's blades."""
HUE: Final = 0.17
"""By how much red and blue of a light may differ from its tone."""
CAT_EYE: Final = 0.7
"""Shift of the second circle at the corner of the frame, in radii: the barrel of the lens cuts what
comes in from the side."""


def add_bokeh(
    wall: Plane, prop: Prop, *, origin: tuple[float, float], per_unit: float,
    rng: np.random.Generator,
) -> Plane:  # fmt: skip
    """Return ``wall``, sRGB 0..255, with lights added in linear light; it may exceed 255.

    ``origin`` is the pixel of the product's middle on the ground, ``per_unit`` pixels of a unit. Few
    lights are bright and most are faint, small ones are brighter, and half of them hang in strings.
    """
    rows, columns = wall.shape[:2]
    count = int(EACH_UNIT * prop.height * max(1.0, columns / per_unit))
    # Single lights, and strings that sag: x and y from 0 to 1 of the wall.
    single = rng.random((count, 2))
    single[:, 1] = 1.02 - single[:, 1] ** 0.8
    hang = rng.random((STRINGS, 4))
    of = rng.integers(0, STRINGS, count)
    along, off = rng.random(count), rng.normal(0, 0.022, (count, 2))
    start, length, height, sag = hang[of].T
    x = start * 1.2 - 0.5 + along * (0.5 + 0.5 * length)
    y = 0.1 + 0.55 * height + (0.1 + 0.25 * sag) * (1 - (2 * along - 1) ** 2)
    strung = np.stack([x, y], 1) + off
    shares = np.where((rng.random(count) < IN_STRINGS)[:, None], strung, single)
    places = shares * (columns, origin[1])
    radii = (0.016 + 0.085 * rng.random(count) ** 1.8) * per_unit * prop.width
    glow = _glow(places, radii=radii, prop=prop, shape=(rows, columns), per_unit=per_unit, rng=rng)
    halo = blur(glow, sigma=0.12 * per_unit)
    linear = np.power(np.maximum(wall, 0) / 255, GAMMA) + glow + 0.55 * halo
    # A cubic interpolation, as in ``blur``, falls below 0 beside something bright.
    return np.asarray(np.power(np.maximum(linear, 0), 1 / GAMMA) * 255, np.float32)


def add_lights_nearby(pixels: Pixels, prop: Prop, *, unit: float, rng: np.random.Generator) -> None:
    """Add lights in place that hang close to the lens, in the corners of a view from above.

    They are large and faint, so a small map is enough.
    """
    height, width = pixels.shape[:2]
    k = min(1.0, MAP / max(height, width))
    rows, columns = max(8, round(height * k)), max(8, round(width * k))
    draw = rng.random((int(NEARBY * prop.height), 3))
    corner = np.array([[0, 0], [1, 0], [0, 1], [1, 1]])[(draw[:, 0] * 4).astype(int)]
    inward = (0.24 * draw[:, 1:] ** 1.5 - 0.04) * (1 - 2 * corner)
    places = (corner + inward) * (columns, rows)
    radii = (0.05 + 0.05 * rng.random(len(draw))) * unit * k * prop.width
    glow = _glow(places, radii=radii, prop=prop, shape=(rows, columns), per_unit=unit * k, rng=rng)
    share = np.power(np.clip(glow, 0, 1), np.float32(1 / GAMMA))
    for first in range(0, height, BAND):
        part = pixels[first : first + BAND]
        into = np.array([[k, 0, 0.5 * k - 0.5], [0, k, (first + 0.5) * k - 0.5]])
        wide = warp(share, into, size=(width, len(part)))
        # A screen, as two exposures of one picture.
        part[:] = (255 - (255 - part) * (1 - wide) + np.float32(0.5)).astype(np.uint8)


def _glow(
    places: npt.NDArray[np.float64], *, radii: npt.NDArray[np.float64], prop: Prop,
    shape: tuple[int, int], per_unit: float, rng: np.random.Generator,
) -> Plane:  # fmt: skip
    """Return the linear light, (h, w, 3), of lights at these places, in pixels."""
    glow = np.zeros((*shape, 3), np.float32)
    inks = [
        np.power(parse_colour(each) / 255, GAMMA) for each in (prop.tone, prop.accent or prop.tone)
    ]
    blades, turn = int(rng.integers(6, 10)), float(rng.random() * math.pi)
    draws = rng.random((len(places), 5))
    for centre, radius, draw in zip(places, radii, draws, strict=True):
        power = 0.085 / (1 - 0.97 * draw[0]) ** 0.75
        power *= (0.05 * per_unit * prop.width / radius) ** 0.6
        ink = inks[int(draw[1] > 0.7)] * (1 + HUE * (2 * draw[2:5] - 1) * (1, 0.4, 1))
        corner = (centre - (shape[1] / 2, shape[0] / 2)) / (math.hypot(*shape) / 2)
        # The rows and columns that it may touch; empty slices outside the wall.
        low = np.clip(np.floor(centre - radius - 2), 0, None).astype(int)
        high = np.clip(np.ceil(centre + radius + 3), 0, None).astype(int)
        window = slice(low[1], min(shape[0], high[1])), slice(low[0], min(shape[1], high[0]))
        disc = _opening(
            window, centre=centre, radius=radius, blades=blades, turn=turn, corner=corner
        )
        glow[window] += disc[..., None] * (ink * power).astype(np.float32)
    return blur(glow, sigma=0.004 * per_unit)


def _opening(
    window: tuple[slice, slice], *, centre: npt.NDArray[np.float64], radius: float, blades: int,
    turn: float, corner: npt.NDArray[np.float64],
) -> Plane:  # fmt: skip
    """Return the image of the lens's opening, about 1, with a brighter rim."""
    y = np.arange(window[0].start, window[0].stop, dtype=np.float32)[:, None] - np.float32(
        centre[1]
    )
    x = np.arange(window[1].start, window[1].stop, dtype=np.float32)[None, :] - np.float32(
        centre[0]
    )
    away = np.sqrt(x * x + y * y)
    sector = np.float32(2 * math.pi / blades)
    angle = np.mod(np.arctan2(y, x) + np.float32(turn), sector) - sector / 2
    polygon = away * np.cos(angle) / np.float32(math.cos(math.pi / blades) ** 0.5)
    edge = away + (polygon - away) * np.float32(STOPPED_DOWN)
    shift = np.clip(corner, -1, 1) * CAT_EYE * radius
    cut = np.sqrt(np.square(x + np.float32(shift[0])) + np.square(y + np.float32(shift[1])))
    edge = np.maximum(edge, cut)
    disc = np.clip(np.float32(radius) - edge + np.float32(0.5), 0, 1)
    return np.asarray(disc * (0.75 + 0.45 * np.square(edge / max(radius, 1))), np.float32)
