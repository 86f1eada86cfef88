"""When to poll a batch again."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from nb_catalog.conf import settings
from nb_catalog.models import ProviderBatch
from nb_catalog.models.db.clock import known_now
from nb_catalog.providers.types import BatchLimits

IDLE_SECONDS: Final = 0.5
# Seconds between two polls: short at first, because small batches come back quickly, then long.
FIRST_WAIT: Final = 20.0
LONGEST_WAIT: Final = 600.0
GROWTH: Final = 1.5
# How long a batch whose submission was interrupted may take to show up, and how often it is looked up.
GRACE: Final = 60.0
MOST_LOOKUPS: Final = 3
# How long after the provider's own expiry nothing is expected of a batch any more.
AFTER_EXPIRY: Final = timedelta(hours=2)


def poll_interval(polls: int) -> float:
    """Return the seconds until the next poll, after ``polls`` of them."""
    return min(LONGEST_WAIT, FIRST_WAIT * GROWTH ** min(polls, 50))


def is_late(batch: ProviderBatch) -> bool:
    """Return whether the host's own deadline has passed."""
    return _age(batch) > timedelta(hours=settings.BATCH_HOURS)


def has_expired(batch: ProviderBatch, *, limits: BatchLimits | None) -> bool:
    """Return whether the provider no longer keeps the batch, whatever state it reports."""
    if limits is None:
        return False
    return _age(batch) > timedelta(hours=limits.expires_hours) + AFTER_EXPIRY


def _age(batch: ProviderBatch) -> timedelta:
    return known_now() - (batch.submitted_at or batch.created_at)
