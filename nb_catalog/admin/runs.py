"""Runs: the list, the live progress page, and the actions cancel, retry and resume."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_POST

from nb_catalog import live
from nb_catalog.admin.base import ReadOnlyAdmin, SearchableAdmin
from nb_catalog.admin.formatting import micro_dollars
from nb_catalog.admin.generate.final_views import FinalViews
from nb_catalog.admin.generate.photo_views import PhotoViews
from nb_catalog.admin.generate.series_views import SeriesPlanViews
from nb_catalog.admin.generate.text_views import TextViews
from nb_catalog.admin.run_progress import PARTS, run_progress
from nb_catalog.core.permissions import Action, may
from nb_catalog.core.states import JOB_UNDERWAY, JobState
from nb_catalog.exceptions import NBCatalogError
from nb_catalog.generation import failures, job_counts, runs
from nb_catalog.generation.run_headlines import headline_of
from nb_catalog.models import ImageJob, Publication, Run

# Name of a button -> the jobs that it queues again.
RETRIES: Final[Mapping[str, Callable[[], Q]]] = {
    "failed": failures.worth_retrying,
    "hopeless": failures.hopeless,
    "cancelled": lambda: Q(state=JobState.CANCELLED),
    "unknown": lambda: Q(state=JobState.UNKNOWN),
}


class BudgetForm(forms.Form):
    """A new budget; empty means no limit."""

    budget_usd = forms.DecimalField(
        min_value=Decimal(0), max_digits=12, decimal_places=6, required=False
    )


@admin.register(Run)
class RunAdmin(TextViews, PhotoViews, SeriesPlanViews, FinalViews, SearchableAdmin, ReadOnlyAdmin):
    keys_of = ImageJob
    view_action = Action.VIEW_RUNS
    list_display = ("title", "made", "underway", "not_generated", "spent", "budget", "created_at")
    list_filter = ("tier", "created_at")
    search_fields = ("title",)
    list_select_related = ("start",)
    search_help_text = _("Title, #number of a run, product name or key, scene, layout, or text")
    fields = ("title", "actor", "created_at")

    def get_urls(self) -> list[URLPattern]:
        return [
            *self.generate_urls(),
            *self.text_urls(),
            *self.photo_urls(),
            *self.series_urls(),
            *self.final_urls(),
            self.page(
                "<int:pk>/progress/",
                self.progress_data,
                name="progress",
                action=Action.VIEW_RUNS,
                api="run_progress",
            ),
            self.page(
                "<int:pk>/events/",
                require_GET(self.events),
                name="events",
                action=Action.VIEW_RUNS,
                api="run_events",
            ),
            self.page(
                "<int:pk>/cancel/",
                require_POST(self.cancel),
                name="cancel",
                action=Action.CANCEL_RUN,
                api="run_cancel",
            ),
            self.page(
                "<int:pk>/retry/",
                require_POST(self.retry),
                name="retry",
                action=Action.RETRY_RUN,
                api="run_retry",
            ),
            self.page(
                "<int:pk>/resume/",
                require_POST(self.resume),
                name="resume",
                action=Action.RESUME_RUN,
                api="run_resume",
            ),
            *super().get_urls(),
        ]

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        changelist = super().get_changelist_instance(request)
        rows = list(changelist.result_list)
        counts = job_counts.counts_for(rows)
        for run in rows:
            run.job_counts = counts[run.pk]
        changelist.result_list = rows
        return changelist

    @admin.display(description=_("made"))
    def made(self, run: Run) -> str:
        if run.starting is not None:
            return gettext("starting")
        succeeded, total = run.job_counts[JobState.SUCCEEDED], run.job_counts.total()
        return f"{succeeded}\N{NO-BREAK SPACE}/\N{NO-BREAK SPACE}{total}"

    @admin.display(description=_("in progress"))
    def underway(self, run: Run) -> int:
        return sum(run.job_counts[state] for state in JOB_UNDERWAY)

    @admin.display(description=_("not generated"))
    def not_generated(self, run: Run) -> int:
        return run.job_counts.total() - run.job_counts[JobState.SUCCEEDED] - self.underway(run)

    @admin.display(description=_("spent"), ordering="spent_microusd")
    def spent(self, run: Run) -> str:
        return micro_dollars(run.spent_microusd)

    @admin.display(description=_("budget"), ordering="budget_microusd")
    def budget(self, run: Run) -> str:
        return (
            gettext("none") if run.budget_microusd is None else micro_dollars(run.budget_microusd)
        )

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        run = self.get_object(request, object_id)
        context = dict(extra_context or {})
        if run is not None and self.has_view_permission(request, run):
            context |= {
                "progress": run_progress(run, request=request, site=self.admin_site),
                "parts": {name: f"admin/nb_catalog/run/parts/{name}.html" for name in PARTS},
                "run": run,
                "title": run.title,
                "publications_url": self.url_of("changelist", model="publication")
                if self.admin_site.is_registered(Publication)
                else "",
                "may_publish": may(request.user, Action.PUBLISH),
                "may_roll_back": may(request.user, Action.UNPUBLISH),
                "headline": headline_of(run, counts=job_counts.counts_for([run])[run.pk]),
                "events_url": self.url_of("events", run.pk) if live.is_asgi(request) else "",
            }
        return super().change_view(request, object_id, form_url, context)

    def progress_data(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Return the page parts that change, and whether the run is done, as JSON."""
        run = get_object_or_404(Run, pk=pk)
        request.current_app = self.admin_site.name
        progress = run_progress(run, request=request, site=self.admin_site)
        response = JsonResponse(
            {
                "done": progress.is_done,
                "percent": progress.percent,
                "sentence": progress.sentence,
                "title": headline_of(run, counts=progress.counts),
                "parts": progress.parts(request),
            }
        )
        response["Cache-Control"] = "no-store"
        return response

    def events(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """Stream the progress of a run, until it is over."""
        run = get_object_or_404(Run, pk=pk)
        return self.live_response(request, live.RunFeed(run.pk), obj=run)

    def cancel(self, request: HttpRequest, pk: int) -> HttpResponse:
        run = get_object_or_404(Run, pk=pk)
        if run.starting is not None:
            self.message_user(request, gettext("Its further pictures will not be requested."))
        count = runs.cancel_run(run)
        message = ngettext(
            "%d job cancelled. Requests in flight will finish.",
            "%d jobs cancelled. Requests in flight will finish.",
            count,
        )
        return self._redirect(request, run, message % count)

    def retry(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Retry the jobs that the pressed button names, or those of one cause that a retry may help; without
        one, all but those that may have been charged already."""
        run = get_object_or_404(Run, pk=pk)
        is_stopped = run.starting is not None and bool(run.starting.error)
        if "cause" in request.POST:
            state, _colon, code = request.POST["cause"].partition(":")
            only = failures.worth_retrying() & Q(state=state, error_code=code)
        else:
            only = next((RETRIES[name] for name in RETRIES if name in request.POST), Q)()
        count = runs.retry_run(run, unknown="unknown" in request.POST, only=only)
        if is_stopped and not count:
            return self._redirect(request, run, gettext("The run is being started."))
        return self._redirect(
            request, run, ngettext("%d job queued again.", "%d jobs queued again.", count) % count
        )

    def resume(self, request: HttpRequest, pk: int) -> HttpResponse:
        run = get_object_or_404(Run, pk=pk)
        if not may(request.user, Action.RESUME_RUN, owner=run.actor_id):
            raise PermissionDenied
        form = BudgetForm(request.POST)
        if not form.is_valid():
            errors = " ".join(form.errors["budget_usd"])
            return self._redirect(request, run, errors, level=messages.ERROR)
        # An empty field lifts the limit; a missing field must not.
        is_sent = "budget_usd" in request.POST
        budget = form.cleaned_data["budget_usd"] if is_sent else run.budget_usd
        try:
            runs.resume_run(run, budget_usd=budget)
        except NBCatalogError as error:
            return self._redirect(request, run, str(error), level=messages.ERROR)
        return self._redirect(request, run, gettext("Run resumed."))

    def _redirect(
        self, request: HttpRequest, run: Run, message: str, *, level: int = messages.SUCCESS
    ) -> HttpResponse:
        self.message_user(request, message, level)
        return redirect(self.url_of("change", run.pk))
