"""Budgets: money is reserved before a call is sent, and settled once its cost is known. Micro-dollars."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from operator import itemgetter
from typing import Any, Final, NamedTuple

from django.contrib.auth import get_user_model
from django.db.models import F, Q, QuerySet
from django.db.models.expressions import CombinedExpression

from nb_catalog.billing import daily_totals
from nb_catalog.conf import settings
from nb_catalog.core import logs
from nb_catalog.core.event_types import EventType
from nb_catalog.models import DailyBudget, DailyBudgetShare, ProviderCall, Run
from nb_catalog.models.billing import ShareKind
from nb_catalog.models.db.money import micros
from nb_catalog.signals import events

logger = logging.getLogger(__name__)

RUN_BUDGET: Final = "run_budget"
DAY_BUDGET: Final = "day_budget"
TIER_BUDGET: Final = "tier_budget"
USER_BUDGET: Final = "user_budget"
# The tier of runs that request texts, in reports and budgets.
TEXT: Final = "text"
# These are reset at midnight UTC.
DAILY: Final = (DAY_BUDGET, TIER_BUDGET, USER_BUDGET)


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetOwner:
    """Whose budgets a run's calls count against. ``user`` is a primary key as text, or empty;
    ``run_id`` is 0 for calls whose run was deleted."""

    run_id: int
    tier: str
    user: str
    username: str


class SettledCall(NamedTuple):
    """A call whose cost is known now. ``day`` is the UTC day on which it was sent; ``tier`` counts only
    if its run was deleted."""

    run_id: int
    day: date
    reserved_microusd: int
    cost_microusd: int
    model: str
    scene: str
    tier: str = ""


@dataclass(frozen=True, slots=True)
class _BudgetRow:
    """Rows (one) with a budget, the condition that an amount fits, and the code if it does not."""

    rows: QuerySet[Any]
    room: Q
    reached: str

    def add(self, amount: int) -> bool:
        changed = self.rows.filter(self.room)
        return bool(changed.update(reserved_microusd=F("reserved_microusd") + amount))

    def take_back(self, amount: int) -> None:
        self.rows.update(reserved_microusd=F("reserved_microusd") - amount)


def reserve(amounts: Mapping[int, Mapping[int, int]], *, day: date) -> set[int]:
    """Reserve micro-dollars: run -> {job: amount}. Return the jobs that fit into their budgets.

    A reached budget pauses the run; no job fails. Call it inside the transaction that writes the
    rows of the calls.
    """
    accepted: set[int] = set()
    owners = owners_of(amounts)
    for run_id, jobs in sorted(amounts.items(), key=itemgetter(0)):
        if _reserve(owners[run_id], sum(jobs.values()), day=day) is None:
            accepted |= jobs.keys()
            continue
        # All of them do not fit: as many as do, in order.
        for job_id, amount in jobs.items():
            reached = _reserve(owners[run_id], amount, day=day)
            if reached is not None:
                running = Run.objects.filter(pk=run_id, paused_reason="")
                if running.update(paused_reason=reached):
                    extra = logs.fields(run=run_id, reason=reached)
                    logger.warning("Run %s is paused: %s.", run_id, reached, extra=extra)
                    facts = {"run": run_id, "reason": reached, "resource": f"runs/{run_id}/"}
                    events.record(EventType.BUDGET_REACHED, [facts])
                break
            accepted.add(job_id)
    return accepted


def _reserve(owner: BudgetOwner, amount: int, *, day: date) -> str | None:
    """Reserve ``amount`` in every budget, or in none and return the code of the one that is reached."""
    added: list[_BudgetRow] = []
    for row in _budget_rows(owner, amount, day=day):
        if not row.add(amount):
            for earlier in added:
                earlier.take_back(amount)
            return row.reached
        added.append(row)
    return None


def _budget_rows(owner: BudgetOwner, amount: int, *, day: date) -> Iterator[_BudgetRow]:
    """Yield in lock order: day, shares, run. A fixed order prevents deadlocks between workers."""
    DailyBudget.objects.get_or_create(day=day)
    today = DailyBudget.objects.filter(day=day)
    yield _BudgetRow(today, _has_room(settings.DAILY_BUDGET_USD, amount), DAY_BUDGET)
    for kind, name, limit, reached in _shares(owner):
        DailyBudgetShare.objects.get_or_create(day=day, kind=kind, name=name)
        share = DailyBudgetShare.objects.filter(day=day, kind=kind, name=name)
        yield _BudgetRow(share, _has_room(limit, amount), reached)
    total = F("reserved_microusd") + F("spent_microusd") + amount
    within = Q(budget_microusd__isnull=True) | Q(budget_microusd__gte=total)
    run = Run.objects.filter(pk=owner.run_id, paused_reason="")
    yield _BudgetRow(run, within, RUN_BUDGET)


def _shares(owner: BudgetOwner) -> Iterator[tuple[str, str, Decimal | None, str]]:
    """Yield (kind, name, budget per day, code if it is reached)."""
    yield ShareKind.TIER, owner.tier, settings.TIER_DAILY_BUDGETS_USD.get(owner.tier), TIER_BUDGET
    if owner.user:
        budgets = settings.USER_DAILY_BUDGETS_USD
        limit = budgets.get(owner.username, budgets.get("*"))
        yield ShareKind.USER, owner.user, limit, USER_BUDGET


def _has_room(limit: Decimal | None, amount: int) -> Q:
    if limit is None:
        return Q()
    return Q(reserved_microusd__lte=micros(limit) - amount - F("spent_microusd"))


def owners_of(run_ids: Collection[int]) -> dict[int, BudgetOwner]:
    """Return run -> whose budgets its calls count against."""
    name = f"actor__{get_user_model().USERNAME_FIELD}"
    rows = Run.objects.filter(pk__in=run_ids).values_list("pk", "tier", "actor_id", name)
    return {
        run_id: BudgetOwner(
            run_id=run_id,
            tier=tier,
            user="" if user is None else str(user),
            username=str(username or ""),
        )
        for run_id, tier, user, username in rows
    }


def settled_call(call: ProviderCall) -> SettledCall:
    """Return what ``settle`` needs of a call whose cost is known."""
    assert call.cost_microusd is not None  # noqa: S101 - asked only then
    return SettledCall(
        run_id=call.run_id or 0,
        day=call.started_at.date(),
        reserved_microusd=call.estimate_microusd,
        cost_microusd=call.cost_microusd,
        model=call.model,
        scene=call.scene,
        tier=call.tier,
    )


def settle(calls: Iterable[SettledCall]) -> None:
    """Convert reservations to spending, and add it to the daily totals."""
    calls = list(calls)
    owners = owners_of({call.run_id for call in calls})
    totals = daily_totals.Totals()
    by_run: dict[int, _Amounts] = defaultdict(_Amounts)
    by_day: dict[date, _Amounts] = defaultdict(_Amounts)
    by_share: dict[tuple[date, str, str], _Amounts] = defaultdict(_Amounts)
    for run_id, day, reserved, cost, model, scene, tier in calls:
        owner = owners.get(run_id, BudgetOwner(run_id=0, tier=tier, user="", username=""))
        by_run[run_id].add(reserved, cost)
        by_day[day].add(reserved, cost)
        for kind, name, _limit, _reached in _shares(owner):
            by_share[day, kind, name].add(reserved, cost)
        totals.add(daily_totals.TotalsKey(day, model, owner.tier, scene, owner.user), cost=cost)
    # In the lock order of reserve().
    for day, sums in sorted(by_day.items(), key=itemgetter(0)):
        DailyBudget.objects.filter(day=day).update(**sums.as_changes())
    for (day, kind, name), sums in sorted(by_share.items(), key=itemgetter(0)):
        DailyBudgetShare.objects.filter(day=day, kind=kind, name=name).update(**sums.as_changes())
    daily_totals.add(totals)
    by_run.pop(0, None)
    for run_id, sums in sorted(by_run.items(), key=itemgetter(0)):
        Run.objects.filter(pk=run_id).update(**sums.as_changes())


@dataclass(slots=True)
class _Amounts:
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


def resume(*, day: date) -> int:
    """Resume runs that were paused by a daily budget which has room again. Return how many."""
    paused = Run.objects.filter(paused_reason__in=DAILY)
    reasons = dict(paused.values_list("pk", "paused_reason"))
    resumable = []
    for owner in owners_of(reasons).values():
        reason = reasons[owner.run_id]
        limit = settings.DAILY_BUDGET_USD
        rows: QuerySet[Any] = DailyBudget.objects.filter(day=day)
        if reason != DAY_BUDGET:
            share = next((each for each in _shares(owner) if each[3] == reason), None)
            kind, name, limit, _reached = share or ("", "", None, "")
            rows = DailyBudgetShare.objects.filter(day=day, kind=kind, name=name)
        # Room for one micro-dollar is enough here: reserve() decides whether a picture fits.
        if limit is None or not rows.exclude(_has_room(limit, 1)).exists():
            resumable.append(owner.run_id)
    return paused.filter(pk__in=resumable).update(paused_reason="")


def resumes_at(reason: str, *, now: datetime) -> datetime | None:
    """Return when a run that is paused for ``reason`` resumes automatically; None if only once somebody
    raises the budget."""
    if reason not in DAILY:
        return None
    tomorrow = now.astimezone(UTC).date() + timedelta(days=1)
    return datetime.combine(tomorrow, time(0), tzinfo=UTC)
