"""A box in shares of the frame, which is the same in a picture of every size."""

from __future__ import annotations

from typing import NamedTuple

from nb_catalog.core.types import Rect, Size


class Box(NamedTuple):
    """Shares of the frame's width and height: 0 is its left or upper side, 1 the other one."""

    left: float
    top: float
    right: float
    bottom: float

    @classmethod
    def of(cls, rect: Rect, size: Size) -> Box:
        """Return ``rect``, pixels of a picture of ``size``, in shares of it."""
        return cls(
            rect.left / size.width, rect.top / size.height,
            rect.right / size.width, rect.bottom / size.height,
        )  # fmt: skip

    @property
    def height(self) -> float:
        return self.bottom - self.top

    @property
    def centre(self) -> float:
        return (self.left + self.right) / 2

    def rect(self, size: Size) -> Rect:
        """Return it in whole pixels of a picture of ``size``."""
        left, top = round(self.left * size.width), round(self.top * size.height)
        right, bottom = round(self.right * size.width), round(self.bottom * size.height)
        return Rect(left, top, right - left, bottom - top)

    def difference(self, other: Box) -> float:
        """Return by how much the side that differs most does."""
        return max(abs(mine - its) for mine, its in zip(self, other, strict=True))

    def grown(self, by: float) -> Box:
        """Return it with ``by`` more on each side."""
        return Box(self.left - by, self.top - by, self.right + by, self.bottom + by)
