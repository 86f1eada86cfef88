"""One box of words: fitted, placed, made readable, drawn."""

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
from nb_catalog.exceptions import ContrastTooLow
from nb_catalog.imaging.scenery.canvas import Pixels
from nb_catalog.typesetting import contrast, glyph_masks
from nb_catalog.typesetting.fitting import Fitted, fit
from nb_catalog.typesetting.font_fallback import FontChain
from nb_catalog.typesetting.glyph_masks import GlyphMask, Placed
from nb_catalog.typesetting.layouts import Box, Plate, Scrim, Shadow
from nb_catalog.typesetting.paragraphs import Paragraph
from nb_catalog.typesetting.positioning import hold, margin_of, position
from nb_catalog.typesetting.report import FontUsed, TextSet

# A blur's sigma is half of what a person calls its radius.
_SIGMA: Final = 0.5
# More points than this are looked at in a regular sample.
_SAMPLE: Final = 8_000
# An em of so many points is fine enough to find them.
_FINE: Final = 24
# A scrim reaches so many ems beyond its words before it begins to fade.
_REACH: Final = 0.3


# Rows and columns of a picture.
Points: TypeAlias = tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]


@dataclass(frozen=True, kw_only=True)
class SetText:
    """The words of a box as they will stand on a picture of ``size``."""

    size: Size
    box: Box
    text: str
    rect: Rect
    fitted: Fitted = field(repr=False)
    lines: tuple[Placed, ...] = field(repr=False)
    letters: GlyphMask = field(repr=False)
    rtl: bool

    @property
    def em(self) -> float:
        return self.fitted.size

    @property
    def mask_sha256(self) -> str:
        """Of its letters' coverage, in hex."""
        return hashlib.sha256(self.letters.mask.tobytes()).hexdigest()

    @property
    def ink(self) -> Rect:
        """The pixels that its letters touch."""
        return self.letters.rect.grown(-glyph_masks.EDGE)

    @property
    def extent(self) -> Rect:
        """What it covers: its letters, its plate."""
        return self._plate(self.box.plate).rect if self.box.plate else self.ink

    def suited(self, pixels: Pixels) -> SetText:
        """It in the colours that the picture asks for: letters and scrim in each other's, where a
        thinner veil is enough then."""
        scrim = self.box.scrim
        if scrim is None or not scrim.swaps:
            return self
        other = replace(self.box, colour=scrim.colour, scrim=replace(scrim, colour=self.box.colour))
        swapped = replace(self, box=other)
        return swapped if swapped._opacity(pixels) < self._opacity(pixels) else self

    def lay(self, pixels: Pixels) -> float:
        """Draw its plate or scrim on ``pixels`` (H, W, 3) sRGB uint8; how thick the scrim had to be,
        0 to 1. Before anybody's letters: a scrim reaches far."""
        if self.box.plate:
            tint(pixels, self._plate(self.box.plate), colour=rgb(self.box.plate.colour))
        if self.box.scrim is None:
            return 0.0
        opacity = self._opacity(pixels)
        tint(pixels, self._soft(self.box.scrim), colour=rgb(self.box.scrim.colour), opacity=opacity)
        return opacity

    def draw(self, pixels: Pixels, *, veil: float) -> TextSet:
        """Draw its letters on the ground that was laid, and say what was drawn.

        Raises ``ContrastTooLow`` instead.
        """
        box = self.box
        reached = self._contrast(pixels)
        if reached < box.contrast:
            raise ContrastTooLow(self._unreadable(reached), text=self.text)
        if box.shadow:
            self._draw_shadow(pixels, box.shadow)
        if box.stroke:
            outline = self.letters.outlined(box.stroke.width * self.em)
            tint(pixels, outline, colour=rgb(box.stroke.colour))
        tint(pixels, self.letters, colour=rgb(box.colour))
        return self._told(contrast=reached, veil=veil)

    def _plate(self, plate: Plate) -> GlyphMask:
        margin = round(plate.padding * self.em)
        rect = self.ink.grown(margin) if plate.hugs else self.rect
        return glyph_masks.rounded(rect, radius=plate.radius * self.em)

    @cached_property
    def _near(self) -> Points:
        """Where on the picture the letters are, and what the eye tells them from."""
        near = self.letters.grown(math.ceil(contrast.RING * self.em) + 2)
        step = max(1, round(self.em / _FINE))
        rows, columns = np.nonzero(contrast.around(near.mask[::step, ::step], size=self.em / step))
        rows, columns = rows * step + near.top, columns * step + near.left
        width, height = self.size
        seen = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
        every = max(1, int(seen.sum()) // _SAMPLE)
        return rows[seen][::every], columns[seen][::every]

    def _soft(self, scrim: Scrim) -> GlyphMask:
        solid = self.ink.grown(round(_REACH * self.em))
        return glyph_masks.rounded(solid, radius=_REACH * self.em, fade=scrim.feather * self.em)

    def _opacity(self, pixels: Pixels) -> float:
        """How thick its scrim has to be; 1 too where even that is not enough: what it reaches is
        measured, and refused, when the letters are drawn."""
        assert self.box.scrim is not None  # noqa: S101 - asked for boxes with one
        rows, columns = self._near
        soft = self._soft(self.box.scrim)
        opacity = contrast.veil(
            pixels[self._near],
            soft.mask[rows - soft.top, columns - soft.left].astype(np.float32) / np.float32(255),
            colour=rgb(self.box.colour),
            scrim=rgb(self.box.scrim.colour),
            target=self.box.contrast,
        )
        return 1.0 if opacity is None else opacity

    def _contrast(self, pixels: Pixels) -> float:
        ground = pixels[self._near]
        if self.box.stroke:
            # Letters are told from their outline, wherever they stand.
            ground = np.array([rgb(self.box.stroke.colour)], np.uint8)
        return contrast.worst(ground, colour=rgb(self.box.colour))

    def _draw_shadow(self, pixels: Pixels, shadow: Shadow) -> None:
        right = -shadow.right if self.rtl else shadow.right
        soft = self.letters.blurred(
            shadow.blur * self.em * _SIGMA,
            right=round(right * self.em),
            down=round(shadow.down * self.em),
        )
        tint(pixels, soft, colour=rgb(shadow.colour), opacity=shadow.opacity)

    def _unreadable(self, reached: float) -> str:
        return (
            f"its letters reach a contrast of {reached:.1f}:1 on this picture, and "
            f"{self.box.contrast:g}:1 is wanted. Give the box a scrim, a plate or another colour."
        )

    def _told(self, *, contrast: float, veil: float) -> TextSet:
        fonts = {glyph.font: None for line in self.fitted.lines for glyph in line.glyphs}
        return TextSet(
            role=self.box.role,
            text=self.text,
            lines=tuple(line.text for line in self.fitted.lines),
            fonts=tuple(
                FontUsed(family=font.face.family, weight=font.weight, sha256=font.face.sha256)
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


def rgb(colour: str) -> tuple[int, int, int]:
    """``#rrggbb`` as bytes."""
    red, green, blue = ImageColor.getrgb(colour)[:3]
    return red, green, blue


def tint(
    pixels: Pixels, stencil: GlyphMask, *, colour: tuple[int, int, int], opacity: float = 1.0
) -> None:
    """Lay a colour on ``pixels``, as much as ``stencil`` covers them."""
    visible = stencil.on(_size(pixels))
    near = _window(visible.rect)
    share = visible.mask.astype(np.float32)
    share *= opacity / 255
    pixels[near] = contrast.veiled(pixels[near], share, scrim=colour)


def _size(pixels: Pixels) -> Size:
    return Size(pixels.shape[1], pixels.shape[0])


def _window(rect: Rect) -> tuple[slice, slice]:
    return slice(rect.top, rect.bottom), slice(rect.left, rect.right)


def lay_out(
    box: Box,
    text: str,
    *,
    size: Size,
    chain: FontChain,
    language: str,
    rtl: bool,
    largest: int | None = None,
) -> SetText:
    """``text`` in its box on a picture of ``size``, in an em of at most ``largest`` pixels.

    Raises ``CharacterMissing`` and ``TextDoesNotFit``.
    """
    paragraphs = [
        Paragraph(line.strip(), chain, box.weight, language, int(rtl))
        for line in text.splitlines()
        if line.strip()
    ]
    rect = box.place.on(size, rtl=rtl)
    smallest, most = box.sizes(size)
    fitted = fit(
        paragraphs,
        width=rect.width,
        height=rect.height,
        sizes=(smallest, min(most, largest or most)),
        most_lines=box.lines,
        margin=margin_of(box),
    )
    lines = position(fitted, rect=rect, box=box, rtl=rtl)
    letters = glyph_masks.draw_line(lines)
    hold(rect, lines, text=text)
    return SetText(
        size=size,
        box=box,
        text=text,
        rect=rect,
        fitted=fitted,
        lines=lines,
        letters=letters,
        rtl=rtl,
    )
