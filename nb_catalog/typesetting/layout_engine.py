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

from nb_catalog.core.text import is_blank
from nb_catalog.core.text import message as _
from nb_catalog.core.types import Rect, Size
from nb_catalog.exceptions import ContrastTooLow, TextDoesNotFit, TextError
from nb_catalog.imaging.scenery.canvas import Pixels
from nb_catalog.typesetting import contrast, glyph_masks
from nb_catalog.typesetting.fitting import FittedText, fit_text
from nb_catalog.typesetting.font_fallback import FontChain
from nb_catalog.typesetting.glyph_masks import GlyphMask, PlacedLine
from nb_catalog.typesetting.ink import PlacedCharacter, placed_characters, unseen_characters
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
# The share of the product's rectangle that panels, scrims and shadows may cover: the corners of that
# rectangle are empty below most products.
COVER_TOLERANCE: Final = 0.02


# Row and column indices into a picture.
PixelIndices: TypeAlias = tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]


@dataclass(frozen=True)
class PositionedLines:
    """Lines on a picture. Their glyphs are only rasterized when they are drawn."""

    lines: tuple[PlacedLine, ...]

    @cached_property
    def mask(self) -> GlyphMask:
        return glyph_masks.rasterize(self.lines)

    @cached_property
    def ink(self) -> Rect:
        """The pixels that the glyphs cover, known without rasterizing them."""
        inks = [line.ink for line in self.lines if line.ink.width > 0]
        if not inks:
            return self.mask.rect.grown(-glyph_masks.PADDING)
        left, top = min(ink.left for ink in inks), min(ink.top for ink in inks)
        right, bottom = max(ink.right for ink in inks), max(ink.bottom for ink in inks)
        return Rect(left, top, right - left, bottom - top)


@dataclass(frozen=True, kw_only=True)
class LaidOutText:
    """The text of a box, laid out for a picture of ``size``."""

    size: Size
    box: Box
    text: str
    rect: Rect
    fitted: FittedText = field(repr=False)
    positioned: PositionedLines = field(repr=False)
    rtl: bool

    @property
    def lines(self) -> tuple[PlacedLine, ...]:
        return self.positioned.lines

    @property
    def mask(self) -> GlyphMask:
        return self.positioned.mask

    @property
    def em(self) -> float:
        return self.fitted.size

    @property
    def mask_sha256(self) -> str:
        """The hash of its coverage mask, in hex."""
        return hashlib.sha256(self.mask.mask.tobytes()).hexdigest()

    @cached_property
    def letters(self) -> GlyphMask:
        """The coverage of the glyphs that are drawn in the text's colour."""
        if glyph_masks.paint_layer(self.lines) is None:
            return self.mask
        return glyph_masks.rasterize(glyph_masks.letters_only(self.lines))

    @property
    def ink(self) -> Rect:
        """The pixels that its glyphs cover."""
        return self.positioned.ink

    def part_on(self, product: Rect) -> str:
        """Return which part of it covers ``product``: "" if none does.

        Glyphs, their outline and a plate have to keep clear of it. Softer parts may cover it by
        ``COVER_TOLERANCE``: a scrim where it is as opaque as below the text, and the middle of a shadow.
        """
        box = self.box
        solid = {"text": self.ink}
        if box.stroke:
            solid["stroke"] = self.ink.grown(round(box.stroke.width * self.em))
        if box.plate:
            solid["plate"] = self._plate_rect(box.plate)
        soft = {}
        if box.scrim:
            soft["scrim"] = self.ink.grown(round(_SCRIM_MARGIN * self.em))
        if box.shadow and box.shadow.opacity > 0:
            right, down = box.shadow.right * self.em, box.shadow.down * self.em
            soft["shadow"] = self.ink._replace(
                left=self.ink.left + round(-right if self.rtl else right),
                top=self.ink.top + round(down),
            )
        for name, rect in solid.items():
            if rect.shared(product):
                return name
        for name, rect in soft.items():
            if covered_share(product, rect) > COVER_TOLERANCE:
                return name
        return ""

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
        if plate := self.box.plate:
            shape = glyph_masks.rounded_rect(self._plate_rect(plate), radius=plate.radius * self.em)
            blend_mask(pixels, shape, colour=rgb(plate.colour))
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
        characters = self._character_samples
        background = pixels[self._samples]
        if not len(background):
            return self._emoji_contrast(pixels)
        stroke = self.box.stroke
        if stroke and contrast.outline_counts(stroke.width, em=self.em):
            # The letters are seen against it, on any picture.
            background, characters = np.array([rgb(stroke.colour)], np.uint8), []
        reached = contrast.text_contrast(
            background, colour=rgb(self.box.colour), characters=characters
        )
        if reached < self.box.contrast:
            problem = _(
                "its letters reach a contrast of %(reached)s:1 on this picture; %(required)s:1 is "
                "required. Give the box a scrim, a plate or another colour."
            ) % {"reached": f"{reached:.1f}", "required": f"{self.box.contrast:g}"}
            if stroke and characters:
                reason = _(
                    "Its outline is too narrow to count: %(em)s em and %(pixels)s px are the least."
                ) % {
                    "em": f"{contrast.MIN_STROKE_EM:.3f}",
                    "pixels": f"{contrast.MIN_STROKE_PIXELS:g}",
                }
                problem = f"{problem} {reason}"
            raise ContrastTooLow(problem, text=self.text)
        return reached

    def check_ink(self, pixels: Pixels) -> None:
        """Check that each character can be seen in the finished ``pixels``. Raises ``TextError``."""
        if problem := next(
            unseen_characters(self._characters, pixels, text=self.mask, em=self.em), ""
        ):
            way_out = _("Remove it, or change the font, the colours or the box.")
            raise TextError(f"{problem} {way_out}", text=self.text)

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
        blend_mask(pixels, self.letters, colour=rgb(box.colour))
        if layer := glyph_masks.paint_layer(self.lines, foreground=rgb(box.colour)):
            layer.draw(pixels)

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

    def _plate_rect(self, plate: Plate) -> Rect:
        return self.ink.grown(round(plate.padding * self.em)) if plate.hugs else self.rect

    @cached_property
    def _samples(self) -> PixelIndices:
        """The pixels of the letters and their halo on which contrast is measured; none of emoji."""
        if not self.letters.mask.any():
            none = np.empty(0, np.intp)
            return none, none
        padded = self.letters.padded(math.ceil(contrast.HALO * self.em) + 2)
        step = max(1, round(self.em / _SAMPLING_EM))
        halo = contrast.with_halo(padded.mask[::step, ::step], em=self.em / step)
        rows, columns = np.nonzero(halo)
        rows, columns = rows * step + padded.top, columns * step + padded.left
        width, height = self.size
        inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
        every = max(1, int(inside.sum()) // _MAX_SAMPLES)
        return rows[inside][::every], columns[inside][::every]

    @cached_property
    def _characters(self) -> list[PlacedCharacter]:
        return list(placed_characters(self.lines))

    @cached_property
    def _character_samples(self) -> list[npt.NDArray[np.intp]]:
        """The indices of the samples around each letter."""
        rows, columns = self._samples
        reach = math.ceil(contrast.HALO * self.em)
        near = []
        for character in self._characters:
            if not character.has_colours:
                rect = character.mask.rect.grown(reach)
                is_near = (rows >= rect.top) & (rows < rect.bottom)
                is_near &= (columns >= rect.left) & (columns < rect.right)
                near.append(np.flatnonzero(is_near))
        return near

    def _emoji_contrast(self, pixels: Pixels) -> float:
        """Return the contrast of most of its emoji with what is below them; 1 if it has none."""
        layer = glyph_masks.paint_layer(self.lines)
        if layer is None:
            return 1.0
        drawn = pixels.copy()
        layer.draw(drawn)
        solid = layer.mask.clipped(self.size)
        rows, columns = np.nonzero(solid.mask >= 128)
        place = rows + solid.top, columns + solid.left
        ratios = contrast.ratio(contrast.luminance(drawn[place]), contrast.luminance(pixels[place]))
        return float(np.median(ratios)) if len(ratios) else 1.0

    def _scrim_mask(self, scrim: Scrim) -> GlyphMask:
        solid = self.ink.grown(round(_SCRIM_MARGIN * self.em))
        return glyph_masks.rounded_rect(
            solid, radius=_SCRIM_MARGIN * self.em, fade=scrim.feather * self.em
        )

    def _scrim_opacity(self, pixels: Pixels) -> float:
        """Return the opacity that its scrim needs; 1 if none is enough, which ``check_contrast`` refuses."""
        assert self.box.scrim is not None  # noqa: S101 - callers check
        rows, columns = self._samples
        if not len(rows):
            return 0.0  # emoji are seen by their own colours
        soft = self._scrim_mask(self.box.scrim)
        opacity = contrast.scrim_opacity(
            pixels[self._samples],
            soft.mask[rows - soft.top, columns - soft.left].astype(np.float32) / np.float32(255),
            colour=rgb(self.box.colour),
            scrim=rgb(self.box.scrim.colour),
            target=self.box.contrast,
            characters=self._character_samples,
        )
        return 1.0 if opacity is None else opacity


def covered_share(product: Rect, rect: Rect) -> float:
    """Return the share of the rectangle ``product`` that ``rect`` covers, 0 to 1."""
    return rect.shared(product) / max(1, product.width * product.height)


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

    Raises ``CharacterMissing``, ``TextDoesNotFit`` and, if nothing of it can be seen, ``TextError``.
    """
    if is_blank(text):
        problem = _("it has no visible character. Write a text, or leave it empty.")
        raise TextError(problem, text=text)
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
        hyphenate=box.hyphenate,
    )
    inner = rect.grown(-math.ceil(margin * fitted.size))
    lines = position_lines(fitted, rect=inner, align=box.align, stands=box.stands, rtl=rtl)
    for placed in lines:
        if placed.ink.width > 0 and not rect.grown(1).holds(placed.ink):
            raise TextDoesNotFit(
                _("its line %(line)r covers %(place)s, which is outside its box %(box)s.")
                % {"line": placed.line.text, "place": tuple(placed.ink), "box": tuple(rect)},
                text=text,
            )
    return LaidOutText(
        size=size,
        box=box,
        text=text,
        rect=rect,
        fitted=fitted,
        positioned=PositionedLines(lines),
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
