"""The pose of a product, estimated from its outline: standing on its foot, or lying flat.

Standing is the default. A standing product shown from above looks wrong at once, clothing that
hangs in front of a wall does not, so "lying" needs a sign that nothing with a foot shows. Tried
on 31 packshots and 120 drawn outlines: feet, legs, handles, ellipses and the corners of a
three-quarter view stand; shirts, hoodies, trousers, dresses, caps, balls, glasses and shoes seen
from above lie. Skirts, scarves, towels and jewellery end like something that stands: only their
names tell.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from nb_catalog.imaging.cutout.outline import find_solid, lowest, solid_box
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
    left, top, width, height = solid_box(alpha)
    if not width:
        return "standing"
    solid = find_solid(alpha)[top : top + height, left : left + width]
    scale = SIDE / max(solid.shape)
    size = (max(20, round(width * scale)), max(20, round(height * scale)))
    small = cv2.resize(solid.astype(np.uint8) * 255, size, interpolation=cv2.INTER_AREA) > 127
    # Cords and wires are thinner than a pixel now; what is left of the product ends elsewhere.
    left, top, width, height = cv2.boundingRect(small.astype(np.uint8))
    if not width:
        return "standing"
    small = small[top : top + height, left : left + width]
    outline = _Outline(solid=small, low=(lowest(small) + 1) / np.float32(height))
    lies = (
        outline.has_sleeves()
        or outline.hangs_from_shoulders()
        or outline.has_trouser_legs()
        or outline.flares_from_a_waist()
        or outline.is_round()
        or outline.rests_on_a_tip()
        or outline.is_a_pair_of_rounds()
    )
    return "lying" if lies else "standing"


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

    def runs(self, share: float) -> list[tuple[int, int]]:
        """Return the solid stretches, (first column, first after), at a share of the height."""
        row = self.solid[min(self.solid.shape[0] - 1, int(share * self.solid.shape[0]))]
        edges = np.flatnonzero(np.diff(np.concatenate([[0], row.astype(np.int8), [0]])))
        # One pixel is a crease or the end of a cord.
        return [(int(a), int(b)) for a, b in edges.reshape(-1, 2) if b - a > 0.015 * self.width]

    def hangs_from_shoulders(self) -> bool:
        """Whether two sleeves hang free beside a body, as low as its hem or lower.

        Arms of a figure do as well, but below them there are legs; handles end in the body.
        """
        if len(self.runs(0.33)) != 1:
            return False
        beside = [share for share in np.arange(0.45, 0.93, 0.02) if len(self.runs(share)) == 3]
        if len(beside) < 4:
            return False
        for share in beside:
            left, middle, right = (b - a for a, b in self.runs(share))
            if not 0.3 * self.width <= middle <= 0.8 * self.width:
                return False
            if max(left, right) > 0.3 * self.width or max(left, right) > 3.5 * min(left, right):
                return False
        # Below, a sleeve ends; it does not join the body again, and the body does not part.
        body = self.runs(beside[0])[1]
        for share in np.arange(beside[-1], 0.96, 0.02):
            for a, b in self.runs(share):
                if a < body[0] - 0.1 * self.width and b > body[0] + 0.1 * self.width:
                    return False
        inside = self.solid[:, (body[0] + body[1]) // 2]
        hem = np.flatnonzero(inside)[-1] / inside.size
        return bool(hem > 0.75 and inside.mean() > 0.6)

    def has_trouser_legs(self) -> bool:
        """Whether two legs as wide as they can be hang side by side from a level waist.

        The legs of furniture are thin, a figure with legs has a head, and a bridge is wide.
        """
        height = self.solid.shape[0]
        if height < 1.15 * self.width or len(self.runs(0.08)) != 1 or len(self.runs(0.18)) != 1:
            return False
        waist = self.runs(0.04)
        if len(waist) != 1 or waist[0][1] - waist[0][0] < 0.36 * self.width:
            return False
        for share in np.arange(0.62, 0.97, 0.05):
            legs = self.runs(share)
            if len(legs) != 2:
                return False
            widths = [b - a for a, b in legs]
            if min(widths) < 0.13 * self.width or max(widths) > 2.2 * min(widths):
                return False
        apart = self.runs(0.9)
        together = sum(b - a for a, b in self.runs(0.65))
        gap = apart[1][0] - apart[0][1]
        top = waist[0][1] - waist[0][0]
        return bool(together >= 0.62 * top and gap <= 0.5 * self.width)

    def flares_from_a_waist(self) -> bool:
        """Whether two straps or shoulders narrow to a waist, and that widens to the hem: a dress."""
        if self.solid.shape[0] < 1.2 * self.width:
            return False
        rows = np.arange(0.06, 0.99, 0.03)
        spans = [self.runs(share) for share in rows]
        if not all(spans):
            return False
        widths = np.array([each[-1][1] - each[0][0] for each in spans]) / self.width
        straps = sum(len(each) == 2 for each in spans[:5])
        waist = int(widths[:18].argmin())
        if not 0.15 <= rows[waist] <= 0.55 or any(len(each) > 1 for each in spans[waist:]):
            return False
        grows = np.diff(widths[waist:])
        is_flared = (
            widths[-1] >= 0.85 and widths[-1] >= 1.45 * widths[waist] and grows.min() > -0.03
        )
        # A neckline: the upper edge is lower in the middle than at both ends.
        first, after = spans[0][0][0], spans[0][-1][1]
        upper = np.argmax(self.solid[:, first:after], axis=0) / self.solid.shape[0]
        third = max(1, upper.size // 3)
        middle = upper[third:-third].max() if upper.size > 2 * third else 0.0
        ends = upper[:third].min(), upper[-third:].min()
        is_cut_out = straps or middle > max(ends) + 0.025
        # The head of a figure is widest below its ears. A bodice is at its top, or where sleeves end.
        widest = int(widths[:waist].argmax())
        ends_at_once = widths[widest] - widths[widest + 1 : widest + 3].min() > 0.2
        return bool(is_flared and is_cut_out and (widest <= 0.34 * waist or ends_at_once))

    def is_round(self) -> bool:
        """Whether it is curved all over, like a ball, a plate or a cap from above.

        Flatter ellipses are dishes.
        """
        height, width = self.solid.shape
        if not 0.75 <= height / width <= 1.35:
            return False
        at = np.argwhere(self.solid).astype(np.float64)
        if self.solid.mean() < 0.5:
            return False
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
        if self.solid.mean() < 0.3:
            return False
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
