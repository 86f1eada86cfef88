"""What may cost money: provider calls, the day's sums, and providers that must wait."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from nb_catalog.models.batches import ProviderBatch
from nb_catalog.models.db.money import MicroUSDField
from nb_catalog.models.jobs import ImageJob


class CallOutcome(models.TextChoices):
    IN_FLIGHT = "in_flight", _("In flight")
    PICTURE = "picture", _("Picture")
    FAILED = "failed", _("Failed")
    UNKNOWN = "unknown", _("Unknown")
    NOT_SENT = "not_sent", _("Nothing was sent")


class ProviderCall(models.Model):
    """One request that may cost money: written before it goes out, completed after, never deleted
    by the app. ``cost_microusd`` is null while the provider has not reported it; a person may
    settle it then, by the provider's bill."""

    job = models.ForeignKey(
        ImageJob, verbose_name=_("job"), on_delete=models.CASCADE, related_name="calls"
    )
    batch = models.ForeignKey(
        ProviderBatch, verbose_name=_("batch"), null=True, on_delete=models.SET_NULL,
        related_name="calls",
    )  # fmt: skip
    epoch = models.PositiveIntegerField()
    lease_owner = models.CharField(max_length=40, editable=False)
    provider = models.CharField(_("provider"), max_length=40)
    model = models.CharField(_("model"), max_length=80)
    tier = models.CharField(_("tier"), max_length=40, blank=True, default="")
    scene = models.CharField(_("scene"), max_length=60, blank=True, default="")
    model_version = models.CharField(_("model version"), max_length=120, blank=True, default="")
    request_id = models.CharField(_("request id"), max_length=200, blank=True, default="")
    estimate_microusd = MicroUSDField(_("estimate"))
    cost_microusd = MicroUSDField(_("cost"), null=True)
    usage = models.JSONField(_("usage"), default=dict)
    photo_sent = models.JSONField(_("photo as it was sent"), default=dict, blank=True)
    outcome = models.CharField(
        _("outcome"), max_length=12, choices=CallOutcome, default=CallOutcome.IN_FLIGHT
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
        verbose_name = _("provider call")
        verbose_name_plural = _("provider calls")
        permissions = [("reconcile", _("Can settle calls whose cost is unknown"))]
        indexes = [
            # Few calls are open: what is listed of a million should not be looked for among them.
            models.Index(fields=["cost_microusd", "started_at"], name="nb_call_open"),
            models.Index(fields=["request_id"], name="nb_call_request"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["job", "epoch"], name="nb_call_once_an_epoch")
        ]

    def __str__(self) -> str:
        return f"{self.provider} {self.job_id}.{self.epoch}"


class DailyBudget(models.Model):
    """Money of one UTC day; changed by conditional UPDATE only."""

    day = models.DateField(_("day"), unique=True)
    reserved_microusd = MicroUSDField(_("reserved"))
    spent_microusd = MicroUSDField(_("spent"))

    class Meta:
        ordering = ("-day",)
        verbose_name = _("day's spend")
        verbose_name_plural = _("spend by day")

    def __str__(self) -> str:
        return str(self.day)


class ShareKind(models.TextChoices):
    TIER = "tier", _("Tier")
    USER = "user", _("User")


class DailyBudgetShare(models.Model):
    """Money of one UTC day that a tier or a user has spent; changed by conditional UPDATE only.
    ``name`` is the tier, or the user's primary key as text."""

    day = models.DateField(_("day"))
    kind = models.CharField(_("whose"), max_length=4, choices=ShareKind)
    name = models.CharField(_("name"), max_length=64)
    reserved_microusd = MicroUSDField(_("reserved"))
    spent_microusd = MicroUSDField(_("spent"))

    class Meta:
        ordering = ("-day", "kind", "name")
        verbose_name = _("share of a day's spend")
        verbose_name_plural = _("shares of a day's spend")
        constraints = [
            models.UniqueConstraint(fields=["day", "kind", "name"], name="nb_share_once")
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.kind} {self.name}"


class DailySpendTotal(models.Model):
    """What the settled calls of one UTC day came to that are alike. ``user`` is who started their runs,
    a primary key as text, or empty. The lines say what the calls say, in few rows."""

    day = models.DateField(_("day"))
    model = models.CharField(_("model"), max_length=80)
    tier = models.CharField(_("tier"), max_length=40)
    scene = models.CharField(_("scene"), max_length=60)
    user = models.CharField(_("user"), max_length=64)
    calls = models.PositiveIntegerField(_("calls"), default=0)
    spent_microusd = MicroUSDField(_("spent"))

    class Meta:
        ordering = ("-day", "model", "tier", "scene", "user")
        verbose_name = _("line of the daybook")
        verbose_name_plural = _("lines of the daybook")
        constraints = [
            models.UniqueConstraint(
                fields=["day", "model", "tier", "scene", "user"], name="nb_line_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.model} {self.calls}"


class ProviderPause(models.Model):
    """Until when nothing is sent to a provider's model, and why; without a ``model`` to none of
    them. All workers heed it. ``cause`` is the code of the error that led to it."""

    provider = models.CharField(_("provider"), max_length=40)
    model = models.CharField(_("model"), max_length=80, blank=True)
    until = models.DateTimeField(_("until"))
    reason = models.CharField(_("reason"), max_length=200)
    cause = models.CharField(_("cause"), max_length=40, blank=True, default="")

    class Meta:
        verbose_name = _("pause of a provider")
        verbose_name_plural = _("pauses of providers")
        constraints = [models.UniqueConstraint(fields=["provider", "model"], name="nb_pause_once")]

    def __str__(self) -> str:
        return f"{self.provider} {self.model}"
