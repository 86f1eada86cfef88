"""Ink: whether each visible character can be seen in the finished pixels, whatever fonts promise."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

import cv2
import numpy as np

from nb_catalog.core.text import character_name, is_visible
from nb_catalog.core.text import message as _
from nb_catalog.core.types import Rect, Size
from nb_catalog.imaging.scenery.canvas import Pixels
from nb_catalog.typesetting import contrast, glyph_masks
from nb_catalog.typesetting.colour_glyphs import has_colours
from nb_catalog.typesetting.glyph_masks import GlyphMask, Mask, PlacedLine

# The contrast below which a character is not seen, whatever its layout asks for: half of WCAG's lowest
# bound, which is 3:1 for large text.
MIN_CONTRAST: Final = 1.5
# A character is seen against the pixels within this distance, in ems: less than an outline that counts.
_REACH_EM: Final = 0.05
# Covered pixels, of 255, that show a character's own colour.
_SOLID: Final = 128
# An emoji is seen if this share of it differs from its ground by this distance in CIE L*a*b*. A yellow star
# on a yellow plate has 0.04, a white heart on white 0.10, a ghost with a grey edge on white 0.18.
_EMOJI_SHARE: Final = 0.15
_EMOJI_DISTANCE: Final = 20.0


class PlacedCharacter(NamedTuple):
    """A visible character, or several that are one glyph, and its coverage."""

    text: str
    mask: GlyphMask
    has_colours: bool


def placed_characters(lines: tuple[PlacedLine, ...]) -> Iterator[PlacedCharacter]:
    """Yield the visible characters of ``lines`` with their own ink, each rasterized alone."""
    for placed in lines:
        for text, glyphs in placed.line.by_cluster():
            if any(map(is_visible, text)):
                alone = glyph_masks.rasterize(
                    [placed._replace(line=placed.line.with_only(*glyphs))]
                )
                coloured = any(has_colours(glyph.font, glyph.id) for glyph in glyphs)
                yield PlacedCharacter(text, alone, coloured)


def unseen_characters(
    characters: Iterable[PlacedCharacter], pixels: Pixels, *, text: GlyphMask, em: float
) -> Iterator[str]:
    """Yield why a character cannot be seen in ``pixels`` (H, W, 3), the finished picture.

    ``text`` is the ink of all of them, ``em`` in pixels.
    """
    size = Size(pixels.shape[1], pixels.shape[0])
    reach = max(1, math.ceil(em * _REACH_EM)) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    for character in characters:
        name = f"“{character.text}” ({', '.join(map(character_name, character.text))})"
        if not character.mask.mask.max(initial=0):
            yield _("the character %(character)s leaves no ink.") % {"character": name}
            continue
        window = character.mask.padded(reach).clipped(size).rect
        part = pixels[window.top : window.bottom, window.left : window.right]
        own = _placed(character.mask, window=window)
        # The ink of its neighbours is not its ground.
        free = _placed(text, window=window) <= contrast.INK_THRESHOLD
        near = cv2.dilate((own > contrast.INK_THRESHOLD).astype(np.uint8), kernel) > 0
        ink = part[own >= min(_SOLID, max(1, int(own.max(initial=0))))]
        ground = part[free & near]
        if not len(ink) or not len(ground):
            yield _(
                "the character %(character)s is not inside the picture, or covered by others."
            ) % {"character": name}
        elif not _differs(ink, ground, has_colours=character.has_colours):
            yield _("the character %(character)s has the colour of what is behind it.") % {
                "character": name
            }


def _differs(ink: Pixels, ground: Pixels, *, has_colours: bool) -> bool:
    """Return whether the pixels ``ink`` (N, 3) can be told from those of ``ground`` around them."""
    middle = np.median(ground, axis=0)
    if has_colours:
        colours = (np.vstack([ink, middle]) / 255).astype(np.float32)
        lab = cv2.cvtColor(colours[None], cv2.COLOR_RGB2Lab)[0]
        distance = np.linalg.norm(lab[:-1] - lab[-1], axis=1)
        return float((distance >= _EMOJI_DISTANCE).mean()) >= _EMOJI_SHARE
    behind = contrast.luminance(middle.astype(np.uint8))
    ratios = contrast.ratio(contrast.luminance(ink), behind)
    return float(np.median(ratios)) >= MIN_CONTRAST


def _placed(mask: GlyphMask, *, window: Rect) -> Mask:
    """Return the coverage in ``window``, a part of the picture; 0 where ``mask`` does not reach."""
    plane = np.zeros((window.height, window.width), np.uint8)
    moved = GlyphMask(mask=mask.mask, left=mask.left - window.left, top=mask.top - window.top)
    visible = moved.clipped(Size(window.width, window.height))
    rect = visible.rect
    plane[rect.top : rect.bottom, rect.left : rect.right] = visible.mask
    return plane
