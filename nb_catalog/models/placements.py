"""What is published where, and the history of it."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from nb_catalog.models.db.indexes import SparseIndex
from nb_catalog.models.generic import CatalogObjectManager, CatalogObjectModel
from nb_catalog.models.images import ProductImage
from nb_catalog.models.publications import Publication, PublicationState


class Place(CatalogObjectModel):
    """A place in the storefront. An empty ``locale`` serves every language."""

    slot = models.SlugField(_("slot"), max_length=40, db_index=False)
    locale = models.CharField(_("language"), max_length=20, blank=True, default="")
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("by"), null=True, on_delete=models.SET_NULL,
        related_name="+",
    )  # fmt: skip

    objects = CatalogObjectManager()

    class Meta:
        abstract = True


class Placement(Place):
    """The published picture of a place.

    ``picture_data`` is everything that a page needs to show the picture, so that a page of any length
    takes one query and no storage access; ``storefront.PictureData`` has its shape. ``stale_since``
    is when the picture was first found to differ from what would be generated today. ``next_base`` is the
    final on which the text of the picture is being set: with it, the final replaces the picture here.
    """

    image = models.ForeignKey(
        ProductImage, verbose_name=_("image"), on_delete=models.PROTECT, related_name="placements"
    )
    picture_data = models.JSONField(default=dict, editable=False)
    published_at = models.DateTimeField(_("published"), auto_now=True)
    stale_since = models.DateTimeField(
        _("out of date since"), null=True, blank=True, editable=False
    )
    next_base = models.ForeignKey(
        ProductImage, null=True, editable=False, on_delete=models.SET_NULL, related_name="+",
        db_index=False,
    )  # fmt: skip

    class Meta:
        ordering = ("slot", "locale", "position")
        verbose_name = _("placement")
        verbose_name_plural = _("placements")
        indexes = [
            SparseIndex(fields=["stale_since"], name="nb_placement_stale"),
            # What has changed since a shop looked last, which is a list of the API.
            models.Index(fields=["published_at", "id"], name="nb_placement_published"),
            SparseIndex(fields=["next_base"], name="nb_placement_next"),
        ]
        permissions = [
            ("publish", _("Can publish pictures to the storefront")),
            (
                "override_fidelity",
                _("Can publish pictures whose product differs from its photo"),
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["content_type", "object_id", "slot", "locale", "position"],
                name="nb_one_picture_a_place",
            )
        ]

    def __str__(self) -> str:
        return f"{self.slot} {self.object_id}"


class PlacementEvent(Place):
    """One change of a placement; either image may be null (first publication, withdrawal)."""

    image_before = models.ForeignKey(
        ProductImage,
        verbose_name=_("before"),
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    image_after = models.ForeignKey(
        ProductImage, verbose_name=_("after"), null=True, on_delete=models.PROTECT, related_name="+"
    )
    move = models.CharField(_("change"), max_length=20)
    note = models.TextField(_("note"), blank=True, default="")
    publication = models.ForeignKey(
        Publication,
        verbose_name=_("publication"),
        null=True,
        on_delete=models.SET_NULL,
        related_name="events",
    )
    at = models.DateTimeField(_("at"), auto_now_add=True)

    class Meta:
        ordering = ("id",)
        verbose_name = _("placement event")
        verbose_name_plural = _("placement events")
        indexes = [
            models.Index(
                fields=["content_type", "object_id", "slot", "locale", "position"],
                name="nb_event_place",
            ),
            models.Index(fields=["at"], name="nb_event_at"),
        ]

    def __str__(self) -> str:
        return f"{self.move} {self.slot} {self.object_id}"


class PlannedPlacement(Place):
    """What a publication shows in a place once its files are made and its time has come; with ``empties``,
    the picture that it removes, if it is still there. ``problem`` says why it cannot."""

    publication = models.ForeignKey(
        Publication, verbose_name=_("publication"), on_delete=models.CASCADE, related_name="planned",
    )  # fmt: skip
    image = models.ForeignKey(
        ProductImage, verbose_name=_("image"), on_delete=models.PROTECT, related_name="+"
    )
    empties = models.BooleanField(default=False, editable=False)
    problem = models.TextField(_("problem"), blank=True, default="")

    class Meta:
        ordering = ("id",)
        default_permissions = ()
        verbose_name = _("planned placement")
        verbose_name_plural = _("planned placements")
        indexes = [
            models.Index(
                fields=["content_type", "object_id", "slot", "locale", "position"],
                name="nb_planned_place",
            )
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["publication", "content_type", "object_id", "slot", "locale", "position"],
                name="nb_planned_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.slot} {self.object_id}"


def still_shown() -> models.QuerySet[Publication]:
    """Return the publications whose time is over and of which places still show pictures, because those that
    were there before cannot be shown any more."""
    place = ("content_type", "object_id", "slot", "locale", "position", "image")
    there = Placement.objects.filter(**{name: OuterRef(name) for name in place})
    planned = PlannedPlacement.objects.filter(Exists(there), publication=OuterRef("pk"))
    failed = Q(state=PublicationState.PUBLISHED, due_at=None, undone_at=None, ends_at__isnull=False)
    return Publication.objects.exclude(problem="").filter(
        (failed & Exists(planned))
        | (Q(state=PublicationState.ENDED) & Exists(planned.exclude(problem="")))
    )


class StaleScan(models.Model):
    """When published texts were last compared with the shop's, and rules for series last applied, by
    whichever process: a row for each."""

    started_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.started_at)
