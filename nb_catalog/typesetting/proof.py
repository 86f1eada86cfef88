"""Proof that what is in a file is what was asked for: the letters are drawn anew and compared with
the pixels that were delivered. No reading of words: it holds for every script."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from nb_catalog.core import locales
from nb_catalog.core.types import Size
from nb_catalog.imaging.encode import shrink
from nb_catalog.imaging.scenery.canvas import Pixels
from nb_catalog.typesetting.font_fallback import FontChain
from nb_catalog.typesetting.glyph_masks import GlyphMask
from nb_catalog.typesetting.layout_engine import SetText, lay_out, rgb
from nb_catalog.typesetting.layouts import Layout
from nb_catalog.typesetting.report import Report
from nb_catalog.typesetting.stray_ink import stray_ink

Plane = npt.NDArray[np.float32]


class Enough(NamedTuple):
    """From an em of so many pixels on: how much of the ink that is expected or found must be both,
    in all and for each letter."""

    em: float
    same: float
    letter: float


# Measured on 22 locales in JPEG, WebP and AVIF at the qualities of ``encode``: what was asked for
# lies above, one letter drawn wrong, or without its accent, below. In letters under 20 pixels an
# accent is a grey dot, which a file may well lose.
ENOUGH: Final = (Enough(48, 0.965, 0.93), Enough(20, 0.945, 0.88), Enough(0, 0.90, 0.85))
# What a file may show beside its letters, in ems squared (``stray_ink``). Measured on the same files:
# nothing at all where nothing was added, 0.028 and more for a full stop.
MOST_STRAYS: Final = 0.01
# Letters smaller than this, in pixels of an em, are a few grey dots that prove nothing.
SMALLEST: Final = 9.0
# Letters, or dots on them, of fewer pixels prove nothing alone: they count in the whole.
FEWEST_DOTS: Final = 6.0
# How far around the letters their ground is looked at, in ems.
_AROUND: Final = 0.35
# Of BT.601, which JPEG, WebP and AVIF keep at full resolution.
_LUMA: Final = np.array([0.299, 0.587, 0.114], np.float32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """Of one box: the share of expected and found ink that is both, 0 to 1, in all and of the
    letter that comes out worst. ``em`` in pixels of the file. ``is_drawn_alike``: the letters come
    out today as they did when the picture was made, to the pixel. ``stray_ink`` is other ink in the box,
    in ems squared; None where the picture below the words is not there to compare with.
    """

    role: str
    same: float
    worst_letter: float
    em: float
    is_drawn_alike: bool = True
    stray_ink: float | None = None

    @property
    def is_legible(self) -> bool:
        return self.em >= SMALLEST

    @property
    def is_proved(self) -> bool:
        enough = next(each for each in ENOUGH if self.em >= each.em)
        alike = self.same >= enough.same and self.worst_letter >= enough.letter
        clean = self.stray_ink is None or self.stray_ink <= MOST_STRAYS
        return self.is_legible and self.is_drawn_alike and alike and clean


def verify(
    delivered: Pixels,
    *,
    report: Report,
    layout: Layout,
    chain: FontChain,
    expected: Pixels | None = None,
) -> list[Compared]:
    """Every text of ``report`` with a file's pixels (H, W, 3), drawn anew with the fonts that there
    are now. With ``expected``, the whole picture composed anew at its full size, other ink in a text's
    box is found too.

    Raises ``TextError`` where they do not have its characters any more.
    """
    size, boxes = Size(report.width, report.height), {box.role: box for box in layout.boxes}
    other: dict[str, float] = {}
    if expected is not None:
        other = stray_ink(delivered, expected=expected, report=report)
    compared = []
    for text in report.texts:
        setting = lay_out(
            replace(boxes[text.role], colour=text.colour),
            text.text,
            size=size,
            chain=chain,
            language=locales.language_tag(report.locale),
            rtl=bool(locales.direction(report.locale)),
            largest=text.size,
        )
        found = compare(setting, delivered, size=size)
        same = setting.mask_sha256 == text.mask_sha256
        compared.append(replace(found, is_drawn_alike=same, stray_ink=other.get(text.role)))
    return compared


def compare(setting: SetText, delivered: Pixels, *, size: Size) -> Compared:
    """The letters of ``setting``, made for a picture of ``size``, with a file's pixels (H, W, 3):
    the picture itself, or one derived from it at another width."""
    scale = delivered.shape[1] / size.width
    reach = _AROUND * setting.em * scale
    window = _window(setting, scale, within=Size(delivered.shape[1], delivered.shape[0]))
    expected = _coverage(setting.letters, size=size, width=delivered.shape[1])[window]
    luma = delivered[window].astype(np.float32) @ _LUMA
    fill = _luma(setting.box.colour)
    if setting.box.stroke:
        line = _luma(setting.box.stroke.colour)
        outline = setting.letters.outlined(setting.box.stroke.width * setting.em)
        drawn = _coverage(outline, size=size, width=delivered.shape[1])[window]
        under = _ground(luma, drawn, reach=reach) * (1 - drawn) + line * drawn
        found = (luma - under) / (fill - line)
    else:
        under = _ground(luma, expected, reach=reach)
        span = fill - under
        found = (luma - under) / np.where(np.abs(span) < 1, np.float32(1), span)
    found = np.asarray(np.clip(found, 0, 1), np.float32)
    letters = [
        _shared(expected[part], found[part])
        for part in _letters(setting, window, scale=scale)
        if expected[part].sum() >= FEWEST_DOTS
    ]
    return Compared(
        role=setting.box.role,
        same=_shared(expected, found),
        worst_letter=min(letters, default=1.0),
        em=setting.em * scale,
    )


def _luma(colour: str) -> np.float32:
    return np.float32(np.array(rgb(colour), np.float32) @ _LUMA)


def _window(setting: SetText, scale: float, *, within: Size) -> tuple[slice, slice]:
    """Letters and their ground in a file."""
    rect = setting.letters.grown(math.ceil(_AROUND * setting.em)).rect
    return (
        slice(
            max(0, math.floor(rect.top * scale)), min(within.height, math.ceil(rect.bottom * scale))
        ),
        slice(
            max(0, math.floor(rect.left * scale)), min(within.width, math.ceil(rect.right * scale))
        ),
    )


def _coverage(stencil: GlyphMask, *, size: Size, width: int) -> Plane:
    """How much of each pixel letters cover, 0 to 1, in a file of ``width``: made smaller as
    deliveries are."""
    whole = np.zeros((size.height, size.width), np.uint8)
    seen = stencil.on(size)
    whole[seen.top : seen.rect.bottom, seen.left : seen.rect.right] = seen.mask
    small = shrink(Image.fromarray(whole), width=width)
    return np.asarray(small, np.float32) / np.float32(255)


def _ground(luma: Plane, expected: Plane, *, reach: float) -> Plane:
    """What lies under the letters, guessed from what lies around each of them."""
    free = (expected < 0.02).astype(np.float32)
    sigma = max(1.0, reach / 2)
    weight = cv2.GaussianBlur(free, (0, 0), sigma)
    light = cv2.GaussianBlur(luma * free, (0, 0), sigma)
    return np.asarray(np.where(free > 0, luma, light / np.maximum(weight, 1e-4)), np.float32)


def _shared(expected: Plane, found: Plane) -> float:
    either = float(np.maximum(expected, found).sum())
    return float(np.minimum(expected, found).sum()) / either if either > 0 else 1.0


def _letters(
    setting: SetText, window: tuple[slice, slice], *, scale: float
) -> Iterator[tuple[slice, slice]]:
    """Where in the window each letter stands, a pixel around it included."""
    top, left = window[0].start, window[1].start
    for placed in setting.lines:
        for glyph in placed.line.glyphs:
            ink = placed._replace(line=placed.line.only(glyph)).ink
            if ink.width > 0:
                yield (
                    _span(ink.top * scale - top, ink.bottom * scale - top),
                    _span(ink.left * scale - left, ink.right * scale - left),
                )


def _span(start: float, end: float) -> slice:
    return slice(max(0, math.floor(start) - 1), max(0, math.ceil(end) + 1))
