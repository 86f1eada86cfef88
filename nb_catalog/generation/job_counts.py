"""How the jobs of runs stand, by state: a count that is kept for a moment, however many look at it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Count

from nb_catalog.core.states import JOB_LIVE
from nb_catalog.models import ImageJob, Run
from nb_catalog.models.db.clock import database_now

# A database counts a million jobs in some 0.2 s. Kept for a second for so many of them, it spends
# a hundredth of its time on counting; what few people wait for is counted at each look.
JOBS_PER_SECOND: Final = 50_000
SMALL: Final = 5_000


def counts_for(runs: Collection[Run]) -> Mapping[int, Counter[str]]:
    """Jobs by state for each run, by its key. A constant number of queries, and none for counts that
    were taken a moment ago.

    The count of a run whose jobs have all ended stands until somebody retries some of them.
    """
    now = database_now()
    tallies = {run.pk: Counter(run.counted) for run in runs}
    stale = [run for run in runs if not _holds(run, now=now)]
    if stale:
        tallies |= _counted([run.pk for run in stale])
        _store(stale, tallies, now=now)
    return tallies


def invalidate(run: Run) -> None:
    """Have the jobs of ``run`` counted anew: call it in the transaction that moves jobs which ended,
    or many at once."""
    run.counted, run.counted_at = {}, database_now()
    run.save(update_fields=["counted", "counted_at"])


def _holds(run: Run, *, now: datetime) -> bool:
    if run.counted_at is None or not run.counted:
        return False
    kept = timedelta(seconds=sum(run.counted.values()) / JOBS_PER_SECOND)
    return _is_over(run.counted) or now - run.counted_at < kept


def _is_over(counted: Mapping[str, int]) -> bool:
    return bool(counted) and JOB_LIVE.isdisjoint(counted)


def _counted(keys: Collection[int]) -> dict[int, Counter[str]]:
    found: dict[int, Counter[str]] = {key: Counter() for key in keys}
    rows = ImageJob.objects.filter(run__in=keys).order_by()
    for key, state, number in rows.values_list("run", "state").annotate(Count("pk")):
        found[key][state] = number
    return found


def _store(runs: Iterable[Run], tallies: Mapping[int, Counter[str]], *, now: datetime) -> None:
    """Write down the counts that will hold, unless somebody has forgotten or renewed them since."""
    by_time: dict[datetime | None, list[Run]] = defaultdict(list)
    for run in runs:
        tally = tallies[run.pk]
        if _is_over(tally) or tally.total() > SMALL:
            by_time[run.counted_at].append(run)
            run.counted = dict(tally)
    for counted_at, group in by_time.items():
        for run in group:
            run.counted_at = now
        Run.objects.filter(counted_at=counted_at).bulk_update(group, ["counted", "counted_at"])
