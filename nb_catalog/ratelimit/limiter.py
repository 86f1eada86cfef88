"""How many calls may be claimed now, and when each may be sent: for all workers together.

A claim locks the rows that it reads, so that two workers never use the same slot.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Final

from django.db import connection, transaction
from django.db.models import F

from nb_catalog.core.quotas import Quotas, pacific, quotas_of
from nb_catalog.core.states import JobState
from nb_catalog.models import ImageJob, RateLimitState
from nb_catalog.models.db.clock import database_now
from nb_catalog.models.db.compiled import compile_once
from nb_catalog.ratelimit.gcra import next_slots, rate_of

# How far ahead slots are assigned. Jobs wait for their slot in their worker.
HORIZON: Final = timedelta(seconds=2)

# After a reduction: how long no other one follows, and after how long the cap grows by one again.
# Responses to calls that were sent together all report the same overload.
QUIET: Final = timedelta(seconds=5)

# The cap is never below this fraction (1/8) of the former calls in flight: some 503s are unrelated to
# our request rate; they must not stall the queue.
MAX_REDUCTION: Final = 8

Key = tuple[str, str]
# From now until a call may be sent; None means at any time.
Wait = timedelta | None


@dataclass(slots=True)
class ModelLimit:
    """One row, and what the current claim takes from it.

    ``slots`` are the free slots up to the horizon, each with the row's ``arrival_at`` once it is
    taken; None if no quota limits the rate.
    """

    row: RateLimitState
    quotas: Quotas
    in_flight: int
    now: datetime
    slots: list[tuple[datetime, datetime]] | None
    taken: int = 0
    is_changed: bool = False

    def room(self) -> int | None:
        """Return how many more calls may be claimed; None means any number."""
        limits = (
            (self.quotas.per_day, self.row.sent_today),
            (self.quotas.in_flight, self.in_flight),
            (self.row.cap, self.in_flight),
        )
        rooms = [limit - used - self.taken for limit, used in limits if limit is not None]
        if self.slots is not None:
            rooms.append(len(self.slots))
        return max(0, min(rooms)) if rooms else None

    def take(self, wanted: int) -> list[Wait]:
        """Take up to ``wanted`` calls. Return for each how long it must wait."""
        room = self.room()
        count = wanted if room is None else min(wanted, room)
        waits: list[Wait] = [None] * count
        if self.slots is not None:
            taken, self.slots = self.slots[:count], self.slots[count:]
            waits = [slot - self.now for slot, _arrival in taken]
            if taken:
                self.row.arrival_at = taken[-1][1]
        self.taken += len(waits)
        self.is_changed = True
        return waits

    def give_back(self) -> None:
        """Release one call that was taken but not sent: it counts neither for the day nor in flight."""
        self.taken -= 1
        self.is_changed = True


class Limiter:
    """The limits in force, locked until the transaction ends.

    Waits are relative to ``now``, which is ``monotonic`` by this process's monotonic clock (seconds).
    Both are read after locking: others may have held the lock for long.
    """

    def __init__(self) -> None:
        rows = list(_locked()) if _any_row() else []
        self.now, self.monotonic = database_now(), time.monotonic()
        self._limits: dict[Key, ModelLimit] = {}
        for row in rows:
            self._add(row)

    def full(self) -> set[Key]:
        """Return (provider, model) of everything that nothing can be claimed for now."""
        return {key for key, limit in self._limits.items() if limit.room() == 0}

    def take(self, provider: str, model: str, *, wanted: int) -> list[Wait]:
        """Take up to ``wanted`` calls to a model. Return for each how long it must wait."""
        limit = self._limits.get((provider, model))
        if limit is None:
            if quotas_of(provider, model).are_none:
                return [None] * wanted
            RateLimitState.objects.get_or_create(provider=provider, model=model)
            for row in _locked(provider=provider, model=model):
                self._add(row)
            limit = self._limits[provider, model]
        return limit.take(wanted)

    def take_again(self, provider: str, model: str) -> list[Wait]:
        """Take another slot in place of one that has passed. Return [] if there is none."""
        limit = self._limits.get((provider, model))
        if limit is not None:
            limit.give_back()
        return self.take(provider, model, wanted=1)

    def write(self) -> None:
        """Store what was taken."""
        for limit in self._limits.values():
            if limit.is_changed:
                limit.row.sent_today = max(0, limit.row.sent_today + limit.taken)
                limit.row.save(update_fields=["arrival_at", "day", "sent_today"])

    def _add(self, row: RateLimitState) -> None:
        today = self.now.astimezone(pacific()).date()
        if row.day != today:
            row.day, row.sent_today = today, 0
        quotas = quotas_of(row.provider, row.model)
        _recover(row, now=self.now)
        counts = quotas.in_flight is not None or row.cap is not None
        in_flight = calls_in_flight(row.provider, row.model) if counts else 0
        slots = None
        if quotas.per_minute is not None:
            rate = rate_of(quotas.per_minute, burst=quotas.burst)
            free = next_slots(row.arrival_at, now=self.now, rate=rate, until=self.now + HORIZON)
            # The horizon is shorter than a minute, so more cannot be due.
            slots = list(islice(free, quotas.per_minute))
        self._limits[row.provider, row.model] = ModelLimit(row, quotas, in_flight, self.now, slots)


_any_row = compile_once(lambda: RateLimitState.objects.values_list("pk")[:1])


def _locked(**which: str) -> Iterable[RateLimitState]:
    rows = RateLimitState.objects.filter(**which).order_by("provider", "model")
    if connection.features.has_select_for_update:
        return rows.select_for_update()
    # SQLite: a transaction that reads first cannot write once another one has written. An update takes
    # the write lock at once.
    rows.update(sent_today=F("sent_today"))
    return rows


def _recover(row: RateLimitState, *, now: datetime) -> None:
    """Raise the cap by one for each quiet period, until it is back at what it was reduced from."""
    if row.cap is None or row.cap_at is None or row.cap_before is None:
        return
    periods = int((now - row.cap_at) / QUIET)
    if periods < 1:
        return
    row.cap += periods
    row.cap_at += QUIET * periods
    if row.cap >= row.cap_before:
        row.cap = row.cap_before = row.cap_at = None
    row.save(update_fields=["cap", "cap_before", "cap_at"])


@transaction.atomic
def reduce_concurrency(provider: str, model: str, *, now: datetime) -> None:
    """Halve the number of calls that may be in flight, because the service reported an overload."""
    RateLimitState.objects.get_or_create(provider=provider, model=model)
    for row in _locked(provider=provider, model=model):
        if row.cap_at is not None and now - row.cap_at < QUIET:
            return
        in_flight = max(1, calls_in_flight(provider, model))
        before = max(row.cap_before or 0, in_flight)
        halved = min(row.cap or in_flight, in_flight) // 2
        row.cap = max(1, before // MAX_REDUCTION, halved)
        row.cap_before, row.cap_at = before, now
        row.save(update_fields=["cap", "cap_before", "cap_at"])


def calls_in_flight(provider: str, model: str) -> int:
    """Return the number of paid jobs held by all workers, including those that wait for their slot."""
    return ImageJob.objects.filter(
        state__in=(JobState.LEASED, JobState.CALLING),
        provider=provider,
        model=model,
        is_free=False,
    ).count()


def exhausted_models(now: datetime) -> set[Key]:
    """Return (provider, model) of everything whose daily quota is used up. Locks nothing."""
    rows = RateLimitState.objects.filter(day=now.astimezone(pacific()).date())
    return {
        (row.provider, row.model)
        for row in rows
        if (per_day := quotas_of(row.provider, row.model).per_day) is not None
        and row.sent_today >= per_day
    }


def in_flight_caps() -> Mapping[Key, int]:
    """Return the reduced limits in force while services are overloaded."""
    rows = RateLimitState.objects.filter(cap__isnull=False)
    return {(row.provider, row.model): row.cap or 0 for row in rows}
