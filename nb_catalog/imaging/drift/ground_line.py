"""The line between wall and ground, where two pictures have one, and how far it moved."""

from __future__ import annotations

from typing import Final, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from nb_catalog.imaging.drift.look import COLUMNS, ROWS, Look, Map

STEP: Final = ROWS // 64
"""Rows above and below a row whose means are compared."""
REACH: Final = 61
"""Rows by which the line is searched for elsewhere: 12 % of the height."""
LEAST_STEP: Final = 4.0
"""CIELAB units of a step that counts as a line."""
LEAST_FIT: Final = 0.6
"""Correlation of the two curves of steps."""
AGREEMENT: Final = 0.01
"""Share of the height by which the shift of the curves and that of their highest steps may differ."""
LEAST_COLUMNS: Final = 5
PERCENTILE: Final = 0.3
"""Of the columns: a line runs across the picture, an edge of something does not."""


class GroundLine(NamedTuple):
    """Shares of the height: the line's row in the anchor, and by how much it is lower in the member."""

    row: float
    shift: float


def compare(anchor: Look, member: Look, *, free: npt.NDArray[np.bool_]) -> GroundLine | None:
    """Return where the line is; None if there is no line that both pictures certainly have.

    ``free`` says, for any grid over the frame, what both pictures leave uncovered. Curtains, shelves and
    horizons without contrast have no line: then nothing is said about it.
    """
    seen = cv2.resize(free.astype(np.float32), (COLUMNS, ROWS), interpolation=cv2.INTER_AREA) > 0.99
    # The line is above a product's foot; below it are shadows and reflections.
    foot = min(anchor.product.bottom, member.product.bottom)
    seen &= (np.arange(ROWS) < foot * ROWS)[:, None]
    first, second = (_steps(each.bands, seen) for each in (anchor, member))
    if min(first.max(), second.max()) < LEAST_STEP:
        return None
    middle = first[REACH:-REACH] - first[REACH:-REACH].mean()
    windows = np.lib.stride_tricks.sliding_window_view(second, ROWS - 2 * REACH)
    spread = np.sqrt((middle @ middle) * ROWS_LEFT * windows.var(axis=1))
    fit = np.where(spread > 1e-6, windows @ middle / np.maximum(spread, 1e-6), 0)
    best = int(fit.argmax())
    shift = (best - REACH) / ROWS
    highest = (int(second.argmax()) - int(first.argmax())) / ROWS
    if fit[best] < LEAST_FIT or abs(shift - highest) > AGREEMENT:
        return None
    return GroundLine(row=int(first.argmax()) / ROWS, shift=shift)


ROWS_LEFT: Final = ROWS - 2 * REACH


def _steps(bands: Map, seen: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    """Return for each row how strong a step runs across the whole picture there, in CIELAB units."""
    colours = np.cumsum(np.where(seen[..., None], bands, 0), axis=0, dtype=np.float64)
    counts = np.cumsum(seen, axis=0, dtype=np.float64)
    row = np.arange(STEP, ROWS - STEP)
    above, below = counts[row] - counts[row - STEP], counts[row + STEP] - counts[row]
    known = np.minimum(above, below) > STEP / 2
    difference = (colours[row] - colours[row - STEP]) / np.maximum(above, 1)[..., None]
    difference -= (colours[row + STEP] - colours[row]) / np.maximum(below, 1)[..., None]
    sizes = np.sort(np.where(known, np.linalg.norm(difference, axis=-1), np.inf), axis=1)
    number = known.sum(axis=1)
    at = np.round(PERCENTILE * np.maximum(number - 1, 0)).astype(int)
    out = np.zeros(ROWS)
    out[row] = np.where(number >= LEAST_COLUMNS, sizes[np.arange(row.size), at], 0)
    return out
