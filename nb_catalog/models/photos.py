"""The host's own photos: their true sizes, and files of them that every browser shows."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable
from hashlib import sha256
from typing import Generic, NamedTuple, Protocol, TypeVar

from django.contrib.contenttypes.models import ContentType
from django.db import Error, models
from django.utils.translation import gettext_lazy as _

from nb_catalog.core.types import Photo
from nb_catalog.models.db.indexes import SparseIndex
from nb_catalog.models.generic import CatalogObjectManager, CatalogObjectModel, own_key
from nb_catalog.models.images import DerivedFile
from nb_catalog.registry import CatalogSource, all_photos, is_registered, source_for

logger = logging.getLogger(__name__)


class HasPhotoKey(Protocol):
    """A row about one photo of a catalog object."""

    pk: int
    content_type_id: int
    object_id: str
    key: str


PhotoRow = TypeVar("PhotoRow", bound=HasPhotoKey)


class FoundPhoto(NamedTuple, Generic[PhotoRow]):
    """A row, the photo that it is about, its product and the source of that."""

    row: PhotoRow
    photo: Photo
    product: models.Model
    source: CatalogSource


class CatalogPhoto(CatalogObjectModel):
    """A photo that the host owns, as pages show it until a picture is published.

    ``key`` identifies the file and its version. ``width`` and ``height`` are pixels after EXIF
    rotation; 0 if unknown. ``picture_data`` has the renditions, as in ``Placement``; it is empty for
    a photo that is delivered as it is, and for one that cannot be read (``problem``).
    ``requested_at`` is null once the photo has been read.
    """

    key = models.CharField(max_length=64, editable=False)
    name = models.TextField(_("file"))
    mime_type = models.CharField(_("type"), max_length=40, blank=True, default="")
    width = models.PositiveIntegerField(_("width"), default=0)
    height = models.PositiveIntegerField(_("height"), default=0)
    picture_data = models.JSONField(default=dict, editable=False)
    problem = models.TextField(_("what is wrong with it"), blank=True, default="")
    requested_at = models.DateTimeField(_("requested"), null=True, editable=False)
    read_at = models.DateTimeField(_("read"), null=True, editable=False)

    objects = CatalogObjectManager()

    class Meta:
        ordering = ("id",)
        verbose_name = _("photo of a product")
        verbose_name_plural = _("photos of products")
        indexes = [SparseIndex(fields=["requested_at"], name="nb_photo_requested")]
        constraints = [
            models.UniqueConstraint(
                fields=["content_type", "object_id", "key"], name="nb_photo_once"
            )
        ]

    def __str__(self) -> str:
        return self.name


class PhotoRendition(DerivedFile):
    """A file derived from a photo of the host."""

    photo = models.ForeignKey(
        CatalogPhoto, verbose_name=_("photo"), on_delete=models.CASCADE, related_name="renditions"
    )

    class Meta(DerivedFile.Meta):
        verbose_name = _("rendition of a photo")
        verbose_name_plural = _("renditions of photos")
        constraints = [
            models.UniqueConstraint(
                fields=["photo", "format", "width"], name="nb_photo_rendition_once"
            )
        ]
        indexes = [models.Index(fields=["file"], name="nb_photo_rendition_file")]


def photo_key(photo: Photo) -> str:
    """Return the hash of the photo's name, storage and version (64 hex digits)."""
    return sha256("\0".join((photo.name, photo.storage, photo.version)).encode()).hexdigest()


def find_photos(rows: Iterable[PhotoRow]) -> tuple[list[FoundPhoto[PhotoRow]], list[int]]:
    """Return ``rows``, each about one photo by its ``key``, with their photos and products, and the primary
    keys of those whose products or photos are gone. One lookup per model.

    Rows of a model whose own code fails are in neither list: they are looked up again the next time.
    """
    by_type: dict[int, list[PhotoRow]] = defaultdict(list)
    for row in rows:
        by_type[row.content_type_id].append(row)
    found: list[FoundPhoto[PhotoRow]] = []
    gone: list[int] = []
    for type_id, group in by_type.items():
        model = ContentType.objects.get_for_id(type_id).model_class()
        if model is None or not is_registered(model):
            gone += [row.pk for row in group]
            continue
        source = source_for(model)
        photos: dict[tuple[str, str], tuple[Photo, models.Model]] = {}
        try:
            for product in source.queryset().in_bulk({row.object_id for row in group}).values():
                key = own_key(product)[1]
                for each in all_photos(product):
                    photos[key, photo_key(each)] = each, product
        except Error:
            raise
        except Exception:  # noqa: BLE001 - the host's own code, about this one model
            logger.exception("The photos of %s cannot be looked up.", model._meta.label)
            continue
        for row in group:
            known = photos.get((row.object_id, row.key))
            if known is None:
                gone.append(row.pk)
            else:
                found.append(FoundPhoto(row, *known, source))
    return found, gone
