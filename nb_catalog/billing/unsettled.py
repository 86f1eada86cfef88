"""Calls of unknown cost: their money stays reserved until somebody states the cost."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.db import transaction
from django.db.models import QuerySet, Sum

from nb_catalog.billing import budgets
from nb_catalog.core.types import Actor
from nb_catalog.models import ProviderCall
from nb_catalog.models.billing import CallOutcome
from nb_catalog.models.db.clock import database_now


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
        calls = unsettled_calls().filter(pk__in=keys).order_by("pk")
        settled = []
        for call in calls:
            cost = call.estimate_microusd if cost_microusd is None else cost_microusd
            still_open = ProviderCall.objects.filter(pk=call.pk, cost_microusd=None)
            if still_open.update(cost_microusd=cost, settled_by=actor, settled_at=database_now()):
                call.cost_microusd = cost
                settled.append(budgets.settled_call(call))
        budgets.settle(settled)
    return len(settled)
