"""How two looks differ, part by part, over what both pictures leave uncovered."""

from __future__ import annotations

from math import ceil, floor
from typing import Final, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from nb_catalog.imaging.box import Box
from nb_catalog.imaging.colour_shift import ciede2000
from nb_catalog.imaging.drift import ground_line
from nb_catalog.imaging.drift.look import CELLS, COLOURS, Look, Map

Values: TypeAlias = npt.NDArray[np.floating]

RIM: Final = 0.012
"""Share of the frame around a product's box that counts as covered: soft edges, contact shadow."""
SHADOW_WEIGHT: Final = 0.25
"""Weight of what may be in a product's shadow or reflection, which differ with its shape."""
LEAST_FREE: Final = 0.1
"""Share of the frame that both pictures have to leave uncovered."""
DARKEST: Final = 0.004
"""Linear light that is added before stops are counted: in deep black, noise would be many stops."""
TONES: Final = np.arange(1, 8) / 8
"""Quantiles of the anchor's lightness between which the tone curve is measured."""
LEAST_CHROMA: Final = 6.0
"""CIELAB units; below, a colour counts as grey."""
LEAST_COLOURED: Final = 0.1
"""Share of the background that has to have colours: less may be a product mirrored in the ground."""
LEAST_TONE: Final = 0.05
"""Share of the background that counts as one of the eighths; ties leave some of them almost empty."""
GRID: Final = 16
"""Cells a side of the grid on which the arrangement of the light is compared."""
USUAL: Final = 0.7
"""Quantile of the cells' differences: the shadow of a product may make others, and is in fewer of them."""
DETAIL_FLOOR, GRAIN_FLOOR = 0.2, 0.25
"""In L*: fainter detail and grain are not seen, and their ratios are noise."""
GRAIN_IN_DETAIL: Final = 0.25
"""Detail that white noise shows between the two blurs, for each unit of grain (measured)."""
WALL: Final = 0.6
"""Share of the product's height above which cells count as wall where no line is known."""
LEAST_CELLS: Final = 8
SAME_SIZE: Final = 0.9
"""Ratio of two pictures' sizes from which their grain and sharpness can be compared."""


def background_parts(anchor: Look, member: Look) -> dict[str, float] | None:
    """Return the differences of the backgrounds; None if the products leave too little of them.

    ``light`` is in stops of linear light, ``cast``, ``hue``, ``tones``, ``layout`` and ``tilt`` are in
    units of CIELAB, ``line`` in shares of the frame's height, and ``wall``, ``ground`` (sharpness) and
    ``grain`` in octaves. All but ``light`` are absolute. Missing are the line where it is not known, and
    parts of the finish where the pictures' sizes differ or nothing is left to compare.
    """
    free = np.minimum(*(weights(each.product, CELLS, CELLS) for each in (anchor, member)))
    if np.count_nonzero(free) < LEAST_FREE * free.size:
        return None
    fine = np.minimum(*(weights(each.product, COLOURS, COLOURS) for each in (anchor, member)))
    stops = np.log2((member.light + DARKEST) / (anchor.light + DARKEST))
    found = {
        "light": float(quantiles(stops[free > 0], free[free > 0], 0.5)),
        **colour_parts(anchor.colours[fine > 0], member.colours[fine > 0], fine[fine > 0]),
        **layout_parts(anchor.colours, member.colours, fine),
    }
    line = ground_line.compare(anchor, member, free=fine > 0)
    if line is not None:
        found["line"] = abs(line.shift)
    if not SAME_SIZE <= max(anchor.size) / max(member.size) <= 1 / SAME_SIZE:
        return found
    box = anchor.product
    edge = line.row if line else box.top + WALL * box.height
    rows = (np.arange(CELLS) + 0.5)[:, None] / CELLS
    # Grain is fine detail too: what it adds is taken out.
    sharp = [
        np.sqrt(np.maximum(each.detail**2 - (GRAIN_IN_DETAIL * each.grain) ** 2, 0))
        for each in (anchor, member)
    ]
    wall, ground = rows < edge - 1 / CELLS, rows > edge + 1 / CELLS
    finish: tuple[tuple[str, Map, Map, float, npt.NDArray[np.bool_]], ...] = (
        ("wall", sharp[0], sharp[1], DETAIL_FLOOR, wall),
        ("ground", sharp[0], sharp[1], DETAIL_FLOOR, ground),
        ("grain", anchor.grain, member.grain, GRAIN_FLOOR, rows > 0),
    )
    for name, first, second, least, where in finish:
        cells = (free > 0) & where
        if np.count_nonzero(cells) >= LEAST_CELLS:
            octaves = np.log2((second[cells] + least) / (first[cells] + least))
            found[name] = abs(float(quantiles(octaves, free[cells], 0.5)))
    return found


def colour_parts(anchor: Values, member: Values, weight: Values) -> dict[str, float]:
    """Return cast, hue and tones of (N, 3) CIELAB colours at the same places.

    ``weight`` says how much each place counts.
    """
    # Medians of differences at the same places: a shadow that only one picture has does not count.
    cast = [quantiles(member[:, each] - anchor[:, each], weight, 0.5) for each in (1, 2)]
    # The tone curve: by how much each eighth of the anchor's tones is lighter or darker now.
    edges = quantiles(anchor[:, 0], weight, TONES)
    tone = np.searchsorted(edges, anchor[:, 0])
    lighter = member[:, 0] - anchor[:, 0]
    parts = [tone == each for each in range(TONES.size + 1)]
    total = LEAST_TONE * weight.sum()
    curve = [
        float(quantiles(lighter[part], weight[part], 0.5))
        for part in parts
        if weight[part].sum() > total
    ]
    # A flat ground has no tone curve: all of it is in one or two of the eighths.
    bend = (
        np.abs(np.array(curve) - np.median(curve)) if len(curve) > TONES.size / 2 else np.zeros(1)
    )
    (a, b), (c, d) = anchor[:, 1:].T, member[:, 1:].T
    # The angle by which colours turned about grey, as far as it is seen: at their mean chroma. Greys have
    # no hue that could turn; what they get is a cast.
    chroma = np.hypot(a, b)
    coloured = np.where(chroma > LEAST_CHROMA, weight * chroma, 0)
    turn = 0.0
    if weight[chroma > LEAST_CHROMA].sum() > LEAST_COLOURED * weight.sum():
        turn = abs(float(quantiles(np.arctan2(a * d - b * c, a * c + b * d), coloured, 0.5)))
    return {
        "cast": float(np.hypot(*cast)),
        "hue": turn * float(coloured.sum() / weight.sum()),
        "tones": float(np.quantile(bend, USUAL)),
    }


def layout_parts(anchor: Map, member: Map, weight: Map) -> dict[str, float]:
    """Return layout and tilt: where light and colours are, whatever they are on the whole.

    ``anchor`` and ``member`` are CIELAB, ``weight`` says how much each of their cells counts.
    """
    cover = np.asarray(cv2.resize(weight, (GRID, GRID), interpolation=cv2.INTER_AREA), np.float32)

    def pooled(colours: Map) -> Values:
        summed = cv2.resize(colours * weight[..., None], (GRID, GRID), interpolation=cv2.INTER_AREA)
        return np.asarray(summed / np.maximum(cover, 1e-6)[..., None])

    first, second = pooled(anchor), pooled(member)
    cover = np.where(cover < 0.1, 0, cover)
    used = cover > 0
    moved, much = second[used] - first[used], cover[used]
    usual = np.array([quantiles(each, much, 0.5) for each in moved.T])
    apart = ciede2000(first[used] + usual, second[used])
    # A row's right half against its mirror image: from which side the light comes.
    both = np.minimum(cover, cover[:, ::-1])
    leaning = ((second - first)[..., 0] - (second - first)[:, ::-1, 0]) * both
    half = GRID // 2
    tilt = np.abs(leaning[:, half:].sum(1)).sum() / max(float(both[:, half:].sum()), 1e-6)
    return {"layout": float(quantiles(apart, much, USUAL)), "tilt": float(tilt)}


def quantiles(values: Values, weight: Values, at: float | Values) -> Values:
    """Return weighted quantiles of (N,) ``values``, in the shape of ``at``."""
    order = np.argsort(values)
    share = np.cumsum(weight[order], dtype=np.float64)
    share = (share - 0.5 * weight[order]) / share[-1]
    return np.asarray(np.interp(at, share, values[order]))


def weights(product: Box, rows: int, columns: int) -> Map:
    """Return how much each cell of a picture counts: not at all where the product is."""
    across, down = product.right - product.left, product.height
    out = np.ones((rows, columns), np.float32)
    shadow = Box(
        product.left - 0.8 * across, product.top + 0.55 * down,
        product.right + 0.8 * across, product.bottom + 0.35 * down,
    )  # fmt: skip
    glow = Box(
        product.left - 0.2 * across, product.top - 0.1 * down,
        product.right + 0.2 * across, product.bottom + 0.15 * down,
    )  # fmt: skip
    covered = product.grown(RIM)
    for box, weight in ((shadow, SHADOW_WEIGHT), (glow, SHADOW_WEIGHT), (covered, 0.0)):
        first, last = max(0, floor(box.top * rows)), max(0, ceil(box.bottom * rows))
        out[first:last, max(0, floor(box.left * columns)) : max(0, ceil(box.right * columns))] = (
            weight
        )
    return out
