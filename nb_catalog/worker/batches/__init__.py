"""Batches: put together, handed in, looked after, fetched. The worker's second lane to a provider."""

from nb_catalog.worker.batches.coordinator import BatchCoordinator
from nb_catalog.worker.batches.queries import heartbeat, work_is_due

__all__ = ["BatchCoordinator", "heartbeat", "work_is_due"]
