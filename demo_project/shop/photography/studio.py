"""The photo studio: soft boxes around the product, and the light from any direction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]


def _unit(*vector: float) -> Array:
    v = np.array(vector, np.float32)
    return v / np.linalg.norm(v)


@dataclass(frozen=True, slots=True, kw_only=True)
class SoftBox:
    """A rectangle of light in the direction ``towards``; ``wide`` and ``tall`` as tangents."""

    towards: tuple[float, float, float]
    wide: float
    tall: float
    power: float
    wrap: float = 0.3

    def axes(self) -> tuple[Array, Array, Array]:
        axis = _unit(*self.towards)
        side = _unit(*np.cross((0.0, 1.0, 0.05), axis))
        return axis, side, _unit(*np.cross(axis, side))


KEY: Final = SoftBox(towards=(-0.78, 0.62, 0.62), wide=0.55, tall=0.8, power=2.7, wrap=0.22)
FILL: Final = SoftBox(towards=(0.95, 0.3, 0.45), wide=0.3, tall=1.1, power=0.62, wrap=0.5)
TOP: Final = SoftBox(towards=(0.1, 1.0, 0.05), wide=0.9, tall=0.7, power=0.75, wrap=0.4)
RIM: Final = SoftBox(towards=(0.7, 0.45, -0.75), wide=0.4, tall=1.0, power=0.8, wrap=0.1)
BOXES: Final = (KEY, FILL, TOP, RIM)
SKY: Final = np.array([0.21, 0.215, 0.225], np.float32)
FLOOR: Final = np.array([0.17, 0.165, 0.155], np.float32)


def diffuse_light(
    normals: Array, *, shadow: Array | float = 1.0, open_sky: Array | float = 1.0
) -> Array:
    """Return the light on a matt surface, (n, 3). ``shadow`` dims the key, ``open_sky`` the rest."""
    up = normals[:, 1:2] * 0.5 + 0.5
    light = (SKY * up + FLOOR * (1 - up)) * np.reshape(open_sky, (-1, 1))
    for box in BOXES:
        axis, _, _ = box.axes()
        cosine = (normals @ axis + box.wrap) / (1 + box.wrap)
        share = np.clip(cosine, 0, 1) ** 1.35 * box.power * 0.42
        share = share * (shadow if box is KEY else open_sky)
        light = light + share[:, None]
    return light.astype(np.float32)


def specular_light(directions: Array, *, rough: float) -> Array:
    """Return the light that a surface of this roughness mirrors from these directions, (n, 3)."""
    up = directions[:, 1]
    blur = 0.04 + 0.9 * rough
    # A white table below, a grey room above, and a dark band where the two meet, which gives metal
    # and glass their definition.
    floor = _step(-up, 0.02, 0.25 + blur) * 0.62
    room = _step(up, -0.1, 0.9 + blur) * 0.4
    band = 0.16 + 0.2 * rough
    light = band + floor + room
    for box in BOXES:
        light = light + _box_seen(box, directions, blur) * box.power * (1.9 - 1.1 * rough)
    return np.repeat(light[:, None], 3, 1).astype(np.float32)


def _box_seen(box: SoftBox, directions: Array, blur: float) -> Array:
    axis, side, over = box.axes()
    ahead = directions @ axis
    safe = np.maximum(ahead, 0.05)
    a, b = abs(directions @ side) / safe, abs(directions @ over) / safe
    seen = _step(box.wide - a, -blur, blur) * _step(box.tall - b, -blur, blur)
    return np.where(ahead > 0.05, seen, 0)


def _step(value: Array, low: float, high: float) -> Array:
    t = np.clip((value - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)
