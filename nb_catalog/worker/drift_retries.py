"""Makes members of a series again whose pictures are too far from the anchor: ``SERIES["DRIFT_RETRIES"]``."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Final

from django.db.models import F

from nb_catalog.conf import settings
from nb_catalog.core import logs
from nb_catalog.core.specs import ImageSpec
from nb_catalog.imaging.drift import DRIFT_CHECK
from nb_catalog.models import ImageJob, ProductImage, Run
from nb_catalog.models.db.bulk_insert import insert_copies
from nb_catalog.models.images import ImageKind
from nb_catalog.worker.types import JobOutcome

logger = logging.getLogger(__name__)

MADE_AGAIN: Final = "made_again"
"""``error_code`` of a job that succeeded, and whose picture is made again by another job."""
MADE_MEANWHILE: Final = "made_meanwhile"
"""``error_code`` of a job that nobody cancelled: its picture existed when it was to begin."""


def write_retries(outcomes: Iterable[JobOutcome]) -> int:
    """Write the job of the next variant for each member whose picture is beyond the tolerance, and return
    how many.

    Call it in the transaction that ends the jobs of ``outcomes``, with those alone that were still ours: a
    job succeeds once, so it is followed by one other at most. The new job belongs to the same run and is
    paid for as every other: when it begins, its price is reserved in the budgets, or pauses the run.

    A run that was cancelled gets no new ones. Neither does a member whose next picture exists or
    is being made.
    """
    far = {
        outcome.job.job_id: (outcome.job.image_spec.another_try(), drift)
        for outcome in outcomes
        if (drift := _drift_to_mend(outcome))
    }
    if not far:
        return 0
    fingerprints = [spec.fingerprint for spec, _drift in far.values()]
    existing = set(
        ProductImage.objects.filter(
            fingerprint__in=fingerprints, kind=ImageKind.PICTURE
        ).values_list("fingerprint", flat=True)
    )
    jobs = list(ImageJob.objects.filter(pk__in=far).order_by("pk"))
    # Locked: a person who cancels a run waits for its new jobs, or is seen here.
    runs = Run.objects.filter(pk__in={job.run_id for job in jobs}, cancelled_at=None)
    going_on = set(runs.order_by("pk").select_for_update().values_list("pk", flat=True))
    added: Counter[int] = Counter()
    written = 0
    for job in jobs:
        spec, drift = far[job.pk]
        if job.run_id not in going_on or spec.fingerprint in existing or not _insert(job, spec):
            continue
        reason = f"{drift['worst']}, {drift['score']:.1f} times its tolerance"
        ImageJob.objects.filter(pk=job.pk).update(
            error_code=MADE_AGAIN,
            error=f"The picture differs from the anchor of its series ({reason}). It is made again.",
        )
        added[job.run_id] += job.estimate_microusd
        written += 1
        logger.info(
            "The picture of job %s is made again: %s.",
            job.pk,
            reason,
            extra=logs.fields(job=job.pk, run=job.run_id, attempt=spec.tries),
        )
    for run_id, amount in sorted(added.items()):
        Run.objects.filter(pk=run_id).update(estimate_microusd=F("estimate_microusd") + amount)
    return written


def _drift_to_mend(outcome: JobOutcome) -> Mapping[str, Any] | None:
    """Return the drift of a picture that a model has made too far from the anchor that it was shown; None if
    it is not to be made again."""
    job = outcome.job
    if outcome.move != "succeed" or job.is_free or job.requests_texts or not outcome.images:
        return None
    spec, drift = job.image_spec, outcome.images[-1].checks.get(DRIFT_CHECK, {})
    # With another anchor meanwhile the series has another look, and this spec is out of date.
    if not spec.anchor or drift.get("anchor") != spec.anchor or (drift.get("score") or 0) <= 1:
        return None
    return drift if spec.tries < settings.SERIES["DRIFT_RETRIES"] else None


def _insert(job: ImageJob, spec: ImageSpec) -> int:
    """Insert a job for ``spec`` next to ``job``. Return 0 if another job makes this picture already."""
    template = ImageJob(
        run_id=job.run_id,
        content_type_id=job.content_type_id,
        object_id=job.object_id,
        spec={},
        tier=job.tier,
        provider=job.provider,
        model=job.model,
        mode=job.mode,
        estimate_microusd=job.estimate_microusd,
        priority=job.priority,
        turn=job.turn,
    )
    columns = {"spec": spec.as_dict(), "fingerprint": spec.fingerprint}
    return insert_copies(template, [{**columns, "live_key": spec.fingerprint}])
