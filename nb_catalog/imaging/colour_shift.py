"""How far pixels were changed: CIEDE2000 and the correlation of fine detail."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from nb_catalog.imaging.scenery.noise import blur

Floats: TypeAlias = npt.NDArray[np.floating]
Pixels: TypeAlias = npt.NDArray[np.uint8]
"""(H, W, 3) sRGB."""
Mask: TypeAlias = npt.NDArray[np.bool_]

# IEC 61966-2-1: linear sRGB to XYZ, whose white is D65.
TO_XYZ: Final = np.array(
    [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
)
RELIT_CHECK: Final = "relit"
"""The check of a picture that holds how far its product was relit."""
SAMPLE: Final = 12_000
"""Pixels of which the difference of colour is computed; its percentiles vary by 1 % with them."""
DETAIL: Final = 0.006
"""Deviation of the high-pass filter, as a share of the picture's longer side."""
UNSEEN: Final = 2.0
"""Levels of detail that nobody sees: two plain surfaces correlate, whatever was rounded in them."""


class Shift(NamedTuple):
    """The difference between a product's own pixels and those of a picture.

    ``median`` and ``p95``, the 95th percentile, are CIEDE2000; ``colour_median`` is the median after
    each pixel's luminance was restored. ``ncc`` is the correlation of fine detail, 1 if all is there.
    """

    median: float
    colour_median: float
    p95: float
    ncc: float

    def report(self) -> dict[str, float]:
        """Return plain data to be stored with the picture."""
        return {
            "median": round(self.median, 2),
            "colour_median": round(self.colour_median, 2),
            "p95": round(self.p95, 2),
            "ncc": round(self.ncc, 4),
        }


def worst(shifts: Sequence[Shift]) -> Shift:
    """Return the largest shift of several products, each measure for itself."""
    return Shift(
        median=max(each.median for each in shifts),
        colour_median=max(each.colour_median for each in shifts),
        p95=max(each.p95 for each in shifts),
        ncc=min(each.ncc for each in shifts),
    )


def measure_shift(before: Pixels, after: Pixels, *, solid: Mask, side: int) -> Shift:
    """Return how far the ``solid`` pixels of ``after`` differ from ``before``.

    ``side`` is the longer side of the whole picture in pixels.
    """
    at = sample_of(solid, at_most=SAMPLE)
    return Shift(
        *difference(before[at], after[at]), ncc=correlate_detail(before, after, solid, side=side)
    )


def sample_of(solid: Mask, *, at_most: int) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Return rows and columns of pixels that are spread evenly over ``solid``."""
    flat = np.flatnonzero(solid)
    # A step that shares no factor with the width does not follow a column.
    step = max(1, flat.size // at_most) | 1
    rows, columns = np.divmod(flat[::step], solid.shape[1])
    return rows, columns


def difference(before: Floats | Pixels, after: Floats | Pixels) -> tuple[float, float, float]:
    """Return median, median of colour alone, and 95th percentile of CIEDE2000.

    (N, 3) sRGB, 0 to 255.
    """
    first, second = linear(before), linear(after)
    reference = lab(first)
    total = ciede2000(reference, lab(second))
    kept = (first @ TO_XYZ[1]) / np.maximum(second @ TO_XYZ[1], 1e-5)
    colour = ciede2000(reference, lab(second * kept[:, None]))
    return float(np.median(total)), float(np.median(colour)), float(np.percentile(total, 95))


def correlate_detail(
    before: Floats | Pixels, after: Floats | Pixels, solid: Mask, *, side: int
) -> float:
    """Return the correlation of what a high-pass filter leaves of two (H, W, 3) pictures."""
    if not solid.any():
        return 1.0
    sigma = max(0.8, DETAIL * side)
    inside = solid.astype(np.float32)
    share = np.maximum(blur(inside, sigma=sigma), np.float32(1e-3))
    details = []
    for each in (before, after):
        grey = cv2.cvtColor(np.asarray(each, np.float32), cv2.COLOR_RGB2GRAY)
        # Divided by the blurred outline, so that the background does not count.
        detail = (grey - blur(grey * inside, sigma=sigma) / share)[solid]
        details.append(detail - detail.mean())
    first, second = details
    unseen = UNSEEN**2
    both = float(np.mean(first * second)) + unseen
    return both / float(
        np.sqrt((np.mean(first * first) + unseen) * (np.mean(second * second) + unseen))
    )


def linear(srgb: Floats | Pixels) -> npt.NDArray[np.float64]:
    """Return sRGB 0..255 as linear light 0..1 (IEC 61966-2-1)."""
    share = np.asarray(srgb, np.float64) / 255
    return np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)


def lab(light: Floats) -> npt.NDArray[np.float64]:
    """Return (N, 3) linear sRGB as CIELAB with the white of D65 (CIE 15)."""
    # For so narrow a matrix, numpy's product takes thirty times as much processor time.
    rows = np.asarray(light, np.float64).reshape(-1, 1, 3)
    relative = np.asarray(cv2.transform(rows, TO_XYZ / TO_XYZ.sum(axis=1)[:, None])).reshape(-1, 3)
    root = np.where(
        relative > (6 / 29) ** 3, np.cbrt(relative), relative / (3 * (6 / 29) ** 2) + 4 / 29
    )
    x, y, z = root.T
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=1)


def ciede2000(first: Floats, second: Floats) -> npt.NDArray[np.float64]:
    """Return the CIEDE2000 difference of (N, 3) CIELAB colours (ISO/CIE 11664-6).

    The order of operations, and the cases in which a hue is undefined, are those of Sharma, Wu and
    Dalal, "The CIEDE2000 Color-Difference Formula", 2005.
    """
    (l1, a1, b1), (l2, a2, b2) = np.asarray(first, np.float64).T, np.asarray(second, np.float64).T
    seventh = _seventh_power((np.hypot(a1, b1) + np.hypot(a2, b2)) / 2)
    stretch = 1 + 0.5 * (1 - np.sqrt(seventh / (seventh + 25.0**7)))
    c1, c2 = np.hypot(a1 * stretch, b1), np.hypot(a2 * stretch, b2)
    h1 = np.degrees(np.arctan2(b1, a1 * stretch)) % 360
    h2 = np.degrees(np.arctan2(b2, a2 * stretch)) % 360
    is_grey = c1 * c2 == 0
    turn = h2 - h1
    turn = np.where(
        is_grey, 0, np.where(turn > 180, turn - 360, np.where(turn < -180, turn + 360, turn))
    )
    total = h1 + h2
    wraps = np.abs(h1 - h2) > 180
    hue = np.where(
        is_grey, total, (total + np.where(wraps, np.where(total < 360, 360, -360), 0)) / 2
    )
    lightness, chroma = (l1 + l2) / 2, (c1 + c2) / 2

    def cosine(degrees: Floats) -> Floats:
        return np.cos(np.radians(degrees))

    weight = (
        1
        - 0.17 * cosine(hue - 30)
        + 0.24 * cosine(2 * hue)
        + 0.32 * cosine(3 * hue + 6)
        - 0.20 * cosine(4 * hue - 63)
    )
    off = (lightness - 50) ** 2
    of_lightness = (l2 - l1) / (1 + 0.015 * off / np.sqrt(20 + off))
    of_chroma = (c2 - c1) / (1 + 0.045 * chroma)
    of_hue = 2 * np.sqrt(c1 * c2) * np.sin(np.radians(turn) / 2) / (1 + 0.015 * chroma * weight)
    seventh = _seventh_power(chroma)
    blue = np.sin(np.radians(60 * np.exp(-(((hue - 275) / 25) ** 2))))
    rotation = -2 * np.sqrt(seventh / (seventh + 25.0**7)) * blue
    squared = of_lightness**2 + of_chroma**2 + of_hue**2 + rotation * of_chroma * of_hue
    return np.asarray(np.sqrt(np.maximum(squared, 0)))


def _seventh_power(values: Floats) -> npt.NDArray[np.float64]:
    """Return ``values ** 7`` by multiplications, which take a fraction of the time."""
    third = values * values * values
    return np.asarray(third * third * values, np.float64)
