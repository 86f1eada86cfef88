"""What calls cost at most, where they have cost more than was reserved for them.

Thinking is billed and not announced, and no service promises a limit for it. A call that exceeds its
estimate therefore raises what is reserved for the next ones of its model, size and mode, for a month.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import timedelta
from typing import Final, NamedTuple

from nb_catalog.models import CostCeiling
from nb_catalog.models.db.clock import database_now

VALID_FOR: Final = timedelta(days=30)


class CeilingKey(NamedTuple):
    """Calls that are expected to cost the same. ``size`` is "" for texts."""

    model: str
    size: str
    mode: str


def record(overruns: Iterable[tuple[CeilingKey, int]]) -> None:
    """Record costs in micro-dollars that exceeded their reservations. Call it in the transaction that
    settles the calls."""
    highest: dict[CeilingKey, int] = {}
    for key, cost in overruns:
        highest[key] = max(cost, highest.get(key, 0))
    known = ceilings_of(highest)
    # A fixed order prevents deadlocks between workers.
    for key, cost in sorted(highest.items()):
        if cost > known.get(key, 0):
            CostCeiling.objects.update_or_create(
                **key._asdict(), defaults={"cost_microusd": cost, "seen_at": database_now()}
            )


def ceilings_of(keys: Collection[CeilingKey]) -> Mapping[CeilingKey, int]:
    """Return the highest recent cost in micro-dollars for those of ``keys`` that have exceeded their
    reservations."""
    if not keys:
        return {}
    rows = CostCeiling.objects.filter(
        model__in={key.model for key in keys}, seen_at__gt=database_now() - VALID_FOR
    )
    return {
        CeilingKey(model, size, mode): cost
        for model, size, mode, cost in rows.values_list("model", "size", "mode", "cost_microusd")
    }
