"""Calls to providers and their costs, and provider pauses."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from nb_catalog import ratelimit
from nb_catalog.admin.base import ReadOnlyAdmin, SearchableAdmin, declares
from nb_catalog.admin.billing.reconcile import ReconcileAdmin, UnsettledFilter
from nb_catalog.admin.changelists import ModelFilter, ProviderFilter
from nb_catalog.admin.formatting import micro_dollars
from nb_catalog.core.permissions import Action, may
from nb_catalog.models import ImageJob, ProviderCall, ProviderPause
from nb_catalog.providers.model_specs import is_version_of


@admin.register(ProviderCall)
class ProviderCallAdmin(SearchableAdmin, ReconcileAdmin):
    view_action = Action.VIEW_CALLS
    list_display = (
        "id", "kind", "provider", "model", "used_model", "outcome", "estimate", "cost", "error_code",
        "started_at",
    )  # fmt: skip
    list_select_related = ("job",)
    list_filter = (
        UnsettledFilter, "outcome", ("provider", ProviderFilter), ("model", ModelFilter), "started_at",
    )  # fmt: skip
    search_fields = ("request_id", "job__id")
    search_help_text = _("Request ID, job number, product name or key, scene, layout, or text")
    fields = (
        ("job", "kind"), "run", "batch", ("provider", "model", "used_model"), "request_id",
        ("outcome", "error_code"), ("estimate", "cost"), ("settled_by", "settled_at"), "usage",
        ("started_at", "finished_at"),
    )  # fmt: skip

    keys_of = ImageJob

    @admin.display(description=_("kind"))
    def kind(self, call: ProviderCall) -> str:
        return "" if call.job is None else call.job.get_kind_display()

    @admin.display(description=_("model version"), ordering="model_version")
    def used_model(self, call: ProviderCall) -> str:
        if is_version_of(call.model_version, call.model):
            return call.model_version or self.get_empty_value_display()
        return gettext("%s: not the requested model") % call.model_version

    @admin.display(description=_("estimate"), ordering="estimate_microusd")
    def estimate(self, call: ProviderCall) -> str:
        return micro_dollars(call.estimate_microusd)

    @admin.display(description=_("cost"), ordering="cost_microusd")
    def cost(self, call: ProviderCall) -> str:
        return micro_dollars(call.cost_microusd)


@admin.register(ProviderPause)
class ProviderPauseAdmin(ReadOnlyAdmin):
    """Deleting a pause resumes the provider."""

    view_action = Action.VIEW_PAUSES
    actions = ("resume",)
    list_display = ("provider", "paused_model", "paused_until", "reason")
    fields = ("provider", "paused_model", "paused_until", ("cause", "reason"), "what_to_do")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may(request.user, Action.RESUME_PROVIDER)

    @declares(Action.RESUME_PROVIDER, api="pause_destroy")
    @admin.action(description=_("Resume selected providers"), permissions=["delete"])
    def resume(self, request: HttpRequest, queryset: QuerySet) -> None:
        count = queryset.count()
        queryset.delete()
        self.message_user(
            request,
            ngettext(
                "%d provider resumed. Workers notice within seconds.",
                "%d providers resumed. Workers notice within seconds.",
                count,
            )
            % count,
        )

    @admin.display(description=_("model"), ordering="model")
    def paused_model(self, pause: ProviderPause) -> str:
        return pause.model or gettext("all models")

    @admin.display(description=_("until"), ordering="until")
    def paused_until(self, pause: ProviderPause) -> str:
        if ratelimit.needs_person(pause):
            return gettext("until resumed manually")
        return date_format(timezone.localtime(pause.until), "DATETIME_FORMAT")

    @admin.display(description=_("what to do"))
    def what_to_do(self, pause: ProviderPause) -> str:
        return ratelimit.what_to_do(pause)
