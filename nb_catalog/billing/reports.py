"""Spending by day, model, tier, scene and user, and what a published picture came to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Final, NamedTuple

from django.contrib.auth import get_user_model
from django.db.models import Count, Q

from nb_catalog.billing import budgets
from nb_catalog.core.states import ImageState
from nb_catalog.models import (
    DailySpendTotal,
    PlacementEvent,
    ProductImage,
    ProviderCall,
    TextCall,
)
from nb_catalog.models.db.money import usd
from nb_catalog.models.images import ImageKind

# So many rows of a table are shown; the rest is one row.
MOST_ROWS: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class SpendGroup:
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
        """None while nothing is published: dividing by nothing is no price."""
        return self.total.spent_usd / self.published if self.published else None


def report(*, first: date, last: date) -> Report:
    """What was spent from ``first`` to ``last``. A constant number of queries, which read the daybook's
    lines and the calls whose cost is not known, and of pictures no more than an index."""
    entries = [*_settled(first, last), *_open(first, last), *_open_words(first, last)]
    names = _usernames({entry.user for entry in entries})
    days = _sums(entries, lambda entry: entry.day.isoformat())
    return Report(
        first=first,
        last=last,
        total=_line("", _sums(entries, lambda entry: "").get("", _NOTHING)),
        days=tuple(_line(name, days.get(name, _NOTHING)) for name in _every_day(first, last)),
        models=_by(entries, lambda entry: entry.model),
        tiers=_by(entries, lambda entry: entry.tier),
        scenes=_by(entries, lambda entry: entry.scene),
        users=_by(entries, lambda entry: names.get(entry.user, "")),
        **_pictures(first, last),
    )


class SpendEntry(NamedTuple):
    """Calls that are alike, and micro-dollars. ``user`` is a primary key as text, or empty."""

    day: date
    model: str
    tier: str
    scene: str
    user: str
    calls: int
    spent: int
    open: int


# Calls, spent, open.
Sums = tuple[int, int, int]
_NOTHING: Final[Sums] = (0, 0, 0)


def _settled(first: date, last: date) -> Iterator[SpendEntry]:
    lines = DailySpendTotal.objects.filter(day__gte=first, day__lte=last).order_by()
    columns = ("day", "model", "tier", "scene", "user", "calls", "spent_microusd")
    for day, model, tier, scene, user, calls, spent in lines.values_list(*columns):
        yield SpendEntry(day, model, tier, scene, user, calls, spent, open=0)


def _open(first: date, last: date) -> Iterator[SpendEntry]:
    calls = ProviderCall.objects.filter(_sent(first, last), cost_microusd=None)
    columns = ("started_at", "model", "tier", "scene", "job__run__actor", "estimate_microusd")
    for started_at, model, tier, scene, user, estimate in calls.order_by().values_list(*columns):
        day, key = started_at.astimezone(UTC).date(), "" if user is None else str(user)
        yield SpendEntry(day, model, tier, scene, key, calls=1, spent=0, open=estimate)


def _open_words(first: date, last: date) -> Iterator[SpendEntry]:
    calls = TextCall.objects.filter(_sent(first, last), cost_microusd=None)
    columns = ("started_at", "model", "actor", "estimate_microusd")
    for started_at, model, user, estimate in calls.order_by().values_list(*columns):
        day, key = started_at.astimezone(UTC).date(), "" if user is None else str(user)
        yield SpendEntry(day, model, budgets.TEXT, "", key, calls=1, spent=0, open=estimate)


def _sent(first: date, last: date) -> Q:
    return Q(started_at__gte=_midnight(first), started_at__lt=_midnight(last + timedelta(days=1)))


def _usernames(keys: Iterable[str]) -> Mapping[str, str]:
    """Names by key. Who is gone has none."""
    model = get_user_model()
    rows = model._default_manager.filter(pk__in=[key for key in keys if key])
    return {str(key): str(name) for key, name in rows.values_list("pk", model.USERNAME_FIELD)}


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(0), tzinfo=UTC)


def _sums(entries: Iterable[SpendEntry], name_of: Callable[[SpendEntry], str]) -> dict[str, Sums]:
    sums: dict[str, Sums] = defaultdict(lambda: _NOTHING)
    for entry in entries:
        calls, spent, still_open = sums[name_of(entry)]
        new = (calls + entry.calls, spent + entry.spent, still_open + entry.open)
        sums[name_of(entry)] = new
    return dict(sums)


def _line(name: str, sums: Sums) -> SpendGroup:
    calls, spent, still_open = sums
    return SpendGroup(name=name, calls=calls, spent_usd=usd(spent), open_usd=usd(still_open))


def _every_day(first: date, last: date) -> Iterator[str]:
    """Those without a call too: a chart needs them."""
    for number in range((last - first).days + 1):
        yield (first + timedelta(days=number)).isoformat()


def _by(
    entries: Iterable[SpendEntry], name_of: Callable[[SpendEntry], str]
) -> tuple[SpendGroup, ...]:
    """The dearest first, what is beyond the first ones as one line with an empty name."""
    sums = _sums(entries, lambda entry: name_of(entry) or "-")
    lines = sorted(
        (_line(name, each) for name, each in sums.items()),
        key=lambda line: (-line.at_most_usd, line.name),
    )
    rest = lines[MOST_ROWS:]
    if not rest:
        return tuple(lines)
    other = SpendGroup(
        name="",
        calls=sum(line.calls for line in rest),
        spent_usd=sum((line.spent_usd for line in rest), Decimal(0)),
        open_usd=sum((line.open_usd for line in rest), Decimal(0)),
    )
    return (*lines[:MOST_ROWS], other)


def _pictures(first: date, last: date) -> dict[str, int]:
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
    return {
        "made": sum(states.values()),
        "approved": states.get(ImageState.APPROVED, 0) + states.get(ImageState.RETIRED, 0),
        "rejected": states.get(ImageState.REJECTED, 0),
        "published": published.order_by().values("image_after").distinct().count(),
    }
