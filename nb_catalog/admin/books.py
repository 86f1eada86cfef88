"""What was sent and what it cost, and providers that have to wait."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from nb_catalog import ledger
from nb_catalog.admin.figures import micro_dollars
from nb_catalog.admin.filters import LOOKS_LIKE_A_KEY
from nb_catalog.admin.long_lists import ModelFilter, ProviderFilter
from nb_catalog.admin.reading import ReadOnlyAdmin
from nb_catalog.cards import is_version_of
from nb_catalog.models import ProviderCall, ProviderPause
from nb_catalog.types import Permission

A_PERSON_HAS_TO_ACT = timedelta(days=365)
# Of the calls that are to be settled.
SHOWN: Final = 50
_WHAT_TO_DO = {
    "provider_stopped": _("Look at the billing page of the provider's account."),
    "key_rejected": _("Correct the provider's key in the settings and restart the workers."),
    "no_credentials": _("Give the provider a key in the settings and restart the workers."),
    "model_retired": _("Choose another model in the settings, cancel what waits, and plan it anew."),
    "wrong_service": _("Correct the provider's base_url in the settings and restart the workers."),
    "page_instead": _("See what stands between this machine and the provider: a proxy, a sign-in page."),
    "address_refused": _("Add the host to the provider's image_hosts and restart the workers."),
    "daily_quota_reached": _("The quota starts anew at midnight Pacific time, without anybody's help."),
}  # fmt: skip


class OpenFilter(admin.SimpleListFilter):
    """Calls whose cost nobody knows."""

    title = _("cost")
    parameter_name = "open"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("unknown, still reserved"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if self.value() == "yes":
            return queryset.filter(pk__in=ledger.open_calls().values("pk"))
        return queryset


@admin.register(ProviderCall)
class ProviderCallAdmin(ReadOnlyAdmin):
    list_display = (
        "id", "provider", "model", "answered_by", "outcome", "estimate", "cost", "error_code", "started_at",
    )  # fmt: skip
    list_filter = (
        OpenFilter, "outcome", ("provider", ProviderFilter), ("model", ModelFilter), "started_at",
    )  # fmt: skip
    actions = ("not_billed", "billed")
    search_fields = ("request_id", "job__id")
    search_help_text = _("Request id or the number of a job")
    fields = (
        "job", "batch", ("provider", "model", "answered_by"), "request_id", ("outcome", "error_code"),
        ("estimate", "cost"), ("settled_by", "settled_at"), "usage", ("started_at", "finished_at"),
    )  # fmt: skip

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet, search_term: str
    ) -> tuple[QuerySet, bool]:
        term = search_term.strip()
        found = Q(request_id=term)
        if LOOKS_LIKE_A_KEY.fullmatch(term):
            found |= Q(job=int(term))
        return (queryset.filter(found) if term else queryset), False

    def has_reconcile_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(Permission.RECONCILE)

    @admin.action(description=_("Not on the bill: give back the money"), permissions=["reconcile"])
    def not_billed(self, request: HttpRequest, queryset: QuerySet) -> HttpResponse | None:
        return self._settle(request, queryset, cost_microusd=0)

    @admin.action(description=_("On the bill: book them as estimated"), permissions=["reconcile"])
    def billed(self, request: HttpRequest, queryset: QuerySet) -> HttpResponse | None:
        return self._settle(request, queryset, cost_microusd=None)

    def _settle(
        self, request: HttpRequest, calls: QuerySet, *, cost_microusd: int | None
    ) -> HttpResponse | None:
        keys = list(calls.values_list("pk", flat=True))
        if "confirmed" not in request.POST:
            return self._asked(request, keys, cost_microusd=cost_microusd)
        settled = ledger.settle_by_hand(keys, cost_microusd=cost_microusd, actor=request.user)
        said = ngettext("%d call is settled.", "%d calls are settled.", settled) % settled
        if left := len(keys) - settled:
            said += " " + ngettext(
                "%d was left alone: its cost is known, or it is still out.",
                "%d were left alone: their cost is known, or they are still out.",
                left,
            ) % left  # fmt: skip
        self.message_user(request, said, messages.SUCCESS if settled else messages.WARNING)
        return None

    def _asked(
        self, request: HttpRequest, keys: Sequence[int], *, cost_microusd: int | None
    ) -> HttpResponse:
        """The page that asks whether it is meant: money that is booked is not taken back."""
        found = ledger.open_calls().filter(pk__in=keys)
        count = found.count()
        context = self.page_context(
            request,
            title=gettext("Settle by the provider's bill"),
            calls=found[:SHOWN],
            count=count,
            further=max(0, count - SHOWN),
            reserved=micro_dollars(ledger.total_of(found)),
            gives_back=cost_microusd == 0,
            keys=keys,
            action=request.POST["action"],
        )
        return TemplateResponse(request, "admin/nb_catalog/providercall/settle.html", context)

    @admin.display(description=_("answered by"), ordering="model_version")
    def answered_by(self, call: ProviderCall) -> str:
        if is_version_of(call.model_version, call.model):
            return call.model_version
        return gettext("%s: not what was asked for") % call.model_version

    @admin.display(description=_("estimate"), ordering="estimate_microusd")
    def estimate(self, call: ProviderCall) -> str:
        return micro_dollars(call.estimate_microusd)

    @admin.display(description=_("cost"), ordering="cost_microusd")
    def cost(self, call: ProviderCall) -> str:
        return micro_dollars(call.cost_microusd)


@admin.register(ProviderPause)
class ProviderPauseAdmin(ReadOnlyAdmin):
    """Deleting a pause is how a person says that work may go on."""

    actions = ("go_on",)
    list_display = ("provider", "shown_model", "shown_until", "reason")
    fields = ("provider", "shown_model", "shown_until", ("cause", "reason"), "what_to_do")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("nb_catalog.delete_providerpause")

    @admin.action(description=_("Let these providers go on"), permissions=["delete"])
    def go_on(self, request: HttpRequest, queryset: QuerySet) -> None:
        count = queryset.count()
        queryset.delete()
        self.message_user(
            request,
            ngettext(
                "%d provider may go on. Workers notice within seconds.",
                "%d providers may go on. Workers notice within seconds.",
                count,
            )
            % count,
        )

    @admin.display(description=_("model"), ordering="model")
    def shown_model(self, pause: ProviderPause) -> str:
        return pause.model or gettext("every model")

    @admin.display(description=_("until"), ordering="until")
    def shown_until(self, pause: ProviderPause) -> str:
        if pause.until - timezone.now() > A_PERSON_HAS_TO_ACT:
            return gettext("until a person lets it go on")
        return date_format(timezone.localtime(pause.until), "DATETIME_FORMAT")

    @admin.display(description=_("what to do"))
    def what_to_do(self, pause: ProviderPause) -> str:
        first = _WHAT_TO_DO.get(pause.cause, "")
        then = gettext(
            "Nothing is sent while this pause stands; jobs wait and lose nothing. Once the cause "
            "is mended, delete the pause: work goes on by itself."
        )
        return f"{first} {then}".strip()
