"""The throttle's memory: a row for each model whose calls are counted."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class RateLimitState(models.Model):
    """What all workers share about the calls to one model of a provider. Read and changed inside
    the transaction that claims jobs.

    ``arrival_at`` is the theoretical arrival time of GCRA. ``sent_today`` counts the calls of
    ``day``, a Pacific date. ``cap`` is how many calls may be in flight while the service is
    overloaded: it was cut from ``cap_before`` and last changed at ``cap_at``.
    """

    provider = models.CharField(_("provider"), max_length=40)
    model = models.CharField(_("model"), max_length=80)
    arrival_at = models.DateTimeField(null=True, editable=False)
    day = models.DateField(_("day in Pacific time"), null=True)
    sent_today = models.PositiveIntegerField(_("calls of that day"), default=0)
    cap = models.PositiveIntegerField(_("in flight at most, for now"), null=True)
    cap_before = models.PositiveIntegerField(null=True, editable=False)
    cap_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        verbose_name = _("throttle of a model")
        verbose_name_plural = _("throttles of models")
        constraints = [models.UniqueConstraint(fields=["provider", "model"], name="nb_gate_once")]

    def __str__(self) -> str:
        return f"{self.provider} {self.model}"
