"""Spending by day, model, tier, scene and user, and the cost of a published picture."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Final, NamedTuple

from django.contrib.auth import get_user_model
from django.db.models import Count, Q

from nb_catalog.core.states import ImageState
from nb_catalog.models import (
    DailySpendTotal,
    PlacementEvent,
    ProductImage,
    ProviderCall,
)
from nb_catalog.models.db.money import usd
from nb_catalog.models.images import ImageKind

# The number of rows of a table; the rest is summed up in one more row.
MOST_ROWS: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class SpendGroup:
    """One row: the spending of a day, a model, a scene or a user. ``open_usd`` is reserved for calls of
    unknown cost."""

    name: str
    calls: int
    spent_usd: Decimal
    open_usd: Decimal

    @property
    def at_most_usd(self) -> Decimal:
        return self.spent_usd + self.open_usd


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Spending from the day ``first`` to the day ``last``, inclusive, in UTC.

    ``published`` counts pictures made in that period that were ever published. Rejected drafts and
    failed attempts are part of their cost.
    """

    first: date
    last: date
    total: SpendGroup
    days: tuple[SpendGroup, ...]
    models: tuple[SpendGroup, ...]
    tiers: tuple[SpendGroup, ...]
    scenes: tuple[SpendGroup, ...]
    users: tuple[SpendGroup, ...]
    made: int
    approved: int
    rejected: int
    published: int

    @property
    def usd_per_published(self) -> Decimal | None:
        """None if nothing has been published."""
        return self.total.spent_usd / self.published if self.published else None


class SpendEntry(NamedTuple):
    """Number and micro-dollars of similar calls. ``user`` is a primary key as text, or empty."""

    day: date
    model: str
    tier: str
    scene: str
    user: str
    calls: int
    spent: int
    open: int


def report(*, first: date, last: date) -> Report:
    """Return what was spent from ``first`` to ``last``. A constant number of queries, which read the
    daily totals, the calls of unknown cost, and of pictures no more than an index."""
    entries = [*_entries(first, last)]
    users = get_user_model()
    rows = users._default_manager.filter(pk__in={entry.user for entry in entries if entry.user})
    # Deleted users have no name.
    names = {str(key): str(name) for key, name in rows.values_list("pk", users.USERNAME_FIELD)}
    days = _sums(entries, lambda entry: entry.day.isoformat())
    # Days without a call too: a chart needs them.
    every_day = [
        (first + timedelta(days=number)).isoformat() for number in range((last - first).days + 1)
    ]
    start, end = _midnight(first), _midnight(last + timedelta(days=1))
    made = ProductImage.objects.filter(
        kind=ImageKind.PICTURE, created_at__gte=start, created_at__lt=end
    )
    states = dict(made.order_by().values_list("state").annotate(Count("id")))
    published = PlacementEvent.objects.filter(
        image_after__kind=ImageKind.PICTURE,
        image_after__created_at__gte=start,
        image_after__created_at__lt=end,
    )
    return Report(
        first=first,
        last=last,
        total=_group("", _sums(entries, lambda entry: "").get("", _NOTHING)),
        days=tuple(_group(day, days.get(day, _NOTHING)) for day in every_day),
        models=_by(entries, lambda entry: entry.model),
        tiers=_by(entries, lambda entry: entry.tier),
        scenes=_by(entries, lambda entry: entry.scene),
        users=_by(entries, lambda entry: names.get(entry.user, "")),
        made=sum(states.values()),
        approved=states.get(ImageState.APPROVED, 0) + states.get(ImageState.RETIRED, 0),
        rejected=states.get(ImageState.REJECTED, 0),
        published=published.order_by().values("image_after").distinct().count(),
    )


# Calls, spent, open.
Sums = tuple[int, int, int]
_NOTHING: Final[Sums] = (0, 0, 0)


def _entries(first: date, last: date) -> Iterator[SpendEntry]:
    """Yield the daily totals of settled calls, then each call of unknown cost."""
    totals = DailySpendTotal.objects.filter(day__gte=first, day__lte=last).order_by()
    for day, model, tier, scene, user, calls, spent in totals.values_list(
        "day", "model", "tier", "scene", "user", "calls", "spent_microusd"
    ):
        yield SpendEntry(day, model, tier, scene, user, calls, spent, open=0)
    sent = Q(started_at__gte=_midnight(first), started_at__lt=_midnight(last + timedelta(days=1)))
    unsettled = ProviderCall.objects.filter(sent, cost_microusd=None).order_by()
    for started_at, model, tier, scene, actor, estimate in unsettled.values_list(
        "started_at", "model", "tier", "scene", "run__actor", "estimate_microusd"
    ):
        day, key = started_at.astimezone(UTC).date(), "" if actor is None else str(actor)
        yield SpendEntry(day, model, tier, scene, key, calls=1, spent=0, open=estimate)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(0), tzinfo=UTC)


def _sums(entries: Iterable[SpendEntry], name_of: Callable[[SpendEntry], str]) -> dict[str, Sums]:
    sums: dict[str, Sums] = defaultdict(lambda: _NOTHING)
    for entry in entries:
        calls, spent, still_open = sums[name_of(entry)]
        new = (calls + entry.calls, spent + entry.spent, still_open + entry.open)
        sums[name_of(entry)] = new
    return dict(sums)


def _group(name: str, sums: Sums) -> SpendGroup:
    calls, spent, still_open = sums
    return SpendGroup(name=name, calls=calls, spent_usd=usd(spent), open_usd=usd(still_open))


def _by(
    entries: Iterable[SpendEntry], name_of: Callable[[SpendEntry], str]
) -> tuple[SpendGroup, ...]:
    """Group and sort by cost, the highest first; the rest after ``MOST_ROWS`` has an empty name."""
    sums = _sums(entries, lambda entry: name_of(entry) or "-")
    groups = sorted(
        (_group(name, each) for name, each in sums.items()),
        key=lambda group: (-group.at_most_usd, group.name),
    )
    rest = groups[MOST_ROWS:]
    if not rest:
        return tuple(groups)
    other = SpendGroup(
        name="",
        calls=sum(group.calls for group in rest),
        spent_usd=sum((group.spent_usd for group in rest), Decimal(0)),
        open_usd=sum((group.open_usd for group in rest), Decimal(0)),
    )
    return (*groups[:MOST_ROWS], other)
