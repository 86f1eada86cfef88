"""Runs: confirmed plans."""

from __future__ import annotations

from decimal import Decimal

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from nb_catalog.models.db.money import MicroUSDField, usd


class Run(models.Model):
    """A confirmed plan: who asked for what, what it may cost. Its state is counted from its jobs.

    ``counted`` is a count of them that ``tallies`` keeps, and ``counted_at`` when it was taken.
    """

    plan_key = models.CharField(
        _("plan"), max_length=64, unique=True, editable=False,
        help_text=_("A plan can be started once, however often somebody presses the button."),
    )  # fmt: skip
    title = models.CharField(_("title"), max_length=200)
    request = models.JSONField(_("what was asked for"), default=dict, editable=False)
    tier = models.CharField(_("tier"), max_length=40)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("started by"), null=True, blank=True,
        on_delete=models.SET_NULL, related_name="+",
    )  # fmt: skip
    created_at = models.DateTimeField(_("started"), auto_now_add=True)
    reused = models.PositiveIntegerField(_("already there"), default=0)
    estimate_microusd = MicroUSDField(_("estimate"))
    budget_microusd = MicroUSDField(_("budget"), null=True, blank=True)
    reserved_microusd = MicroUSDField(_("reserved"))
    spent_microusd = MicroUSDField(_("spent"))
    paused_reason = models.CharField(_("why it is paused"), max_length=200, blank=True)
    counted = models.JSONField(default=dict, editable=False)
    counted_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ("-id",)
        verbose_name = _("run")
        verbose_name_plural = _("runs")
        permissions = [("generate", _("Can have pictures generated"))]

    def __str__(self) -> str:
        return self.title

    @property
    def estimate_usd(self) -> Decimal:
        return usd(self.estimate_microusd)

    @property
    def spent_usd(self) -> Decimal:
        return usd(self.spent_microusd)

    @property
    def reserved_usd(self) -> Decimal:
        return usd(self.reserved_microusd)

    @property
    def budget_usd(self) -> Decimal | None:
        return None if self.budget_microusd is None else usd(self.budget_microusd)
