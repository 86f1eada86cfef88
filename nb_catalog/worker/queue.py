"""The queue of jobs: who is next, and whether anybody is."""

from __future__ import annotations

import json
from collections.abc import Set
from typing import Any, NamedTuple

from django.db import connection, models
from django.db.models.functions import Cast

from nb_catalog import ratelimit
from nb_catalog.core.specs import ImageSpec
from nb_catalog.core.states import JobState
from nb_catalog.core.types import RequestMode
from nb_catalog.models import ImageJob, Run
from nb_catalog.models.db.clock import database_now
from nb_catalog.models.db.compiled import compile_once
from nb_catalog.worker import spool

Key = tuple[str, str]


class Row(NamedTuple):
    """Of a job what an order is made from. A model's instance of all its columns would take as long
    as everything else that a claim does."""

    pk: int
    run_id: int
    epoch: int
    content_type_id: int
    object_id: str
    spec_text: str
    fingerprint: str
    tier: str
    provider: str
    model: str
    attempts: int
    is_free: bool
    estimate_microusd: int
    mode: str

    @property
    def wanted(self) -> ImageSpec:
        """Read from its JSON here, after the claim: nobody waits for that."""
        return ImageSpec.from_dict(json.loads(self.spec_text))


def next_rows(
    limit: int, *, free: bool, closed: Set[Key] = frozenset(), taken: Set[int] = frozenset()
) -> list[Row]:
    """Up to ``limit`` jobs of a lane that may be taken now, the most urgent first, and locked.

    ``closed`` are (provider, model) that have no slot left, ``taken`` the keys of jobs that this
    claim has already.
    """
    rows = _next(
        limit,
        free=free,
        runs=_paused_runs(),
        closed=frozenset(closed | ratelimit.paused(database_now())),
        taken=frozenset(taken),
    )
    return [Row._make(row) for row in rows]


@compile_once
def _next(
    limit: int,
    *,
    free: bool,
    runs: frozenset[int],
    closed: frozenset[Key],
    taken: frozenset[int],
) -> Any:
    jobs = _open(ordered_queue(free=free), runs=runs, closed=closed)
    if taken:
        jobs = jobs.exclude(pk__in=taken)
    jobs = skip_locked(jobs).annotate(spec_text=Cast("spec", models.TextField()))
    return jobs.values_list(*Row._fields)[:limit]


@compile_once
def _paused() -> Any:
    return Run.objects.exclude(paused_reason="").values_list("pk")


def skip_locked(jobs: models.QuerySet[ImageJob]) -> models.QuerySet[ImageJob]:
    """``jobs`` less those that others are taking at this moment, where the database can tell."""
    if connection.features.has_select_for_update_skip_locked:
        return jobs.select_for_update(skip_locked=True)
    return jobs


def queued(*, free: bool, mode: str = RequestMode.DIRECT) -> models.QuerySet[ImageJob]:
    """Jobs that may be taken now, the most urgent first."""
    closed = ratelimit.paused(database_now())
    return _open(ordered_queue(free=free, mode=mode), runs=_paused_runs(), closed=closed)


def ordered_queue(*, free: bool, mode: str = RequestMode.DIRECT) -> models.QuerySet[ImageJob]:
    """All queued jobs of a lane in their order, those too that have to wait."""
    # With `=` Django writes NOT for a false value, which no index of SQLite or MySQL helps with: a
    # claim would then sort the whole queue.
    jobs = ImageJob.objects.filter(state=JobState.QUEUED, mode=mode, is_free__in=[free])
    return jobs.order_by("-priority", "turn", "id")


def work_is_waiting() -> bool:
    """Whether a claim could find something now, or once a slot is free again."""
    return queued(free=True).exists() or slots_will_come()


def slots_will_come() -> bool:
    """Whether paid jobs wait that neither a day's quota nor this machine's full disk holds up."""
    if not spool.has_room():
        return False
    used_up = ratelimit.exhausted_models(database_now())
    return queued(free=False).filter(ratelimit.exclude_models(used_up)).exists()


def _paused_runs() -> frozenset[int]:
    return frozenset(pk for (pk,) in _paused())


def _open(
    jobs: models.QuerySet[ImageJob], *, runs: Set[int], closed: Set[Key]
) -> models.QuerySet[ImageJob]:
    jobs = jobs.filter(ratelimit.exclude_models(closed))
    return jobs.exclude(run_id__in=runs) if runs else jobs
