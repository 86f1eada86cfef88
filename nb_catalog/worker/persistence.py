"""Writes what happens to jobs: several at once in one transaction, each fenced."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import F

from nb_catalog import ratelimit, signals
from nb_catalog.billing import budgets, ceilings
from nb_catalog.core.event_types import EventType
from nb_catalog.core.states import (
    JOB_TRANSITIONS,
    JOB_UNDERWAY,
    LATE_TRANSITIONS,
    ImageState,
    JobState,
)
from nb_catalog.core.types import RequestMode
from nb_catalog.cutouts.records import CUTOUT_CHECK
from nb_catalog.exceptions import ProviderError
from nb_catalog.imaging.fidelity import FIDELITY_CHECK
from nb_catalog.models import ImageJob, ProductImage, ProviderBatch, ProviderCall
from nb_catalog.models.billing import CallOutcome
from nb_catalog.models.db.clock import database_now
from nb_catalog.models.images import ImageKind
from nb_catalog.models.transitions import reopen_runs, transition_jobs
from nb_catalog.signals import events
from nb_catalog.worker import texts
from nb_catalog.worker.claims import hand_back, lease_end, still_owned
from nb_catalog.worker.drift_retries import MADE_MEANWHILE, write_retries
from nb_catalog.worker.finals import price_check
from nb_catalog.worker.types import ClaimedJob, Fence, JobOutcome, StoredImage

CALL_OUTCOMES = {
    "succeed": CallOutcome.PICTURE,
    "lose": CallOutcome.UNKNOWN,
}
_ENDED_BADLY = (JobState.FAILED, JobState.REFUSED, JobState.UNKNOWN)
_COMPLETED_FIELDS = (
    "outcome", "cost_microusd", "usage", "model_version", "request_id", "error_code", "finished_at",
)  # fmt: skip


def write_outcomes(jobs: Sequence[ClaimedJob], outcomes: Sequence[JobOutcome]) -> list[bool]:
    """Begin ``jobs`` and end those of ``outcomes`` in one transaction.

    Returns for each, in this order, whether it was still ours.
    """
    with transaction.atomic():
        begun = _begin(jobs) if jobs else set()
        ended = _end(outcomes) if outcomes else set()
    return [job.fence in begun for job in jobs] + [
        outcome.job.fence in ended for outcome in outcomes
    ]


def _begin(jobs: Sequence[ClaimedJob]) -> set[Fence]:
    states = _lock_owned(jobs, JobState.LEASED, JobState.CALLING, JobState.UNKNOWN)
    # A job begins once. One that is calling has begun in a commit whose response was lost with the
    # connection, and nothing has been sent for it yet.
    begun = {fence for fence, state in states.items() if state == JobState.CALLING}
    # What a sweep has marked as lost before it could be sent has cost nothing.
    if unsent := [job for job in jobs if states.get(job.fence) == JobState.UNKNOWN]:
        transition_jobs(
            still_owned(unsent),
            "retry",
            attempts=F("attempts") - 1,
            lease_owner="",
            finished_at=None,
            error="",
            error_code="",
        )
        _complete_calls(
            [JobOutcome(job=job, move="retry", cost_microusd=0, was_sent=False) for job in unsent]
        )
    leased = drop_existing([job for job in jobs if states.get(job.fence) == JobState.LEASED])
    now = database_now()
    paid = with_ceilings([job for job in leased if not job.is_free])
    # A model may have been paused since the claim.
    paused = ratelimit.active_pauses(now) if paid else ()
    let_through = reserve(
        (
            job
            for job in paid
            if not ratelimit.is_paused(job.spec.provider, job.spec.model, among=paused)
        ),
        now=now,
    )
    hand_back([job for job in paid if job.job_id not in let_through])
    beginning = [job for job in leased if job.is_free]
    beginning += [job for job in paid if job.job_id in let_through]
    transition_jobs(
        still_owned(beginning), "begin", lease_until=lease_end(), error="", error_code=""
    )
    ProviderCall.objects.bulk_create(
        build_call(job, now=now) for job in beginning if not job.is_free
    )
    if unsent:
        # Last: the rows of runs are locked after those of days.
        reopen_runs({job.run_id for job in unsent})
    return begun | {job.fence for job in beginning}


def drop_existing(jobs: Sequence[ClaimedJob]) -> list[ClaimedJob]:
    """Cancel the jobs whose picture or texts exist, and return the others.

    The picture may have been made since its job was written, by a run that finished in that moment or
    by bytes that were adopted late; somebody may have written the texts.
    """
    images = ProductImage.objects.filter(
        fingerprint__in={job.fingerprint for job in jobs},
        kind=ImageKind.PICTURE,
        state__in=(ImageState.PENDING, ImageState.APPROVED),
    )
    existing = set(images.values_list("fingerprint", flat=True))
    superfluous = [
        job
        for job in jobs
        if job.fingerprint in existing
        or (job.requests_texts and texts.TASKS[job.text_spec.kind].is_done(job.text_spec))
    ]
    if superfluous:
        hand_back(superfluous)
        transition_jobs(
            ImageJob.objects.filter(pk__in=[job.job_id for job in superfluous]),
            "cancel",
            error_code=MADE_MEANWHILE,
            error="It was made meanwhile. Nothing was sent for it again.",
            finished_at=database_now(),
        )
    return [job for job in jobs if job not in superfluous]


def with_ceilings(jobs: Sequence[ClaimedJob]) -> list[ClaimedJob]:
    """Return ``jobs`` with what has to be reserved for them: calls like them may have cost more."""
    seen = ceilings.ceilings_of({_ceiling_key(job) for job in jobs})
    return [
        replace(job, estimate_microusd=max(job.estimate_microusd, seen.get(_ceiling_key(job), 0)))
        for job in jobs
    ]


def _ceiling_key(job: ClaimedJob) -> ceilings.CeilingKey:
    mode = RequestMode.BATCH if job.in_batch else RequestMode.DIRECT
    return ceilings.CeilingKey(job.spec.model, job.size, mode)


def reserve(jobs: Iterable[ClaimedJob], *, now: datetime) -> set[int]:
    """Reserve money for ``jobs``. Return the ids of those that the budgets let through."""
    amounts: dict[int, dict[int, int]] = defaultdict(dict)
    for job in jobs:
        amounts[job.run_id][job.job_id] = job.estimate_microusd
    return budgets.reserve(amounts, day=now.date()) if amounts else set()


def build_call(
    job: ClaimedJob, *, now: datetime, batch: ProviderBatch | None = None
) -> ProviderCall:
    """Return the unsaved row that puts on record that ``job`` goes out ``now``."""
    return ProviderCall(
        run_id=job.run_id,
        job_id=job.job_id,
        batch=batch,
        epoch=job.epoch,
        lease_owner=job.owner,
        provider=job.spec.provider,
        model=job.spec.model,
        tier=job.tier,
        scene="" if job.requests_texts else job.image_spec.scene,
        estimate_microusd=job.estimate_microusd,
        photo_sent=dict(job.photo_sent),
        started_at=now,
    )


def _end(outcomes: Sequence[JobOutcome]) -> set[Fence]:
    ended: set[Fence] = set()
    # Equal changes are one UPDATE.
    groups: dict[tuple[Any, ...], list[ClaimedJob]] = defaultdict(list)
    for each in outcomes:
        change = (each.move, each.error_code, each.error, each.not_before, each.uses_attempt)
        groups[change].append(each.job)
    for (move, error_code, error, not_before, uses_attempt), jobs in groups.items():
        changes = {"error_code": error_code, "error": error, "not_before": not_before}
        if not uses_attempt:
            changes["attempts"] = F("attempts") - 1
        ended |= _transition_owned(jobs, move, **changes)
    # Other calls wait as long as the longest wait of each model and error.
    errors: dict[tuple[str, str, str], ProviderError] = {}
    for each in outcomes:
        if (backoff := each.backoff) is not None:
            key = (each.job.spec.provider, each.job.spec.model, backoff.code)
            if key not in errors or (backoff.retry_after or 0) > (errors[key].retry_after or 0):
                errors[key] = backoff
    for (provider, model, _code), backoff in errors.items():
        ratelimit.record_backoff(backoff, provider=provider, model=model)
    for each in outcomes:
        state = JOB_TRANSITIONS[each.move].target
        if each.job.fence in ended and state in _ENDED_BADLY:
            events.send_job_failed([each.job.job_id], state=str(state), error_code=each.error_code)
    late = [each.job.job_id for each in outcomes if each.job.fence not in ended]
    if late:
        # Two sweeps that found the same bytes must not both store and pay for them.
        calls = ProviderCall.objects.filter(job_id__in=late).order_by("pk")
        list(calls.select_for_update().values_list("pk"))
    if with_images := [each for each in outcomes if each.images]:
        save_images(with_images, ended)
    for each in outcomes:
        if each.texts is not None:
            texts.TASKS[each.job.text_spec.kind].store(each.job.text_spec, each.texts)
    if paid := [each for each in outcomes if not each.job.is_free]:
        _complete_calls(paid)
    # Last: the rows of runs are locked after those of days.
    write_retries(each for each in outcomes if each.job.fence in ended)
    return ended


def _transition_owned(jobs: Sequence[ClaimedJob], move: str, **changes: Any) -> set[Fence]:
    # Any outcome may arrive after a sweep has marked its job as lost.
    late = LATE_TRANSITIONS.get(move)
    moves = (move,) if late is None else (move, late)
    states = _lock_owned(
        jobs, *(state for each in moves for state in JOB_TRANSITIONS[each].sources)
    )
    if JOB_TRANSITIONS[move].target not in JOB_UNDERWAY:
        changes["finished_at"] = database_now()
    owned = still_owned(job for job in jobs if job.fence in states)
    for each in moves:
        if JOB_TRANSITIONS[each].sources.intersection(states.values()):
            transition_jobs(owned, each, **changes)
    return set(states)


def _lock_owned(jobs: Sequence[ClaimedJob], *states: str) -> dict[Fence, str]:
    """Return the fences of ``jobs`` that hold, and the states of their rows, locked until the
    transaction ends.

    By fence, not by id: while the database was away a worker may have claimed a job again that it
    still waits to begin, and only the later claim holds.
    """
    fences = {(job.job_id, job.owner, job.epoch) for job in jobs}
    rows = ImageJob.objects.filter(pk__in=[job.job_id for job in jobs], state__in=states)
    locked = (
        rows.select_for_update().order_by("pk").values_list("pk", "lease_owner", "epoch", "state")
    )
    return {
        (job_id, epoch): state
        for job_id, owner, epoch, state in locked
        if (job_id, owner, epoch) in fences
    }


def _complete_calls(outcomes: Sequence[JobOutcome]) -> None:
    by_fence = {each.job.fence: each for each in outcomes}
    calls = [
        call
        for call in ProviderCall.objects.filter(job_id__in=[job for job, _ in by_fence])
        if (call.job_id, call.epoch) in by_fence and call.cost_microusd is None
    ]
    if not calls:
        return
    settled, overruns = [], []
    for call in calls:
        outcome = by_fence[call.job_id or 0, call.epoch]
        sent = CALL_OUTCOMES.get(outcome.move, CallOutcome.FAILED)
        if outcome.texts is not None:
            sent = CallOutcome.TEXTS
        call.outcome = sent if outcome.was_sent else CallOutcome.NOT_SENT
        call.cost_microusd = outcome.cost_microusd
        call.usage = dict(outcome.usage)
        call.model_version = outcome.model_version[:120]
        call.request_id = outcome.request_id[:200]
        call.error_code = outcome.error_code
        call.finished_at = outcome.finished_at or database_now()
        if outcome.cost_microusd is not None:
            settled.append(budgets.settled_call(call))
            if outcome.cost_microusd > call.estimate_microusd:
                overruns.append((_ceiling_key(outcome.job), outcome.cost_microusd))
    # An upsert of whole rows: bulk_update() builds a CASE for every column of every row, which
    # was a tenth of the worker's CPU.
    target = ("id",) if connection.features.supports_update_conflicts_with_target else None
    ProviderCall.objects.bulk_create(
        calls, update_conflicts=True, update_fields=_COMPLETED_FIELDS, unique_fields=target
    )
    budgets.settle(settled)
    ceilings.record(overruns)


def save_images(outcomes: Sequence[JobOutcome], ended: set[Fence]) -> None:
    """Create a row for every picture. One that arrives after its lease was lost is kept as well,
    unless the same bytes were stored for the same job already."""
    jobs = [each.job for each in outcomes]
    repeated = [job.job_id for job in jobs if job.fence not in ended or job.epoch > 1]
    existing = set(
        ProductImage.objects.filter(job_id__in=repeated).values_list("job_id", "sha256")
        if repeated
        else ()
    )
    bases = _pictures_by_digest(jobs, "made_from")
    drafts = _pictures_by_digest(jobs, "draft")
    parents = drafts | bases
    waiting: list[ProductImage] = []
    # A background before the picture that was composed on it, which is its child.
    for depth in range(max(len(each.images) for each in outcomes)):
        rows = {
            each.job.job_id: _build_image(
                each,
                image,
                parent=parents.get(each.job.job_id),
                draft=drafts.get(each.job.job_id),
            )
            for each in outcomes
            for image in each.images[depth : depth + 1]
            if (each.job.job_id, image.sha256) not in existing
        }
        images = list(rows.values())
        if connection.features.can_return_rows_from_bulk_insert:
            ProductImage.objects.bulk_create(images)
        else:
            # MySQL does not return the keys, which children and signals need.
            for image in images:
                image.save(force_insert=True)
        for image in images:
            events.send_on_commit(
                signals.image_made, sender=ProductImage, image_id=image.pk, job_id=image.job_id
            )
        waiting += [each for each in images if each.kind == ImageKind.PICTURE]
        # An edit and the answer that it was merged from are both made from the picture that is edited.
        edited = {each.job.job_id for each in outcomes if each.job.image_spec.edit}
        parents = rows | {job_id: row for job_id, row in parents.items() if job_id in edited}
    events.record(EventType.PICTURE_WAITING, [events.picture_facts(each) for each in waiting])


def _pictures_by_digest(jobs: Sequence[ClaimedJob], field: str) -> dict[int, ProductImage]:
    """Return, by job, the picture of its product whose sha256 is in ``field`` of its spec."""
    digests = {job.job_id: getattr(job.image_spec, field) for job in jobs}
    wanted = set(digests.values()) - {""}
    if not wanted:
        return {}
    images = {
        (image.sha256, image.content_type_id, image.object_id): image
        for image in ProductImage.objects.filter(sha256__in=wanted).order_by("-pk")
    }
    keys = {job.job_id: (digests[job.job_id], job.content_type_id, job.object_id) for job in jobs}
    return {job_id: images[key] for job_id, key in keys.items() if key in images}


def _build_image(
    outcome: JobOutcome,
    image: StoredImage,
    *,
    parent: ProductImage | None,
    draft: ProductImage | None,
) -> ProductImage:
    job, checks = outcome.job, dict(image.checks)
    if job.draft is not None and image.kind == ImageKind.PICTURE:
        checks |= price_check(job.draft, cost_microusd=outcome.cost_microusd)
    if job.image_spec.sets_text and parent is not None and FIDELITY_CHECK in parent.checks:
        # Text does not change what is below it.
        checks[FIDELITY_CHECK] = parent.checks[FIDELITY_CHECK]
    if job.image_spec.edit and job.image_spec.shows_photo and parent is not None:
        # Its outline is that of the picture before.
        checks |= {name: parent.checks[name] for name in (CUTOUT_CHECK,) if name in parent.checks}
    # Beside the spec, what was done to the photo on its way to the model.
    photo_sent = {"photo_sent": dict(job.photo_sent)} if job.photo_sent else {}
    return ProductImage(
        job_id=job.job_id,
        parent=parent,
        # What a final was made from on the way, such as its background, is not a final.
        draft=draft if image.kind == ImageKind.PICTURE else None,
        content_type_id=job.content_type_id,
        object_id=job.object_id,
        kind=image.kind,
        file=image.name,
        sha256=image.sha256,
        mime_type=image.mime_type,
        width=image.width,
        height=image.height,
        byte_size=image.byte_size,
        spec={**job.image_spec.as_dict(), **photo_sent},
        fingerprint=job.fingerprint,
        request_hash=job.image_spec.request_hash,
        scene=job.image_spec.scene,
        tier=job.tier,
        locale=job.image_spec.locale,
        words=job.image_spec.words,
        series=job.image_spec.series or None,
        variant=job.image_spec.product_variant,
        checks=checks,
        digital_source_type=image.digital_source_type,
        provenance=dict(image.provenance),
    )
