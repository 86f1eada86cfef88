"""Proof that a file shows the texts it should: glyphs are rendered again and compared with its pixels.

Nothing is recognized as text, so it works for every script. With the base image the whole picture is known,
and any other ink is found. Without it what is behind the text is a guess: what is missing or different within
the letters is still found, but ink beside them only where the picture there does not have their colour
(``TextProof.sees_additions``).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import cv2
import numpy as np
from PIL import Image

from nb_catalog.core import locales
from nb_catalog.core.types import Size
from nb_catalog.imaging.encode import shrink
from nb_catalog.imaging.scenery.canvas import Pixels
from nb_catalog.typesetting import comparison, glyph_masks
from nb_catalog.typesetting.font_fallback import FontChain
from nb_catalog.typesetting.ink import placed_characters
from nb_catalog.typesetting.layout_engine import LaidOutText, lay_out, rgb
from nb_catalog.typesetting.layouts import Layout
from nb_catalog.typesetting.report import Report


class Threshold(NamedTuple):
    """The least overlap from an em of ``em`` pixels on, of the whole text and of each glyph, and the most
    that a colour of an emoji may be off."""

    em: float
    text: float
    glyph: float
    emoji: float


# Measured on 22 locales in JPEG, WebP and AVIF at the qualities of ``encode``: correct text is above,
# text with one wrong glyph or one accent missing below. Under 20 pixels an accent is a grey dot, which
# compression may lose. Emoji, in 16 similar pairs: from 25 pixels on the right one is off by at most 21, the
# wrong one by at least 38; below, similar ones (a skin tone) cannot be told apart.
THRESHOLDS: Final = (
    Threshold(48, 0.965, 0.93, 30),
    Threshold(25, 0.945, 0.88, 30),
    Threshold(20, 0.945, 0.88, 50),
    Threshold(0, 0.90, 0.85, 50),
)
# The most stray ink, in ems squared. Measured on the same files: none if nothing was added, at least
# 0.028 for a full stop.
MAX_STRAY_INK: Final = 0.01
# The most difference, of the contrast between letters and ground, that is missing from letters or added
# within their outline, smoothed over a few pixels. Measured on the same files, four grounds and ems from 9
# to 90 pixels: at most 0.153 in 1,700 correct texts. Of 1,968 files with one similar letter instead (未 for
# 末), without base images, 177 had passed by overlap alone. Now 20 do, all of outlined text and 18 of them
# where ``sees_additions`` is False.
MAX_DIFFERENCE: Final = 0.165
# The most ink of the letters' colour beside them, in the same unit, and beside outlined ones.
MAX_ADDED: Final = comparison.MIN_ADDED
MAX_ADDED_OUTLINED: Final = 0.35
# The smallest em, in pixels, at which glyphs are more than a few grey dots.
MIN_EM: Final = 9.0
# Glyphs with less ink than this, in pixels, are not compared alone; they count in the whole text.
MIN_GLYPH_INK: Final = 6.0
# A pixel is stray ink if it differs by more than this, of 255. After smoothing, compression at the
# qualities of ``encode`` stays below it.
STRAY_DIFFERENCE: Final = 40.0
# How far around a text's box stray ink counts, in ems.
_STRAY_REACH: Final = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class TextProof:
    """How well a file shows the text of one box.

    ``overlap`` is the share of expected or found ink that is both, 0 to 1, and ``worst_glyph`` that of the
    worst character. ``difference`` is the most that is missing from a letter or added within its outline, 0
    to 1. ``added`` is the most ink of the letters' colour beside them, 0 to 1; None where the picture has
    that colour itself. ``emoji_difference`` is the most that a colour of an emoji is off, of 255.

    ``em`` is in pixels of the file. ``matches_report`` is whether the glyphs render to the same mask as when
    the picture was made. ``stray_ink`` is other ink in the box, in ems squared; None if the base image is
    not available.
    """

    role: str
    overlap: float
    worst_glyph: float
    em: float
    difference: float = 0.0
    added: float | None = 0.0
    is_outlined: bool = False
    emoji_difference: float = 0.0
    matches_report: bool = True
    stray_ink: float | None = None

    @property
    def is_legible(self) -> bool:
        return self.em >= MIN_EM

    @property
    def sees_additions(self) -> bool:
        """Whether ink beside the letters, such as the stroke that makes another letter of one, would have
        been found. If not, only what is missing has been ruled out."""
        return self.stray_ink is not None or self.added is not None

    @property
    def is_proved(self) -> bool:
        threshold = next(each for each in THRESHOLDS if self.em >= each.em)
        is_shown = self.overlap >= threshold.text and self.worst_glyph >= threshold.glyph
        is_exact = self.difference <= MAX_DIFFERENCE and self.emoji_difference <= threshold.emoji
        if self.stray_ink is not None:
            is_clean = self.stray_ink <= MAX_STRAY_INK
        else:
            most = MAX_ADDED_OUTLINED if self.is_outlined else MAX_ADDED
            is_clean = self.added is None or self.added <= most
        return self.is_legible and self.matches_report and is_shown and is_exact and is_clean


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
    em = block.em * scale
    rect = block.mask.padded(math.ceil(comparison.BACKGROUND_REACH * block.em)).rect
    top, left = max(0, math.floor(rect.top * scale)), max(0, math.floor(rect.left * scale))
    window = (
        slice(top, min(delivered.shape[0], math.ceil(rect.bottom * scale))),
        slice(left, min(width, math.ceil(rect.right * scale))),
    )
    pixels = delivered[window].astype(np.float32)
    luma = pixels @ comparison.LUMA
    stroke, fill = block.box.stroke, _luma(block.box.colour)
    outlined = block.mask.outlined(stroke.width * block.em) if stroke else block.mask
    # Of all glyphs with their outlines, and of those that have the text's colour.
    drawn = comparison.coverage(outlined, size=size, width=width)[window]
    expected = comparison.coverage(block.letters, size=size, width=width)[window]
    under = comparison.background(luma, drawn, reach=comparison.BACKGROUND_REACH * em)
    span: comparison.Plane = fill - under
    if stroke:
        under = under * (1 - drawn) + _luma(stroke.colour) * drawn
        span = np.full_like(under, fill - _luma(stroke.colour))
    raw = (luma - under) / np.where(np.abs(span) < 1, np.float32(1), span)
    ink: comparison.Plane = np.asarray(np.clip(raw, 0, 1), np.float32)
    emoji_difference = 0.0
    if layer := glyph_masks.paint_layer(block.lines, foreground=rgb(block.box.colour)):
        emoji_difference = comparison.emoji_difference(
            block, layer, pixels, drawn, size=size, width=width, top=top, left=left
        )
        # Their own colours may look like ink of the text's.
        theirs = layer.mask.outlined(stroke.width * block.em) if stroke else layer.mask
        covered = comparison.coverage(theirs, size=size, width=width)[window]
        around = comparison.dilated(covered, em * comparison.GUARD) > 0
        ink[around] = expected[around]
    glyph_overlaps = [
        comparison.overlap(expected[part], ink[part])
        for part in _character_windows(block, top=top, left=left, scale=scale)
        if expected[part].sum() >= MIN_GLYPH_INK
    ]
    if not all(each.mask.mask.any() for each in placed_characters(block.lines)):
        glyph_overlaps.append(0.0)
    # A text of emoji alone has no letters to compare.
    is_emoji_only = block.mask.mask.any() and not block.letters.mask.any()
    overlap = 1.0 if is_emoji_only else comparison.overlap(expected, ink)
    difference = np.maximum(expected - ink, 0)
    if stroke:
        solid = (drawn > comparison.SOLID) & (
            comparison.dilated(expected, em * comparison.GUARD) <= 0
        )
        difference = np.maximum(difference, np.where(solid, ink, 0))
    return TextProof(
        role=block.box.role,
        overlap=overlap,
        # Characters of a few pixels count in the whole text, and in the differences.
        worst_glyph=min(glyph_overlaps, default=overlap),
        em=em,
        difference=float(comparison.smoothed(difference, em).max(initial=0)),
        added=comparison.added_ink(pixels, drawn, colour=rgb(block.box.colour), em=em),
        is_outlined=stroke is not None,
        emoji_difference=emoji_difference,
    )


def measure_stray_ink(delivered: Pixels, *, expected: Pixels, report: Report) -> dict[str, float]:
    """Return role -> ink in and around its box that differs from ``expected``, in ems squared.

    ``delivered`` (H, W, 3) may be smaller than ``expected``, the picture composed again at full size. A
    full stop has about 0.015.
    """
    scale = delivered.shape[1] / report.width
    small = shrink(Image.fromarray(expected), width=delivered.shape[1])
    wanted = np.asarray(small, np.float32) @ comparison.LUMA
    height = min(len(wanted), len(delivered))
    difference = np.abs(delivered[:height].astype(np.float32) @ comparison.LUMA - wanted[:height])
    strays = {}
    for text in report.texts:
        em, box = text.size * scale, text.box
        reach = em * _STRAY_REACH
        part = difference[
            max(0, round(box.top * scale - reach)) : round(box.bottom * scale + reach),
            max(0, round(box.left * scale - reach)) : round(box.right * scale + reach),
        ]
        sigma = max(0.5, em * comparison.STRAY_SMOOTHING)
        smooth = cv2.GaussianBlur(part, (0, 0), sigma) if part.size else part
        strays[text.role] = float((smooth > STRAY_DIFFERENCE).sum()) / em**2
    return strays


def _luma(colour: str) -> np.float32:
    return np.float32(np.array(rgb(colour), np.float32) @ comparison.LUMA)


def _character_windows(
    block: LaidOutText, *, top: int, left: int, scale: float
) -> Iterator[tuple[slice, slice]]:
    """Yield the rows and columns of each letter's ink in the window at ``top`` and ``left``, and a pixel
    around it."""
    for character in placed_characters(block.lines):
        if not character.has_colours:
            ink = character.mask.rect
            yield (
                comparison.span(ink.top * scale - top, ink.bottom * scale - top),
                comparison.span(ink.left * scale - left, ink.right * scale - left),
            )
