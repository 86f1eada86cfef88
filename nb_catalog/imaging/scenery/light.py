"""The key light of a scene, and its distribution on wall and ground."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from nb_catalog.imaging.scenery.noise import Plane, fractal, smoothstep, stream
from nb_catalog.imaging.scenery.recipe import Lamp

FILL: Final = {"softbox": 0.42, "spot": 0.14, "sun": 0.46, "window": 0.40, "leaves": 0.44}
GAIN: Final = {"softbox": 0.66, "spot": 1.05, "sun": 0.68, "window": 0.86, "leaves": 0.82}
"""Fill light, which comes from everywhere, and key light, by the kind of lamp."""
LUMINANCE: Final = np.array([0.2126, 0.7152, 0.0722])
"""Of linear red, green and blue (IEC 61966-2-1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Light:
    """Position and character of the key light.

    ``azimuth`` in degrees: 0 from the camera, 90 from the right, -90 from the left;
    ``elevation`` in degrees above the ground. ``colour`` is a linear-light multiplier for red,
    green and blue. ``softness`` 0 is bare sun, 1 an overcast sky; ``strength`` is how dark a
    shadow gets; ``fill`` is the fill light for each unit of key light. The default is a softbox
    from the upper left.
    """

    azimuth: float = -60.0
    elevation: float = 48.0
    softness: float = 0.6
    colour: tuple[float, float, float] = (1.0, 1.0, 1.0)
    strength: float = 0.55
    fill: float = FILL["softbox"] / GAIN["softbox"]

    @property
    def fill_colour(self) -> tuple[float, float, float]:
        """The colour of the fill light, a linear-light multiplier: partly the key light's complement."""
        red, green, blue = (1 + (1 - each) * 0.45 for each in self.colour)
        return red, green, blue

    @property
    def shade(self) -> tuple[float, float, float]:
        """Return the colour of ground where only the fill light arrives, at luminance 1.

        Relative to the same ground in full light.
        """
        fill = self.fill * np.array(self.fill_colour)
        left = fill / (fill + np.array(self.colour))
        red, green, blue = (float(each) for each in left / (left @ LUMINANCE))
        return red, green, blue

    @property
    def reach(self) -> tuple[float, float]:
        """Where the shadow of a point one unit high falls: to the right, and away from the camera."""
        slant = 1 / math.tan(math.radians(self.elevation))
        turn = math.radians(self.azimuth)
        return -math.sin(turn) * slant, math.cos(turn) * slant

    @property
    def towards(self) -> tuple[float, float]:
        """Direction to the light as seen in a picture taken from above (x right, y down)."""
        turn = math.radians(self.azimuth)
        flat = math.cos(math.radians(self.elevation)) + 0.35
        return math.sin(turn) * flat, math.cos(turn) * flat if abs(
            self.azimuth
        ) > 90 else -flat * 0.5


def sample_light(lamp: Lamp, *, seed: int) -> Light:
    """Return the light of one variant: side, height and warmth differ from seed to seed."""
    draw = stream(seed, "lamp").random(6)
    side = {"left": -1.0, "right": 1.0}.get(lamp.side, -1.0 if draw[0] < 0.5 else 1.0)
    shaped = lamp.kind in ("window", "leaves", "sun")
    turn = 12 * draw[1] if lamp.side == "front" else 44 + (22 if shaped else 48) * draw[1]
    warmth = float(np.clip(lamp.warmth + 0.5 * (draw[2] - 0.5), -1, 1))
    return Light(
        azimuth=side * float(turn),
        elevation=float(np.clip(lamp.elevation + 18 * (draw[3] - 0.5), 15, 85)),
        softness=lamp.softness,
        colour=(1 + 0.11 * warmth, 1 + 0.01 * warmth, 1 - 0.15 * warmth),
        strength=lamp.strength,
        fill=FILL[lamp.kind] / GAIN[lamp.kind],
    )


def pool(lamp: Lamp, *, x: Plane, y: Plane, seed: int) -> Plane:
    """Return how much of the lamp's cone reaches points around the product, given in units."""
    draw = stream(seed, "pool").random(2)
    across, up = x - np.float32(0.3 * (draw[0] - 0.5)), y - np.float32(0.45 + 0.2 * draw[1])
    if lamp.kind == "spot":
        wide, floor = 0.95 + 0.5 * lamp.softness, 0.10
    else:
        wide, floor = 1.5 + 1.3 * lamp.softness, 0.45
    fall = np.exp(-(np.square(across) + np.square(up)) / np.float32(2 * wide * wide))
    return np.asarray(floor + (1 - floor) * fall, np.float32)


def mottle(*, seed: int, shape: tuple[int, int], x_units: float, y_units: float) -> Plane:
    """Return the slow drift of a few percent that bounced light has, about 1."""
    drift = fractal(seed, "mottle", shape=shape, cells=(y_units * 0.7, x_units * 0.7), octaves=2)
    return np.asarray(1 + 0.035 * smoothstep(drift, start=-2, stop=2), np.float32)
