"""Pictures, the files derived from them, and the decisions about them."""

from __future__ import annotations

from typing import Any, cast

from django.conf import settings
from django.core.files.storage import Storage
from django.db import models
from django.utils.functional import LazyObject
from django.utils.translation import gettext_lazy as _

from nb_catalog.core.states import ImageState
from nb_catalog.models.db.indexes import SparseIndex
from nb_catalog.models.generic import CatalogObjectManager, CatalogObjectModel
from nb_catalog.models.jobs import ImageJob
from nb_catalog.storage import catalog_storage


class LazyCatalogStorage(LazyObject):  # type: ignore[type-arg]
    """The catalog's storage, created at first use: with a wrong ``STORAGE`` the models still import,
    so that ``check`` can report it."""

    def _setup(self) -> None:
        self._wrapped = catalog_storage()


class CatalogFileField(models.FileField):
    """A file in the catalog's storage, which is looked up at each access."""

    @property
    def storage(self) -> Storage:
        return cast(Storage, LazyCatalogStorage())

    @storage.setter
    def storage(self, value: Storage) -> None:
        """Ignore the storage that Django's ``__init__`` sets."""

    def deconstruct(self) -> Any:
        name, path, args, options = super().deconstruct()
        options.pop("storage", None)
        return name, path, args, options


class ImageKind(models.TextChoices):
    PICTURE = "picture", _("Picture of the product")
    BACKDROP = "backdrop", _("Background without the product")
    UNFRAMED = "unframed", _("Picture before it was framed")
    UNMERGED = "unmerged", _("Answer of a model before the rest of the picture was put back")


class ProductImage(CatalogObjectModel):
    """One picture. Its bytes never change; an edit is a new row with this one as its parent.

    ``draft`` is the picture that this one is a final of: the same on a higher tier. ``series`` is the key of
    the series that it is a member's picture of, null for others, and ``variant`` that of the product's
    variant that such a picture shows. ``words`` are the texts on it as searches compare them
    (``ImageSpec.words``). ``pruned_at`` is when its file was deleted. The row remains: it records what was
    made and rejected.
    """

    job = models.ForeignKey(
        ImageJob, verbose_name=_("job"), null=True, on_delete=models.SET_NULL, related_name="images"
    )
    parent = models.ForeignKey(
        "self",
        verbose_name=_("made from"),
        null=True,
        on_delete=models.PROTECT,
        related_name="children",
    )
    draft = models.ForeignKey(
        "self", verbose_name=_("final of"), null=True, editable=False, on_delete=models.PROTECT,
        related_name="finals", db_index=False,
    )  # fmt: skip
    kind = models.CharField(_("kind"), max_length=10, choices=ImageKind, default=ImageKind.PICTURE)
    file = CatalogFileField(_("file"), max_length=200)
    sha256 = models.CharField(_("sha256"), max_length=64)
    mime_type = models.CharField(_("type"), max_length=40)
    width = models.PositiveIntegerField(_("width"))
    height = models.PositiveIntegerField(_("height"))
    byte_size = models.PositiveBigIntegerField(_("bytes"))
    spec = models.JSONField(_("spec"))
    fingerprint = models.CharField(_("fingerprint"), max_length=64)
    request_hash = models.CharField(max_length=64, editable=False)
    scene = models.CharField(_("scene"), max_length=60, blank=True)
    tier = models.CharField(_("tier"), max_length=40, blank=True)
    locale = models.CharField(_("language of its text"), max_length=20, blank=True, default="")
    series = models.CharField(  # noqa: DJ001 - the index leaves the nulls of all other pictures out
        _("series"), max_length=60, null=True, editable=False
    )
    words = models.TextField(default="", editable=False)
    variant = models.CharField(_("variant"), max_length=40, blank=True, default="", editable=False)
    state = models.CharField(
        _("state"), max_length=10, choices=ImageState, default=ImageState.PENDING
    )
    checks = models.JSONField(_("checks"), default=dict)
    digital_source_type = models.CharField(_("origin"), max_length=60)
    provenance = models.JSONField(_("provenance"), default=dict)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    pruned_at = models.DateTimeField(_("file deleted at"), null=True, editable=False)

    objects = CatalogObjectManager()

    class Meta:
        ordering = ("-id",)
        verbose_name = _("product image")
        verbose_name_plural = _("product images")
        permissions = [("review", _("Can approve and reject pictures"))]
        indexes = [
            models.Index(fields=["content_type", "object_id", "state"], name="nb_image_object"),
            models.Index(fields=["state", "-id"], name="nb_image_state"),
            models.Index(
                fields=["kind", "state", "content_type", "object_id", "scene", "id"],
                name="nb_image_review",
            ),
            models.Index(fields=["kind", "created_at", "state"], name="nb_image_made"),
            models.Index(fields=["file"], name="nb_image_file"),
            models.Index(fields=["sha256"], name="nb_image_sha256"),
            models.Index(fields=["fingerprint"], name="nb_image_fingerprint"),
            models.Index(fields=["request_hash"], name="nb_image_subject"),
            SparseIndex(fields=["series"], name="nb_image_series"),
            SparseIndex(fields=["draft"], name="nb_image_draft"),
        ]

    def __str__(self) -> str:
        return f"{self.sha256[:8]} {self.width}x{self.height}"


class DerivedFile(models.Model):
    """A file derived from a picture for web pages. ``url`` is stored so that pages need no storage access."""

    format = models.CharField(_("format"), max_length=8)
    width = models.PositiveIntegerField(_("width"))
    height = models.PositiveIntegerField(_("height"))
    file = CatalogFileField(_("file"), max_length=200)
    url = models.TextField(_("address"))
    byte_size = models.PositiveBigIntegerField(_("bytes"))

    class Meta:
        abstract = True
        ordering = ("format", "width")

    def __str__(self) -> str:
        return f"{self.format} {self.width}"


class Rendition(DerivedFile):
    """A file derived from a made picture."""

    image = models.ForeignKey(
        ProductImage, verbose_name=_("image"), on_delete=models.CASCADE, related_name="renditions"
    )

    class Meta(DerivedFile.Meta):
        verbose_name = _("rendition")
        verbose_name_plural = _("renditions")
        constraints = [
            models.UniqueConstraint(fields=["image", "format", "width"], name="nb_rendition_once")
        ]
        indexes = [models.Index(fields=["file"], name="nb_rendition_file")]


class ReviewEvent(models.Model):
    """One transition of an image, written in the same transaction. Append only."""

    image = models.ForeignKey(
        ProductImage,
        verbose_name=_("image"),
        on_delete=models.CASCADE,
        related_name="review_events",
    )
    move = models.CharField(_("decision"), max_length=20)
    state = models.CharField(_("state afterwards"), max_length=10, choices=ImageState)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("by"), null=True, on_delete=models.SET_NULL,
        related_name="+",
    )  # fmt: skip
    note = models.TextField(_("note"), blank=True)
    at = models.DateTimeField(_("at"), auto_now_add=True)

    class Meta:
        ordering = ("id",)
        verbose_name = _("review event")
        verbose_name_plural = _("review events")

    def __str__(self) -> str:
        return f"{self.move} {self.image_id}"
