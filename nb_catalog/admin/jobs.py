"""Jobs, to read: what became of each wanted picture."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from nb_catalog.admin.base import CatalogObjectAdmin
from nb_catalog.admin.changelists import ProviderFilter, TierFilter
from nb_catalog.admin.formatting import micro_dollars
from nb_catalog.core.states import JobState
from nb_catalog.models import ImageJob

_WITH_ERRORS = (JobState.WAITING, JobState.REFUSED, JobState.FAILED, JobState.UNKNOWN)


@admin.register(ImageJob)
class ImageJobAdmin(CatalogObjectAdmin):
    list_display = ("id", "product", "state", "run", "tier", "model", "attempts", "error")
    list_select_related = ("run",)
    list_filter = ("state", ("tier", TierFilter), ("provider", ProviderFilter), "is_free")
    search_fields = ("object_id", "error", "error_code")
    search_help_text = _("Product key, or text of an error")
    fields = (
        "product", "run", "state", ("attempts", "not_before"), ("error_code", "error"),
        ("tier", "provider", "model"), "estimate", "wanted_picture", ("created_at", "finished_at"),
    )  # fmt: skip

    def search_for(self, term: str) -> Q:
        """Words of an error. Jobs that went well have none, and there may be a million of them."""
        return Q(state__in=_WITH_ERRORS) & (Q(error__icontains=term) | Q(error_code=term))

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).defer("spec")

    @admin.display(description=_("product"))
    def product(self, job: ImageJob) -> str:
        return job.subject_shown.title

    @admin.display(description=_("estimate"))
    def estimate(self, job: ImageJob) -> str:
        return micro_dollars(job.estimate_microusd)

    @admin.display(description=_("picture"))
    def wanted_picture(self, job: ImageJob) -> str:
        wanted = job.wanted
        return format_html(
            "{} · {} · {} · {} · {}",
            wanted.scene, wanted.treatment, wanted.ratio, wanted.size, f"#{wanted.variant}",
        )  # fmt: skip
