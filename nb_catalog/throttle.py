"""When nothing may be sent to a provider's model. Kept in the database: all workers heed it."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Q

from nb_catalog.exceptions import ProviderStopped, RateLimited
from nb_catalog.models import ProviderPause

# A stopped provider waits for a person, who deletes the row in the admin.
UNTIL_A_PERSON_ACTS = timedelta(days=3650)
SHORTEST_PAUSE = timedelta(seconds=2)


def pause_of(error: Exception) -> timedelta | None:
    """How long ``error`` stops every call to the model, or None when it is about one call only."""
    if isinstance(error, ProviderStopped):
        return UNTIL_A_PERSON_ACTS
    if isinstance(error, RateLimited):
        return max(SHORTEST_PAUSE, timedelta(seconds=error.retry_after or 0))
    return None


def pause(provider: str, model: str, *, until: datetime, reason: str) -> None:
    """Send nothing to ``model`` before ``until``; a longer pause that stands is not shortened."""
    changes = {"until": until, "reason": reason[:200]}
    _row, created = ProviderPause.objects.get_or_create(
        provider=provider, model=model, defaults=changes
    )
    if not created:
        rows = ProviderPause.objects.filter(provider=provider, model=model)
        rows.filter(until__lt=until).update(**changes)


def paused(now: datetime) -> set[tuple[str, str]]:
    """(provider, model) of everything that waits at ``now``."""
    rows = ProviderPause.objects.filter(until__gt=now)
    return set(rows.values_list("provider", "model"))


def open_now(now: datetime) -> Q:
    """A condition on jobs: their provider's model is not paused at ``now``."""
    condition = Q()
    for provider, model in paused(now):
        condition &= ~Q(provider=provider, model=model)
    return condition
