"""Generic relations to rows of the host's models, with keys of any type."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, TypeAlias

from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.utils.translation import gettext_lazy as _

from nb_catalog.registry import is_registered, source_for, subject_of

if TYPE_CHECKING:
    from typing import Self

# Content type and key, as text, of a catalog object.
ObjectKey: TypeAlias = tuple[int, str]


class CatalogObjectQuerySet(models.QuerySet):  # type: ignore[type-arg]
    def about(self, product: models.Model) -> Self:
        """Return the rows of one catalog object, which are kept under its subject. Keys are compared as
        text: joining a text key to an integer key fails on PostgreSQL."""
        type_id, key = object_key(product)
        return self.filter(content_type_id=type_id, object_id=key)

    def about_any(self, model: type[models.Model], keys: list[str]) -> Self:
        """Return the rows of catalog objects of one model, by their keys as text."""
        return self.filter(content_type=content_type_of(model), object_id__in=keys)

    def about_keys(self, keys: Iterable[ObjectKey]) -> Self:
        """Return the rows of catalog objects of any models."""
        return self.filter(key_condition(keys))


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


def key_condition(keys: Iterable[ObjectKey]) -> models.Q:
    """Return the condition for rows about the objects with these keys."""
    by_type: dict[int, list[str]] = defaultdict(list)
    for type_id, key in keys:
        by_type[type_id].append(key)
    condition = models.Q(pk__in=[])
    for type_id, object_ids in by_type.items():
        condition |= models.Q(content_type_id=type_id, object_id__in=object_ids)
    return condition


def own_key(product: models.Model) -> ObjectKey:
    """Return the key of the product's own row of the model that is registered for it."""
    model = source_for(product).model if is_registered(type(product)) else type(product)
    primary = model._meta.pk.attname
    return content_type_of(model).pk, str(getattr(product, primary))


def object_key(product: models.Model) -> ObjectKey:
    """Return the key under which the pictures of ``product`` are kept: that of its subject."""
    return own_key(subject_of(product) if is_registered(type(product)) else product)


def fetch_subjects(products: Sequence[models.Model]) -> None:
    """Prefetch what ``subject_of`` follows: afterwards it makes no query per product."""
    by_model: dict[type[models.Model], list[models.Model]] = defaultdict(list)
    for product in products:
        by_model[type(product)].append(product)
    for model, group in by_model.items():
        lookups = source_for(model).subject_lookups() if is_registered(model) else ()
        if lookups:
            models.prefetch_related_objects(group, *lookups)


def existing_keys(content_type_id: int, keys: Iterable[str]) -> set[str]:
    """Return those of ``keys`` whose rows exist, whatever the model's default manager hides.

    All of them if the model is not installed: nothing is known about its rows.
    """
    model = ContentType.objects.get_for_id(content_type_id).model_class()
    if model is None:
        return set(keys)
    rows = model._base_manager.filter(pk__in=list(keys))
    return {str(key) for key in rows.values_list("pk", flat=True)}
