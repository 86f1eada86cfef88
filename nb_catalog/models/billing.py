"""What may cost money: provider calls, and the totals of each day."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from nb_catalog.models.db.money import MicroUSDField
from nb_catalog.models.jobs import ImageJob, ProviderBatch, Run


class CallOutcome(models.TextChoices):
    IN_FLIGHT = "in_flight", _("In flight")
    PICTURE = "picture", _("Picture")
    TEXTS = "texts", _("Texts")
    FAILED = "failed", _("Failed")
    UNKNOWN = "unknown", _("Unknown")
    NOT_SENT = "not_sent", _("Nothing was sent")


class ProviderCall(models.Model):
    """One request that may cost money: written before it is sent, completed afterwards, never deleted
    by the app. ``cost_microusd`` is null until the provider reports it; a person can settle it
    from the provider's invoice.

    ``run`` is whose budget it counts against. It outlives both: deleting a model's content type deletes
    the jobs about it, not what they have cost."""

    run = models.ForeignKey(
        Run, verbose_name=_("run"), null=True, on_delete=models.SET_NULL, related_name="+",
        db_index=False,
    )  # fmt: skip
    job = models.ForeignKey(
        ImageJob, verbose_name=_("job"), null=True, on_delete=models.SET_NULL, related_name="calls"
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
            # Few of a million calls have no cost yet: they are listed without scanning the others.
            models.Index(fields=["cost_microusd", "started_at"], name="nb_call_open"),
            models.Index(fields=["request_id"], name="nb_call_request"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["job", "epoch"], name="nb_call_once_an_epoch")
        ]

    def __str__(self) -> str:
        return f"{self.provider} {self.job_id}.{self.epoch}"


class DailyBudget(models.Model):
    """The money of one UTC day; changed only by conditional UPDATE."""

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
    """The money of one UTC day that a tier or a user has spent; changed only by conditional UPDATE.
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
    """Number and cost of the settled calls of one UTC day that share model, tier, scene and user.
    ``user`` is who started their runs, a primary key as text, or empty. Reports read these few rows
    instead of every call."""

    day = models.DateField(_("day"))
    model = models.CharField(_("model"), max_length=80)
    tier = models.CharField(_("tier"), max_length=40)
    scene = models.CharField(_("scene"), max_length=60)
    user = models.CharField(_("user"), max_length=64)
    calls = models.PositiveIntegerField(_("calls"), default=0)
    spent_microusd = MicroUSDField(_("spent"))

    class Meta:
        ordering = ("-day", "model", "tier", "scene", "user")
        verbose_name = _("daily spend total")
        verbose_name_plural = _("daily spend totals")
        constraints = [
            models.UniqueConstraint(
                fields=["day", "model", "tier", "scene", "user"], name="nb_line_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.model} {self.calls}"


class CostCeiling(models.Model):
    """The highest cost of calls of one model, size and mode that exceeded their reservations."""

    model = models.CharField(max_length=80)
    size = models.CharField(max_length=8, blank=True)
    mode = models.CharField(max_length=8)
    cost_microusd = MicroUSDField(_("cost"))
    seen_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["model", "size", "mode"], name="nb_ceiling_once")
        ]

    def __str__(self) -> str:
        return f"{self.model} {self.size} {self.cost_microusd}"
