"""What is known of the host's photos as sources of pictures: their kind, and the product's mask."""

from __future__ import annotations

from typing import Final

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from nb_catalog.core.types import PhotoKind
from nb_catalog.models.db.indexes import SparseIndex
from nb_catalog.models.generic import CatalogObjectManager, CatalogObjectModel
from nb_catalog.models.images import CatalogFileField

PERSON: Final = "person"
"""The method of a mask that a person made."""


class CutoutState(models.TextChoices):
    REQUESTED = "requested", _("waiting to be cut out")
    ACCEPTED = "accepted", _("good")
    DOUBTFUL = "doubtful", _("look at the cut-out")
    CONFIRMED = "confirmed", _("confirmed by a person")
    REFUSED = "refused", _("not possible")


class PhotoCutout(CatalogObjectModel):
    """One version of one photo of a catalog object. Its mask is used for every picture of the photo.

    ``key`` identifies the file and its version (``models.photos.photo_key``), ``photo_sha256`` the bytes
    that were cut out; ``width`` and ``height`` are their pixels after EXIF rotation, 0 if unknown. ``mask``
    is a PNG (8-bit grey: 255 is product) of the photo's shape; it is empty if there is none, and for a photo
    with a transparency of its own (``method`` "alpha"). ``maker`` names the backend and its version.
    ``score`` is from 0 to 1, ``reasons`` holds codes of doubts. ``by_person`` says that a person drew,
    uploaded or corrected the mask, or ruled the photo out: no machine's result replaces that. ``kind`` is
    what a person decided, "" otherwise; ``suggested_kind`` what the photo looks like. ``version`` counts
    decisions. ``requested_at`` is null once the photo has been cut out.
    """

    key = models.CharField(max_length=64, editable=False)
    name = models.TextField(_("file"))
    photo_sha256 = models.CharField(max_length=64, blank=True, default="", editable=False)
    width = models.PositiveIntegerField(_("width"), default=0)
    height = models.PositiveIntegerField(_("height"), default=0)
    kind = models.CharField(
        _("kind of photo"), max_length=12, choices=PhotoKind, blank=True, default=""
    )
    suggested_kind = models.CharField(
        _("suggested kind"), max_length=12, choices=PhotoKind, blank=True, default=""
    )
    state = models.CharField(
        _("state"), max_length=10, choices=CutoutState, default=CutoutState.REQUESTED
    )
    mask = CatalogFileField(_("mask"), max_length=200, blank=True, default="")
    mask_sha256 = models.CharField(max_length=64, blank=True, default="", editable=False)
    method = models.CharField(_("method"), max_length=20, blank=True, default="")
    maker = models.CharField(_("made by"), max_length=80, blank=True, default="")
    score = models.FloatField(_("confidence"), null=True)
    reasons = models.JSONField(_("doubts"), default=list)
    problem = models.TextField(_("what is wrong with it"), blank=True, default="")
    by_person = models.BooleanField(_("made by a person"), default=False)
    version = models.PositiveIntegerField(_("version"), default=0, editable=False)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    requested_at = models.DateTimeField(_("requested"), null=True, editable=False)
    made_at = models.DateTimeField(_("made"), null=True, editable=False)

    objects = CatalogObjectManager()

    class Meta:
        ordering = ("-id",)
        verbose_name = _("cut-out")
        verbose_name_plural = _("cut-outs")
        indexes = [
            SparseIndex(fields=["requested_at"], name="nb_cutout_requested"),
            models.Index(fields=["state", "-id"], name="nb_cutout_state"),
            models.Index(fields=["mask"], name="nb_cutout_mask"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["content_type", "object_id", "key"], name="nb_cutout_once"
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def person_mask(self) -> str:
        """The hash of the mask if a person made it, "" otherwise: what specs hold of a cut-out.

        A machine's mask is not part of a spec: it may be made after the plan, or again by a better backend,
        and the pictures that were approved with the one before are not out of date.
        """
        return self.mask_sha256 if self.method == PERSON else ""


class CutoutEvent(models.Model):
    """One decision about a cut-out, written in the same transaction. Append only.

    ``mask`` and ``mask_sha256`` are those that were replaced, so that a decision can be undone.
    """

    cutout = models.ForeignKey(
        PhotoCutout, verbose_name=_("cut-out"), on_delete=models.CASCADE, related_name="events"
    )
    move = models.CharField(_("decision"), max_length=20)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("by"), null=True, on_delete=models.SET_NULL,
        related_name="+",
    )  # fmt: skip
    before = models.JSONField(_("before"), default=dict)
    mask = CatalogFileField(_("mask before"), max_length=200, blank=True, default="")
    at = models.DateTimeField(_("at"), auto_now_add=True)

    class Meta:
        ordering = ("id",)
        verbose_name = _("decision about a cut-out")
        verbose_name_plural = _("decisions about cut-outs")
        indexes = [models.Index(fields=["mask"], name="nb_cutout_event_mask")]

    def __str__(self) -> str:
        return f"{self.move} {self.cutout_id}"
