"""When to look at a batch again."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from nb_catalog.conf import settings
from nb_catalog.models import ProviderBatch
from nb_catalog.models.db.clock import known_now
from nb_catalog.providers.types import BatchLimits

IDLE_SECONDS: Final = 0.5
# Between two looks at a batch: at first soon, for small ones come back quickly, then rarely.
FIRST_LOOK: Final = 20.0
LONGEST_LOOK: Final = 600.0
GROWTH: Final = 1.5
# How long a batch whose hand-in was cut off may take to show up, and how often it is looked for.
GRACE: Final = 60.0
MOST_LOOKUPS: Final = 3
# After a provider has given a batch up, how long until nothing is expected of it any more.
AFTER_EXPIRY: Final = timedelta(hours=2)


def gap(looks: int) -> float:
    """Seconds until the next look, after ``looks`` of them."""
    return min(LONGEST_LOOK, FIRST_LOOK * GROWTH ** min(looks, 50))


def is_late(batch: ProviderBatch) -> bool:
    """Past the deadline that the host has set."""
    return _age(batch) > timedelta(hours=settings.BATCH_HOURS)


def is_given_up(batch: ProviderBatch, *, limits: BatchLimits | None) -> bool:
    """Whether the provider's own clock has run out, whatever it says of the state."""
    if limits is None:
        return False
    return _age(batch) > timedelta(hours=limits.expires_hours) + AFTER_EXPIRY


def _age(batch: ProviderBatch) -> timedelta:
    return known_now() - (batch.submitted_at or batch.created_at)
