"""The product's box by its outline, laid over the edges of the picture."""

from __future__ import annotations

from typing import Final, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from nb_catalog.core.types import Rect
from nb_catalog.imaging.box import Box
from nb_catalog.imaging.cutout.outline import solid_box
from nb_catalog.imaging.product_box.common import OUTLINE_SIDE, Mask, Rgba, reduced
from nb_catalog.imaging.scenery.canvas import Pixels

SCALES: Final = (0.84, 0.88, 0.92, 0.96, 1.0, 1.04, 1.08, 1.12, 1.16)
"""Sizes of the template, relative to the expected box."""
TURNS: Final = (-4.0, -2.0, 0.0, 2.0, 4.0)
"""Degrees by which the template is turned, at about the best size."""
NEARBY: Final = (0.98, 1.0, 1.02)
"""Sizes that are tried again with each turn, relative to the best."""
PAD: Final = 4
"""Empty pixels around the template, on which the gradient of its outline falls off."""
REACH: Final = 0.06
"""Share of the frame by which the template is moved from the expected place at most."""


def box_by_outline(pixels: Pixels, product: Rgba, expected: Rect) -> Box:
    """Return the place and size at which the outline of ``product`` follows edges of the picture best.

    The direction of an edge counts, its sign does not: its angle is doubled. So the product may be darker or
    lighter than the background.
    """
    picture = reduced(pixels, OUTLINE_SIDE)
    scale = picture.shape[0] / pixels.shape[0]
    edges = _doubled(cv2.cvtColor(picture, cv2.COLOR_RGB2LAB).astype(np.float32))
    height, width = picture.shape[:2]
    reach_x, reach_y = round(REACH * width), round(REACH * height)
    centre = (expected.left + expected.width / 2) * scale
    middle = (expected.top + expected.height / 2) * scale
    best = _Fit(-np.inf, 1.0, 0.0, Box(0, 0, 1, 1))
    tried = [(each, 0.0) for each in SCALES]
    for _round in range(2):
        for grown, turn in tried:
            shape = _turned(product[..., 3], turn)
            # The box of a turned product is larger, so what is scaled is the product before that.
            wide = max(4, round(expected.width * scale * grown * shape.shape[1] / product.shape[1]))
            tall = max(
                4, round(expected.height * scale * grown * shape.shape[0] / product.shape[0])
            )
            small = cv2.resize(shape, (wide, tall), interpolation=cv2.INTER_AREA)
            small = np.pad(small, PAD)
            template = _doubled(small[..., None].astype(np.float32))
            template /= np.abs(template).sum() + 1e-6
            left, top = round(centre - wide / 2) - PAD, round(middle - tall / 2) - PAD
            area = _window(
                edges, left - reach_x, top - reach_y,
                wide + 2 * (PAD + reach_x), tall + 2 * (PAD + reach_y),
            )  # fmt: skip
            fit = cv2.matchTemplate(area, template, cv2.TM_CCORR)
            _least, most, _at, (x, y) = cv2.minMaxLoc(fit)
            if most > best.score:
                x, y = left - reach_x + x + PAD, top - reach_y + y + PAD
                box = Box(x / width, y / height, (x + wide) / width, (y + tall) / height)
                best = _Fit(most, grown, turn, box)
        tried = [(best.grown * each, turn) for turn in TURNS for each in NEARBY]
    return best.box


class _Fit(NamedTuple):
    score: float
    grown: float
    turn: float
    box: Box


def _turned(alpha: Mask, degrees: float) -> Mask:
    """Return an outline turned about its middle, cropped to what is solid."""
    if not degrees:
        return alpha
    height, width = alpha.shape
    margin = int(0.08 * max(alpha.shape))
    wide = np.pad(alpha, margin)
    matrix = cv2.getRotationMatrix2D((width / 2 + margin, height / 2 + margin), degrees, 1)
    size = (wide.shape[1], wide.shape[0])
    turned = np.asarray(cv2.warpAffine(wide, matrix, size), np.uint8)
    box = solid_box(turned)
    return turned[box.top : box.bottom, box.left : box.right]


def _doubled(planes: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return (H, W, 2): the strongest gradient of (H, W, C) planes, with its angle doubled."""
    smooth = cv2.GaussianBlur(planes, (0, 0), 1.2).reshape(planes.shape)
    across, down = (
        np.stack([cv2.Sobel(each, cv2.CV_32F, dx, dy) for each in cv2.split(smooth)], -1)
        for dx, dy in ((1, 0), (0, 1))
    )
    strength = np.hypot(across, down)
    which = strength.argmax(-1)[..., None]
    across, down, strength = (
        np.take_along_axis(each, which, -1)[..., 0] for each in (across, down, strength)
    )
    # The root: a strong edge elsewhere must not outweigh a long faint one.
    weight = np.sqrt(strength) / np.maximum(strength**2, 1e-6)
    return np.stack([(across**2 - down**2) * weight, 2 * across * down * weight], -1)


def _window(
    plane: npt.NDArray[np.float32], left: int, top: int, width: int, height: int
) -> npt.NDArray[np.float32]:
    """Return a part of ``plane``, with zeros where it reaches beyond."""
    out = np.zeros((height, width, *plane.shape[2:]), np.float32)
    x, y = max(0, left), max(0, top)
    part = plane[y : max(y, top + height), x : max(x, left + width)]
    out[y - top : y - top + part.shape[0], x - left : x - left + part.shape[1]] = part
    return out
