"""Calls of unknown cost: their money stays reserved until somebody states the cost."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet, Sum

from nb_catalog.billing import budgets, paid_requests
from nb_catalog.core.types import Actor
from nb_catalog.models import ProviderCall, TextCall
from nb_catalog.models.billing import CallOutcome
from nb_catalog.models.db.clock import database_now
from nb_catalog.models.text_calls import TextOutcome


def unsettled_calls() -> QuerySet[ProviderCall]:
    """Return finished or lost calls of unknown cost, the oldest first."""
    calls = ProviderCall.objects.filter(cost_microusd=None).exclude(outcome=CallOutcome.IN_FLIGHT)
    return calls.order_by("started_at", "id")


def unsettled_total(calls: QuerySet[Any]) -> int:
    """Return what is reserved for ``calls``, in micro-dollars: the most that they may have cost."""
    return calls.aggregate(total=Sum("estimate_microusd"))["total"] or 0


def settle_manually(
    keys: Collection[int], *, cost_microusd: int | None, actor: Actor = None
) -> int:
    """Settle calls of unknown cost by what a person found on the invoice. Return how many.

    ``cost_microusd`` is the cost of each of them, 0 if it was not billed; None takes the estimate.
    A call whose cost is known, or becomes known in the meantime, is not changed.
    """
    with transaction.atomic():
        calls = unsettled_calls().filter(pk__in=keys).select_related("job").order_by("pk")
        settled = []
        for call in calls:
            cost = call.estimate_microusd if cost_microusd is None else cost_microusd
            still_open = ProviderCall.objects.filter(pk=call.pk, cost_microusd=None)
            if still_open.update(cost_microusd=cost, settled_by=actor, settled_at=database_now()):
                call.cost_microusd = cost
                settled.append(budgets.settled_call(call, run_id=call.job.run_id))
        budgets.settle(settled)
    return len(settled)


def unsettled_text_calls() -> QuerySet[TextCall]:
    """Return finished, lost or abandoned requests for texts of unknown cost, the oldest first."""
    since = database_now() - paid_requests.MAX_AGE
    calls = TextCall.objects.filter(cost_microusd=None)
    in_flight = Q(outcome=TextOutcome.IN_FLIGHT, started_at__gt=since)
    return calls.exclude(in_flight).order_by("started_at", "id")


def settle_text_calls_manually(
    keys: Collection[int], *, cost_microusd: int | None, actor: Actor = None
) -> int:
    """Settle requests for texts, as ``settle_manually`` does calls. Return how many."""
    settled = 0
    with transaction.atomic():
        paid_requests.mark_lost()
        for call in unsettled_text_calls().filter(pk__in=keys).select_related("actor"):
            cost = call.estimate_microusd if cost_microusd is None else cost_microusd
            still_open = TextCall.objects.filter(pk=call.pk, cost_microusd=None)
            if still_open.update(cost_microusd=cost, settled_by=actor, settled_at=database_now()):
                call.cost_microusd = cost
                budgets.settle_text_request(call)
                settled += 1
    return settled
