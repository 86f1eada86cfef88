"""Progress of a run: what its page shows, and the parts that are updated live."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from operator import itemgetter
from typing import Any, Final
from urllib.parse import urlencode

from django.contrib.admin import AdminSite
from django.db.models import Q
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from nb_catalog import ratelimit
from nb_catalog.admin import catalog_objects, requested, thumbnails
from nb_catalog.admin.formatting import dollars
from nb_catalog.billing import budgets
from nb_catalog.core.permissions import Action, may
from nb_catalog.core.states import JOB_UNDERWAY, BatchState, JobState
from nb_catalog.core.types import JobKind
from nb_catalog.generation import job_counts
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
FAILURES: Final = 25
# Workers claim jobs within half a second; if nothing moves for this long, none is running.
IDLE_AFTER: Final = timedelta(seconds=10)
# After a failed batch, workers leave its model alone for a minute.
BATCH_COOLDOWN: Final = timedelta(seconds=70)
BATCHES: Final = 10
UNSUCCESSFUL: Final = (JobState.FAILED, JobState.REFUSED, JobState.UNKNOWN)
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


@dataclass(frozen=True, kw_only=True)
class RunProgress:
    """Progress of ``run``. Values are read on first access, with a constant number of queries."""

    run: Run
    site: AdminSite
    may_generate: bool
    may_resume: bool
    may_review: bool

    @cached_property
    def counts(self) -> dict[str, int]:
        return dict(job_counts.counts_for([self.run])[self.run.pk])

    @cached_property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def underway(self) -> int:
        return self._sum(JOB_UNDERWAY)

    @property
    def succeeded(self) -> int:
        return self.counts.get(JobState.SUCCEEDED, 0)

    @cached_property
    def starting(self) -> RunStart | None:
        return self.run.starting

    @property
    def percent(self) -> int:
        """The share of what was asked that has succeeded."""
        if self.starting is not None:
            return 100 * self.starting.written // max(1, self.starting.products)
        return 100 * self.succeeded // self.total if self.total else 100

    @property
    def is_done(self) -> bool:
        return not self.underway and (self.starting is None or bool(self.starting.error))

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

    @cached_property
    def hopeless(self) -> int:
        """The number of jobs that would fail again. They are counted only if some have failed."""
        failed = self._sum((JobState.FAILED, JobState.REFUSED))
        return min(failed, self.run.jobs.filter(requested.hopeless()).count()) if failed else 0

    @property
    def can_retry(self) -> int:
        return self._sum((JobState.FAILED, JobState.REFUSED)) - self.hopeless

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
    def failures(self) -> Sequence[ImageJob]:
        # The spec says what was asked for; it is read of those that are shown.
        rows = self.run.jobs.filter(state__in=UNSUCCESSFUL).order_by("-id")
        jobs = requested.attach(rows[:FAILURES])
        catalog_objects.attach_info(jobs, site=self.site)
        for job in jobs:
            if self.may_generate and job.problem.advice:
                job.plan_url = self._plan_url(job)
        return jobs

    @property
    def further_failures(self) -> int:
        return max(0, self._sum(UNSUCCESSFUL) - len(self.failures))

    @cached_property
    def provider_pauses(self) -> list[ProviderPause]:
        """Return the pauses that jobs of this run wait for."""
        if not self.underway:
            return []
        pauses = ProviderPause.objects.filter(until__gt=database_now())
        current = {(pause.provider, pause.model): pause for pause in pauses}
        if not current:
            return []
        used = self.run.jobs.filter(state__in=JOB_UNDERWAY).order_by()
        pairs = used.values_list("provider", "model").distinct()
        relevant = {
            pause.pk: pause
            for provider, model in pairs
            for key in ((provider, model), (provider, ratelimit.EVERY_MODEL))
            if (pause := current.get(key)) is not None
        }
        return list(relevant.values())

    @cached_property
    def batches(self) -> list[ProviderBatch]:
        """Return unfinished batches that contain jobs of this run."""
        if not self.counts.get(JobState.SUBMITTED):
            return []
        submitted = self.run.jobs.filter(state=JobState.SUBMITTED).order_by()
        rows = ProviderBatch.objects.filter(pk__in=submitted.values("batch_id"))
        return list(rows.exclude(state=BatchState.DONE).order_by("pk")[:BATCHES])

    @cached_property
    def lacks_worker(self) -> bool:
        """Whether jobs wait or are to be written, no worker holds a live lease, and no job has finished
        lately."""
        starting, now = self.starting, database_now()
        if starting is not None and not starting.error:
            is_held = starting.lease_until is not None and starting.lease_until > now
            return not is_held and now - self.run.created_at > IDLE_AFTER
        if not self.counts.get(JobState.QUEUED) or self.run.paused_reason or self.provider_pauses:
            return False
        leased = ImageJob.objects.filter(state__in=(JobState.LEASED, JobState.CALLING))
        batches = ProviderBatch.objects.filter(
            Q(lease_until__gt=now) | Q(finished_at__gt=now - BATCH_COOLDOWN)
        )
        if leased.filter(lease_until__gt=now).exists() or batches.exists():
            return False
        recent = ImageJob.objects.filter(finished_at__gt=now - IDLE_AFTER)
        return now - self.run.created_at > IDLE_AFTER and not recent.exists()

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


def run_progress(run: Run, *, request: HttpRequest, site: AdminSite) -> RunProgress:
    return RunProgress(
        run=run,
        site=site,
        may_generate=may(request.user, Action.CONTROL_RUN),
        may_resume=may(request.user, Action.RESUME_RUN, owner=run.actor_id),
        may_review=may(request.user, Action.VIEW_IMAGES),
    )
