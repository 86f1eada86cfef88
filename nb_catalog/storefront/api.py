"""The questions of a shop's page, answered from what is published."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import TypeVar

from django.core.files.storage import storages
from django.db.models import Model

from nb_catalog.core.types import Photo
from nb_catalog.registry import is_registered, source_for
from nb_catalog.storefront.alt_text import resolve_alt
from nb_catalog.storefront.picture import (
    DEFAULT_ATTRIBUTES,
    SCHEMA_ORG,
    HtmlAttributes,
    Picture,
    StructuredData,
    html_attributes,
)
from nb_catalog.storefront.prefetch import (
    CACHE,
    Published,
    PublishedPictures,
    active_locale,
    fetch,
    published_for,
)

M = TypeVar("M", bound=Model)


def prefetch_catalog_images(
    products: Iterable[M], *, slots: Sequence[str] | None = None, locale: str | None = None
) -> list[M]:
    """``products`` as a list, with their published pictures at hand: one query a model.

    Without ``slots`` the pictures of every slot are fetched, without ``locale`` those for the
    active language. Where a product without a published picture shows its own photo, what the
    photos need is fetched for all of ``products`` at once.
    """
    found = list(products)
    by_model: dict[type[Model], list[M]] = defaultdict(list)
    for product in found:
        by_model[type(product)].append(product)
    for group in by_model.values():
        shelf = fetch(group, slots=slots, locale=active_locale(locale))
        for product in group:
            setattr(product, CACHE, shelf)
    return found


def picture_for(
    product: Model,
    slot: str,
    *,
    locale: str | None = None,
    position: int = 0,
    alt: str | None = None,
    **options: str,
) -> Picture | None:
    """The published picture at ``position`` of ``slot``; without one, at position 0, the
    product's own photo; without that, None.

    ``alt`` replaces the product's own text. ``options`` are the attributes of
    ``Picture.with_attributes``, for a picture that is to be drawn. Outside of
    ``prefetch_catalog_images`` each call is a query.
    """
    asked = active_locale(locale)
    shelf = published_for(product, slot, locale=asked)
    shown = html_attributes(**options) if options else DEFAULT_ATTRIBUTES
    standing = shelf.published(product, slot).get(position)
    if standing is not None:
        return Picture(
            picture_data=standing.picture_data,
            alt=_alt_of(standing, product, asked) if alt is None else alt,
            image_id=standing.image_id,
            position=position,
            html_attributes=shown,
        )
    if position or not is_registered(type(product)):
        return None
    return _own_photo(product, shelf, alt=alt, html_attributes=shown)


def pictures_for(product: Model, slot: str, *, locale: str | None = None) -> list[Picture]:
    """The published pictures of ``product`` in ``slot``, in order; empty when there are none."""
    asked = active_locale(locale)
    published = published_for(product, slot, locale=asked).published(product, slot)
    return [
        Picture(
            picture_data=each.picture_data,
            alt=_alt_of(each, product, asked),
            image_id=each.image_id,
            position=position,
        )
        for position, each in sorted(published.items())
    ]


def alt_for(product: Model, *, locale: str | None = None) -> str:
    """The alternative text of ``product``'s pictures in ``locale``."""
    return _alt(product, active_locale(locale))


def structured_data_for(
    product: Model,
    slot: str,
    *,
    locale: str | None = None,
    position: int = 0,
    base_url: str = "",
) -> StructuredData | None:
    """schema.org's ``ImageObject`` of a *published* picture, with its ``digitalSourceType``.

    ``base_url``, such as "https://shop.example", goes before addresses that have no host.
    """
    picture = picture_for(product, slot, locale=locale, position=position)
    if picture is None or picture.image_id is None:
        return None
    return StructuredData(
        {
            "@context": SCHEMA_ORG,
            "@type": "ImageObject",
            "contentUrl": _absolute(picture.src, base_url=base_url),
            "width": picture.width,
            "height": picture.height,
            "caption": picture.alt,
            "digitalSourceType": picture.schema_org,
        }
    )


def _absolute(url: str, *, base_url: str) -> str:
    rooted = url.startswith("/") and not url.startswith("//")
    return f"{base_url.rstrip('/')}{url}" if rooted else url


def _alt(product: Model, locale: str) -> str:
    return source_for(product).alt(product, locale) if is_registered(type(product)) else ""


def _alt_of(standing: Published, product: Model, locale: str) -> str:
    said = standing.picture_data.get("said", "")
    return resolve_alt(standing.alt, of_product=_alt(product, locale), said=said)


def _own_photo(
    product: Model, shelf: PublishedPictures, *, alt: str | None, html_attributes: HtmlAttributes
) -> Picture | None:
    shelf.fetch_photos()
    photos = source_for(product).photos(product)
    if not photos:
        return None
    photo = photos[0]
    width, height = _known_size(photo)
    return Picture(
        picture_data={
            "src": photo_url(photo),
            "width": width,
            "height": height,
            "srcsets": {},
            "origin": "",
        },
        alt=photo.alt if alt is None else alt,
        html_attributes=html_attributes,
    )


def _known_size(photo: Photo) -> tuple[int, int]:
    """Pixels, where the host's field keeps them in columns: to measure would open the file."""
    field = getattr(photo.file, "field", None)
    names = [getattr(field, name, None) for name in ("width_field", "height_field")]
    if not all(names):
        return 0, 0
    width, height = (getattr(photo.file.instance, str(name)) or 0 for name in names)
    return width, height


def photo_url(photo: Photo) -> str:
    """Where a browser finds the host's own photo."""
    storage = photo.file.storage if photo.file is not None else storages[photo.storage]
    url: str = storage.url(photo.name)
    return url
