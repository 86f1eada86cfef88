"""The stage of a scene: camera, horizon, the product's box, and projection to pixels."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nb_catalog.core.types import Size
from nb_catalog.imaging.scenery.noise import stream
from nb_catalog.imaging.scenery.recipe import FramingWish, SceneRecipe

DISTANCE = 5.2
"""From the camera to the product, in units; a short telephoto lens, as in product photography."""
STANDS = ("podium", "block", "slab")
BELOW = 0.44
"""Share of the free height that is below the foot; the rest is above the product."""
UNDER = 0.015
"""Share of the height that is free below a stand."""
BESIDE = 0.04
"""Share of the width that is free on each side of the product."""
DEPTH = {"table": 0.35, "floor": 0.35, "sweep": 0.7}
"""Share of the ground behind the foot that a low product may be moved back."""
LIFT = 0.40
"""A low product stands further back, by this share of the height that it does not use."""
ROOM = {"left": 0.40, "right": 0.40, "above": 0.30}
"""Share of the frame's width or height that is kept free for text."""
SIDE = 0.36
"""Where a product on the left or right has its middle, as a share of the width from that side."""
SHARE_BY_AREA = 0.5
"""Share of a square as large as the fill that a product takes which is sized by its area: one twice as high
as wide, or twice as wide as high, just fits. A slimmer one is as large as it fits."""
PLAIN_SQUASH = 0.27
"""Height divided by width of a circle on the ground of a picture of which only the size is known."""
_ANYWHERE = FramingWish()


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductBox:
    """Where a product goes, in pixels: its foot at ``bottom``, its middle at ``centre``.

    ``room`` is the width that is free there; one product takes ``width`` of it at most. A product that
    is lower than the box may stand further back, by ``lift`` of the height that it does not use and up
    to ``depth`` pixels above ``bottom``. In an ``exact`` box nothing is left to chance. ``area`` is what one
    product takes in square pixels, if it fits; None if it is as large as the box lets it be.
    """

    centre: float
    bottom: float
    width: float
    height: float
    room: float = 0.0
    depth: float = 0.0
    lift: float = LIFT
    exact: bool = False
    area: float | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "room", max(self.room, self.width))


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
    draw, wish = stream(seed, "framing").random(3), recipe.framing
    exact, above = wish.place != "vary", ROOM["above"] if wish.room == "above" else 0.0
    fill = wish.fill * (1.0 if exact else 0.98 + 0.04 * float(draw[0]))
    centre, room = _across(wish, width=width, drift=0.0 if exact else 0.02 * (draw[1] - 0.5))
    tall = min(fill, 1 - above - BESIDE)
    middle = (1 + above) / 2 + (0.0 if exact else 0.005 + 0.01 * (draw[2] - 0.5))
    box = ProductBox(
        centre=centre, bottom=height * (middle + tall / 2), width=min(fill * width, room),
        height=height * tall, room=room, exact=exact, area=_area(wish, size=size),
    )  # fmt: skip
    zoom = 0.88 + 0.17 * draw[0]
    unit = min(0.78 * height, 1.4 * width, 0.858 * width) * zoom
    return Stage(
        size=size, view="top", unit=unit, centre=box.centre,
        floor=box.bottom, edge=0.0, horizon=-math.inf, squash=1.0, box=box,
    )  # fmt: skip


def _from_front(recipe: SceneRecipe, size: Size, seed: int) -> Stage:
    width, height = size
    draw, wish = stream(seed, "framing").random(6), recipe.framing
    exact = wish.place != "vary"
    zoom = 0.84 + 0.21 * draw[0]
    tallness = _tallness(size)
    unit = min((0.60 + 0.14 * max(0, -tallness)) * height, 1.3 * width) * zoom
    unit = min(unit, 0.95 * width)
    raised = lift(recipe) * unit
    fill = wish.fill * (1.0 if exact else 0.98 + 0.04 * float(draw[0]))
    free, low = _free_ends(wish, size=size)
    if wish.baseline is None and not exact:
        low -= 0.012 * (draw[3] - 0.5)
    squash = 0.19 + 0.15 * draw[2]
    bottom = height * (1 - low) - 0.8 * raised
    # The front of the widest stand is seen below the floor's row.
    half = max((each.width / 2 for each in recipe.props if each.kind in STANDS), default=0.0)
    front = half / (1 - half / DISTANCE) * squash * unit
    bottom = min(bottom, height * (1 - UNDER) - raised - front)
    tall = min(fill * height, bottom - free * height)
    # In a wide picture the product may be off the middle.
    drift = 0.0 if exact else (0.04 + 0.25 * max(0, -tallness)) * (draw[1] - 0.5)
    centre, room = _across(wish, width=width, drift=drift)
    widths = [each.width for each in recipe.props if each.kind in STANDS]
    if widths:
        room = min(room, 0.9 * widths[-1] * unit)
    floor = bottom + raised
    # A lower camera sees the same table as a narrower strip.
    rise = {"table": 0.20, "floor": 0.17, "sweep": 0.34}[recipe.edge] + 0.14 * draw[4]
    rise *= 0.5 + squash / 0.54
    rise += 0.25 * raised / unit + 0.32 * max(0, tallness)
    horizon = floor - squash * DISTANCE * unit
    edge = max(floor - rise * unit, horizon + 0.35 * (floor - horizon))
    depth = 0.0 if widths else DEPTH[recipe.edge] * (floor - edge)
    centred = wish.place == "centre" and wish.baseline is None
    box = ProductBox(
        centre=centre, bottom=bottom, height=tall,
        width=min(fill * width, room), room=room,
        depth=tall if centred and recipe.is_plain else depth,
        lift=0.5 if centred else LIFT, exact=exact, area=_area(wish, size=size),
    )  # fmt: skip
    return Stage(
        size=size, view="front", unit=unit, centre=centre, floor=floor,
        edge=edge, horizon=horizon,
        squash=squash, box=box,
    )  # fmt: skip


def _area(wish: FramingWish, *, size: Size) -> float | None:
    """Return what one product takes in square pixels; None if its height or width decides."""
    if wish.by == "height":
        return None
    return SHARE_BY_AREA * (wish.fill * min(size)) ** 2


def _free_ends(wish: FramingWish, *, size: Size) -> tuple[float, float]:
    """Return what is free above a standing product and below it, in shares of the frame's height.

    Both ends of a tall picture stay free; a stand takes part of its height from the product's.
    """
    spare, tallness = 1 - wish.fill, _tallness(size)
    above = (1 - BELOW) * spare
    below = BELOW * spare + 0.12 * max(0, tallness)
    if wish.place == "centre":
        above = below = spare / 2
    if wish.room == "above":
        above = ROOM["above"]
    return above, below if wish.baseline is None else wish.baseline


def _tallness(size: Size) -> float:
    """Return 0 for a square, 1 for an upright picture of 1:8 and -1 for a wide one of 8:1."""
    return max(-1.0, min(1.0, math.log2(size.height / size.width) / 3))


def _across(wish: FramingWish, *, width: int, drift: float) -> tuple[float, float]:
    """Return the middle of the product's box and the free width around it, in pixels.

    ``drift`` is what the seed adds, as a share of the width.
    """
    first, last = ROOM["left"] if wish.room == "left" else 0.0, 1.0
    if wish.room == "right":
        last -= ROOM["right"]
    at = {"left": SIDE, "right": 1 - SIDE}.get(wish.place, 0.5)
    centre = first + at * (last - first) + drift
    return centre * width, 2 * (min(centre - first, last - centre) - BESIDE) * width


def plain_unit(size: Size) -> float:
    """Return the pixels of a unit in a picture of which only the size is known."""
    return min(0.6 * size.height, 0.95 * size.width)


def plain_box(size: Size, *, wish: FramingWish = _ANYWHERE, view: str = "front") -> ProductBox:
    """Return where a product goes in a picture of which only the size is known."""
    width, height = size
    free, low = _free_ends(wish, size=size)
    if view == "top":
        above = ROOM["above"] if wish.room == "above" else 0.0
        tall = min(wish.fill, 1 - above - BESIDE)
        bottom = (1 + above + tall) / 2
    else:
        bottom = 1 - low
        tall = min(wish.fill, bottom - free)
    centre, room = _across(wish, width=width, drift=0.0)
    return ProductBox(
        centre=centre, bottom=bottom * height, width=min(wish.fill * width, room),
        height=tall * height, room=room, depth=0.05 * height, exact=wish.place != "vary",
        area=_area(wish, size=size),
    )  # fmt: skip
