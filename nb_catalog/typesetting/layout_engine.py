"""One box of text: fitted, positioned, made legible, drawn."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import ImageColor

from nb_catalog.core.types import Rect, Size
from nb_catalog.exceptions import ContrastTooLow, TextDoesNotFit
from nb_catalog.imaging.scenery.canvas import Pixels
from nb_catalog.typesetting import contrast, glyph_masks
from nb_catalog.typesetting.fitting import FittedText, fit_text
from nb_catalog.typesetting.font_fallback import FontChain
from nb_catalog.typesetting.glyph_masks import GlyphMask, PlacedLine
from nb_catalog.typesetting.layouts import Box, Plate, Scrim
from nb_catalog.typesetting.paragraphs import Paragraph
from nb_catalog.typesetting.report import TextReport, UsedFont

# The sigma of a Gaussian blur, as a share of what CSS and designers call its radius.
_SIGMA_PER_RADIUS: Final = 0.5
# Contrast is measured on at most this many pixels, sampled regularly.
_MAX_SAMPLES: Final = 8_000
# The em, in pixels, at which the pixels around the glyphs are found.
_SAMPLING_EM: Final = 24
# A scrim is solid up to this distance from its text, in ems, and fades from there.
_SCRIM_MARGIN: Final = 0.3


# Row and column indices into a picture.
PixelIndices: TypeAlias = tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]


@dataclass(frozen=True, kw_only=True)
class LaidOutText:
    """The text of a box, laid out for a picture of ``size``."""

    size: Size
    box: Box
    text: str
    rect: Rect
    fitted: FittedText = field(repr=False)
    lines: tuple[PlacedLine, ...] = field(repr=False)
    mask: GlyphMask = field(repr=False)
    rtl: bool

    @property
    def em(self) -> float:
        return self.fitted.size

    @property
    def mask_sha256(self) -> str:
        """The hash of its coverage mask, in hex."""
        return hashlib.sha256(self.mask.mask.tobytes()).hexdigest()

    @property
    def ink(self) -> Rect:
        """The pixels that its glyphs cover."""
        return self.mask.rect.grown(-glyph_masks.PADDING)

    @property
    def footprint(self) -> Rect:
        """The pixels that it covers with its plate, or with its glyphs."""
        return self._plate_mask(self.box.plate).rect if self.box.plate else self.ink

    def with_best_colours(self, pixels: Pixels) -> LaidOutText:
        """Return it with the colours of text and scrim swapped if the scrim allows that and then needs
        less opacity on ``pixels``."""
        scrim = self.box.scrim
        if scrim is None or not scrim.swaps:
            return self
        box = replace(self.box, colour=scrim.colour, scrim=replace(scrim, colour=self.box.colour))
        swapped = replace(self, box=box)
        return swapped if swapped._scrim_opacity(pixels) < self._scrim_opacity(pixels) else self

    def draw_background(self, pixels: Pixels) -> float:
        """Draw its plate and scrim on ``pixels`` (H, W, 3) sRGB uint8. Return the scrim's opacity, 0 to 1.

        Scrims reach far: draw the backgrounds of all boxes before the text of any.
        """
        if self.box.plate:
            blend_mask(pixels, self._plate_mask(self.box.plate), colour=rgb(self.box.plate.colour))
        scrim = self.box.scrim
        if scrim is None:
            return 0.0
        opacity = self._scrim_opacity(pixels)
        blend_mask(pixels, self._scrim_mask(scrim), colour=rgb(scrim.colour), opacity=opacity)
        return opacity

    def check_contrast(self, pixels: Pixels) -> float:
        """Return the contrast of its glyphs with its background on ``pixels``.

        Raises ``ContrastTooLow``.
        """
        background = pixels[self._samples]
        if self.box.stroke:
            # An outline is what the glyphs are seen against, on any picture.
            background = np.array([rgb(self.box.stroke.colour)], np.uint8)
        reached = contrast.text_contrast(background, colour=rgb(self.box.colour))
        if reached < self.box.contrast:
            raise ContrastTooLow(
                f"its letters reach a contrast of {reached:.1f}:1 on this picture; "
                f"{self.box.contrast:g}:1 is required. Give the box a scrim, a plate or another colour.",
                text=self.text,
            )
        return reached

    def draw_text(self, pixels: Pixels) -> None:
        """Draw its glyphs, with their shadow and stroke, on its background."""
        box = self.box
        if box.shadow:
            right = -box.shadow.right if self.rtl else box.shadow.right
            soft = self.mask.blurred(
                box.shadow.blur * self.em * _SIGMA_PER_RADIUS,
                right=round(right * self.em),
                down=round(box.shadow.down * self.em),
            )
            blend_mask(pixels, soft, colour=rgb(box.shadow.colour), opacity=box.shadow.opacity)
        if box.stroke:
            outline = self.mask.outlined(box.stroke.width * self.em)
            blend_mask(pixels, outline, colour=rgb(box.stroke.colour))
        blend_mask(pixels, self.mask, colour=rgb(box.colour))

    def report(self, *, contrast: float, veil: float) -> TextReport:
        """Return its report; ``veil`` is the opacity of its scrim."""
        fonts = {glyph.font: None for line in self.fitted.lines for glyph in line.glyphs}
        return TextReport(
            role=self.box.role,
            text=self.text,
            lines=tuple(line.text for line in self.fitted.lines),
            fonts=tuple(
                UsedFont(family=font.face.family, weight=font.weight, sha256=font.face.sha256)
                for font in fonts
            ),
            size=round(self.em),
            colour=self.box.colour,
            box=self.rect,
            ink=self.ink,
            contrast=round(contrast, 2),
            veil=round(veil, 3),
            mask_sha256=self.mask_sha256,
        )

    def _plate_mask(self, plate: Plate) -> GlyphMask:
        margin = round(plate.padding * self.em)
        rect = self.ink.grown(margin) if plate.hugs else self.rect
        return glyph_masks.rounded_rect(rect, radius=plate.radius * self.em)

    @cached_property
    def _samples(self) -> PixelIndices:
        """The pixels of the glyphs and their halo on which contrast is measured."""
        padded = self.mask.padded(math.ceil(contrast.HALO * self.em) + 2)
        step = max(1, round(self.em / _SAMPLING_EM))
        halo = contrast.with_halo(padded.mask[::step, ::step], em=self.em / step)
        rows, columns = np.nonzero(halo)
        rows, columns = rows * step + padded.top, columns * step + padded.left
        width, height = self.size
        inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
        every = max(1, int(inside.sum()) // _MAX_SAMPLES)
        return rows[inside][::every], columns[inside][::every]

    def _scrim_mask(self, scrim: Scrim) -> GlyphMask:
        solid = self.ink.grown(round(_SCRIM_MARGIN * self.em))
        return glyph_masks.rounded_rect(
            solid, radius=_SCRIM_MARGIN * self.em, fade=scrim.feather * self.em
        )

    def _scrim_opacity(self, pixels: Pixels) -> float:
        """Return the opacity that its scrim needs; 1 if none is enough, which ``check_contrast`` refuses."""
        assert self.box.scrim is not None  # noqa: S101 - callers check
        rows, columns = self._samples
        soft = self._scrim_mask(self.box.scrim)
        opacity = contrast.scrim_opacity(
            pixels[self._samples],
            soft.mask[rows - soft.top, columns - soft.left].astype(np.float32) / np.float32(255),
            colour=rgb(self.box.colour),
            scrim=rgb(self.box.scrim.colour),
            target=self.box.contrast,
        )
        return 1.0 if opacity is None else opacity


def rgb(colour: str) -> tuple[int, int, int]:
    """Return the channels of ``#rrggbb``, 0 to 255."""
    red, green, blue = ImageColor.getrgb(colour)[:3]
    return red, green, blue


def blend_mask(
    pixels: Pixels, mask: GlyphMask, *, colour: tuple[int, int, int], opacity: float = 1.0
) -> None:
    """Blend a colour into ``pixels`` (H, W, 3) where ``mask`` covers them."""
    visible = mask.clipped(Size(pixels.shape[1], pixels.shape[0]))
    rect = visible.rect
    window = slice(rect.top, rect.bottom), slice(rect.left, rect.right)
    alpha = visible.mask.astype(np.float32)
    alpha *= opacity / 255
    pixels[window] = contrast.blend(pixels[window], alpha, colour=colour)


def lay_out(
    box: Box,
    text: str,
    *,
    size: Size,
    chain: FontChain,
    language: str,
    rtl: bool,
    largest: int | None = None,
) -> LaidOutText:
    """Lay out ``text`` in its box on a picture of ``size``, in an em of at most ``largest`` pixels.

    Raises ``CharacterMissing`` and ``TextDoesNotFit``.
    """
    paragraphs = [
        Paragraph(line.strip(), chain, box.weight, language, int(rtl))
        for line in text.splitlines()
        if line.strip()
    ]
    rect = box.place.to_rect(size, rtl=rtl)
    smallest, most = box.font_sizes(size)
    margin = max(box.stroke.width if box.stroke else 0.0, box.plate.padding if box.plate else 0.0)
    fitted = fit_text(
        paragraphs,
        width=rect.width,
        height=rect.height,
        sizes=(smallest, min(most, largest or most)),
        max_lines=box.lines,
        margin=margin,
    )
    inner = rect.grown(-math.ceil(margin * fitted.size))
    lines = position_lines(fitted, rect=inner, align=box.align, stands=box.stands, rtl=rtl)
    for placed in lines:
        if placed.ink.width > 0 and not rect.grown(1).holds(placed.ink):
            raise TextDoesNotFit(
                f"its line {placed.line.text!r} covers {tuple(placed.ink)}, which is outside its box "
                f"{tuple(rect)}.",
                text=text,
            )
    return LaidOutText(
        size=size,
        box=box,
        text=text,
        rect=rect,
        fitted=fitted,
        lines=lines,
        mask=glyph_masks.rasterize(lines),
        rtl=rtl,
    )


def position_lines(
    fitted: FittedText, *, rect: Rect, align: str, stands: str, rtl: bool
) -> tuple[PlacedLine, ...]:
    """Return the lines of ``fitted``, aligned in ``rect``. Their ink stays within it where it overhangs
    the advance."""
    free = rect.height - fitted.height
    above = {"top": 0.0, "middle": free / 2, "bottom": free}[stands]
    first_baseline = rect.top + above + fitted.ascent
    is_left = align == ("end" if rtl else "start")
    share = 0.5 if align == "centre" else 0.0 if is_left else 1.0
    placed = []
    for index, line in enumerate(fitted.lines):
        lowest = rect.left - line.ink.left * fitted.size
        highest = rect.right - line.ink.right * fitted.size
        aligned = rect.left + (rect.width - line.advance * fitted.size) * share
        placed.append(
            PlacedLine(
                line=line,
                left=min(max(aligned, lowest), max(lowest, highest)),
                # On whole pixels, or the same letter would look different on each line.
                baseline=round(first_baseline + index * fitted.line_height),
                size=fitted.size,
            )
        )
    return tuple(placed)
