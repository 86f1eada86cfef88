"""Runs, their jobs (the queue of record), and the provider's batches that jobs are submitted in."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from nb_catalog.core.specs import SCHEMA, ImageSpec, TextSpec
from nb_catalog.core.states import BatchState, JobState
from nb_catalog.core.types import JobKind, RequestMode
from nb_catalog.models.db.indexes import SparseIndex
from nb_catalog.models.db.money import MicroUSDField, usd
from nb_catalog.models.generic import CatalogObjectManager, CatalogObjectModel

if TYPE_CHECKING:
    from nb_catalog.models.run_starts import RunStart


class Run(models.Model):
    """A confirmed plan: who requested what, and what it may cost. Its state follows from its jobs.

    ``counted`` caches their number by state (see ``generation.job_counts``), as of ``counted_at``.
    ``problems`` has the number of pictures that are not possible, by reason. While the jobs of a large
    run are being written, it has a ``RunStart``. ``next_look_at`` is when a worker looks next whether it has
    ended; null once its end was reported.
    """

    plan_key = models.CharField(
        _("plan"), max_length=64, unique=True, editable=False,
        help_text=_("A plan can be started once, however often somebody presses the button."),
    )  # fmt: skip
    title = models.CharField(_("title"), max_length=200)
    request = models.JSONField(_("request"), default=dict, editable=False)
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
    problems = models.JSONField(default=dict, editable=False)
    counted = models.JSONField(default=dict, editable=False)
    counted_at = models.DateTimeField(null=True, editable=False)
    cancelled_at = models.DateTimeField(_("cancelled at"), null=True, editable=False)
    next_look_at = models.DateTimeField(null=True, default=timezone.now, editable=False)

    class Meta:
        ordering = ("-id",)
        verbose_name = _("run")
        verbose_name_plural = _("runs")
        indexes = [SparseIndex(fields=["next_look_at"], name="nb_run_open")]
        permissions = [("generate", _("Can have pictures generated"))]

    def __str__(self) -> str:
        return self.title

    @property
    def starting(self) -> RunStart | None:
        """The row of a run whose jobs are still being written."""
        return getattr(self, "start", None)

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


class ProviderBatch(models.Model):
    """One file of requests. The row is written before the file is submitted, under a ``name`` that the
    provider stores too: after an interrupted submission the batch is looked up by that name.

    ``lease_owner`` and ``epoch`` fence the worker that holds it, as they do for jobs. ``next_look_at``
    is when the next step is due: submitting it, polling its state or downloading its results.
    """

    name = models.CharField(_("name"), max_length=40, unique=True)
    provider = models.CharField(_("provider"), max_length=40)
    model = models.CharField(_("model"), max_length=80)
    state = models.CharField(_("state"), max_length=10, choices=BatchState, default=BatchState.OPEN)
    items = models.PositiveIntegerField(_("pictures"), default=0)
    service_name = models.CharField(
        _("name at the provider"), max_length=200, blank=True, default=""
    )
    service_state = models.CharField(
        _("state at the provider"), max_length=80, blank=True, default=""
    )
    input_file = models.CharField(_("file of requests"), max_length=200, blank=True, default="")
    result_file = models.CharField(_("file of results"), max_length=200, blank=True, default="")
    error_code = models.CharField(_("error code"), max_length=40, blank=True, default="")
    error = models.TextField(_("what happened"), blank=True, default="")
    looks = models.PositiveIntegerField(_("polls"), default=0)
    epoch = models.PositiveIntegerField(default=0, editable=False)
    lease_owner = models.CharField(max_length=40, blank=True, default="", editable=False)
    lease_until = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    submitted_at = models.DateTimeField(_("submitted"), null=True)
    next_look_at = models.DateTimeField(_("next poll"), null=True)
    finished_at = models.DateTimeField(_("done"), null=True)

    class Meta:
        ordering = ("-id",)
        verbose_name = _("batch")
        verbose_name_plural = _("batches")
        indexes = [models.Index(fields=["state", "next_look_at"], name="nb_batch_due")]

    def __str__(self) -> str:
        return self.name

    def counts(self) -> Counter[str]:
        """Return the number of its jobs by state; one query."""
        rows = self.jobs.order_by().values_list("state").annotate(models.Count("id"))
        return Counter({str(JobState(state)): number for state, number in rows})


class ImageJob(CatalogObjectModel):
    """One requested picture, or texts requested about a copy deck or a picture; ``kind`` says which. It
    is about a catalog object, or about that deck or picture.

    ``schema`` is the version of ``spec``'s fields: workers leave newer ones to others.

    ``live_key`` is the fingerprint while the job is live and null afterwards: its unique index
    keeps two runs from making the same picture at the same time, even in databases without partial
    unique indexes. ``epoch`` counts claims: an UPDATE by a worker that lost its lease names an old
    epoch and changes nothing.

    ``turn`` is its position in the queue among jobs of its priority. The jobs of a run have
    consecutive turns, starting at the turn being worked on when the run starts: so runs alternate.
    """

    run = models.ForeignKey(
        Run, verbose_name=_("run"), on_delete=models.CASCADE, related_name="jobs", db_index=False
    )
    kind = models.CharField(_("kind"), max_length=12, choices=JobKind, default=JobKind.IMAGE)
    spec = models.JSONField(_("spec"), editable=False)
    schema = models.PositiveSmallIntegerField(default=SCHEMA, editable=False)
    fingerprint = models.CharField(_("fingerprint"), max_length=64, editable=False)
    live_key = models.CharField(  # noqa: DJ001 - a unique column may hold many nulls
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
    created_at = models.DateTimeField(_("requested"), auto_now_add=True)
    finished_at = models.DateTimeField(_("finished"), null=True, editable=False)

    objects = CatalogObjectManager()

    class Meta:
        ordering = ("id",)
        verbose_name = _("job")
        verbose_name_plural = _("jobs")
        # Not `unique=True`: on PostgreSQL Django would add a second index, for prefix searches.
        constraints = [models.UniqueConstraint(fields=["live_key"], name="nb_job_live_once")]
        # Each transition writes to every index with the state. Jobs held by workers are few: the
        # queue's index finds them.
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
    def wanted(self) -> ImageSpec | TextSpec:
        """Raises ``SpecUnreadable``."""
        if self.kind == JobKind.IMAGE:
            return ImageSpec.from_dict(self.spec)
        return TextSpec.from_dict(self.spec)


class WakeUp(models.Model):
    """A single row: since when a message to the task queue has been queued, null if none is.
    See ``nb_catalog.tasks``."""

    queued_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.queued_at)


class JobWriteLock(models.Model):
    """A row for each model of the host; locked while jobs about its objects are written."""

    content_type = models.OneToOneField(ContentType, on_delete=models.CASCADE, related_name="+")

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.content_type_id)
