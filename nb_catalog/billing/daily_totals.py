"""Totals of settled calls by day, model, tier, scene and user: reports read these few rows instead of
every call."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Any, NamedTuple

from django.db.models import F

from nb_catalog.models import DailySpendTotal


class TotalsKey(NamedTuple):
    """What the calls of a total have in common. ``user`` is a primary key as text, or empty."""

    day: date
    model: str
    tier: str
    scene: str
    user: str


class Totals:
    """Number of calls and micro-dollars by key."""

    def __init__(self) -> None:
        self.calls: Counter[TotalsKey] = Counter()
        self.spent: Counter[TotalsKey] = Counter()

    def add(self, key: TotalsKey, *, cost: int) -> None:
        self.calls[key] += 1
        self.spent[key] += cost


def add(totals: Totals) -> None:
    """Add ``totals`` to the rows of the days. Call it in the transaction that settles the calls."""
    # A fixed order prevents deadlocks between workers.
    for key in sorted(totals.calls):
        changes = {
            "calls": F("calls") + totals.calls[key],
            "spent_microusd": F("spent_microusd") + totals.spent[key],
        }
        row: dict[str, Any] = key._asdict()
        if not DailySpendTotal.objects.filter(**row).update(**changes):
            DailySpendTotal.objects.get_or_create(**row)
            DailySpendTotal.objects.filter(**row).update(**changes)
