"""Webhook endpoints: added with a secret that is shown once, tested, rotated, switched off and on."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from nb_catalog import webhooks
from nb_catalog.admin.base import AdminPages, declares
from nb_catalog.core.event_types import EventType
from nb_catalog.core.permissions import Action, may
from nb_catalog.exceptions import NBCatalogError, RequestRefused
from nb_catalog.models import WebhookEndpoint


class EndpointForm(forms.ModelForm):
    url = forms.CharField(
        label=capfirst(_("address")),
        max_length=500,
        widget=forms.URLInput(attrs={"class": "vURLField"}),
        help_text=_("Events are sent there as POST requests, over https."),
    )
    events = forms.MultipleChoiceField(
        label=capfirst(_("events")),
        choices=EventType.choices,
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text=_("Without a choice, all events are sent, also those of later versions."),
    )

    class Meta:
        model = WebhookEndpoint
        fields = ("url", "events", "description", "is_active")

    def clean_url(self) -> str:
        url = str(self.cleaned_data["url"]).strip()
        if refusal := webhooks.refusal(url):
            raise forms.ValidationError(refusal)
        return url

    def save(self, commit: bool = True) -> WebhookEndpoint:
        """Write it by the functions of ``webhooks``. A new endpoint has its ``secret``, this once."""
        values = {name: self.cleaned_data[name] for name in ("url", "events", "description")}
        if self.instance.pk is None:
            endpoint, secret = webhooks.create(**values)
            self.instance.__dict__.update(endpoint.__dict__)
            self.instance.secret = secret
        else:
            changed = {name: values[name] for name in values if name in self.changed_data}
            webhooks.update(self.instance, **changed)
            if "is_active" in self.changed_data:
                switch = webhooks.switch_on if self.instance.is_active else webhooks.switch_off
                switch(self.instance)
        return self.instance

    def save_m2m(self) -> None:
        """There are no relations."""


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(AdminPages, admin.ModelAdmin):
    form = EndpointForm
    change_form_template = "admin/nb_catalog/webhookendpoint/change_form.html"
    list_display = ("name", "wanted", "status")
    actions = ("test", "switch_on", "switch_off")
    readonly_fields = ("status", "created_at")

    class Media:
        css = {"all": ("nb_catalog/admin.css",)}

    def get_urls(self) -> list[URLPattern]:
        return [
            self.page(
                "<int:pk>/rotate/",
                self.rotate,
                name="rotate",
                action=Action.CHANGE_WEBHOOK,
                api="webhook_rotate",
            ),
            self.page(
                "<int:pk>/test/",
                require_POST(self.send_test),
                name="test",
                action=Action.CHANGE_WEBHOOK,
                api="webhook_test",
            ),
            *super().get_urls(),
        ]

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return may(request.user, Action.VIEW_WEBHOOKS)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return may(request.user, Action.CREATE_WEBHOOK)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return may(request.user, Action.CHANGE_WEBHOOK)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return may(request.user, Action.DELETE_WEBHOOK)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Its deliveries are deleted with it, which nobody may delete alone, and are too many to list."""
        endpoints = list(objs)
        return list(map(str, endpoints)), {self.opts.verbose_name_plural: len(endpoints)}, set(), []

    def get_fieldsets(self, request: HttpRequest, obj: WebhookEndpoint | None = None) -> Any:
        fields: tuple[str, ...] = ("url", "events", "description")
        if obj is not None:
            fields = (*fields, "is_active", "status", "created_at")
        if not self.has_change_permission(request) and obj is not None:
            fields = tuple("wanted" if name == "events" else name for name in fields)
        return [(None, {"fields": fields})]

    def get_readonly_fields(self, request: HttpRequest, obj: WebhookEndpoint | None = None) -> Any:
        return (*super().get_readonly_fields(request, obj), "wanted")

    def add_view(self, request: HttpRequest, *args: Any, **options: Any) -> HttpResponse:
        try:
            return super().add_view(request, *args, **options)
        except RequestRefused as refusal:
            # Too many endpoints.
            self.message_user(request, str(refusal), messages.ERROR)
            return redirect(self.url_of("changelist"))

    def save_model(
        self, request: HttpRequest, obj: WebhookEndpoint, form: Any, change: bool
    ) -> None:
        """Nothing is left to write: the form has."""

    def response_add(
        self, request: HttpRequest, obj: WebhookEndpoint, post_url_continue: Any = None
    ) -> HttpResponse:
        return self._secret_page(request, obj, secret=obj.secret)

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **options: Any) -> Any:
        options["extra_context"] = {
            **(options.get("extra_context") or {}),
            "may_change": self.has_change_permission(request),
        }
        return super().change_view(request, object_id, *args, **options)

    def rotate(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask whether to rotate the secret; once confirmed, show the new one."""
        endpoint = self._changeable(request, pk)
        if request.method != "POST":
            context = self.page_context(
                request, title=gettext("Rotate the secret"), endpoint=endpoint
            )
            return TemplateResponse(
                request, "admin/nb_catalog/webhookendpoint/rotate.html", context
            )
        try:
            secret = webhooks.rotate(endpoint)
        except NBCatalogError as error:
            self.message_user(request, str(error), messages.ERROR)
            return redirect(self.url_of("change", pk))
        self.log_change(request, endpoint, gettext("Secret rotated."))
        return self._secret_page(request, endpoint, secret=secret, is_rotated=True)

    def _secret_page(
        self,
        request: HttpRequest,
        endpoint: WebhookEndpoint,
        *,
        secret: str,
        is_rotated: bool = False,
    ) -> HttpResponse:
        """Return the page itself: in a redirect, the secret would be kept somewhere."""
        context = self.page_context(
            request,
            title=gettext("Secret of the endpoint"),
            endpoint=endpoint,
            secret=secret,
            is_rotated=is_rotated,
        )
        return TemplateResponse(request, "admin/nb_catalog/webhookendpoint/secret.html", context)

    def send_test(self, request: HttpRequest, pk: int) -> HttpResponse:
        self._send_tests(request, [self._changeable(request, pk)])
        return redirect(self.url_of("change", pk))

    def _changeable(self, request: HttpRequest, pk: int) -> WebhookEndpoint:
        return get_object_or_404(WebhookEndpoint, pk=pk)

    def _send_tests(self, request: HttpRequest, endpoints: Any) -> None:
        for endpoint in endpoints:
            try:
                delivery = webhooks.send_test(endpoint)
            except RequestRefused as refusal:
                self.message_user(request, str(refusal), messages.ERROR)
            else:
                message = gettext(
                    "A worker sends the test event %(id)s to %(name)s. See the deliveries for the result."
                )
                self.message_user(request, message % {"id": delivery.message_id, "name": endpoint})

    @declares(Action.CHANGE_WEBHOOK, api="webhook_test")
    @admin.action(description=_("Send a test event"), permissions=["change"])
    def test(self, request: HttpRequest, queryset: QuerySet[WebhookEndpoint]) -> None:
        self._send_tests(request, queryset)

    @declares(Action.CHANGE_WEBHOOK, api="webhook_partial_update")
    @admin.action(description=_("Switch on"), permissions=["change"])
    def switch_on(self, request: HttpRequest, queryset: QuerySet[WebhookEndpoint]) -> None:
        for endpoint in queryset:
            webhooks.switch_on(endpoint)
        count = len(queryset)
        message = ngettext("%d endpoint switched on.", "%d endpoints switched on.", count)
        self.message_user(request, message % count)

    @declares(Action.CHANGE_WEBHOOK, api="webhook_partial_update")
    @admin.action(description=_("Switch off"), permissions=["change"])
    def switch_off(self, request: HttpRequest, queryset: QuerySet[WebhookEndpoint]) -> None:
        for endpoint in queryset:
            webhooks.switch_off(endpoint)
        count = len(queryset)
        message = ngettext("%d endpoint switched off.", "%d endpoints switched off.", count)
        self.message_user(request, message % count)

    @admin.display(description=_("endpoint"), ordering="description")
    def name(self, endpoint: WebhookEndpoint) -> str:
        return str(endpoint)

    @admin.display(description=_("events"))
    def wanted(self, endpoint: WebhookEndpoint) -> str:
        labels = dict(EventType.choices)
        names = [str(labels.get(name, name)) for name in endpoint.events]
        return "; ".join(names) or gettext("all")

    @admin.display(description=_("state"), ordering="failing_since")
    def status(self, endpoint: WebhookEndpoint) -> str:
        if not endpoint.is_active:
            return f"{gettext('Switched off.')} {webhooks.describe_disabled(endpoint)}".strip()
        if endpoint.failing_since is None:
            return gettext("Active")
        since = date_format(timezone.localtime(endpoint.failing_since), "DATETIME_FORMAT")
        return gettext("Failing since %(when)s") % {"when": since}
