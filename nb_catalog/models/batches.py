"""Batches: many wanted pictures handed to a provider in one file."""

from __future__ import annotations

from collections import Counter

from django.db import models
from django.utils.translation import gettext_lazy as _

from nb_catalog.core.states import BatchState, JobState


class ProviderBatch(models.Model):
    """One file of requests. It is on record before it goes out, under a ``name`` that the provider
    keeps too: a batch whose hand-in was cut off is looked up by it and never guessed.

    ``lease_owner`` and ``epoch`` fence whoever works on it, as they do for jobs. ``next_look_at``
    is when there is something to do again: to hand it in, to ask how it stands, to fetch results.
    """

    name = models.CharField(_("name"), max_length=40, unique=True)
    provider = models.CharField(_("provider"), max_length=40)
    model = models.CharField(_("model"), max_length=80)
    state = models.CharField(_("state"), max_length=10, choices=BatchState, default=BatchState.OPEN)
    items = models.PositiveIntegerField(_("pictures"), default=0)
    service_name = models.CharField(
        _("provider's name for it"), max_length=200, blank=True, default=""
    )
    service_state = models.CharField(
        _("provider's word for its state"), max_length=80, blank=True, default=""
    )
    input_file = models.CharField(_("file of requests"), max_length=200, blank=True, default="")
    result_file = models.CharField(_("file of results"), max_length=200, blank=True, default="")
    error_code = models.CharField(_("error code"), max_length=40, blank=True, default="")
    error = models.TextField(_("what happened"), blank=True, default="")
    looks = models.PositiveIntegerField(_("times looked at"), default=0)
    epoch = models.PositiveIntegerField(default=0, editable=False)
    lease_owner = models.CharField(max_length=40, blank=True, default="", editable=False)
    lease_until = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(_("put together"), auto_now_add=True)
    submitted_at = models.DateTimeField(_("handed in"), null=True)
    next_look_at = models.DateTimeField(_("next look"), null=True)
    finished_at = models.DateTimeField(_("done"), null=True)

    class Meta:
        ordering = ("-id",)
        verbose_name = _("batch")
        verbose_name_plural = _("batches")
        indexes = [models.Index(fields=["state", "next_look_at"], name="nb_batch_due")]

    def __str__(self) -> str:
        return self.name

    def counts(self) -> Counter[str]:
        """Its jobs by state; one query."""
        rows = self.jobs.order_by().values_list("state").annotate(models.Count("id"))
        return Counter({str(JobState(state)): number for state, number in rows})
