"""Pauses: when nothing may be sent to a provider, or to one of its models."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import Q

from nb_catalog.core import logs
from nb_catalog.core.event_types import EventType
from nb_catalog.core.text import message_line
from nb_catalog.exceptions import (
    BackoffScope,
    DailyQuotaReached,
    Overloaded,
    ProviderError,
    RateLimited,
)
from nb_catalog.models import ProviderPause
from nb_catalog.models.db.clock import database_now
from nb_catalog.models.db.compiled import compile_once
from nb_catalog.ratelimit.limiter import reduce_concurrency
from nb_catalog.signals import events

logger = logging.getLogger(__name__)

# A circuit breaker: the person who has fixed the cause deletes the row in the admin.
UNTIL_A_PERSON_ACTS: Final = timedelta(days=3650)
SHORTEST_PAUSE: Final = timedelta(seconds=2)
# Hosts are informed of pauses from this length on: shorter ones come and go by the hundred.
REPORTED_FROM: Final = timedelta(minutes=1)
# In place of a model: every model of the provider.
EVERY_MODEL: Final = ""


def backoff_for(error: Exception) -> timedelta | None:
    """Return how long ``error`` stops further calls; None if it concerns one call only."""
    if not isinstance(error, ProviderError) or not error.stops:
        return None
    if error.needs_person:
        return UNTIL_A_PERSON_ACTS
    return max(SHORTEST_PAUSE, timedelta(seconds=error.retry_after or 0))


def is_overload(error: Exception) -> bool:
    """Return whether ``error`` reports too many concurrent calls."""
    too_many = isinstance(error, RateLimited | Overloaded)
    return too_many and not isinstance(error, DailyQuotaReached)


def record_backoff(error: Exception, *, provider: str, model: str) -> None:
    """Store what ``error`` means for other calls: a pause, or fewer at a time."""
    if is_overload(error):
        reduce_concurrency(provider, model, now=database_now())
    wait = backoff_for(error)
    if wait is None or not isinstance(error, ProviderError):
        return
    pause(
        provider,
        EVERY_MODEL if error.stops == BackoffScope.PROVIDER else model,
        until=database_now() + wait,
        reason=str(error),
        cause=error.code,
    )


def pause(provider: str, model: str, *, until: datetime, reason: str, cause: str = "") -> None:
    """Send nothing to ``model`` before ``until``. A longer pause that exists is not shortened.

    A pause of ``REPORTED_FROM`` or longer is an event, unless one was there that has as long to go.
    """
    changes = {"until": until, "reason": message_line(reason, 200), "cause": cause}
    soon = database_now() + REPORTED_FROM
    with transaction.atomic():
        row, created = ProviderPause.objects.get_or_create(
            provider=provider, model=model, defaults=changes
        )
        if not created:
            rows = ProviderPause.objects.filter(provider=provider, model=model)
            if not rows.filter(until__lt=until).update(**changes):
                return
        if until >= soon and (created or row.until < soon):
            needs_person = until > soon + UNTIL_A_PERSON_ACTS / 2
            facts = {"until": until, "cause": cause, "needs_person": needs_person}
            events.record(
                EventType.PROVIDER_PAUSED, [{"provider": provider, "model": model, **facts}]
            )
    logger.warning(
        "Nothing is sent to %s %s until %s (%s).",
        provider,
        model,
        until.isoformat(timespec="seconds"),
        cause,
        extra=logs.fields(provider=provider, model=model, cause=cause, until=until.isoformat()),
    )


def active_pauses(now: datetime) -> set[tuple[str, str]]:
    """Return (provider, model) of everything paused at ``now``; ``EVERY_MODEL`` for a whole provider."""
    if not _any_row():
        return set()
    rows = ProviderPause.objects.filter(until__gt=now)
    return set(rows.values_list("provider", "model"))


_any_row = compile_once(lambda: ProviderPause.objects.values_list("pk")[:1])


def is_paused(provider: str, model: str, *, among: Collection[tuple[str, str]]) -> bool:
    """Return whether one of the pauses ``among`` applies to ``model``."""
    return (provider, model) in among or (provider, EVERY_MODEL) in among


def exclude_models(keys: Iterable[tuple[str, str]]) -> Q:
    """Return a condition on jobs: for none of these models; ``EVERY_MODEL`` for a whole provider."""
    condition = Q()
    for provider, model in sorted(keys):
        named = {} if model == EVERY_MODEL else {"model": model}
        condition &= ~Q(provider=provider, **named)
    return condition
