"""What a shop can listen to. Each signal is sent after the commit that it is about, with ids only.

Receivers run where the change was written, the first two in a worker's one thread for the
database: send a task of your own for anything that takes time. What a receiver raises is logged.
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
    transaction.on_commit(lambda: _send(signal, sender=sender, **facts))


def send_job_failed(keys: Iterable[int], *, state: str, error_code: str) -> None:
    """``job_failed`` for each of the jobs, once the running transaction has committed."""
    for key in keys:
        send_on_commit(job_failed, sender=ImageJob, job_id=key, state=state, error_code=error_code)


def _send(signal: Signal, *, sender: type, **facts: Any) -> None:
    for receiver, answer in signal.send_robust(sender=sender, **facts):
        if isinstance(answer, Exception):
            logger.error("A receiver broke: %r.", receiver, exc_info=answer)
