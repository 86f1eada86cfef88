"""The unfinished jobs of a run by tier and model, and how long they will take at the rate measured lately."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from statistics import median
from typing import Final, NamedTuple

from django.core.cache import cache
from django.db.models import Count, Min

from nb_catalog.core import time_left
from nb_catalog.core.quotas import pacific, quotas_of
from nb_catalog.core.states import JOB_UNDERWAY, BatchState, JobState
from nb_catalog.core.types import RequestMode
from nb_catalog.generation import job_counts
from nb_catalog.models import ImageJob, ProviderBatch, ProviderPause, RateLimitState, Run
from nb_catalog.ratelimit import EVERY_MODEL, UNTIL_A_PERSON_ACTS

# The rate of a run is measured over the shortest of these in which enough of its jobs have ended.
WINDOWS: Final = (timedelta(minutes=5), timedelta(hours=1))
# Work on a run's first job is not seen; it counts no longer than this, or the wait for other runs would
# count, too.
UNSEEN: Final = timedelta(minutes=1)
# Where other runs' jobs are looked up, and how many: the latest ones say most.
HISTORY: Final = timedelta(hours=6)
HISTORY_JOBS: Final = 200
HISTORY_BATCHES: Final = 20
# Longer gaps between two jobs mean that there was nothing to do.
IDLE_SECONDS: Final = 60.0
IDLE_FACTOR: Final = 10
# From then on, a run's own rate says enough.
OWN_IS_ENOUGH: Final = 100
ENDED: Final = (JobState.SUCCEEDED, JobState.REFUSED, JobState.FAILED)
# Reading rows takes that many times longer than counting them in an index.
LONG_RUN_FACTOR: Final = 10
_COLUMNS: Final = ("tier", "provider", "model", "mode")


class LaneKey(NamedTuple):
    """Jobs of one lane share quotas and take about as long."""

    tier: str
    provider: str
    model: str
    mode: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """``remaining`` jobs of one kind. ``per_minute`` and ``seconds_left`` are None while too little is known,
    the latter also while a person has to act."""

    key: LaneKey
    remaining: int
    per_minute: float | None
    seconds_left: float | None


def lanes_of(
    run: Run,
    *,
    underway: int,
    now: datetime,
    scale: float = 1.0,
    pauses: Collection[ProviderPause] = (),
) -> tuple[Lane, ...]:
    """Return the lanes of ``run`` that have unfinished jobs, the slowest first.

    ``underway`` is their number, and ``scale`` the factor to that of all jobs, including those that are not
    written yet. ``pauses`` are those in force. The number of queries depends on that of lanes, not on that
    of jobs.
    """
    if not underway:
        return ()
    counted = _unfinished(run, underway=underway)
    own = _own_paces(run, counted, now=now)
    lanes = [
        _lane(run, key, remaining=round(number * scale), own=own.get(key), now=now, pauses=pauses)
        for key, number in counted.items()
    ]
    return tuple(
        sorted(
            lanes,
            key=lambda lane: (lane.seconds_left is None, lane.seconds_left or 0),
            reverse=True,
        )
    )


def _unfinished(run: Run, *, underway: int) -> Mapping[LaneKey, int]:
    """Return the number of unfinished jobs by lane. Those of a long run are counted rarely: their shares
    change slowly, and counting them reads every row."""
    if underway <= job_counts.SMALL:
        return _count_unfinished(run)
    name = f"nb_catalog:lanes:{run.pk}"
    counted: Mapping[LaneKey, int] | None = cache.get(name)
    if counted is None:
        counted = _count_unfinished(run)
        cache.set(name, counted, LONG_RUN_FACTOR * underway / job_counts.JOBS_PER_SECOND)
    total = max(1, sum(counted.values()))
    return {key: -(-number * underway // total) for key, number in counted.items()}


def _count_unfinished(run: Run) -> dict[LaneKey, int]:
    rows = run.jobs.filter(state__in=JOB_UNDERWAY).order_by().values_list(*_COLUMNS)
    return {LaneKey(*row[:4]): row[4] for row in rows.annotate(Count("pk"))}


def pause_of(
    provider: str, model: str, *, pauses: Collection[ProviderPause]
) -> ProviderPause | None:
    """Return the longest of ``pauses`` that holds ``model``."""
    applying = [
        each for each in pauses if each.provider == provider and each.model in (model, EVERY_MODEL)
    ]
    return max(applying, key=lambda each: each.until, default=None)


def _lane(
    run: Run,
    key: LaneKey,
    *,
    remaining: int,
    own: time_left.Pace | None,
    now: datetime,
    pauses: Collection[ProviderPause],
) -> Lane:
    if key.mode == RequestMode.BATCH:
        left = _batches_left(run, key, now=now)
        return Lane(key=key, remaining=remaining, per_minute=None, seconds_left=left)
    before = None
    if own is None or own.ended < OWN_IS_ENOUGH:
        before = _pace_before(run, key, now=now)
    rate = time_left.jobs_per_second(own, before=before)
    held = _held_seconds(key, remaining=remaining, now=now, pauses=pauses)
    left = None if held is None else time_left.seconds_left(remaining, rate=rate, held_seconds=held)
    return Lane(
        key=key,
        remaining=remaining,
        per_minute=None if rate is None else rate * 60,
        seconds_left=left,
    )


def _own_paces(
    run: Run, keys: Mapping[LaneKey, int], *, now: datetime
) -> Mapping[LaneKey, time_left.Pace]:
    """Return the pace of each lane, over the shortest window that says enough."""
    paces: dict[LaneKey, time_left.Pace] = {}
    for window in WINDOWS:
        since = max(now - window, run.created_at)
        ended = run.jobs.filter(state__in=ENDED, finished_at__gt=since).order_by()
        rows = ended.values_list(*_COLUMNS).annotate(Count("pk"), Min("finished_at"))
        for *columns, number, first in rows:
            key = LaneKey(*columns)
            if (known := paces.get(key)) is None or known.ended < time_left.WEIGHT_JOBS:
                start = max(since, first - UNSEEN)
                paces[key] = time_left.Pace(ended=number, seconds=(now - start).total_seconds())
        enough = (paces[key].ended >= time_left.WEIGHT_JOBS for key in keys if key in paces)
        if run.created_at >= since or (keys.keys() <= paces.keys() and all(enough)):
            break
    return paces


def _pace_before(run: Run, key: LaneKey, *, now: datetime) -> time_left.Pace | None:
    """Return the pace of other runs' jobs lately, without the time in which there were none."""
    jobs = ImageJob.objects.filter(
        state__in=ENDED, finished_at__gt=now - HISTORY, **key._asdict()
    ).exclude(run=run)
    latest = jobs.order_by("-finished_at").values_list("finished_at", flat=True)
    moments = [each for each in latest[:HISTORY_JOBS] if each is not None][::-1]
    gaps = [
        (later - earlier).total_seconds()
        for earlier, later in zip(moments, moments[1:], strict=False)
    ]
    if not gaps:
        return None
    idle = max(IDLE_SECONDS, IDLE_FACTOR * median(gaps))
    busy = [gap for gap in gaps if gap <= idle]
    return time_left.Pace(ended=len(busy), seconds=sum(busy))


def _held_seconds(
    key: LaneKey, *, remaining: int, now: datetime, pauses: Collection[ProviderPause]
) -> float | None:
    """Return how long a pause or a daily quota holds a lane up; None if a person has to end the pause."""
    pause = pause_of(key.provider, key.model, pauses=pauses)
    held = 0.0
    if pause is not None:
        if pause.until - now > UNTIL_A_PERSON_ACTS / 2:
            return None
        held = (pause.until - now).total_seconds()
    per_day = quotas_of(key.provider, key.model).per_day
    if per_day is None:
        return held
    local = now.astimezone(pacific())
    row = RateLimitState.objects.filter(
        provider=key.provider, model=key.model, day=local.date()
    ).first()
    quota = time_left.quota_seconds(
        remaining,
        left_today=per_day - (row.sent_today if row else 0),
        per_day=per_day,
        to_midnight=(quota_renewal(now) - now).total_seconds(),
    )
    return max(held, quota)


def quota_renewal(now: datetime) -> datetime:
    """Return when daily quotas are renewed."""
    local = now.astimezone(pacific())
    return datetime.combine(local.date() + timedelta(days=1), time(0), tzinfo=pacific())


def _batches_left(run: Run, key: LaneKey, *, now: datetime) -> float | None:
    """Return how long the slowest batch of a lane will take, by those of its model that have ended."""
    rows = ProviderBatch.objects.filter(provider=key.provider, model=key.model)
    past = rows.filter(state=BatchState.DONE, submitted_at__isnull=False, error_code="")
    spans = past.order_by("-pk").values_list("submitted_at", "finished_at")[:HISTORY_BATCHES]
    durations = [
        (end - start).total_seconds()
        for start, end in spans
        if start is not None and end is not None
    ]
    jobs = run.jobs.filter(mode=key.mode, provider=key.provider, model=key.model)
    submitted = jobs.filter(state=JobState.SUBMITTED).order_by().values("batch_id")
    lefts = []
    for submitted_at in rows.filter(pk__in=submitted).values_list("submitted_at", flat=True):
        elapsed = 0.0 if submitted_at is None else (now - submitted_at).total_seconds()
        lefts.append(time_left.batch_seconds_left(elapsed, durations=durations))
    if jobs.filter(state__in=(JobState.QUEUED, JobState.WAITING)).exists():
        lefts.append(time_left.batch_seconds_left(0.0, durations=durations))
    known = [left for left in lefts if left is not None]
    return max(known) if known and len(known) == len(lefts) else None
