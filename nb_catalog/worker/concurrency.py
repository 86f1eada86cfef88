"""How much work of a kind a worker has in hand, and how much more it takes."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections import deque
from typing import Final

# One order in hand more for every so many lines: while it is prepared or stored, no line is idle.
AHEAD: Final = 4
# Calls that start together are answered together, and a wave of pictures is what fills memory
# and trips rate limits. So the first calls start one after the other.
WARM_UP_SECONDS: Final = 2.0
FIRST_CALLS: Final = 16
# How long a lane that had nothing is left alone while there is work in the other.
REST_SECONDS: Final = 0.5
# As many orders as a lane ended lately are a second's work. More would be kept from other workers.
LATELY_SECONDS: Final = 1.0
MOST_FREE: Final = 200


class ConcurrencyLimit(ABC):
    """Orders of one kind. ``busy`` counts those in hand."""

    is_free: bool

    def __init__(self) -> None:
        self.busy = 0
        self._empty_at = float("-inf")

    @abstractmethod
    def capacity(self) -> int:
        """How many orders may be in hand now."""

    def room(self, *, may_rest: bool) -> int:
        """How many orders more to claim now; 0 where that is not worth a query."""
        capacity = self.capacity()
        room = capacity - self.busy
        rests = may_rest and time.monotonic() - self._empty_at < REST_SECONDS
        return 0 if rests or room < max(1, capacity // 16) else room

    def note_claim(self, found: int) -> None:
        """So many orders came of a claim."""
        self.busy += found
        if not found:
            self._empty_at = time.monotonic()

    def note_end(self) -> None:
        """An order in hand is done with."""
        self.busy -= 1


class PaidLimit(ConcurrencyLimit):
    """Calls that cost money, ``concurrency`` of them in flight."""

    is_free = False

    def __init__(self, concurrency: int) -> None:
        super().__init__()
        self._most = concurrency + concurrency // AHEAD
        self._started = float("-inf")

    def open(self) -> None:
        """Begin to warm up."""
        self._started = time.monotonic()

    @property
    def is_warming_up(self) -> bool:
        return time.monotonic() - self._started < WARM_UP_SECONDS

    def capacity(self) -> int:
        warm = min(1.0, (time.monotonic() - self._started) / WARM_UP_SECONDS)
        return max(min(self._most, FIRST_CALLS), int(self._most * warm))


class FreeLimit(ConcurrencyLimit):
    """Work of our own in ``threads`` threads: twice as many orders, or what takes a second where
    they are done sooner."""

    is_free = True

    def __init__(self, threads: int) -> None:
        super().__init__()
        self._least = threads * 2
        self._ended: deque[float] = deque(maxlen=MOST_FREE)

    def note_end(self) -> None:
        super().note_end()
        self._ended.append(time.monotonic())

    def capacity(self) -> int:
        since = time.monotonic() - LATELY_SECONDS
        while self._ended and self._ended[0] < since:
            self._ended.popleft()
        return max(self._least, len(self._ended))
