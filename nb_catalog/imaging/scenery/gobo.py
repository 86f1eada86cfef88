"""Gobos, patterns that shape the light: window panes, leaves, the edge of a roof."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from nb_catalog.imaging.scenery.light import Light
from nb_catalog.imaging.scenery.noise import Plane, blur, smoothstep, stream
from nb_catalog.imaging.scenery.recipe import Lamp

Gobo: TypeAlias = Callable[[Plane, Plane], Plane]
"""Points on the wall's plane in units (x right of the product, y above the ground) -> light 0..1."""

GOBO_PIXELS = 640
GOBO_UNITS = 5.0


def gobo(lamp: Lamp, *, light: Light, distance: float, seed: int) -> Gobo:
    """Return the gobo of a lamp; ``distance`` is from the product to the wall, in units."""
    if lamp.kind == "sun":
        return _sun_band(lamp, light=light, distance=distance, seed=seed)
    if lamp.kind == "window":
        return _blurred_pattern(_panes(seed), lamp=lamp, light=light)
    if lamp.kind == "leaves":
        return _blurred_pattern(_branches(seed), lamp=lamp, light=light)
    return lambda x, y: np.ones_like(x + y)


def landing(light: Light) -> tuple[float, float]:
    """Return how far a ray moves right and up on the wall's plane for each unit of distance.

    Flatter than in reality, so that the pattern on the ground stays near the one on the wall.
    """
    turn, climb = math.radians(light.azimuth), math.radians(light.elevation)
    forward = max(math.cos(turn), 0.35)
    return -math.sin(turn) / forward * 0.42, -math.tan(climb) * 0.7


def _lean(light: Light) -> float:
    """Return the shear of the pattern: a lamp at the side projects a square as a parallelogram."""
    return -0.32 * math.copysign(1, light.azimuth)


def _sun_band(lamp: Lamp, *, light: Light, distance: float, seed: int) -> Gobo:
    """Return a slanted band of sun that includes the product's foot and the wall behind it."""
    draw = stream(seed, "band").random(3)
    steep, lean = 0.5 + 0.5 * float(draw[0]), _lean(light)
    right, up = (distance * each for each in landing(light))
    foot, behind = right - steep * (up + lean * right), -0.5 * steep
    middle = foot + max(-0.4, min(0.4, 0.35 * (behind - foot)))
    start, stop = middle - 0.75 - 0.35 * float(draw[1]), middle + 0.75 + 0.45 * float(draw[2])

    def light_at(x: Plane, y: Plane) -> Plane:
        at = np.asarray(x - steep * (y + lean * x), np.float32)
        total: Plane = np.zeros_like(at)
        for soft, share in (
            (0.02 + 0.12 * lamp.softness, 0.72),
            (0.07 + 0.26 * lamp.softness, 0.28),
        ):
            rise = smoothstep(at, start=start - soft, stop=start + soft)
            fall = smoothstep(at, start=stop - soft, stop=stop + soft)
            total += np.float32(share) * (rise - fall)
        return total

    return light_at


def _blurred_pattern(shape: Plane, *, lamp: Lamp, light: Light) -> Gobo:
    """Return a pattern blurred twice, because a lamp has a bright middle and a faint rim."""
    per_unit = GOBO_PIXELS / GOBO_UNITS
    near = blur(shape, sigma=(0.008 + 0.05 * lamp.softness) * per_unit)
    far = blur(shape, sigma=(0.03 + 0.11 * lamp.softness) * per_unit)
    pattern = np.asarray(0.72 * near + 0.28 * far, np.float32)
    lean = np.float32(_lean(light))

    def light_at(x: Plane, y: Plane) -> Plane:
        column = (x * per_unit + GOBO_PIXELS / 2).astype(np.float32)
        row = ((-y - lean * x) * per_unit + GOBO_PIXELS / 2).astype(np.float32)
        seen = cv2.remap(pattern, column, row, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
        return np.asarray(seen, np.float32)

    return light_at


def _panes(seed: int) -> Plane:
    draw = stream(seed, "panes").random(4)
    plane = np.zeros((GOBO_PIXELS, GOBO_PIXELS), np.float32)
    per_unit = GOBO_PIXELS / GOBO_UNITS
    wide, tall, bar = (
        (0.44 + 0.12 * draw[0]) * per_unit,
        (0.62 + 0.2 * draw[1]) * per_unit,
        0.055 * per_unit,
    )
    left = GOBO_PIXELS / 2 - 2.0 * (wide + bar) + (draw[2] - 0.5) * 0.5 * wide
    top = GOBO_PIXELS / 2 - 2.0 * (tall + bar) + (draw[3] - 0.5) * 0.4 * tall
    for row in range(5):
        for column in range(4):
            x, y = left + column * (wide + bar), top + row * (tall + bar)
            corner = (round(x + wide), round(y + tall))
            cv2.rectangle(plane, (round(x), round(y)), corner, 1.0, -1, cv2.LINE_AA)
    return plane * (1 - 0.5 * (1 - _branches(seed)))


def _branches(seed: int) -> Plane:
    rng = stream(seed, "branches")
    plane = np.ones((GOBO_PIXELS, GOBO_PIXELS), np.float32)
    for _ in range(9):
        at = (rng.random(2) * (1.1, 0.75) + (-0.05, -0.2)) * GOBO_PIXELS
        heading = float(rng.uniform(0.9, 2.2))
        bend = float(rng.uniform(-0.05, 0.05))
        leaf = float(rng.uniform(0.85, 1.25)) * GOBO_PIXELS * 0.034
        for index in range(15):
            ahead = at + np.array([math.cos(heading), math.sin(heading)]) * leaf * 0.8
            cv2.line(plane, _point(at), _point(ahead), 0.0, 2, cv2.LINE_AA)
            axes = (round(leaf * 1.25 * (1 - index / 22)), round(leaf * 0.34))
            for side in (-1, 1):
                turn = heading + side * float(rng.uniform(0.6, 1.1))
                tip = _point(ahead + np.array([math.cos(turn), math.sin(turn)]) * leaf * 1.1)
                cv2.ellipse(plane, tip, axes, math.degrees(turn), 0, 360, 0.0, -1, cv2.LINE_AA)
            at, heading = ahead, heading + bend + float(rng.uniform(-0.08, 0.08))
    return plane


def _point(at: npt.NDArray[np.float64]) -> tuple[int, int]:
    return round(float(at[0])), round(float(at[1]))
