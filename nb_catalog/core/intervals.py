"""How certain a share is that was counted in a sample."""

from __future__ import annotations

from math import sqrt
from typing import Final, NamedTuple

# The two-sided 95 % quantile of the normal distribution.
_Z: Final = 1.959964


class Interval(NamedTuple):
    """Bounds of a share, 0 to 1."""

    low: float
    high: float

    @property
    def holds_half(self) -> bool:
        """Whether one half is within the bounds: neither of two sides is shown to be ahead."""
        return self.low <= 0.5 <= self.high


def wilson_interval(successes: int, trials: int) -> Interval:
    """Return the 95 % confidence interval of a share by Wilson's score method (Wilson 1927).

    It stays within 0 to 1 and is usable for few trials. Without trials it is everything, 0 to 1.
    """
    if not trials:
        return Interval(0.0, 1.0)
    share, squared = successes / trials, _Z * _Z
    scale = 1 + squared / trials
    centre = (share + squared / (2 * trials)) / scale
    margin = _Z / scale * sqrt(share * (1 - share) / trials + squared / (4 * trials * trials))
    return Interval(max(0.0, centre - margin), min(1.0, centre + margin))
