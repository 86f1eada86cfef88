"""Shadows and reflections of a product, computed at low resolution: nothing in them is sharp."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from nb_catalog.imaging.cutout.outline import find_solid, lowest
from nb_catalog.imaging.scenery.backdrop import Backdrop
from nb_catalog.imaging.scenery.light import Light
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


EDGE_ROWS: Final = 4
"""Rows above the underside in which the outline gets as opaque as the product is there."""
CORE: Final = (0.006, 0.010, 0.95)
"""Width, height and darkness of the line where the product touches the ground, in its sizes."""
SKIRTS: Final = ((0.050, 0.034, 0.74), (0.160, 0.080, 0.40))
"""The same of the two bands around it, in which the product takes a part of the sky away: what a cup
on a table was measured to have."""
MOST_DARK: Final = 0.96
FADES_OUT: Final = 2.0
"""Sigmas of a band between the product and the rim: what the frame would cut is made narrower."""
RIM: Final = 0.035
"""Shadows fade out within this share of the shorter side from the frame, which must not cut them."""
SHORTEST: Final = 0.2
"""A shadow that would leave the frame is shortened to this share at most, as by a higher lamp."""


class Shadow(NamedTuple):
    """How dark the ground is, 0 (lit) to 1 (black), in two small maps of the picture.

    ``cast`` is the key light that the product blocks, ``occlusion`` the light from all around that
    it keeps away, ``contact`` the line in which no light at all gets below it.
    """

    cast: Plane
    occlusion: Plane
    contact: Plane


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

    def lowest(self) -> Plane:
        """Return the row of the lowest pixel of the product in each column; -1 for none."""
        return lowest(find_solid((self.alpha * 255).astype(np.uint8)))

    def opacity_above(self, low: Plane) -> Plane:
        """Return how much light the product stops near its underside, 0..1 for each column.

        A foot of clear glass darkens the ground less than one of wood, and still visibly.
        """
        rows = np.clip(low.astype(int)[None, :] - np.arange(EDGE_ROWS)[:, None], 0, None)
        opacity = np.take_along_axis(self.alpha, rows, axis=0).max(axis=0)
        return np.asarray(np.sqrt(opacity), np.float32)


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


def full_shadow(light: Light) -> float:
    """Return the share of light that is gone where no ray of the lamp arrives."""
    return 0.42 + 0.46 * light.strength


def blur_after(length: float, *, light: Light) -> float:
    """Return the deviation of a shadow's edge at ``length`` units from what casts it, in units."""
    return 0.007 + (0.012 + 0.10 * light.softness) * length


def standing_shadow(shape: Silhouette, *, backdrop: Backdrop) -> Shadow:
    """Return the shadow of a standing product: cast away from the lamp, and around its foot."""
    light = backdrop.light
    cast = _cast_shadow(shape, backdrop=backdrop) * np.float32(full_shadow(light))
    line = contact_line(shape)
    height, width = shape.alpha.shape
    # The ground is shaded as far as the product is high, however wide it is.
    size = min(width, 1.1 * height)
    core = np.float32(CORE[2]) * _spread(line, x=CORE[0] * size, y=CORE[1] * size)
    light_left = np.ones(shape.shape, np.float32)
    # The pixels beside and below the product in which the shadow has to end.
    rim = RIM * min(shape.shape)
    right = shape.shape[1] - shape.left - shape.alpha.shape[1]
    beside = max(rim, min(shape.left, right) - rim)
    below = max(rim, shape.shape[0] - shape.bottom - rim)
    for across, down, darkness in SKIRTS:
        x, y = min(across * size, beside / FADES_OUT), min(down * size, below / FADES_OUT)
        light_left *= 1 - np.float32(darkness) * _spread(line, x=x, y=y)
    receives = _inside(shape.shape)
    if backdrop.platform is not None:
        lid = cv2.resize(backdrop.platform, cast.shape[::-1], interpolation=cv2.INTER_AREA)
        receives *= lid.astype(np.float32) / 255
    rows = np.arange(shape.shape[0], dtype=np.float32)[:, None] / np.float32(shape.scale)
    receives *= smoothstep(rows, start=backdrop.edge - 1, stop=backdrop.edge + 0.03 * backdrop.unit)
    return _wanted(
        Shadow(*(np.clip(each * receives, 0, MOST_DARK) for each in (cast, 1 - light_left, core))),
        backdrop=backdrop,
    )


def together(shadows: Sequence[Shadow]) -> Shadow:
    """Return the shadow of several products.

    A lamp that one of them blocks cannot be blocked again; of the sky, each takes its own part away.
    """
    cast, contact = (
        np.maximum.reduce([getattr(each, name) for each in shadows]) for name in ("cast", "contact")
    )
    visible = np.prod([1 - each.occlusion for each in shadows], axis=0)
    return Shadow(cast, np.asarray(np.clip(1 - visible, 0, MOST_DARK), np.float32), contact)


def _wanted(shadow: Shadow, *, backdrop: Backdrop) -> Shadow:
    """Return what the scene wants of ``shadow``: all, what is around the contact, or nothing."""
    nothing = np.zeros_like(shadow.cast)
    if backdrop.shadow == "none":
        return Shadow(nothing, nothing, nothing)
    return shadow._replace(cast=nothing) if backdrop.shadow == "contact" else shadow


def _inside(shape: tuple[int, int]) -> Plane:
    """Return 1 in the frame, falling to 0 at its rim."""
    height, width = shape
    rim = max(2.0, RIM * min(shape))
    down, across = (
        smoothstep(
            np.minimum(np.arange(side), np.arange(side)[::-1]).astype(np.float32), start=0, stop=rim
        )
        for side in (height, width)
    )
    return down[:, None] * across[None, :]


def _spread(line: Plane, *, x: float, y: float) -> Plane:
    """Blur a contact line to a band whose middle stays at 1."""
    soft = cv2.GaussianBlur(line, (0, 0), sigmaX=max(0.5, x), sigmaY=max(0.5, y))
    return np.asarray(
        np.minimum(soft * np.float32(max(0.5, y) * math.sqrt(2 * math.pi)), 1), np.float32
    )


def contact_line(shape: Silhouette) -> Plane:
    """Draw one pixel for each column where the product's underside meets the ground."""
    height, width = shape.alpha.shape
    plane = np.zeros(shape.shape, np.float32)
    low = shape.lowest()
    if low.max() < 0:
        return plane
    rise = np.where(low >= 0, low.max() - low, np.inf).astype(np.float32)
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
    weight = np.exp(-np.square(gap)) * shape.opacity_above(low)
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
    edge = shape.shape[1] - shape.left - width if right > 0 else shape.left
    # The share of the shadow's length that ends inside the frame.
    room = (edge - RIM * min(shape.shape)) / max(abs(right) * height, 1e-6)
    shorter = min(1.0, MAX_LENGTH / max(reach, 1e-6), max(SHORTEST, room))
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
        # What was shortened is fainter at its end: otherwise wide shoulders look like separate things.
        part = (
            shape.alpha * ramp * np.float32((1 - 0.45 * share) * (1 - (1 - shorter) ** 3 * share))
        )
        projected = cv2.warpAffine(part, matrix, shape.shape[::-1], flags=cv2.INTER_LINEAR)
        sigma = blur_after(share * shorter * reach, light=backdrop.light) * shape.unit
        total += cv2.GaussianBlur(
            projected,
            (0, 0),
            sigmaX=max(0.6, sigma),
            sigmaY=max(0.6, sigma * (0.35 + backdrop.squash)),
        )
    return np.asarray(np.clip(total, 0, 1), np.float32)


def lying_shadow(shape: Silhouette, *, backdrop: Backdrop, thickness: float = 0.030) -> Shadow:
    """Return the shadow around a product that lies flat or hangs in front of a wall.

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
    inside = _inside(shape.shape)
    cast = cast * np.float32(0.28 + 0.45 * light.strength) * inside
    occlusion = (1 - (1 - tight) * (1 - around)) * inside
    return _wanted(Shadow(cast, occlusion, np.zeros_like(cast)), backdrop=backdrop)


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
    low = shape.lowest()
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
