"""Rendering of a backdrop: an empty scene with its light and the place for the product."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import zip_longest

import cv2
import numpy as np

from nb_catalog.core.types import Size
from nb_catalog.imaging.scenery import ground, props, wall
from nb_catalog.imaging.scenery.bokeh import add_lights_nearby
from nb_catalog.imaging.scenery.canvas import Pixels, expose, parse_colour
from nb_catalog.imaging.scenery.focus import blur_by_depth
from nb_catalog.imaging.scenery.gobo import Gobo, gobo
from nb_catalog.imaging.scenery.light import Light, sample_light
from nb_catalog.imaging.scenery.noise import Plane, lattice, resize, stream, warp
from nb_catalog.imaging.scenery.recipe import SceneRecipe
from nb_catalog.imaging.scenery.stage import ProductBox, Stage, build_stage

BAND = 256
"""Rows processed at a time, so that a 4K picture never exists as float."""
GRAIN = 512
"""Side of the tile of grain at 1K, in pixels."""
LAMPS = ("softbox", "spot")
"""Kinds of light that are no daylight."""
WHITE_RANGE = 8
"""Levels below white in which the grain fades out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backdrop:
    """An empty scene.

    ``pixels`` is (H, W, 3) sRGB uint8, read-only. ``box`` is where a product goes, ``unit`` its
    nominal height in pixels, ``squash`` height divided by width of a circle on the ground. Rows
    above ``edge`` receive no shadow of the product. If it stands on something, ``platform``,
    (H, W) 0..255, is white where that receives the shadow. ``gloss`` 0..1 is how much the ground
    mirrors. ``shadow`` is the recipe's.
    """

    pixels: Pixels = field(repr=False)
    light: Light
    box: ProductBox
    view: str
    unit: float
    squash: float
    edge: float
    gloss: float = 0.0
    platform: Pixels | None = field(default=None, repr=False)
    shadow: str = "cast"


def build_backdrop(
    recipe: SceneRecipe, *, size: Size, seed: int, view: str, stage: Stage | None = None
) -> Backdrop:
    """Render the scene at ``size``; see ``scenery.render``. ``stage`` replaces the framing of ``size``."""
    light = sample_light(recipe.light, seed=seed)
    stage = stage or build_stage(recipe, size=size, seed=seed, view=view)
    if recipe.is_plain:
        return _plain_backdrop(recipe, stage=stage, light=light)
    seed = recipe.own_seed(seed)
    distance = 0.0 if view == "top" else stage.wall_distance
    pattern = gobo(recipe.light, light=light, distance=distance, seed=seed)
    arrives = ground.illumination(recipe, stage=stage, light=light, pattern=pattern, seed=seed)
    shape = (arrives.shape[0], arrives.shape[1])
    stands = props.stack_stands(recipe, seed=seed) if view == "front" else ()
    board = props.find_board(recipe) if view == "top" else None
    overlays = [
        props.draw_stand(
            stand, stage=stage, light=light, brightness=arrives, seed=seed + index, above=above
        )
        for index, (stand, above) in enumerate(zip_longest(stands, stands[1:]))
    ]
    platform = None
    if stands:
        dark = props.stand_shadow(stands, stage=stage, light=light, shape=shape)
        arrives = arrives * (1 - dark)[..., None]
        platform = np.zeros((size.height, size.width), np.uint8)
        lid = stage.project(stands[-1].outline, height=stands[-1].top)
        cv2.fillPoly(platform, [np.round(lid * 16).astype(np.int32)], 255.0, cv2.LINE_AA, 4)
        platform.setflags(write=False)
    elif board is not None:
        overlays = [
            props.draw_board(board, stage=stage, light=light, brightness=arrives, seed=seed)
        ]
        dark = props.board_shadow(board, stage=stage, light=light, shape=shape, seed=seed)
        arrives = arrives * (1 - dark)[..., None]
    pixels = _assemble(
        recipe, stage=stage, light=light, pattern=pattern, arrives=arrives, seed=seed
    )
    if view == "front":
        own = wall.BLUR[recipe.edge] * recipe.mood.blur * stage.unit
        blur_by_depth(pixels, stage=stage, wall_blur=own)
    for overlay in overlays:
        overlay.paste_onto(pixels)
    # The bokeh of a garden is its sky, which a view from above does not see.
    if view == "top" and recipe.light.kind in LAMPS:
        for index, prop in enumerate(each for each in recipe.props if each.kind == "bokeh"):
            rng = stream(seed, "nearby", index)
            add_lights_nearby(pixels, prop, unit=stage.unit, rng=rng)
    _finish(pixels, recipe=recipe, seed=seed)
    pixels.setflags(write=False)
    return Backdrop(
        pixels=pixels, light=light, box=stage.box, view=view, unit=stage.unit, squash=stage.squash,
        edge=stage.edge if recipe.edge == "table" else 0.0, platform=platform,
        gloss=0.0 if stands else recipe.surface.gloss, shadow=recipe.shadow,
    )  # fmt: skip


def _plain_backdrop(recipe: SceneRecipe, *, stage: Stage, light: Light) -> Backdrop:
    """Return a scene that is one colour: every pixel is exactly the tone."""
    width, height = stage.size
    pixels = np.empty((height, width, 3), np.uint8)
    pixels[:] = parse_colour(recipe.surface.tone)
    pixels.setflags(write=False)
    return Backdrop(
        pixels=pixels, light=light, box=stage.box, view=stage.view, unit=stage.unit,
        squash=stage.squash, edge=0.0, gloss=recipe.surface.gloss, shadow=recipe.shadow,
    )  # fmt: skip


def _assemble(
    recipe: SceneRecipe, *, stage: Stage, light: Light, pattern: Gobo, arrives: Plane, seed: int
) -> Pixels:
    """Combine wall and ground, each as fine as it needs to be, to a picture of the full size."""
    width, height = stage.size
    soft = {"table": 0.010, "floor": 0.006, "sweep": 0.30}[recipe.edge] * stage.unit
    top = 0 if stage.view == "top" else max(0, int(stage.edge - soft))
    bottom = 0 if stage.view == "top" else min(height, int(stage.edge + soft) + 2)
    near = ground.paint_ground(recipe, stage=stage, light=light, seed=seed, top=top)
    shade = np.power(arrives, np.float32(wall.GAMMA))
    back = None
    if bottom:
        back = wall.paint_wall(
            recipe, stage=stage, light=light, pattern=pattern, seed=seed, bottom=bottom
        )
    out = np.empty((height, width, 3), np.uint8)
    for first in range(0, height, BAND):
        last = min(height, first + BAND)
        rows = np.arange(first, last, dtype=np.float32)
        share = np.clip((rows - stage.edge) / max(2 * soft, 1) + 0.5, 0, 1)
        share = (share * share * (3 - 2 * share))[:, None, None] if back is not None else None
        out[first:last] = expose(_band(
            near, shade, back, share=share, span=(first, last), top=top, bottom=bottom,
            size=stage.size, mirror=(stage.edge, recipe.surface.gloss),
        ))  # fmt: skip
    return out


def _band(
    near: Pixels, shade: Plane, back: Plane | None, *, share: Plane | None, span: tuple[int, int],
    top: int, bottom: int, size: Size, mirror: tuple[float, float],
) -> Plane:  # fmt: skip
    """Return the rows ``span`` of wall and ground, blended around the edge."""
    first, last = span
    if back is not None and last <= top:
        return _rows(back, first=first, last=last, width=size.width, tall=bottom)
    lit = _rows(shade, first=first, last=last, width=size.width, tall=size.height)
    pad = max(0, top - first)
    lit[pad:] *= near[first + pad - top : last - top]
    if back is not None and mirror[1] > 0:
        # A polished ground mirrors more at a flat angle: the shape of Schlick's approximation, with
        # a square instead of its fifth power.
        edge, gloss = mirror
        row = np.arange(first, last, dtype=np.float32)
        source = np.clip((2 * edge - row) / bottom * back.shape[0], 0, back.shape[0] - 1)
        soft = cv2.resize(back, (48, back.shape[0]), interpolation=cv2.INTER_AREA)
        soft = soft[source.astype(int)]
        wide = cv2.resize(soft, (lit.shape[1], lit.shape[0]), interpolation=cv2.INTER_LINEAR)
        flat = np.clip(1 - (row - edge) / max(1.0, edge), 0, 1) ** 2
        lit += (wide - lit) * (gloss * (0.10 + 0.34 * flat))[:, None, None].astype(np.float32)
    if back is not None and share is not None and first < bottom:
        behind = _rows(back, first=first, last=last, width=size.width, tall=bottom)
        behind += (lit - behind) * share
        lit = behind
    return lit


def _rows(plane: Plane, *, first: int, last: int, width: int, tall: int) -> Plane:
    """Return the rows ``first`` to ``last`` of a coarse map of (``tall``, ``width``) pixels."""
    k = plane.shape[1] / width, plane.shape[0] / tall
    into = np.array([[k[0], 0, 0.5 * k[0] - 0.5], [0, k[1], (first + 0.5) * k[1] - 0.5]])
    return warp(plane, into, size=(width, last - first))


def _finish(pixels: Pixels, *, recipe: SceneRecipe, seed: int) -> None:
    """Add vignette and grain in place. The grain also hides the steps of eight bits."""
    height, width = pixels.shape[:2]
    y = (np.arange(height, dtype=np.float32) / np.float32(height) - np.float32(0.5))[:, None]
    x = (np.arange(width, dtype=np.float32) / np.float32(width) - np.float32(0.5))[None, :]
    strength = np.float32(0.62 * recipe.mood.vignette)
    side = max(64, round(GRAIN * max(height, width) / 1024))
    tile = resize(lattice(stream(seed, "grain"), cells=(GRAIN, GRAIN)), shape=(side, side))
    tile *= np.float32(0.55 + 4.0 * recipe.mood.grain)
    wide = np.tile(tile, (1, width // side + 1))[:, :width]
    for first in range(0, height, BAND):
        rows = slice(first, min(height, first + BAND))
        frame = 1 - strength * np.square(np.square(x) + np.square(y[rows])) * np.float32(4)
        frame -= np.float32(0.25) * strength * (np.square(x) + np.square(y[rows]))
        part = pixels[rows] * frame[..., None]
        # Where paper is burnt out to white there is no grain either.
        grain = wide[np.arange(first, rows.stop) % side, :, None]
        part += grain * np.clip((255 - part) * np.float32(1 / WHITE_RANGE), 0, 1)
        pixels[rows] = np.clip(part + np.float32(0.5), 0, 255).astype(np.uint8)
