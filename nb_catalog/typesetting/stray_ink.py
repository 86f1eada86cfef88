"""Ink where none should be: what a file shows in the boxes of its texts beside what was composed there."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from PIL import Image

from nb_catalog.core.types import Rect
from nb_catalog.imaging.encode import shrink
from nb_catalog.imaging.scenery.canvas import Pixels
from nb_catalog.typesetting.report import Report

# Of 255: compression at the qualities of ``encode`` stays below it once it is smoothed.
APART: Final = 40.0
# Pixels over which a file is smoothed, in ems: a dot is larger, a ringing edge is not.
SMOOTHED: Final = 0.06
_LUMA: Final = np.array([0.299, 0.587, 0.114], np.float32)


def stray_ink(delivered: Pixels, *, expected: Pixels, report: Report) -> dict[str, float]:
    """Role -> what a file (H, W, 3) shows otherwise than ``expected``, the picture composed anew at its
    full size, in the text's box and a little around it: in ems squared. A full stop has about 0.015."""
    scale = delivered.shape[1] / report.width
    small = shrink(Image.fromarray(expected), width=delivered.shape[1])
    wanted = np.asarray(small, np.float32) @ _LUMA
    height = min(len(wanted), len(delivered))
    apart = np.abs(delivered[:height].astype(np.float32) @ _LUMA - wanted[:height])
    found = {}
    for text in report.texts:
        em = text.size * scale
        part = apart[_span(text.box, em, scale)]
        sigma = max(0.5, em * SMOOTHED)
        smooth = cv2.GaussianBlur(part, (0, 0), sigma) if part.size else part
        found[text.role] = float((smooth > APART).sum()) / em**2
    return found


def _span(box: Rect, em: float, scale: float) -> tuple[slice, slice]:
    reach = em * 0.25
    return (
        slice(max(0, round(box.top * scale - reach)), round(box.bottom * scale + reach)),
        slice(max(0, round(box.left * scale - reach)), round(box.right * scale + reach)),
    )
