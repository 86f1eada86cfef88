"""What a cut-out consists of: the mask that was found, and the product's pixels."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final, Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from nb_catalog.core.text import message
from nb_catalog.core.types import Rect, Size
from nb_catalog.exceptions import CutoutRefused
from nb_catalog.imaging.cutout.outline import solid_box

# The name by which the translators' tools find texts.
_ = message

Method: TypeAlias = Literal["alpha", "classical", "network", "fused"]


def ways_out() -> str:
    """Return what a person can do about a photo that cannot be cut out."""
    return _(
        "What would work: a photo on a plain, even background that differs from the product, "
        "a PNG with a transparent background, or the painted treatment with a model."
    )


class CropBox(NamedTuple):
    """Pixels of the photo; right and bottom are the first ones outside."""

    left: int
    top: int
    right: int
    bottom: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundMask:
    """Where the product is in a view of a photo, and how certain that is.

    ``alpha`` is (H, W) uint8 at the size of the view. ``maker`` changes whenever a new version would
    find another mask. ``score`` is from 0 to 1; it compares masks of one maker. ``reasons`` are codes
    for ``reasons.describe_reason``: without any, the mask is accepted without a person looking at it.
    ``is_plain`` says that the background is even, as in a studio.
    """

    alpha: NDArray[np.uint8] = field(repr=False)
    method: Method
    maker: str
    score: float
    reasons: tuple[str, ...] = ()
    is_plain: bool = False

    @property
    def is_certain(self) -> bool:
        return not self.reasons


@dataclass(frozen=True, slots=True, kw_only=True)
class Cutout:
    """A product without its background.

    ``pixels`` is (H, W, 4) uint8 sRGB with straight alpha, cropped to ``box`` of the photo.
    ``method``, ``score`` and ``reasons`` are those of the ``FoundMask``; for a mask that was supplied
    they are "mask", None and ().
    """

    pixels: NDArray[np.uint8] = field(repr=False)
    box: CropBox
    photo_size: Size
    method: str = "mask"
    score: float | None = None
    reasons: tuple[str, ...] = ()

    @property
    def solid(self) -> Rect:
        """The rectangle of the product in ``pixels``. Raises ``CutoutRefused`` if nothing is visible."""
        box = solid_box(self.pixels[..., 3])
        if not box.width:
            raise nothing_visible()
        return box

    def by(self, found: FoundMask) -> Cutout:
        """Return this cut-out with the method, score and reasons of the mask that it was made with."""
        return replace(self, method=found.method, score=found.score, reasons=found.reasons)


def nothing_visible() -> CutoutRefused:
    return CutoutRefused(f"{_('The cut-out shows nothing.')} {ways_out()}")


MIN_SHARE_OF_ALPHA: Final = 0.001
"""Share of a photo that has to be visible."""
