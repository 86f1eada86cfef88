"""Batches, to read: what is with a provider, since when, and when somebody looks again."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.timesince import timesince
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from nb_catalog.admin.base import ReadOnlyAdmin
from nb_catalog.core.states import JobState
from nb_catalog.models import ProviderBatch


@admin.register(ProviderBatch)
class ProviderBatchAdmin(ReadOnlyAdmin):
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
