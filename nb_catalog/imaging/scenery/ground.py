"""The ground of a scene as the camera sees it: material, perspective, light."""

from __future__ import annotations

import math
from dataclasses import replace

import cv2
import numpy as np

from nb_catalog.imaging.scenery.canvas import Canvas, Pixels
from nb_catalog.imaging.scenery.gobo import Gobo, landing
from nb_catalog.imaging.scenery.light import FILL, GAIN, Light, mottle, pool
from nb_catalog.imaging.scenery.noise import Plane
from nb_catalog.imaging.scenery.recipe import SceneRecipe
from nb_catalog.imaging.scenery.stage import DISTANCE, Stage
from nb_catalog.imaging.scenery.surfaces import PAINTERS

MAX_CANVAS = 1.1
"""Maximum pixels of the ground's canvas for each pixel of the picture; distant ground needs few."""
LIGHT_PIXELS = 512
"""Longer side of the map in which light is computed; it has no finer detail."""


def paint_ground(recipe: SceneRecipe, *, stage: Stage, light: Light, seed: int, top: int) -> Pixels:
    """Return the ground's own colour in perspective for the rows from ``top`` down."""
    if stage.view == "top":
        return _paint_from_above(recipe, stage=stage, light=light, seed=seed)
    width, height = stage.size
    depths = stage.depth(np.array([top, height], np.float32))
    far, near = (float(each - 1) * DISTANCE for each in depths)
    sides = np.array([[0.0, 0.0], [float(width), 0.0]]) - stage.centre
    left, right = sides[0, 0] * depths[0] / stage.unit, sides[1, 0] * depths[0] / stage.unit
    extent = (far - near, float(right - left))
    columns = stage.unit / max(float(depths[1]), 0.72)
    rows = stage.unit * stage.squash * 1.7
    spare = math.sqrt(
        min(1.0, MAX_CANVAS * width * height / (extent[0] * rows * extent[1] * columns))
    )
    shape = (
        max(8, math.ceil(extent[0] * rows * spare)),
        max(8, math.ceil(extent[1] * columns * spare)),
    )
    canvas = Canvas(
        material=recipe.surface, seed=seed, shape=shape, extent=extent, towards=light.towards
    )
    painted = PAINTERS[recipe.surface.kind](canvas)
    matrix = stage.homography(shape=shape, extent=extent, far=far, left=float(left), top=top)
    return np.asarray(
        cv2.warpPerspective(
            painted, matrix, (width, height - top),
            flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE,
        ),
        np.uint8,
    )  # fmt: skip


def _paint_from_above(recipe: SceneRecipe, *, stage: Stage, light: Light, seed: int) -> Pixels:
    width, height = stage.size
    canvas = Canvas(
        material=recipe.surface, seed=seed, shape=(height, width),
        extent=(height / stage.unit, width / stage.unit), towards=light.towards,
    )  # fmt: skip
    if recipe.surface.kind not in ("oak", "walnut") or seed % 2:
        return PAINTERS[recipe.surface.kind](canvas)
    turned = replace(
        canvas, shape=canvas.shape[::-1], extent=canvas.extent[::-1], towards=canvas.towards[::-1]
    )
    return np.ascontiguousarray(PAINTERS[recipe.surface.kind](turned).transpose(1, 0, 2))


def illumination(
    recipe: SceneRecipe, *, stage: Stage, light: Light, pattern: Gobo, seed: int
) -> Plane:
    """Return the light that arrives on the ground, about 1 near the product.

    (h, w, 3) linear light, at most ``LIGHT_PIXELS`` on the longer side.
    """
    width, height = stage.size
    scale = min(0.5, LIGHT_PIXELS / max(width, height))
    columns, rows = max(8, round(width * scale)), max(8, round(height * scale))
    x, y = np.meshgrid(
        (np.arange(columns, dtype=np.float32) + 0.5) * np.float32(width / columns),
        (np.arange(rows, dtype=np.float32) + 0.5) * np.float32(height / rows),
    )
    if stage.view == "top":
        across = (x - np.float32(stage.size.width / 2)) / np.float32(stage.unit)
        up = (np.float32(stage.size.height / 2) - y) / np.float32(stage.unit)
        key = pool(recipe.light, x=across, y=up + np.float32(0.5), seed=seed)
        key *= pattern(across, up)
        key *= 1 + np.float32(0.10) * np.clip(
            across * light.towards[0] - up * light.towards[1], -1.5, 1.5
        )
    else:
        # Where paper curves up to become the wall, a dark far end would show as a band.
        depth_counts = 0.15 if recipe.edge == "sweep" else 0.55
        depth = stage.depth(y)
        across = (x - np.float32(stage.centre)) / np.float32(stage.unit) * depth
        away = (depth - 1) * np.float32(DISTANCE)
        key = pool(
            recipe.light, x=across, y=away * np.float32(depth_counts) + np.float32(0.5), seed=seed
        )
        key *= project_gobo(pattern, across=across, away=away, stage=stage, light=light)
    drift = mottle(
        seed=seed, shape=(y.shape[0], y.shape[1]),
        x_units=stage.size.width / stage.unit, y_units=stage.size.height / stage.unit,
    )  # fmt: skip
    return colour_light(key * drift, recipe=recipe, light=light)


def project_gobo(pattern: Gobo, *, across: Plane, away: Plane, stage: Stage, light: Light) -> Plane:
    """Return the gobo's pattern on the ground.

    Each ray is continued to the plane of the wall, so both patterns meet at the edge.
    """
    remaining = np.float32(stage.wall_distance) - away
    right, up = landing(light)
    x, y = across + remaining * np.float32(right), remaining * np.float32(up)
    return pattern(x, y)


def colour_light(key: Plane, *, recipe: SceneRecipe, light: Light) -> Plane:
    """Return key light in the lamp's colour, added to a fill of the complementary colour."""
    fill, gain = FILL[recipe.light.kind], GAIN[recipe.light.kind]
    warm, cool = np.array(light.colour, np.float32), np.array(light.fill_colour, np.float32)
    stops = np.float32(2**recipe.mood.exposure)
    return np.asarray((fill * cool + gain * key[..., None] * warm) * stops, np.float32)
