"""Exports that a worker makes, because they take longer than a request may."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from nb_catalog.models.db.indexes import SparseIndex


class ExportState(models.TextChoices):
    """Where an export is."""

    WAITING = "waiting", _("Being made")
    READY = "ready", _("Ready")
    FAILED = "failed", _("Failed")


class Export(models.Model):
    """A ZIP of ``pictures``, each ``[image, slot, locale, position]``, with the ``options`` of an export.

    ``done`` of ``total`` pictures are written, ``left_out`` of them could not be. ``file`` is its name in the
    storage, empty until the whole file is there; it is deleted at ``expires_at``, with the row.
    ``not_before`` is when a worker that has taken it is believed to be dead, or when it is tried again.
    ``attempts`` counts workers that have taken it.
    """

    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("by"), null=True, on_delete=models.SET_NULL,
        related_name="+",
    )  # fmt: skip
    pictures = models.JSONField(editable=False)
    options = models.JSONField(editable=False)
    state = models.CharField(
        _("state"), max_length=10, choices=ExportState, default=ExportState.WAITING
    )
    total = models.PositiveIntegerField()
    done = models.PositiveIntegerField(default=0)
    left_out = models.PositiveIntegerField(default=0)
    problem = models.TextField(_("problem"), blank=True, default="")
    file = models.CharField(max_length=200, blank=True, default="", editable=False)
    byte_size = models.PositiveBigIntegerField(null=True)
    requested_at = models.DateTimeField(_("requested"), auto_now_add=True)
    finished_at = models.DateTimeField(_("finished"), null=True)
    expires_at = models.DateTimeField(_("deleted at"), null=True)
    token = models.CharField(max_length=32, blank=True, default="", editable=False)
    not_before = models.DateTimeField(null=True, editable=False)
    attempts = models.PositiveSmallIntegerField(default=0, editable=False)

    class Meta:
        default_permissions = ()
        ordering = ("-id",)
        verbose_name = _("export")
        verbose_name_plural = _("exports")
        indexes = [
            models.Index(fields=["state"], name="nb_export_state"),
            SparseIndex(fields=["expires_at"], name="nb_export_expires"),
        ]

    def __str__(self) -> str:
        return str(self.pk)
