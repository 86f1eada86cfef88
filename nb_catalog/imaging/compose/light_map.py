"""The light of a rendered scene where its product is, as a map of gains. All formulas are in linear light."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

import cv2
import numpy as np

from nb_catalog.core.types import Rect, Size
from nb_catalog.imaging.compose.merge import TO_LINEAR
from nb_catalog.imaging.scenery.canvas import Pixels
from nb_catalog.imaging.scenery.gobo import Gobo, gobo, landing
from nb_catalog.imaging.scenery.light import FILL, GAIN, LUMINANCE, Light, sample_light
from nb_catalog.imaging.scenery.noise import Plane, blur
from nb_catalog.imaging.scenery.recipe import SceneRecipe
from nb_catalog.imaging.scenery.stage import DISTANCE, Stage, build_stage

MAP: Final = 176
"""Pixels of the longer side of the map: no light that is meant here is finer."""
PAD: Final = 0.55
"""Width of the background around the product that lends its colour, as a share of the map."""
Y: Final = LUMINANCE.astype(np.float32)

# What each light does, as shares of the physical effect that looked right on 8 products in 6 scenes.
GOBO: Final = 0.75
GOBO_ON_PALE: Final = 0.35
"""Shadows of leaves on pale goods look like stains."""
PALE: Final = (0.25, 0.55)
"""Luminance from which a product gets paler, and at which it is."""
CAST: Final = 0.40
"""Colour of the background where fill light is 38 % of all light; less under a hard spot."""
SOFT_FILL: Final = 0.38
LEVEL: Final = 0.08
"""Exponent: a dark wall is not a dark lamp."""
BOUNCE: Final = 0.10
FOOT: Final = 0.20
FOOT_HEIGHT: Final = 0.035
NEUTRAL: Final = 12.0
"""Difference of the strongest and the weakest channel, in levels, up to which a tone is grey."""
SHAPED: Final = ("leaves", "sun", "window")
"""Lamps whose light has a pattern."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneLight:
    """The light of a rendered scene: its lamp, and the pattern that the lamp throws, if it does.

    ``is_plain`` is for a scene of one exact colour: that is a graphic background, and lends none.
    """

    light: Light
    lamp: str
    stage: Stage
    pattern: Gobo | None = None
    is_plain: bool = False

    @property
    def fill(self) -> float:
        return FILL[self.lamp]

    @property
    def key(self) -> float:
        return GAIN[self.lamp]


def scene_light(recipe: SceneRecipe, *, size: Size, seed: int, view: str) -> SceneLight:
    """Return the light of the backdrop that ``scenery.render`` returns for the same arguments."""
    view = view if recipe.view == "auto" else recipe.view
    light = sample_light(recipe.light, seed=seed)
    stage = build_stage(recipe, size=size, seed=seed, view=view)
    pattern = None
    if recipe.light.kind in SHAPED and not recipe.is_plain:
        distance = 0.0 if view == "top" else stage.wall_distance
        own_seed = recipe.own_seed(seed)
        pattern = gobo(recipe.light, light=light, distance=distance, seed=own_seed)
    return SceneLight(
        light=light,
        lamp=recipe.light.kind,
        stage=stage,
        pattern=pattern,
        is_plain=recipe.is_plain,
    )


def is_neutral(recipe: SceneRecipe) -> bool:
    """Return whether the light of a scene has neither pattern nor colour: it changes next to nothing."""
    tones = (recipe.surface.tone, recipe.wall.tone)
    channels = [[int(tone[at : at + 2], 16) for at in (1, 3, 5)] for tone in tones]
    is_grey = all(max(each) - min(each) <= NEUTRAL for each in channels)
    return recipe.is_plain or (is_grey and recipe.light.kind not in SHAPED)


class Shade(NamedTuple):
    """What other products keep from a product, as shares of 0 to 1 in two maps of it, of any size.

    ``blocked`` is the share of the lamp, ``occluded`` that of the light from all around.
    """

    blocked: Plane
    occluded: Plane


@dataclass(frozen=True, slots=True, kw_only=True)
class LightMap:
    """What the scene's light does to a product, (h, w) each.

    ``gain`` is a factor of linear light for each channel, ``near`` the sRGB colour close to the
    outline. ``darkest`` is the luminance of the deepest shade around the product. ``shaded`` is the
    factor where other products take light away, None if none does.
    """

    gain: Plane
    near: Plane
    darkest: float
    shaded: Plane | None = None


def light_map(
    small: Plane, cover: Plane, scene: Pixels, *, place: Rect, light: SceneLight, stands: bool,
    shade: Shade | None = None,
) -> LightMap:  # fmt: skip
    """Return the light on a product that covers ``place`` of ``scene``, which has its shadows already.

    ``small`` is the product in linear light and ``cover`` its alpha, at the size of the map. ``shade`` is
    what other products block.
    """
    height, width = cover.shape
    around, pad = _background(scene, place=place, shape=(height, width))
    inner = slice(pad, pad + height), slice(pad, pad + width)
    hidden = np.pad(cover, pad)
    longer = max(height, width)
    wide = _seen_past(around, hidden, sigma=0.30 * longer)[inner]
    near = _seen_past(around, hidden, sigma=max(2.0, 0.02 * longer))[inner]
    arrives = _arriving(small, cover, place=place, light=light, stands=stands)
    warm = np.array(light.light.colour, np.float32) * np.float32(light.key)
    cool = np.array(light.light.fill_colour, np.float32) * np.float32(light.fill)
    lit = cool + arrives * warm
    shaded = None
    if shade is not None:
        blocked, occluded = (
            cv2.resize(each, (width, height), interpolation=cv2.INTER_LINEAR)[..., None]
            for each in shade
        )
        left = cool * (1 - occluded) + arrives * (1 - blocked) * warm
        shaded = np.asarray(left / lit, np.float32)
    gain = lit / (cool + warm)
    if not light.is_plain:
        gain = gain * _reflected(wide, cover, light=light)
    if stands and not light.is_plain:
        below = around[pad + height : pad + height + max(2, height // 8)].reshape(-1, 3)
        # Most of the strip is lit; what the product shades does not reflect anything.
        open_ground = np.percentile(below, 70, axis=0).astype(np.float32)
        rows = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
        low = np.clip((rows - np.float32(0.62)) / np.float32(0.38), 0, 1) ** np.float32(1.6)
        strength = (
            BOUNCE * min(1.0, 2.2 * float(open_ground @ Y)) / max(float(open_ground.max()), 1e-3)
        )
        gain = gain + low * open_ground * np.float32(strength)
        gain = gain * (1 - FOOT * np.exp((rows - 1) / np.float32(FOOT_HEIGHT)))
    return LightMap(
        gain=np.asarray(gain, np.float32),
        near=np.asarray(np.power(np.clip(near, 0, 1), 1 / 2.2) * 255, np.float32),
        darkest=float(np.percentile(around @ Y, 1)),
        shaded=shaded,
    )


def _background(scene: Pixels, *, place: Rect, shape: tuple[int, int]) -> tuple[Plane, int]:
    """Return the scene around ``place`` in linear light, at the scale of the map, and its border."""
    pad = round(PAD * max(shape))
    step = place.width / shape[1], place.height / shape[0]
    size = (
        max(2, round(scene.shape[1] / step[0])),
        max(2, round(scene.shape[0] / step[1])),
    )
    shrunk = cv2.resize(scene, size, interpolation=cv2.INTER_AREA)
    into = np.array(
        [[1, 0, pad - place.left / step[0]], [0, 1, pad - place.top / step[1]]], np.float64
    )
    around = cv2.warpAffine(
        shrunk, into, (shape[1] + 2 * pad, shape[0] + 2 * pad),
        flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE,
    )  # fmt: skip
    return TO_LINEAR[around], pad


def _seen_past(around: Plane, hidden: Plane, *, sigma: float) -> Plane:
    """Return the mean colour of the background at each point, without what the product hides."""
    free = (1 - hidden)[..., None]
    mean = blur(np.concatenate([around * free, free], axis=2), sigma=sigma)
    return np.asarray(mean[..., :3] / np.maximum(mean[..., 3:], np.float32(1e-3)), np.float32)


def _arriving(small: Plane, cover: Plane, *, place: Rect, light: SceneLight, stands: bool) -> Plane:
    """Return the share of the key light that its pattern lets through, (h, w, 1), about 1."""
    if light.pattern is None:
        return np.ones((*cover.shape, 1), np.float32)
    solid = cover > 0.9
    pattern = _pattern_on(place, shape=cover.shape, light=light, stands=stands)
    relative = np.clip(pattern / max(float(pattern[solid].mean()), 0.25), 0.3, 1.7)
    share = GOBO
    if light.lamp == "leaves":
        pale = np.clip((float(np.median((small @ Y)[solid])) - PALE[0]) / (PALE[1] - PALE[0]), 0, 1)
        share += (GOBO_ON_PALE - GOBO) * float(pale)
    return np.asarray((1 + np.float32(share) * (relative - 1))[..., None], np.float32)


def _pattern_on(place: Rect, *, shape: tuple[int, ...], light: SceneLight, stands: bool) -> Plane:
    """Return the pattern on the upright plane of the product, or on the plane that it lies on.

    A ray that meets the ground at the foot meets the product there too, so the pattern continues.
    """
    assert light.pattern is not None  # noqa: S101 - the caller has checked it
    stage = light.stage
    height, width = shape[:2]
    column = np.float32(place.left) + (np.arange(width, dtype=np.float32) + 0.5) * np.float32(
        place.width / width
    )
    row = np.float32(place.top) + (np.arange(height, dtype=np.float32) + 0.5) * np.float32(
        place.height / height
    )
    across, up = np.meshgrid(column, row)
    unit = np.float32(stage.unit)
    if stage.view == "top":
        half = np.float32(stage.size.width / 2), np.float32(stage.size.height / 2)
        return light.pattern((across - half[0]) / unit, (half[1] - up) / unit)
    if not stands:  # it hangs before the wall
        return light.pattern(
            (across - np.float32(stage.centre)) / unit, (np.float32(stage.edge) - up) / unit
        )
    # On a stand the product's foot is above the ground, and the ground's row is below it.
    foot = np.float32(place.bottom + stage.floor - stage.box.bottom)
    depth = float(stage.depth(np.array([foot], np.float32))[0])
    remaining = max(0.0, stage.wall_distance - (depth - 1) * DISTANCE)
    right, rise = (np.float32(remaining * each) for each in landing(light.light))
    scale = np.float32(depth) / unit
    return light.pattern(
        (across - np.float32(stage.centre)) * scale + right, (foot - up) * scale + rise
    )


def _reflected(wide: Plane, cover: Plane, *, light: SceneLight) -> Plane:
    """Return what the background adds: half of their saturation, and a little of their level."""
    solid = cover > 0.9
    luminance = np.maximum(wide @ Y, np.float32(1e-3))
    hue = np.sqrt(np.clip(wide / luminance[..., None], 0.25, 4))
    hue /= (hue @ Y)[..., None]
    soft = light.fill / (light.fill + light.key)
    cast = np.float32(CAST * min(1.0, soft / SOFT_FILL))
    middle = float(np.median(luminance[solid]))
    level = float(np.clip((middle / 0.30) ** LEVEL, 0.92, 1.04))
    local = np.clip(luminance / np.float32(middle), 0.6, 1.5) ** (np.float32(0.35) * cast)
    return np.asarray((1 + cast * (hue - 1)) * np.float32(level) * local[..., None], np.float32)
