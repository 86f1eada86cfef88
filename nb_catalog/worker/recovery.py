"""Recovers what dead workers left behind: expired leases, pictures on disk, waits that are over."""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from django.db import InterfaceError, OperationalError, transaction
from django.db.models import Count, Q, QuerySet

from nb_catalog import providers
from nb_catalog.billing import budgets
from nb_catalog.conf import settings
from nb_catalog.core import logs
from nb_catalog.core.specs import SCHEMA
from nb_catalog.core.states import JobState
from nb_catalog.exceptions import (
    AnswerTooLarge,
    NBCatalogError,
    OutcomeUnknown,
    SpecUnreadable,
    StorageFailed,
)
from nb_catalog.models import ImageJob, ProductImage, ProviderCall
from nb_catalog.models.billing import CallOutcome
from nb_catalog.models.db.clock import database_now
from nb_catalog.models.transitions import reopen_runs, transition_jobs
from nb_catalog.providers.texts import provider_for
from nb_catalog.providers.types import ImageResult
from nb_catalog.signals import events
from nb_catalog.worker import claims, outcomes, persistence, queue, results, spool
from nb_catalog.worker.types import ClaimedJob, JobOutcome

logger = logging.getLogger(__name__)

BLOCK: Final = 100
# A job that kills its worker each time, by its memory say, must not be repeated for ever.
MOST_DEATHS: Final = 10
# Each costs a worker and all that it was doing.
MOST_DEATHS_OF_RESULT: Final = 3
# In small steps: a long UPDATE would hold a lock that claims wait for.
MOVED_AT_ONCE: Final = 1000


def sweep() -> list[JobOutcome]:
    """Run every recovery step once. Return the outcomes that were written."""
    resume_after_midnight()
    free_expired_leases()
    requeue_due()
    # The worker's heartbeat waits for this thread: a slow storage must not cost it its leases.
    written = adopt_spooled(seconds=settings.LEASE_SECONDS / 6) + mark_lost()
    retry_unknown()
    spool.remove_leftovers()
    return written


def resume_after_midnight() -> int:
    """Resume runs that a daily budget paused, once today's has room again."""
    return budgets.resume(day=database_now().date())


def requeue_due() -> int:
    """Queue the jobs whose waiting time is over. Return how many."""
    due = ImageJob.objects.filter(state=JobState.WAITING, not_before__lte=database_now())
    return _transition_unlocked(due.order_by("not_before"), "promote")


def free_expired_leases() -> int:
    """Queue again what was claimed and never sent, and free work, which is safe to repeat; a job whose
    workers died ``MOST_DEATHS`` times fails."""
    expired = ImageJob.objects.filter(lease_until__lt=database_now())
    worn_out = expired.filter(
        Q(state=JobState.LEASED) | Q(state=JobState.CALLING, is_free=True),
        attempts__gte=MOST_DEATHS,
    )
    code = "worker_died"
    with transaction.atomic():
        for key in list(queue.skip_locked(worn_out.order_by()).values_list("pk", flat=True)):
            if transition_jobs(
                worn_out.filter(pk=key),
                "give_up",
                error_code=code,
                error="The worker died each time it made this picture. It may need more memory.",
                finished_at=database_now(),
            ):
                events.send_job_failed([key], state=JobState.FAILED, error_code=code)
    unsent = expired.filter(state=JobState.LEASED)
    free = expired.filter(state=JobState.CALLING, is_free__in=[True])
    freed = _transition_unlocked(unsent, "hand_back", lease_owner="")
    return freed + _transition_unlocked(free, "defer", lease_owner="", not_before=database_now())


def _transition_unlocked(jobs: QuerySet[ImageJob], move: str, **changes: Any) -> int:
    """Move the first of ``jobs`` that nobody else has locked. Return how many.

    What a worker that froze in the middle of a transaction has locked, nobody gets: a worker that
    waited for it would stop as well.
    """
    keys = list(jobs.values_list("pk", flat=True)[:MOVED_AT_ONCE])
    if not keys:
        return 0
    with transaction.atomic():
        same = jobs.order_by().filter(pk__in=keys)
        keys = list(queue.skip_locked(same).values_list("pk", flat=True))
        return transition_jobs(same.filter(pk__in=keys), move, **changes)


def mark_lost() -> list[JobOutcome]:
    """Mark paid jobs as lost whose worker died during the call: they may have been charged."""
    error = OutcomeUnknown(
        "The worker died while the provider was working. It may have been charged: check "
        "the provider's bill before you retry."
    )
    expired = ImageJob.objects.filter(
        state=JobState.CALLING,
        is_free=False,
        lease_until__lt=database_now(),
        schema__lte=SCHEMA,
    )
    # In the order of their keys a database may search from the first job that there ever was.
    oldest = list(expired.order_by("lease_until").values_list("pk", flat=True)[:BLOCK])
    if not oldest:
        return []
    with transaction.atomic():
        rows = queue.skip_locked(expired.filter(pk__in=oldest))
        lost = [
            outcomes.outcome_for_error(job, error)
            for row in rows
            if (job := _job_or_lost(row, error)) is not None and not spool.has(job.spool_name)
        ]
        written = persistence.write_outcomes([], lost)
    return [outcome for outcome, is_ours in zip(lost, written, strict=True) if is_ours]


def _job_or_lost(row: ImageJob, error: OutcomeUnknown) -> ClaimedJob | None:
    """Return the job of ``row``; if its spec cannot be read, mark it as lost and return None."""
    try:
        return _job_of_row(row)
    except SpecUnreadable:
        now = database_now()
        transition_jobs(
            ImageJob.objects.filter(pk=row.pk),
            "lose",
            error_code=error.code,
            error=str(error),
            finished_at=now,
        )
        calls = ProviderCall.objects.filter(job=row.pk, epoch=row.epoch)
        calls.filter(outcome=CallOutcome.IN_FLIGHT).update(
            outcome=CallOutcome.UNKNOWN, error_code=error.code, finished_at=now
        )
        return None


def retry_unknown() -> int:
    """Queue again what ``UNKNOWN_POLICY`` allows to be paid for once more. Return how many.

    The former call keeps its reservation, and the next one is bounded by the budgets like any other.
    A job is repeated as often as the policy says, whether it or a person retried it.
    """
    policy = settings.UNKNOWN_POLICY
    if policy["ACTION"] != "retry":
        return 0
    since = database_now() - timedelta(seconds=policy["AFTER_SECONDS"])
    unknown = Q(calls__outcome=CallOutcome.UNKNOWN)
    due = ImageJob.objects.filter(state=JobState.UNKNOWN, finished_at__lte=since)
    due = due.annotate(lost=Count("calls", filter=unknown)).filter(lost__lte=policy["AT_MOST"])
    keys = list(due.order_by("pk").values_list("pk", flat=True)[:BLOCK])
    jobs = ImageJob.objects.filter(pk__in=keys)
    with transaction.atomic():
        if keys:
            reopen_runs(set(jobs.values_list("run_id", flat=True)))
        return _transition_unlocked(
            jobs, "retry", attempts=0, not_before=None, finished_at=None, lease_owner=""
        )


def adopt_spooled(*, seconds: float | None = None) -> list[JobOutcome]:
    """Store the pictures in the spool that belong to no living worker; with ``seconds``, as many as
    that time allows. The rest are for the next sweep."""
    started = time.monotonic()
    adopted: list[JobOutcome] = []
    names = list(spool.names())
    in_progress = _in_progress(names)
    for name in names:
        if name in in_progress:
            continue
        if seconds is not None and time.monotonic() - started > seconds:
            break
        try:
            outcome = _adopt(name)
        except (OperationalError, InterfaceError):
            raise
        except Exception:  # noqa: BLE001 - one file must not stop every worker that starts here
            aside = spool.set_aside(name)
            logger.exception(
                "A spooled picture cannot be adopted. Its bytes are kept in %s, with the provider's "
                "report in the .json file beside it.",
                aside,
            )
        else:
            adopted += [] if outcome is None else [outcome]
    return adopted


def _in_progress(names: list[str]) -> set[str]:
    """Return those of ``names`` whose worker is alive: normally all, which spares a query for each."""
    ids = [
        int(job_id)
        for name in names
        if (job_id := name.partition(".")[0]).isdecimal() and len(job_id) < 19
    ]
    held: set[str] = set()
    for start in range(0, len(ids), BLOCK):
        rows = ImageJob.objects.filter(
            pk__in=ids[start : start + BLOCK],
            state=JobState.CALLING,
            lease_until__gte=database_now(),
        )
        held |= {
            f"{job_id}.{epoch}.{owner}"
            for job_id, epoch, owner in rows.values_list("pk", "epoch", "lease_owner")
        }
    return held.intersection(names)


def _adopt(name: str) -> JobOutcome | None:
    job = _job_of_name(name)
    if job is None:
        return None
    if job.requests_texts:
        call = ProviderCall.objects.filter(job=job.job_id, epoch=job.epoch)
        is_stored = call.filter(outcome=CallOutcome.TEXTS).exists()
    else:
        images = ProductImage.objects.filter(job_id=job.job_id, provenance__call=job.spool_name)
        is_stored = images.exists()
    if is_stored:
        spool.drop(name)
        return None
    with spool.attempt(name) as deaths:
        result = spool.get(name)
        if deaths is None or result is None:
            return None
        if deaths < MOST_DEATHS_OF_RESULT:
            outcome = _store(job, result)
        else:
            # The bytes are kept for a person to inspect; the job has failed.
            aside = spool.set_aside(job.spool_name)
            error = AnswerTooLarge(
                f"Workers died {MOST_DEATHS_OF_RESULT} times while they read this result. It may need more "
                f"memory. Its bytes are in {aside}, with the provider's report in the .json file beside it.",
                usage=dict(result.usage),
                model_version=result.model_version,
                request_id=result.request_id,
            )
            logger.error("Job %s: %s", job.job_id, error, extra=logs.fields(**job.labels))
            outcome = outcomes.outcome_for_error(job, error)
        if outcome is None:
            return None
        is_ours = persistence.write_outcomes([], [outcome])[0]
        spool.drop(name)
    return outcome if is_ours else None


def _job_of_name(name: str) -> ClaimedJob | None:
    """Return the job that spooled ``name``; None if its worker may be alive, or it is not ours."""
    try:
        job_id, epoch, owner = name.split(".", 2)
        fence = {"job_id": int(job_id), "epoch": int(epoch), "lease_owner": owner}
    except ValueError:
        return None
    call = ProviderCall.objects.filter(**fence).select_related("job__batch").first()
    row = None if call is None else call.job
    if call is None or row is None or row.schema > SCHEMA:
        return None
    if (row.epoch, row.lease_owner) == (call.epoch, call.lease_owner):
        # Its own worker is about to finish it, or the one that fetches its batch.
        if row.state == JobState.SUBMITTED:
            lease = row.batch.lease_until if row.batch else None
        else:
            lease = row.lease_until if row.state == JobState.CALLING else None
        if lease is not None and lease >= database_now():
            return None
    if row.state in (JobState.LEASED, JobState.CALLING):
        # Its worker may be in the middle of a transaction about it, or was when it froze.
        with transaction.atomic():
            rows = queue.skip_locked(ImageJob.objects.filter(pk=row.pk))
            if not list(rows.values_list("pk")):
                return None
    return replace(_job_of_row(row), epoch=call.epoch, owner=owner, photo_sent=call.photo_sent)


def _store(job: ClaimedJob, result: ImageResult) -> JobOutcome | None:
    """Return the outcome of storing ``result``; None while the storage does not take it."""
    provider = (
        provider_for(job.text_spec.kind)
        if job.requests_texts
        else providers.provider(job.spec.provider)
    )
    try:
        return results.store_result(claims.with_photos([job])[0], result, provider=provider)
    except StorageFailed:
        logger.warning(
            "The spooled picture of job %s still cannot be stored.",
            job.job_id,
            extra=logs.fields(**job.labels),
        )
        return None
    except NBCatalogError as error:
        return outcomes.outcome_for_error(job, error)


def _job_of_row(row: ImageJob) -> ClaimedJob:
    return replace(
        claims.claimed_job(row, owner=row.lease_owner), epoch=row.epoch, attempts=row.attempts
    )
