"""Requests about words: who was asked about what, and what it cost."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from nb_catalog.admin.figures import micro_dollars
from nb_catalog.admin.reading import ReadOnlyAdmin
from nb_catalog.models import TextCall


@admin.register(TextCall)
class TextCallAdmin(ReadOnlyAdmin):
    list_display = (
        "started_at",
        "deck",
        "image",
        "locale",
        "translator",
        "actor",
        "outcome",
        "cost",
    )
    list_filter = ("outcome", "started_at")
    list_select_related = ("deck", "image", "actor")
    fields = (
        "deck", "image", "locale", "translator", "model", "model_version", "request_id", "actor", "outcome",
        "error_code", "estimate", "cost", "usage", "started_at", "finished_at",
    )  # fmt: skip

    @admin.display(description=_("cost"), ordering="cost_microusd")
    def cost(self, call: TextCall) -> str:
        return (
            gettext("not known")
            if call.cost_microusd is None
            else micro_dollars(call.cost_microusd)
        )

    @admin.display(description=_("estimate"))
    def estimate(self, call: TextCall) -> str:
        return micro_dollars(call.estimate_microusd)
