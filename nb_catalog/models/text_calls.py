"""Requests for texts that may cost money: translations, alternative texts, OCR."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from nb_catalog.models.copy_decks import CopyDeck
from nb_catalog.models.db.money import MicroUSDField
from nb_catalog.models.images import ProductImage


class TextOutcome(models.TextChoices):
    IN_FLIGHT = "in_flight", _("In flight")
    ANSWERED = "answered", _("Answered")
    FAILED = "failed", _("Failed")
    UNKNOWN = "unknown", _("Unknown")
    NOT_SENT = "not_sent", _("Nothing was sent")


class TextCall(models.Model):
    """One request for texts: written before it is sent, completed afterwards. While ``cost_microusd``
    is null, the estimate stays reserved, until a person settles it from the invoice.

    ``locale`` is one code, or several separated by commas.
    """

    deck = models.ForeignKey(
        CopyDeck, verbose_name=_("copy deck"), null=True, on_delete=models.SET_NULL,
        related_name="calls",
    )  # fmt: skip
    image = models.ForeignKey(
        ProductImage, verbose_name=_("image"), null=True, on_delete=models.SET_NULL,
        related_name="text_calls",
    )  # fmt: skip
    locale = models.CharField(_("language"), max_length=500)
    translator = models.CharField(_("provider"), max_length=120)
    model = models.CharField(_("model"), max_length=80)
    model_version = models.CharField(_("model version"), max_length=120, blank=True, default="")
    request_id = models.CharField(_("request id"), max_length=200, blank=True, default="")
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("by"), null=True, on_delete=models.SET_NULL,
        related_name="+",
    )  # fmt: skip
    estimate_microusd = MicroUSDField(_("estimate"))
    cost_microusd = MicroUSDField(_("cost"), null=True)
    usage = models.JSONField(_("usage"), default=dict)
    outcome = models.CharField(
        _("outcome"), max_length=12, choices=TextOutcome, default=TextOutcome.IN_FLIGHT
    )
    error_code = models.CharField(_("error code"), max_length=40, blank=True, default="")
    started_at = models.DateTimeField(_("sent"), db_index=True)
    finished_at = models.DateTimeField(_("answered"), null=True)
    settled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("settled by"), null=True,
        on_delete=models.SET_NULL, related_name="+",
    )  # fmt: skip
    settled_at = models.DateTimeField(_("settled"), null=True)

    class Meta:
        ordering = ("-id",)
        verbose_name = _("request for texts")
        verbose_name_plural = _("requests for texts")

    def __str__(self) -> str:
        return f"{self.translator} {self.locale}"

    @property
    def locales(self) -> list[str]:
        return self.locale.split(", ")
