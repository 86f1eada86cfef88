"""The figures that say how far a picture's product is from its photo."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from nb_catalog.core.colours import Rgb
from nb_catalog.imaging.fidelity.alignment import Placement
from nb_catalog.imaging.fidelity.colour import compare_colours
from nb_catalog.imaging.fidelity.detail import compare_detail
from nb_catalog.imaging.fidelity.recolour import Recoloured, move_back
from nb_catalog.imaging.fidelity.silhouette import compare_outlines
from nb_catalog.imaging.fidelity.views import Mask, Pixels, ProductView
from nb_catalog.imaging.fidelity.warping import Overlay, overlay

FEW_TILES: Final = 40
"""With fewer textured tiles, nothing is said about detail and shape."""
OF_DETAIL: Final = frozenset({"lost_detail", "weak_detail", "lost_place", "shape"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A product found in a picture: the two over each other, and how far they differ.

    ``measures`` are in the units of the setting ``FIDELITY["THRESHOLDS"]``; those that say nothing about this
    product are missing. ``has_main_colour`` is whether the colour asked for could be compared. ``tiles`` is
    the number of textured tiles, ``is_twice`` whether the product is there a second time. ``changed`` (H, W)
    marks where, in the product's frame.
    """

    pair: Overlay = field(repr=False)
    placement: Placement
    measures: Mapping[str, float]
    tiles: int
    is_twice: bool
    has_main_colour: bool
    changed: Mask = field(repr=False)

    @property
    def is_detailed(self) -> bool:
        """Whether the product shows enough detail to be judged by it."""
        return self.tiles >= FEW_TILES


def measure(
    product: ProductView,
    picture: Pixels,
    placements: Sequence[Placement],
    *,
    colour: Rgb | None = None,
) -> Comparison:
    """Compare ``product`` with ``picture``, which shows it at ``placements``, the surest first.

    With ``colour``, its main colour has to be that one; everything else has to be as it was.
    """
    recoloured: Recoloured | None = None

    def in_old_colour(before: Pixels, after: Pixels, core: Mask) -> Pixels:
        nonlocal recoloured
        if colour is not None:
            recoloured = move_back(before, after, core, colour=colour)
        return after if recoloured is None else recoloured.picture

    pair = overlay(
        product, picture, placements[0], prepare=None if colour is None else in_old_colour
    )
    colours, detail, outline = compare_colours(pair), compare_detail(pair), compare_outlines(pair)
    measures = {
        **({} if recoloured is None else {"asked": recoloured.asked, "kept": recoloured.kept}),
        "lost_detail": detail.lost,
        "weak_detail": detail.weakness,
        "lost_place": detail.group,
        "difference": colours.difference,
        "chroma": colours.chroma,
        "hue": colours.hue,
        "blob": colours.blob,
        "outline": outline.moved,
        "cut_off": 100 * float(1 - np.count_nonzero(pair.mask) / product.area),
    }
    if pair.flow is not None:
        measures["shape"] = pair.flow
    changed = colours.places | outline.places
    is_detailed = detail.tiles >= FEW_TILES
    if is_detailed:
        changed |= detail.places
    return Comparison(
        pair=pair,
        placement=placements[0],
        measures={
            name: value for name, value in measures.items() if is_detailed or name not in OF_DETAIL
        },
        tiles=detail.tiles,
        is_twice=len(placements) > 1,
        has_main_colour=recoloured is not None,
        changed=changed,
    )
