"""Recovers what dead workers left behind: expired leases, pictures on disk, waits that are over."""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from django.db import InterfaceError, OperationalError, transaction
from django.db.models import Count, Q, QuerySet

from nb_catalog import providers, signals
from nb_catalog.billing import budgets
from nb_catalog.conf import settings
from nb_catalog.core import logs
from nb_catalog.core.states import JobState
from nb_catalog.exceptions import NBCatalogError, OutcomeUnknown, StorageFailed
from nb_catalog.models import ImageJob, ProductImage, ProviderCall
from nb_catalog.models.billing import CallOutcome
from nb_catalog.models.db.clock import database_now
from nb_catalog.models.transitions import transition_jobs
from nb_catalog.providers.types import ImageResult
from nb_catalog.worker import claims, outcomes, persistence, queue, results, spool
from nb_catalog.worker.types import ClaimedJob, JobOutcome

logger = logging.getLogger(__name__)

BLOCK: Final = 100
# A job that kills its worker each time, by its memory say, must not be repeated for ever.
MOST_DEATHS: Final = 10
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
    return written


def resume_after_midnight() -> int:
    """Resume runs that a daily budget paused, once today's has room again."""
    return budgets.resume(day=database_now().date())


def requeue_due() -> int:
    """Queue the jobs whose waiting time is over. Return how many."""
    due = ImageJob.objects.filter(state=JobState.WAITING, not_before__lte=database_now())
    return _transition_unlocked(due.order_by("not_before"), "promote")


def free_expired_leases() -> int:
    """Queue again what was claimed and never sent, and free work, which is safe to repeat."""
    expired = ImageJob.objects.filter(lease_until__lt=database_now())
    worn_out = expired.filter(
        Q(state=JobState.LEASED) | Q(state=JobState.CALLING, is_free=True),
        attempts__gte=MOST_DEATHS,
    )
    _give_up(worn_out)
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


def _give_up(jobs: QuerySet[ImageJob]) -> None:
    code = "worker_died"
    with transaction.atomic():
        for key in list(queue.skip_locked(jobs.order_by()).values_list("pk", flat=True)):
            if transition_jobs(
                jobs.filter(pk=key),
                "give_up",
                error_code=code,
                error="The worker died each time it made this picture. It may need more memory.",
                finished_at=database_now(),
            ):
                signals.send_job_failed([key], state=JobState.FAILED, error_code=code)


def mark_lost() -> list[JobOutcome]:
    """Mark paid jobs as lost whose worker died during the call: they may have been charged."""
    error = OutcomeUnknown(
        "The worker died while the provider was working. The picture may have been charged: "
        "check the provider's bill before you retry."
    )
    expired = ImageJob.objects.filter(
        state=JobState.CALLING, is_free=False, lease_until__lt=database_now()
    )
    # In the order of their keys a database may search from the first job that there ever was.
    oldest = list(expired.order_by("lease_until").values_list("pk", flat=True)[:BLOCK])
    if not oldest:
        return []
    with transaction.atomic():
        rows = queue.skip_locked(expired.filter(pk__in=oldest))
        lost = [
            outcomes.outcome_for_error(job, error)
            for job in map(_job_of_row, rows)
            if spool.get(job.spool_name) is None
        ]
        written = persistence.write_outcomes([], lost)
    return [outcome for outcome, is_ours in zip(lost, written, strict=True) if is_ours]


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
    return _transition_unlocked(
        ImageJob.objects.filter(pk__in=keys),
        "retry",
        attempts=0,
        not_before=None,
        finished_at=None,
        lease_owner="",
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
                "A spooled picture cannot be adopted. Its bytes are kept in %s.", aside
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
    if ProductImage.objects.filter(job_id=job.job_id, provenance__call=name).exists():
        spool.drop(name)
        return None
    result = spool.get(name)
    outcome = None if result is None else _store(job, result)
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
    if call is None:
        return None
    row = call.job
    is_current = (row.epoch, row.lease_owner) == (call.epoch, call.lease_owner)
    if (is_current and _is_leased(row)) or _is_frozen(row):
        return None
    return replace(_job_of_row(row), epoch=call.epoch, owner=owner, photo_sent=call.photo_sent)


@transaction.atomic
def _is_frozen(row: ImageJob) -> bool:
    """Return whether its worker is in the middle of a transaction about it, or was when it froze."""
    if row.state not in (JobState.LEASED, JobState.CALLING):
        return False
    return not list(queue.skip_locked(ImageJob.objects.filter(pk=row.pk)).values_list("pk"))


def _is_leased(row: ImageJob) -> bool:
    """Return whether a living worker is about to finish it: its own, or the one that fetches its
    batch."""
    if row.state == JobState.SUBMITTED:
        lease = row.batch.lease_until if row.batch else None
    else:
        lease = row.lease_until if row.state == JobState.CALLING else None
    return lease is not None and lease >= database_now()


def _store(job: ClaimedJob, result: ImageResult) -> JobOutcome | None:
    """Return the outcome of storing ``result``; None while the storage does not take it."""
    provider = providers.provider(job.spec.provider)
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
