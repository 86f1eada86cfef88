"""Published pictures that were made with a mask, or of a kind of photo, that a person has changed since."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeAlias

from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.utils import timezone

from nb_catalog.core.specs import ImageSpec
from nb_catalog.core.states import ImageState
from nb_catalog.core.types import PhotoKind
from nb_catalog.cutouts.records import CUTOUT_CHECK
from nb_catalog.exceptions import NotRegistered, RegistryError
from nb_catalog.models import PhotoCutout, Placement, ProductImage
from nb_catalog.models.generic import ObjectKey
from nb_catalog.models.photos import find_photos
from nb_catalog.registry import photo_kind_of, source_for
from nb_catalog.signals import events

# Content type and key of an object, name of one of its photos.
NamedPhoto: TypeAlias = tuple[int, str, str]


def mark_pictures_stale(cutouts: Sequence[PhotoCutout]) -> int:
    """Mark the published pictures that show these photos otherwise than they would be made today; return how
    many.

    Others that were marked for that reason alone are fresh again. Of bundles, those are found that are kept
    under the same object; a scan of what is published finds all of them. Pictures that are not published
    need no mark: the mask is in their fingerprint, so a plan finds them out of date.
    """
    sources = _sources_of(cutouts)
    outdated, fresh = [], []
    placements = Placement.objects.about_keys(_objects_of(cutouts))
    for placement in placements.select_related("image__parent"):
        spec = _base_spec(placement.image)
        shown = {
            key: made for key, made in _photos_in(spec, of=placement).items() if key in sources
        }
        if not shown or not spec.shows_photo:
            continue
        if any(sources[key] != made for key, made in shown.items()):
            outdated.append(placement.pk)
        elif not placement.image.locale:
            fresh.append(placement.pk)
    Placement.objects.filter(pk__in=fresh).update(stale_since=None)
    with transaction.atomic():
        rows = Placement.objects.filter(pk__in=outdated, stale_since=None).order_by("pk")
        marked = list(rows.select_for_update())
        Placement.objects.filter(pk__in=[each.pk for each in marked]).update(
            stale_since=timezone.now()
        )
        events.record_stale(marked)
    return len(marked)


def with_outdated_mask(placements: Iterable[Placement]) -> set[int]:
    """Return the keys of those of ``placements`` whose picture shows its photo otherwise than it would be
    made today. Images and their parents have to be prefetched."""
    rows = [
        (each.pk, _photos_in(spec, of=each))
        for each in placements
        if (spec := _base_spec(each.image)).shows_photo
    ]
    objects = {(type_id, key) for _, shown in rows for type_id, key, _name in shown}
    if not objects:
        return set()
    sources = _sources_of(PhotoCutout.objects.about_keys(objects).order_by("pk"))
    return {
        pk
        for pk, shown in rows
        if any(sources.get(key, made) != made for key, made in shown.items())
    }


def settle_doubts(cutouts: Sequence[PhotoCutout]) -> None:
    """Take the doubts about cut-outs off the pictures that wait for review: a person has confirmed them."""
    photos = {(row.content_type_id, row.object_id, row.name) for row in cutouts}
    images = ProductImage.objects.about_keys(_objects_of(cutouts)).filter(state=ImageState.PENDING)
    settled = []
    for image in images.select_for_update():
        check = image.checks.get(CUTOUT_CHECK)
        photo = image.content_type_id, image.object_id, image.spec.get("photo")
        if photo in photos and check and check.get("reasons"):
            image.checks = {**image.checks, CUTOUT_CHECK: {**check, "reasons": []}}
            settled.append(image)
    ProductImage.objects.bulk_update(settled, ["checks"])


def _objects_of(cutouts: Iterable[PhotoCutout]) -> set[ObjectKey]:
    return {(row.content_type_id, row.object_id) for row in cutouts}


def _base_spec(image: ProductImage) -> ImageSpec:
    """Return the spec of the picture of the product that ``image`` is, or that its text was set on."""
    spec = ImageSpec.of_image(image.spec)
    return ImageSpec.of_image(image.parent.spec) if spec.sets_text and image.parent else spec


def _photos_in(spec: ImageSpec, *, of: Placement) -> dict[NamedPhoto, str]:
    """Return the photos that a published picture shows, and what it was made of: one, or one for each part
    of a bundle."""
    if not spec.parts:
        return {(of.content_type_id, of.object_id, spec.photo): _source_in(spec)}
    shown: dict[NamedPhoto, str] = {}
    for part in spec.part_specs:
        try:
            model = source_for(part.object_type).model
        except NotRegistered:
            continue
        type_id = ContentType.objects.get_for_model(model).pk
        shown[type_id, part.object_id, part.photo] = _source_in(part)
    return shown


def _source_in(spec: ImageSpec) -> str:
    """Return what the picture of ``spec`` was made of, as ``_source`` does of a cut-out."""
    return _source(spec.photo_kind, spec.cutout)


def _source(kind: str, person_mask: str) -> str:
    """Return what pictures are made of: the whole photo, nothing, or a cut-out by this mask.

    As in fingerprints, any machine's mask is as good as another: "".
    """
    return kind if kind in (PhotoKind.FULL_FRAME, PhotoKind.LIFESTYLE) else person_mask


def _sources_of(cutouts: Iterable[PhotoCutout]) -> dict[NamedPhoto, str]:
    """Return what pictures of these photos are made of today. The shop says so where no person has decided:
    one lookup per model."""
    rows = list(cutouts)
    said = {}
    for row, photo, product, _source_of_it in find_photos(row for row in rows if not row.kind)[0]:
        try:
            said[row.pk] = photo_kind_of(product, photo)
        except RegistryError:
            # A plan reports it.
            continue
    return {
        (row.content_type_id, row.object_id, row.name): _source(
            row.kind or said.get(row.pk, ""), row.person_mask
        )
        for row in rows
    }
