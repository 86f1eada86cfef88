"""Signals for hosts. Each is sent after the commit of the change that it reports, with ids only.

Receivers run in the process that wrote the change, often in a worker's only database thread: enqueue a task
of your own for anything slow. Exceptions of receivers are logged. Further arguments may be added: end a
receiver's with ``**kwargs``.
"""

from __future__ import annotations

from typing import Final

from django.dispatch import Signal

__all__ = [
    "budget_paused",
    "image_decided",
    "image_made",
    "image_published",
    "image_stale",
    "image_waiting",
    "image_withdrawn",
    "job_failed",
    "provider_paused",
    "run_ended",
]

# sender ProductImage; image_id, job_id
image_made: Final = Signal()
# sender ImageJob; job_id, state ("failed", "refused" or "unknown"), error_code
job_failed: Final = Signal()
# sender Run; run_id, state ("finished" or "stopped"), cancelled, counts of jobs by state
run_ended: Final = Signal()
# sender ProductImage; image_id, model, object_id, series
image_waiting: Final = Signal()
# sender ProductImage; image_id, change, state, automatic, model, object_id, series
image_decided: Final = Signal()
# sender Placement; placement_id, image_id, before_id, change, automatic, model, object_id, slot, locale,
# position
image_published: Final = Signal()
# sender Placement; image_id, change, automatic, model, object_id, slot, locale, position
image_withdrawn: Final = Signal()
# sender Placement; placement_id, image_id, model, object_id, slot, locale, position
image_stale: Final = Signal()
# sender Run; run_id, reason, as in ``Run.paused_reason``
budget_paused: Final = Signal()
# sender ProviderPause; provider, model ("" for all), until, cause, needs_person
provider_paused: Final = Signal()
