"""E-mails to those who started runs."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from nb_catalog.models.db.indexes import SparseIndex
from nb_catalog.models.jobs import Run


class RunEvent(models.TextChoices):
    """What a person is informed of."""

    PAUSED = "paused", _("Paused")
    ENDED = "ended", _("Ended")


class RunNotice(models.Model):
    """The person who started ``run`` gets an e-mail when it pauses at a budget, and when it has ended.

    ``due_at`` is when it is looked at next, or sent again; null once nothing is to be sent. It is also the
    fence: the process that moves it sends. ``tries`` counts how often sending of the event ``tried`` has
    begun, ``informed_of`` is the last event that was sent or given up. ``url`` is the run's page,
    ``language`` that of the person when the run was started.
    """

    run = models.OneToOneField(
        Run, primary_key=True, on_delete=models.CASCADE, related_name="notice"
    )
    url = models.TextField(blank=True, default="")
    language = models.CharField(max_length=20, blank=True, default="")
    due_at = models.DateTimeField(null=True, editable=False)
    tries = models.PositiveSmallIntegerField(default=0, editable=False)
    tried = models.CharField(max_length=8, choices=RunEvent, blank=True, default="", editable=False)
    informed_of = models.CharField(
        max_length=8, choices=RunEvent, blank=True, default="", editable=False
    )
    sent_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        default_permissions = ()
        indexes = [SparseIndex(fields=["due_at"], name="nb_notice_due")]

    def __str__(self) -> str:
        return str(self.run_id)
