"""Real sizes of products as shares of the largest one, for pictures that keep them in proportion."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

LEAST_PROPORTION: Final = 0.2
"""A ring beside a wardrobe would be a dot of a hundredth of its height: nothing is shown smaller than this,
and so two products that are both that small look equally large."""


def proportions_of(heights: Sequence[float | None]) -> list[float]:
    """Return the share of the largest of ``heights`` that each one is, ``LEAST_PROPORTION`` to 1.

    Heights are positive and of one unit. None, a height that is not known, gives 1: the product then
    fills the frame like the largest one.
    """
    largest = max((each for each in heights if each is not None), default=None)
    return [
        1.0 if each is None or largest is None else max(LEAST_PROPORTION, round(each / largest, 4))
        for each in heights
    ]
