"""A rendered scene: its pixels, its light and the place for the product."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np

from nb_catalog.core.types import Size
from nb_catalog.imaging.scenery import ground, props, solids, wall
from nb_catalog.imaging.scenery.canvas import Pixels
from nb_catalog.imaging.scenery.gobo import Gobo, gobo
from nb_catalog.imaging.scenery.light import Light, lit
from nb_catalog.imaging.scenery.noise import Plane, lattice, stream
from nb_catalog.imaging.scenery.recipe import SceneRecipe
from nb_catalog.imaging.scenery.stage import Box, Stage, staged

BAND = 256
"""Rows finished at a time, so that a 4K picture never exists as float."""
GRAIN = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class Backdrop:
    """An empty scene.

    ``pixels`` (H, W, 3) sRGB uint8, read-only. ``box`` is where a product goes, ``unit`` the
    pixels of its nominal height, ``squash`` how flat the ground lies (0..1). Nothing above the
    row ``edge`` catches a shadow; nor does what ``platform`` (H, W) 0..255 leaves black, where
    the product stands on something. ``gloss`` 0..1 is how much the ground mirrors.
    """

    pixels: Pixels = field(repr=False)
    light: Light
    box: Box
    view: str
    unit: float
    squash: float
    edge: float
    gloss: float = 0.0
    platform: Pixels | None = field(default=None, repr=False)


def rendered(recipe: SceneRecipe, *, size: Size, seed: int, view: str) -> Backdrop:
    """The scene at ``size``; see ``scenery.render``."""
    light = lit(recipe.light, seed=seed)
    stage = staged(recipe, size=size, seed=seed, view=view)
    distance = 0.0 if view == "top" else stage.wall_distance
    pattern = gobo(recipe.light, light=light, distance=distance, seed=seed)
    arrives = ground.illumination(recipe, stage=stage, light=light, pattern=pattern, seed=seed)
    pile = props.stacked(recipe, seed=seed) if view == "front" else ()
    under = solids.round_of(recipe) if view == "top" else None
    tops = _overlays(pile, stage=stage, light=light, brightness=arrives, seed=seed)
    shape = (arrives.shape[0], arrives.shape[1])
    if pile:
        dark = props.shadow(pile, stage=stage, light=light, shape=shape)
        arrives = arrives * (1 - dark)[..., None]
    elif under is not None:
        tops = [solids.drawn(under, stage=stage, light=light, brightness=arrives, seed=seed)]
        dark = solids.shadow(under, stage=stage, light=light, shape=shape, seed=seed)
        arrives = arrives * (1 - dark)[..., None]
    pixels = _assembled(
        recipe, stage=stage, light=light, pattern=pattern, arrives=arrives, seed=seed
    )
    for overlay in tops:
        _laid(pixels, overlay)
    _finished(pixels, recipe=recipe, seed=seed)
    pixels.setflags(write=False)
    return Backdrop(
        pixels=pixels, light=light, box=stage.box, view=view, unit=stage.unit, squash=stage.squash,
        edge=stage.edge if recipe.edge == "table" else 0.0, gloss=0.0 if pile else recipe.surface.gloss,
        platform=_platform(pile, stage=stage),
    )  # fmt: skip


def _overlays(
    pile: tuple[props.Stand, ...], *, stage: Stage, light: Light, brightness: Plane, seed: int
) -> list[props.Overlay]:
    after = (*pile[1:], None)[: len(pile)]
    return [
        props.drawn(
            stand, stage=stage, light=light, brightness=brightness, seed=seed + index, above=above
        )
        for index, (stand, above) in enumerate(zip(pile, after, strict=True))
    ]


def _platform(pile: tuple[props.Stand, ...], *, stage: Stage) -> Pixels | None:
    if not pile:
        return None
    lid = stage.project(pile[-1].outline, height=pile[-1].top)
    plane = np.zeros((stage.size.height, stage.size.width), np.uint8)
    cv2.fillPoly(plane, [np.round(lid * 16).astype(np.int32)], 255.0, cv2.LINE_AA, 4)
    plane.setflags(write=False)
    return plane


def _assembled(
    recipe: SceneRecipe, *, stage: Stage, light: Light, pattern: Gobo, arrives: Plane, seed: int
) -> Pixels:
    width, height = stage.size
    soft = {"table": 0.010, "floor": 0.006, "sweep": 0.30}[recipe.edge] * stage.unit
    top = 0 if stage.view == "top" else max(0, int(stage.edge - soft))
    bottom = 0 if stage.view == "top" else min(height, int(stage.edge + soft) + 2)
    near = ground.material(recipe, stage=stage, light=light, seed=seed, top=top)
    shade = np.power(arrives, np.float32(wall.GAMMA))
    back = None
    if bottom:
        back = wall.painted(
            recipe, stage=stage, light=light, pattern=pattern, seed=seed, bottom=bottom
        )
    out = np.empty((height, width, 3), np.uint8)
    for first in range(0, height, BAND):
        last = min(height, first + BAND)
        rows = np.arange(first, last, dtype=np.float32)
        share = np.clip((rows - stage.edge) / max(2 * soft, 1) + 0.5, 0, 1)
        share = (share * share * (3 - 2 * share))[:, None, None] if back is not None else None
        out[first:last] = _band(
            near, shade, back, share=share, span=(first, last), top=top, bottom=bottom,
            size=stage.size, mirror=(stage.edge, recipe.surface.gloss),
        )  # fmt: skip
    return out


def _band(
    near: Pixels, shade: Plane, back: Plane | None, *, share: Plane | None, span: tuple[int, int],
    top: int, bottom: int, size: Size, mirror: tuple[float, float],
) -> Pixels:  # fmt: skip
    """Rows ``span`` of wall and ground, merged where one becomes the other."""
    first, last = span
    if back is not None and last <= top:
        return _clipped(_rows(back, first=first, last=last, width=size.width, tall=bottom))
    lit = _rows(shade, first=first, last=last, width=size.width, tall=size.height)
    pad = max(0, top - first)
    lit[pad:] *= near[first + pad - top : last - top]
    if back is not None and mirror[1] > 0:
        _mirror(lit, back, first=first, edge=mirror[0], gloss=mirror[1], bottom=bottom)
    if back is not None and share is not None and first < bottom:
        behind = _rows(back, first=first, last=last, width=size.width, tall=bottom)
        behind += (lit - behind) * share
        lit = behind
    return _clipped(lit)


def _clipped(plane: Plane) -> Pixels:
    return np.asarray(np.clip(plane + np.float32(0.5), 0, 255), np.uint8)


def _rows(plane: Plane, *, first: int, last: int, width: int, tall: int) -> Plane:
    """Rows ``first`` to ``last`` of a coarse map that stands for (``tall``, ``width``) pixels."""
    k = plane.shape[1] / width, plane.shape[0] / tall
    into = np.array([[k[0], 0, 0.5 * k[0] - 0.5], [0, k[1], (first + 0.5) * k[1] - 0.5]])
    return np.asarray(
        cv2.warpAffine(
            plane, into, (width, last - first),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE,
        ),
        np.float32,
    )  # fmt: skip


def _mirror(lit: Plane, back: Plane, *, first: int, edge: float, gloss: float, bottom: int) -> None:
    """A polished ground returns the wall, the more the flatter one looks (Schlick's shape)."""
    row = np.arange(first, first + lit.shape[0], dtype=np.float32)
    seen = np.clip((2 * edge - row) / bottom * back.shape[0], 0, back.shape[0] - 1)
    blurry = cv2.resize(back, (48, back.shape[0]), interpolation=cv2.INTER_AREA)[seen.astype(int)]
    wide = cv2.resize(blurry, (lit.shape[1], lit.shape[0]), interpolation=cv2.INTER_LINEAR)
    flat = np.clip(1 - (row - edge) / max(1.0, edge), 0, 1) ** 2
    lit += (wide - lit) * (gloss * (0.10 + 0.34 * flat))[:, None, None].astype(np.float32)


def _laid(pixels: Pixels, overlay: props.Overlay) -> None:
    height, width = pixels.shape[:2]
    rows = slice(max(0, overlay.top), min(height, overlay.top + overlay.cover.shape[0]))
    columns = slice(max(0, overlay.left), min(width, overlay.left + overlay.cover.shape[1]))
    inside = (
        slice(rows.start - overlay.top, rows.stop - overlay.top),
        slice(columns.start - overlay.left, columns.stop - overlay.left),
    )
    under = pixels[rows, columns].astype(np.float32)
    under += (overlay.pixels[inside] - under) * overlay.cover[inside][..., None]
    pixels[rows, columns] = _clipped(under)


def _finished(pixels: Pixels, *, recipe: SceneRecipe, seed: int) -> None:
    """Vignette and grain, in place. The grain also hides the steps of eight bits."""
    height, width = pixels.shape[:2]
    y = (np.arange(height, dtype=np.float32) / np.float32(height) - np.float32(0.5))[:, None]
    x = (np.arange(width, dtype=np.float32) / np.float32(width) - np.float32(0.5))[None, :]
    strength = np.float32(0.62 * recipe.mood.vignette)
    tile = _grain_tile(
        seed, scale=max(height, width) / 1024, strength=0.55 + 4.0 * recipe.mood.grain
    )
    wide = np.tile(tile, (1, width // tile.shape[1] + 1))[:, :width]
    for first in range(0, height, tile.shape[0]):
        rows = slice(first, min(height, first + tile.shape[0]))
        frame = 1 - strength * np.square(np.square(x) + np.square(y[rows])) * np.float32(4)
        frame -= np.float32(0.25) * strength * (np.square(x) + np.square(y[rows]))
        part = pixels[rows] * frame[..., None]
        part += wide[: part.shape[0], :, None]
        pixels[rows] = _clipped(part)


def _grain_tile(seed: int, *, scale: float, strength: float) -> Plane:
    tile = lattice(stream(seed, "grain"), cells=(GRAIN, GRAIN))
    side = max(64, round(GRAIN * min(scale, 4)))
    grown = cv2.resize(tile, (side, side), interpolation=cv2.INTER_LINEAR)
    return np.asarray(grown * np.float32(strength), np.float32)
