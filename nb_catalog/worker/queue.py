"""The queue of jobs: which are next, and whether any are waiting."""

from __future__ import annotations

from collections.abc import Set

from django.db import connection, models

from nb_catalog import ratelimit
from nb_catalog.core.specs import SCHEMA
from nb_catalog.core.states import JobState
from nb_catalog.core.types import RequestMode
from nb_catalog.models import ImageJob, Run
from nb_catalog.models.db.clock import database_now
from nb_catalog.worker import spool

ModelKey = tuple[str, str]


def next_jobs(
    limit: int,
    *,
    free: bool,
    closed: Set[ModelKey] = frozenset(),
    taken: Set[int] = frozenset(),
) -> list[ImageJob]:
    """Return up to ``limit`` jobs that may be claimed now, the most urgent first, and locked.

    ``closed`` are (provider, model) that have no slot left, ``taken`` the keys of jobs that this
    claim has already.
    """
    jobs = queued(free=free, closed=closed)
    return list(skip_locked(jobs.exclude(pk__in=taken) if taken else jobs)[:limit])


def skip_locked(jobs: models.QuerySet[ImageJob]) -> models.QuerySet[ImageJob]:
    """Lock ``jobs``, and leave out those that others have locked, if the database supports it."""
    if connection.features.has_select_for_update_skip_locked:
        return jobs.select_for_update(skip_locked=True)
    return jobs


def queued(
    *, free: bool, mode: str = RequestMode.DIRECT, closed: Set[ModelKey] = frozenset()
) -> models.QuerySet[ImageJob]:
    """Return the jobs that may be claimed now, the most urgent first: neither of a paused run nor of a
    model that is paused or ``closed``."""
    closed = closed | ratelimit.active_pauses(database_now())
    jobs = ordered_queue(free=free, mode=mode).filter(ratelimit.exclude_models(closed))
    paused_runs = list(Run.objects.exclude(paused_reason="").values_list("pk", flat=True))
    return jobs.exclude(run_id__in=paused_runs) if paused_runs else jobs


def ordered_queue(*, free: bool, mode: str = RequestMode.DIRECT) -> models.QuerySet[ImageJob]:
    """Return all queued jobs in their order, including those that have to wait, without those that were
    written by newer code."""
    # With `=` Django writes NOT for a false value, which no index of SQLite or MySQL helps with: a
    # claim would then sort the whole queue.
    jobs = ImageJob.objects.filter(
        state=JobState.QUEUED, mode=mode, is_free__in=[free], schema__lte=SCHEMA
    )
    return jobs.order_by("-priority", "turn", "id")


def work_is_waiting() -> bool:
    """Return whether a claim could find something now, or once a slot is free again."""
    return queued(free=True).exists() or slots_will_come()


def slots_will_come() -> bool:
    """Return whether paid jobs wait that neither a day's quota nor this machine's full disk stops."""
    return (
        spool.has_room()
        and queued(free=False, closed=ratelimit.exhausted_models(database_now())).exists()
    )
