"""Fine detail: every textured tile of the product must be found again in the picture."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from nb_catalog.imaging.fidelity.views import Mask
from nb_catalog.imaging.fidelity.warping import Overlay
from nb_catalog.imaging.scenery.noise import Plane, blur

TILE: Final = 28
STEP: Final = 14
REACH: Final = 5
"""Pixels in which a tile is looked for."""
TEXTURED: Final = 7.0
"""Standard deviation of grey levels from which a tile has texture."""
LIKE: Final = 0.8
"""Normalised cross correlation from which a tile is the same."""
CLIPPED: Final = 250
"""Grey level from which light has burnt detail out. A tile that is half so in the picture is not judged."""
GRAIN: Final = 1.2
"""Deviation in pixels of the blur that takes grain and compression off both pictures."""


class DetailChange(NamedTuple):
    """How many ``tiles`` have texture, how many percent of them are not found again (``lost``), how far
    their correlation falls short, weighted by their contrast (``weakness``, percent), the largest
    connected group of lost ones (``group``, percent of all tiles), and (H, W) ``places`` of those."""

    tiles: int
    lost: float
    weakness: float
    group: float
    places: Mask


def compare_detail(pair: Overlay) -> DetailChange:
    """Look for each textured tile of the product within ``REACH`` pixels of its place.

    In a picture that has been prepared for the comparison, it may be as it was before.
    """
    compared = [pair.picture] if pair.seen is pair.picture else [pair.picture, pair.seen]
    product, picture, *seen = (
        blur(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).astype(np.float32), sigma=GRAIN)
        for pixels in (pair.product, *compared)
    )
    rows, columns, contrast = _textured_tiles(
        product, pair.core, burnt=np.asarray(picture >= CLIPPED)
    )
    places = np.zeros(pair.core.shape, np.bool_)
    if not len(rows):
        return DetailChange(0, 0.0, 0.0, 0.0, places)
    # Reflected at the border, so that there are pixels around each tile.
    each_around = [
        cv2.copyMakeBorder(grey, REACH, REACH, REACH, REACH, cv2.BORDER_REFLECT)
        for grey in (picture, *seen)
    ]
    likeness = np.full(len(rows), -1, np.float32)
    wide = TILE + 2 * REACH
    for index, (row, column) in enumerate(zip(rows, columns, strict=True)):
        tile = product[row : row + TILE, column : column + TILE]
        for around in each_around:
            found = cv2.matchTemplate(
                around[row : row + wide, column : column + wide], tile, cv2.TM_CCOEFF_NORMED
            )
            likeness[index] = max(likeness[index], cv2.minMaxLoc(found)[1])
    lost = likeness < LIKE
    grid = np.zeros((product.shape[0] // STEP + 1, product.shape[1] // STEP + 1), np.uint8)
    grid[rows[lost] // STEP, columns[lost] // STEP] = 1
    _count, _labels, stats, _middles = cv2.connectedComponentsWithStats(grid, connectivity=8)
    for row, column in zip(rows[lost], columns[lost], strict=True):
        places[row : row + TILE, column : column + TILE] = True
    shortfall = np.maximum(0, 0.9 - likeness)
    return DetailChange(
        tiles=len(rows),
        lost=float(100 * lost.mean()),
        weakness=float(100 * (contrast * shortfall).sum() / contrast.sum()),
        group=float(100 * stats[1:, cv2.CC_STAT_AREA].max(initial=0) / len(rows)),
        places=places & pair.mask,
    )


def _textured_tiles(
    grey: Plane, core: Mask, *, burnt: Mask
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], npt.NDArray[np.float64]]:
    """Return the rows and columns of the upper left corners of tiles that are all product, textured, and
    not half ``burnt``, and the standard deviations of their grey levels."""
    if min(grey.shape) < TILE:
        return np.zeros(0, np.intp), np.zeros(0, np.intp), np.zeros(0)

    def over_tiles(table: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        summed = table[TILE:, TILE:] - table[:-TILE, TILE:] - table[TILE:, :-TILE]
        return np.asarray((summed + table[:-TILE, :-TILE])[::STEP, ::STEP], np.float64)

    number = TILE * TILE
    sums, squares = cv2.integral2(grey)
    variance = over_tiles(squares) / number - (over_tiles(sums) / number) ** 2
    inside = over_tiles(cv2.integral(core.astype(np.uint8))) >= 0.98 * number
    lit = over_tiles(cv2.integral(burnt.astype(np.uint8))) < 0.5 * number
    rows, columns = np.nonzero(inside & lit & (variance > TEXTURED**2))
    return rows * STEP, columns * STEP, np.sqrt(variance[rows, columns])
