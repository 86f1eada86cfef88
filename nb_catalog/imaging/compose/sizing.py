"""The largest picture that a photo is good for: a final shows what its draft showed, or is smaller."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple, Self

from nb_catalog.core.text import message as _
from nb_catalog.core.types import Size
from nb_catalog.exceptions import PictureError

MAX_ENLARGEMENT: Final = 1.5
"""Enlarged further, a photo looks soft in front of a sharp scene."""
MOST_ENLARGEMENT: Final = 8.0
"""Enlarged further, even in the smallest picture, a photo shows blurs instead of a product."""
SMALLEST: Final = 480 * 480
"""Pixels of the smallest picture that is made, however small the photo: about the size "512"."""


class FittedSize(NamedTuple):
    """The size of a picture, and the pixels in it for each pixel of the photo."""

    requested: Size
    size: Size
    enlargement: float

    @property
    def is_reduced(self) -> bool:
        return self.size != self.requested

    @property
    def is_soft(self) -> bool:
        """Whether the photo is too small even for this size."""
        return self.enlargement > MAX_ENLARGEMENT

    def require_detail(self) -> Self:
        """Return itself. Raises ``PictureError`` for a photo that is far too small for any picture."""
        if self.enlargement <= MOST_ENLARGEMENT:
            return self
        raise PictureError(
            _(
                "The product is so small in its photo that it would be enlarged %(times)s times for a "
                "picture of %(width)s × %(height)s pixels; at most %(most)s times are possible. Upload a "
                "larger photo."
            )
            % {
                "times": f"{self.enlargement:.1f}",
                "width": self.size.width,
                "height": self.size.height,
                "most": f"{MOST_ENLARGEMENT:g}",
            }
        )

    def report(self) -> Mapping[str, Any]:
        """Return what is to be stored with the picture: nothing if the photo is large enough."""
        if not self.is_reduced and not self.is_soft:
            return {}
        return {
            "small_photo": {
                "requested": list(self.requested),
                "made": list(self.size),
                "enlarged": round(self.enlargement, 2),
            }
        }


def fit_size(requested: Size, *, enlargement: float) -> FittedSize:
    """Return ``requested`` or a half, a quarter... of it, as the sizes of providers go.

    ``enlargement`` is that of the photo at the requested size.
    """
    size = requested
    while enlargement > MAX_ENLARGEMENT and size.width * size.height >= 4 * SMALLEST:
        size, enlargement = Size(size.width // 2, size.height // 2), enlargement / 2
    return FittedSize(requested, size, enlargement)
