"""Cutting a product off a plain background by colour, without a network or weights."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from PIL import Image

from nb_catalog.core.text import message
from nb_catalog.exceptions import CutoutRefused
from nb_catalog.imaging.cutout import alpha as transparency
from nb_catalog.imaging.cutout import masks
from nb_catalog.imaging.cutout.background import Background, Floats, Mask, fit_background, lab
from nb_catalog.imaging.cutout.base import CutoutBackend
from nb_catalog.imaging.cutout.edge import enlarge
from nb_catalog.imaging.cutout.outline import visible_share
from nb_catalog.imaging.cutout.types import FoundMask, ways_out

# The name by which the translators' tools find texts.
_ = message

MAKER: Final = "classical/4"
WORKING_SIZE: Final = 512
"""Pixels of the longer side at which the outline is searched for."""
# Measured on 43 photos with known outlines on four studio backgrounds: of the masks on which two
# methods agree this far (68 %), 91 % are good. The strength of edges says nothing about success.
AGREEMENT: Final = 0.95
# Requiring half as much difference again must not change the mask by more than 2 %: it does where
# a white sole meets a white table.
FIRMNESS, STEADINESS = 1.5, 0.98
# Both methods see the same colours, and agree on a label that has none of its own. Where the outline
# of a product is found, the colour steps across nearly all of it. Above, more right masks of white
# products would be refused than wrong ones.
VISIBLE_OUTLINE: Final = 0.95
# A white part low in a product may be taken for its shadow: it ends in a step, as a shadow does not, or is
# larger than one. In docs/cutouts.md: what this was measured on.
LEFT_OUT: Final = 0.01
MOST_STEPPED: Final = 0.5
MOST_SHADOW: Final = 0.2
WHITE: Final = 98.5
SMALL_HOLE, LARGE_HOLE = 0.0003, 0.0015
MIN_SHARE, MAX_SHARE = 0.01, 0.95
MAX_SHARE_OF_RIM: Final = 0.35
# A studio background deviates from its fitted surface by less than 2 Lab units; a room or a street
# by 10 and more.
MAX_SPREAD: Final = 4.0
MAX_STRAYS: Final = 0.35


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """A photo at the working size, (H, W, 3) Lab, and the background that was fitted to it."""

    colours: Floats = field(repr=False)
    background: Background

    @property
    def is_plain(self) -> bool:
        return self.background.spread <= MAX_SPREAD and self.background.strays <= MAX_STRAYS

    def distance(self) -> Floats:
        """Return each pixel's distance to the background, (H, W), in Lab units."""
        height, width = self.colours.shape[:2]
        behind = self.background.over(width=width, height=height)
        return np.asarray(np.linalg.norm(self.colours - behind, axis=-1), np.float32)


class ClassicalCutout(CutoutBackend):
    """Cuts products off plain backgrounds, and refuses whatever it is not certain of; a mask that may lack a
    part that was taken for a shadow is made and marked."""

    maker = MAKER

    def find_mask(self, view: Image.Image) -> FoundMask:
        """Return the product's mask. Raises ``CutoutRefused`` if the background is not plain, or the
        outline uncertain."""
        if transparency.has_outline(view):
            return transparency.find_product(view)
        ground = examine_ground(view)
        if not ground.is_plain:
            raise refusal(_("The photo's background is not plain."))
        mask, agreement = find_certain_mask(ground)
        left = masks.left_out(mask, ground.colours, background=ground.background)
        is_stepped = left.share > LEFT_OUT and left.stepped > MOST_STEPPED
        return FoundMask(
            alpha=enlarge(mask, size=view.size),
            method="classical",
            maker=MAKER,
            score=agreement,
            reasons=("shadow",) if is_stepped or left.share > MOST_SHADOW else (),
            is_plain=True,
        )

    def describe(self) -> str:
        return _(
            "Products on a plain background that differs from them, and photos with a transparent "
            "background."
        )


def refusal(what: str) -> CutoutRefused:
    """Return the error for a photo that cannot be cut out: ``what`` is the reason, a sentence."""
    return CutoutRefused(f"{what} {ways_out()}")


def examine_ground(view: Image.Image) -> Ground:
    """Return ``view`` at the working size, with its background."""
    photo = view if view.mode == "RGB" else view.convert("RGB")
    # At half size or less: that averages away most of what JPEG adds around edges.
    scale = min(0.5, WORKING_SIZE / max(photo.size))
    size = (max(1, round(photo.width * scale)), max(1, round(photo.height * scale)))
    colours = lab(np.asarray(photo.resize(size, Image.Resampling.BOX)))
    first = Ground(colours=colours, background=fit_background(colours))
    if not first.is_plain:
        return first
    product = masks.dilate(masks.mask_by_colour(colours, background=first.background), by=6)
    if float(product.mean()) > MAX_SHARE:
        return first
    return Ground(colours=colours, background=fit_background(colours, product=product))


def find_certain_mask(ground: Ground) -> tuple[Mask, float]:
    """Return the product's mask, holes removed, and how far a second method agrees with it.

    Raises ``CutoutRefused`` for a mask that is unlikely to be a product's.
    """
    colours, background = ground.colours, ground.background
    mask = masks.mask_by_colour(colours, background=background)
    refuse_impossible(mask)
    firm = masks.mask_by_colour(colours, background=background, firmness=FIRMNESS)
    if masks.overlap(mask, firm) < STEADINESS:
        raise refusal(_("Parts of the product have nearly the colour of the background."))
    by_grabcut = masks.mask_by_grabcut(colours, background=background, first=mask)
    agreement = masks.overlap(mask, by_grabcut)
    if agreement < AGREEMENT:
        what = _(
            "The product could not be separated from its background with confidence: two ways to find "
            "its outline agree to %(agreement)s, and %(needed)s are needed."
        )
        raise refusal(what % {"agreement": f"{agreement:.0%}", "needed": f"{AGREEMENT:.0%}"})
    if visible_share(mask, colours) < VISIBLE_OUTLINE:
        raise refusal(_("Part of the product's outline cannot be seen against the background."))
    # On a background that is overexposed to white, a hole cannot be distinguished from an
    # overexposed part of the product. Small ones are highlights there; a large one is refused.
    if float(background.terms[0, 0]) <= WHITE:
        holes = masks.find_holes(mask, colours, background=background, least=SMALL_HOLE)
        return mask & ~holes, agreement
    if masks.find_holes(mask, colours, background=background, least=LARGE_HOLE).any():
        raise refusal(
            _(
                "Part of the product looks exactly like the white background: it may be a hole, or white "
                "itself."
            )
        )
    return mask, agreement


def refuse_impossible(mask: Mask) -> None:
    """Raise ``CutoutRefused`` if ``mask`` shows next to nothing, or everything."""
    share = float(mask.mean())
    if share < MIN_SHARE:
        raise refusal(_("Nothing in the photo stands out clearly from its background."))
    rim = np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]])
    if share > MAX_SHARE or float(rim.mean()) > MAX_SHARE_OF_RIM:
        raise refusal(_("The product fills the photo to its borders, so no background is visible."))
