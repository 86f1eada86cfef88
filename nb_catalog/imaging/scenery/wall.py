"""The wall behind: material, niche, paper disc, lights out of focus, and the light on it."""

from __future__ import annotations

import math

import cv2
import numpy as np
import numpy.typing as npt

from nb_catalog.imaging.scenery.canvas import Canvas, Colour, Pixels, colour
from nb_catalog.imaging.scenery.gobo import Gobo
from nb_catalog.imaging.scenery.ground import LIGHT_PIXELS, coloured
from nb_catalog.imaging.scenery.light import Light, mottle, pool
from nb_catalog.imaging.scenery.noise import Plane, blurred, fitted, stream
from nb_catalog.imaging.scenery.recipe import Prop, SceneRecipe
from nb_catalog.imaging.scenery.stage import Stage
from nb_catalog.imaging.scenery.surfaces import PAINTERS

GAMMA = 1 / 2.2
SUBPIXEL = 4
BLUR = {"table": 0.045, "floor": 0.012, "sweep": 0.03}
"""Blur of the wall in units when the mood asks for all of it."""


class Sketch:
    """The wall while it is being painted. Positions are in units: x from the product, y up from the edge."""

    def __init__(self, *, stage: Stage, bottom: int, step: float) -> None:
        self.stage = stage
        self.rows = max(8, math.ceil(bottom / step))
        self.columns = max(8, math.ceil(stage.size.width / step))
        self.per_unit = stage.unit / step
        self.origin = (stage.centre / step, stage.edge / step)

    def points(self, outline: npt.NDArray[np.float64]) -> npt.NDArray[np.int32]:
        x = self.origin[0] + outline[:, 0] * self.per_unit
        y = self.origin[1] - outline[:, 1] * self.per_unit
        return np.asarray(np.round(np.stack([x, y], 1) * 2**SUBPIXEL), np.int32)

    def mask(self, outline: npt.NDArray[np.float64]) -> Plane:
        plane = np.zeros((self.rows, self.columns), np.uint8)
        cv2.fillPoly(plane, [self.points(outline)], 255.0, cv2.LINE_AA, SUBPIXEL)
        return plane.astype(np.float32) * np.float32(1 / 255)


def painted(
    recipe: SceneRecipe, *, stage: Stage, light: Light, pattern: Gobo, seed: int, bottom: int
) -> Plane:
    """The lit wall for rows 0 to ``bottom``: (h, w, 3) sRGB as float 0..255, as coarse as its blur allows."""
    softness = BLUR[recipe.edge] * recipe.mood.blur * stage.unit
    sharp = any(prop.kind == "bokeh" for prop in recipe.props)
    step = max(1.0, min(softness / 2.2, 2.5) if sharp else softness / 2.2, max(stage.size) / 3000)
    sketch = Sketch(stage=stage, bottom=bottom, step=step)
    own = _material(recipe, sketch=sketch, light=light, seed=seed).astype(np.float32)
    shade = _illumination(
        recipe, stage=stage, light=light, pattern=pattern, seed=seed, bottom=bottom
    )
    shade = _grown(np.power(shade, np.float32(GAMMA)), sketch)
    for prop in recipe.props:
        if prop.kind == "arch":
            own, shade = _arch(own, shade, prop=prop, sketch=sketch, light=light)
        elif prop.kind == "disc":
            own, shade = _disc(own, shade, prop=prop, sketch=sketch, light=light)
    wall = blurred(own * shade, sigma=softness / step)
    for index, prop in enumerate(each for each in recipe.props if each.kind == "bokeh"):
        wall = _bokeh(wall, prop=prop, sketch=sketch, rng=stream(seed, "bokeh", index))
    return wall


def _material(recipe: SceneRecipe, *, sketch: Sketch, light: Light, seed: int) -> Pixels:
    canvas = Canvas(
        material=recipe.wall, seed=seed + 1, shape=(sketch.rows, sketch.columns),
        extent=(sketch.rows / sketch.per_unit, sketch.columns / sketch.per_unit),
        towards=(light.towards[0], -abs(math.sin(math.radians(light.elevation)))),
    )  # fmt: skip
    return PAINTERS[recipe.wall.kind](canvas)


def _grown(plane: Plane, sketch: Sketch) -> Plane:
    return fitted(plane, shape=(sketch.rows, sketch.columns))


def _illumination(
    recipe: SceneRecipe, *, stage: Stage, light: Light, pattern: Gobo, seed: int, bottom: int
) -> Plane:
    scale = min(0.5, LIGHT_PIXELS / max(stage.size))
    rows, columns = max(8, round(bottom * scale)), max(8, round(stage.size.width * scale))
    row = (np.arange(rows, dtype=np.float32) + 0.5) * np.float32(bottom / rows)
    column = (np.arange(columns, dtype=np.float32) + 0.5) * np.float32(stage.size.width / columns)
    across = (column[None, :] - np.float32(stage.centre)) / np.float32(stage.unit) + 0 * row[
        :, None
    ]
    up = (np.float32(stage.edge) - row[:, None]) / np.float32(stage.unit) + 0 * column[None, :]
    key = pool(recipe.light, x=across, y=up, seed=seed) * pattern(across, up)
    key *= 1 + np.float32(0.14 * math.copysign(1, light.azimuth)) * np.clip(across, -1.6, 1.6)
    if recipe.edge == "floor":
        key *= 1 - np.float32(0.38) * np.exp(-np.maximum(up, 0) / np.float32(0.10))
    drift = mottle(
        seed=seed + 1, shape=(rows, columns),
        x_units=stage.size.width / stage.unit, y_units=bottom / stage.unit,
    )  # fmt: skip
    away = 0.92 if recipe.edge == "table" else 1.0
    return coloured(key * drift, recipe=recipe, light=light) * np.float32(away)


def _arch_outline(width: float, height: float, *, inset: float) -> npt.NDArray[np.float64]:
    half = width / 2 - inset
    angles = np.linspace(0, np.pi, 90)
    spring = max(0.05, height - width / 2)
    top = np.stack([half * np.cos(angles), spring + half * np.sin(angles)], 1)
    return np.concatenate([[[half, -0.6]], top, [[-half, -0.6]]])


def _arch(
    own: Plane, shade: Plane, *, prop: Prop, sketch: Sketch, light: Light
) -> tuple[Plane, Plane]:
    """A niche: its reveal is lit by where it faces, its back lies in the shadow of the opening."""
    deep = 0.055 * prop.width
    outer = sketch.mask(_arch_outline(prop.width, prop.height, inset=0))
    inner = sketch.mask(_arch_outline(prop.width, prop.height, inset=deep))
    side = math.copysign(1.0, light.azimuth)
    moved = _arch_outline(prop.width, prop.height, inset=deep) + (-side * 0.17, -0.15)
    open_light = blurred(sketch.mask(moved), sigma=(0.02 + 0.06 * light.softness) * sketch.per_unit)
    tinted = _toned(own, prop.tone)
    x = (np.arange(sketch.columns, dtype=np.float32) - sketch.origin[0]) / sketch.per_unit
    y = (sketch.origin[1] - np.arange(sketch.rows, dtype=np.float32)) / sketch.per_unit
    over = np.clip((y - (prop.height - prop.width / 2)) / (prop.width / 2), 0, 1)[:, None]
    facing = np.clip(-x * side / (prop.width / 2), -1, 1)[None, :] * (1 - 0.7 * over)
    reveal = (0.88 + 0.20 * facing - 0.20 * over).astype(np.float32)
    back = (0.72 + 0.24 * open_light).astype(np.float32)
    inside = reveal + (back - reveal) * inner
    weight = outer[..., None]
    lip = (blurred(outer, sigma=0.012 * sketch.per_unit) - outer)[..., None]
    own = own + (tinted - own) * weight
    shade = shade * (1 + (inside[..., None] - 1) * weight) * (1 - 0.10 * np.maximum(lip, 0))
    return own.astype(np.float32), shade.astype(np.float32)


def _disc(
    own: Plane, shade: Plane, *, prop: Prop, sketch: Sketch, light: Light
) -> tuple[Plane, Plane]:
    """A round of board hung a little before the wall."""
    angles = np.linspace(0, 2 * np.pi, 181)[:-1]
    ring = np.stack([np.cos(angles), np.sin(angles)], 1) * prop.width / 2 + (0.0, prop.height)
    mask = sketch.mask(ring)
    moved = sketch.mask(ring + (-math.copysign(0.035, light.azimuth), -0.045))
    shadow = blurred(moved, sigma=0.03 * sketch.per_unit) * (1 - mask)
    own = own + (_toned(own, prop.tone) - own) * mask[..., None]
    return own.astype(np.float32), (shade * (1 - 0.22 * shadow[..., None])).astype(np.float32)


def _toned(own: Plane, tone: str) -> Plane:
    """The same skin in another colour."""
    mean = own.reshape(-1, 3).mean(0)
    return np.asarray(own * (colour(tone) / np.maximum(mean, 1)), np.float32)


def _bokeh(wall: Plane, *, prop: Prop, sketch: Sketch, rng: np.random.Generator) -> Plane:
    """Fairy lights far behind: discs with a faint brighter rim, added in linear light."""
    glow = np.zeros((sketch.rows, sketch.columns, 3), np.float32)
    inks = (colour(prop.tone), colour(prop.accent or prop.tone))
    reach = sketch.columns / sketch.per_unit
    for draw in rng.random((int(26 * prop.height * max(1.0, reach)), 6)):
        middle = (draw[0] * sketch.columns, sketch.origin[1] * (1.02 - draw[1] ** 0.8))
        radius = (0.018 + 0.075 * draw[2] ** 2) * sketch.per_unit * prop.width
        ink = inks[int(draw[3] > 0.7)]
        _light(glow, middle=middle, radius=radius, ink=ink, power=0.05 + 0.5 * draw[4] ** 2.2)
    glow = blurred(glow, sigma=0.004 * sketch.per_unit)
    halo = blurred(glow, sigma=0.12 * sketch.per_unit)
    linear = np.power(np.maximum(wall, 0) / 255, 2.2) + glow + 0.55 * halo
    return np.asarray(np.power(np.minimum(linear, 1), GAMMA) * 255, np.float32)


def _light(
    glow: Plane, *, middle: tuple[float, float], radius: float, ink: Colour, power: float
) -> None:
    left, top = int(middle[0] - radius - 2), int(middle[1] - radius - 2)
    side = int(2 * radius + 5)
    rows = slice(max(0, top), min(glow.shape[0], top + side))
    columns = slice(max(0, left), min(glow.shape[1], left + side))
    y = np.arange(rows.start, rows.stop, dtype=np.float32)[:, None] - np.float32(middle[1])
    x = np.arange(columns.start, columns.stop, dtype=np.float32)[None, :] - np.float32(middle[0])
    away = np.sqrt(x * x + y * y)
    disc = np.clip(radius - away + 0.5, 0, 1) * (0.75 + 0.45 * np.square(away / max(radius, 1)))
    glow[rows, columns] += disc[..., None] * np.power(ink / 255, 2.2) * np.float32(power)
