"""The rows of batches: jobs put into them, who works on which, and when to look again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import uuid4

from django.db import transaction
from django.db.models import F, Q, QuerySet

from nb_catalog import ratelimit, signals
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
from nb_catalog.providers import provider
from nb_catalog.providers.batches import limits_of
from nb_catalog.providers.types import BatchLimits
from nb_catalog.worker import claims, persistence, queue
from nb_catalog.worker.batches import item_outcomes
from nb_catalog.worker.types import ClaimedJob

# After a batch could not be handed in, its model is left alone for so long.
REST: Final = timedelta(seconds=60)
BLOCK: Final = 500


def create_batch(*, owner: str) -> tuple[ProviderBatch, list[ClaimedJob]] | None:
    """Put queued jobs into a new batch that ``owner`` holds; None when there is nothing to do.

    The jobs are ``submitted``, their money is reserved and their calls are on record before a
    line is written: whatever dies from here on, nobody else takes them up.
    """
    for alias, model in _groups():
        limits = _limits(alias)
        if limits is None:
            _refuse(alias, model)
        elif not _rests(alias, model) and _underway(alias) < limits.at_once:
            with transaction.atomic():
                gathered = _gathered(alias, model, most=limits.items, owner=owner)
            if gathered is not None:
                batch, orders = gathered
                return batch, claims.with_photos(orders)
    return None


def _groups() -> list[tuple[str, str]]:
    """(provider, model) of what waits, the most urgent first."""
    waiting = _waiting().values_list("provider", "model").distinct().order_by()
    return [(str(alias), str(model)) for alias, model in waiting]


def _waiting() -> QuerySet[ImageJob]:
    return queue.queued(free=False, mode=RequestMode.BATCH)


def _limits(alias: str) -> BatchLimits | None:
    try:
        return limits_of(provider(alias))
    except InvalidSettings:
        return None


def _refuse(alias: str, model: str) -> None:
    """End jobs that were asked for when the provider still took batches."""
    error = RequestRejected(
        f"The provider {alias!r} takes no batches as it is configured now. Ask for these pictures "
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
        signals.send_job_failed(list(failed), state=JobState.FAILED, error_code=error.code)


def _rests(alias: str, model: str) -> bool:
    """Whether its last batch failed just now, or one is being fetched: what comes back from that
    goes out together with what waits."""
    rows = ProviderBatch.objects.filter(provider=alias, model=model)
    failed = Q(state=BatchState.DONE, finished_at__gt=database_now() - REST) & ~Q(error_code="")
    return rows.filter(failed | Q(state=BatchState.READY)).exists()


def _underway(alias: str) -> int:
    return ProviderBatch.objects.filter(provider=alias).exclude(state=BatchState.DONE).count()


def _gathered(
    alias: str, model: str, *, most: int, owner: str
) -> tuple[ProviderBatch, list[ClaimedJob]] | None:
    wanted = _waiting().filter(provider=alias, model=model)
    jobs = list(queue.skip_locked(wanted)[:most])
    now, name = database_now(), f"nb-{uuid4().hex}"
    orders = persistence.drop_existing([claims.claimed_job(job, owner=name) for job in jobs])
    let_through = persistence.reserve(orders, now=now)
    going = [order for order in orders if order.job_id in let_through]
    if not going:
        return None
    batch = ProviderBatch.objects.create(
        name=name,
        provider=alias,
        model=model,
        items=len(going),
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
    if moved != len(going):
        raise InvalidTransition("Another worker took some of these jobs first.")
    ProviderCall.objects.bulk_create(
        (persistence.call_of(order, now=now, batch=batch) for order in going), batch_size=BLOCK
    )
    return batch, going


def claim_due(*, owner: str) -> ProviderBatch | None:
    """A batch that nobody holds and that there is something to do for, held by ``owner`` now."""
    due = _due()
    for batch in due.order_by("next_look_at")[:5]:
        mine = {"lease_owner": owner, "lease_until": claims.lease_end(), "epoch": batch.epoch + 1}
        same = due.filter(pk=batch.pk, epoch=batch.epoch)
        if same.update(**mine):
            for name, value in mine.items():
                setattr(batch, name, value)
            return batch
    return None


def _due() -> QuerySet[ProviderBatch]:
    """Batches that there is something to do for and that nobody alive holds."""
    now = database_now()
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=now)
    return ProviderBatch.objects.filter(free, next_look_at__lte=now).exclude(state=BatchState.DONE)


def work_is_due() -> bool:
    """Whether a batch could be put together or looked after now."""
    if _due().exists():
        return True
    return any(
        not _rests(alias, model)
        and ((limits := _limits(alias)) is None or _underway(alias) < limits.at_once)
        for alias, model in _groups()
    )


def heartbeat(batches: Iterable[ProviderBatch]) -> None:
    """Renew the leases of batches that are being worked on."""
    for batch in batches:
        _held(batch).update(lease_until=claims.lease_end())


def release(batch: ProviderBatch, *, next_look_at: datetime, **changes: Any) -> None:
    """Let ``batch`` go until ``next_look_at``. Nothing when somebody else holds it."""
    _held(batch).update(next_look_at=next_look_at, lease_owner="", lease_until=None, **changes)


def update_held(batch: ProviderBatch, **changes: Any) -> None:
    """Write down what became known of ``batch``. Raises ``InvalidTransition`` when it is not held."""
    if not _held(batch).update(**changes):
        raise InvalidTransition(f"Batch {batch.name} is not ours any more.")
    for name, value in changes.items():
        setattr(batch, name, value)


def _held(batch: ProviderBatch) -> QuerySet[ProviderBatch]:
    return ProviderBatch.objects.filter(
        pk=batch.pk, lease_owner=batch.lease_owner, epoch=batch.epoch
    )


def claimed_jobs(batch: ProviderBatch, keys: Sequence[str]) -> dict[str, ClaimedJob]:
    """Orders by key of a line, with the photos that they need, for lines whose answer is still owed.

    A job that a person cancelled meanwhile is owed its answer too: it is paid for.
    """
    ids = {number: key for key in keys if (number := _job_id(key)) is not None}
    calls = ProviderCall.objects.filter(batch=batch, job_id__in=ids, finished_at__isnull=True)
    owed = [_order(call) for call in calls.select_related("job")]
    # A painted picture needs no photo any more; one that the product is set into does.
    locked = claims.with_photos([order for order in owed if order.spec.locked])
    painted = [order for order in owed if not order.spec.locked]
    return {
        ids[order.job_id]: order
        for order in (*locked, *painted)
        if ids[order.job_id] == key_of(order)
    }


def record_photos(batch: ProviderBatch, orders: Iterable[ClaimedJob]) -> None:
    """Write down how the photos of ``orders`` went into the file."""
    sent = {order.job_id: order.photo_sent for order in orders if order.photo_sent}
    calls = ProviderCall.objects.filter(batch=batch, job_id__in=sent).only("job_id")
    found = list(calls)
    for call in found:
        call.photo_sent = dict(sent[call.job_id])
    ProviderCall.objects.bulk_update(found, ["photo_sent"], batch_size=BLOCK)


def unanswered(batch: ProviderBatch, *, after: int = 0) -> list[ClaimedJob]:
    """Up to ``BLOCK`` orders whose answer is still owed, by job from ``after`` on."""
    calls = ProviderCall.objects.filter(batch=batch, job_id__gt=after, finished_at__isnull=True)
    return [_order(call) for call in calls.select_related("job").order_by("job_id")[:BLOCK]]


def is_wanted(batch: ProviderBatch) -> bool:
    """Whether anybody still waits for one of its pictures."""
    return bool(batch.jobs.filter(state=JobState.SUBMITTED).exists())


def _order(call: ProviderCall) -> ClaimedJob:
    job = call.job
    return replace(
        claims.claimed_job(job, owner=call.lease_owner),
        epoch=call.epoch,
        attempts=job.attempts,
        in_batch=True,
        photo_sent=call.photo_sent,
    )


def key_of(order: ClaimedJob) -> str:
    """What a line of a batch is known by."""
    return f"{order.job_id}.{order.epoch}"


def _job_id(key: str) -> int | None:
    number, _, epoch = key.partition(".")
    return int(number) if number.isdecimal() and epoch.isdecimal() and len(number) < 19 else None


def give_back(batch: ProviderBatch, error: NBCatalogError) -> None:
    """Queue everything of ``batch`` again: it did not go out, and nothing is charged for it."""
    while orders := unanswered(batch):
        persistence.write_outcomes([], [item_outcomes.not_sent(order, error) for order in orders])


def close(batch: ProviderBatch, *, error: NBCatalogError | None = None) -> None:
    """``batch`` is done with. ``error`` says what kept it from going out."""
    said = {} if error is None else {"error_code": error.code, "error": str(error)}
    with transaction.atomic():
        if error is not None:
            give_back(batch, error)
            ratelimit.record_backoff(error, provider=batch.provider, model=batch.model)
        transition_batch(
            batch,
            "close",
            finished_at=database_now(),
            next_look_at=None,
            lease_until=None,
            **said,
        )
