"""The rows of batches: jobs put into them, which worker holds which, and when to poll again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final
from uuid import uuid4

from django.db import transaction
from django.db.models import F, Max, Min, Q, QuerySet

from nb_catalog import providers, ratelimit
from nb_catalog.core.states import BatchState, JobState
from nb_catalog.core.types import RequestMode
from nb_catalog.exceptions import (
    InvalidSettings,
    InvalidTransition,
    NBCatalogError,
    RequestRejected,
)
from nb_catalog.models import ImageJob, ProviderBatch, ProviderCall
from nb_catalog.models.db.clock import database_now
from nb_catalog.models.transitions import transition_batch, transition_jobs
from nb_catalog.providers.batches import limits_of
from nb_catalog.providers.types import BatchLimits
from nb_catalog.signals import events
from nb_catalog.worker import claims, outcomes, persistence, queue
from nb_catalog.worker.types import ClaimedJob

# How long nothing of a model is submitted after one of its batches could not be.
REST: Final = timedelta(seconds=60)
BLOCK: Final = 500


def create_batch(*, owner: str) -> tuple[ProviderBatch, list[ClaimedJob]] | None:
    """Put queued jobs into a new batch that ``owner`` holds. Return None if there is nothing to do.

    The jobs are ``submitted``, their money is reserved and their calls are on record before a
    line is written: whatever dies from here on, no other worker claims them.
    """
    for alias, model in _waiting_models():
        limits = _limits(alias)
        if limits is None:
            _refuse(alias, model)
        elif _may_submit(alias, model, limits):
            with transaction.atomic():
                created = _fill_batch(alias, model, most=limits.items, owner=owner)
            if created is not None:
                batch, jobs = created
                return batch, claims.with_photos(jobs)
    return None


def _waiting_models() -> list[tuple[str, str]]:
    """Return the (provider, model) of what waits, the one with the most urgent job first."""
    waiting = _waiting().order_by().values_list("provider", "model")
    urgent = waiting.annotate(most=Max("priority"), first=Min("turn")).order_by("-most", "first")
    return [(str(alias), str(model)) for alias, model, _most, _first in urgent]


def _waiting() -> QuerySet[ImageJob]:
    return queue.queued(free=False, mode=RequestMode.BATCH)


def _limits(alias: str) -> BatchLimits | None:
    try:
        return limits_of(providers.provider(alias))
    except InvalidSettings:
        return None


def _refuse(alias: str, model: str) -> None:
    """End jobs that were requested when the provider still took batches."""
    error = RequestRejected(
        f"The provider {alias!r} takes no batches as it is configured now. Request these pictures "
        "directly, or correct NB_CATALOG['PROVIDERS'] and retry."
    )
    with transaction.atomic():
        waiting = _waiting().filter(provider=alias, model=model)
        keys = list(waiting.values_list("pk", flat=True)[: BLOCK * 2])
        jobs = ImageJob.objects.filter(pk__in=keys)
        transition_jobs(jobs, "submit", epoch=F("epoch") + 1, lease_owner="")
        transition_jobs(
            jobs, "fail", error_code=error.code, error=str(error), finished_at=database_now()
        )
        failed = jobs.filter(state=JobState.FAILED).values_list("pk", flat=True)
        events.send_job_failed(list(failed), state=JobState.FAILED, error_code=error.code)


def _may_submit(alias: str, model: str, limits: BatchLimits) -> bool:
    """Return whether another batch may go out: not shortly after one failed, nor while results are
    fetched, since what comes back from those goes out together with what waits."""
    batches = ProviderBatch.objects.filter(provider=alias)
    failed = Q(state=BatchState.DONE, finished_at__gt=database_now() - REST) & ~Q(error_code="")
    if batches.filter(failed | Q(state=BatchState.READY), model=model).exists():
        return False
    return batches.exclude(state=BatchState.DONE).count() < limits.at_once


def _fill_batch(
    alias: str, model: str, *, most: int, owner: str
) -> tuple[ProviderBatch, list[ClaimedJob]] | None:
    waiting = _waiting().filter(provider=alias, model=model)
    rows = list(queue.skip_locked(waiting)[:most])
    now, name = database_now(), f"nb-{uuid4().hex}"
    readable = [claims.readable_job(row, owner=name) for row in rows]
    jobs = persistence.drop_existing([job for job in readable if job is not None])
    jobs = persistence.with_ceilings(jobs)
    let_through = persistence.reserve(jobs, now=now)
    jobs = [job for job in jobs if job.job_id in let_through]
    if not jobs:
        return None
    batch = ProviderBatch.objects.create(
        name=name,
        provider=alias,
        model=model,
        items=len(jobs),
        epoch=1,
        lease_owner=owner,
        lease_until=claims.lease_end(),
        next_look_at=now,
    )
    moved = transition_jobs(
        ImageJob.objects.filter(pk__in=let_through),
        "submit",
        batch=batch,
        epoch=F("epoch") + 1,
        attempts=F("attempts") + 1,
        lease_owner=name,
        lease_until=None,
        error="",
        error_code="",
    )
    if moved != len(jobs):
        raise InvalidTransition("Another worker claimed some of these jobs first.")
    ProviderCall.objects.bulk_create(
        (persistence.build_call(job, now=now, batch=batch) for job in jobs), batch_size=BLOCK
    )
    return batch, jobs


def claim_due(*, owner: str) -> ProviderBatch | None:
    """Return a batch that is due and that no living worker holds, now held by ``owner``."""
    due = _due()
    for batch in due.order_by("next_look_at")[:5]:
        claim = {"lease_owner": owner, "lease_until": claims.lease_end(), "epoch": batch.epoch + 1}
        if due.filter(pk=batch.pk, epoch=batch.epoch).update(**claim):
            for name, value in claim.items():
                setattr(batch, name, value)
            return batch
    return None


def _due() -> QuerySet[ProviderBatch]:
    now = database_now()
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=now)
    return ProviderBatch.objects.filter(free, next_look_at__lte=now).exclude(state=BatchState.DONE)


def work_is_due() -> bool:
    """Return whether a batch could be created or advanced now."""
    return _due().exists() or any(
        (limits := _limits(alias)) is None or _may_submit(alias, model, limits)
        for alias, model in _waiting_models()
    )


def heartbeat(batches: Iterable[ProviderBatch]) -> None:
    """Renew the leases of batches that are being worked on."""
    for batch in batches:
        _held(batch).update(lease_until=claims.lease_end())


def release(batch: ProviderBatch, *, wait: float, looks: int | None = None, **changes: Any) -> None:
    """Release ``batch`` for ``wait`` seconds; without ``looks`` this poll counts.

    Does nothing if another worker holds it.
    """
    _held(batch).update(
        next_look_at=database_now() + timedelta(seconds=wait),
        looks=batch.looks + 1 if looks is None else looks,
        lease_owner="",
        lease_until=None,
        **changes,
    )


def _held(batch: ProviderBatch) -> QuerySet[ProviderBatch]:
    return ProviderBatch.objects.filter(
        pk=batch.pk, lease_owner=batch.lease_owner, epoch=batch.epoch
    )


def claimed_jobs(batch: ProviderBatch, keys: Sequence[str]) -> dict[str, ClaimedJob]:
    """Return jobs by key of a line, with the photos that they need, for lines whose result is still due.

    The result of a job that a person cancelled meanwhile is due too: it is paid for.
    """
    ids: dict[int, str] = {}
    for key in keys:
        # The key comes back from the provider and may be anything.
        number, _point, epoch = key.partition(".")
        if number.isdecimal() and epoch.isdecimal() and len(number) < 19:
            ids[int(number)] = key
    calls = ProviderCall.objects.filter(batch=batch, job_id__in=ids, finished_at__isnull=True)
    due = [_job_of_call(call) for call in calls.select_related("job")]
    # The product is set into one picture, and compared with the other.
    return {
        ids[job.job_id]: job for job in claims.with_photos(due) if ids[job.job_id] == key_of(job)
    }


def record_photos(batch: ProviderBatch, jobs: Iterable[ClaimedJob]) -> None:
    """Record how the photos of ``jobs`` were sent in the file."""
    sent = {job.job_id: job.photo_sent for job in jobs if job.photo_sent}
    calls = list(ProviderCall.objects.filter(batch=batch, job_id__in=sent).only("job_id"))
    for call in calls:
        call.photo_sent = dict(sent[call.job_id or 0])
    ProviderCall.objects.bulk_update(calls, ["photo_sent"], batch_size=BLOCK)


def unanswered(batch: ProviderBatch, *, after: int = 0) -> list[ClaimedJob]:
    """Return up to ``BLOCK`` jobs whose result is still due, ordered by job, those above ``after``."""
    calls = ProviderCall.objects.filter(batch=batch, job_id__gt=after, finished_at__isnull=True)
    return [_job_of_call(call) for call in calls.select_related("job").order_by("job_id")[:BLOCK]]


def is_wanted(batch: ProviderBatch) -> bool:
    """Return whether any job still waits for one of its pictures."""
    return bool(batch.jobs.filter(state=JobState.SUBMITTED).exists())


def _job_of_call(call: ProviderCall) -> ClaimedJob:
    assert call.job is not None  # noqa: S101 - calls are found by their jobs
    return replace(
        claims.claimed_job(call.job, owner=call.lease_owner),
        epoch=call.epoch,
        attempts=call.job.attempts,
        in_batch=True,
        photo_sent=call.photo_sent,
    )


def key_of(job: ClaimedJob) -> str:
    """Return the key that identifies a job's line of a batch."""
    return f"{job.job_id}.{job.epoch}"


def close(batch: ProviderBatch, *, error: NBCatalogError | None = None) -> None:
    """Close ``batch``. With ``error``, which kept it from going out, queue its jobs again: nothing is
    charged for them."""
    changes = {} if error is None else {"error_code": error.code, "error": str(error)}
    with transaction.atomic():
        if error is not None:
            while jobs := unanswered(batch):
                persistence.write_outcomes(
                    [], [outcomes.batch_item_not_sent(job, error) for job in jobs]
                )
            ratelimit.record_backoff(error, provider=batch.provider, model=batch.model)
        transition_batch(
            batch,
            "close",
            finished_at=database_now(),
            next_look_at=None,
            lease_until=None,
            **changes,
        )
