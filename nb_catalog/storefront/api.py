"""Functions for a shop's pages, which read what is published."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import TypeVar

from django.db.models import Model

from nb_catalog.registry import is_registered, source_for
from nb_catalog.storefront.alt_text import resolve_alt
from nb_catalog.storefront.picture import (
    DEFAULT_ATTRIBUTES,
    SCHEMA_ORG,
    Picture,
    StructuredData,
    html_attributes,
)
from nb_catalog.storefront.prefetch import (
    CACHE,
    Published,
    active_locale,
    fetch,
    published_for,
)

M = TypeVar("M", bound=Model)


def prefetch_catalog_images(
    products: Iterable[M], *, slots: Sequence[str] | None = None, locale: str | None = None
) -> list[M]:
    """Return ``products`` as a list with their published pictures prefetched. One query per model.

    Without ``slots`` the pictures of every slot are fetched, without ``locale`` those for the
    active language. If a product without a published picture shows its own photo, the photos of all
    ``products`` are prefetched at once.
    """
    rows = list(products)
    by_model: dict[type[Model], list[M]] = defaultdict(list)
    for product in rows:
        by_model[type(product)].append(product)
    for group in by_model.values():
        fetched = fetch(group, slots=slots, locale=active_locale(locale))
        for product, pictures in zip(group, fetched, strict=True):
            setattr(product, CACHE, pictures)
    return rows


def picture_for(
    product: Model,
    slot: str,
    *,
    locale: str | None = None,
    position: int = 0,
    alt: str | None = None,
    **options: str,
) -> Picture | None:
    """Return the published picture at ``position`` of ``slot``, otherwise the product's own photo.

    The photo is used at position 0 only; without one that browsers show, None is returned, and for
    a product that ``visible()`` of its source leaves out. ``alt`` replaces the
    product's own text. ``options`` are those of ``Picture.with_attributes``. Without
    ``prefetch_catalog_images`` each call is a query.
    """
    locale = active_locale(locale)
    pictures = published_for(product, slot, locale=locale)
    attributes = html_attributes(**options) if options else DEFAULT_ATTRIBUTES
    published = pictures.published(slot).get(position)
    if published is not None:
        return Picture(
            picture_data=published.picture_data,
            alt=_alt_of(published, product, locale) if alt is None else alt,
            image_id=published.image_id,
            position=position,
            html_attributes=attributes,
        )
    own = None if position else pictures.photo(product)
    if own is None:
        return None
    photo, data = own
    if alt is None:
        alt = photo.alt or _alt(product, locale)
    return Picture(picture_data=data, alt=alt, html_attributes=attributes)


def pictures_for(product: Model, slot: str, *, locale: str | None = None) -> list[Picture]:
    """Return the published pictures of ``product`` in ``slot``, in order."""
    locale = active_locale(locale)
    published = published_for(product, slot, locale=locale).published(slot)
    return [
        Picture(
            picture_data=each.picture_data,
            alt=_alt_of(each, product, locale),
            image_id=each.image_id,
            position=position,
        )
        for position, each in sorted(published.items())
    ]


def alt_for(product: Model, *, locale: str | None = None) -> str:
    """Return the alternative text of ``product``'s pictures in ``locale``."""
    return _alt(product, active_locale(locale))


def structured_data_for(
    product: Model,
    slot: str,
    *,
    locale: str | None = None,
    position: int = 0,
    base_url: str = "",
) -> StructuredData | None:
    """Return schema.org's ``ImageObject`` of a *published* picture, with its ``digitalSourceType``.

    ``base_url``, such as "https://shop.example", is prepended to addresses without a host.
    """
    picture = picture_for(product, slot, locale=locale, position=position)
    if picture is None or picture.image_id is None:
        return None
    src = picture.src
    if src.startswith("/") and not src.startswith("//"):
        src = f"{base_url.rstrip('/')}{src}"
    return StructuredData(
        {
            "@context": SCHEMA_ORG,
            "@type": "ImageObject",
            "contentUrl": src,
            "width": picture.width,
            "height": picture.height,
            "caption": picture.alt,
            "digitalSourceType": picture.schema_org,
        }
    )


def _alt(product: Model, locale: str) -> str:
    return source_for(product).alt(product, locale) if is_registered(type(product)) else ""


def _alt_of(published: Published, product: Model, locale: str) -> str:
    text = published.picture_data.get("overlay_text", "")
    return resolve_alt(published.alt, of_product=_alt(product, locale), overlay_text=text)
