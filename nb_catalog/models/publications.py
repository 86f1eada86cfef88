"""Publications: changes of many places that are asked for, made and undone together."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from nb_catalog.models.db.indexes import SparseIndex
from nb_catalog.models.images import ProductImage
from nb_catalog.models.jobs import Run
from nb_catalog.models.series import Series


class PublicationKind(models.TextChoices):
    """What was asked for."""

    SELECTION = "selection", _("Chosen pictures")
    SERIES = "series", _("Series")
    RUN = "run", _("Run")
    ROLL_BACK = "roll_back", _("Roll-back")


class PublicationState(models.TextChoices):
    """Where a publication is. ``ENDED`` is one whose time is over, and ``MISSED`` one whose time was over
    before it could begin."""

    WAITING = "waiting", _("Waiting")
    PUBLISHED = "published", _("Published")
    ENDED = "ended", _("Ended")
    STOPPED = "stopped", _("Not published")
    CANCELLED = "cancelled", _("Cancelled")
    MISSED = "missed", _("Missed")


class Publication(models.Model):
    """One action that changes places: all its changes are made in one transaction, and undone together.

    Its ``planned`` placements are shown at ``starts_at``, without it as soon as their files are made, until
    ``ends_at``. ``due_at`` is when a worker looks at it next. Its ``events`` are the changes that it made.
    ``problem`` says why it was not published, or what could not be undone. ``undoes`` is the publication that
    a roll-back undid, if it was one. It outlives its series: what it has published goes on to its end.
    """

    kind = models.CharField(
        _("kind"), max_length=10, choices=PublicationKind, default=PublicationKind.SELECTION
    )
    title = models.CharField(_("title"), max_length=200)
    series = models.ForeignKey(
        Series, verbose_name=_("series"), null=True, on_delete=models.SET_NULL, related_name="publications"
    )  # fmt: skip
    look_version = models.PositiveIntegerField(_("version of the look"), null=True)
    run = models.ForeignKey(
        Run, verbose_name=_("run"), null=True, on_delete=models.SET_NULL, related_name="publications"
    )  # fmt: skip
    undoes = models.ForeignKey(
        "self", verbose_name=_("undoes"), null=True, on_delete=models.SET_NULL, related_name="undone_by"
    )  # fmt: skip
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("by"), null=True, on_delete=models.SET_NULL,
        related_name="+",
    )  # fmt: skip
    # Whether a person has asked for it, who may have been deleted since.
    by_person = models.BooleanField(default=False, editable=False)
    reason = models.TextField(_("reason"), blank=True, default="")
    state = models.CharField(
        _("state"), max_length=10, choices=PublicationState, default=PublicationState.PUBLISHED
    )
    problem = models.TextField(_("problem"), blank=True, default="")
    at = models.DateTimeField(_("requested"), auto_now_add=True)
    starts_at = models.DateTimeField(_("from"), null=True)
    ends_at = models.DateTimeField(_("until"), null=True)
    due_at = models.DateTimeField(null=True, editable=False)
    published_at = models.DateTimeField(_("published"), null=True, editable=False)
    undone_at = models.DateTimeField(_("undone at"), null=True, editable=False)

    class Meta:
        ordering = ("-id",)
        verbose_name = _("publication")
        verbose_name_plural = _("publications")
        indexes = [SparseIndex(fields=["due_at"], name="nb_publication_due")]

    def __str__(self) -> str:
        return self.title


class RenditionRequest(models.Model):
    """A picture whose files for web pages are to be made by a worker. Those that a publication waits for are
    urgent; others are made ahead, once their pictures are approved.

    ``not_before`` is when a worker that has taken it is believed to be dead, or when it is tried again.
    ``problem`` says why the files could not be made; without ``not_before`` they are not tried again.
    """

    image = models.OneToOneField(
        ProductImage, primary_key=True, on_delete=models.CASCADE, related_name="rendition_request"
    )
    is_urgent = models.BooleanField(default=False, editable=False)
    token = models.CharField(max_length=32, blank=True, default="", editable=False)
    not_before = models.DateTimeField(null=True, editable=False)
    is_stopped = models.BooleanField(default=False, editable=False)
    problem = models.TextField(_("problem"), blank=True, default="")
    requested_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        default_permissions = ()
        verbose_name = _("requested renditions")
        verbose_name_plural = _("requested renditions")

    def __str__(self) -> str:
        return str(self.image_id)
