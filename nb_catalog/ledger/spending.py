"""Spending by day, model, tier, scene and user, and what a published picture came to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final

from django.contrib.auth import get_user_model
from django.db.models import Count, F, Q, QuerySet, Sum
from django.db.models.functions import TruncDate

from nb_catalog.models import PlacementEvent, ProductImage, ProviderCall
from nb_catalog.models.images import ImageKind
from nb_catalog.models.money import usd
from nb_catalog.states import ImageState

# So many rows of a table are shown; the rest is one row.
MOST_ROWS: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One row: what a day, a model, a scene or a user came to. ``open_usd`` is reserved for calls
    whose cost is not known."""

    name: str
    calls: int
    spent_usd: Decimal
    open_usd: Decimal

    @property
    def at_most_usd(self) -> Decimal:
        return self.spent_usd + self.open_usd


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Spending from the day ``first`` to the day ``last``, both with them, by UTC.

    ``published`` counts pictures made in that time that were ever published. Rejected drafts and
    failed tries are part of what they cost.
    """

    first: date
    last: date
    total: Line
    days: tuple[Line, ...]
    models: tuple[Line, ...]
    tiers: tuple[Line, ...]
    scenes: tuple[Line, ...]
    users: tuple[Line, ...]
    made: int
    approved: int
    rejected: int
    published: int

    @property
    def usd_per_published(self) -> Decimal | None:
        """None while nothing is published: dividing by nothing is no price."""
        return self.total.spent_usd / self.published if self.published else None


def report(*, first: date, last: date) -> Report:
    """What was spent from ``first`` to ``last``. A constant number of queries."""
    calls = ProviderCall.objects.filter(
        started_at__gte=_midnight(first), started_at__lt=_midnight(last + timedelta(days=1))
    )
    pictures = _pictures(first, last)
    return Report(
        first=first,
        last=last,
        total=_total(calls),
        days=tuple(_every_day(calls, first, last)),
        models=_by(calls, "model"),
        tiers=_by(calls, "tier"),
        scenes=_by(calls, "scene"),
        users=_by(calls, f"job__run__actor__{get_user_model().USERNAME_FIELD}"),
        **pictures,
    )


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(0), tzinfo=UTC)


_SUMS: Final = {
    "calls": Count("id"),
    "spent": Sum("cost_microusd"),
    "open": Sum("estimate_microusd", filter=Q(cost_microusd=None)),
}


def _total(calls: QuerySet[ProviderCall]) -> Line:
    return _line("", calls.aggregate(**_SUMS))


def _line(name: str, sums: Mapping[str, Any]) -> Line:
    return Line(
        name=name,
        calls=sums["calls"],
        spent_usd=usd(sums["spent"] or 0),
        open_usd=usd(sums["open"] or 0),
    )


def _every_day(calls: QuerySet[ProviderCall], first: date, last: date) -> Iterator[Line]:
    """A line for each day, for those without a call too: a chart needs them."""
    days = calls.order_by().annotate(day=TruncDate("started_at", tzinfo=UTC)).values("day")
    found: dict[date, Mapping[str, Any]] = {sums["day"]: sums for sums in days.annotate(**_SUMS)}
    nothing: Mapping[str, Any] = {"calls": 0, "spent": 0, "open": 0}
    for number in range((last - first).days + 1):
        day = first + timedelta(days=number)
        yield _line(day.isoformat(), found.get(day, nothing))


def _by(calls: QuerySet[ProviderCall], field: str) -> tuple[Line, ...]:
    """The dearest first, what is beyond the first ones as one line with an empty name."""
    rows = calls.order_by().values(of=F(field)).annotate(**_SUMS)
    sums: Iterator[Mapping[str, Any]] = iter(rows)
    lines = sorted(
        (_line("-" if row["of"] in (None, "") else str(row["of"]), row) for row in sums),
        key=lambda line: (-line.at_most_usd, line.name),
    )
    rest = lines[MOST_ROWS:]
    if not rest:
        return tuple(lines)
    other = Line(
        name="",
        calls=sum(line.calls for line in rest),
        spent_usd=sum((line.spent_usd for line in rest), Decimal(0)),
        open_usd=sum((line.open_usd for line in rest), Decimal(0)),
    )
    return (*lines[:MOST_ROWS], other)


def _pictures(first: date, last: date) -> dict[str, int]:
    made = ProductImage.objects.filter(
        kind=ImageKind.PICTURE,
        created_at__gte=_midnight(first),
        created_at__lt=_midnight(last + timedelta(days=1)),
    )
    states = dict(made.order_by().values_list("state").annotate(Count("id")))
    published = PlacementEvent.objects.filter(image_after__in=made).values("image_after").distinct()
    return {
        "made": sum(states.values()),
        "approved": states.get(ImageState.APPROVED, 0) + states.get(ImageState.RETIRED, 0),
        "rejected": states.get(ImageState.REJECTED, 0),
        "published": published.count(),
    }
