"""How many calls may be claimed now, and when each may go out: for all workers together.

The rows are locked by the claim that reads them, so that two workers never use one slot twice.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import F

from nb_catalog.core.quotas import Quotas, pacific, quotas_of
from nb_catalog.core.states import JobState
from nb_catalog.models import ImageJob, RateLimitState
from nb_catalog.models.db.clock import database_now
from nb_catalog.models.db.compiled import compile_once
from nb_catalog.ratelimit.gcra import next_slots, rate_of

# How far ahead slots are handed out. Jobs that have a slot wait for it in their worker.
HORIZON: Final = timedelta(seconds=2)

# After a cut: how long no other cut follows, and after how long without one the cap grows by one.
# Answers to calls that went out together all say the same.
QUIET: Final = timedelta(seconds=5)

# The smallest share of the former calls in flight that is left: some answers of 503 have nothing to
# do with how much we ask, and a queue must not come to a halt over them.
LEAST_SHARE: Final = 8

Key = tuple[str, str]
# From now until a call may go; None where any time will do.
Wait = timedelta | None


@dataclass(slots=True)
class ModelLimit:
    """One row, and what the claim takes from it.

    ``slots`` are the free ones up to the horizon, each with the row's ``arrival_at`` after it is
    taken; None where no quota sets a rate.
    """

    row: RateLimitState
    quotas: Quotas
    in_flight: int
    now: datetime
    slots: list[tuple[datetime, datetime]] | None
    taken: int = 0
    is_changed: bool = False

    def room(self) -> int | None:
        """How many calls more may be claimed; None: any number."""
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
        """Up to ``wanted`` calls, and when each may go."""
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
        """One call that was taken has not gone out: it counts neither for the day nor in flight."""
        self.taken -= 1
        self.is_changed = True


class Limiter:
    """The limits in force, locked until the transaction ends.

    ``now`` is the moment from which waits are told, and ``monotonic`` the same by this process's
    monotonic clock in seconds. Both are of the time after the lock: others may have held it long.
    """

    def __init__(self) -> None:
        rows = list(_locked()) if _stands() else []
        self.now, self.monotonic = database_now(), time.monotonic()
        self._limits: dict[Key, ModelLimit] = {}
        for row in rows:
            self._add(row)

    def full(self) -> set[Key]:
        """(provider, model) of everything that nothing can be claimed for now."""
        return {key for key, limit in self._limits.items() if limit.room() == 0}

    def take(self, provider: str, model: str, *, wanted: int) -> list[Wait]:
        """Up to ``wanted`` calls to a model, and when each may go."""
        limit = self._limits.get((provider, model))
        if limit is None:
            if quotas_of(provider, model).are_none:
                return [None] * wanted
            limit = self._create(provider, model)
        return limit.take(wanted)

    def take_again(self, provider: str, model: str) -> list[Wait]:
        """A slot in place of one that was taken and has passed; none where there is no other."""
        limit = self._limits.get((provider, model))
        if limit is not None:
            limit.give_back()
        return self.take(provider, model, wanted=1)

    def write(self) -> None:
        """Write down what was taken."""
        for limit in self._limits.values():
            if limit.is_changed:
                limit.row.sent_today = max(0, limit.row.sent_today + limit.taken)
                limit.row.save(update_fields=["arrival_at", "day", "sent_today"])

    def _create(self, provider: str, model: str) -> ModelLimit:
        RateLimitState.objects.get_or_create(provider=provider, model=model)
        for row in _locked(provider=provider, model=model):
            self._add(row)
        return self._limits[provider, model]

    def _add(self, row: RateLimitState) -> None:
        today = self.now.astimezone(pacific()).date()
        if row.day != today:
            row.day, row.sent_today = today, 0
        quotas = quotas_of(row.provider, row.model)
        _recover(row, now=self.now)
        counts = quotas.in_flight is not None or row.cap is not None
        in_flight = calls_in_flight(row.provider, row.model) if counts else 0
        self._limits[row.provider, row.model] = ModelLimit(
            row, quotas, in_flight, self.now, _free_slots(row, quotas, now=self.now)
        )


def _free_slots(
    row: RateLimitState, quotas: Quotas, *, now: datetime
) -> list[tuple[datetime, datetime]] | None:
    if quotas.per_minute is None:
        return None
    rate = rate_of(quotas.per_minute, burst=quotas.burst)
    slots = next_slots(row.arrival_at, now=now, pace=rate, until=now + HORIZON)
    # At most one minute's worth: the horizon is shorter than that.
    return list(islice(slots, quotas.per_minute))


@compile_once
def _stands() -> Any:
    return RateLimitState.objects.values_list("pk")[:1]


def _locked(**which: str) -> Iterable[RateLimitState]:
    rows = RateLimitState.objects.filter(**which).order_by("provider", "model")
    if connection.features.has_select_for_update:
        return rows.select_for_update()
    # SQLite: reading first and writing later would fail when another wrote in between.
    rows.update(sent_today=F("sent_today"))
    return rows


def _recover(row: RateLimitState, *, now: datetime) -> None:
    """Let the cap grow by one for each quiet stretch, until it is what it was cut from."""
    if row.cap is None or row.cap_at is None or row.cap_before is None:
        return
    stretches = int((now - row.cap_at) / QUIET)
    if stretches < 1:
        return
    row.cap += stretches
    row.cap_at += QUIET * stretches
    if row.cap >= row.cap_before:
        row.cap = row.cap_before = row.cap_at = None
    row.save(update_fields=["cap", "cap_before", "cap_at"])


@transaction.atomic
def reduce_concurrency(provider: str, model: str, *, now: datetime) -> None:
    """Halve how many calls may be in flight: the service said that they are too many."""
    RateLimitState.objects.get_or_create(provider=provider, model=model)
    for row in _locked(provider=provider, model=model):
        if row.cap_at is not None and now - row.cap_at < QUIET:
            return
        in_flight = max(1, calls_in_flight(provider, model))
        before = max(row.cap_before or 0, in_flight)
        halved = min(row.cap or in_flight, in_flight) // 2
        row.cap = max(1, before // LEAST_SHARE, halved)
        row.cap_before, row.cap_at = before, now
        row.save(update_fields=["cap", "cap_before", "cap_at"])


def calls_in_flight(provider: str, model: str) -> int:
    """Paid jobs in the hands of all workers: those that wait for their slot too."""
    return ImageJob.objects.filter(
        state__in=(JobState.LEASED, JobState.CALLING),
        provider=provider,
        model=model,
        is_free=False,
    ).count()


def exhausted_models(now: datetime) -> set[Key]:
    """(provider, model) of everything that nothing is left for today. Only looks."""
    rows = RateLimitState.objects.filter(day=now.astimezone(pacific()).date())
    return {
        (row.provider, row.model)
        for row in rows
        if (per_day := quotas_of(row.provider, row.model).per_day) is not None
        and row.sent_today >= per_day
    }


def in_flight_caps() -> Mapping[Key, int]:
    """The caps that stand while services are overloaded."""
    rows = RateLimitState.objects.filter(cap__isnull=False)
    return {(row.provider, row.model): row.cap or 0 for row in rows}
