"""Starts plans as runs; cancels, retries and resumes runs."""

from __future__ import annotations

import logging
from decimal import Decimal
from itertools import islice
from typing import Any, Final

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from nb_catalog import tasks
from nb_catalog.core import logs
from nb_catalog.core.iteration import blocks
from nb_catalog.core.states import JobState
from nb_catalog.core.types import Actor
from nb_catalog.exceptions import InvalidTransition, RequestRefused
from nb_catalog.generation import job_counts, run_notices, run_starts
from nb_catalog.generation.job_writing import first_turn, lock_jobs_of, write_jobs
from nb_catalog.generation.lookups import find_existing
from nb_catalog.generation.plan import Plan
from nb_catalog.models import ImageJob, Run
from nb_catalog.models.db.clock import database_now
from nb_catalog.models.db.money import micros
from nb_catalog.models.generic import content_type_of
from nb_catalog.models.transitions import reopen_runs, transition_jobs

logger = logging.getLogger(__name__)

BLOCK: Final = 1000
# The worker writes the jobs of more pictures or products: a web request would take too long.
LARGE_RUN: Final = 1000
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
    """Write a job for each missing or stale picture of ``plan``, and wake a worker.

    All jobs are written, or none. Of a plan of more than ``LARGE_RUN`` pictures or products, the worker
    writes them: ``run.starting`` has the progress meanwhile, and says why if it cannot go on.

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
            _start(run, plan, priority=priority)
            tasks.wake_up()
    if created:
        run.refresh_from_db()
        _log(run, "started", estimate_microusd=run.estimate_microusd, actor=run.actor_id)
    return run


def _start(run: Run, plan: Plan, *, priority: int | None) -> None:
    """Write the jobs of ``run``; if they may be too many for a web request, leave that to the worker."""
    keys = plan.product_keys()
    if len(keys) <= LARGE_RUN:
        lock_jobs_of(content_type_of(plan.source.model).pk)
        items = list(islice(plan.items(), LARGE_RUN + 1))
        if len(items) <= LARGE_RUN:
            if priority is None:
                is_small = sum(item.is_wanted for item in items) <= SMALL_RUN
                priority = INTERACTIVE_PRIORITY if is_small else 0
            turn = first_turn(priority=priority, is_free=plan.is_free, mode=plan.planner.mode)
            write_jobs(run, plan, items, priority=priority, turn=turn)
            return
    run_starts.defer(run, plan, keys=keys, priority=priority or 0)


def _log(run: Run, event: str, **fields: Any) -> None:
    logger.info("Run %s: %s.", run.pk, event, extra=logs.fields(run=run.pk, **fields))


def checked_budget(amount: Decimal) -> int:
    """Return whole micro-dollars. Raises ``RequestRefused`` for an amount below zero or above
    ``MAX_BUDGET_USD``."""
    if not (amount.is_finite() and 0 <= amount <= MAX_BUDGET_USD):
        raise RequestRefused(
            _("A budget must be between 0 and %(most)s US dollars, not %(amount)s.")
            % {"most": f"{MAX_BUDGET_USD:,}", "amount": amount}
        )
    return micros(amount)


def _budget(amount: Decimal | None) -> int | None:
    """Return whole micro-dollars, or None for no limit."""
    return None if amount is None else checked_budget(amount)


def cancel_run(run: Run) -> int:
    """Cancel the jobs that have not been sent yet and return their number. Calls in flight finish.

    Jobs that have not been written yet will not be, and no picture in flight is made again.
    """
    with transaction.atomic():
        was_starting = run_starts.cancel(run)
        now = database_now()
        cancelled = transition_jobs(run.jobs.all(), "cancel", finished_at=now)
        # Whatever adds a job to a run later holds the run's row: it has committed by now, or sees this.
        Run.objects.filter(pk=run.pk).update(cancelled_at=now)
        cancelled += transition_jobs(run.jobs.all(), "cancel", finished_at=now)
        if cancelled:
            job_counts.invalidate(run)
    if was_starting:
        run.refresh_from_db()
    _log(run, "cancelled", jobs=cancelled)
    return cancelled


def retry_run(run: Run, *, unknown: bool = False, only: Q | None = None) -> int:
    """Queue refused, failed and cancelled jobs again and return their number; ``only`` those that match.

    With ``unknown``, also those with an unknown outcome: their pictures may be charged twice.
    Jobs whose picture another run is making, or has made meanwhile, stay as they are, so that
    nothing else is paid for twice. A run that could not be written to its end goes on.
    """
    states = (*RETRIABLE, JobState.UNKNOWN) if unknown else RETRIABLE
    with transaction.atomic():
        chosen = run.jobs.filter(only or Q(), state__in=states)
        jobs = list(chosen.defer("spec").order_by("pk"))
        for content_type_id in {job.content_type_id for job in jobs}:
            lock_jobs_of(content_type_id)
        queued = 0
        for block in blocks(jobs, size=BLOCK):
            existing = find_existing([job.fingerprint for job in block])
            taken = ImageJob.objects.filter(live_key__in=[job.fingerprint for job in block])
            # A job whose outcome is unknown holds its own place.
            holders = dict(taken.values_list("live_key", "pk"))
            by_fingerprint = {
                job.fingerprint: job.pk
                for job in block
                if job.fingerprint not in existing.present
                and holders.get(job.fingerprint, job.pk) == job.pk
            }
            queued += transition_jobs(
                ImageJob.objects.filter(pk__in=by_fingerprint.values()),
                "retry",
                attempts=0,
                not_before=None,
                finished_at=None,
                lease_owner="",
            )
        if queued:
            again = {"cancelled_at": None, "next_look_at": database_now()}
            Run.objects.filter(pk=run.pk).update(**again)
            job_counts.invalidate(run)
        if resumed := run_starts.resume(run):
            reopen_runs([run.pk])
            run.refresh_from_db()
        if resumed or queued:
            run_notices.expect_again(run)
            tasks.wake_up()
    _log(run, "retried", jobs=queued)
    return queued


def resume_run(run: Run, *, budget_usd: Decimal | None) -> None:
    """Resume a paused run with another budget, or with none.

    Raises ``RequestRefused`` for an invalid budget, as ``start_run`` does, and ``InvalidTransition``
    for a run that is not paused: its budget does not change.
    """
    budget = _budget(budget_usd)
    with transaction.atomic():
        paused = Run.objects.filter(pk=run.pk).exclude(paused_reason="")
        if not paused.update(paused_reason="", budget_microusd=budget):
            raise InvalidTransition(
                _("Run %(run)s is not paused. Its budget has not been changed.") % {"run": run.pk}
            )
        run_notices.expect_again(run)
        tasks.wake_up()
    run.refresh_from_db()
    _log(run, "resumed", budget_microusd=budget)
