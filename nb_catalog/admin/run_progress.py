"""Progress of a run: what its page shows, and the parts that are updated live."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from operator import itemgetter
from typing import Any, Final
from urllib.parse import urlencode

from django.contrib.admin import AdminSite
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from nb_catalog.admin import catalog_objects, requested, thumbnails
from nb_catalog.admin.formatting import dollars, duration
from nb_catalog.billing import budgets
from nb_catalog.core.permissions import Action, may
from nb_catalog.core.states import JOB_UNDERWAY, JobState
from nb_catalog.core.time_left import in_steps
from nb_catalog.core.types import JobKind
from nb_catalog.generation import failures, pace
from nb_catalog.generation.progress import (
    Cause,
    Failure,
    Progress,
    RunState,
    Wait,
    progress_of,
    unfinished_batches,
)
from nb_catalog.models import (
    ImageJob,
    ProductImage,
    ProviderBatch,
    ProviderPause,
    Run,
    RunStart,
)
from nb_catalog.models.db.clock import database_now
from nb_catalog.models.images import ImageKind
from nb_catalog.worker.drift_retries import MADE_AGAIN

NEWEST: Final = 12
# Causes, and jobs of each.
CAUSES: Final = 8
FAILURES: Final = 5
BATCHES: Final = 10
CANCELLABLE: Final = (JobState.QUEUED, JobState.WAITING, JobState.SUBMITTED)
# Updated separately, so that buttons keep their focus while numbers change.
PARTS: Final = ("progress", "hint", "buttons", "failures", "newest")

_PAUSED: Final = {
    budgets.RUN_BUDGET: _(
        "The run's budget has been reached. Nothing is lost; raise the budget to resume."
    ),
    budgets.DAY_BUDGET: _("The daily budget (DAILY_BUDGET_USD) has been reached."),
    budgets.TIER_BUDGET: _(
        "The daily budget of this tier (TIER_DAILY_BUDGETS_USD) has been reached."
    ),
    budgets.USER_BUDGET: _(
        "The daily budget of the user who started it (USER_DAILY_BUDGETS_USD) has been reached."
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureCause:
    """Jobs without a result for one reason. ``advice`` is empty if a retry may help."""

    failure: Failure
    title: str
    advice: str
    jobs: list[ImageJob]

    @property
    def further(self) -> int:
        return self.failure.jobs - len(self.jobs)


@dataclass(frozen=True, kw_only=True)
class RunProgress:
    """Progress of ``run``. Values are read on first access, with a constant number of queries."""

    run: Run
    site: AdminSite
    may_generate: bool
    may_resume: bool
    may_review: bool

    @cached_property
    def facts(self) -> Progress:
        return progress_of(self.run)

    @property
    def counts(self) -> Mapping[str, int]:
        return self.facts.counts

    @cached_property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def underway(self) -> int:
        return self._sum(JOB_UNDERWAY)

    @property
    def succeeded(self) -> int:
        return self.counts[JobState.SUCCEEDED]

    @property
    def starting(self) -> RunStart | None:
        return self.run.starting

    @property
    def percent(self) -> int:
        """The share of what was asked that has succeeded."""
        return self.facts.percent

    @property
    def is_done(self) -> bool:
        return self.facts.is_over

    @property
    def by_state(self) -> list[tuple[str, str, int]]:
        """Return (state, label, count) for the states that occur, in the order of ``JobState``."""
        counts = [(state.value, state.label, self.counts.get(state, 0)) for state in JobState]
        return [each for each in counts if each[2]]

    @property
    def sentence(self) -> str:
        """Return the progress as a sentence, for screen readers."""
        if self.starting is not None:
            return gettext("Starting: %(written)s of %(products)s products.") % {
                "written": number_format(self.starting.written, force_grouping=True),
                "products": number_format(self.starting.products, force_grouping=True),
            }
        if self.requests_texts:
            message = ngettext(
                "%(made)d of %(total)d text received",
                "%(made)d of %(total)d texts received",
                self.total,
            )
        else:
            message = ngettext(
                "%(made)d of %(total)d picture generated",
                "%(made)d of %(total)d pictures generated",
                self.total,
            )
        message %= {"made": self.succeeded, "total": self.total}
        return gettext("Done: %s.") % message if self.is_done else f"{message}."

    @property
    def requests_texts(self) -> bool:
        return bool(self.run.tier == budgets.TEXT)

    @property
    def is_free(self) -> bool:
        run = self.run
        sums = (run.estimate_microusd, run.spent_microusd, run.reserved_microusd)
        return not any(sums) and run.budget_microusd is None

    @property
    def money(self) -> dict[str, str]:
        run = self.run
        return {
            "spent": dollars(run.spent_usd),
            "reserved": dollars(run.reserved_usd) if run.reserved_microusd else "",
            "estimate": dollars(run.estimate_usd),
            "budget": "" if run.budget_usd is None else dollars(run.budget_usd),
        }

    @property
    def paused(self) -> str:
        reason = self.run.paused_reason
        message = str(_PAUSED.get(reason, reason))
        resumes_at = budgets.resumes_at(reason, now=database_now())
        if resumes_at is None:
            return message
        when = date_format(timezone.localtime(resumes_at), "DATETIME_FORMAT")
        hint = gettext(
            "Nothing is lost: the run resumes automatically at %s, or as soon as someone "
            "raises the budget and resumes it."
        )
        return f"{message} {hint % when}"

    @property
    def problems(self) -> list[tuple[str, int]]:
        """Return why pictures of the plan are not possible, and how many, the most frequent first."""
        return sorted(self.run.problems.items(), key=itemgetter(1), reverse=True)

    @property
    def can_cancel(self) -> int:
        return self._sum(CANCELLABLE)

    @property
    def hopeless(self) -> int:
        """The number of jobs that would fail again."""
        return sum(
            each.jobs
            for each in self.facts.failures
            if not each.can_retry and each.state != JobState.UNKNOWN
        )

    @property
    def can_retry(self) -> int:
        return sum(each.jobs for each in self.facts.failures if each.can_retry)

    @cached_property
    def made_again(self) -> int:
        """The number of pictures that drift had made again. They are counted only in the run of a series."""
        if "series" not in self.run.request:
            return 0
        return self.run.jobs.filter(state=JobState.SUCCEEDED, error_code=MADE_AGAIN).count()

    @property
    def cancelled(self) -> int:
        return self.counts.get(JobState.CANCELLED, 0)

    @property
    def unknown(self) -> int:
        return self.counts.get(JobState.UNKNOWN, 0)

    @cached_property
    def newest(self) -> list[ProductImage]:
        rows = ProductImage.objects.filter(job__run=self.run, kind=ImageKind.PICTURE)
        rows = list(
            rows.defer("spec", "provenance").prefetch_related(thumbnails.RENDITIONS)[:NEWEST]
        )
        catalog_objects.attach_info(rows, site=self.site)
        for row in rows:
            row.small_url = thumbnails.thumbnail_url(row, site=self.site)
        return rows

    @cached_property
    def causes(self) -> list[FailureCause]:
        """Return the failures by cause, the most frequent first, each with its newest jobs."""
        shown = self.facts.failures[:CAUSES]
        found = {
            failure: list(
                self.run.jobs.filter(state=failure.state, error_code=failure.code).order_by("-id")[
                    :FAILURES
                ]
            )
            for failure in shown
        }
        # The specs say what was asked for; they are read of the jobs that are shown.
        jobs = requested.attach(job for group in found.values() for job in group)
        catalog_objects.attach_info(jobs, site=self.site)
        for job in jobs:
            job.plan_url = ""
            if self.may_generate and job.problem.advice:
                job.plan_url = self._plan_url(job)
        return [
            FailureCause(
                failure=failure,
                title=failures.describe_error(failure.code) or JobState(failure.state).label,
                advice=failures.advice_for(failure.code, state=failure.state),
                jobs=found[failure],
            )
            for failure in shown
        ]

    @property
    def further_failures(self) -> int:
        return sum(each.jobs for each in self.facts.failures[CAUSES:])

    @property
    def time_left(self) -> str:
        """Return how long the run will still take, roughly; empty if it waits for a person or is over."""
        facts = self.facts
        if facts.is_over or facts.state == RunState.PAUSED or self.waits_for(Cause.WORKER):
            return ""
        if facts.seconds_left is None:
            return gettext("Time left: not known yet.")
        return gettext("About %(duration)s left.") % {
            "duration": duration(in_steps(facts.seconds_left))
        }

    @property
    def lanes(self) -> list[dict[str, Any]]:
        """Return the unfinished jobs by tier and model, with their rates."""
        return [
            {
                "name": " · ".join(filter(None, (lane.key.tier, lane.key.model))),
                "remaining": lane.remaining,
                "per_minute": lane.per_minute
                and number_format(lane.per_minute, 1 if lane.per_minute < 10 else 0),
                "left": "" if lane.seconds_left is None else duration(in_steps(lane.seconds_left)),
            }
            for lane in self.facts.lanes
        ]

    @property
    def waits(self) -> list[str]:
        """Return in sentences what jobs wait for that no other hint of the page speaks of."""
        return [sentence for each in self.facts.waits if (sentence := wait_sentence(each))]

    def waits_for(self, cause: Cause) -> bool:
        return any(each.cause == cause for each in self.facts.waits)

    @cached_property
    def provider_pauses(self) -> list[tuple[ProviderPause, int]]:
        """Return the pauses that jobs of this run wait for, and how many do."""
        if not self.waits_for(Cause.PAUSE):
            return []
        pauses = list(ProviderPause.objects.filter(until__gt=database_now()))
        counted: Counter[ProviderPause] = Counter()
        for lane in self.facts.lanes:
            pause = pace.pause_of(lane.key.provider, lane.key.model, pauses=pauses)
            if pause is not None:
                counted[pause] += lane.remaining
        return list(counted.items())

    @cached_property
    def batches(self) -> list[ProviderBatch]:
        """Return unfinished batches that contain jobs of this run."""
        if not self.counts[JobState.SUBMITTED]:
            return []
        return list(unfinished_batches(self.run)[:BATCHES])

    @property
    def lacks_worker(self) -> bool:
        return self.waits_for(Cause.WORKER)

    def parts(self, request: HttpRequest) -> dict[str, str]:
        """Return the parts of the page that change, as HTML by name."""
        context = {"progress": self, "run": self.run}
        return {
            name: render_to_string(f"admin/nb_catalog/run/parts/{name}.html", context, request)
            for name in PARTS
        }

    def _plan_url(self, job: ImageJob) -> str:
        """Return the page on which the picture of ``job`` is planned again, empty if there is none."""
        info = job.object_info
        if job.kind != JobKind.IMAGE or not info.exists or not info.label:
            return ""
        has_layout = isinstance(job.spec, dict) and job.spec.get("layout")
        page = "texts" if has_layout else "generate"
        query = urlencode({"model": info.label, "key": info.key[1]})
        return f"{reverse(f'{self.site.name}:nb_catalog_run_{page}')}?{query}"

    def _sum(self, states: Any) -> int:
        return sum(self.counts.get(state, 0) for state in states)


def wait_sentence(wait: Wait) -> str:
    """Return what jobs wait for; empty for what the page says elsewhere."""
    until = "" if wait.until is None else moment(wait.until)
    if wait.cause == Cause.QUOTA:
        message = ngettext(
            "%(count)s job waits for the daily quota of %(model)s (renewed at %(until)s).",
            "%(count)s jobs wait for the daily quota of %(model)s (renewed at %(until)s).",
            wait.jobs,
        )
        return message % {
            "count": number_format(wait.jobs, force_grouping=True),
            "model": wait.detail,
            "until": until,
        }
    if wait.cause == Cause.RETRY:
        message = ngettext(
            "%(count)s job is tried again automatically (at %(until)s).",
            "%(count)s jobs are tried again automatically (the first at %(until)s).",
            wait.jobs,
        )
        return message % {
            "count": number_format(wait.jobs, force_grouping=True),
            "until": until,
        }
    return ""


def moment(when: datetime) -> str:
    """Return the time of ``when`` in the user's time zone; with its date unless that is today."""
    local = timezone.localtime(when)
    is_today = local.date() == timezone.localtime().date()
    return date_format(local, "TIME_FORMAT" if is_today else "SHORT_DATETIME_FORMAT")


def run_progress(run: Run, *, request: HttpRequest, site: AdminSite) -> RunProgress:
    return RunProgress(
        run=run,
        site=site,
        may_generate=may(request.user, Action.CANCEL_RUN),
        may_resume=may(request.user, Action.RESUME_RUN, owner=run.actor_id),
        may_review=may(request.user, Action.VIEW_IMAGES),
    )
