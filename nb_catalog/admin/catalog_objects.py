"""What our rows are about: titles and photos of catalog objects, one query a model."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from django.contrib.admin import AdminSite
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model
from django.urls import reverse
from django.utils.translation import gettext

from nb_catalog import storefront
from nb_catalog.exceptions import ObjectGone
from nb_catalog.models.generic import CatalogObjectModel, content_type_of
from nb_catalog.registry import CatalogSource, is_registered, source_for

ObjectKey: TypeAlias = tuple[int, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogObjectInfo:
    """A catalog object as the admin shows it. ``admin_url`` is empty where it has no page."""

    key: ObjectKey
    title: str
    label: str = ""
    photo_url: str = ""
    admin_url: str = ""
    slots: tuple[str, ...] = ()


def info_for_objects(
    rows: Iterable[CatalogObjectModel], *, site: AdminSite
) -> Mapping[ObjectKey, CatalogObjectInfo]:
    """The subject of each row by (content type, object id), those of deleted objects too."""
    wanted: dict[int, set[str]] = defaultdict(set)
    for row in rows:
        wanted[row.content_type_id].add(row.object_id)
    found: dict[ObjectKey, CatalogObjectInfo] = {}
    for type_id, keys in wanted.items():
        found.update(((type_id, key), _gone(type_id, key)) for key in keys)
        found.update(_of_model(type_id, keys, site=site))
    return found


def attach_info(rows: Iterable[CatalogObjectModel], *, site: AdminSite) -> None:
    """Set ``subject_shown`` on each row, for templates and list columns."""
    several = list(rows)
    found = info_for_objects(several, site=site)
    for row in several:
        row.subject_shown = found[row.content_type_id, row.object_id]


def info_for_object(row: CatalogObjectModel, *, site: AdminSite) -> CatalogObjectInfo:
    return info_for_objects([row], site=site)[row.content_type_id, row.object_id]


def of_product(product: Model, *, site: AdminSite) -> CatalogObjectInfo:
    """``product`` itself, which is at hand already."""
    type_id = content_type_of(product).pk
    return _shown(product, source_for(product), type_id=type_id, site=site)


def product_of(row: CatalogObjectModel) -> Model:
    """The catalog object itself. Raises ``ObjectGone``."""
    found: Model | None = row.catalog_object
    if found is None:
        raise ObjectGone(gettext("The product was deleted. Its picture can only be unpublished."))
    return found


def _gone(type_id: int, key: str) -> CatalogObjectInfo:
    return CatalogObjectInfo(key=(type_id, key), title=key)


def _of_model(
    type_id: int, keys: set[str], *, site: AdminSite
) -> dict[ObjectKey, CatalogObjectInfo]:
    model = ContentType.objects.get_for_id(type_id).model_class()
    if model is None or not is_registered(model):
        return {}
    source = source_for(model)
    rows = source.queryset().filter(pk__in=keys)
    shown = (_shown(row, source, type_id=type_id, site=site) for row in rows)
    return {each.key: each for each in shown}


def _shown(
    product: Model, source: CatalogSource, *, type_id: int, site: AdminSite
) -> CatalogObjectInfo:
    photos = source.photos(product)
    return CatalogObjectInfo(
        key=(type_id, str(product.pk)),
        title=source.title(product),
        label=source.label,
        photo_url=storefront.photo_url(photos[0]) if photos else "",
        admin_url=_admin_url(product, site=site),
        slots=tuple(source.slots),
    )


def _admin_url(product: Model, *, site: AdminSite) -> str:
    if not site.is_registered(type(product)):
        return ""
    meta = product._meta
    return reverse(f"{site.name}:{meta.app_label}_{meta.model_name}_change", args=[str(product.pk)])
