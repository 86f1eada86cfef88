"""What was sent to webhook endpoints, or waits to be, with the action to send it again."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from nb_catalog import webhooks
from nb_catalog.admin.base import ReadOnlyAdmin, declares
from nb_catalog.core.event_types import EventType
from nb_catalog.core.permissions import Action, may
from nb_catalog.exceptions import RequestRefused
from nb_catalog.models import WebhookDelivery


class EventFilter(admin.SimpleListFilter):
    title = _("event")
    parameter_name = "event"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(EventType.choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset.filter(event=self.value()) if self.value() else queryset


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(ReadOnlyAdmin):
    view_action = Action.VIEW_WEBHOOKS
    change_form_template = "admin/nb_catalog/webhookdelivery/change_form.html"
    actions = ("resend",)
    list_display = (
        "event_label", "endpoint", "state", "result", "attempts", "tried_at",
    )  # fmt: skip
    list_select_related = ("endpoint",)
    list_filter = ("state", "endpoint", EventFilter)
    search_fields = ("=message_id",)
    search_help_text = _("Message ID, as in the header webhook-id")
    fields = (
        "message_id", "event_label", "endpoint", "at", "state", "attempts", "tried_at", "result",
        "due_at", "payload",
    )  # fmt: skip

    def get_urls(self) -> list[URLPattern]:
        return [
            self.page(
                "<int:pk>/resend/",
                require_POST(self.resend_one),
                name="resend",
                action=Action.CHANGE_WEBHOOK,
                api="webhook_delivery_resend",
            ),
            *super().get_urls(),
        ]

    def has_resend_permission(self, request: HttpRequest) -> bool:
        return may(request.user, Action.CHANGE_WEBHOOK)

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **options: Any) -> Any:
        options["extra_context"] = {
            **(options.get("extra_context") or {}),
            "may_resend": self.has_resend_permission(request),
        }
        return super().change_view(request, object_id, *args, **options)

    @declares(Action.CHANGE_WEBHOOK, api="webhook_delivery_resend")
    @admin.action(description=_("Send again"), permissions=["resend"])
    def resend(self, request: HttpRequest, queryset: QuerySet[WebhookDelivery]) -> None:
        try:
            count = webhooks.resend(queryset)
        except RequestRefused as refusal:
            self.message_user(request, str(refusal), messages.ERROR)
            return
        message = ngettext(
            "A worker sends %d message again.", "A worker sends %d messages again.", count
        )
        self.message_user(request, message % count)

    def resend_one(self, request: HttpRequest, pk: int) -> HttpResponse:
        self.resend(request, WebhookDelivery.objects.filter(pk=pk))
        return redirect(self.url_of("change", pk))

    @admin.display(description=_("event"))
    def event_label(self, delivery: WebhookDelivery) -> str:
        labels = dict(EventType.choices)
        label = labels.get(delivery.event, gettext("A test event"))
        return f"{label} ({delivery.event})"

    @admin.display(description=_("result"))
    def result(self, delivery: WebhookDelivery) -> str:
        if delivery.error_code:
            return webhooks.describe_failure(delivery)
        return "" if delivery.status_code is None else str(delivery.status_code)

    @admin.display(description=_("data"))
    def payload(self, delivery: WebhookDelivery) -> str:
        content = json.dumps(delivery.data, indent=2, ensure_ascii=False)
        return format_html('<pre class="nbc-json" tabindex="0">{}</pre>', content)
