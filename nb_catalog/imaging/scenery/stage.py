"""Where things stand: camera, horizon, the product's box, and the way from the ground to pixels."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nb_catalog.core.types import Size
from nb_catalog.imaging.scenery.noise import stream
from nb_catalog.imaging.scenery.recipe import SceneRecipe

DISTANCE = 5.2
"""From the camera to the product, in units: a short telephoto, as in product photography."""
STANDS = ("podium", "block", "slab")


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """The place for a product in pixels: its feet at ``bottom``, centred on ``centre``."""

    centre: float
    bottom: float
    width: float
    height: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """The camera's view of a ground plane, in pixels.

    ``unit`` is the nominal product height at the product's distance, ``floor`` the row of the
    ground there, ``edge`` the row where ground ends and wall begins, ``horizon`` the row where
    parallel lines would meet. ``squash`` is how flat a circle on the ground looks.
    """

    size: Size
    view: str
    unit: float
    centre: float
    floor: float
    edge: float
    horizon: float
    squash: float
    box: Box

    def depth(self, row: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Distance from the camera for rows of the ground, 1 at the product."""
        gap = np.maximum(row - self.horizon, self.unit * 0.02)
        return np.asarray((self.floor - self.horizon) / gap, np.float32)

    def project(
        self, points: npt.NDArray[np.float64], *, height: float = 0.0
    ) -> npt.NDArray[np.float64]:
        """(N, 2) ground points in units, x right and z away, at a height -> (N, 2) pixels."""
        depth = 1 + points[:, 1] / DISTANCE
        x = self.centre + self.unit * points[:, 0] / depth
        y = self.horizon + (self.floor - self.horizon - height * self.unit) / depth
        return np.stack([x, y], 1)

    @property
    def wall_distance(self) -> float:
        """Units from the product to the wall or the end of the table."""
        return float((self.depth(np.array([self.edge], np.float32))[0] - 1) * DISTANCE)


def lift(recipe: SceneRecipe) -> float:
    """How high the product stands above the ground, in units: the stands are stacked."""
    return sum(each.height for each in recipe.props if each.kind in STANDS)


def staged(recipe: SceneRecipe, *, size: Size, seed: int, view: str) -> Stage:
    """The framing of this variant."""
    return _from_above(size, seed) if view == "top" else _from_front(recipe, size, seed)


def _from_above(size: Size, seed: int) -> Stage:
    width, height = size
    draw = stream(seed, "framing").random(3)
    zoom = 0.88 + 0.17 * draw[0]
    box = Box(
        centre=width * (0.5 + 0.02 * (draw[1] - 0.5)),
        bottom=height * (0.5 + 0.02 * (draw[2] - 0.5)) + zoom * _top_height(width, height) / 2,
        width=0.78 * width * zoom,
        height=_top_height(width, height) * zoom,
    )
    return Stage(
        size=size, view="top", unit=min(box.height, 1.1 * box.width), centre=box.centre,
        floor=box.bottom, edge=0.0, horizon=-math.inf, squash=1.0, box=box,
    )  # fmt: skip


def _top_height(width: float, height: float) -> float:
    return min(0.78 * height, 1.4 * width)


def _from_front(recipe: SceneRecipe, size: Size, seed: int) -> Stage:
    width, height = size
    draw = stream(seed, "framing").random(6)
    zoom = 0.84 + 0.21 * draw[0]
    tallness = max(-1.0, min(1.0, math.log2(height / width) / 3))
    base = 0.80 - 0.14 * max(0, tallness) + 0.07 * max(0, -tallness)
    raised = lift(recipe)
    tall = min((0.60 + 0.14 * max(0, -tallness)) * height, 1.3 * width) * zoom
    # A stand takes its height from the product, so that both stay in the frame.
    tall = min(tall, (base - 0.06) * height / (1 + raised * 0.9)) if raised else tall
    unit = min(tall, 0.95 * width)
    # A wide picture may set its product off the middle.
    centre = width * (0.5 + (0.08 + 0.35 * max(0, -tallness)) * (draw[1] - 0.5))
    squash = 0.19 + 0.15 * draw[2]
    floor = height * (base + 0.025 * (draw[3] - 0.5)) + 0.30 * raised * unit
    # A lower camera sees the same table as a narrower strip.
    rise = {"table": 0.20, "floor": 0.17, "sweep": 0.34}[recipe.edge] + 0.14 * draw[4]
    rise *= 0.5 + squash / 0.54
    rise += 0.25 * raised + 0.32 * max(0, tallness)
    horizon = floor - squash * DISTANCE * unit
    widths = [each.width for each in recipe.props if each.kind in STANDS]
    room = min((0.76 - 0.25 * max(0, -tallness)) * width, 2.6 * tall) * zoom
    room = min(room, 2 * min(centre, width - centre) - 0.12 * width)
    box = Box(
        centre=centre,
        bottom=floor - raised * unit,
        width=min(room, 0.9 * widths[-1] * unit) if widths else room,
        height=tall,
    )
    return Stage(
        size=size, view="front", unit=unit, centre=centre, floor=floor,
        edge=max(floor - rise * unit, horizon + 0.35 * (floor - horizon)), horizon=horizon,
        squash=squash, box=box,
    )  # fmt: skip


def plain_box(size: Size) -> Box:
    """Where a product goes in a picture of which nothing is known but its size."""
    width, height = size
    tallness = max(-1.0, min(1.0, math.log2(height / width) / 3))
    base = 0.80 - 0.14 * max(0, tallness) + 0.07 * max(0, -tallness)
    tall = min((0.60 + 0.14 * max(0, -tallness)) * height, 1.3 * width)
    return Box(
        centre=width / 2, bottom=base * height, width=min(0.70 * width, 2.6 * tall), height=tall
    )
