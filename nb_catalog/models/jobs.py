"""Image jobs: the queue of record."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from nb_catalog.core.specs import ImageSpec
from nb_catalog.core.states import JobState
from nb_catalog.core.types import RequestMode
from nb_catalog.models.batches import ProviderBatch
from nb_catalog.models.db.indexes import SparseIndex
from nb_catalog.models.db.money import MicroUSDField
from nb_catalog.models.generic import CatalogObjectManager, CatalogObjectModel
from nb_catalog.models.runs import Run


class ImageJob(CatalogObjectModel):
    """One wanted picture.

    ``live_key`` is the fingerprint while the job holds its place and null afterwards: its
    unique index is what keeps two runs from making the same picture at the same time, in
    databases without partial unique indexes too. ``epoch`` counts claims: an UPDATE of a
    worker that lost its lease names an old epoch and changes nothing.

    ``turn`` is its place in the queue among jobs of its priority. The jobs of a run have one turn
    each, from the turn that is being worked on when the run starts: so runs take turns.
    """

    run = models.ForeignKey(
        Run, verbose_name=_("run"), on_delete=models.CASCADE, related_name="jobs", db_index=False
    )
    spec = models.JSONField(_("spec"), editable=False)
    fingerprint = models.CharField(_("fingerprint"), max_length=64, editable=False)
    live_key = models.CharField(  # noqa: DJ001 - many nulls may stand in a unique column
        max_length=64, null=True, editable=False
    )
    tier = models.CharField(_("tier"), max_length=40, blank=True, default="")
    provider = models.CharField(_("provider"), max_length=40)
    model = models.CharField(_("model"), max_length=80)
    is_free = models.BooleanField(_("free of charge"), default=False)
    mode = models.CharField(
        _("mode"), max_length=8, choices=RequestMode, default=RequestMode.DIRECT
    )
    batch = models.ForeignKey(
        ProviderBatch, verbose_name=_("batch"), null=True, on_delete=models.SET_NULL,
        related_name="jobs", editable=False, db_index=False,
    )  # fmt: skip
    estimate_microusd = MicroUSDField(_("estimate"))
    state = models.CharField(_("state"), max_length=12, choices=JobState, default=JobState.QUEUED)
    priority = models.SmallIntegerField(_("priority"), default=0)
    turn = models.BigIntegerField(default=0, editable=False)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    epoch = models.PositiveIntegerField(default=0, editable=False)
    lease_owner = models.CharField(max_length=40, blank=True, default="", editable=False)
    lease_until = models.DateTimeField(null=True, editable=False)
    not_before = models.DateTimeField(_("not before"), null=True, editable=False)
    error_code = models.CharField(_("error code"), max_length=40, blank=True, default="")
    error = models.TextField(_("what happened"), blank=True, default="")
    created_at = models.DateTimeField(_("asked for"), auto_now_add=True)
    finished_at = models.DateTimeField(_("finished"), null=True, editable=False)

    objects = CatalogObjectManager()

    class Meta:
        ordering = ("id",)
        verbose_name = _("image job")
        verbose_name_plural = _("image jobs")
        # Not `unique=True`, for which PostgreSQL gets a second index, to search for beginnings.
        constraints = [models.UniqueConstraint(fields=["live_key"], name="nb_job_live_once")]
        # Each move of a job writes to every index that its state is in. What is in workers' hands is
        # found through the queue's: there is little of it.
        indexes = [
            models.Index(
                fields=["state", "mode", "is_free", "-priority", "turn", "id"],
                name="nb_job_queue",
            ),
            models.Index(fields=["run", "state"], name="nb_job_run_state"),
            SparseIndex(fields=["not_before"], name="nb_job_due"),
            SparseIndex(fields=["batch"], name="nb_job_batch"),
            models.Index(fields=["content_type", "object_id"], name="nb_job_object"),
            SparseIndex(fields=["finished_at"], name="nb_job_finished"),
        ]

    def __str__(self) -> str:
        return f"{self.content_type_id}:{self.object_id} {self.fingerprint[:8]}"

    @property
    def wanted(self) -> ImageSpec:
        return ImageSpec.from_dict(self.spec)
