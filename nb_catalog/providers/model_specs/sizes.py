"""Aspect ratios, size names and their dimensions in pixels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from nb_catalog.core.text import message as _
from nb_catalog.core.text import nearest
from nb_catalog.core.types import Size
from nb_catalog.exceptions import RequestRefused

# Key of an image's checks: its size beside the requested one, if they differ.
SIZE_CHECK: Final = "size"
SIZES: Final = ("512", "1K", "2K", "4K")

# Google's table for the Gemini 3 image models, November 2026. Actual pictures may differ by a
# few percent: store the decoded size, never this one.
_TABLE: Final[Mapping[str, tuple[tuple[int, int] | None, ...]]] = {
    "1:1": ((512, 512), (1024, 1024), (2048, 2048), (4096, 4096)),
    "1:4": ((256, 1024), (512, 2048), (1024, 4096), (2048, 8192)),
    "1:8": ((192, 1536), (384, 3072), (768, 6144), (1536, 12288)),
    "2:3": ((424, 632), (848, 1264), (1696, 2528), (3392, 5056)),
    "3:2": ((632, 424), (1264, 848), (2528, 1696), (5056, 3392)),
    "3:4": ((448, 600), (896, 1200), (1792, 2400), (3584, 4800)),
    "4:1": ((1024, 256), (2048, 512), (4096, 1024), (8192, 2048)),
    "4:3": ((600, 448), (1200, 896), (2400, 1792), (4800, 3584)),
    "4:5": ((464, 576), (928, 1152), (1856, 2304), (3712, 4608)),
    "5:4": ((576, 464), (1152, 928), (2304, 1856), (4608, 3712)),
    "8:1": ((1536, 192), (3072, 384), (6144, 768), (12288, 1536)),
    "9:16": ((384, 688), (768, 1376), (1536, 2752), (3072, 5504)),
    "16:9": ((688, 384), (1376, 768), (2752, 1536), (5504, 3072)),
    "21:9": (None, (1584, 672), (3168, 1344), (6336, 2688)),
}

PIXELS: Final[Mapping[str, Mapping[str, Size]]] = {
    ratio: {size: Size(*pair) for size, pair in zip(SIZES, pairs, strict=True) if pair}
    for ratio, pairs in _TABLE.items()
}

RATIOS: Final = tuple(PIXELS)


def pixel_size(ratio: str, size: str) -> Size:
    """Return width and height in pixels of a picture of ``ratio`` at ``size``.

    Raises ``RequestRefused`` for a ratio or a size that is not in the table.
    """
    if ratio not in PIXELS:
        raise RequestRefused(
            _("There is no ratio %(ratio)r.") % {"ratio": ratio} + nearest(ratio, RATIOS)
        )
    if size not in PIXELS[ratio]:
        raise RequestRefused(
            _("There is no size %(size)r for %(ratio)s.") % {"size": size, "ratio": ratio}
            + nearest(size, PIXELS[ratio])
        )
    return PIXELS[ratio][size]


@dataclass(frozen=True, slots=True, kw_only=True)
class SizeComparison:
    """A picture's size beside the requested one, in pixels.

    ``ratio_off`` is the relative deviation of width / height, ``share`` the picture's shorter side
    divided by the requested one, at most 1.
    """

    requested: Size
    actual: Size

    @property
    def ratio_off(self) -> float:
        requested = self.requested.width / self.requested.height
        return abs(self.actual.width / self.actual.height / requested - 1)

    @property
    def share(self) -> float:
        return min(1.0, min(self.actual) / min(self.requested))

    def as_dict(self) -> dict[str, Any]:
        """Return plain data for a JSON column."""
        return {"requested": list(self.requested), "actual": list(self.actual)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> SizeComparison:
        return cls(requested=Size(*data["requested"]), actual=Size(*data["actual"]))


def compare_size(ratio: str, size: str, actual: Size) -> SizeComparison | None:
    """Return how ``actual`` compares with the size that a picture of ``ratio`` at ``size`` has; None if
    no such size is known."""
    try:
        return SizeComparison(requested=pixel_size(ratio, size), actual=actual)
    except RequestRefused:
        return None
