"""How many jobs of a kind a worker holds, and how many more it takes."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections import deque
from typing import Final

# One more job for every four calls: while it is prepared or stored, no call slot is idle.
AHEAD: Final = 4
# Calls that start together end together, and a wave of pictures is what fills memory
# and trips rate limits. So the first calls start one after the other.
WARM_UP_SECONDS: Final = 2.0
FIRST_CALLS: Final = 16
# How long an empty queue is left alone while there is other work.
REST_SECONDS: Final = 0.5
# As many free jobs as ended within this time are claimed. More would be kept from other workers.
LATELY_SECONDS: Final = 1.0
MOST_FREE: Final = 200


class ConcurrencyLimit(ABC):
    """Jobs of one kind. ``busy`` counts those that the worker holds."""

    is_free: bool

    def __init__(self) -> None:
        self.busy = 0
        self._empty_at = float("-inf")

    @abstractmethod
    def capacity(self) -> int:
        """Return how many jobs the worker may hold now."""

    def free_slots(self, *, may_back_off: bool) -> int:
        """Return how many more jobs to claim now; 0 if that is not worth a query."""
        capacity = self.capacity()
        free = capacity - self.busy
        backs_off = may_back_off and time.monotonic() - self._empty_at < REST_SECONDS
        return 0 if backs_off or free < max(1, capacity // 16) else free

    def record_claim(self, count: int) -> None:
        """Record that a claim returned ``count`` jobs."""
        self.busy += count
        if not count:
            self._empty_at = time.monotonic()

    def record_end(self) -> None:
        """Record that a job has ended."""
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
    """Local work in ``threads`` threads: twice as many jobs, or as many as end within a second."""

    is_free = True

    def __init__(self, threads: int) -> None:
        super().__init__()
        self._least = threads * 2
        self._ended: deque[float] = deque(maxlen=MOST_FREE)

    def record_end(self) -> None:
        super().record_end()
        self._ended.append(time.monotonic())

    def capacity(self) -> int:
        since = time.monotonic() - LATELY_SECONDS
        while self._ended and self._ended[0] < since:
            self._ended.popleft()
        return max(self._least, len(self._ended))
