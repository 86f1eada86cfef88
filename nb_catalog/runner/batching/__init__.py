"""Batches: put together, handed in, looked after, fetched. The worker's second lane to a provider."""

from nb_catalog.runner.batching.desk import Desk
from nb_catalog.runner.batching.shelf import heartbeat, work_is_due

__all__ = ["Desk", "heartbeat", "work_is_due"]
