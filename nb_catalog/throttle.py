"""When nothing may be sent to a provider's model. Kept in the database: all workers heed it."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from nb_catalog.exceptions import ProviderError, ProviderStopped, RateLimited
from nb_catalog.models import ProviderPause

# A stopped provider waits for a person, who deletes the row in the admin.
UNTIL_A_PERSON_ACTS = timedelta(days=3650)
SHORTEST_PAUSE = timedelta(seconds=2)


def pause(provider: str, model: str, *, error: ProviderError) -> None:
    """Stop sending to ``model`` for as long as ``error`` says."""
    until = timezone.now() + _how_long(error)
    row, created = ProviderPause.objects.get_or_create(
        provider=provider, model=model, defaults={"until": until, "reason": str(error)[:200]}
    )
    if not created:
        ProviderPause.objects.filter(pk=row.pk, until__lt=until).update(
            until=until, reason=str(error)[:200]
        )


def pauses(error: ProviderError) -> bool:
    """Whether ``error`` concerns every call to the model and not only the one that failed."""
    return isinstance(error, RateLimited | ProviderStopped)


def open_now(now: datetime) -> Q:
    """A condition on jobs: their provider's model is not paused at ``now``."""
    condition = Q()
    for provider, model in ProviderPause.objects.filter(until__gt=now).values_list(
        "provider", "model"
    ):
        condition &= ~Q(provider=provider, model=model)
    return condition


def _how_long(error: ProviderError) -> timedelta:
    if isinstance(error, ProviderStopped):
        return UNTIL_A_PERSON_ACTS
    return max(SHORTEST_PAUSE, timedelta(seconds=error.retry_after or 0))
