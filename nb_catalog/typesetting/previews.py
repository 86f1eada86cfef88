"""Previews: a layout on a neutral picture, and a specimen of the fonts of several locales."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from nb_catalog.core.types import Rect, Size
from nb_catalog.imaging.scenery.canvas import Pixels
from nb_catalog.imaging.scenery.stage import plain_box
from nb_catalog.typesetting import glyph_masks, typeset
from nb_catalog.typesetting.font_fallback import FontChain
from nb_catalog.typesetting.layout_engine import blend_mask
from nb_catalog.typesetting.layouts import Box, Layout, Place

PREVIEW_SIZE: Final = Size(560, 560)
# Grey levels of the wall, from top to bottom, and the colours of the table and of a neutral product.
_WALL: Final = (214, 236)
_TABLE: Final = (196, 188, 178)
_PRODUCT: Final = (120, 132, 150)
# The width of a broad product, as a share of the box that products stand in.
_PRODUCT_WIDTH: Final = 0.62

SPECIMEN_WIDTH: Final = 1080
SPECIMEN_HEIGHT: Final = 96
_PAPER: Final = 255
_SPECIMEN_LAYOUT: Final = Layout(
    boxes=(
        Box(
            role="text", place=Place(start=0.03, top=0.1, width=0.94, height=0.8), lines=1,
            smallest=0.1, largest=0.45, weight=600, colour="#141414", stands="middle",
        ),
    )
)  # fmt: skip


def layout_preview(
    layout: Layout,
    *,
    texts: Mapping[str, str],
    locale: str,
    chain: FontChain,
    keeps_clear: bool = True,
) -> Pixels:
    """Draw ``texts`` in ``layout`` on a picture of a neutral product: (H, W, 3) sRGB uint8.

    Without ``keeps_clear``, texts may cover the product. Raises ``TextError``.
    """
    box = plain_box(PREVIEW_SIZE)
    width = round(box.width * _PRODUCT_WIDTH)
    product = Rect(
        round(box.centre) - width // 2, round(box.bottom - box.height), width, round(box.height)
    )
    shade = np.linspace(*_WALL, PREVIEW_SIZE.height).astype(np.uint8)
    picture = np.repeat(np.repeat(shade[:, None, None], PREVIEW_SIZE.width, axis=1), 3, axis=2)
    picture[product.bottom - product.height // 5 :] = _TABLE
    shape = glyph_masks.rounded_rect(product, radius=width / 6)
    blend_mask(picture, shape, colour=_PRODUCT)
    clear = product if keeps_clear else None
    return typeset(
        picture, layout=layout, texts=texts, locale=locale, chain=chain, product=clear
    ).pixels


def font_specimen(samples: Sequence[tuple[str, str, FontChain]]) -> Pixels:
    """Draw one line per (text, locale, fonts): (96 * N, 1080, 3) sRGB uint8.

    Raises ``TextError`` for a text that its fonts cannot draw.
    """
    paper = np.full((SPECIMEN_HEIGHT, SPECIMEN_WIDTH, 3), _PAPER, np.uint8)
    strips = [
        typeset(
            paper, layout=_SPECIMEN_LAYOUT, texts={"text": text}, locale=locale, chain=chain
        ).pixels
        for text, locale, chain in samples
    ]
    return np.concatenate(strips) if strips else paper
