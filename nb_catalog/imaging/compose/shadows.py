"""Shadows and reflections of a product, computed at low resolution: nothing in them is sharp."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from nb_catalog.imaging.compose.pose import lowest
from nb_catalog.imaging.scenery.backdrop import Backdrop
from nb_catalog.imaging.scenery.noise import Plane, smoothstep

UNIT: Final = 300
"""Pixels of a product's nominal height in the shadow map."""
MAX_LENGTH: Final = 1.25
"""Maximum length of a shadow in product heights: a low sun must not draw a line across the picture."""
SLICES: Final = 6
BASE: Final = 0.12
"""Columns that end within this share of the height above the lowest point belong to the base."""
AT_THE_RIM: Final = 0.9
"""Where the rise of a base is measured, from its middle (0) to its end (1)."""
ROUNDEST_BASE: Final = 0.5
"""Depth divided by half the width of a circle on the ground, seen from 30 degrees above: sin 30."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Silhouette:
    """The product's outline in the shadow map: ``alpha`` 0..1 with its corner at (left, top).

    ``shape`` is that of the map, ``scale`` its pixels for each pixel of the picture, and ``unit``
    the nominal product height in its pixels.
    """

    alpha: Plane
    left: float
    top: float
    shape: tuple[int, int]
    scale: float
    unit: float

    @property
    def bottom(self) -> float:
        return self.top + float(self.alpha.shape[0])


def silhouette(
    alpha: npt.NDArray[np.uint8], *, left: int, top: int, backdrop: Backdrop
) -> Silhouette:
    """Return the outline of a product placed at (left, top), scaled to the shadow map."""
    height, width = backdrop.pixels.shape[:2]
    scale = min(1.0, UNIT / backdrop.unit)
    small = (max(2, round(alpha.shape[1] * scale)), max(2, round(alpha.shape[0] * scale)))
    shrunk = cv2.resize(alpha, small, interpolation=cv2.INTER_AREA)
    return Silhouette(
        alpha=shrunk.astype(np.float32) * np.float32(1 / 255),
        left=left * scale, top=top * scale,
        shape=(max(2, round(height * scale)), max(2, round(width * scale))),
        scale=scale, unit=backdrop.unit * scale,
    )  # fmt: skip


def standing_shadow(shape: Silhouette, *, backdrop: Backdrop) -> Plane:
    """Return darkness 0..1 around a standing product: contact, occlusion, cast shadow."""
    light = backdrop.light
    cast = _cast_shadow(shape, backdrop=backdrop) * np.float32(0.42 + 0.46 * light.strength)
    line = contact_line(shape)
    tight = _spread(line, x=0.010 * shape.unit, y=0.0075 * shape.unit) * np.float32(0.93)
    near = _spread(line, x=0.035 * shape.unit, y=0.027 * shape.unit) * np.float32(0.70)
    wide = _spread(line, x=0.13 * shape.unit, y=0.062 * shape.unit) * np.float32(0.42)
    dark = 1 - (1 - cast) * (1 - tight) * (1 - near) * (1 - wide)
    if backdrop.platform is not None:
        lid = cv2.resize(backdrop.platform, dark.shape[::-1], interpolation=cv2.INTER_AREA)
        dark *= lid.astype(np.float32) / 255
    rows = np.arange(shape.shape[0], dtype=np.float32)[:, None] / np.float32(shape.scale)
    dark *= smoothstep(rows, start=backdrop.edge - 1, stop=backdrop.edge + 0.03 * backdrop.unit)
    return np.asarray(np.clip(dark, 0, 0.96), np.float32)


def _spread(line: Plane, *, x: float, y: float) -> Plane:
    """Blur a contact line to a band whose middle stays at 1."""
    soft = cv2.GaussianBlur(line, (0, 0), sigmaX=max(0.5, x), sigmaY=max(0.5, y))
    return np.asarray(
        np.minimum(soft * np.float32(max(0.5, y) * math.sqrt(2 * math.pi)), 1), np.float32
    )


def contact_line(shape: Silhouette) -> Plane:
    """Draw one pixel for each column where the product's underside meets the ground."""
    height, width = shape.alpha.shape
    low = lowest((shape.alpha * 255).astype(np.uint8))
    rise = np.asarray(height - 1 - low, np.float32)
    # A round base seen from above is an ellipse in the picture: its rim rises evenly to both
    # sides and still touches the ground. A side that does not rise, as under a shoe with a lifted
    # toe, means a flat base.
    base = np.flatnonzero(rise <= BASE * height)
    left, right = int(base[0]), int(base[-1])
    half = max(1.0, (right - left) / 2)
    off = np.abs(np.arange(width, dtype=np.float32) - (left + right) / 2) / half
    inset = round((1 - AT_THE_RIM) * half)
    at_rim = min(float(rise[left + inset]), float(rise[right - inset]))
    depth = min(at_rim / (1 - math.sqrt(1 - AT_THE_RIM**2)), ROUNDEST_BASE * half)
    ellipse = np.asarray(depth * (1 - np.sqrt(np.clip(1 - np.square(off), 0, 1))), np.float32)
    gap = (rise - ellipse).clip(0)
    gap /= 0.022 * height + 0.022 * width
    weight = np.where(low >= 0, np.exp(-np.square(gap)), 0).astype(np.float32)
    plane = np.zeros(shape.shape, np.float32)
    columns = np.round(np.arange(width) + shape.left).astype(int)
    rows = np.round(low + shape.top).astype(int)
    inside = (
        (columns >= 0)
        & (columns < shape.shape[1])
        & (rows >= 0)
        & (rows < shape.shape[0])
        & (low >= 0)
    )
    plane[rows[inside], columns[inside]] = weight[inside]
    return plane


def _cast_shadow(shape: Silhouette, *, backdrop: Backdrop) -> Plane:
    """Project the outline onto the ground away from the light, blurrier the higher its cause.

    A picture has no depth. A slender product is assumed to be round, so its shadow is as wide as
    itself, seen from the lamp; a wide one is assumed to be a board that faces the camera.
    """
    height, width = shape.alpha.shape
    right, away = backdrop.light.reach
    reach = math.hypot(right, away)
    shorter = min(1.0, MAX_LENGTH / max(reach, 1e-6))
    roundness = min(1.0, max(0.15, (1.25 - width / height) / 0.65))
    turn = math.radians(backdrop.light.azimuth) * roundness
    across = np.array([math.cos(turn), -math.sin(turn) * backdrop.squash])
    down = np.array([-right, away * backdrop.squash]) * shorter
    if abs(across[0] * down[1] - across[1] * down[0]) < 0.03:
        down[1] += 0.05
    deep = width * (0.22 + 0.28 * roundness) * backdrop.squash
    foot = np.array([shape.left + width / 2, shape.bottom - deep])
    # From pixels of the outline to pixels of the shadow map.
    matrix = np.column_stack([across, down, foot - across * width / 2 - down * height])
    up = 1 - (np.arange(height, dtype=np.float32)[:, None] + 0.5) / height
    total = np.zeros(shape.shape, np.float32)
    for index in range(SLICES):
        share = index / (SLICES - 1)
        ramp = np.clip(1 - np.abs(up * (SLICES - 1) - index), 0, 1)
        part = shape.alpha * ramp * np.float32(1 - 0.45 * share)
        projected = cv2.warpAffine(part, matrix, shape.shape[::-1], flags=cv2.INTER_LINEAR)
        length = min(MAX_LENGTH, reach)
        sigma = (0.007 + (0.012 + 0.10 * backdrop.light.softness) * share * length) * shape.unit
        total += cv2.GaussianBlur(
            projected,
            (0, 0),
            sigmaX=max(0.6, sigma),
            sigmaY=max(0.6, sigma * (0.35 + backdrop.squash)),
        )
    return np.asarray(np.clip(total, 0, 1), np.float32)


def lying_shadow(shape: Silhouette, *, backdrop: Backdrop, thickness: float = 0.030) -> Plane:
    """Return darkness 0..1 around a product that lies flat or hangs in front of a wall.

    ``thickness`` is its distance from the surface in units.
    """
    light = backdrop.light
    unmoved = _moved(shape, x=0, y=0)
    x, y = light.towards
    slant = 1 / math.tan(math.radians(max(25.0, light.elevation)))
    moved = _moved(
        shape, x=-x * thickness * slant * shape.unit, y=-y * thickness * slant * shape.unit
    )
    half = _moved(shape, x=-x * 0.4 * thickness * shape.unit, y=-y * 0.4 * thickness * shape.unit)
    unit = shape.unit
    tight = cv2.GaussianBlur(half, (0, 0), max(0.6, 0.22 * thickness * unit)) * 0.50
    cast = cv2.GaussianBlur(
        moved, (0, 0), max(0.6, (0.35 + 0.9 * light.softness) * thickness * unit)
    )
    around = cv2.GaussianBlur(unmoved, (0, 0), max(0.8, 2.2 * thickness * unit)) * 0.22
    cast = cast * (0.28 + 0.45 * light.strength)
    return np.asarray(1 - (1 - tight) * (1 - cast) * (1 - around), np.float32)


def _moved(shape: Silhouette, *, x: float, y: float) -> Plane:
    into = np.array([[1, 0, shape.left + x], [0, 1, shape.top + y]], np.float64)
    return np.asarray(cv2.warpAffine(shape.alpha, into, shape.shape[::-1]), np.float32)


def reflection(
    product: npt.NDArray[np.uint8], *, shape: Silhouette, backdrop: Backdrop
) -> npt.NDArray[np.float32]:
    """Return what a polished ground mirrors of the product, in the shadow map.

    (h, w, 4) float32: colour 0..255 and cover 0..1.
    """
    height, width = shape.alpha.shape
    small = cv2.resize(product, (width, height), interpolation=cv2.INTER_AREA).astype(np.float32)
    low = lowest((shape.alpha * 255).astype(np.uint8))
    meets = np.maximum(low, height - 1 - 0.05 * width)
    rows = np.arange(height, dtype=np.float32)[:, None]
    source = 2 * meets[None, :] + 1 - (rows + height - 0.06 * width)
    columns = np.broadcast_to(np.arange(width, dtype=np.float32)[None, :], source.shape)
    mirrored = cv2.remap(
        small, np.ascontiguousarray(columns), source.astype(np.float32), cv2.INTER_LINEAR
    )
    fade = np.exp(-rows / (0.30 * shape.unit)) * (
        1 - smoothstep(rows, start=0.5 * height, stop=height)
    )
    mirrored[..., 3] *= (backdrop.gloss * np.float32(0.34 / 255)) * fade
    mirrored = cv2.GaussianBlur(
        mirrored, (0, 0), sigmaX=max(0.6, 0.004 * shape.unit), sigmaY=max(0.6, 0.008 * shape.unit)
    )
    into = np.array([[1, 0, shape.left], [0, 1, shape.bottom - 0.06 * width]], np.float64)
    return np.asarray(cv2.warpAffine(mirrored, into, shape.shape[::-1]), np.float32)
