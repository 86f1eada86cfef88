"""What fonts can draw, measured on what they draw: a mapped character may be blank."""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
from typing import Final

import numpy as np
import uharfbuzz as hb

from nb_catalog.core.text import is_visible
from nb_catalog.typesetting.clusters import is_emoji_sequence, selects_variant
from nb_catalog.typesetting.colour_glyphs import has_colours, paint
from nb_catalog.typesetting.font_files import Font

# The em in pixels at which ink is looked for, and the least of it, in fully covered pixels: far less than
# a full stop.
_EM: Final = 64
_MIN_INK: Final = 1.0


@lru_cache(maxsize=65536)
def leaves_ink(font: Font, glyph: int) -> bool:
    """Return whether ``glyph`` covers any pixels when it is drawn."""
    if has_colours(font, glyph):
        painted = paint(font, glyph, em=_EM).pixels
        return bool(painted[..., 3].sum() >= _MIN_INK * 255)
    raster, scale = hb.RasterDraw(), _EM / font.upem
    raster.transform = (scale, 0, 0, scale, 0, 0)
    extents = font.hb_font.get_glyph_extents(glyph)
    if not extents or not raster.set_glyph_extents(extents):
        return False
    raster.draw_glyph(font.hb_font, glyph)
    image = raster.render()
    return bool(np.frombuffer(image.buffer, np.uint8).sum(dtype=np.int64) >= _MIN_INK * 255)


@lru_cache(maxsize=65536)
def draws(font: Font, cluster: str) -> bool:
    """Return whether ``font`` draws ``cluster``: every visible character leaves ink, a variation is the
    one that is asked for, and an emoji sequence is one picture."""
    if not any(map(is_visible, cluster)):
        return all(font.face.covers(each) for each in cluster if each.isspace())
    if any(
        selects_variant(selector)
        and font.hb_font.get_variation_glyph(ord(base), ord(selector)) is None
        for base, selector in pairwise(cluster)
    ):
        return False
    buffer = hb.Buffer()
    buffer.add_str(cluster)
    buffer.guess_segment_properties()
    # The finest that shaping allows: a blank letter is not excused by its accent.
    buffer.cluster_level = hb.BufferClusterLevel.MONOTONE_CHARACTERS
    hb.shape(font.hb_font, buffer)
    inked: dict[int, int] = {}
    for info in buffer.glyph_infos:
        if info.codepoint == 0:
            return False
        inked[info.cluster] = inked.get(info.cluster, 0) + leaves_ink(font, info.codepoint)
    if is_emoji_sequence(cluster):
        return sum(inked.values()) == 1
    return all(
        inked[start] or not any(map(is_visible, cluster[start:end]))
        for start, end in pairwise([*sorted(inked), len(cluster)])
    )
