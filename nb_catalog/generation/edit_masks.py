"""What is known of the product in a picture that is to be edited: its rectangle, and its photo's mask."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from django.db.models import Model

from nb_catalog import storage
from nb_catalog.conf import picture_limits
from nb_catalog.core.types import Photo, PhotoKind, Size, Treatment
from nb_catalog.cutouts import StoredCutout, stored_cutouts
from nb_catalog.exceptions import NBCatalogError, PictureError, StorageFailed
from nb_catalog.imaging.adjust import EDIT_CHECK, own_mask, place_in_photo
from nb_catalog.models import ProductImage
from nb_catalog.models.photos import photo_key
from nb_catalog.registry import read_photo, source_for

# By the picture's primary key.
CutoutOf: TypeAlias = Mapping[int, StoredCutout]

OWN_PIXELS = (Treatment.LOCKED, Treatment.RELIT, Treatment.PHOTO)
"""Treatments of pictures in which the product's own photo is seen."""


def photo_of(image: ProductImage, product: Model) -> Photo | None:
    """Return the photo that ``image`` was made from; None if the product has it no more."""
    try:
        photos = source_for(product).photos(product)
    except NBCatalogError:
        return None
    return next((each for each in photos if each.name == image.spec.get("photo")), None)


def cutouts_for(images: Iterable[ProductImage], product: Model) -> dict[int, StoredCutout]:
    """Return the cut-outs of the photos of those ``images`` of ``product`` that show its own pixels. One
    query at most."""
    places = {
        image.pk: (image.content_type_id, image.object_id, photo_key(photo))
        for image in images
        if image.spec.get("treatment") in OWN_PIXELS
        and not image.spec.get("parts")
        and image.spec.get("photo_kind") not in (PhotoKind.FULL_FRAME, PhotoKind.LIFESTYLE)
        and (photo := photo_of(image, product)) is not None
    }
    stored = stored_cutouts(places.values()) if places else {}
    return {pk: stored[place] for pk, place in places.items() if place in stored}


def product_fields(image: ProductImage) -> dict[str, Any]:
    """Return the fields of an edit that say where the product of ``image`` is, as far as it is known."""
    before = image.checks.get(EDIT_CHECK, {})
    product = image.checks.get("product")
    place = before.get("place")
    # The rectangle in a photo includes its shadow, so ``mask_fields`` finds the product itself.
    is_composed = image.spec.get("treatment") in (Treatment.LOCKED, Treatment.RELIT)
    if not place and is_composed and not image.spec.get("edit"):
        place = product
    return {
        **({"product": list(product)} if product else {}),
        **({"place": list(place)} if place else {}),
        **({"matrix": before["matrix"]} if before.get("matrix") else {}),
    }


def mask_fields(
    image: ProductImage, product: Model, *, cutout: StoredCutout | None
) -> dict[str, Any]:
    """Return the fields of an edit that say which pixels of ``image`` are the product.

    Empty if that is not known. A photo's own transparency is stored as a mask.
    """
    photo = photo_of(image, product)
    if cutout is None or cutout.problem or not cutout.method or photo is None:
        return {}
    limits = picture_limits()
    try:
        name, digest = cutout.mask, cutout.mask_sha256
        if not name:
            found = own_mask(read_photo(photo), **limits)
            if found is None:
                return {}
            stored = storage.store(found, folder="masks", mime_type="image/png")
            name, digest = stored.name, stored.sha256
        place = product_fields(image).get("place")
        # The picture that a chain of edits began with.
        root = image
        while place is None and root.spec.get("edit") and root.parent is not None:
            root = root.parent
        if place is None and root.spec.get("treatment") == Treatment.PHOTO:
            ratio = str(root.spec.get("ratio", ""))
            place = place_in_photo(
                storage.read(name),
                picture=Size(root.width, root.height),
                photo=read_photo(photo) if ratio else None,
                ratio=ratio,
                **limits,
            )
    except (PictureError, StorageFailed):
        return {}
    if place is None:
        return {}
    refine = not cutout.person_mask
    return {
        "place": list(place),
        "mask": {"sha256": digest, "file": name, "refine": refine},
    }
