"""Job counts of runs by state, cached for a moment however many people watch."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Count

from nb_catalog.core.states import JOB_LIVE
from nb_catalog.models import ImageJob, Run
from nb_catalog.models.db.clock import database_now

# A database counts a million jobs in about 0.2 s. A count is cached for a second per this many jobs, so
# that the database spends a hundredth of its time on counting; shorter runs are counted at each look.
JOBS_PER_SECOND: Final = 50_000
SMALL: Final = 5_000


def counts_for(runs: Collection[Run]) -> Mapping[int, Counter[str]]:
    """Return the number of jobs by state for each run, by the run's key.

    A constant number of queries, and none for counts that are still valid. Once all jobs of a run
    have ended, its count is valid until some of them are retried.
    """
    now = database_now()
    counts = {run.pk: Counter(run.counted) for run in runs}
    expired = []
    for run in runs:
        lifetime = timedelta(seconds=sum(run.counted.values()) / JOBS_PER_SECOND)
        is_recent = run.counted_at is not None and now - run.counted_at < lifetime
        if not run.counted or not (is_recent or _is_over(run.counted)):
            expired.append(run)
    if not expired:
        return counts
    counts |= count_jobs([run.pk for run in expired])
    by_time: dict[datetime | None, list[Run]] = defaultdict(list)
    for run in expired:
        if _is_over(counts[run.pk]) or counts[run.pk].total() > SMALL:
            by_time[run.counted_at].append(run)
            run.counted = dict(counts[run.pk])
    for counted_at, group in by_time.items():
        for run in group:
            run.counted_at = now
        # Only where nobody has invalidated or stored a count since.
        Run.objects.filter(counted_at=counted_at).bulk_update(group, ["counted", "counted_at"])
    return counts


def invalidate(run: Run) -> None:
    """Have the jobs of ``run`` counted again.

    Call it in the transaction that moves jobs which had ended, or many jobs at once.
    """
    run.counted, run.counted_at = {}, database_now()
    run.save(update_fields=["counted", "counted_at"])


def _is_over(counts: Mapping[str, int]) -> bool:
    return bool(counts) and JOB_LIVE.isdisjoint(counts)


def count_jobs(keys: Collection[int]) -> dict[int, Counter[str]]:
    counts: dict[int, Counter[str]] = {key: Counter() for key in keys}
    rows = ImageJob.objects.filter(run__in=keys).order_by()
    for key, state, number in rows.values_list("run", "state").annotate(Count("pk")):
        counts[key][state] = number
    return counts
