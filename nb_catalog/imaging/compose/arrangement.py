"""Where the products of a bundle stand: tall ones behind, small ones in front, in real proportion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Final, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from nb_catalog.core.proportions import LEAST_PROPORTION
from nb_catalog.core.types import Rect
from nb_catalog.imaging.scenery.noise import stream
from nb_catalog.imaging.scenery.stage import DISTANCE, ProductBox

MOST_COVERED: Final = 0.30
"""Share of a product that those in front of it may hide."""
OVERLAPS: Final = (0.34, 0.26, 0.18, 0.10, 0.04, 0.0, -0.03)
"""Overlaps of neighbours that are tried in turn, in widths of the narrower one; below 0 is a gap."""
GAP: Final = 0.04
"""Between products of one row, and beside the first product, in heights of the group."""
ROW_DISTANCE: Final = 0.55
"""Between the two rows, in mean widths of the products: about their own depth."""
ROW_LIMITS: Final = (0.12, 0.34)
"""The same in heights of the group, at least and at most."""
TRIAL: Final = 160
"""Pixels of the group's height in which it is measured what hides what."""
FLAT_GAP: Final = 0.09
"""Between products that lie, in heights of the group."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """A product to arrange: its outline, (H, W) alpha 0..255, and its real height in centimetres, None if
    it is not known."""

    alpha: npt.NDArray[np.uint8] = field(repr=False)
    height_cm: float | None = None

    @property
    def shape(self) -> float:
        """Width divided by height."""
        return float(self.alpha.shape[1] / self.alpha.shape[0])


class Placed(NamedTuple):
    """The rectangle that a product takes in the picture, and how far behind the middle of the group it
    stands, in units of the stage. ``covered`` is the share of it that others hide."""

    rect: Rect
    away: float
    covered: float


class _Spot(NamedTuple):
    """Middle and foot, right and down from the middle of the group, and size, in heights of the group."""

    x: float
    foot: float
    width: float
    height: float
    away: float


def relative_heights(outlines: Sequence[Outline]) -> list[float]:
    """Return heights in proportion to each other, of which the largest is 1.

    A product whose height is not known gets the mean size of the others, by its area. Nothing is lower than
    ``LEAST_PROPORTION``.
    """
    known = [each.height_cm for each in outlines]
    sizes = [
        height * np.sqrt(each.shape)
        for each, height in zip(outlines, known, strict=True)
        if height is not None
    ]
    size = float(np.mean(sizes)) if sizes else 1.0
    heights = [
        size / np.sqrt(each.shape) if height is None else height
        for each, height in zip(outlines, known, strict=True)
    ]
    return [max(LEAST_PROPORTION, float(each / max(heights))) for each in heights]


def arrange_standing(
    outlines: Sequence[Outline], *, box: ProductBox, unit: float, squash: float, seed: int,
    depth: float, on_stand: bool = False,
) -> list[Placed]:  # fmt: skip
    """Return where products stand that are seen from the front, in their order.

    Two rows: the lower half of them is the front row, in the gaps of the others, so that none is hidden by
    more than ``MOST_COVERED``; nothing hides any of the first. ``depth`` is the most that the two rows may
    be apart, in units. The front row has its feet on the line of the box, or further back as a single low
    product does; on a stand the rows are on either side of that line. Sizes are in proportion, and those of
    the back row smaller by perspective.
    """
    heights = relative_heights(outlines)
    spots: list[_Spot] = []
    for overlap in OVERLAPS:
        tall = box.height
        # How far apart the rows are follows from the size of the group, which they change a little.
        for _ in range(2):
            spots = _rows(
                outlines, heights, overlap=overlap, seed=seed, squash=squash,
                scale=tall / unit, depth=depth,
            )  # fmt: skip
            tall = _scale(spots, box=box)
        if max(_covered(outlines, spots)) <= MOST_COVERED:
            break
    return _fitted(outlines, spots, box=box, middle=on_stand)


def arrange_lying(outlines: Sequence[Outline], *, box: ProductBox) -> list[Placed]:
    """Return where products lie that are seen from above, in their order: in rows, none on another."""
    heights = relative_heights(outlines)
    best: list[_Spot] = []
    best_scale = 0.0
    # Every way of cutting the order into rows: at most 32.
    for count in range(len(outlines)):
        for cuts in combinations(range(1, len(outlines)), count):
            rows = [
                list(range(a, b)) for a, b in zip((0, *cuts), (*cuts, len(outlines)), strict=True)
            ]
            spots = _flat_rows(outlines, heights, rows)
            scale = _scale(spots, box=box)
            if scale > best_scale:
                best, best_scale = spots, scale
    return _fitted(outlines, best, box=box)


def _rows(
    outlines: Sequence[Outline], heights: list[float], *, overlap: float, seed: int, squash: float,
    scale: float, depth: float,
) -> list[_Spot]:  # fmt: skip
    """Return the spots of two rows, of which each one is shifted until it overlaps as it may."""
    count = len(outlines)
    widths = [height * each.shape for each, height in zip(outlines, heights, strict=True)]
    by_height = sorted(range(count), key=lambda index: -heights[index])
    behind = set(by_height[: (count + 1) // 2] if count != 3 else by_height[:1])
    apart = float(np.clip(ROW_DISTANCE * np.mean(widths), *ROW_LIMITS))
    apart = min(apart, depth / scale)
    order = _sequence(
        [index for index in by_height if index in behind],
        [index for index in by_height if index not in behind],
    )
    if stream(seed, "bundle").random() < 0.5:
        order.reverse()
    spots: dict[int, _Spot] = {}
    for position, index in enumerate(order):
        away = scale * apart * (0.5 if index in behind else -0.5)
        size = 1 / (1 + away / DISTANCE)
        width = widths[index] * size
        x = 0.0
        for other in order[:position]:
            at = spots[other]
            touching = at.x + (at.width + width) / 2
            if (other in behind) == (index in behind):
                x = max(x, touching + GAP)
            elif 0 in (other, index) and 0 in behind:
                # Nothing is in front of the first.
                x = max(x, touching + GAP / 2)
            elif other == order[position - 1]:
                x = max(x, touching - overlap * min(at.width, width))
        foot = -squash * away * size / scale
        spots[index] = _Spot(x, foot, width, heights[index] * size, away)
    return [spots[index] for index in range(count)]


def _sequence(behind: list[int], before: list[int]) -> list[int]:
    """Return products from left to right: rows alternate, and the tallest is in the middle."""
    back: list[int] = []
    for index, each in enumerate(behind):
        back.insert(len(back) if index % 2 else 0, each)
    if len(before) > len(back):
        back, before = before, back
    out: list[int] = []
    for index, each in enumerate(back):
        out.append(each)
        out += before[index : index + 1]
    return out


def _flat_rows(
    outlines: Sequence[Outline], heights: list[float], rows: list[list[int]]
) -> list[_Spot]:
    spots: dict[int, _Spot] = {}
    down = 0.0
    for row in rows:
        widths = [heights[index] * outlines[index].shape for index in row]
        tall = max(heights[index] for index in row)
        x = -(sum(widths) + FLAT_GAP * (len(row) - 1)) / 2
        for index, width in zip(row, widths, strict=True):
            middle = down + tall / 2
            spots[index] = _Spot(
                x + width / 2, middle + heights[index] / 2, width, heights[index], 0.0
            )
            x += width + FLAT_GAP
        down += tall + FLAT_GAP
    return [spots[index] for index in range(len(outlines))]


def _bounds(spots: Sequence[_Spot]) -> tuple[float, float, float, float]:
    return (
        min(each.x - each.width / 2 for each in spots),
        min(each.foot - each.height for each in spots),
        max(each.x + each.width / 2 for each in spots),
        max(each.foot for each in spots),
    )


def _covered(outlines: Sequence[Outline], spots: Sequence[_Spot]) -> list[float]:
    """Return the share of each product that those in front of it hide, measured on the outlines."""
    left, top, right, bottom = _bounds(spots)
    shape = max(1, round((bottom - top) * TRIAL)), max(1, round((right - left) * TRIAL))
    solid = []
    for outline, spot in zip(outlines, spots, strict=True):
        size = max(1, round(spot.width * TRIAL)), max(1, round(spot.height * TRIAL))
        small = cv2.resize(outline.alpha, size, interpolation=cv2.INTER_AREA) > 127
        row = min(shape[0] - 1, max(0, round((spot.foot - spot.height - top) * TRIAL)))
        column = min(shape[1] - 1, max(0, round((spot.x - spot.width / 2 - left) * TRIAL)))
        plane = np.zeros(shape, bool)
        part = plane[row : row + size[1], column : column + size[0]]
        part[:] = small[: part.shape[0], : part.shape[1]]
        solid.append(plane)
    shares = []
    for index, plane in enumerate(solid):
        hidden = np.zeros(shape, bool)
        for other, front in enumerate(solid):
            if spots[other].away < spots[index].away:
                hidden |= front
        shares.append(float((plane & hidden).sum() / max(1, plane.sum())))
    return shares


def _scale(spots: Sequence[_Spot], *, box: ProductBox) -> float:
    """Return the pixels of the group's height, as large as it fits into the box."""
    left, top, right, bottom = _bounds(spots)
    # Wider than a single product, and not quite from one border to the other.
    wide = (box.width + box.room) / 2
    return min(wide / (right - left), box.height / (bottom - top))


def _fitted(
    outlines: Sequence[Outline], spots: Sequence[_Spot], *, box: ProductBox, middle: bool = False
) -> list[Placed]:
    """Return the spots in pixels; the lowest foot, or the ``middle`` of the rows, is on the box's line."""
    left, top, right, lowest = _bounds(spots)
    scale, centre = _scale(spots, box=box), (left + right) / 2
    line = 0.0 if middle else lowest
    lift = max(0.0, min(box.depth, box.lift * (box.height - (lowest - top) * scale)))
    covered = _covered(outlines, spots)
    placed = []
    for spot, share in zip(spots, covered, strict=True):
        width, height = max(1, round(spot.width * scale)), max(1, round(spot.height * scale))
        foot = round(box.bottom - lift + (spot.foot - line) * scale)
        x = box.centre + (spot.x - centre) * scale
        placed.append(
            Placed(Rect(round(x - width / 2), foot - height, width, height), spot.away, share)
        )
    return placed
