"""How many calls may be claimed now, and when each may go out: for all workers together.

The rows are locked by the claim that reads them, so that two workers never use one slot twice.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import F

from nb_catalog.core.quotas import Quotas, pacific, quotas_of
from nb_catalog.core.states import JobState
from nb_catalog.models import ImageJob, ThrottleGate
from nb_catalog.models.db.clock import database_now
from nb_catalog.models.db.compiled import compiled_once
from nb_catalog.ratelimit.paces import Pacemaker, pacemaker

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
class Gate:
    """One row, and what the claim takes from it."""

    row: ThrottleGate
    quotas: Quotas
    in_flight: int
    pacemaker: Pacemaker | None
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
        if self.pacemaker is not None and (left := self.pacemaker.room()) is not None:
            rooms.append(left)
        return max(0, min(rooms)) if rooms else None

    def take(self, wanted: int) -> list[Wait]:
        """Up to ``wanted`` calls, and when each may go."""
        room = self.room()
        count = wanted if room is None else min(wanted, room)
        waits: list[Wait] = [None] * count
        if self.pacemaker is not None:
            waits = list(self.pacemaker.take(count))
        self.taken += len(waits)
        self.is_changed = True
        return waits

    def give_back(self) -> None:
        """One call that was taken has not gone out: it counts neither for the day nor in flight."""
        self.taken -= 1
        self.is_changed = True


class Gates:
    """The gates that stand, locked until the transaction ends.

    ``now`` is the moment from which waits are told, and ``monotonic`` the same by this process's
    monotonic clock in seconds. Both are of the time after the lock: others may have held it long.
    """

    def __init__(self) -> None:
        rows = list(_locked()) if _stands() else []
        self.now, self.monotonic = database_now(), time.monotonic()
        self._gates: dict[Key, Gate] = {}
        for row in rows:
            self._add(row)

    def full(self) -> set[Key]:
        """(provider, model) of everything that nothing can be claimed for now."""
        return {key for key, gate in self._gates.items() if gate.room() == 0}

    def take(self, provider: str, model: str, *, wanted: int) -> list[Wait]:
        """Up to ``wanted`` calls to a model, and when each may go."""
        gate = self._gates.get((provider, model))
        if gate is None:
            if quotas_of(provider, model).are_none:
                return [None] * wanted
            gate = self._opened(provider, model)
        return gate.take(wanted)

    def take_again(self, provider: str, model: str) -> list[Wait]:
        """A slot in place of one that was taken and has passed; none where there is no other."""
        gate = self._gates.get((provider, model))
        if gate is not None:
            gate.give_back()
        return self.take(provider, model, wanted=1)

    def write(self) -> None:
        """Write down what was taken."""
        for gate in self._gates.values():
            if gate.is_changed:
                gate.row.sent_today = max(0, gate.row.sent_today + gate.taken)
                gate.row.save(update_fields=["arrival_at", "day", "sent_today"])

    def _opened(self, provider: str, model: str) -> Gate:
        ThrottleGate.objects.get_or_create(provider=provider, model=model)
        for row in _locked(provider=provider, model=model):
            self._add(row)
        return self._gates[provider, model]

    def _add(self, row: ThrottleGate) -> None:
        today = self.now.astimezone(pacific()).date()
        if row.day != today:
            row.day, row.sent_today = today, 0
        quotas = quotas_of(row.provider, row.model)
        _recover(row, now=self.now)
        counts = quotas.in_flight is not None or row.cap is not None
        in_flight = calls_in_flight(row.provider, row.model) if counts else 0
        paced = pacemaker(row, quotas, now=self.now)
        self._gates[row.provider, row.model] = Gate(row, quotas, in_flight, paced)


@compiled_once
def _stands() -> Any:
    return ThrottleGate.objects.values_list("pk")[:1]


def _locked(**which: str) -> Iterable[ThrottleGate]:
    rows = ThrottleGate.objects.filter(**which).order_by("provider", "model")
    if connection.features.has_select_for_update:
        return rows.select_for_update()
    # SQLite: reading first and writing later would fail when another wrote in between.
    rows.update(sent_today=F("sent_today"))
    return rows


def _recover(row: ThrottleGate, *, now: datetime) -> None:
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
def slow_down(provider: str, model: str, *, now: datetime) -> None:
    """Halve how many calls may be in flight: the service said that they are too many."""
    ThrottleGate.objects.get_or_create(provider=provider, model=model)
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


def used_up(now: datetime) -> set[Key]:
    """(provider, model) of everything that nothing is left for today. Only looks."""
    rows = ThrottleGate.objects.filter(day=now.astimezone(pacific()).date())
    return {
        (row.provider, row.model)
        for row in rows
        if (per_day := quotas_of(row.provider, row.model).per_day) is not None
        and row.sent_today >= per_day
    }


def caps() -> Mapping[Key, int]:
    """The caps that stand while services are overloaded."""
    rows = ThrottleGate.objects.filter(cap__isnull=False)
    return {(row.provider, row.model): row.cap or 0 for row in rows}
