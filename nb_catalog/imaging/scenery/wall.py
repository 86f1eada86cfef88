"""The wall of a scene: material, niche, disc, and the light on it."""

from __future__ import annotations

import math

import cv2
import numpy as np
import numpy.typing as npt

from nb_catalog.imaging.scenery.bokeh import add_bokeh
from nb_catalog.imaging.scenery.canvas import Canvas, parse_colour
from nb_catalog.imaging.scenery.gobo import Gobo
from nb_catalog.imaging.scenery.ground import LIGHT_PIXELS, colour_light
from nb_catalog.imaging.scenery.light import Light, mottle, pool
from nb_catalog.imaging.scenery.noise import Plane, blur, resize, stream
from nb_catalog.imaging.scenery.recipe import Material, Prop, SceneRecipe
from nb_catalog.imaging.scenery.stage import Stage
from nb_catalog.imaging.scenery.surfaces import PAINTERS

GAMMA = 1 / 2.2
SUBPIXEL = 4
BLUR = {"table": 0.045, "floor": 0.012, "sweep": 0.03}
"""Blur of the wall in units if the mood's blur is 1."""


class Sketch:
    """The wall while it is painted: ``paint`` is its own colour, ``light`` the light on it.

    Both are (h, w, 3) maps of the picture's rows 0 to ``bottom``, ``step`` times coarser.
    ``arrives`` is the linear light. Positions are in units: x from the product, y up from the edge.
    """

    def __init__(
        self, material: Material, arrives: Plane, *, stage: Stage, lamp: Light, bottom: int,
        step: float, seed: int,
    ) -> None:  # fmt: skip
        self.lamp = lamp
        self.rows = max(8, math.ceil(bottom / step))
        self.columns = max(8, math.ceil(stage.size.width / step))
        self.per_unit = stage.unit / step
        self.origin = (stage.centre / step, stage.edge / step)
        canvas = Canvas(
            material=material, seed=seed + 1, shape=(self.rows, self.columns),
            extent=(self.rows / self.per_unit, self.columns / self.per_unit),
            towards=(lamp.towards[0], -abs(math.sin(math.radians(lamp.elevation)))),
        )  # fmt: skip
        self.paint: Plane = PAINTERS[material.kind](canvas).astype(np.float32)
        self.light = resize(np.power(arrives, np.float32(GAMMA)), shape=canvas.shape)

    def mask(self, outline: npt.NDArray[np.float64]) -> Plane:
        """Return a filled, antialiased outline, 0..1."""
        x = self.origin[0] + outline[:, 0] * self.per_unit
        y = self.origin[1] - outline[:, 1] * self.per_unit
        corners = np.round(np.stack([x, y], 1) * 2**SUBPIXEL).astype(np.int32)
        plane = np.zeros((self.rows, self.columns), np.uint8)
        cv2.fillPoly(plane, [corners], 255.0, cv2.LINE_AA, SUBPIXEL)
        return plane.astype(np.float32) * np.float32(1 / 255)

    def add_arch(self, prop: Prop) -> None:
        """Add a niche: its reveal is lit by where it faces, its back is in the opening's shadow."""
        deep = 0.055 * prop.width
        outer = self.mask(_arch_outline(prop, inset=0))
        inner = self.mask(_arch_outline(prop, inset=deep))
        side = math.copysign(1.0, self.lamp.azimuth)
        moved = self.mask(_arch_outline(prop, inset=deep) + (-side * 0.17, -0.15))
        opening = blur(moved, sigma=(0.02 + 0.06 * self.lamp.softness) * self.per_unit)
        x = (np.arange(self.columns, dtype=np.float32) - self.origin[0]) / self.per_unit
        y = (self.origin[1] - np.arange(self.rows, dtype=np.float32)) / self.per_unit
        over = np.clip((y - (prop.height - prop.width / 2)) / (prop.width / 2), 0, 1)[:, None]
        facing = np.clip(-x * side / (prop.width / 2), -1, 1)[None, :] * (1 - 0.7 * over)
        reveal = (0.88 + 0.20 * facing - 0.20 * over).astype(np.float32)
        back = (0.72 + 0.24 * opening).astype(np.float32)
        inside = reveal + (back - reveal) * inner
        lip = (blur(outer, sigma=0.012 * self.per_unit) - outer)[..., None]
        self._tint(prop.tone, mask=outer)
        light = self.light * (1 + (inside[..., None] - 1) * outer[..., None])
        self.light = (light * (1 - 0.10 * np.maximum(lip, 0))).astype(np.float32)

    def add_disc(self, prop: Prop) -> None:
        """Add a round board that hangs a little in front of the wall."""
        angles = np.linspace(0, 2 * np.pi, 181)[:-1]
        ring = np.stack([np.cos(angles), np.sin(angles)], 1) * prop.width / 2 + (0.0, prop.height)
        mask = self.mask(ring)
        moved = self.mask(ring + (-math.copysign(0.035, self.lamp.azimuth), -0.045))
        shadow = blur(moved, sigma=0.03 * self.per_unit) * (1 - mask)
        self._tint(prop.tone, mask=mask)
        self.light = (self.light * (1 - 0.22 * shadow[..., None])).astype(np.float32)

    def _tint(self, tone: str, *, mask: Plane) -> None:
        """Give the paint another colour where ``mask`` is 1, and keep its texture."""
        mean = self.paint.reshape(-1, 3).mean(0)
        tinted = np.asarray(self.paint * (parse_colour(tone) / np.maximum(mean, 1)), np.float32)
        self.paint = (self.paint + (tinted - self.paint) * mask[..., None]).astype(np.float32)


def _arch_outline(prop: Prop, *, inset: float) -> npt.NDArray[np.float64]:
    half = prop.width / 2 - inset
    angles = np.linspace(0, np.pi, 90)
    spring = max(0.05, prop.height - prop.width / 2)
    top = np.stack([half * np.cos(angles), spring + half * np.sin(angles)], 1)
    return np.concatenate([[[half, -0.6]], top, [[-half, -0.6]]])


def paint_wall(
    recipe: SceneRecipe, *, stage: Stage, light: Light, pattern: Gobo, seed: int, bottom: int
) -> Plane:
    """Return the lit wall for rows 0 to ``bottom``, as coarse as its blur allows.

    (h, w, 3) sRGB as float 0..255.
    """
    softness = BLUR[recipe.edge] * recipe.mood.blur * stage.unit
    lights = [prop for prop in recipe.props if prop.kind == "bokeh"]
    step = softness / 2.2
    step = max(1.0, min(step, 2.5) if lights else step, max(stage.size) / 3000)
    arrives = _illumination(
        recipe, stage=stage, light=light, pattern=pattern, seed=seed, bottom=bottom
    )
    sketch = Sketch(
        recipe.wall, arrives, stage=stage, lamp=light, bottom=bottom, step=step, seed=seed
    )
    for prop in recipe.props:
        if prop.kind == "arch":
            sketch.add_arch(prop)
        elif prop.kind == "disc":
            sketch.add_disc(prop)
    wall = blur(sketch.paint * sketch.light, sigma=softness / step)
    for index, prop in enumerate(lights):
        wall = add_bokeh(
            wall, prop, origin=sketch.origin, per_unit=sketch.per_unit,
            rng=stream(seed, "bokeh", index),
        )  # fmt: skip
    return wall


def _illumination(
    recipe: SceneRecipe, *, stage: Stage, light: Light, pattern: Gobo, seed: int, bottom: int
) -> Plane:
    """Return the light that arrives on the wall, about 1 at the product; (h, w, 3) linear light."""
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
    return colour_light(key * drift, recipe=recipe, light=light) * np.float32(away)
