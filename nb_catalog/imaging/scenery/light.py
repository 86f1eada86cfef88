"""The key light of a scene, and how it falls on wall and ground."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from nb_catalog.imaging.scenery.noise import Plane, blurred, fractal, smoothstep, stream
from nb_catalog.imaging.scenery.recipe import Lamp

GOBO_PIXELS = 640
GOBO_UNITS = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Light:
    """Where the key light stands and what it is like.

    ``azimuth`` in degrees: 0 from the camera, 90 from the right, -90 from the left. ``colour``
    is a linear-light multiplier for red, green and blue. ``softness`` 0 is bare sun, 1 an
    overcast sky; ``strength`` is how dark a shadow gets.
    """

    azimuth: float = -60.0
    elevation: float = 48.0
    softness: float = 0.6
    colour: tuple[float, float, float] = (1.0, 1.0, 1.0)
    strength: float = 0.55

    @classmethod
    def default(cls) -> Light:
        """A softbox from the upper left: the safest guess where the light is not known."""
        return cls()

    @property
    def reach(self) -> tuple[float, float]:
        """Where the shadow of a point one unit high falls: to the right, and away from us."""
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


def lit(lamp: Lamp, *, seed: int) -> Light:
    """The light that this variant gets: side, height and warmth differ from seed to seed."""
    draw = stream(seed, "lamp").random(6)
    side = {"left": -1.0, "right": 1.0}.get(lamp.side, -1.0 if draw[0] < 0.5 else 1.0)
    shaped = lamp.kind in ("window", "leaves", "sun")
    turn = 12 * draw[1] if lamp.side == "front" else 44 + (22 if shaped else 48) * draw[1]
    warmth = float(np.clip(lamp.warmth + 0.36 * (draw[2] - 0.5), -1, 1))
    return Light(
        azimuth=side * float(turn),
        elevation=float(np.clip(lamp.elevation + 14 * (draw[3] - 0.5), 15, 85)),
        softness=lamp.softness,
        colour=_tint(warmth),
        strength=lamp.strength,
    )


def _tint(warmth: float) -> tuple[float, float, float]:
    return 1 + 0.11 * warmth, 1 + 0.01 * warmth, 1 - 0.15 * warmth


def landing(light: Light) -> tuple[float, float]:
    """How far right and up a ray comes on the wall's plane for each unit that it has yet to go.

    Flatter than true, so that the pattern on the ground stays near the one on the wall.
    """
    turn, climb = math.radians(light.azimuth), math.radians(light.elevation)
    forward = max(math.cos(turn), 0.35)
    return -math.sin(turn) / forward * 0.42, -math.tan(climb) * 0.7


def gobo(lamp: Lamp, *, light: Light, distance: float, seed: int) -> Plane:
    """What stands between the lamp and the scene: transmittance 0..1, GOBO_UNITS wide.

    ``distance`` is that from the product to the wall, in units.
    """
    if lamp.kind == "window":
        shape = _panes(seed)
    elif lamp.kind == "leaves":
        shape = _branches(seed)
    elif lamp.kind == "sun":
        shape = _slant(seed, light=light, distance=distance)
    else:
        return np.ones((8, 8), np.float32)
    per_unit = GOBO_PIXELS / GOBO_UNITS
    near = blurred(shape, sigma=(0.008 + 0.05 * lamp.softness) * per_unit)
    far = blurred(shape, sigma=(0.03 + 0.11 * lamp.softness) * per_unit)
    return np.asarray(0.72 * near + 0.28 * far, np.float32)


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
            cv2.rectangle(
                plane,
                (round(x), round(y)),
                (round(x + wide), round(y + tall)),
                1.0,
                -1,
                cv2.LINE_AA,
            )
    return plane * (1 - 0.5 * (1 - _branches(seed)))


def _slant(seed: int, *, light: Light, distance: float) -> Plane:
    """A band of sun, steered so that the product's foot and the wall behind it both lie in it."""
    draw = stream(seed, "slant").random(3)
    y, x = np.mgrid[0:GOBO_PIXELS, 0:GOBO_PIXELS].astype(np.float32) / np.float32(GOBO_PIXELS)
    steep, lean = 0.5 + 0.5 * float(draw[0]), _lean(light)
    right, up = (distance * each for each in landing(light))
    foot = (right - steep * (up + lean * right)) / GOBO_UNITS
    behind = -steep * 0.5 / GOBO_UNITS
    edge = (x - 0.5) + steep * (y - 0.5) - (0.65 * foot + 0.35 * behind)
    return np.asarray((edge > -0.15 - 0.07 * draw[1]) & (edge < 0.15 + 0.09 * draw[2]), np.float32)


def _lean(light: Light) -> float:
    """A lamp at the side throws a square as a parallelogram."""
    return -0.32 * math.copysign(1, light.azimuth)


def _branches(seed: int) -> Plane:
    rng = stream(seed, "branches")
    plane = np.ones((GOBO_PIXELS, GOBO_PIXELS), np.float32)
    for _ in range(9):
        start = rng.random(2) * (1.1, 0.75) + (-0.05, -0.2)
        heading = float(rng.uniform(0.9, 2.2))
        _frond(plane, rng, start=start * GOBO_PIXELS, heading=heading)
    return plane


def _frond(
    plane: Plane, rng: np.random.Generator, *, start: npt.NDArray[np.float64], heading: float
) -> None:
    at, bend = start, float(rng.uniform(-0.05, 0.05))
    leaf = float(rng.uniform(0.85, 1.25)) * GOBO_PIXELS * 0.034
    for index in range(15):
        ahead = at + np.array([math.cos(heading), math.sin(heading)]) * leaf * 0.8
        cv2.line(plane, _point(at), _point(ahead), 0.0, 2, cv2.LINE_AA)
        for side in (-1, 1):
            turn = heading + side * float(rng.uniform(0.6, 1.1))
            tip = ahead + np.array([math.cos(turn), math.sin(turn)]) * leaf * 1.1
            axes = (round(leaf * 1.25 * (1 - index / 22)), round(leaf * 0.34))
            cv2.ellipse(plane, _point(tip), axes, math.degrees(turn), 0, 360, 0.0, -1, cv2.LINE_AA)
        at, heading = ahead, heading + bend + float(rng.uniform(-0.08, 0.08))


def _point(at: npt.NDArray[np.float64]) -> tuple[int, int]:
    return round(float(at[0])), round(float(at[1]))


def shone(pattern: Plane, *, x: Plane, y: Plane, light: Light) -> Plane:
    """``pattern`` thrown on points given in units (x right, y up) on the plane of the wall."""
    per_unit = pattern.shape[0] / GOBO_UNITS
    lean = np.float32(_lean(light))
    column = (x * per_unit + pattern.shape[1] / 2).astype(np.float32)
    row = ((-y - lean * x) * per_unit + pattern.shape[0] / 2).astype(np.float32)
    return np.asarray(
        cv2.remap(pattern, column, row, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE),
        np.float32,
    )


def pool(lamp: Lamp, *, x: Plane, y: Plane, seed: int) -> Plane:
    """How much of the lamp's cone reaches points in units around the product."""
    draw = stream(seed, "pool").random(2)
    across, up = x - np.float32(0.3 * (draw[0] - 0.5)), y - np.float32(0.45 + 0.2 * draw[1])
    if lamp.kind == "spot":
        wide, floor = 0.95 + 0.5 * lamp.softness, 0.10
    else:
        wide, floor = 1.5 + 1.3 * lamp.softness, 0.45
    fall = np.exp(-(np.square(across) + np.square(up)) / np.float32(2 * wide * wide))
    return np.asarray(floor + (1 - floor) * fall, np.float32)


def mottle(*, seed: int, shape: tuple[int, int], x_units: float, y_units: float) -> Plane:
    """Bounce light is never even: a slow drift of a few percent."""
    drift = fractal(seed, "mottle", shape=shape, cells=(y_units * 0.7, x_units * 0.7), octaves=2)
    return np.asarray(1 + 0.035 * smoothstep(drift, start=-2, stop=2), np.float32)
