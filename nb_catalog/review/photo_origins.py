"""Where a picture began: the product's photos and their cut-outs, and what became of them since."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from django.contrib.contenttypes.models import ContentType
from django.db.models import Model, TextChoices
from django.utils.translation import gettext_lazy as _

from nb_catalog.core.specs import ImageSpec
from nb_catalog.core.types import Photo
from nb_catalog.exceptions import NotRegistered, RegistryError
from nb_catalog.models import PhotoCutout, ProductImage
from nb_catalog.models.generic import (
    ObjectKey,
    content_type_of,
    existing_keys,
    key_condition,
    own_key,
)
from nb_catalog.models.photos import photo_key
from nb_catalog.registry import all_photos, is_registered, source_for


class PhotoState(TextChoices):
    """What became of a photo since a picture was made from it."""

    CURRENT = "current", _("The product has this photo.")
    REPLACED = "replaced", _("The file was replaced since: the product has another photo here.")
    GONE = "gone", _("The product does not have this photo any more.")
    PRODUCT_GONE = "product_gone", _("The product was deleted.")
    UNKNOWN = "unknown", _("The product’s photos cannot be looked up.")


@dataclass(frozen=True, slots=True, kw_only=True)
class PhotoOrigin:
    """A photo that a picture was made from. ``title`` is its product's, "" if that is not known.

    ``photo`` is the shop's own, None unless it is the one that was used; ``cutout`` is the row of its mask,
    None if it was never cut out. ``mask_changed``: a person made another mask since, or has taken theirs
    back.
    """

    key: ObjectKey
    title: str
    name: str
    version: str
    state: PhotoState
    photo: Photo | None
    cutout: PhotoCutout | None
    mask_changed: bool


def photo_origins(image: ProductImage) -> tuple[PhotoOrigin, ...]:
    """Return the photos of ``image``, which was made from nothing else: that of the product, or one of each
    part of a bundle.

    A query for the cut-outs and one or two for each model of its products, and what their sources read.
    """
    spec = ImageSpec.of_image(image.spec)
    own: ObjectKey = (image.content_type_id, image.object_id)
    used = [] if spec.part_specs else [(own, spec)]
    for part in spec.part_specs:
        key = own
        with suppress(NotRegistered):
            key = (content_type_of(source_for(part.object_type).model).pk, part.object_id)
        used.append((key, part))
    keys = [key for key, _part in used]
    products, gone = _products(keys)
    rows: dict[tuple[ObjectKey, str], PhotoCutout] = {}
    named: dict[tuple[ObjectKey, str], PhotoCutout] = {}
    for row in PhotoCutout.objects.filter(key_condition(keys)).order_by("pk"):
        key = (row.content_type_id, row.object_id)
        rows[key, row.key] = named[key, row.name] = row
    origins = []
    for key, part in used:
        product, title = products.get(key), ""
        if product is not None:
            with suppress(RegistryError):
                title = source_for(product).title(product)
        state, photo = _state_of(part, product, is_gone=key in gone)
        row = named.get((key, part.photo)) if photo is None else rows.get((key, photo_key(photo)))
        origins.append(
            PhotoOrigin(
                key=key,
                title=title,
                name=part.photo,
                version=part.photo_version,
                state=state,
                photo=photo,
                cutout=row,
                mask_changed=photo is not None
                and part.needs_cutout
                and part.cutout != (row.person_mask if row else ""),
            )
        )
    return tuple(origins)


def _products(keys: Iterable[ObjectKey]) -> tuple[Mapping[ObjectKey, Model], set[ObjectKey]]:
    """Return the products with ``keys``, and the keys of those that do not exist any more."""
    by_type: dict[int, set[str]] = defaultdict(set)
    for type_id, key in keys:
        by_type[type_id].add(key)
    found: dict[ObjectKey, Model] = {}
    gone: set[ObjectKey] = set()
    for type_id, wanted in by_type.items():
        model = ContentType.objects.get_for_id(type_id).model_class()
        if model is None or not is_registered(model):
            continue
        for product in source_for(model).queryset().filter(pk__in=wanted):
            found[type_id, own_key(product)[1]] = product
        missing = {key for key in wanted if (type_id, key) not in found}
        if missing:
            gone |= {(type_id, key) for key in missing - existing_keys(type_id, missing)}
    return found, gone


def _state_of(
    part: ImageSpec, product: Model | None, *, is_gone: bool
) -> tuple[PhotoState, Photo | None]:
    if product is None:
        return (PhotoState.PRODUCT_GONE if is_gone else PhotoState.UNKNOWN), None
    try:
        named = [each for each in all_photos(product) if each.name == part.photo]
    except RegistryError:
        return PhotoState.UNKNOWN, None
    photo = next((each for each in named if each.version == part.photo_version), None)
    if photo is not None:
        return PhotoState.CURRENT, photo
    return (PhotoState.REPLACED if named else PhotoState.GONE), None
