"""Relighting: the product's own pixels in the light of a rendered scene, within measured bounds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

import cv2
import numpy as np

from nb_catalog.core.types import Rect
from nb_catalog.imaging.colour_shift import (
    Mask,
    Shift,
    correlate_detail,
    difference,
    measure_shift,
    sample_of,
)
from nb_catalog.imaging.compose.light_map import (
    MAP,
    LightMap,
    SceneLight,
    Shade,
    Y,
    light_map,
)
from nb_catalog.imaging.compose.merge import BAND, TO_LINEAR, Rgba
from nb_catalog.imaging.scenery.canvas import Pixels
from nb_catalog.imaging.scenery.noise import Plane, stream, warp

GAMMA: Final = np.float32(1 / 2.2)
"""All gains are applied in sRGB, which is near this power of linear light: no power at full size."""
SHOULDER: Final = np.float32(0.8 / 255)
"""What is bright gains less, so that white keeps its drawing."""
HAZE: Final = 0.6
MOST_HAZE: Final = 0.015
WRAP: Final = 0.16
WRAP_WIDTH: Final = 2.2
"""Pixels at 1K over which a brighter background bends around the rim."""
# A gain leaves fractions of a level, which would be seen as steps on plain surfaces.
_DITHER: Final = stream(0, "dither").random((128, 128, 3), dtype=np.float32)
SAMPLE: Final = 3000
LEAST_SHOWN: Final = 0.9
"""Share of a pixel of the small product that must be solid and visible to count for its detail."""
STEPS: Final = 6
RESERVE: Final = 0.96
"""Share of each bound up to which the small product may go: the finished pixels differ a little."""
BESIDE_SHADE: Final = 0.72
"""The same of the light alone on what other products shade: their shadow gets the rest, or it would be lost
where the light takes all."""
WEAKER: Final = (1.0, 0.85, 0.6, 0.3)
"""Strengths that are tried in turn, should the finished pixels exceed a bound."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How far relighting may change a product, in the measures of ``Shift``.

    Three bounds on colour, because a median alone lets the white logo of a black mug move by 19.
    """

    median: float = 6.0
    colour_median: float = 4.0
    p95: float = 11.0
    ncc: float = 0.97

    def hold(self, shift: Shift) -> bool:
        return (
            shift.median <= self.median
            and shift.colour_median <= self.colour_median
            and shift.p95 <= self.p95
            and shift.ncc >= self.ncc
        )


BOUNDS: Final = Bounds()


class Relit(NamedTuple):
    """A product in the scene's light, and how far its solid pixels differ from its own."""

    product: Rgba
    shift: Shift


class _Strength(NamedTuple):
    brightness: float
    colour: float
    shade: float = 0.0


def relight_product(
    product: Rgba,
    scene: Pixels,
    *,
    left: int,
    top: int,
    light: SceneLight,
    stands: bool,
    shade: Shade | None = None,
    visible: Mask | None = None,
    bounds: Bounds = BOUNDS,
) -> Relit:
    """Return the scaled product lit like ``scene``, in which its shadows are already.

    (left, top) is its corner in the scene. ``stands`` is whether it stands on the ground. Alpha
    stays as it is. The shift is measured on the returned pixels that are ``visible``, (H, W), all by
    default, and is within ``bounds``. ``shade`` is what other products keep from it, as dark as the
    bounds allow.
    """
    height, width = product.shape[:2]
    scale = min(1.0, MAP / max(height, width))
    size = max(4, round(width * scale)), max(4, round(height * scale))
    shrunk = np.asarray(cv2.resize(product, size, interpolation=cv2.INTER_AREA), np.uint8)
    cover = np.asarray(shrunk[..., 3] / np.float32(255), np.float32)
    solid = product[..., 3] == 255
    if visible is not None:
        solid &= visible
    if not (cover > 0.9).any() or not solid.any():
        return Relit(product, Shift(0.0, 0.0, 0.0, 1.0))
    small = TO_LINEAR[shrunk[..., :3]]
    place = Rect(left, top, width, height)
    found = light_map(small, cover, scene, place=place, light=light, stands=stands, shade=shade)
    darkest = float(np.percentile((small @ Y)[cover > 0.9], 1))
    haze = HAZE * min(MOST_HAZE, max(0.0, found.darkest - darkest))
    strength = _bounded(product, shrunk, solid, found, haze=haze, bounds=bounds)
    side = max(scene.shape[:2])
    for share in WEAKER:
        weaker = _Strength(*(each * share for each in strength))
        out = _apply(
            product, found, strength=weaker, haze=haze * share, wrap=WRAP * share, side=side
        )
        shift = measure_shift(product[..., :3], out[..., :3], solid=solid, side=side)
        if bounds.hold(shift):
            return Relit(out, shift)
    return Relit(product, Shift(0.0, 0.0, 0.0, 1.0))


def _in_srgb(gain: Plane, shaded: Plane | None, strength: _Strength) -> Plane:
    brightness = np.maximum(gain @ Y, np.float32(1e-3))[..., None]
    colour = gain / brightness
    out = brightness ** (GAMMA * np.float32(strength.brightness)) * colour ** (
        GAMMA * np.float32(strength.colour)
    )
    if shaded is not None:
        out *= shaded ** (GAMMA * np.float32(strength.shade))
    return np.asarray(out, np.float32)


def _lit(rgb: Plane, gain: Plane, *, haze: float) -> Plane:
    """Return sRGB 0..255 times a gain in sRGB, with a shoulder and a black point."""
    out = gain - 1
    out *= rgb
    shoulder = np.maximum(out, 0)
    shoulder *= rgb
    shoulder *= SHOULDER
    out -= shoulder
    out += rgb
    if haze > 0:
        # Gone by the middle greys; 6 levels at most.
        deep = np.subtract(255, out, out=shoulder)
        deep *= deep
        deep *= np.float32(haze ** float(GAMMA) * 0.2 / 255)
        out += deep
    return np.clip(out, 0, 255, out=out)


def _bounded(
    product: Rgba, shrunk: Rgba, solid: Mask, found: LightMap, *, haze: float, bounds: Bounds
) -> _Strength:
    """Return how strong the light may be for the ``solid`` pixels of a product to stay within ``bounds``.

    Colours are those of a sample of its pixels, detail that of ``shrunk``, the product at the size
    of the map. Colour is bounded first and on its own: brightness may change more than colour. The
    shade of other products gets what the light leaves, which is a part of each bound at least.
    """
    at = sample_of(solid, at_most=SAMPLE)
    sample = product[..., :3][at].astype(np.float32)
    row, column = (
        ((each + 0.5) * small / full - 0.5).astype(np.float32)[None]
        for each, small, full in zip(at, shrunk.shape, product.shape, strict=False)
    )

    def sampled(plane: Plane) -> Plane:
        drawn = cv2.remap(plane, column, row, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(drawn[0], np.float32)

    gain = sampled(found.gain)
    shaded = None if found.shaded is None else sampled(found.shaded)
    rgb = shrunk[..., :3].astype(np.float32)
    shown = cv2.resize(solid.astype(np.float32), shrunk.shape[1::-1], interpolation=cv2.INTER_AREA)

    def shift_of(strength: _Strength) -> tuple[float, float, float]:
        return difference(sample, _lit(sample, _in_srgb(gain, shaded, strength), haze=haze))

    def keeps_all(strength: _Strength, *, part: float) -> bool:
        median, colour_median, p95 = shift_of(strength)
        if median > part * bounds.median or p95 > part * bounds.p95:
            return False
        if colour_median > RESERVE * bounds.colour_median:
            return False
        lit = _lit(rgb, _in_srgb(found.gain, found.shaded, strength), haze=haze)
        kept = correlate_detail(rgb, lit, shown >= LEAST_SHOWN, side=MAP)
        return kept >= 1 - part * (1 - bounds.ncc)

    part = RESERVE if shaded is None else BESIDE_SHADE
    colour = _largest(
        lambda share: shift_of(_Strength(1.0, share))[1] <= part * bounds.colour_median
    )
    share = _largest(lambda share: keeps_all(_Strength(share, share * colour), part=part))
    light = _Strength(share, share * colour)
    if shaded is None:
        return light
    shade = _largest(lambda share: keeps_all(light._replace(shade=share), part=RESERVE))
    return light._replace(shade=shade)


def _largest(holds: Callable[[float], bool]) -> float:
    """Return the largest share, 0 to 1, for which ``holds``, by bisection."""
    if holds(1.0):
        return 1.0
    low, high = 0.0, 1.0
    for _ in range(STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low


def _apply(
    product: Rgba, found: LightMap, *, strength: _Strength, haze: float, wrap: float, side: int
) -> Rgba:
    """Return the product at full size in the light of ``found``, a band of rows at a time."""
    height, width = product.shape[:2]
    gain = _in_srgb(found.gain, found.shaded, strength)
    k = gain.shape[1] / width, gain.shape[0] / height
    reach = float(np.clip(WRAP_WIDTH * side / 1024, 1.5, 7))
    pad = round(3 * reach) + 1
    alpha = cv2.copyMakeBorder(product[..., 3], pad, pad, pad, pad, cv2.BORDER_CONSTANT, value=0.0)
    rim = 255 - cv2.GaussianBlur(alpha, (0, 0), reach)[pad:-pad, pad:-pad]
    tiles = BAND // len(_DITHER), width // len(_DITHER) + 1, 1
    dither = np.tile(_DITHER, tiles)[:, :width]
    out = product.copy()
    for first in range(0, height, BAND):
        rows = slice(first, min(height, first + BAND))
        into = np.array([[k[0], 0, 0.5 * k[0] - 0.5], [0, k[1], (first + 0.5) * k[1] - 0.5]])
        wide = warp(gain, into, size=(width, rows.stop - first))
        lit = _lit(product[rows, :, :3].astype(np.float32), wide, haze=haze)
        up = 1 - (np.arange(first, rows.stop, dtype=np.float32) + 0.5) / np.float32(height)
        # None at the foot, where the ground is in the product's own shadow.
        share = np.clip(up / 0.10 - 0.3, 0, 1) * np.float32(2 * wrap / 255)
        row, column = np.nonzero((rim[rows] > 0) & (product[rows, :, 3] > 0))
        near = found.near[((first + row) * k[1]).astype(int), (column * k[0]).astype(int)]
        part = lit[row, column]
        bends = (rim[rows][row, column] * share[row])[:, None]
        lit[row, column] = part + np.maximum(near - part, 0) * bends
        lit += dither[: rows.stop - first]
        out[rows, :, :3] = np.minimum(lit, 255, out=lit)
    return out
