"""Batches: created, submitted, polled, downloaded. The other way to a provider, beside direct calls."""

from nb_catalog.worker.batches.coordinator import BatchCoordinator
from nb_catalog.worker.batches.queries import heartbeat, work_is_due

__all__ = ["BatchCoordinator", "heartbeat", "work_is_due"]
