"""Writing down what happens to orders: several at once in one transaction, each fenced."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import F

from nb_catalog import ratelimit, signals
from nb_catalog.billing import budgets
from nb_catalog.core.states import JOB_TRANSITIONS, JOB_UNDERWAY, ImageState, JobState
from nb_catalog.exceptions import ProviderError
from nb_catalog.models import ImageJob, ProductImage, ProviderBatch, ProviderCall
from nb_catalog.models.billing import CallOutcome
from nb_catalog.models.db.clock import database_now
from nb_catalog.models.images import ImageKind
from nb_catalog.models.transitions import transition_jobs
from nb_catalog.worker import pictures
from nb_catalog.worker.claims import hand_back, lease_end, still_owned
from nb_catalog.worker.types import ClaimedJob, JobOutcome

OUTCOMES = {
    "succeed": CallOutcome.PICTURE,
    "adopt": CallOutcome.PICTURE,
    "lose": CallOutcome.UNKNOWN,
}
_ENDED_BADLY = (JobState.FAILED, JobState.REFUSED, JobState.UNKNOWN)


def write_outcomes(beginnings: Sequence[ClaimedJob], endings: Sequence[JobOutcome]) -> list[bool]:
    """Begin and end orders in one transaction: for each, in this order, whether it was held."""
    with transaction.atomic():
        begun = _begin(beginnings)
        ended = _end(endings)
    return [order.job_id in begun for order in beginnings] + [
        ending.order.job_id in ended for ending in endings
    ]


def _begin(orders: Sequence[ClaimedJob]) -> set[int]:
    if not orders:
        return set()
    still = _still_held(orders, JobState.LEASED, JobState.CALLING, JobState.UNKNOWN)
    # An order begins once. What has begun already did so in a commit whose answer was lost with the
    # connection, and nothing has been sent for it yet.
    begun = {job_id for job_id, state in still.items() if state == JobState.CALLING}
    _take_back([each for each in orders if still.get(each.job_id) == JobState.UNKNOWN])
    mine = drop_existing([each for each in orders if still.get(each.job_id) == JobState.LEASED])
    now = database_now()
    paid = [order for order in mine if not order.is_free]
    let_through = reserve(_open(paid, now=now), now=now)
    hand_back(order for order in paid if order.job_id not in let_through)
    going = [order for order in mine if order.is_free or order.job_id in let_through]
    transition_jobs(still_owned(going), "begin", lease_until=lease_end(), error="", error_code="")
    ProviderCall.objects.bulk_create(
        call_of(order, now=now) for order in going if not order.is_free
    )
    return begun | {order.job_id for order in going}


def _take_back(orders: Sequence[ClaimedJob]) -> None:
    """Queue again what a sweep has called lost before it could be sent; it has cost nothing."""
    if not orders:
        return
    transition_jobs(
        still_owned(orders),
        "retry",
        attempts=F("attempts") - 1,
        lease_owner="",
        finished_at=None,
        error="",
        error_code="",
    )
    _complete_calls(
        [JobOutcome(order=each, move="retry", cost_microusd=0, was_sent=False) for each in orders]
    )


def drop_existing(orders: list[ClaimedJob]) -> list[ClaimedJob]:
    """Orders whose picture does not exist yet. One can have been made since its job was written,
    by a run that finished in that moment or by bytes that came home late."""
    pictures = ProductImage.objects.filter(
        fingerprint__in={order.fingerprint for order in orders},
        kind=ImageKind.PICTURE,
        state__in=(ImageState.PENDING, ImageState.APPROVED),
    )
    made = set(pictures.values_list("fingerprint", flat=True))
    spared = [order for order in orders if order.fingerprint in made]
    hand_back(spared)
    transition_jobs(
        ImageJob.objects.filter(pk__in=[order.job_id for order in spared]),
        "cancel",
        error_code="made_meanwhile",
        error="This picture was made meanwhile. Nothing was sent for it again.",
        finished_at=database_now(),
    )
    return [order for order in orders if order.fingerprint not in made]


def _open(orders: Iterable[ClaimedJob], *, now: datetime) -> list[ClaimedJob]:
    """Those whose model was not paused since they were claimed."""
    paused = ratelimit.paused(now)
    return [
        each
        for each in orders
        if not ratelimit.is_paused(each.spec.provider, each.spec.model, among=paused)
    ]


def reserve(orders: Iterable[ClaimedJob], *, now: datetime) -> set[int]:
    """Set money aside for ``orders``: the jobs that the budgets let through."""
    amounts: dict[int, dict[int, int]] = defaultdict(dict)
    for order in orders:
        amounts[order.run_id][order.job_id] = order.estimate_microusd
    return budgets.reserve(amounts, day=now.date())


def call_of(
    order: ClaimedJob, *, now: datetime, batch: ProviderBatch | None = None
) -> ProviderCall:
    """The row that says of ``order`` that it goes out ``now``."""
    return ProviderCall(
        job_id=order.job_id,
        batch=batch,
        epoch=order.epoch,
        lease_owner=order.owner,
        provider=order.spec.provider,
        model=order.spec.model,
        tier=order.tier,
        scene=order.spec.scene,
        estimate_microusd=order.estimate_microusd,
        photo_sent=dict(order.photo_sent),
        started_at=now,
    )


def _end(endings: Sequence[JobOutcome]) -> set[int]:
    ended: set[int] = set()
    alike: dict[tuple[Any, ...], list[ClaimedJob]] = defaultdict(list)
    for ending in endings:
        alike[_changes_of(ending)].append(ending.order)
    for (move, *values), orders in alike.items():
        ended |= _move_held(orders, move, **dict(zip(_CHANGED, values, strict=True)))
    _record_backoff(endings)
    for ending in endings:
        if ending.order.job_id in ended:
            _signal_failures(ending)
    _hold_calls([each.order for each in endings if each.order.job_id not in ended])
    pictures.save_images([each for each in endings if each.images], ended)
    _complete_calls([ending for ending in endings if not ending.order.is_free])
    return ended


def _record_backoff(endings: Sequence[JobOutcome]) -> None:
    """What the endings mean for other calls. Of many that say the same, the longest wait counts."""
    errors: dict[tuple[str, str, str], ProviderError] = {}
    for ending in endings:
        if (error := ending.stops) is None:
            continue
        spec = ending.order.spec
        key = (spec.provider, spec.model, error.code)
        if key not in errors or (error.retry_after or 0) > (errors[key].retry_after or 0):
            errors[key] = error
    for (provider, model, _code), error in errors.items():
        ratelimit.record_backoff(error, provider=provider, model=model)


def _signal_failures(ending: JobOutcome) -> None:
    state = JOB_TRANSITIONS[ending.move].target
    if state in _ENDED_BADLY:
        signals.send_job_failed(
            [ending.order.job_id], state=str(state), error_code=ending.error_code
        )


def _hold_calls(late: Sequence[ClaimedJob]) -> None:
    """Lock the calls of orders whose job is no longer held: two sweeps that found the same staged
    bytes must not both keep and pay for them."""
    if not late:
        return
    calls = ProviderCall.objects.filter(job_id__in=[order.job_id for order in late])
    list(calls.order_by("pk").select_for_update().values_list("pk"))


_CHANGED = ("error_code", "error", "not_before", "counts")


def _changes_of(ending: JobOutcome) -> tuple[Any, ...]:
    return (ending.move, *(getattr(ending, name) for name in _CHANGED))


def _move_held(
    orders: Sequence[ClaimedJob], move: str, *, counts: bool, **changes: Any
) -> set[int]:
    # A picture may come home after a sweep has called its job lost.
    moves = (move, "adopt") if move == "succeed" else (move,)
    still = _still_held(
        orders, *(state for each in moves for state in JOB_TRANSITIONS[each].sources)
    )
    if JOB_TRANSITIONS[move].target not in JOB_UNDERWAY:
        changes["finished_at"] = database_now()
    if not counts:
        changes["attempts"] = F("attempts") - 1
    jobs = still_owned(order for order in orders if order.job_id in still)
    for each in moves:
        transition_jobs(jobs, each, **changes)
    return set(still)


def _still_held(orders: Sequence[ClaimedJob], *states: str) -> dict[int, str]:
    """Job ids among ``orders`` whose fence holds, and their states, locked until the transaction
    ends."""
    fences = {(order.job_id, order.owner, order.epoch) for order in orders}
    rows = ImageJob.objects.filter(pk__in=[order.job_id for order in orders], state__in=states)
    found = (
        rows.select_for_update().order_by("pk").values_list("pk", "lease_owner", "epoch", "state")
    )
    return {job_id: state for job_id, *fence, state in found if (job_id, *fence) in fences}


def _complete_calls(endings: Sequence[JobOutcome]) -> None:
    by_fence = {(ending.order.job_id, ending.order.epoch): ending for ending in endings}
    calls = [
        call
        for call in ProviderCall.objects.filter(job_id__in=[job for job, _ in by_fence])
        if (call.job_id, call.epoch) in by_fence and call.cost_microusd is None
    ]
    settled = []
    for call in calls:
        ending = by_fence[call.job_id, call.epoch]
        _complete(call, ending)
        if ending.cost_microusd is not None:
            settled.append(budgets.settled_call(call, run_id=ending.order.run_id))
    _update(calls)
    budgets.settle(settled)


_COMPLETED = (
    "outcome", "cost_microusd", "usage", "model_version", "request_id", "error_code", "finished_at",
)  # fmt: skip


def _update(calls: list[ProviderCall]) -> None:
    # An upsert of whole rows: bulk_update() builds a CASE for every column of every row, which
    # was a tenth of the worker's CPU.
    target = ("id",) if connection.features.supports_update_conflicts_with_target else None
    ProviderCall.objects.bulk_create(
        calls, update_conflicts=True, update_fields=_COMPLETED, unique_fields=target
    )


def _complete(call: ProviderCall, ending: JobOutcome) -> None:
    sent = OUTCOMES.get(ending.move, CallOutcome.FAILED)
    call.outcome = sent if ending.was_sent else CallOutcome.NOT_SENT
    call.cost_microusd = ending.cost_microusd
    call.usage = dict(ending.usage)
    call.model_version = ending.model_version[:120]
    call.request_id = ending.request_id[:200]
    call.error_code = ending.error_code
    call.finished_at = ending.finished_at or database_now()
