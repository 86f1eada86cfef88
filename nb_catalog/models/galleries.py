"""Published pictures that are delivered into the host's own models as well."""

from __future__ import annotations

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils.translation import gettext_lazy as _

from nb_catalog.models.db.indexes import SparseIndex
from nb_catalog.models.generic import CatalogObjectManager, CatalogObjectModel
from nb_catalog.models.images import CatalogFileField, ProductImage


class GalleryState(models.TextChoices):
    """``FAILED`` and ``CHANGED`` wait for a person. ``KEPT``: the host's own picture stays."""

    WAITING = "waiting", _("Waiting")
    DELIVERED = "delivered", _("Delivered")
    FAILED = "failed", _("Failed")
    CHANGED = "changed", _("Changed by the shop")
    KEPT = "kept", _("Left as the shop has it")


class GalleryDelivery(CatalogObjectModel):
    """The picture of one place in one gallery of the host: what is wanted there, what was there, and what
    was written.

    ``image`` is the wanted picture; null once it is to be taken back, after which the row is deleted.
    ``due_at`` is when it is worked on next, null if nothing is to be done. It is also the fence: the process
    that moves it delivers. ``before`` has the host's values before the first delivery, and ``backup`` a copy
    of the file among them. ``written`` has what was written: the ``image``, the key of the host's ``row``,
    its ``values``, and the ``sha256`` of its file. ``stored`` is the name of a file that is in the host's
    storage and not in its table yet. ``overwrites`` is a person's decision about what the host has changed.
    """

    slot = models.SlugField(_("slot"), max_length=40, db_index=False)
    locale = models.CharField(_("language"), max_length=20, blank=True, default="")
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    gallery = models.CharField(_("gallery"), max_length=60)
    image = models.ForeignKey(
        ProductImage, verbose_name=_("image"), null=True, on_delete=models.PROTECT, related_name="+"
    )
    state = models.CharField(
        _("state"), max_length=10, choices=GalleryState, default=GalleryState.WAITING
    )
    due_at = models.DateTimeField(_("next try"), null=True, editable=False)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0, editable=False)
    problem = models.TextField(_("problem"), blank=True, default="")
    overwrites = models.BooleanField(default=False, editable=False)
    before = models.JSONField(default=dict, editable=False, encoder=DjangoJSONEncoder)
    written = models.JSONField(default=dict, editable=False, encoder=DjangoJSONEncoder)
    backup = CatalogFileField(max_length=200, blank=True, default="", editable=False)
    stored = models.TextField(blank=True, default="", editable=False)
    delivered_at = models.DateTimeField(_("delivered"), null=True, editable=False)

    objects = CatalogObjectManager()

    class Meta:
        ordering = ("id",)
        verbose_name = _("delivery to the shop's pictures")
        verbose_name_plural = _("deliveries to the shop's pictures")
        default_permissions = ()
        indexes = [
            SparseIndex(fields=["due_at"], name="nb_gallery_due"),
            models.Index(fields=["state", "-id"], name="nb_gallery_state"),
            models.Index(fields=["backup"], name="nb_gallery_backup"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["content_type", "object_id", "slot", "locale", "position", "gallery"],
                name="nb_gallery_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.gallery} {self.slot} {self.object_id}"
