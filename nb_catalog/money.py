"""Money: reserved before a call goes out, settled when it is answered. Whole micro-dollars."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from operator import itemgetter

from django.db.models import F, Q
from django.db.models.expressions import CombinedExpression

from nb_catalog.conf import settings
from nb_catalog.models import Run, SpendDay
from nb_catalog.models.money import micros

RUN_BUDGET = "run_budget"
DAY_BUDGET = "day_budget"


def reserve(amounts: Mapping[int, Mapping[int, int]], *, day: date) -> set[int]:
    """Reserve micro-dollars: run -> {job: amount}. Answers the jobs that were let through.

    A budget that is reached pauses the run and fails nothing. Call it inside the transaction
    that writes the call rows.
    """
    let_through: set[int] = set()
    for run_id, jobs in sorted(amounts.items(), key=itemgetter(0)):
        if _reserve(run_id, sum(jobs.values()), day=day) is None:
            let_through |= jobs.keys()
        else:
            let_through |= _one_by_one(run_id, jobs, day=day)
    return let_through


def _one_by_one(run_id: int, jobs: Mapping[int, int], *, day: date) -> set[int]:
    let_through = set()
    for job_id, amount in jobs.items():
        reached = _reserve(run_id, amount, day=day)
        if reached is not None:
            Run.objects.filter(pk=run_id, paused_reason="").update(paused_reason=reached)
            break
        let_through.add(job_id)
    return let_through


def _reserve(run_id: int, amount: int, *, day: date) -> str | None:
    """Reserve for the run and for the day, or say which of the two budgets is reached."""
    if not _add_to_day(amount, day=day):
        return DAY_BUDGET
    total = F("reserved_microusd") + F("spent_microusd") + amount
    within = Q(budget_microusd__isnull=True) | Q(budget_microusd__gte=total)
    run = Run.objects.filter(within, pk=run_id, paused_reason="")
    if run.update(reserved_microusd=F("reserved_microusd") + amount):
        return None
    SpendDay.objects.filter(day=day).update(reserved_microusd=F("reserved_microusd") - amount)
    return RUN_BUDGET


def _add_to_day(amount: int, *, day: date) -> bool:
    SpendDay.objects.get_or_create(day=day)
    limit = settings.DAILY_BUDGET_USD
    within = Q() if limit is None else Q(reserved_microusd__lte=_room(micros(limit), amount))
    today = SpendDay.objects.filter(within, day=day)
    return bool(today.update(reserved_microusd=F("reserved_microusd") + amount))


def _room(limit: int, amount: int) -> CombinedExpression:
    return limit - amount - F("spent_microusd")


def settle(calls: Iterable[tuple[int, date, int, int]]) -> None:
    """Turn reservations into spending: (run, day of the call, reserved, cost) for each call."""
    by_run: dict[int, _Sums] = defaultdict(_Sums)
    by_day: dict[date, _Sums] = defaultdict(_Sums)
    for run_id, day, reserved, cost in calls:
        by_run[run_id].add(reserved, cost)
        by_day[day].add(reserved, cost)
    # Days before runs, as reserve() does: two workers would else wait for each other's rows.
    for day, sums in sorted(by_day.items(), key=itemgetter(0)):
        SpendDay.objects.filter(day=day).update(**sums.as_changes())
    for run_id, sums in sorted(by_run.items(), key=itemgetter(0)):
        Run.objects.filter(pk=run_id).update(**sums.as_changes())


@dataclass(slots=True)
class _Sums:
    reserved: int = 0
    spent: int = 0

    def add(self, reserved: int, spent: int) -> None:
        self.reserved += reserved
        self.spent += spent

    def as_changes(self) -> dict[str, CombinedExpression]:
        return {
            "reserved_microusd": F("reserved_microusd") - self.reserved,
            "spent_microusd": F("spent_microusd") + self.spent,
        }
