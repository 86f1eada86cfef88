"""Starts plans as runs; cancels, retries and resumes runs."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from decimal import Decimal
from itertools import chain, islice
from typing import Any, Final

from django.contrib.contenttypes.models import ContentType
from django.db import IntegrityError, connection, transaction
from django.db.models import Sum

from nb_catalog import tasks
from nb_catalog.core import logs
from nb_catalog.core.iteration import blocks
from nb_catalog.core.states import JobState
from nb_catalog.core.types import Actor
from nb_catalog.exceptions import RequestRefused
from nb_catalog.generation import job_counts
from nb_catalog.generation.lookups import find_existing
from nb_catalog.generation.plan import Item, ItemStatus, Plan
from nb_catalog.models import ImageJob, Run
from nb_catalog.models.db.clock import database_now
from nb_catalog.models.db.money import micros
from nb_catalog.models.generic import content_type_of
from nb_catalog.models.transitions import transition_jobs
from nb_catalog.worker import queue

logger = logging.getLogger(__name__)

BLOCK: Final = 1000
# Well below the column's maximum; anything larger is a typo.
MAX_BUDGET_USD: Final = 1_000_000

# Runs of at most this many pictures are what a person in the admin waits for.
SMALL_RUN: Final = 24
INTERACTIVE_PRIORITY: Final = 10

# What a plain retry queues again. An unknown outcome may have been charged already, so it has to be
# requested explicitly.
RETRIABLE: Final = (JobState.REFUSED, JobState.FAILED, JobState.CANCELLED)


def start_run(
    plan: Plan,
    *,
    actor: Actor = None,
    budget_usd: Decimal | None = None,
    priority: int | None = 0,
) -> Run:
    """Write a job for each missing or stale picture of ``plan``, all or none, and wake a worker.

    Starting the same plan again returns the run that it became. A picture that another run is
    already making is left to that run. ``budget_usd`` limits what the run may spend; reaching it
    pauses the run. Runs of one ``priority`` take turns, and those of a higher one go first; with
    None, small runs get the priority of a person who is waiting.

    Raises ``RequestRefused`` for a budget below zero or above ``MAX_BUDGET_USD``.
    """
    budget = _budget(budget_usd)
    with transaction.atomic():
        run, created = Run.objects.get_or_create(
            plan_key=plan.key,
            defaults={
                "title": plan.title[:200],
                "request": dict(plan.request),
                "tier": plan.tier,
                "actor": actor,
                "budget_microusd": budget,
            },
        )
        if created:
            _write_jobs(run, plan, priority=priority)
            tasks.wake_up()
    if created:
        _log(run, "started", estimate_microusd=run.estimate_microusd, actor=run.actor_id)
    return run


def _log(run: Run, event: str, **fields: Any) -> None:
    logger.info("Run %s: %s.", run.pk, event, extra=logs.fields(run=run.pk, **fields))


def _budget(amount: Decimal | None) -> int | None:
    """Return whole micro-dollars, or None for no limit."""
    if amount is None:
        return None
    if not (amount.is_finite() and 0 <= amount <= MAX_BUDGET_USD):
        raise RequestRefused(
            f"A budget must be between 0 and {MAX_BUDGET_USD:,} US dollars, not {amount}."
        )
    return micros(amount)


def _write_jobs(run: Run, plan: Plan, *, priority: int | None) -> None:
    content_type = content_type_of(plan.source.model)
    _lock_jobs_of(content_type.pk)
    reused = 0

    def wanted() -> Iterator[Item]:
        nonlocal reused
        for item in plan.items():
            reused += item.status == ItemStatus.PRESENT
            if item.is_wanted:
                yield item

    items = wanted()
    first = list(islice(items, SMALL_RUN + 1))
    if priority is None:
        priority = INTERACTIVE_PRIORITY if len(first) <= SMALL_RUN else 0
    # A new run joins at the turn that is being worked on, not behind all turns of older runs.
    waiting = queue.ordered_queue(free=plan.is_free, mode=plan.planner.mode)
    turn = waiting.filter(priority=priority).values_list("turn", flat=True).first() or 0
    jobs = (
        _job(run, plan, item, content_type=content_type, priority=priority, turn=turn)
        for turn, item in enumerate(chain(first, items), start=turn)
    )
    for block in blocks(jobs, size=BLOCK):
        # Conflicts are pictures that another run took up since the plan looked.
        ImageJob.objects.bulk_create(block, ignore_conflicts=True)
    run.reused = reused
    run.estimate_microusd = run.jobs.aggregate(total=Sum("estimate_microusd"))["total"] or 0
    run.save(update_fields=["reused", "estimate_microusd"])


def _lock_jobs_of(content_type_id: int) -> None:
    """Keep others from writing jobs about objects of this model until the transaction ends.

    Two runs that claim the same pictures in different orders would deadlock.
    """
    # The weaker lock lets others write rows that refer to this one.
    no_key = connection.features.has_select_for_no_key_update
    rows = ContentType.objects.filter(pk=content_type_id).select_for_update(no_key=no_key)
    list(rows.values_list("pk"))


def _job(
    run: Run, plan: Plan, item: Item, *, content_type: ContentType, priority: int, turn: int
) -> ImageJob:
    assert item.spec is not None  # noqa: S101 - wanted items have one
    return ImageJob(
        run=run,
        content_type=content_type,
        object_id=item.object_id,
        spec=item.spec.as_dict(),
        fingerprint=item.fingerprint,
        live_key=item.fingerprint,
        tier=plan.tier,
        provider=item.spec.provider,
        model=item.spec.model,
        is_free=plan.is_free,
        mode=plan.planner.mode,
        estimate_microusd=plan.price_each_microusd,
        priority=priority,
        turn=turn,
    )


def cancel_run(run: Run) -> int:
    """Cancel the jobs that have not been sent yet and return their number. Calls in flight finish."""
    with transaction.atomic():
        cancelled = transition_jobs(run.jobs.all(), "cancel", finished_at=database_now())
        if cancelled:
            job_counts.invalidate(run)
    _log(run, "cancelled", jobs=cancelled)
    return cancelled


def retry_run(run: Run, *, unknown: bool = False) -> int:
    """Queue refused, failed and cancelled jobs again and return their number.

    With ``unknown``, also those with an unknown outcome: their pictures may be charged twice.
    Jobs whose picture another run is making, or has made meanwhile, stay as they are, so that
    nothing else is paid for twice.
    """
    states = (*RETRIABLE, JobState.UNKNOWN) if unknown else RETRIABLE
    with transaction.atomic():
        jobs = list(run.jobs.filter(state__in=states).defer("spec").order_by("pk"))
        for content_type_id in {job.content_type_id for job in jobs}:
            _lock_jobs_of(content_type_id)
        queued = 0
        for block in blocks(jobs, size=BLOCK):
            present = find_existing([job.fingerprint for job in block]).present
            queued += sum(_retry(job) for job in block if job.fingerprint not in present)
        if queued:
            job_counts.invalidate(run)
            tasks.wake_up()
    _log(run, "retried", jobs=queued)
    return queued


def _retry(job: ImageJob) -> int:
    """Queue ``job`` again unless another run holds its place; return how many jobs were queued."""
    try:
        with transaction.atomic():
            return transition_jobs(
                ImageJob.objects.filter(pk=job.pk),
                "retry",
                attempts=0,
                not_before=None,
                finished_at=None,
                lease_owner="",
            )
    except IntegrityError:
        return 0


def resume_run(run: Run, *, budget_usd: Decimal | None) -> None:
    """Resume a paused run with another budget, or with none.

    Raises ``RequestRefused`` for an invalid budget, as ``start_run`` does.
    """
    budget = _budget(budget_usd)
    with transaction.atomic():
        Run.objects.filter(pk=run.pk).update(paused_reason="", budget_microusd=budget)
        tasks.wake_up()
    run.refresh_from_db()
    _log(run, "resumed", budget_microusd=budget)
