"""A layout on a picture of nothing in particular, to see it while it is designed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np

from nb_catalog.core.types import Rect, Size
from nb_catalog.imaging.scenery.canvas import Pixels
from nb_catalog.imaging.scenery.stage import plain_box
from nb_catalog.typesetting import glyph_masks, typeset
from nb_catalog.typesetting.font_fallback import FontChain
from nb_catalog.typesetting.layout_engine import tint
from nb_catalog.typesetting.layouts import Layout

SIZE: Final = Size(560, 560)
# A wall from light to lighter, a table, and a thing of no colour. Of the width that a broad product
# would have.
_WALL: Final = (214, 236)
_TABLE: Final = (196, 188, 178)
_THING: Final = (120, 132, 150)
_BREADTH: Final = 0.62


def sample(layout: Layout, *, texts: Mapping[str, str], locale: str, chain: FontChain) -> Pixels:
    """``texts`` in ``layout`` on a plain picture with something in the middle of it.

    Raises ``TextError``.
    """
    box = plain_box(SIZE)
    width = round(box.width * _BREADTH)
    product = Rect(
        round(box.centre) - width // 2, round(box.bottom - box.height), width, round(box.height)
    )
    shade = np.linspace(*_WALL, SIZE.height).astype(np.uint8)
    picture = np.repeat(np.repeat(shade[:, None, None], SIZE.width, axis=1), 3, axis=2)
    picture[product.bottom - product.height // 5 :] = _TABLE
    tint(picture, glyph_masks.rounded(product, radius=width / 6), colour=_THING)
    made = typeset(picture, layout=layout, texts=texts, locale=locale, chain=chain, product=product)
    return made.pixels
