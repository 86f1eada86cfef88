"""Signals for hosts. Each is sent after the commit of the change that it reports, with ids only.

Receivers run in the process that wrote the change, those of the first two in a worker's only database
thread: enqueue a task of your own for anything slow. Exceptions of receivers are logged.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any, Final

from django.db import transaction
from django.dispatch import Signal

from nb_catalog.models import ImageJob

__all__ = [
    "budget_paused",
    "image_made",
    "image_published",
    "job_failed",
]

logger = logging.getLogger(__name__)

# sender ProductImage; image_id, job_id
image_made: Final = Signal()
# sender ImageJob; job_id, state ("failed", "refused" or "unknown"), error_code
job_failed: Final = Signal()
# sender Placement; placement_id, image_id
image_published: Final = Signal()
# sender Run; run_id, reason, as in ``Run.paused_reason``
budget_paused: Final = Signal()


def send_on_commit(signal: Signal, *, sender: type, **facts: Any) -> None:
    """Send ``signal`` once the running transaction has committed."""

    def send() -> None:
        for receiver, result in signal.send_robust(sender=sender, **facts):
            if isinstance(result, Exception):
                logger.error("A receiver raised an exception: %r.", receiver, exc_info=result)

    transaction.on_commit(send)


def send_job_failed(keys: Iterable[int], *, state: str, error_code: str) -> None:
    """Send ``job_failed`` for each of the jobs once the running transaction has committed."""
    for key in keys:
        send_on_commit(job_failed, sender=ImageJob, job_id=key, state=state, error_code=error_code)
