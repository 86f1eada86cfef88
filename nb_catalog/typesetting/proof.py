"""Proof that a file shows the texts it should: glyphs are rendered again and compared with its pixels.

Nothing is recognized as text, so it works for every script.
"""

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
from nb_catalog.typesetting.layout_engine import LaidOutText, lay_out, rgb
from nb_catalog.typesetting.layouts import Layout
from nb_catalog.typesetting.report import Report

Plane = npt.NDArray[np.float32]


class Threshold(NamedTuple):
    """The least overlap from an em of ``em`` pixels on: of the whole text, and of each glyph."""

    em: float
    text: float
    glyph: float


# Measured on 22 locales in JPEG, WebP and AVIF at the qualities of ``encode``: correct text is above,
# text with one wrong glyph or one accent missing below. Under 20 pixels an accent is a grey dot, which
# compression may lose.
THRESHOLDS: Final = (
    Threshold(48, 0.965, 0.93),
    Threshold(20, 0.945, 0.88),
    Threshold(0, 0.90, 0.85),
)
# The most stray ink, in ems squared. Measured on the same files: none if nothing was added, at least
# 0.028 for a full stop.
MAX_STRAY_INK: Final = 0.01
# The smallest em, in pixels, at which glyphs are more than a few grey dots.
MIN_EM: Final = 9.0
# Glyphs with less ink than this, in pixels, are not compared alone; they count in the whole text.
MIN_GLYPH_INK: Final = 6.0
# The background is estimated from pixels up to this distance from the glyphs, in ems.
_BACKGROUND_REACH: Final = 0.35
# A pixel is stray ink if it differs by more than this, of 255. After smoothing, compression at the
# qualities of ``encode`` stays below it.
STRAY_DIFFERENCE: Final = 40.0
# The sigma of that smoothing in ems: smaller than a dot, larger than ringing at an edge.
STRAY_SMOOTHING: Final = 0.06
# How far around a text's box stray ink counts, in ems.
_STRAY_REACH: Final = 0.25
# BT.601 luma, the plane that JPEG, WebP and AVIF keep at full resolution.
_LUMA: Final = np.array([0.299, 0.587, 0.114], np.float32)


@dataclass(frozen=True, slots=True, kw_only=True)
class TextProof:
    """How well a file shows the text of one box.

    ``overlap`` is the share of expected or found ink that is both, 0 to 1, and ``worst_glyph`` that of the
    worst glyph. ``em`` is in pixels of the file. ``matches_report`` is whether the glyphs render to the
    same mask as when the picture was made. ``stray_ink`` is other ink in the box, in ems squared; None if
    the base image is not available.
    """

    role: str
    overlap: float
    worst_glyph: float
    em: float
    matches_report: bool = True
    stray_ink: float | None = None

    @property
    def is_legible(self) -> bool:
        return self.em >= MIN_EM

    @property
    def is_proved(self) -> bool:
        threshold = next(each for each in THRESHOLDS if self.em >= each.em)
        is_shown = self.overlap >= threshold.text and self.worst_glyph >= threshold.glyph
        is_clean = self.stray_ink is None or self.stray_ink <= MAX_STRAY_INK
        return self.is_legible and self.matches_report and is_shown and is_clean


def verify(
    delivered: Pixels,
    *,
    report: Report,
    layout: Layout,
    chain: FontChain,
    expected: Pixels | None = None,
) -> list[TextProof]:
    """Compare a file's pixels (H, W, 3) with the texts of ``report``, rendered with today's fonts.

    ``expected`` is the whole picture, composed again at full size: with it, stray ink is measured.
    Raises ``TextError`` if the fonts no longer have its characters.
    """
    size, boxes = Size(report.width, report.height), {box.role: box for box in layout.boxes}
    strays: dict[str, float] = {}
    if expected is not None:
        strays = measure_stray_ink(delivered, expected=expected, report=report)
    proofs = []
    for text in report.texts:
        block = lay_out(
            replace(boxes[text.role], colour=text.colour),
            text.text,
            size=size,
            chain=chain,
            language=locales.language_tag(report.locale),
            rtl=bool(locales.direction(report.locale)),
            largest=text.size,
        )
        proof = compare_glyphs(block, delivered, size=size)
        is_same_mask = block.mask_sha256 == text.mask_sha256
        proofs.append(replace(proof, matches_report=is_same_mask, stray_ink=strays.get(text.role)))
    return proofs


def compare_glyphs(block: LaidOutText, delivered: Pixels, *, size: Size) -> TextProof:
    """Compare the glyphs of ``block``, laid out for a picture of ``size``, with a file's pixels (H, W, 3):
    that picture, or a rendition of another width."""
    width = delivered.shape[1]
    scale = width / size.width
    reach = _BACKGROUND_REACH * block.em * scale
    rect = block.mask.padded(math.ceil(_BACKGROUND_REACH * block.em)).rect
    top, left = max(0, math.floor(rect.top * scale)), max(0, math.floor(rect.left * scale))
    window = (
        slice(top, min(delivered.shape[0], math.ceil(rect.bottom * scale))),
        slice(left, min(width, math.ceil(rect.right * scale))),
    )
    expected = _coverage(block.mask, size=size, width=width)[window]
    luma = delivered[window].astype(np.float32) @ _LUMA
    fill = _luma(block.box.colour)
    if block.box.stroke:
        stroke = _luma(block.box.stroke.colour)
        outline = block.mask.outlined(block.box.stroke.width * block.em)
        drawn = _coverage(outline, size=size, width=width)[window]
        under = _background(luma, drawn, reach=reach) * (1 - drawn) + stroke * drawn
        ink = (luma - under) / (fill - stroke)
    else:
        under = _background(luma, expected, reach=reach)
        span = fill - under
        ink = (luma - under) / np.where(np.abs(span) < 1, np.float32(1), span)
    ink = np.asarray(np.clip(ink, 0, 1), np.float32)
    glyph_overlaps = [
        _overlap(expected[part], ink[part])
        for part in _glyph_windows(block, top=top, left=left, scale=scale)
        if expected[part].sum() >= MIN_GLYPH_INK
    ]
    return TextProof(
        role=block.box.role,
        overlap=_overlap(expected, ink),
        worst_glyph=min(glyph_overlaps, default=1.0),
        em=block.em * scale,
    )


def measure_stray_ink(delivered: Pixels, *, expected: Pixels, report: Report) -> dict[str, float]:
    """Return role -> ink in and around its box that differs from ``expected``, in ems squared.

    ``delivered`` (H, W, 3) may be smaller than ``expected``, the picture composed again at full size. A
    full stop has about 0.015.
    """
    scale = delivered.shape[1] / report.width
    small = shrink(Image.fromarray(expected), width=delivered.shape[1])
    wanted = np.asarray(small, np.float32) @ _LUMA
    height = min(len(wanted), len(delivered))
    difference = np.abs(delivered[:height].astype(np.float32) @ _LUMA - wanted[:height])
    strays = {}
    for text in report.texts:
        em, box = text.size * scale, text.box
        reach = em * _STRAY_REACH
        part = difference[
            max(0, round(box.top * scale - reach)) : round(box.bottom * scale + reach),
            max(0, round(box.left * scale - reach)) : round(box.right * scale + reach),
        ]
        sigma = max(0.5, em * STRAY_SMOOTHING)
        smooth = cv2.GaussianBlur(part, (0, 0), sigma) if part.size else part
        strays[text.role] = float((smooth > STRAY_DIFFERENCE).sum()) / em**2
    return strays


def _luma(colour: str) -> np.float32:
    return np.float32(np.array(rgb(colour), np.float32) @ _LUMA)


def _coverage(mask: GlyphMask, *, size: Size, width: int) -> Plane:
    """Return the coverage of each pixel, 0 to 1, in a file of ``width``, downscaled like renditions."""
    whole = np.zeros((size.height, size.width), np.uint8)
    visible = mask.clipped(size)
    rect = visible.rect
    whole[rect.top : rect.bottom, rect.left : rect.right] = visible.mask
    small = shrink(Image.fromarray(whole), width=width)
    return np.asarray(small, np.float32) / np.float32(255)


def _background(luma: Plane, coverage: Plane, *, reach: float) -> Plane:
    """Estimate the luma behind glyphs from the uncovered pixels around them."""
    free = (coverage < 0.02).astype(np.float32)
    sigma = max(1.0, reach / 2)
    weight = cv2.GaussianBlur(free, (0, 0), sigma)
    light = cv2.GaussianBlur(luma * free, (0, 0), sigma)
    return np.asarray(np.where(free > 0, luma, light / np.maximum(weight, 1e-4)), np.float32)


def _overlap(expected: Plane, ink: Plane) -> float:
    union = float(np.maximum(expected, ink).sum())
    return float(np.minimum(expected, ink).sum()) / union if union > 0 else 1.0


def _glyph_windows(
    block: LaidOutText, *, top: int, left: int, scale: float
) -> Iterator[tuple[slice, slice]]:
    """Yield the rows and columns of each glyph in the window at ``top`` and ``left``, and a pixel around
    it."""
    for placed in block.lines:
        for glyph in placed.line.glyphs:
            ink = placed._replace(line=placed.line.with_only(glyph)).ink
            if ink.width > 0:
                yield (
                    _span(ink.top * scale - top, ink.bottom * scale - top),
                    _span(ink.left * scale - left, ink.right * scale - left),
                )


def _span(start: float, end: float) -> slice:
    return slice(max(0, math.floor(start) - 1), max(0, math.ceil(end) + 1))
