"""Calls whose cost nobody knows: their money stays reserved until somebody says what they cost."""

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
    """Answered or lost, and of unknown cost; the oldest first."""
    calls = ProviderCall.objects.filter(cost_microusd=None).exclude(outcome=CallOutcome.IN_FLIGHT)
    return calls.order_by("started_at", "id")


def unsettled_total(calls: QuerySet[Any]) -> int:
    """What ``calls`` may have cost together, in micro-dollars: what is reserved for them."""
    return calls.aggregate(total=Sum("estimate_microusd"))["total"] or 0


def settle_manually(
    keys: Collection[int], *, cost_microusd: int | None, actor: Actor = None
) -> int:
    """Book what a person has found on the bill for open calls; how many there were.

    ``cost_microusd`` is for each of them, 0 for what was not billed; None books what was estimated.
    A call whose cost is known, or becomes known at this moment, stays as it is.
    """
    with transaction.atomic():
        found = unsettled_calls().filter(pk__in=keys).select_related("job").order_by("pk")
        settled = []
        for call in found:
            cost = call.estimate_microusd if cost_microusd is None else cost_microusd
            still_open = ProviderCall.objects.filter(pk=call.pk, cost_microusd=None)
            if still_open.update(cost_microusd=cost, settled_by=actor, settled_at=database_now()):
                call.cost_microusd = cost
                settled.append(budgets.settled_call(call, run_id=call.job.run_id))
        budgets.settle(settled)
    return len(settled)
