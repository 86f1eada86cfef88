"""What dead workers left behind: leases that ran out, pictures on disk, waits that are over."""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, Final

from django.db import InterfaceError, OperationalError, transaction
from django.db.models import Count, Q, QuerySet

from nb_catalog import signals
from nb_catalog.billing import budgets
from nb_catalog.conf import settings
from nb_catalog.core import logs
from nb_catalog.core.states import JobState
from nb_catalog.exceptions import NBCatalogError, OutcomeUnknown
from nb_catalog.models import ImageJob, ProductImage, ProviderCall
from nb_catalog.models.billing import CallOutcome
from nb_catalog.models.db.clock import database_now
from nb_catalog.models.transitions import transition_jobs
from nb_catalog.providers import provider
from nb_catalog.providers.types import ImageResult
from nb_catalog.worker import claims, outcomes, persistence, queue, results, spool
from nb_catalog.worker.types import ClaimedJob, JobOutcome

logger = logging.getLogger(__name__)

BLOCK: Final = 100
# A job that kills its worker each time, by its memory say, must not go round for ever.
MOST_DEATHS: Final = 10
# In small steps: a long UPDATE would hold a lock that claims wait for.
PROMOTED_AT_ONCE: Final = 1000


def sweep() -> list[JobOutcome]:
    """Everything below, once. Answers the endings it wrote."""
    resume_after_midnight()
    free_expired_leases()
    requeue_due()
    # The worker's heartbeat waits for this thread: a slow storage must not cost it its leases.
    adopted = adopt_spooled(seconds=settings.LEASE_SECONDS / 6) + mark_lost()
    retry_unknown()
    return adopted


def requeue_due() -> int:
    """Queue the jobs whose waiting time is over; how many."""
    due = ImageJob.objects.filter(state=JobState.WAITING, not_before__lte=database_now())
    return _move_unlocked(due.order_by("not_before"), "promote", most=PROMOTED_AT_ONCE)


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
    freed = _move_unlocked(unsent, "hand_back", lease_owner="")
    return freed + _move_unlocked(free, "defer", lease_owner="", not_before=database_now())


def _move_unlocked(
    jobs: QuerySet[ImageJob], move: str, *, most: int = PROMOTED_AT_ONCE, **changes: Any
) -> int:
    """Move the first of ``jobs`` that nobody else has locked; how many.

    What a worker that was frozen in the middle of a transaction has locked, nobody gets: whoever
    waited for it would stand still as well.
    """
    keys = list(jobs.values_list("pk", flat=True)[:most])
    if not keys:
        return 0
    with transaction.atomic():
        found = jobs.order_by().filter(pk__in=keys)
        keys = list(queue.skip_locked(found).values_list("pk", flat=True))
        return transition_jobs(found.filter(pk__in=keys), move, **changes)


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
    """Call paid work lost whose worker died while the call was out: it may have been charged."""
    error = OutcomeUnknown(
        "The worker died while the provider was working. The picture may have been charged: "
        "look at the provider's bill before you retry."
    )
    expired = ImageJob.objects.filter(
        state=JobState.CALLING, is_free=False, lease_until__lt=database_now()
    )
    # By their keys a database may look for them from the first job that there ever was.
    oldest = list(expired.order_by("lease_until").values_list("pk", flat=True)[:BLOCK])
    if not oldest:
        return []
    with transaction.atomic():
        jobs = queue.skip_locked(expired.filter(pk__in=oldest))
        lost = [outcomes.outcome_for_error(_order(job), error) for job in jobs]
        lost = [ending for ending in lost if spool.get(ending.order.staging_name) is None]
        held = persistence.write_outcomes([], lost)
    return [ending for ending, was_held in zip(lost, held, strict=True) if was_held]


def retry_unknown() -> int:
    """Queue again what ``UNKNOWN_POLICY`` says may be paid for once more; how many.

    The former call keeps its money reserved, and the next one is bounded by the budgets as any is.
    A job goes round as often as the policy says, whoever retried it.
    """
    policy = settings.UNKNOWN_POLICY
    if policy["ACTION"] != "retry":
        return 0
    since = database_now() - timedelta(seconds=policy["AFTER_SECONDS"])
    unknown = Q(calls__outcome=CallOutcome.UNKNOWN)
    due = ImageJob.objects.filter(state=JobState.UNKNOWN, finished_at__lte=since)
    due = due.annotate(lost=Count("calls", filter=unknown)).filter(lost__lte=policy["AT_MOST"])
    keys = list(due.order_by("pk").values_list("pk", flat=True)[:BLOCK])
    return _move_unlocked(
        ImageJob.objects.filter(pk__in=keys),
        "retry",
        attempts=0,
        not_before=None,
        finished_at=None,
        lease_owner="",
    )


def adopt_spooled(*, seconds: float | None = None) -> list[JobOutcome]:
    """Store the pictures that lie in the staging directory and belong to no living worker; with
    ``seconds``, those that time allows. The rest are for the next sweep."""
    started, adopted = time.monotonic(), []
    for name in list(spool.names()):
        if seconds is not None and time.monotonic() - started > seconds:
            break
        if (ending := _adopted(name)) is not None:
            adopted.append(ending)
    return adopted


def _adopted(name: str) -> JobOutcome | None:
    try:
        return _adopt(name)
    except (OperationalError, InterfaceError):
        raise
    except Exception:  # noqa: BLE001 - one file must not stop every worker that starts here
        aside = spool.set_aside(name)
        logger.exception("A staged picture cannot be adopted. Its bytes are kept in %s.", aside)
        return None


def _adopt(name: str) -> JobOutcome | None:
    order = _order_of(name)
    if order is None:
        return None
    if ProductImage.objects.filter(job_id=order.job_id, provenance__call=name).exists():
        spool.drop(name)
        return None
    result = spool.get(name)
    if result is None:
        return None
    ending = _keep(order, result)
    if ending is None:
        return None
    held = persistence.write_outcomes([], [ending])[0]
    spool.drop(name)
    return ending if held else None


def _order_of(name: str) -> ClaimedJob | None:
    """The order that staged ``name``; None when its worker may be alive, or it is not ours."""
    try:
        job_id, epoch, owner = name.split(".", 2)
        fence = {"job_id": int(job_id), "epoch": int(epoch), "lease_owner": owner}
    except ValueError:
        return None
    call = ProviderCall.objects.filter(**fence).select_related("job__batch").first()
    if call is None or _is_in_hand(call) or _is_frozen(call.job):
        return None
    return replace(_order(call.job), epoch=call.epoch, owner=owner, photo_sent=call.photo_sent)


@transaction.atomic
def _is_frozen(job: ImageJob) -> bool:
    """Whether its worker is in the middle of a transaction about it, or was when it froze."""
    if job.state not in (JobState.LEASED, JobState.CALLING):
        return False
    return not list(queue.skip_locked(ImageJob.objects.filter(pk=job.pk)).values_list("pk"))


def _is_in_hand(call: ProviderCall) -> bool:
    job = call.job
    same = (job.epoch, job.lease_owner) == (call.epoch, call.lease_owner)
    return same and _is_held(job)


def _is_held(job: ImageJob) -> bool:
    """Whether somebody alive is about to finish it: its own worker, or whoever fetches its batch."""
    if job.state == JobState.SUBMITTED:
        lease = job.batch.lease_until if job.batch else None
    else:
        lease = job.lease_until if job.state == JobState.CALLING else None
    return lease is not None and lease >= database_now()


def _keep(order: ClaimedJob, result: ImageResult) -> JobOutcome | None:
    maker = provider(order.spec.provider)
    try:
        with_photo = claims.with_photos([order])[0]
        kept = results.store_result(with_photo, result, provider=maker)
    except NBCatalogError as error:
        if error.code == "storage_failed":
            logger.warning(
                "The staged picture of job %s still cannot be stored.",
                order.job_id,
                extra=logs.fields(**order.labels),
            )
            return None
        return outcomes.outcome_for_error(order, error)
    return outcomes.outcome_for_result(order, kept, result)


def _order(job: ImageJob) -> ClaimedJob:
    return replace(
        claims.claimed_job(job, owner=job.lease_owner), epoch=job.epoch, attempts=job.attempts
    )


def resume_after_midnight() -> int:
    """Let runs go on that were stopped by a budget of a day, once today's has room again."""
    return budgets.resume(day=_today())


def _today() -> date:
    return database_now().date()
