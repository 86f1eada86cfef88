"""A sheet with a line in each locale, to see that its font is there and draws it right."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from nb_catalog.imaging.scenery.canvas import Pixels
from nb_catalog.typesetting import typeset
from nb_catalog.typesetting.font_fallback import FontChain
from nb_catalog.typesetting.layouts import Box, Layout, Place

WIDTH: Final = 1080
HEIGHT: Final = 96
_PAPER: Final = 255
_LINE: Final = Layout(
    boxes=(
        Box(
            role="words", place=Place(start=0.03, top=0.1, width=0.94, height=0.8), lines=1,
            smallest=0.1, largest=0.45, weight=600, colour="#141414", stands="middle",
        ),
    )
)  # fmt: skip


def specimen(lines: Sequence[tuple[str, str, FontChain]]) -> Pixels:
    """A strip for each (text, locale, fonts): (96 * N, 1080, 3) sRGB uint8.

    Raises ``TextError`` for a text that its fonts cannot draw.
    """
    paper = np.full((HEIGHT, WIDTH, 3), _PAPER, np.uint8)
    strips = [
        typeset(paper, layout=_LINE, texts={"words": text}, locale=locale, chain=chain).pixels
        for text, locale, chain in lines
    ]
    return np.concatenate(strips) if strips else paper
