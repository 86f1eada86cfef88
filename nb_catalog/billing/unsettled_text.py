"""Requests for texts whose cost nobody knows: their money stays reserved as that of calls does."""

from __future__ import annotations

from collections.abc import Collection

from django.db import transaction
from django.db.models import Q, QuerySet

from nb_catalog.billing import budgets, paid_requests
from nb_catalog.core.types import Actor
from nb_catalog.models import TextCall
from nb_catalog.models.db.clock import database_now
from nb_catalog.models.text_calls import TextOutcome


def unsettled_text_calls() -> QuerySet[TextCall]:
    """Answered, lost or died in flight, and of unknown cost; the oldest first."""
    since = database_now() - paid_requests.MAX_AGE
    calls = TextCall.objects.filter(cost_microusd=None)
    out = Q(outcome=TextOutcome.IN_FLIGHT, started_at__gt=since)
    return calls.exclude(out).order_by("started_at", "id")


def settle_text_calls_manually(
    keys: Collection[int], *, cost_microusd: int | None, actor: Actor = None
) -> int:
    """Book what a person has found on the bill for open requests; how many there were.

    ``cost_microusd`` is for each of them, 0 for what was not billed; None books what was estimated.
    A request whose cost is known, or becomes known at this moment, stays as it is.
    """
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
