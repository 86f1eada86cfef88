"""Progress of a run: what its page shows, and the parts that are updated live."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Any, Final

from django.contrib.admin import AdminSite
from django.db.models import Q
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from nb_catalog import ratelimit
from nb_catalog.admin import catalog_objects, thumbnails
from nb_catalog.admin.formatting import dollars
from nb_catalog.billing import budgets
from nb_catalog.core.states import JOB_UNDERWAY, BatchState, JobState
from nb_catalog.core.types import Permission
from nb_catalog.generation import job_counts
from nb_catalog.models import ImageJob, ProductImage, ProviderBatch, ProviderPause, Run
from nb_catalog.models.db.clock import database_now
from nb_catalog.models.images import ImageKind

NEWEST: Final = 12
FAILURES: Final = 25
# Workers claim jobs within half a second; if nothing moves for this long, none is running.
IDLE_AFTER: Final = timedelta(seconds=10)
# After a failed batch, workers leave its model alone for a minute.
BATCH_COOLDOWN: Final = timedelta(seconds=70)
BATCHES: Final = 10
UNSUCCESSFUL: Final = (JobState.FAILED, JobState.REFUSED, JobState.UNKNOWN)
RETRIABLE: Final = (JobState.FAILED, JobState.REFUSED, JobState.CANCELLED)
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
    def ended(self) -> int:
        return self.total - self.underway

    @property
    def percent(self) -> int:
        return 100 * self.ended // self.total if self.total else 100

    @property
    def is_done(self) -> bool:
        return not self.underway

    @property
    def by_state(self) -> list[tuple[str, str, int]]:
        """Return (state, label, count) for the states that occur, in the order of ``JobState``."""
        counts = [(state.value, state.label, self.counts.get(state, 0)) for state in JobState]
        return [each for each in counts if each[2]]

    @property
    def sentence(self) -> str:
        """Return the progress as a sentence, for screen readers."""
        succeeded = self.counts.get(JobState.SUCCEEDED, 0)
        message = ngettext(
            "%(made)d of %(total)d picture generated",
            "%(made)d of %(total)d pictures generated",
            self.total,
        ) % {"made": succeeded, "total": self.total}
        return gettext("Done: %s.") % message if self.is_done else f"{message}."

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
    def can_cancel(self) -> int:
        return self._sum(CANCELLABLE)

    @property
    def can_retry(self) -> int:
        return self._sum(RETRIABLE)

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
        rows = self.run.jobs.filter(state__in=UNSUCCESSFUL).defer("spec").order_by("-id")
        jobs = list(rows[:FAILURES])
        catalog_objects.attach_info(jobs, site=self.site)
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
        """Whether jobs wait, no worker holds a live lease, and no job has finished lately."""
        if not self.counts.get(JobState.QUEUED) or self.run.paused_reason or self.provider_pauses:
            return False
        now = database_now()
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

    def _sum(self, states: Any) -> int:
        return sum(self.counts.get(state, 0) for state in states)


def run_progress(run: Run, *, request: HttpRequest, site: AdminSite) -> RunProgress:
    return RunProgress(
        run=run,
        site=site,
        may_generate=request.user.has_perm(Permission.GENERATE),
        may_review=request.user.has_perm("nb_catalog.view_productimage"),
    )
