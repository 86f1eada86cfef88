"""Writes the jobs of runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import count
from typing import Any, Final

from django.db.models import F

from nb_catalog.core.iteration import blocks
from nb_catalog.core.text import shorten
from nb_catalog.core.types import RequestMode
from nb_catalog.generation.plan import Item, ItemStatus, Plan
from nb_catalog.models import ImageJob, JobWriteLock, Run
from nb_catalog.models.db.bulk_insert import insert_copies
from nb_catalog.models.db.clock import database_now
from nb_catalog.models.generic import content_type_of
from nb_catalog.worker import queue

BLOCK: Final = 1000
# Reasons kept with a run, the most frequent first, and characters of each.
MOST_PROBLEMS: Final = 20
MAX_PROBLEM_LENGTH: Final = 500


def write_jobs(run: Run, plan: Plan, items: Iterable[Item], *, priority: int, turn: int) -> int:
    """Write a job for each wanted one of ``items``, and add to the run what they cost, what exists
    already and what is not possible. Return the turn that follows.

    Call it in a transaction, after ``lock_jobs_of``. What another run took up since the plan looked is
    left to that run.
    """
    # What all jobs of the plan have in common.
    template = ImageJob(
        run=run,
        content_type=content_type_of(plan.source.model),
        spec={},
        tier=plan.tier,
        is_free=plan.is_free,
        mode=plan.planner.mode,
        estimate_microusd=plan.price_each_microusd,
        priority=priority,
    )
    problems = Counter(run.problems)
    reused = written = 0
    for block in blocks(items, size=BLOCK):
        wanted = [item for item in block if item.is_wanted]
        written += insert_copies(template, map(_columns, wanted, count(turn)))
        turn += len(wanted)
        reused += sum(item.status == ItemStatus.PRESENT for item in block)
        problems.update(shorten(each.problem, MAX_PROBLEM_LENGTH) for each in block if each.problem)
    # Jobs of a run that is being started may all have ended meanwhile: a count of them is not final.
    Run.objects.filter(pk=run.pk).update(
        reused=F("reused") + reused,
        estimate_microusd=F("estimate_microusd") + written * plan.price_each_microusd,
        problems=dict(problems.most_common(MOST_PROBLEMS)),
        counted={},
        counted_at=database_now(),
    )
    return turn


def lock_jobs_of(content_type_id: int) -> None:
    """Keep others from writing jobs about objects of this model until the transaction ends.

    Two runs that claim the same pictures in different orders would deadlock. The lock is a row of its
    own: on MariaDB, a locked content type would stop workers from inserting pictures that refer to it.
    """
    JobWriteLock.objects.get_or_create(content_type_id=content_type_id)
    rows = JobWriteLock.objects.filter(content_type_id=content_type_id).select_for_update()
    list(rows.values_list("pk"))


def first_turn(*, priority: int, is_free: bool, mode: str = RequestMode.DIRECT) -> int:
    """Return the turn at which a new run joins: the one that is being worked on, not behind all turns of
    older runs."""
    waiting = queue.ordered_queue(free=is_free, mode=mode)
    return waiting.filter(priority=priority).values_list("turn", flat=True).first() or 0


def _columns(item: Item, turn: int) -> Mapping[str, Any]:
    """Return what one job has of its own."""
    assert item.spec is not None  # noqa: S101 - wanted items have one
    return {
        "object_id": item.object_id,
        "spec": item.spec.as_dict(),
        "fingerprint": item.fingerprint,
        "live_key": item.fingerprint,
        "provider": item.spec.provider,
        "model": item.spec.model,
        "turn": turn,
    }
