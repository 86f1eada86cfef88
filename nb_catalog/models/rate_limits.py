"""What limits the calls to providers: counters of each model, and pauses."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class RateLimitState(models.Model):
    """The state that all workers share about the calls to one model of a provider. Read and changed
    inside the transaction that claims jobs.

    ``arrival_at`` is the theoretical arrival time of GCRA. ``sent_today`` counts the calls of
    ``day``, a Pacific date. ``cap`` is the number of concurrent calls while the service is
    overloaded: it was reduced from ``cap_before`` and last changed at ``cap_at``.
    """

    provider = models.CharField(_("provider"), max_length=40)
    model = models.CharField(_("model"), max_length=80)
    arrival_at = models.DateTimeField(null=True, editable=False)
    day = models.DateField(_("day in Pacific time"), null=True)
    sent_today = models.PositiveIntegerField(_("calls of that day"), default=0)
    cap = models.PositiveIntegerField(_("current limit of calls in flight"), null=True)
    cap_before = models.PositiveIntegerField(null=True, editable=False)
    cap_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        verbose_name = _("rate limit of a model")
        verbose_name_plural = _("rate limits of models")
        constraints = [models.UniqueConstraint(fields=["provider", "model"], name="nb_gate_once")]

    def __str__(self) -> str:
        return f"{self.provider} {self.model}"


class ProviderPause(models.Model):
    """Until when nothing is sent to a provider's model, and why; an empty ``model`` means all of
    them. All workers obey it. ``cause`` is the code of the error that caused it."""

    provider = models.CharField(_("provider"), max_length=40)
    model = models.CharField(_("model"), max_length=80, blank=True)
    until = models.DateTimeField(_("until"))
    reason = models.CharField(_("reason"), max_length=200)
    cause = models.CharField(_("cause"), max_length=40, blank=True, default="")

    class Meta:
        verbose_name = _("provider pause")
        verbose_name_plural = _("provider pauses")
        constraints = [models.UniqueConstraint(fields=["provider", "model"], name="nb_pause_once")]

    def __str__(self) -> str:
        return f"{self.provider} {self.model}"
