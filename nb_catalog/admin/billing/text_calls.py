"""Requests about words: who was asked about what, and what it cost."""

from __future__ import annotations

from collections.abc import Sequence

from django.contrib import admin
from django.db.models import QuerySet
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from nb_catalog import billing
from nb_catalog.admin.billing.reconcile import ReconcileAdmin, UnsettledFilter
from nb_catalog.admin.formatting import micro_dollars
from nb_catalog.core.types import Actor
from nb_catalog.models import TextCall


@admin.register(TextCall)
class TextCallAdmin(ReconcileAdmin):
    list_display = (
        "started_at", "deck", "image", "locale", "translator", "actor", "outcome", "cost",
    )  # fmt: skip
    list_filter = (UnsettledFilter, "outcome", "started_at")
    list_select_related = ("deck", "image", "actor")
    fields = (
        "deck", "image", "locale", "translator", "model", "model_version", "request_id", "actor",
        "outcome", "error_code", "estimate", "cost", ("settled_by", "settled_at"), "usage",
        "started_at", "finished_at",
    )  # fmt: skip

    def open_calls(self) -> QuerySet:
        return billing.unsettled_text_calls()

    def settle(self, keys: Sequence[int], *, cost_microusd: int | None, actor: Actor) -> int:
        return billing.settle_text_calls_manually(keys, cost_microusd=cost_microusd, actor=actor)

    @admin.display(description=_("cost"), ordering="cost_microusd")
    def cost(self, call: TextCall) -> str:
        return (
            gettext("unknown") if call.cost_microusd is None else micro_dollars(call.cost_microusd)
        )

    @admin.display(description=_("estimate"))
    def estimate(self, call: TextCall) -> str:
        return micro_dollars(call.estimate_microusd)
