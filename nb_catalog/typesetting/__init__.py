"""Words set on pictures, in any script: shaped, broken into lines, fitted, drawn and proved."""

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
from nb_catalog.typesetting.layout_engine import SetText, lay_out, rgb, tint
from nb_catalog.typesetting.layouts import Box, Layout, Panel
from nb_catalog.typesetting.report import FontUsed, Report, TextSet

__all__ = ["FontChain", "FontUsed", "Report", "TextSet", "Typeset", "typeset"]

# From one size to the next that is tried.
_SMALLER: Final = 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class Typeset:
    """A picture with its words: (H, W, 3) sRGB uint8, and what they are."""

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
) -> Typeset:
    """``texts`` (role -> text) on ``picture`` (H, W, 3) sRGB uint8, which stays as it is.

    ``product`` is where the product stands on the picture: boxes keep clear of it unless they may
    cover it. The result is larger where the layout sets the picture into a sheet.

    Raises ``TextError``, all of them before a pixel is drawn but ``ContrastTooLow``: a character
    that no font has, a text that does not fit, words that nobody could read.
    """
    rtl = bool(locales.direction(locale))
    pixels, window = _laid_out(picture, layout, rtl=rtl)
    size = Size(pixels.shape[1], pixels.shape[0])
    if product:
        product = product._replace(left=product.left + window.left, top=product.top + window.top)
    settings = [
        _setting(box, texts, size=size, locale=locale, chain=chain, rtl=rtl, product=product)
        for box in layout.boxes
        if texts.get(box.role, "").strip()
    ]
    for panel in layout.panels:
        _draw_panel(pixels, panel, rtl=rtl)
    settings = [each.suited(pixels) for each in settings]
    veils = [each.lay(pixels) for each in settings]
    return Typeset(
        pixels=pixels,
        report=Report(
            locale=locale,
            width=size.width,
            height=size.height,
            texts=tuple(
                _drawn(each, pixels, veil=veil, locale=locale)
                for each, veil in zip(settings, veils, strict=True)
            ),
            left_out=tuple(each for each in layout.roles if not texts.get(each, "").strip()),
        ),
    )


def _laid_out(picture: Pixels, layout: Layout, *, rtl: bool) -> tuple[Pixels, Rect]:
    """A sheet with the picture on it, and where it lies."""
    size = Size(picture.shape[1], picture.shape[0])
    window = layout.window(size, rtl=rtl)
    if layout.picture is None:
        return picture.copy(), window
    sheet = layout.sheet(size)
    pixels = np.empty((sheet.height, sheet.width, 3), np.uint8)
    pixels[:] = rgb(layout.paper)
    # Rounding may leave a picture one pixel beyond the sheet's edge.
    left = min(window.left, sheet.width - size.width)
    top = min(window.top, sheet.height - size.height)
    pixels[top : top + size.height, left : left + size.width] = picture
    return pixels, window._replace(left=left, top=top)


def _setting(
    box: Box,
    texts: Mapping[str, str],
    *,
    size: Size,
    locale: str,
    chain: FontChain,
    rtl: bool,
    product: Rect | None,
) -> SetText:
    text, language = texts[box.role].strip(), locales.language_tag(locale)
    smallest, largest = box.sizes(size)
    try:
        while True:
            setting = lay_out(
                box, text, size=size, chain=chain, language=language, rtl=rtl, largest=largest
            )
            if box.covers_product or not product or not setting.extent.shared(product):
                return setting
            if setting.em <= smallest:
                raise TextDoesNotFit(
                    f"it would stand on the product, at {tuple(product)}. Move its box, or allow it "
                    f"to cover the product.",
                    text=text,
                )
            # Smaller words may keep clear of what larger ones run into.
            largest = max(smallest, int(setting.em * _SMALLER))
    except TextError as error:
        raise error.at(box=box.role, locale=locale) from error


def _drawn(setting: SetText, pixels: Pixels, *, veil: float, locale: str) -> TextSet:
    try:
        return setting.draw(pixels, veil=veil)
    except TextError as error:
        raise error.at(box=setting.box.role, locale=locale) from error


def _draw_panel(pixels: Pixels, panel: Panel, *, rtl: bool) -> None:
    size = Size(pixels.shape[1], pixels.shape[0])
    shape = glyph_masks.rounded(panel.place.on(size, rtl=rtl), radius=panel.radius * min(size))
    tint(pixels, shape, colour=rgb(panel.colour), opacity=panel.opacity)
