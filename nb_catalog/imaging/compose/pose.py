"""The pose of a product, estimated from its outline: standing on its foot, or lying flat.

Standing is the default. A standing product shown from above looks wrong at once, clothing that
hangs in front of a wall does not, so "lying" needs a sign that nothing with a foot shows. Tried
on 31 packshots and 70 drawn outlines: feet, legs, handles, ellipses and the corners of a
three-quarter view stand; shirts, caps, balls, glasses and shoes seen from above lie. Trousers,
dresses, scarves and jewellery end like something that stands: only the host can know.
"""

from __future__ import annotations

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
"""Pixels of the longer side of the outline that is examined."""
NEAR: Final = 0.10
"""Columns that end within this share of the height from the bottom belong to the base: in a
three-quarter view the far side of a base ends higher than the near one."""
FOOT: Final = 0.03
ROUNDEST: Final = 0.985
"""Overlap with the ellipse of the same moments. Tins seen from 45 degrees above reach 0.98."""
BALANCED: Final = 0.07
"""Share of the width by which the centre of mass may be off a narrow foot."""


def estimate_pose(alpha: Mask) -> Pose:
    """Return the pose of a product with this outline; "lying" on strong evidence only."""
    solid = alpha > 127
    if not solid.any():
        return "standing"
    rows, columns = np.flatnonzero(solid.any(1)), np.flatnonzero(solid.any(0))
    cropped = alpha[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    scale = SIDE / max(cropped.shape)
    size = (max(20, round(cropped.shape[1] * scale)), max(20, round(cropped.shape[0] * scale)))
    small = cv2.resize(cropped, size, interpolation=cv2.INTER_AREA).astype(np.uint8)
    outline = _Outline(solid=small > 127, low=(lowest(small) + 1) / np.float32(size[1]))
    lies = (
        outline.has_sleeves()
        or outline.is_round()
        or outline.rests_on_a_tip()
        or outline.is_a_pair_of_rounds()
    )
    return "lying" if lies else "standing"


def lowest(alpha: Mask) -> Plane:
    """Return the row of the lowest solid pixel of each column; -1 for a column without any."""
    solid = alpha > 127
    rows = alpha.shape[0] - 1 - np.argmax(solid[::-1], axis=0)
    return np.where(solid.any(axis=0), rows, -1).astype(np.float32)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outline:
    """``low`` is how far down each column reaches: 0 at the top, 1 at the bottom."""

    solid: Solid
    low: Plane

    @property
    def width(self) -> int:
        return int(self.solid.shape[1])

    def base(self, *, within: float) -> npt.NDArray[np.intp]:
        """Return the columns that end within this share of the height from the bottom."""
        return np.flatnonzero(self.low >= 1 - within)

    def solidity(self) -> float:
        """Return the area divided by that of the convex hull, 0..1."""
        points = np.argwhere(self.solid).astype(np.int32)
        return float(self.solid.sum()) / max(1.0, cv2.contourArea(cv2.convexHull(points)))

    def has_sleeves(self) -> bool:
        """Whether a body runs straight to its hem and something hangs clear of it on both sides."""
        base = self.base(within=NEAR)
        left, right = int(base[0]), int(base[-1]) + 1
        hem = (right - left) / self.width
        if not 0.38 <= hem <= 0.70 or base.size < 0.95 * (right - left):
            return False
        height = self.solid.shape[0]
        body = self.solid[int(0.55 * height) : int(0.95 * height), left:right]
        if float(body.mean()) < 0.9 or self.solidity() < 0.75:
            return False
        for side in (self.low[:left][::-1], self.low[right:]):
            # From the hem outwards a sleeve goes up to the armpit at once, then level or down to
            # the cuff. The side of a vase climbs slowly, and a handle begins low and ends higher.
            if side.size < 0.14 * self.width:
                return False
            third = side.size // 3
            armpit, cuff = float(side[: third + 1].min()), float(side[-third:].max())
            is_short = armpit <= 0.55 and cuff >= armpit - 0.12
            is_long = armpit <= 0.75 and cuff >= armpit + 0.08
            if not (is_short or is_long):
                return False
        return True

    def is_round(self) -> bool:
        """Whether it is curved all over, like a ball, a plate or a cap from above.

        Flatter ellipses are dishes.
        """
        height, width = self.solid.shape
        if not 0.75 <= height / width <= 1.35:
            return False
        at = np.argwhere(self.solid).astype(np.float64)
        inverse = np.linalg.inv(np.cov(at.T))
        around = np.indices(self.solid.shape).reshape(2, -1).T - at.mean(0)
        # The points of a solid ellipse lie within two standard deviations of its middle.
        ellipse = np.einsum("ni,ij,nj->n", around, inverse, around) <= 4
        ellipse = ellipse.reshape(self.solid.shape)
        return float((ellipse & self.solid).sum() / (ellipse | self.solid).sum()) >= ROUNDEST

    def rests_on_a_tip(self) -> bool:
        """Whether a full shape ends in a narrow tip, off its centre, steeper than a corner can be.

        The edges of a box that meet in its near corner rise at ``a`` and ``b`` with
        tan a * tan b = sin^2 of the camera's elevation (a right angle in parallel projection).
        """
        tip = self.base(within=FOOT)
        centre = float(np.nonzero(self.solid)[1].mean())
        offset: float = abs(centre - float(tip.mean())) / self.width
        if tip[-1] - tip[0] > 0.2 * self.width or offset < BALANCED or self.solidity() < 0.9:
            return False
        height = self.solid.shape[0]

        def slope(low: Plane) -> float:
            """Rise over run up to a quarter of the height; at most 3, for upright sides."""
            if not low.size:
                return 3.0
            beyond = np.flatnonzero(low < 0.75)
            run = int(beyond[0]) + 1 if beyond.size else low.size
            rise = 0.25 if beyond.size else 1 - float(low[-1])
            return min(3.0, rise * float(height) / run)

        left, right = self.low[: tip[0]][::-1], self.low[tip[-1] + 1 :]
        return slope(left) * slope(right) >= 0.9

    def is_a_pair_of_rounds(self) -> bool:
        """Whether two full shapes, too round for a foot, are side by side.

        Glasses, for example, or two shoes from above.
        """
        third = self.width // 3
        cover = self.solid[:, third:-third].mean(0)
        waist = third + int(cover.argmin())
        if float(cover.min()) > 0.45:
            return False
        for half in np.split(self.solid, [waist], axis=1):
            rows = np.flatnonzero(half.any(1))
            if float(half.mean()) < 0.6 or rows[-1] < 0.85 * half.shape[0]:
                return False
            last = half.shape[1] - 1 - half[:, ::-1].argmax(1)
            spans = np.where(half.any(1), last - half.argmax(1) + 1, 0)
            widest = int(spans.max())
            # A circle reaches 34 % of its width at 3 % of it above the ground, and 65 % at 12 %;
            # the base of a bottle seen from 30 degrees above, 47 % and 85 %.
            near, above = (spans[max(0, rows[-1] - round(up * widest))] for up in (0.03, 0.12))
            if near > 0.42 * widest or above > 0.72 * widest:
                return False
        return True
