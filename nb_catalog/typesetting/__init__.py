"""Typesetting: text drawn on pictures in any script, shaped, broken into lines, fitted and proved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from nb_catalog.core import locales
from nb_catalog.core.types import Rect, Size
from nb_catalog.exceptions import TextDoesNotFit, TextError
from nb_catalog.imaging.scenery.canvas import Pixels
from nb_catalog.typesetting import glyph_masks
from nb_catalog.typesetting.font_fallback import FontChain
from nb_catalog.typesetting.layout_engine import LaidOutText, blend_mask, lay_out, rgb
from nb_catalog.typesetting.layouts import Box, Layout
from nb_catalog.typesetting.report import Report, TextReport, UsedFont

__all__ = ["FontChain", "Report", "TextReport", "TypesetResult", "UsedFont", "typeset"]

# From one size to the next that is tried to keep clear of the product.
_SIZE_STEP: Final = 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class TypesetResult:
    """A picture with its texts, (H, W, 3) sRGB uint8, and the report of them."""

    pixels: Pixels = field(repr=False)
    report: Report


def typeset(
    picture: Pixels,
    *,
    layout: Layout,
    texts: Mapping[str, str],
    locale: str,
    chain: FontChain,
    product: Rect | None = None,
) -> TypesetResult:
    """Draw ``texts`` (role -> text) on a copy of ``picture`` (H, W, 3) sRGB uint8.

    ``product`` is the product's rectangle on the picture: boxes keep clear of it unless they may cover
    it. The result is larger than ``picture`` if the layout places it on a sheet.

    Raises ``TextError`` for a character that no font covers, a text that does not fit, and too low a
    contrast; all but ``ContrastTooLow`` before anything is drawn.
    """
    rtl = bool(locales.direction(locale))
    pixels, window = _place_on_sheet(picture, layout, rtl=rtl)
    size = Size(pixels.shape[1], pixels.shape[0])
    if product:
        product = product._replace(left=product.left + window.left, top=product.top + window.top)
    blocks = [
        _lay_out_box(
            box, texts[box.role].strip(),
            size=size, locale=locale, chain=chain, rtl=rtl, product=product,
        )
        for box in layout.boxes
        if texts.get(box.role, "").strip()
    ]  # fmt: skip
    for panel in layout.panels:
        shape = glyph_masks.rounded_rect(
            panel.place.to_rect(size, rtl=rtl), radius=panel.radius * min(size)
        )
        blend_mask(pixels, shape, colour=rgb(panel.colour), opacity=panel.opacity)
    blocks = [block.with_best_colours(pixels) for block in blocks]
    opacities = [block.draw_background(pixels) for block in blocks]
    reports = []
    for block, opacity in zip(blocks, opacities, strict=True):
        try:
            contrast = block.check_contrast(pixels)
        except TextError as error:
            raise error.at(box=block.box.role, locale=locale) from error
        block.draw_text(pixels)
        reports.append(block.report(contrast=contrast, veil=opacity))
    return TypesetResult(
        pixels=pixels,
        report=Report(
            locale=locale,
            width=size.width,
            height=size.height,
            texts=tuple(reports),
            left_out=tuple(each for each in layout.roles if not texts.get(each, "").strip()),
        ),
    )


def _place_on_sheet(picture: Pixels, layout: Layout, *, rtl: bool) -> tuple[Pixels, Rect]:
    """Return a copy of ``picture``, on a sheet if the layout has one, and its rectangle there."""
    size = Size(picture.shape[1], picture.shape[0])
    window = layout.picture_rect(size, rtl=rtl)
    if layout.picture is None:
        return picture.copy(), window
    sheet = layout.sheet_size(size)
    pixels = np.empty((sheet.height, sheet.width, 3), np.uint8)
    pixels[:] = rgb(layout.paper)
    # Rounding may move the picture one pixel over the sheet's edge.
    left = min(window.left, sheet.width - size.width)
    top = min(window.top, sheet.height - size.height)
    pixels[top : top + size.height, left : left + size.width] = picture
    return pixels, window._replace(left=left, top=top)


def _lay_out_box(
    box: Box,
    text: str,
    *,
    size: Size,
    locale: str,
    chain: FontChain,
    rtl: bool,
    product: Rect | None,
) -> LaidOutText:
    """Lay out ``text`` as large as it fits its box without covering the product."""
    language = locales.language_tag(locale)
    smallest, largest = box.font_sizes(size)
    try:
        while True:
            block = lay_out(
                box, text, size=size, chain=chain, language=language, rtl=rtl, largest=largest
            )
            if box.covers_product or not product or not block.footprint.shared(product):
                return block
            if block.em <= smallest:
                raise TextDoesNotFit(
                    f"it would cover the product, at {tuple(product)}. Move its box, or allow it to "
                    f"cover the product.",
                    text=text,
                )
            largest = max(smallest, int(block.em * _SIZE_STEP))
    except TextError as error:
        raise error.at(box=box.role, locale=locale) from error
