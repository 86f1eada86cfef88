"""Settle calls of unknown cost against the provider's invoice, as not billed or with the billed amount."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from nb_catalog import billing
from nb_catalog.admin.base import ReadOnlyAdmin, declares
from nb_catalog.admin.formatting import micro_dollars
from nb_catalog.core.permissions import Action, may
from nb_catalog.models.db.money import micros

# Calls listed on the confirmation page.
MAX_LISTED: Final = 50


class UnsettledFilter(admin.SimpleListFilter):
    """Filters calls whose cost is unknown."""

    title = _("cost")
    parameter_name = "open"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("unknown, still reserved"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if self.value() == "yes":
            return queryset.filter(pk__in=billing.unsettled_calls().values("pk"))
        return queryset


class InvoiceAmountForm(forms.Form):
    """The amount per call on the invoice."""

    usd = forms.DecimalField(
        label=_("USD per call, if the invoice states it"),
        help_text=_("Leave empty to use the estimates."),
        required=False,
        min_value=0,
        max_value=1000,
        decimal_places=6,
    )


class ReconcileAdmin(ReadOnlyAdmin):
    """Actions that settle calls of unknown cost."""

    actions = ("not_billed", "billed")

    def has_reconcile_permission(self, request: HttpRequest) -> bool:
        return may(request.user, Action.RECONCILE)

    @declares(Action.RECONCILE, api="provider_call_settle")
    @admin.action(
        description=_("Not on the invoice: release the reserved amount"), permissions=["reconcile"]
    )
    def not_billed(self, request: HttpRequest, queryset: QuerySet) -> HttpResponse | None:
        return self.confirm_or_settle(request, queryset, form=None)

    @declares(Action.RECONCILE, api="provider_call_settle")
    @admin.action(description=_("On the invoice: record as spent"), permissions=["reconcile"])
    def billed(self, request: HttpRequest, queryset: QuerySet) -> HttpResponse | None:
        return self.confirm_or_settle(
            request,
            queryset,
            form=InvoiceAmountForm(request.POST if _is_confirmed(request) else None),
        )

    def confirm_or_settle(
        self, request: HttpRequest, calls: QuerySet, *, form: InvoiceAmountForm | None
    ) -> HttpResponse | None:
        """Show the confirmation page, or settle once confirmed. No ``form``: nothing was billed."""
        keys = list(calls.values_list("pk", flat=True))
        if not _is_confirmed(request) or (form is not None and not form.is_valid()):
            return self.confirmation_page(request, keys, form=form)
        cost: int | None = 0
        if form is not None:
            usd = form.cleaned_data["usd"]
            cost = None if usd is None else micros(usd)
        settled = billing.settle_manually(keys, cost_microusd=cost, actor=request.user)
        message = ngettext("%d call settled.", "%d calls settled.", settled) % settled
        if left := len(keys) - settled:
            message += " " + ngettext(
                "%d call was not changed: its cost is already known, or it is still in flight.",
                "%d calls were not changed: their cost is already known, or they are still in flight.",
                left,
            ) % left  # fmt: skip
        self.message_user(request, message, messages.SUCCESS if settled else messages.WARNING)
        return None

    def confirmation_page(
        self, request: HttpRequest, keys: Sequence[int], *, form: InvoiceAmountForm | None
    ) -> HttpResponse:
        """Return the confirmation page: settling cannot be undone."""
        unsettled = billing.unsettled_calls().filter(pk__in=keys)
        count = unsettled.count()
        context = self.page_context(
            request,
            title=gettext("Settle against the provider's invoice"),
            calls=unsettled[:MAX_LISTED],
            count=count,
            further=max(0, count - MAX_LISTED),
            reserved=micro_dollars(billing.unsettled_total(unsettled)),
            form=form,
            keys=keys,
            action=request.POST["action"],
        )
        return TemplateResponse(request, "admin/nb_catalog/settle.html", context)


def _is_confirmed(request: HttpRequest) -> bool:
    return "confirmed" in request.POST
