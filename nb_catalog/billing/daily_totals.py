"""What settled calls came to, summed by day, model, tier, scene and user: reports read these few rows,
never every call."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Any, NamedTuple

from django.db.models import F

from nb_catalog.models import DailySpendTotal


class TotalsKey(NamedTuple):
    """What a line sums up. ``user`` is a primary key as text, or empty."""

    day: date
    model: str
    tier: str
    scene: str
    user: str


class Totals:
    """Calls and micro-dollars by heading."""

    def __init__(self) -> None:
        self.calls: Counter[TotalsKey] = Counter()
        self.spent: Counter[TotalsKey] = Counter()

    def add(self, heading: TotalsKey, *, cost: int) -> None:
        self.calls[heading] += 1
        self.spent[heading] += cost


def add(sums: Totals) -> None:
    """Add ``sums`` to the day's lines. Call it in the transaction that settles the calls."""
    # In one order: two workers would else wait for each other's rows.
    for heading in sorted(sums.calls):
        changes = {
            "calls": F("calls") + sums.calls[heading],
            "spent_microusd": F("spent_microusd") + sums.spent[heading],
        }
        line: dict[str, Any] = heading._asdict()
        if not DailySpendTotal.objects.filter(**line).update(**changes):
            DailySpendTotal.objects.get_or_create(**line)
            DailySpendTotal.objects.filter(**line).update(**changes)
