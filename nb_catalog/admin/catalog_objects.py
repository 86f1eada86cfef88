"""Titles, photos and admin URLs of the catalog objects that rows belong to, with one query per model."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from django.contrib.admin import AdminSite
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model
from django.urls import reverse
from django.utils.translation import gettext

from nb_catalog import storefront
from nb_catalog.exceptions import ObjectGone, RegistryError
from nb_catalog.models.generic import (
    CatalogObjectModel,
    ObjectKey,
    content_type_of,
    existing_keys,
)
from nb_catalog.registry import CatalogSource, is_registered, source_for


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogObjectInfo:
    """A catalog object as shown in the admin. ``admin_url`` is empty if it has no admin page.

    ``exists`` is False once it has been deleted; its title is its key then.
    """

    key: ObjectKey
    title: str
    label: str = ""
    photo_url: str = ""
    admin_url: str = ""
    slots: tuple[str, ...] = ()
    exists: bool = True


def info_for_objects(
    rows: Iterable[CatalogObjectModel], *, site: AdminSite
) -> Mapping[ObjectKey, CatalogObjectInfo]:
    """Return the info for each row by (content type, object id), including deleted objects."""
    keys_by_type: dict[int, set[str]] = defaultdict(set)
    for row in rows:
        keys_by_type[row.content_type_id].add(row.object_id)
    infos: dict[ObjectKey, CatalogObjectInfo] = {}
    for type_id, keys in keys_by_type.items():
        # Deleted objects are known by their key only.
        infos |= {(type_id, key): CatalogObjectInfo(key=(type_id, key), title=key) for key in keys}
        model = ContentType.objects.get_for_id(type_id).model_class()
        if model is None:
            continue
        if not is_registered(model):
            # Texts are requested about copy decks and pictures.
            for row in model._default_manager.filter(pk__in=keys):
                key = (type_id, str(row.pk))
                infos[key] = CatalogObjectInfo(key=key, title=f"{model._meta.verbose_name} {row}")
            continue
        source = source_for(model)
        missing = set(keys)
        for product in source.queryset().filter(pk__in=keys):
            info = _build_info(product, source, type_id=type_id, site=site)
            infos[info.key] = info
            missing.discard(info.key[1])
        # What queryset() hides is not deleted.
        for key in missing - existing_keys(type_id, missing) if missing else ():
            infos[type_id, key] = replace(infos[type_id, key], exists=False)
    return infos


def attach_info(rows: Iterable[CatalogObjectModel], *, site: AdminSite) -> None:
    """Set ``object_info`` on each row, for templates and list columns."""
    rows = list(rows)
    infos = info_for_objects(rows, site=site)
    for row in rows:
        row.object_info = infos[row.content_type_id, row.object_id]


def info_for_object(row: CatalogObjectModel, *, site: AdminSite) -> CatalogObjectInfo:
    return info_for_objects([row], site=site)[row.content_type_id, row.object_id]


def info_for_product(product: Model, *, site: AdminSite) -> CatalogObjectInfo:
    """Return the info for ``product``, which is already loaded."""
    type_id = content_type_of(product).pk
    return _build_info(product, source_for(product), type_id=type_id, site=site)


def product_of(row: CatalogObjectModel) -> Model:
    """Return the catalog object of ``row``. Raises ``ObjectGone``."""
    product: Model | None = row.catalog_object
    if product is None:
        raise ObjectGone(gettext("The product was deleted. Its picture can only be unpublished."))
    return product


def _build_info(
    product: Model, source: CatalogSource, *, type_id: int, site: AdminSite
) -> CatalogObjectInfo:
    try:
        title, photos = source.title(product), source.photos(product)
    except RegistryError as error:
        # A page of many products must not break at one that the host's code cannot read.
        title, photos = f"{product.pk}: {error}", []
    meta = product._meta
    admin_url = ""
    if site.is_registered(type(product)):
        name = f"{site.name}:{meta.app_label}_{meta.model_name}_change"
        admin_url = reverse(name, args=[str(product.pk)])
    elif hasattr(site, "catalog_object_url"):
        # Inside the frame of another application, which edits the product.
        admin_url = site.catalog_object_url(product)
    return CatalogObjectInfo(
        key=(type_id, str(product.pk)),
        title=title,
        label=source.label,
        photo_url=storefront.photo_url(photos[0]) if photos else "",
        admin_url=admin_url,
        slots=tuple(source.slot_table),
    )
