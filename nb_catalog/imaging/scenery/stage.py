"""The stage of a scene: camera, horizon, the product's box, and projection to pixels."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nb_catalog.core.types import Size
from nb_catalog.imaging.scenery.noise import stream
from nb_catalog.imaging.scenery.recipe import SceneRecipe

DISTANCE = 5.2
"""From the camera to the product, in units; a short telephoto lens, as in product photography."""
STANDS = ("podium", "block", "slab")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductBox:
    """Where a product goes, in pixels: its foot at ``bottom``, its middle at ``centre``."""

    centre: float
    bottom: float
    width: float
    height: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """The camera's view of the ground, in pixels.

    ``unit`` is the nominal product height at the product's distance, ``floor`` the row of the
    ground there, ``edge`` the row where ground ends and wall begins, ``horizon`` the row where
    parallel lines meet. ``squash`` is height divided by width of a circle on the ground.
    """

    size: Size
    view: str
    unit: float
    centre: float
    floor: float
    edge: float
    horizon: float
    squash: float
    box: ProductBox

    def depth(self, row: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Return the distance from the camera for rows of the ground, 1 at the product."""
        gap = np.maximum(row - self.horizon, self.unit * 0.02)
        return np.asarray((self.floor - self.horizon) / gap, np.float32)

    def project(
        self, points: npt.NDArray[np.float64], *, height: float = 0.0
    ) -> npt.NDArray[np.float64]:
        """Return (N, 2) pixels of (N, 2) points in units, x right and z away, at a height."""
        depth = 1 + points[:, 1] / DISTANCE
        x = self.centre + self.unit * points[:, 0] / depth
        y = self.horizon + (self.floor - self.horizon - height * self.unit) / depth
        return np.stack([x, y], 1)

    @property
    def wall_distance(self) -> float:
        """Units from the product to the wall or the end of the table."""
        return float((self.depth(np.array([self.edge], np.float32))[0] - 1) * DISTANCE)

    def homography(
        self,
        *,
        shape: tuple[int, int],
        extent: tuple[float, float],
        far: float,
        left: float,
        top: int,
    ) -> npt.NDArray[np.float64]:
        """Return the 3x3 matrix from pixels of a ground canvas to pixels below row ``top``.

        The canvas has ``shape`` pixels for ``extent`` units (rows, columns); its upper left corner
        is ``far`` units behind and ``left`` units beside the product.
        """
        to_units = np.array(
            [[extent[1] / shape[1], 0, left], [0, -extent[0] / shape[0], far], [0, 0, 1.0]]
        )
        rise = self.floor - self.horizon
        camera = np.array(
            [
                [self.unit, self.centre / DISTANCE, self.centre],
                [0, (self.horizon - top) / DISTANCE, self.horizon - top + rise],
                [0, 1 / DISTANCE, 1.0],
            ]
        )
        return np.asarray(camera @ to_units)


def lift(recipe: SceneRecipe) -> float:
    """Return the total height of the stacked stands below the product, in units."""
    return sum(each.height for each in recipe.props if each.kind in STANDS)


def build_stage(recipe: SceneRecipe, *, size: Size, seed: int, view: str) -> Stage:
    """Return the framing of one variant; ``view`` is "front" or "top"."""
    if view != "top":
        return _from_front(recipe, size, seed)
    width, height = size
    top_height = min(0.78 * height, 1.4 * width)
    draw = stream(seed, "framing").random(3)
    zoom = 0.88 + 0.17 * draw[0]
    box = ProductBox(
        centre=width * (0.5 + 0.02 * (draw[1] - 0.5)),
        bottom=height * (0.5 + 0.02 * (draw[2] - 0.5)) + zoom * top_height / 2,
        width=0.78 * width * zoom,
        height=top_height * zoom,
    )
    return Stage(
        size=size, view="top", unit=min(box.height, 1.1 * box.width), centre=box.centre,
        floor=box.bottom, edge=0.0, horizon=-math.inf, squash=1.0, box=box,
    )  # fmt: skip


def _from_front(recipe: SceneRecipe, size: Size, seed: int) -> Stage:
    width, height = size
    draw = stream(seed, "framing").random(6)
    zoom = 0.84 + 0.21 * draw[0]
    tallness = max(-1.0, min(1.0, math.log2(height / width) / 3))
    base = 0.80 - 0.14 * max(0, tallness) + 0.07 * max(0, -tallness)
    raised = lift(recipe)
    tall = min((0.60 + 0.14 * max(0, -tallness)) * height, 1.3 * width) * zoom
    # A stand takes its height from the product's, so that both stay in the frame.
    tall = min(tall, (base - 0.06) * height / (1 + raised * 0.9)) if raised else tall
    unit = min(tall, 0.95 * width)
    # In a wide picture the product may be off the middle.
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
    box = ProductBox(
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


def plain_box(size: Size) -> ProductBox:
    """Return where a product goes in a picture of which only the size is known."""
    width, height = size
    tallness = max(-1.0, min(1.0, math.log2(height / width) / 3))
    base = 0.80 - 0.14 * max(0, tallness) + 0.07 * max(0, -tallness)
    tall = min((0.60 + 0.14 * max(0, -tallness)) * height, 1.3 * width)
    return ProductBox(
        centre=width / 2, bottom=base * height, width=min(0.70 * width, 2.6 * tall), height=tall
    )
