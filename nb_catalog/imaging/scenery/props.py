"""Props: the podium, block, slab or disc that a product is placed on.

From the front a prop is a stand, an outline on the ground that is raised; from above it is a board
below the product.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from nb_catalog.imaging.scenery.canvas import Canvas, Pixels, expose
from nb_catalog.imaging.scenery.light import Light
from nb_catalog.imaging.scenery.noise import Plane, blur, smoothstep, stream, warp
from nb_catalog.imaging.scenery.recipe import Material, Prop, SceneRecipe
from nb_catalog.imaging.scenery.stage import STANDS, Stage
from nb_catalog.imaging.scenery.surfaces import PAINTERS

SUBPIXEL = 4
BOARDS = ("podium", "slab", "block", "disc", "arch")
"""Props that are seen from above, the first one that a recipe has."""
BOARD = 0.56
"""Half the width of a board in units: wider than most products, narrower than most pictures."""
THICKNESS = 0.06
Points = npt.NDArray[np.float64]
"""(N, 2)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlay:
    """Pixels that cover the backdrop from (left, top): colour (h, w, 3) and cover (h, w) 0..1."""

    left: int
    top: int
    pixels: Pixels
    cover: Plane

    def paste_onto(self, backdrop: Pixels) -> None:
        """Blend the overlay onto ``backdrop`` in place; what is outside of it is clipped."""
        height, width = backdrop.shape[:2]
        rows = slice(max(0, self.top), min(height, self.top + self.cover.shape[0]))
        columns = slice(max(0, self.left), min(width, self.left + self.cover.shape[1]))
        inside = (
            slice(rows.start - self.top, rows.stop - self.top),
            slice(columns.start - self.left, columns.stop - self.left),
        )
        under = backdrop[rows, columns].astype(np.float32)
        under += (self.pixels[inside] - under) * self.cover[inside][..., None]
        backdrop[rows, columns] = np.clip(under + np.float32(0.5), 0, 255).astype(np.uint8)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stand:
    """A raised outline: its foot is ``base`` units above the ground, its top ``height`` higher.

    ``outline`` is in units, x right and z away, counter-clockwise from the right.
    """

    prop: Prop
    outline: Points
    base: float

    @property
    def top(self) -> float:
        return self.base + self.prop.height

    def side_light(
        self, lower: Points, *, stage: Stage, light: Light, columns: Points, rows: Points
    ) -> Plane:
        """Return the light on the upright side, (rows, columns).

        It depends on where the front of the outline faces, and decreases towards the foot, whose
        pixels are ``lower``, because the ground takes light away.
        """
        count = len(self.outline)
        front = np.arange(count // 2, count)
        tangent = np.gradient(self.outline, axis=0)[front]
        normal = np.stack([tangent[:, 1], -tangent[:, 0]], 1)
        normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-9)
        turn = math.radians(light.azimuth)
        facing = normal @ np.array([math.sin(turn), -math.cos(turn)])
        value = 0.40 + 0.56 * np.power(np.clip(facing * 0.5 + 0.5, 0, 1), 1.6)
        at = lower[front]
        order = np.argsort(at[:, 0])
        side = np.interp(columns, at[order, 0], value[order]).astype(np.float32)
        foot = np.interp(columns, at[order, 0], at[order, 1])
        gap = np.maximum(foot[None, :] - rows[:, None].astype(np.float32), 0) / stage.unit
        near_ground = 1 - 0.34 * np.exp(-gap / 0.016) - 0.12 * np.exp(-gap / 0.12)
        return np.asarray(side[None, :] * near_ground.astype(np.float32), np.float32)

    def light_below(
        self, *, stage: Stage, light: Light, shape: tuple[int, int], origin: npt.NDArray[np.int64]
    ) -> Plane:
        """Return the share of light, 0..1, that this stand leaves on the lid below it."""
        foot = stage.project(self.outline, height=self.base) - origin
        moved = self.outline + np.array(light.reach) * self.prop.height
        fallen = stage.project(moved, height=self.base) - origin
        hull = cv2.convexHull(np.concatenate([foot, fallen]).astype(np.float32))[:, 0]
        cast = blur(fill_polygon(hull, shape), sigma=(0.01 + 0.05 * light.softness) * stage.unit)
        tight = blur(fill_polygon(foot, shape), sigma=0.02 * stage.unit)
        return np.asarray((1 - 0.6 * light.strength * cast) * (1 - 0.5 * tight), np.float32)

    def paint(
        self, *, stage: Stage, light: Light, shape: tuple[int, int], lid: Plane, seed: int
    ) -> Plane:
        """Return the unlit material, sRGB 0..255; ``lid`` is 1 on the top and 0 on the side."""
        extent = (shape[0] / stage.unit, shape[1] / stage.unit)
        material = Material(
            kind=self.prop.surface, tone=self.prop.tone, accent=self.prop.accent, relief=0.7
        )
        painter = PAINTERS[self.prop.surface]
        upright = Canvas(
            material=material, seed=seed + 5, shape=shape, extent=extent, towards=light.towards
        )
        flat = Canvas(
            material=material, seed=seed + 6, shape=shape,
            extent=(extent[0] / stage.squash, extent[1]), towards=light.towards,
        )  # fmt: skip
        side, top = painter(upright).astype(np.float32), painter(flat).astype(np.float32)
        return side + (top - side) * smoothstep(lid, start=0, stop=1)[..., None]


def stack_stands(recipe: SceneRecipe, *, seed: int) -> tuple[Stand, ...]:
    """Return the stands of a recipe from the ground up."""
    base, stands = 0.0, []
    for index, prop in enumerate(each for each in recipe.props if each.kind in STANDS):
        stands.append(Stand(prop=prop, outline=stand_outline(prop, seed=seed + index), base=base))
        base += prop.height
    return tuple(stands)


def stand_outline(prop: Prop, *, seed: int) -> Points:
    """Return the plan of a stand: round, square with soft corners, or irregular like split stone.

    The block is a superellipse |x|^n + |y|^n = 1 with n = 40.
    """
    angles = np.linspace(0, 2 * np.pi, 241)[:-1]
    circle = np.stack([np.cos(angles), np.sin(angles)], 1)
    half = prop.width / 2
    if prop.kind in ("podium", "disc"):
        return np.asarray(circle * half)
    if prop.kind == "block":
        corner = np.abs(circle) ** (2 / 40.0) * np.sign(circle)
        return np.asarray(corner * (half, min(half, 0.42)))
    waves = stream(seed, "slab").random(5) * 2 * np.pi
    wobble = sum(np.cos((k + 2) * angles + waves[k]) * 0.05 / (k + 1) for k in range(5))
    return np.asarray(circle * (1 + np.asarray(wobble)[:, None]) * (half, half * 0.72))


def stand_shadow(
    stands: tuple[Stand, ...], *, stage: Stage, light: Light, shape: tuple[int, int]
) -> Plane:
    """Return how dark the stands make the ground, 0..1, in a map of the picture at ``shape``."""
    scale = np.array([shape[1] / stage.size.width, shape[0] / stage.size.height])
    dark: Plane = np.zeros(shape, np.float32)
    unit = stage.unit * float(scale[0])
    for stand in stands:
        reach = np.array(light.reach) * stand.top
        foot, fallen = stage.project(stand.outline), stage.project(stand.outline + reach)
        hull = cv2.convexHull(np.concatenate([foot, fallen]).astype(np.float32))[:, 0]
        cast = blur(fill_polygon(hull * scale, shape), sigma=(0.012 + 0.10 * light.softness) * unit)
        deep = np.float32(0.72 * light.strength + 0.12)
        dark = np.asarray(np.maximum(dark, cast * deep), np.float32)
    for stand in stands[:1]:
        contact = fill_polygon(stage.project(stand.outline) * scale, shape)
        tight = blur(contact, sigma=0.022 * unit) * 0.62
        wide = 0.30 * blur(contact, sigma=0.09 * unit)
        dark = np.asarray(1 - (1 - dark) * (1 - tight) * (1 - wide), np.float32)
    return dark


def draw_stand(
    stand: Stand, *, stage: Stage, light: Light, brightness: Plane, seed: int, above: Stand | None
) -> Overlay:
    """Draw a stand as seen from the front; ``above`` is the next one on top of it.

    ``brightness`` is the light on the ground, (h, w, 3), a map of the whole picture.
    """
    upper = stage.project(stand.outline, height=stand.top)
    lower = stage.project(stand.outline, height=stand.base)
    both = np.concatenate([upper, lower])
    left, top = (int(each) for each in np.floor(both.min(0)) - 2)
    right, bottom = (int(each) for each in np.ceil(both.max(0)) + 3)
    shape, origin = (bottom - top, right - left), np.array([left, top])
    hull = cv2.convexHull(both.astype(np.float32))[:, 0]
    cover, lid = fill_polygon(hull - origin, shape), fill_polygon(upper - origin, shape)
    columns, rows = np.arange(left, right, dtype=np.float64), np.arange(top, bottom, dtype=float)
    side = stand.side_light(lower, stage=stage, light=light, columns=columns, rows=rows)
    lid_light = np.full(shape, 1.05, np.float32)
    if above is not None:
        lid_light *= above.light_below(stage=stage, light=light, shape=shape, origin=origin)
    rim = np.zeros(shape, np.uint8)
    edge = np.round((upper[len(upper) // 2 :] - origin) * 2**SUBPIXEL).astype(np.int32)
    thick = max(1, round(stage.unit * 0.006))
    cv2.polylines(rim, [edge], False, 255.0, thick, cv2.LINE_AA, SUBPIXEL)
    glint = blur(rim.astype(np.float32) / 255, sigma=stage.unit * 0.004)
    shade = side + (lid_light - side) * lid + 0.10 * glint
    # The light of the ground below the stand, squeezed, because the side is upright.
    k = brightness.shape[1] / stage.size.width, brightness.shape[0] / stage.size.height
    drop = stand.top * stage.unit
    into = np.array(
        [[k[0], 0, left * k[0] - 0.5], [0, k[1] * 0.4, (top + drop * 0.6) * k[1] - 0.5]]
    )
    local = warp(brightness, into, size=(shape[1], shape[0]))
    paint = stand.paint(stage=stage, light=light, shape=shape, lid=lid, seed=seed)
    lit = paint * np.power(np.maximum(shade[..., None] * local, 0.01), np.float32(1 / 2.2))
    return Overlay(left=left, top=top, pixels=expose(lit), cover=cover)


def find_board(recipe: SceneRecipe) -> Prop | None:
    """Return the prop that is seen from above, if any."""
    boards = sorted(
        (each for each in recipe.props if each.kind in BOARDS), key=lambda p: BOARDS.index(p.kind)
    )
    return boards[0] if boards else None


def board_shadow(
    prop: Prop, *, stage: Stage, light: Light, shape: tuple[int, int], seed: int
) -> Plane:
    """Return how dark the board makes the ground, 0..1, in a map of the picture at ``shape``."""
    scale = np.array([shape[1] / stage.size.width, shape[0] / stage.size.height])
    unit = stage.unit * float(scale[0])
    ring = _board_outline(prop, stage=stage, seed=seed) * scale
    thick = min(THICKNESS, 0.4 * prop.height) * unit
    moved = fill_polygon(ring - np.array(light.towards) * thick, shape)
    cast = blur(moved, sigma=(0.008 + 0.03 * light.softness) * unit) * (0.25 + 0.4 * light.strength)
    contact = blur(fill_polygon(ring, shape), sigma=0.02 * unit)
    return np.asarray(1 - (1 - cast) * (1 - 0.3 * contact))


def draw_board(prop: Prop, *, stage: Stage, light: Light, brightness: Plane, seed: int) -> Overlay:
    """Draw the board as seen from above, lit like the ground, its edge towards the lamp bright.

    ``brightness`` is the light on the ground, (h, w, 3), a map of the whole picture.
    """
    ring = _board_outline(prop, stage=stage, seed=seed)
    left, top = (int(each) for each in np.floor(ring.min(0)) - 2)
    right, bottom = (int(each) for each in np.ceil(ring.max(0)) + 3)
    shape = (bottom - top, right - left)
    canvas = Canvas(
        material=Material(kind=prop.surface, tone=prop.tone, accent=prop.accent),
        seed=seed + 7, shape=shape, towards=light.towards,
        extent=(shape[0] / stage.unit, shape[1] / stage.unit),
    )  # fmt: skip
    k = brightness.shape[1] / stage.size.width
    into = np.array([[k, 0, left * k - 0.5], [0, k, top * k - 0.5]])
    local = warp(brightness, into, size=(shape[1], shape[0]))
    cover = fill_polygon(ring - (left, top), shape)
    # The rounded edge of the board: as wide as a pencil line, bright on one side and dark on the other.
    slope = blur(cover, sigma=0.004 * stage.unit)
    bevel = canvas_relief(slope, towards=light.towards, unit=stage.unit)
    paint = PAINTERS[prop.surface](canvas).astype(np.float32)
    lit = paint * np.power(np.maximum(local * (1 + bevel[..., None]), 0.01), np.float32(1 / 2.2))
    return Overlay(left=left, top=top, pixels=expose(lit), cover=cover)


def canvas_relief(height: Plane, *, towards: tuple[float, float], unit: float) -> Plane:
    """Return how much brighter an edge is that faces the lamp, and darker if it faces away."""
    down = cv2.Sobel(height, cv2.CV_32F, 0, 1, ksize=3)
    right = cv2.Sobel(height, cv2.CV_32F, 1, 0, ksize=3)
    facing = -(right * np.float32(towards[0]) + down * np.float32(towards[1]))
    return np.asarray(np.clip(facing * np.float32(0.0006 * unit), -0.3, 0.3), np.float32)


def _board_outline(prop: Prop, *, stage: Stage, seed: int) -> Points:
    if prop.kind == "arch":
        angles = np.linspace(0, np.pi, 90)
        bow = np.stack([np.cos(angles), 0.1 + np.sin(angles)], 1)
        shape = np.concatenate([[[1.0, -1.1]], bow, [[-1.0, -1.1]]]) * 0.9 * BOARD
    else:
        shape = stand_outline(prop, seed=seed) * (2 * BOARD / prop.width)
    middle = (stage.centre, stage.box.bottom - stage.box.height / 2)
    return np.asarray(shape * (1, -1) * stage.unit + middle)


def fill_polygon(points: npt.NDArray[Any], shape: tuple[int, int]) -> Plane:
    """Return a filled, antialiased polygon of pixel positions, 0..1."""
    plane = np.zeros(shape, np.uint8)
    corners = np.round(points * 2**SUBPIXEL).astype(np.int32)
    cv2.fillPoly(plane, [corners], 255.0, cv2.LINE_AA, SUBPIXEL)
    return plane.astype(np.float32) * np.float32(1 / 255)
