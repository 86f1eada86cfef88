"""Events that hosts are informed of, and the webhooks that carry them."""

from __future__ import annotations

from uuid import uuid4

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils.translation import gettext_lazy as _


class CatalogEvent(models.Model):
    """An event of a kind that has no table of its own, for streams. Append only; ``data`` has the fields of
    ``core.event_types``."""

    event = models.CharField(max_length=30)
    data = models.JSONField(encoder=DjangoJSONEncoder)
    at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=["at"], name="nb_catalog_event_at")]

    def __str__(self) -> str:
        return self.event


class WebhookEndpoint(models.Model):
    """An address that events are sent to; ``events`` is empty for all of them.

    Its secret is derived from Django's ``SECRET_KEY``, ``uid`` and ``secret_version``, and stored nowhere:
    ``secret_digest`` is that of the secret that was shown. After a rotation, the one before
    it is used as well until ``previous_until``.

    ``failing_since`` is when deliveries began to fail without a success since, ``failed_at`` when one failed
    last, and ``not_before`` when anything is sent next. ``disabled_reason`` says why it was switched
    off without a person.
    """

    uid = models.UUIDField(default=uuid4, unique=True, editable=False)
    url = models.URLField(_("address"), max_length=500)
    description = models.CharField(_("description"), max_length=200, blank=True, default="")
    events = models.JSONField(_("events"), default=list, blank=True)
    is_active = models.BooleanField(_("active"), default=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    secret_version = models.PositiveIntegerField(default=1, editable=False)
    secret_digest = models.CharField(max_length=64, editable=False)
    previous_digest = models.CharField(max_length=64, blank=True, default="", editable=False)
    previous_until = models.DateTimeField(null=True, editable=False)
    failing_since = models.DateTimeField(_("failing since"), null=True, editable=False)
    failed_at = models.DateTimeField(null=True, editable=False)
    not_before = models.DateTimeField(null=True, editable=False)
    disabled_reason = models.CharField(max_length=20, blank=True, default="", editable=False)

    class Meta:
        ordering = ("id",)
        verbose_name = _("webhook endpoint")
        verbose_name_plural = _("webhook endpoints")

    def __str__(self) -> str:
        return self.description or self.url


class DeliveryState(models.TextChoices):
    WAITING = "waiting", _("Waiting to be sent")
    DELIVERED = "delivered", _("Delivered")
    FAILED = "failed", _("Given up")


class WebhookDelivery(models.Model):
    """One event on its way to one endpoint. Written in the transaction of the change that it reports.

    ``message_id`` is the same for all endpoints and for every attempt. ``due_at`` is when it is sent next;
    null once it was delivered or given up. The worker that holds it has set ``due_at`` to the end of its
    lease, and ``claim`` to a token of its own: what was written under another one is not.
    """

    endpoint = models.ForeignKey(
        WebhookEndpoint, verbose_name=_("endpoint"), on_delete=models.CASCADE,
        related_name="deliveries", db_index=False,
    )  # fmt: skip
    message_id = models.CharField(_("message"), max_length=40)
    event = models.CharField(_("event"), max_length=30)
    data = models.JSONField(_("data"), encoder=DjangoJSONEncoder)
    at = models.DateTimeField(_("happened"))
    state = models.CharField(
        _("state"), max_length=10, choices=DeliveryState, default=DeliveryState.WAITING
    )
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    due_at = models.DateTimeField(_("next attempt"), null=True)
    claim = models.CharField(max_length=32, blank=True, default="", editable=False)
    tried_at = models.DateTimeField(_("last attempt"), null=True)
    status_code = models.PositiveSmallIntegerField(_("status code"), null=True)
    error_code = models.CharField(_("error code"), max_length=20, blank=True, default="")

    class Meta:
        ordering = ("-id",)
        # Those of its endpoint hold.
        default_permissions = ()
        verbose_name = _("webhook delivery")
        verbose_name_plural = _("webhook deliveries")
        constraints = [
            models.UniqueConstraint(fields=["endpoint", "message_id"], name="nb_delivery_once")
        ]
        indexes = [
            models.Index(fields=["endpoint", "due_at"], name="nb_delivery_due"),
            models.Index(fields=["at"], name="nb_delivery_at"),
        ]

    def __str__(self) -> str:
        return f"{self.event} {self.pk}"
