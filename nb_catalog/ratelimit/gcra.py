"""When the next calls may be sent: the generic cell rate algorithm, as arithmetic.

GCRA (ITU-T I.371) stores one moment, the theoretical arrival time. A call may be sent if that moment
is not further ahead than the burst allows, and advances it by one interval.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

# By how much later than its slot a call may reach the service: preparation, commit and network take
# a varying time.
JITTER: Final = timedelta(seconds=1)
MINUTE: Final = timedelta(seconds=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """Calls ``interval`` apart, and up to ``burst`` of them at once after idling."""

    interval: timedelta
    burst: int

    @property
    def ahead(self) -> timedelta:
        return self.interval * self.burst


def rate_of(per_minute: int, *, burst: int) -> Rate:
    """Return the rate at which the service never sees more than ``per_minute`` calls in any 60 seconds.

    The slots of calls that arrive within 60 s are spread over 60 s + jitter, so rate + burst = quota
    holds with an interval of (60 s + jitter) / (quota - burst).
    """
    return Rate(interval=(MINUTE + JITTER) / (per_minute - burst), burst=burst)


def next_slots(
    arrival: datetime | None, *, now: datetime, rate: Rate, until: datetime
) -> Iterator[tuple[datetime, datetime]]:
    """Yield (when a call may be sent, the theoretical arrival time once it is), up to ``until``."""
    arrival = arrival or now
    while True:
        slot = max(now, arrival - rate.ahead)
        if slot > until:
            return
        arrival = max(arrival, slot) + rate.interval
        yield slot, arrival
