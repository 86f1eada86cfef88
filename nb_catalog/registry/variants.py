"""The variants of one product through its source, checked, and the photos that show them."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from nb_catalog.core.attributes import host_code
from nb_catalog.core.colours import hex_colour
from nb_catalog.core.text import message as _
from nb_catalog.core.types import Photo, Variant
from nb_catalog.exceptions import PictureMissing, RegistryError
from nb_catalog.registry.sources import MAX_VARIANTS, CatalogSource, is_registered, source_for

if TYPE_CHECKING:
    from django.db.models import Model

MAX_KEY_LENGTH: Final = 40
_KEY: Final = re.compile(r"[-\w]+", re.ASCII)
MAX_NAME_LENGTH: Final = 80


def variants_of(product: Model) -> dict[str, Variant]:
    """Return the variants of ``product`` by their keys, as its source names them, each colour as "#rrggbb".

    Raises ``RegistryError`` for what is not a ``Variant``, for too many, for a key that is not valid or
    occurs twice, and for a variant that nothing shows.
    """
    source = source_for(product)
    owner = f"{type(source).__name__}.variants()"
    with host_code(owner):
        variants = list(source.variants(product))
    if len(variants) > MAX_VARIANTS:
        raise RegistryError(
            _(
                "%(owner)s returned %(number)s variants of “%(product)s”. At most %(most)s are possible."
            )
            % {"owner": owner, "number": len(variants), "product": product, "most": MAX_VARIANTS}
        )
    for each in variants:
        if not isinstance(each, Variant):
            raise RegistryError(
                _("%(owner)s returned %(value)r. It must return a list of nb_catalog.core.Variant.")
                % {"owner": owner, "value": each}
            )
    checked = [_checked(each, owner=owner) for each in variants]
    counts = Counter(each.key for each in checked)
    if twice := [key for key, number in counts.items() if number > 1]:
        raise RegistryError(
            _(
                "%(owner)s returned several variants of “%(product)s” with the key %(key)r. Each needs "
                "its own."
            )
            % {"owner": owner, "product": product, "key": twice[0]}
        )
    return {each.key: each for each in checked}


def variant_of(product: Model, key: str) -> Variant:
    """Return the variant ``key`` of ``product``. Raises ``PictureMissing`` if the shop does not have it any
    more, ``RegistryError`` as ``variants_of`` does."""
    variant = variants_of(product).get(key)
    if variant is None:
        raise PictureMissing(
            _(
                "The shop does not have the variant %(key)r of this product any more. Its picture stays. "
                "Remove the member, or offer the variant again."
            )
            % {"key": key}
        )
    return variant


def photo_of_variant(variant: Variant) -> Photo | None:
    """Return the photo that shows ``variant``; None if it has a colour only.

    Raises ``PictureMissing`` if its object has no photo, and there is no colour to paint it in.
    """
    if variant.photo is not None or variant.product is None:
        return variant.photo
    source = source_for(variant.product)
    with host_code(f"{type(source).__name__}.photos()"):
        photos = source.photos(variant.product)
    if photos:
        return photos[0]
    if variant.colour:
        return None
    raise PictureMissing(
        _("The variant %(key)r has no photo. Upload one for “%(product)s”, or name its colour.")
        % {"key": variant.key, "product": variant.product}
    )


def all_photos(product: Model) -> list[Photo]:
    """Return the photos of ``product`` and those of its variants, which pictures of it are made from.

    Variants that are not valid are left out. Raises ``RegistryError`` if the source's own code fails.
    """
    source = source_for(product)
    with host_code(f"{type(source).__name__}.photos()"):
        photos = list(source.photos(product))
    if type(source).variants is CatalogSource.variants:
        return photos
    try:
        variants = variants_of(product)
    except RegistryError:
        # Reported where a picture of one is asked for.
        return photos
    for variant in variants.values():
        try:
            photo = photo_of_variant(variant)
        except PictureMissing:
            continue
        if photo is not None and photo not in photos:
            photos.append(photo)
    return photos


def _checked(variant: Variant, *, owner: str) -> Variant:
    key = variant.key
    if not isinstance(key, str) or not _KEY.fullmatch(key) or len(key) > MAX_KEY_LENGTH:
        raise RegistryError(
            _(
                "%(owner)s: the key %(key)r of a variant is not valid. It needs 1 to %(most)s letters, "
                "digits, hyphens and underscores."
            )
            % {"owner": owner, "key": key, "most": MAX_KEY_LENGTH}
        )
    product = variant.product
    if product is not None and not (hasattr(product, "_meta") and is_registered(type(product))):
        raise RegistryError(
            _(
                "%(owner)s: the variant %(key)r is shown by %(product)r, which is not of a registered model."
            )
            % {"owner": owner, "key": key, "product": product}
        )
    if variant.photo is None and product is None and not variant.colour:
        raise RegistryError(
            _(
                "%(owner)s: the variant %(key)r has neither a photo nor a colour. Give it a photo, an "
                "object with one, or a colour to be painted in."
            )
            % {"owner": owner, "key": key}
        )
    try:
        colour = hex_colour(variant.colour) if variant.colour else ""
    except ValueError as error:
        raise RegistryError(
            _("%(owner)s, variant %(key)r: %(error)s")
            % {"owner": owner, "key": key, "error": error}
        ) from error
    return replace(variant, colour=colour, name=str(variant.name or "")[:MAX_NAME_LENGTH])
