"""Typesetting: text drawn on pictures in any script, shaped, broken into lines, fitted and proved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from nb_catalog.core import locales
from nb_catalog.core.types import Rect, Size
from nb_catalog.exceptions import TextError
from nb_catalog.imaging.scenery.canvas import Pixels
from nb_catalog.typesetting import glyph_masks
from nb_catalog.typesetting.arrangement import FREE_SIZES, arrange
from nb_catalog.typesetting.font_fallback import FontChain
from nb_catalog.typesetting.layout_engine import blend_mask, rgb
from nb_catalog.typesetting.layouts import Layout
from nb_catalog.typesetting.report import Report, TextReport, UsedFont

__all__ = ["FontChain", "Report", "TextReport", "TypesetResult", "UsedFont", "typeset"]


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
    sizes: Mapping[str, float] = FREE_SIZES,
) -> TypesetResult:
    """Draw ``texts`` (role -> text) on a copy of ``picture`` (H, W, 3) sRGB uint8.

    ``product`` is the product's rectangle on the picture: boxes and panels keep clear of it unless they
    may cover it. ``sizes`` are the largest ems by role, as shares of the result's shorter side. The result
    is larger than ``picture`` if the layout places it on a sheet.

    Raises ``TextError`` for a character that no font draws, a text that does not fit, too low a contrast,
    and a character that cannot be seen on the finished picture.
    """
    base_size = Size(picture.shape[1], picture.shape[0])
    blocks = arrange(
        layout, texts, picture=base_size, locale=locale, chain=chain, product=product, sizes=sizes
    )
    rtl = bool(locales.direction(locale))
    pixels = _place_on_sheet(picture, layout, rtl=rtl)
    size = Size(pixels.shape[1], pixels.shape[0])
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
    # Later texts and outlines may cover earlier ones: only the finished picture shows what is seen.
    for block in blocks:
        try:
            block.check_ink(pixels)
        except TextError as error:
            raise error.at(box=block.box.role, locale=locale) from error
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


def _place_on_sheet(picture: Pixels, layout: Layout, *, rtl: bool) -> Pixels:
    """Return a copy of ``picture``, on a sheet if the layout has one."""
    if layout.picture is None:
        return picture.copy()
    size = Size(picture.shape[1], picture.shape[0])
    sheet, window = layout.sheet_size(size), layout.picture_rect(size, rtl=rtl)
    pixels = np.empty((sheet.height, sheet.width, 3), np.uint8)
    pixels[:] = rgb(layout.paper)
    pixels[window.top : window.bottom, window.left : window.right] = picture
    return pixels
