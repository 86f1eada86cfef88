"""Money: reserved before a call goes out, settled when it is answered. Whole micro-dollars."""

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

from nb_catalog import signals
from nb_catalog.billing import daily_totals
from nb_catalog.conf import settings
from nb_catalog.core import logs
from nb_catalog.core.types import Actor
from nb_catalog.models import DailyBudget, DailyBudgetShare, ProviderCall, Run, TextCall
from nb_catalog.models.billing import ShareKind
from nb_catalog.models.db.money import micros

logger = logging.getLogger(__name__)

RUN_BUDGET: Final = "run_budget"
DAY_BUDGET: Final = "day_budget"
TIER_BUDGET: Final = "tier_budget"
USER_BUDGET: Final = "user_budget"
# The tier, in reports and budgets, of requests that make no picture.
TEXT: Final = "text"
# These have room again at midnight UTC.
DAILY: Final = (DAY_BUDGET, TIER_BUDGET, USER_BUDGET)


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetOwner:
    """Whose budgets a run's calls count against. ``user`` is a primary key as text, or empty;
    ``run_id`` is 0 for calls of no run."""

    run_id: int
    tier: str
    user: str
    username: str


class SettledCall(NamedTuple):
    """A call whose cost has become known. ``day`` is the UTC day it was sent on."""

    run_id: int
    day: date
    reserved_microusd: int
    cost_microusd: int
    model: str
    scene: str


@dataclass(frozen=True, slots=True)
class _BudgetRow:
    """One row that an amount is added to, unless it has no room for it."""

    rows: QuerySet[Any]
    room: Q
    reached: str

    def add(self, amount: int) -> bool:
        changed = self.rows.filter(self.room)
        return bool(changed.update(reserved_microusd=F("reserved_microusd") + amount))

    def take_back(self, amount: int) -> None:
        self.rows.update(reserved_microusd=F("reserved_microusd") - amount)


def reserve(amounts: Mapping[int, Mapping[int, int]], *, day: date) -> set[int]:
    """Reserve micro-dollars: run -> {job: amount}. Answers the jobs that were let through.

    A budget that is reached pauses the run and fails nothing. Call it inside the transaction
    that writes the call rows.
    """
    let_through: set[int] = set()
    payers = owners_of(amounts)
    for run_id, jobs in sorted(amounts.items(), key=itemgetter(0)):
        if _reserve(payers[run_id], sum(jobs.values()), day=day) is None:
            let_through |= jobs.keys()
        else:
            let_through |= _one_by_one(payers[run_id], jobs, day=day)
    return let_through


def _one_by_one(payer: BudgetOwner, jobs: Mapping[int, int], *, day: date) -> set[int]:
    let_through = set()
    for job_id, amount in jobs.items():
        reached = _reserve(payer, amount, day=day)
        if reached is not None:
            runs = Run.objects.filter(pk=payer.run_id, paused_reason="")
            if runs.update(paused_reason=reached):
                logger.warning(
                    "Run %s is paused: %s.",
                    payer.run_id,
                    reached,
                    extra=logs.fields(run=payer.run_id, reason=reached),
                )
                signals.send_on_commit(
                    signals.budget_paused, sender=Run, run_id=payer.run_id, reason=reached
                )
            break
        let_through.add(job_id)
    return let_through


def _reserve(payer: BudgetOwner, amount: int, *, day: date) -> str | None:
    """Reserve in every purse, or in none and say which budget is reached."""
    added: list[_BudgetRow] = []
    for purse in _budget_rows(payer, amount, day=day):
        if not purse.add(amount):
            for earlier in added:
                earlier.take_back(amount)
            return purse.reached
        added.append(purse)
    return None


def _budget_rows(payer: BudgetOwner, amount: int, *, day: date) -> Iterator[_BudgetRow]:
    """The day's before the others', and the run's last: two workers would else wait for each
    other's rows."""
    DailyBudget.objects.get_or_create(day=day)
    today = DailyBudget.objects.filter(day=day)
    yield _BudgetRow(today, _has_room(settings.DAILY_BUDGET_USD, amount), DAY_BUDGET)
    for kind, name, limit, reached in _shares(payer):
        DailyBudgetShare.objects.get_or_create(day=day, kind=kind, name=name)
        share = DailyBudgetShare.objects.filter(day=day, kind=kind, name=name)
        yield _BudgetRow(share, _has_room(limit, amount), reached)
    if not payer.run_id:
        return
    total = F("reserved_microusd") + F("spent_microusd") + amount
    within = Q(budget_microusd__isnull=True) | Q(budget_microusd__gte=total)
    run = Run.objects.filter(pk=payer.run_id, paused_reason="")
    yield _BudgetRow(run, within, RUN_BUDGET)


def _shares(payer: BudgetOwner) -> Iterator[tuple[str, str, Decimal | None, str]]:
    """(kind, name, budget of a day, what it is called when it is reached)"""
    yield ShareKind.TIER, payer.tier, settings.TIER_DAILY_BUDGETS_USD.get(payer.tier), TIER_BUDGET
    if payer.user:
        budgets = settings.USER_DAILY_BUDGETS_USD
        limit = budgets.get(payer.username, budgets.get("*"))
        yield ShareKind.USER, payer.user, limit, USER_BUDGET


def _has_room(limit: Decimal | None, amount: int) -> Q:
    return Q() if limit is None else Q(reserved_microusd__lte=_room(micros(limit), amount))


def _room(limit: int, amount: int) -> CombinedExpression:
    return limit - amount - F("spent_microusd")


def owners_of(run_ids: Collection[int]) -> dict[int, BudgetOwner]:
    """Whose budgets the calls of these runs count against."""
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


def settled_call(call: ProviderCall, *, run_id: int) -> SettledCall:
    """What is to settle of a call with a known cost."""
    assert call.cost_microusd is not None  # noqa: S101 - asked only then
    return SettledCall(
        run_id=run_id,
        day=call.started_at.date(),
        reserved_microusd=call.estimate_microusd,
        cost_microusd=call.cost_microusd,
        model=call.model,
        scene=call.scene,
    )


def settle(calls: Iterable[SettledCall]) -> None:
    """Turn reservations into spending, and enter it into the daybook."""
    calls = list(calls)
    _record_spending(calls, owners_of({call.run_id for call in calls}))


def reserve_text_request(actor: Actor, amount: int, *, day: date) -> str | None:
    """Reserve micro-dollars for a request about words: None, or which budget of the day is reached. Call it
    inside the transaction that writes the request's row."""
    return _reserve(_text_request_owner(actor), amount, day=day)


def settle_text_request(call: TextCall) -> None:
    """Turn the reservation of a request about words, whose cost is known, into spending."""
    assert call.cost_microusd is not None  # noqa: S101 - asked only then
    payer = _text_request_owner(call.actor)
    told = SettledCall(
        run_id=payer.run_id,
        day=call.started_at.date(),
        reserved_microusd=call.estimate_microusd,
        cost_microusd=call.cost_microusd,
        model=call.model,
        scene="",
    )
    _record_spending([told], {payer.run_id: payer})


def _text_request_owner(actor: Actor) -> BudgetOwner:
    user = "" if actor is None else str(actor.pk)
    name = "" if actor is None else str(actor.get_username())
    return BudgetOwner(run_id=0, tier=TEXT, user=user, username=name)


def _record_spending(calls: Iterable[SettledCall], payers: Mapping[int, BudgetOwner]) -> None:
    lines = daily_totals.Totals()
    by_run: dict[int, _Amounts] = defaultdict(_Amounts)
    by_day: dict[date, _Amounts] = defaultdict(_Amounts)
    by_share: dict[tuple[date, str, str], _Amounts] = defaultdict(_Amounts)
    for run_id, day, reserved, cost, model, scene in calls:
        payer = payers[run_id]
        by_run[run_id].add(reserved, cost)
        by_day[day].add(reserved, cost)
        for kind, name, _limit, _reached in _shares(payer):
            by_share[day, kind, name].add(reserved, cost)
        lines.add(daily_totals.TotalsKey(day, model, payer.tier, scene, payer.user), cost=cost)
    # In the order of reserve(): two workers would else wait for each other's rows.
    for day, sums in sorted(by_day.items(), key=itemgetter(0)):
        DailyBudget.objects.filter(day=day).update(**sums.as_changes())
    for (day, kind, name), sums in sorted(by_share.items(), key=itemgetter(0)):
        DailyBudgetShare.objects.filter(day=day, kind=kind, name=name).update(**sums.as_changes())
    daily_totals.add(lines)
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
    """Let runs go on that were paused by a budget of a day, where it has room again; how many."""
    paused = Run.objects.filter(paused_reason__in=DAILY)
    reasons = dict(paused.values_list("pk", "paused_reason"))
    going = [
        payer.run_id
        for payer in owners_of(reasons).values()
        if _is_open(payer, reasons[payer.run_id], day=day)
    ]
    return paused.filter(pk__in=going).update(paused_reason="")


def _is_open(payer: BudgetOwner, reason: str, *, day: date) -> bool:
    # Room for a micro-dollar: whether a picture fits is for reserve() to say.
    least = 1
    if reason == DAY_BUDGET:
        limit = settings.DAILY_BUDGET_USD
        rows: QuerySet[Any] = DailyBudget.objects.filter(day=day)
    else:
        share = next((each for each in _shares(payer) if each[3] == reason), None)
        if share is None:
            return True
        kind, name, limit, _reached = share
        rows = DailyBudgetShare.objects.filter(day=day, kind=kind, name=name)
    return limit is None or not rows.exclude(_has_room(limit, least)).exists()


def resumes_at(reason: str, *, now: datetime) -> datetime | None:
    """When a run that is paused for ``reason`` goes on by itself; None: when somebody raises the
    budget."""
    if reason not in DAILY:
        return None
    tomorrow = now.astimezone(UTC).date() + timedelta(days=1)
    return datetime.combine(tomorrow, time(0), tzinfo=UTC)
