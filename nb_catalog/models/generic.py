"""Generic relations to rows of the host's models, with keys of any type."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from typing import Self


class CatalogObjectQuerySet(models.QuerySet):  # type: ignore[type-arg]
    def about(self, product: models.Model) -> Self:
        """Return the rows of one catalog object. Keys are compared as text: joining a text key to an
        integer key fails on PostgreSQL."""
        return self.filter(content_type=content_type_of(product), object_id=str(product.pk))

    def about_any(self, model: type[models.Model], keys: list[str]) -> Self:
        """Return the rows of catalog objects of one model, by their keys as text."""
        return self.filter(content_type=content_type_of(model), object_id__in=keys)


CatalogObjectManager = models.Manager.from_queryset(CatalogObjectQuerySet)


class CatalogObjectModel(models.Model):
    """A row about one catalog object. Each subclass has an index that begins with the two columns."""

    content_type = models.ForeignKey(
        ContentType, verbose_name=_("model"), on_delete=models.CASCADE, related_name="+",
        db_index=False,
    )  # fmt: skip
    object_id = models.CharField(_("object key"), max_length=128)
    catalog_object = GenericForeignKey("content_type", "object_id")

    class Meta:
        abstract = True


def content_type_of(subject: models.Model | type[models.Model]) -> ContentType:
    """Return the content type of the concrete model. Cached by Django."""
    return ContentType.objects.get_for_model(subject)
