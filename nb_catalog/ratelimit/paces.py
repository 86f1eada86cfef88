"""Who keeps the pace of a model's calls: its row in our own database, or Redis."""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import datetime, timedelta
from functools import cached_property
from itertools import islice
from typing import Final

from nb_catalog.core.quotas import Quotas
from nb_catalog.models import ThrottleGate
from nb_catalog.ratelimit import redis_pace
from nb_catalog.ratelimit.gcra import pace, slots

# How far ahead slots are given out. Orders with a slot lie ready in their worker.
HORIZON: Final = timedelta(seconds=2)


class Pacemaker(ABC):
    """Gives out slots of the next seconds, each once."""

    def __init__(self, row: ThrottleGate, quotas: Quotas, now: datetime) -> None:
        self._row, self._quotas, self._now = row, quotas, now
        self._until = now + HORIZON

    @abstractmethod
    def room(self) -> int | None:
        """How many slots are left; None where that shows only when they are taken."""

    @abstractmethod
    def take(self, wanted: int) -> list[timedelta]:
        """Up to ``wanted`` slots: how long each is from now."""


class RowPace(Pacemaker):
    """In the gate's row, which the claim holds locked."""

    _taken = 0

    def room(self) -> int:
        return len(self._free) - self._taken

    def take(self, wanted: int) -> list[timedelta]:
        taken = self._free[self._taken : self._taken + wanted]
        if taken:
            self._row.arrival_at = taken[-1][1]
        self._taken += len(taken)
        return [slot - self._now for slot, _arrival in taken]

    @cached_property
    def _free(self) -> list[tuple[datetime, datetime]]:
        """All slots up to the horizon, as they were before anything was taken."""
        per_minute = self._quotas.per_minute or 0
        given = slots(
            self._row.arrival_at,
            now=self._now,
            pace=pace(per_minute, burst=self._quotas.burst),
            until=self._until,
        )
        # A minute's calls at most: the horizon is shorter than that.
        return list(islice(given, per_minute))


class RedisPace(Pacemaker):
    """In Redis, which tells what is left by giving less than was wanted."""

    _is_out = False

    def room(self) -> int | None:
        return 0 if self._is_out else None

    def take(self, wanted: int) -> list[timedelta]:
        taken = redis_pace.take(
            self._row.provider,
            self._row.model,
            self._quotas,
            wanted=wanted,
            now=self._now,
            until=self._until,
        )
        self._is_out = len(taken) < wanted
        return taken


def pacemaker(row: ThrottleGate, quotas: Quotas, *, now: datetime) -> Pacemaker | None:
    """Who keeps the pace of ``row``'s calls; None where no quota says one."""
    if quotas.per_minute is None:
        return None
    kind = RedisPace if redis_pace.is_chosen() else RowPace
    return kind(row, quotas, now)
