"""How a product rests, read off its outline: on its own foot, or flat like clothing.

Standing is the default. A mug that is shown from above looks wrong at once, a shirt that hangs
before a wall does not, so "lying" needs a sign that nothing on a foot gives. Tried on 31
packshots and 70 drawn outlines: feet, legs, handles, ellipses and corners of a three-quarter
view stand; shirts, caps, balls, glasses and shoes seen from above lie. Trousers, dresses,
scarves and jewellery end like something that stands: only the host can tell.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from nb_catalog.imaging.scenery.noise import Plane

Pose: TypeAlias = Literal["standing", "lying"]
Mask: TypeAlias = npt.NDArray[np.uint8]
"""(H, W) alpha, 0..255."""
Solid: TypeAlias = npt.NDArray[np.bool_]

SIDE: Final = 240
"""Pixels for the longer side of the outline that is judged."""
NEAR: Final = 0.10
"""Columns that end within this share of the height from the bottom belong to the base: in a
three-quarter view the far side of a base ends higher than the near one."""
FOOT: Final = 0.03
ROUNDEST: Final = 0.985
"""Overlap with the ellipse of the same moments. Tins seen from 45 degrees above reach 0.98."""
BALANCED: Final = 0.07
"""Share of the width that the centre of mass may be beside a narrow foot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outline:
    """``low`` is, for each column, how far down it reaches: 0 at the top, 1 at the bottom."""

    solid: Solid
    low: Plane

    @property
    def width(self) -> int:
        return int(self.solid.shape[1])

    def base(self, *, within: float) -> npt.NDArray[np.intp]:
        """The columns that end within this share of the height from the bottom."""
        return np.flatnonzero(self.low >= 1 - within)

    def solidity(self) -> float:
        """Area over that of the convex hull, 0..1."""
        points = np.argwhere(self.solid).astype(np.int32)
        return float(self.solid.sum()) / max(1.0, cv2.contourArea(cv2.convexHull(points)))


def estimate_pose(alpha: Mask) -> Pose:
    """Whether a product with this outline would stand; "lying" on strong evidence only."""
    if not (alpha > 127).any():
        return "standing"
    outline = _outline(alpha)
    return "lying" if any(shows(outline) for shows in SIGNS) else "standing"


def _outline(alpha: Mask) -> _Outline:
    solid = alpha > 127
    rows, columns = np.flatnonzero(solid.any(1)), np.flatnonzero(solid.any(0))
    whole = alpha[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    scale = SIDE / max(whole.shape)
    size = (max(20, round(whole.shape[1] * scale)), max(20, round(whole.shape[0] * scale)))
    small = cv2.resize(whole, size, interpolation=cv2.INTER_AREA).astype(np.uint8)
    return _Outline(solid=small > 127, low=(lowest(small) + 1) / np.float32(size[1]))


def _has_sleeves(outline: _Outline) -> bool:
    """A body straight down to its hem, and on both sides something that hangs clear of it."""
    base = outline.base(within=NEAR)
    left, right = int(base[0]), int(base[-1]) + 1
    hem = (right - left) / outline.width
    if not 0.38 <= hem <= 0.70 or base.size < 0.95 * (right - left):
        return False
    height = outline.solid.shape[0]
    body = outline.solid[int(0.55 * height) : int(0.95 * height), left:right]
    sides = (outline.low[:left][::-1], outline.low[right:])
    return (
        float(body.mean()) >= 0.9
        and outline.solidity() >= 0.75
        and all(_is_sleeve(side, width=outline.width) for side in sides)
    )


def _is_sleeve(low: Plane, *, width: int) -> bool:
    """``low`` from the hem outwards: up to the armpit at once, then level or down to the cuff.

    The side of a vase climbs slowly, and a handle begins low and ends higher up.
    """
    if low.size < 0.14 * width:
        return False
    third = low.size // 3
    armpit, cuff = float(low[: third + 1].min()), float(low[-third:].max())
    is_short = armpit <= 0.55 and cuff >= armpit - 0.12
    is_long = armpit <= 0.75 and cuff >= armpit + 0.08
    return is_short or is_long


def _is_round(outline: _Outline) -> bool:
    """Curved all over, like a ball, a plate or a cap from above. Flatter ellipses are dishes."""
    solid = outline.solid
    height, width = solid.shape
    if not 0.75 <= height / width <= 1.35:
        return False
    at = np.argwhere(solid).astype(np.float64)
    inverse = np.linalg.inv(np.cov(at.T))
    around = np.indices(solid.shape).reshape(2, -1).T - at.mean(0)
    # The points of a solid ellipse lie within two standard deviations of its middle.
    ellipse = (np.einsum("ni,ij,nj->n", around, inverse, around) <= 4).reshape(solid.shape)
    return float((ellipse & solid).sum() / (ellipse | solid).sum()) >= ROUNDEST


def _rests_on_a_tip(outline: _Outline) -> bool:
    """A full shape on a narrow tip beside its centre of mass, and steeper than a corner can be.

    The edges of a box that meet in its near corner rise at ``a`` and ``b`` with
    tan a * tan b = sin^2 of the camera's elevation (a right angle in parallel projection).
    """
    tip = outline.base(within=FOOT)
    width = outline.width
    centre = float(np.nonzero(outline.solid)[1].mean())
    beside = abs(centre - float(tip.mean())) / width
    if tip[-1] - tip[0] > 0.2 * width or beside < BALANCED or outline.solidity() < 0.9:
        return False
    sides = (outline.low[: tip[0]][::-1], outline.low[tip[-1] + 1 :])
    height = outline.solid.shape[0]
    left, right = (_slope(side, height=height) for side in sides)
    return left * right >= 0.9


def _slope(low: Plane, *, height: int) -> float:
    """Rise over run of the underside up to a quarter of the height; at most 3, for upright sides."""
    if not low.size:
        return 3.0
    beyond = np.flatnonzero(low < 0.75)
    run = int(beyond[0]) + 1 if beyond.size else low.size
    rise = 0.25 if beyond.size else 1 - float(low[-1])
    return min(3.0, rise * height / run)


def _is_a_pair_of_rounds(outline: _Outline) -> bool:
    """Glasses, or two shoes from above: two full shapes side by side, too round for a foot."""
    width = outline.width
    third = width // 3
    cover = outline.solid[:, third:-third].mean(0)
    waist = third + int(cover.argmin())
    if float(cover.min()) > 0.45:
        return False
    return all(_is_full_and_rounded(half) for half in np.split(outline.solid, [waist], axis=1))


def _is_full_and_rounded(half: Solid) -> bool:
    """Half of a pair: hardly a hole, down to the ground, and curved like a circle where it ends.

    A circle has reached 34 % of its width 3 % of it above the ground, and 65 % at 12 %; the
    base of a bottle that is seen from 30 degrees above 47 % and 85 %.
    """
    rows = np.flatnonzero(half.any(1))
    if float(half.mean()) < 0.6 or rows[-1] < 0.85 * half.shape[0]:
        return False
    spans = np.array([_span(row) for row in half])
    widest = int(spans.max())
    near, above = (spans[max(0, rows[-1] - round(up * widest))] for up in (0.03, 0.12))
    return bool(near <= 0.42 * widest and above <= 0.72 * widest)


def _span(row: Solid) -> int:
    at = np.flatnonzero(row)
    return int(at[-1] - at[0]) + 1 if at.size else 0


SIGNS: Final[tuple[Callable[[_Outline], bool], ...]] = (
    _has_sleeves,
    _is_round,
    _rests_on_a_tip,
    _is_a_pair_of_rounds,
)


def lowest(alpha: Mask) -> Plane:
    """For each column the row of its lowest solid pixel; -1 where there is none."""
    solid = alpha > 127
    rows = alpha.shape[0] - 1 - np.argmax(solid[::-1], axis=0)
    return np.where(solid.any(axis=0), rows, -1).astype(np.float32)
