"""Jobs and provider batches: read-only pages."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.timesince import timesince
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from nb_catalog.admin import requested
from nb_catalog.admin.base import CatalogObjectAdmin, ReadOnlyAdmin
from nb_catalog.admin.changelists import ProviderFilter, TierFilter
from nb_catalog.admin.formatting import micro_dollars
from nb_catalog.core.permissions import Action
from nb_catalog.core.states import JobState
from nb_catalog.models import ImageJob, ProviderBatch


@admin.register(ImageJob)
class ImageJobAdmin(CatalogObjectAdmin):
    view_action = Action.VIEW_JOBS
    list_display = (
        "id", "product", "requested", "state", "run", "tier", "model", "attempts", "problem",
    )  # fmt: skip
    list_select_related = ("run",)
    list_filter = ("state", "kind", ("tier", TierFilter), ("provider", ProviderFilter), "is_free")
    search_fields = ("object_id", "error", "error_code")
    search_help_text = _(
        "Product name or key, scene, layout, text, #number of a run, or text of an error"
    )
    fields = (
        "product", "run", "kind", "state", ("attempts", "not_before"), ("error_code", "problem"),
        ("tier", "provider", "model"), "estimate", "requested", ("created_at", "finished_at"),
    )  # fmt: skip

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        changelist = super().get_changelist_instance(request)
        requested.attach(changelist.result_list)
        return changelist

    def get_object(self, request: HttpRequest, object_id: str, from_field: Any = None) -> Any:
        job = super().get_object(request, object_id, from_field)
        if job is not None:
            requested.attach([job])
        return job

    @admin.display(description=_("product"))
    def product(self, job: ImageJob) -> str:
        return job.object_info.title

    @admin.display(description=_("estimate"))
    def estimate(self, job: ImageJob) -> str:
        return micro_dollars(job.estimate_microusd)

    @admin.display(description=_("requested"))
    def requested(self, job: ImageJob) -> str:
        return job.requested

    @admin.display(description=_("what happened"))
    def problem(self, job: ImageJob) -> str:
        problem = job.problem
        sentences = filter(None, (problem.summary, problem.message, problem.advice))
        return " ".join(sentences) or self.get_empty_value_display()


@admin.register(ProviderBatch)
class ProviderBatchAdmin(ReadOnlyAdmin):
    view_action = Action.VIEW_BATCHES
    list_display = (
        "name",
        "state",
        "model",
        "items",
        "made",
        "waited",
        "next_look_at",
        "error_code",
    )
    list_filter = ("state", "provider", "model")
    search_fields = ("=name", "=service_name")
    search_help_text = _("Batch name, ours or the provider's")
    fields = (
        ("name", "state"), ("provider", "model"), ("items", "made", "waits"),
        ("service_name", "service_state"), ("input_file", "result_file"),
        ("error_code", "error"), ("looks", "next_look_at"),
        ("created_at", "submitted_at", "finished_at"),
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).annotate(
            made_count=Count("jobs", filter=Q(jobs__state=JobState.SUCCEEDED)),
            waiting_count=Count("jobs", filter=Q(jobs__state=JobState.SUBMITTED)),
        )  # fmt: skip

    @admin.display(description=_("made"))
    def made(self, batch: ProviderBatch) -> int:
        return batch.made_count

    @admin.display(description=_("pending"))
    def waits(self, batch: ProviderBatch) -> int:
        return batch.waiting_count

    @admin.display(description=_("with the provider for"))
    def waited(self, batch: ProviderBatch) -> str:
        if batch.submitted_at is None:
            return gettext("not submitted")
        return timesince(batch.submitted_at, batch.finished_at or timezone.now())
