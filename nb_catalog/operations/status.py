"""The current status: what is queued, in flight and stuck, and what was spent today."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from django.db.models import Count, Exists, Q, QuerySet
from django.utils.translation import gettext

from nb_catalog import billing, ratelimit, webhooks
from nb_catalog.conf import settings
from nb_catalog.core.states import JOB_UNDERWAY, BatchState, JobState
from nb_catalog.models import (
    DailyBudget,
    ImageJob,
    ProviderBatch,
    ProviderPause,
    Publication,
    RenditionRequest,
    Run,
)
from nb_catalog.models.db.clock import database_now
from nb_catalog.models.db.money import usd
from nb_catalog.models.placements import still_shown
from nb_catalog.models.publications import PublicationState
from nb_catalog.worker import queue, spool

# The period over which the rate is measured.
WINDOW: Final = timedelta(minutes=5)
# How long work may remain unclaimed before it is reported as a problem.
STUCK_AFTER: Final = timedelta(minutes=15)
_HELD: Final = (JobState.LEASED, JobState.CALLING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """A paused model of a provider, or the whole provider if ``model`` is empty."""

    provider: str
    model: str
    cause: str
    until: str
    needs_person: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """A snapshot. ``jobs`` has the unfinished states; ``oldest_seconds`` is the age of the job whose
    turn is next; ``lost`` counts expired leases that have not been swept yet. ``staged`` counts paid
    pictures on this machine's disk that are not stored yet.
    """

    jobs: Mapping[str, int]
    oldest_seconds: float | None
    workers: int
    lost: int
    per_minute: float
    batches: int
    staged: int
    spent_today_usd: Decimal
    reserved_today_usd: Decimal
    budget_today_usd: Decimal | None
    open_calls: int
    open_usd: Decimal
    paused_runs: Mapping[str, int]
    pauses: tuple[Pause, ...]
    caps: Mapping[str, int]
    failing_webhooks: int
    problems: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return plain data; money as text."""
        return {
            name: str(value) if isinstance(value, Decimal) else value
            for name, value in asdict(self).items()
        }


def collect() -> Status:
    """Return the current status. A constant number of queries, none of which counts finished jobs."""
    now = database_now()
    jobs = ImageJob.objects.order_by()
    counted = jobs.filter(state__in=[*JOB_UNDERWAY, JobState.UNKNOWN]).values_list("state")
    oldest = _next_since(queue.ordered_queue)
    alive = jobs.filter(state__in=_HELD, lease_until__gte=now)
    today = DailyBudget.objects.filter(day=now.date()).first()
    unsettled = billing.unsettled_calls()
    return Status(
        jobs=dict(counted.annotate(Count("id"))),
        oldest_seconds=None if oldest is None else (now - oldest).total_seconds(),
        workers=alive.values("lease_owner").distinct().count(),
        lost=jobs.filter(state__in=_HELD, lease_until__lt=now).count(),
        per_minute=jobs.filter(state=JobState.SUCCEEDED, finished_at__gte=now - WINDOW).count()
        / (WINDOW / timedelta(minutes=1)),
        batches=ProviderBatch.objects.exclude(state=BatchState.DONE).count(),
        staged=sum(1 for _name in spool.names()),
        spent_today_usd=usd(today.spent_microusd if today else 0),
        reserved_today_usd=usd(today.reserved_microusd if today else 0),
        budget_today_usd=settings.DAILY_BUDGET_USD,
        open_calls=unsettled.count(),
        open_usd=usd(billing.unsettled_total(unsettled)),
        paused_runs=dict(
            Run.objects.exclude(paused_reason="")
            .order_by()
            .values_list("paused_reason")
            .annotate(Count("id"))
        ),
        pauses=tuple(
            Pause(
                provider=row.provider,
                model=row.model,
                cause=row.cause,
                until=row.until.isoformat(),
                needs_person=ratelimit.needs_person(row),
            )
            for row in ProviderPause.objects.filter(until__gt=now).order_by("provider", "model")
        ),
        caps={
            f"{provider} {model}": cap
            for (provider, model), cap in ratelimit.in_flight_caps().items()
        },
        failing_webhooks=webhooks.failing_endpoints().count(),
        problems=problems(),
    )


def _next_since(jobs: Callable[..., QuerySet[ImageJob]]) -> datetime | None:
    """Return when the job whose turn is next was created; the older one of free and paid. This uses the
    queue's index: finding the oldest of a million jobs would take a scan."""
    moments = [
        moment
        for free in (True, False)
        for moment in jobs(free=free).values_list("created_at", flat=True)[:1]
    ]
    return min(moments, default=None)


# What pages show, which no restart mends: the health of the service does not depend on it.
FOR_EDITORS: Final = frozenset({"publications_not_ended"})


def problems() -> tuple[str, ...]:
    """Return codes of what a person should look at; empty if all is well. A few quick queries."""
    now, codes = database_now(), []
    since = now - STUCK_AFTER
    if queue.work_is_waiting():
        held = ImageJob.objects.filter(state__in=_HELD, lease_until__gte=now).exists()
        next_since = _next_since(queue.queued)
        waits = next_since is not None and next_since < since
        moved = ImageJob.objects.filter(
            state__in=(JobState.SUCCEEDED, JobState.REFUSED, JobState.FAILED),
            finished_at__gte=since,
        ).exists()
        if waits and not held and not moved:
            codes.append("nobody_works")
    if ImageJob.objects.filter(state__in=_HELD, lease_until__lt=since).exists():
        codes.append("lost_jobs")
    if ProviderPause.objects.filter(until__gt=now + ratelimit.UNTIL_A_PERSON_ACTS / 2).exists():
        codes.append("provider_stopped")
    # Without a start, pictures are shown once their files are made: many take a while.
    made_now = RenditionRequest.objects.filter(not_before__gt=now, problem="").exclude(token="")
    has_moment = Q(state=PublicationState.PUBLISHED) | Q(starts_at__isnull=False)
    late = Publication.objects.filter(has_moment | ~Exists(made_now), due_at__lt=since)
    if late.exists():
        codes.append("publications_late")
    if still_shown().exists():
        codes.append("publications_not_ended")
    return tuple(codes)


def describe_problem(code: str) -> str:
    """Return in a sentence what is wrong and what to do about it."""
    return {
        "nobody_works": gettext(
            "Jobs are waiting, but no worker is running. Start manage.py nb_worker."
        ),
        "lost_jobs": gettext(
            "Some leases expired long ago. Start a worker, or run manage.py nb_sweep."
        ),
        "provider_stopped": gettext(
            "A provider is paused until resumed manually. See “Provider pauses” in the admin."
        ),
        "publications_late": gettext(
            "Pictures are not published yet, or are still shown, although it is time. Start manage.py "
            "nb_worker, and see “Publications” in the admin for what they wait for."
        ),
        "publications_not_ended": gettext(
            "Pictures are still shown after their end, because those before them cannot be shown any more. "
            "Publish others in their places, or withdraw them."
        ),
    }[code]
