"""Runs: a list, a page that watches one work, and what can be done about it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from nb_catalog.admin.base import ReadOnlyAdmin
from nb_catalog.admin.formatting import micro_dollars
from nb_catalog.admin.generate.text_views import TextViews
from nb_catalog.admin.run_progress import PARTS, progress
from nb_catalog.core.states import JOB_UNDERWAY, JobState
from nb_catalog.core.types import Permission
from nb_catalog.generation import job_counts, runs
from nb_catalog.models import Run


class BudgetForm(forms.Form):
    """A new budget; left empty there is none."""

    budget_usd = forms.DecimalField(
        min_value=Decimal(0), max_digits=12, decimal_places=6, required=False
    )


@admin.register(Run)
class RunAdmin(TextViews, ReadOnlyAdmin):
    list_display = ("title", "made", "underway", "troubled", "spent", "budget", "created_at")
    list_filter = ("tier", "created_at")
    search_fields = ("title",)
    fields = ("title", "actor", "created_at")

    class Media:
        css = {"all": ("nb_catalog/admin.css",)}

    def get_urls(self) -> list[URLPattern]:
        return [
            *self.generate_urls(),
            *self.lettering_urls(),
            self.page("<int:pk>/progress/", self.progress_data, name="progress"),
            self.page("<int:pk>/cancel/", require_POST(self.cancel), name="cancel"),
            self.page("<int:pk>/retry/", require_POST(self.retry), name="retry"),
            self.page("<int:pk>/resume/", require_POST(self.resume), name="resume"),
            *super().get_urls(),
        ]

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        found = super().get_changelist_instance(request)
        rows = list(found.result_list)
        counted = job_counts.counts_for(rows)
        for run in rows:
            run.tally = counted[run.pk]
        found.result_list = rows
        return found

    def has_view_permission(self, request: HttpRequest, obj: Run | None = None) -> bool:
        """Who may start a run may watch it."""
        return super().has_view_permission(request, obj) or request.user.has_perm(
            Permission.GENERATE
        )

    @admin.display(description=_("made"))
    def made(self, run: Run) -> str:
        made, total = run.tally[JobState.SUCCEEDED], run.tally.total()
        return f"{made}\N{NO-BREAK SPACE}/\N{NO-BREAK SPACE}{total}"

    @admin.display(description=_("in progress"))
    def underway(self, run: Run) -> int:
        return sum(run.tally[state] for state in JOB_UNDERWAY)

    @admin.display(description=_("not generated"))
    def troubled(self, run: Run) -> int:
        return run.tally.total() - run.tally[JobState.SUCCEEDED] - self.underway(run)

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
            looked = progress(run, request=request, site=self.admin_site)
            context |= {
                "progress": looked,
                "parts": {name: f"admin/nb_catalog/run/parts/{name}.html" for name in PARTS},
                "run": run,
                "title": run.title,
            }
        return super().change_view(request, object_id, form_url, context)

    def progress_data(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The renewed pieces of a run's page, and whether anything is still to come."""
        run = get_object_or_404(Run, pk=pk)
        if not self.has_view_permission(request, run):
            raise PermissionDenied
        request.current_app = self.admin_site.name
        looked = progress(run, request=request, site=self.admin_site)
        answer = JsonResponse(
            {
                "done": looked.is_done,
                "percent": looked.percent,
                "sentence": looked.sentence,
                "parts": looked.parts(request),
            }
        )
        answer["Cache-Control"] = "no-store"
        return answer

    def cancel(self, request: HttpRequest, pk: int) -> HttpResponse:
        run = self._run_to_act_on(request, pk)
        count = runs.cancel_run(run)
        said = ngettext(
            "%d job cancelled. Requests in flight will finish.",
            "%d jobs cancelled. Requests in flight will finish.",
            count,
        )
        return self._back(request, run, said % count)

    def retry(self, request: HttpRequest, pk: int) -> HttpResponse:
        """With ``unknown`` in the form also what may have been paid for already."""
        run = self._run_to_act_on(request, pk)
        count = runs.retry_run(run, unknown="unknown" in request.POST)
        return self._back(
            request, run, ngettext("%d job queued again.", "%d jobs queued again.", count) % count
        )

    def resume(self, request: HttpRequest, pk: int) -> HttpResponse:
        run = self._run_to_act_on(request, pk)
        form = BudgetForm(request.POST)
        if not form.is_valid():
            errors = " ".join(form.errors["budget_usd"])
            return self._back(request, run, errors, level=messages.ERROR)
        # A limit is lifted by an empty field, never by a field that was not sent.
        said = "budget_usd" in request.POST
        runs.resume_run(run, budget_usd=form.cleaned_data["budget_usd"] if said else run.budget_usd)
        return self._back(request, run, gettext("Run resumed."))

    def _run_to_act_on(self, request: HttpRequest, pk: int) -> Run:
        if not request.user.has_perm(Permission.GENERATE):
            raise PermissionDenied
        return get_object_or_404(Run, pk=pk)

    def _back(
        self, request: HttpRequest, run: Run, said: str, *, level: int = messages.SUCCESS
    ) -> HttpResponse:
        self.message_user(request, said, level)
        return redirect(self.url_of("change", run.pk))
