"""What a product can stand on: podium, block, slab. Each is an outline on the ground, raised."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from nb_catalog.imaging.scenery.canvas import Canvas, Pixels
from nb_catalog.imaging.scenery.light import Light
from nb_catalog.imaging.scenery.noise import Plane, blurred, smoothstep, stream
from nb_catalog.imaging.scenery.recipe import Material, Prop, SceneRecipe
from nb_catalog.imaging.scenery.stage import STANDS, Stage
from nb_catalog.imaging.scenery.surfaces import PAINTERS

SUBPIXEL = 4
Outline = npt.NDArray[np.float64]
"""(N, 2) points on the ground in units, x right and z away, counter-clockwise from the right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stand:
    """A raised outline: its foot is ``base`` units above the ground, its top ``height`` higher."""

    prop: Prop
    outline: Outline
    base: float

    @property
    def top(self) -> float:
        return self.base + self.prop.height


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlay:
    """Pixels that cover the backdrop from (left, top): colour (h, w, 3) and cover (h, w) 0..1."""

    left: int
    top: int
    pixels: Pixels
    cover: Plane


def stacked(recipe: SceneRecipe, *, seed: int) -> tuple[Stand, ...]:
    """The stands of a recipe from the ground up."""
    base, found = 0.0, []
    for index, prop in enumerate(each for each in recipe.props if each.kind in STANDS):
        found.append(Stand(prop=prop, outline=outline(prop, seed=seed + index), base=base))
        base += prop.height
    return tuple(found)


def outline(prop: Prop, *, seed: int) -> Outline:
    """The plan of a stand: round, square with soft corners, or as a stone splits."""
    angles = np.linspace(0, 2 * np.pi, 241)[:-1]
    circle = np.stack([np.cos(angles), np.sin(angles)], 1)
    half = prop.width / 2
    if prop.kind == "podium":
        return np.asarray(circle * half)
    if prop.kind == "block":
        corner = np.abs(circle) ** (2 / 40.0) * np.sign(circle)
        return np.asarray(corner * (half, min(half, 0.42)))
    waves = stream(seed, "slab").random(5) * 2 * np.pi
    wobble = sum(np.cos((k + 2) * angles + waves[k]) * 0.05 / (k + 1) for k in range(5))
    return np.asarray(circle * (1 + np.asarray(wobble)[:, None]) * (half, half * 0.72))


def shadow(
    stands: tuple[Stand, ...], *, stage: Stage, light: Light, shape: tuple[int, int]
) -> Plane:
    """How dark the stands make the ground, 0..1, in a map of the whole picture at ``shape``."""
    scale = np.array([shape[1] / stage.size.width, shape[0] / stage.size.height])
    dark: Plane = np.zeros(shape, np.float32)
    unit = stage.unit * float(scale[0])
    for stand in stands:
        reach = np.array(light.reach) * stand.top
        stood, fallen = stage.project(stand.outline), stage.project(stand.outline + reach)
        hull = cv2.convexHull(np.concatenate([stood, fallen]).astype(np.float32))[:, 0]
        cast = blurred(filled(hull * scale, shape), sigma=(0.012 + 0.10 * light.softness) * unit)
        deep = np.float32(0.72 * light.strength + 0.12)
        dark = np.asarray(np.maximum(dark, cast * deep), np.float32)
    for stand in stands[:1]:
        foot = filled(stage.project(stand.outline) * scale, shape)
        tight = blurred(foot, sigma=0.022 * unit) * 0.62
        wide = 0.30 * blurred(foot, sigma=0.09 * unit)
        dark = np.asarray(1 - (1 - dark) * (1 - tight) * (1 - wide), np.float32)
    return dark


def filled(points: npt.NDArray[Any], shape: tuple[int, int]) -> Plane:
    plane = np.zeros(shape, np.uint8)
    cv2.fillPoly(
        plane, [np.round(points * 2**SUBPIXEL).astype(np.int32)], 255.0, cv2.LINE_AA, SUBPIXEL
    )
    return plane.astype(np.float32) * np.float32(1 / 255)


def drawn(
    stand: Stand, *, stage: Stage, light: Light, brightness: Plane, seed: int, above: Stand | None
) -> Overlay:
    """The stand as seen. ``brightness`` is the light on the ground, (h, w, 3), of the whole picture."""
    upper = stage.project(stand.outline, height=stand.top)
    lower = stage.project(stand.outline, height=stand.base)
    both = np.concatenate([upper, lower])
    left, top = (int(each) for each in np.floor(both.min(0)) - 2)
    right, bottom = (int(each) for each in np.ceil(both.max(0)) + 3)
    shape, origin = (bottom - top, right - left), np.array([left, top])
    hull = cv2.convexHull(both.astype(np.float32))[:, 0]
    cover, lid = filled(hull - origin, shape), filled(upper - origin, shape)
    columns = np.arange(left, right, dtype=np.float64)
    side = _side_light(stand, stage=stage, light=light, columns=columns)[None, :]
    side = side * _grounded(lower, columns=columns, top=top, rows=shape[0], unit=stage.unit)
    lid_light = np.full(shape, 1.05, np.float32)
    if above is not None:
        lid_light *= _occluded(above, stage=stage, light=light, shape=shape, origin=origin)
    glint = _rim(upper, origin=origin, shape=shape, unit=stage.unit)
    shade = side + (lid_light - side) * lid + 0.10 * glint
    local = _local(
        brightness, stage=stage, box=(left, top, right, bottom), drop=stand.top * stage.unit
    )
    skin = _skin(stand, stage=stage, light=light, shape=shape, lid=lid, seed=seed)
    lit = skin * np.power(np.maximum(shade[..., None] * local, 0.01), np.float32(1 / 2.2))
    return Overlay(left=left, top=top, pixels=np.clip(lit, 0, 255).astype(np.uint8), cover=cover)


def _side_light(
    stand: Stand, *, stage: Stage, light: Light, columns: npt.NDArray[np.float64]
) -> Plane:
    """Light on the upright side for each column: by where the front of the outline faces."""
    count = len(stand.outline)
    front = np.arange(count // 2, count)
    tangent = np.gradient(stand.outline, axis=0)[front]
    normal = np.stack([tangent[:, 1], -tangent[:, 0]], 1)
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-9)
    turn = math.radians(light.azimuth)
    facing = normal @ np.array([math.sin(turn), -math.cos(turn)])
    value = 0.40 + 0.56 * np.power(np.clip(facing * 0.5 + 0.5, 0, 1), 1.6)
    at = stage.project(stand.outline[front], height=stand.base)[:, 0]
    order = np.argsort(at)
    return np.asarray(np.interp(columns, at[order], value[order]), np.float32)


def _grounded(
    lower: npt.NDArray[np.float64],
    *,
    columns: npt.NDArray[np.float64],
    top: int,
    rows: int,
    unit: float,
) -> Plane:
    """The side darkens towards its foot, where the ground takes light away."""
    front = lower[len(lower) // 2 :]
    order = np.argsort(front[:, 0])
    foot = np.interp(columns, front[order, 0], front[order, 1])
    row = np.arange(top, top + rows, dtype=np.float32)[:, None]
    gap = np.maximum(foot[None, :] - row, 0) / unit
    return np.asarray(1 - 0.34 * np.exp(-gap / 0.016) - 0.12 * np.exp(-gap / 0.12), np.float32)


def _occluded(
    above: Stand,
    *,
    stage: Stage,
    light: Light,
    shape: tuple[int, int],
    origin: npt.NDArray[np.int64],
) -> Plane:
    foot = stage.project(above.outline, height=above.base) - origin
    moved = above.outline + np.array(light.reach) * above.prop.height
    hull = cv2.convexHull(
        np.concatenate([foot, stage.project(moved, height=above.base) - origin]).astype(np.float32)
    )[:, 0]
    cast = blurred(filled(hull, shape), sigma=(0.01 + 0.05 * light.softness) * stage.unit)
    tight = blurred(filled(foot, shape), sigma=0.02 * stage.unit)
    return np.asarray((1 - 0.6 * light.strength * cast) * (1 - 0.5 * tight), np.float32)


def _rim(
    upper: npt.NDArray[np.float64],
    *,
    origin: npt.NDArray[np.int64],
    shape: tuple[int, int],
    unit: float,
) -> Plane:
    plane = np.zeros(shape, np.uint8)
    front = np.round((upper[len(upper) // 2 :] - origin) * 2**SUBPIXEL).astype(np.int32)
    thick = max(1, round(unit * 0.006))
    cv2.polylines(plane, [front], False, 255.0, thick, cv2.LINE_AA, SUBPIXEL)
    return blurred(plane.astype(np.float32) / 255, sigma=unit * 0.004)


def _local(
    brightness: Plane, *, stage: Stage, box: tuple[int, int, int, int], drop: float
) -> Plane:
    """The light map over a box of the picture, taken from the ground ``drop`` pixels below."""
    left, top, right, bottom = box
    k = brightness.shape[1] / stage.size.width, brightness.shape[0] / stage.size.height
    into = np.array(
        [[k[0], 0, left * k[0] - 0.5], [0, k[1] * 0.4, (top + drop * 0.6) * k[1] - 0.5]]
    )
    return np.asarray(
        cv2.warpAffine(
            brightness, into, (right - left, bottom - top),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE,
        ),
        np.float32,
    )  # fmt: skip


def _skin(
    stand: Stand, *, stage: Stage, light: Light, shape: tuple[int, int], lid: Plane, seed: int
) -> Plane:
    extent = (shape[0] / stage.unit, shape[1] / stage.unit)
    stuff = Material(
        kind=stand.prop.surface, tone=stand.prop.tone, accent=stand.prop.accent, relief=0.7
    )
    paint = PAINTERS[stand.prop.surface]
    upright = Canvas(
        material=stuff, seed=seed + 5, shape=shape, extent=extent, towards=light.towards
    )
    lying = Canvas(
        material=stuff, seed=seed + 6, shape=shape,
        extent=(extent[0] / stage.squash, extent[1]), towards=light.towards,
    )  # fmt: skip
    side, top = paint(upright).astype(np.float32), paint(lying).astype(np.float32)
    return side + (top - side) * smoothstep(lid, start=0, stop=1)[..., None]
