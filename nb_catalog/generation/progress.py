"""Progress of a run, for pages, the API and events: what is made of what was asked for, what the rest waits
for, how long it will take, and why jobs failed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from django.db.models import Count, Min, Q

from nb_catalog import ratelimit
from nb_catalog.billing import budgets
from nb_catalog.core.states import JOB_UNDERWAY, BatchState, JobState
from nb_catalog.core.types import RequestMode
from nb_catalog.generation import failures, job_counts, pace
from nb_catalog.models import ImageJob, ProviderBatch, ProviderPause, Run
from nb_catalog.models.db.clock import database_now
from nb_catalog.models.db.money import usd_text

# Workers claim jobs within half a second; if nothing moves for this long, none is running.
IDLE_AFTER: Final = timedelta(seconds=10)
# After a failed batch, workers leave its model alone for a minute.
BATCH_COOLDOWN: Final = timedelta(seconds=70)


class RunState(StrEnum):
    """``STOPPED``: not all of its jobs could be written, and a person has to act."""

    STARTING = "starting"
    STOPPED = "stopped"
    UNDERWAY = "underway"
    PAUSED = "paused"
    FINISHED = "finished"


class Cause(StrEnum):
    """What jobs wait for."""

    BUDGET = "budget"
    PAUSE = "pause"
    QUOTA = "quota"
    RETRY = "retry"
    BATCH = "batch"
    WORKER = "worker"
    WRITING = "writing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """``jobs`` wait for ``cause`` until ``until``, or for something without a time.

    ``detail`` is the budget's name, the provider's and model's, or empty.
    """

    cause: Cause
    jobs: int
    until: datetime | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """``jobs`` that ended in ``state`` with the same error. A retry of others would fail again, or might be
    charged twice."""

    state: str
    code: str
    jobs: int
    can_retry: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """``asked`` is the number of pictures or texts, an estimate while jobs are being written and None before
    the first are. ``seconds_left`` is None while it is not known."""

    state: RunState
    counts: Mapping[str, int]
    asked: int | None
    percent: int
    lanes: tuple[pace.Lane, ...]
    seconds_left: float | None
    waits: tuple[Wait, ...]
    failures: tuple[Failure, ...]
    is_over: bool


def as_data(run: Run, progress: Progress) -> dict[str, Any]:
    """Return ``progress`` as the API and events have it: codes, text for money, ISO for times."""
    return {
        "run": run.pk,
        "state": progress.state.value,
        "over": progress.is_over,
        "asked": progress.asked,
        "percent": progress.percent,
        "counts": dict(progress.counts),
        "seconds_left": _whole(progress.seconds_left),
        "tiers": [
            {
                **lane.key._asdict(),
                "remaining": lane.remaining,
                "per_minute": None if lane.per_minute is None else round(lane.per_minute, 1),
                "seconds_left": _whole(lane.seconds_left),
            }
            for lane in progress.lanes
        ],
        "waits": [
            {
                "cause": wait.cause.value,
                "jobs": wait.jobs,
                "until": None if wait.until is None else wait.until.astimezone(UTC).isoformat(),
                "detail": wait.detail,
            }
            for wait in progress.waits
        ],
        "failures": [
            {
                "state": failure.state,
                "error_code": failure.code,
                "jobs": failure.jobs,
                "can_retry": failure.can_retry,
            }
            for failure in progress.failures
        ],
        "spent_usd": usd_text(run.spent_usd),
        "reserved_usd": usd_text(run.reserved_usd),
        "budget_usd": None if run.budget_usd is None else usd_text(run.budget_usd),
    }


def _whole(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds)


def state_of(run: Run, *, counts: Mapping[str, int]) -> RunState:
    """Return the state of ``run`` with ``counts`` of its jobs by state."""
    if run.paused_reason:
        return RunState.PAUSED
    if run.starting is not None:
        return RunState.STOPPED if run.starting.error else RunState.STARTING
    return RunState.UNDERWAY if _sum(counts, JOB_UNDERWAY) else RunState.FINISHED


def progress_of(run: Run, *, counts: Mapping[str, int] | None = None) -> Progress:
    """Return the progress of ``run``. A number of queries that does not depend on that of its jobs."""
    if counts is None:
        counts = job_counts.counts_for([run])[run.pk]
    now = database_now()
    underway, total = _sum(counts, JOB_UNDERWAY), sum(counts.values())
    pauses = list(ProviderPause.objects.filter(until__gt=now)) if underway else []
    state, asked = state_of(run, counts=counts), asked_of(run, total=total)
    scale = 1.0
    if state == RunState.STARTING and underway and asked is not None:
        scale = (underway + asked - total) / underway
    lanes = pace.lanes_of(run, underway=underway, now=now, scale=scale, pauses=pauses)
    waits = _waits(run, counts=counts, lanes=lanes, pauses=pauses, now=now)
    lefts = [lane.seconds_left for lane in lanes]
    waits_for_person = state == RunState.PAUSED or any(each.cause == Cause.WORKER for each in waits)
    is_unknown = waits_for_person or None in lefts or (state == RunState.STARTING and not lanes)
    return Progress(
        state=state,
        counts={each.value: counts.get(each, 0) for each in JobState},
        asked=asked,
        percent=percent_of(succeeded=counts.get(JobState.SUCCEEDED, 0), asked=asked),
        lanes=lanes,
        seconds_left=None if is_unknown else max((each or 0.0 for each in lefts), default=0.0),
        waits=waits,
        failures=failures_of(run, counts=counts),
        is_over=not underway and (run.starting is None or bool(run.starting.error)),
    )


def asked_of(run: Run, *, total: int) -> int | None:
    """Return how many jobs ``run`` has, including those that are still to be written: by the number that the
    products had that are written by now. None before the first is."""
    start = run.starting
    if start is None:
        return total
    if not start.written:
        return None
    return max(total, round(total * start.products / start.written))


def percent_of(*, succeeded: int, asked: int | None) -> int:
    """Return the share of what was asked for that has succeeded; 100 only if all of it has."""
    if asked is None:
        return 0
    return 100 * succeeded // asked if asked else 100


def failures_of(run: Run, *, counts: Mapping[str, int]) -> tuple[Failure, ...]:
    """Return why jobs of ``run`` have no result, the most frequent cause first."""
    if not _sum(counts, failures.UNSUCCESSFUL):
        return ()
    rows = run.jobs.filter(state__in=failures.UNSUCCESSFUL).order_by()
    counted = rows.values_list("state", "error_code").annotate(number=Count("pk"))
    hopeless = frozenset(failures.hopeless_codes())
    return tuple(
        Failure(
            state=state,
            code=code,
            jobs=number,
            can_retry=state != JobState.UNKNOWN and code not in hopeless,
        )
        for state, code, number in sorted(counted, key=lambda row: (-row[2], row[0], row[1]))
    )


def _waits(
    run: Run,
    *,
    counts: Mapping[str, int],
    lanes: Collection[pace.Lane],
    pauses: Collection[ProviderPause],
    now: datetime,
) -> tuple[Wait, ...]:
    """Return what jobs of ``run`` wait for; a job may wait for several things."""
    waits = []
    idle = counts.get(JobState.QUEUED, 0) + counts.get(JobState.WAITING, 0)
    if reason := run.paused_reason:
        until = budgets.resumes_at(reason, now=now)
        waits.append(Wait(cause=Cause.BUDGET, jobs=idle, until=until, detail=reason))
    if (start := run.starting) is not None and not start.error:
        waits.append(Wait(cause=Cause.WRITING, jobs=0))
    exhausted = ratelimit.exhausted_models(now) if idle else set()
    for lane in lanes:
        provider, model = lane.key.provider, lane.key.model
        name = f"{provider} {model}"
        pause = pace.pause_of(provider, model, pauses=pauses)
        if pause is not None:
            is_timed = pause.until - now < ratelimit.UNTIL_A_PERSON_ACTS / 2
            waits.append(
                Wait(
                    cause=Cause.PAUSE,
                    jobs=lane.remaining,
                    until=pause.until if is_timed else None,
                    detail=name,
                )
            )
        elif (provider, model) in exhausted and lane.key.mode == RequestMode.DIRECT:
            until = pace.quota_renewal(now)
            waits.append(Wait(cause=Cause.QUOTA, jobs=lane.remaining, until=until, detail=name))
    if number := counts.get(JobState.WAITING, 0):
        due = run.jobs.filter(state=JobState.WAITING).aggregate(due=Min("not_before"))["due"]
        waits.append(Wait(cause=Cause.RETRY, jobs=number, until=due))
    if number := counts.get(JobState.SUBMITTED, 0):
        waits.append(Wait(cause=Cause.BATCH, jobs=number))
    is_held = any(each.cause in (Cause.BUDGET, Cause.PAUSE, Cause.QUOTA) for each in waits)
    if not is_held and lacks_worker(run, queued=counts.get(JobState.QUEUED, 0), now=now):
        waits.append(Wait(cause=Cause.WORKER, jobs=counts.get(JobState.QUEUED, 0)))
    return tuple(waits)


def lacks_worker(run: Run, *, queued: int, now: datetime) -> bool:
    """Return whether jobs wait or are to be written, no worker holds a live lease, and no job has finished
    lately."""
    start = run.starting
    if start is not None and not start.error:
        is_held = start.lease_until is not None and start.lease_until > now
        return not is_held and now - run.created_at > IDLE_AFTER
    if not queued:
        return False
    leased = ImageJob.objects.filter(state__in=(JobState.LEASED, JobState.CALLING))
    batches = ProviderBatch.objects.filter(
        Q(lease_until__gt=now) | Q(finished_at__gt=now - BATCH_COOLDOWN)
    )
    if leased.filter(lease_until__gt=now).exists() or batches.exists():
        return False
    recent = ImageJob.objects.filter(finished_at__gt=now - IDLE_AFTER)
    return now - run.created_at > IDLE_AFTER and not recent.exists()


def unfinished_runs(number: int) -> list[Run]:
    """Return the newest ``number`` runs with jobs that are under way or still to be written."""
    jobs = ImageJob.objects.filter(state__in=JOB_UNDERWAY).order_by()
    unfinished = Q(pk__in=jobs.values("run_id")) | Q(start__isnull=False)
    return list(Run.objects.filter(unfinished).select_related("start")[:number])


def unfinished_batches(run: Run) -> Any:
    """Return the batches with jobs of ``run`` that have not ended, in their order."""
    submitted = run.jobs.filter(state=JobState.SUBMITTED).order_by()
    rows = ProviderBatch.objects.filter(pk__in=submitted.values("batch_id"))
    return rows.exclude(state=BatchState.DONE).order_by("pk")


def _sum(counts: Mapping[str, int], states: Collection[JobState]) -> int:
    return sum(Counter(counts)[state] for state in states)
