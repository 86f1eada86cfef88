"""When the next calls may go out: the generic cell rate algorithm, as arithmetic.

GCRA (ITU-T I.371) keeps one moment, the theoretical arrival time. A call may go when that moment
is no further ahead than the burst allows, and pushes it on by one interval.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

# By how much later than its slot a call may reach the service: preparing, committing and the
# network take different time each time.
JITTER: Final = timedelta(seconds=1)
MINUTE: Final = timedelta(seconds=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """Calls ``interval`` apart, ``burst`` of them at once after a rest."""

    interval: timedelta
    burst: int

    @property
    def ahead(self) -> timedelta:
        return self.interval * self.burst


def rate_of(per_minute: int, *, burst: int) -> Rate:
    """The pace at which no 60 seconds at the service ever see more than ``per_minute`` calls.

    Slots lie in a stretch of 60 s and the jitter for whatever arrives within 60 s, so that
    rate + burst = quota holds with (60 s + jitter) / (quota - burst) between two calls.
    """
    return Rate(interval=(MINUTE + JITTER) / (per_minute - burst), burst=burst)


def next_slots(
    arrival: datetime | None, *, now: datetime, pace: Rate, until: datetime
) -> Iterator[tuple[datetime, datetime]]:
    """(when a call may go, the theoretical arrival time once it does), up to ``until``."""
    arrival = arrival or now
    while True:
        slot = max(now, arrival - pace.ahead)
        if slot > until:
            return
        arrival = max(arrival, slot) + pace.interval
        yield slot, arrival
