"""Colour spaces by the code points of ITU-T H.273, as PNG, AVIF and HEIC state them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from nb_catalog.imaging.formats.base import Chromaticities, ColourSpace

UNSPECIFIED: Final = frozenset({0, 2})
D65: Final = (0.3127, 0.3290)
C: Final = (0.310, 0.316)
BT709: Final = Chromaticities(D65, (0.640, 0.330), (0.300, 0.600), (0.150, 0.060))
# H.273 (07/2021), table 2.
PRIMARIES: Final[Mapping[int, Chromaticities]] = {
    1: BT709,
    4: Chromaticities(C, (0.67, 0.33), (0.21, 0.71), (0.14, 0.08)),
    5: Chromaticities(D65, (0.64, 0.33), (0.29, 0.60), (0.15, 0.06)),
    6: Chromaticities(D65, (0.630, 0.340), (0.310, 0.595), (0.155, 0.070)),
    7: Chromaticities(D65, (0.630, 0.340), (0.310, 0.595), (0.155, 0.070)),
    8: Chromaticities(C, (0.681, 0.319), (0.243, 0.692), (0.145, 0.049)),
    9: Chromaticities(D65, (0.708, 0.292), (0.170, 0.797), (0.131, 0.046)),
    10: Chromaticities((1 / 3, 1 / 3), (1.0, 0.0), (0.0, 1.0), (0.0, 0.0)),
    11: Chromaticities((0.314, 0.351), (0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
    12: Chromaticities(D65, (0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
    22: Chromaticities(D65, (0.630, 0.340), (0.295, 0.605), (0.155, 0.077)),
}


def coded_space(primaries: int, transfer: int, *, is_narrow: bool = False) -> ColourSpace | None:
    """Return the space with these code points, or None if neither of them says anything."""
    if primaries in UNSPECIFIED and transfer in UNSPECIFIED:
        return ColourSpace(is_narrow=True) if is_narrow else None
    return ColourSpace(
        chromaticities=PRIMARIES.get(primaries),
        transfer=0 if transfer in UNSPECIFIED else transfer,
        is_narrow=is_narrow,
    )
