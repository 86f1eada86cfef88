"""Published pictures of catalog objects, fetched for a whole page and cached on its objects."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain
from typing import Any, Final, NamedTuple

from django.db.models import Model, prefetch_related_objects
from django.utils.translation import get_language

from nb_catalog.core import locales
from nb_catalog.core.types import Photo
from nb_catalog.models import Placement
from nb_catalog.models.generic import ObjectKey, fetch_subjects, object_key, own_key
from nb_catalog.models.photos import photo_key
from nb_catalog.registry import CatalogSource, is_registered, source_for, subject_of
from nb_catalog.storefront.alt_text import written_alt
from nb_catalog.storefront.moments import current_moment
from nb_catalog.storefront.photos import Photos, fetch_facts, photo_data
from nb_catalog.storefront.picture_data import PictureData
from nb_catalog.storefront.timeline import shown_at

# The attribute of catalog objects that prefetch_catalog_images sets.
CACHE: Final = "_nb_catalog_pictures"
NOTHING: Final[Mapping[int, Published]] = {}


class Published(NamedTuple):
    """One placement. The lower ``rank``, the closer is its locale to the requested one.

    ``alt`` is what a person wrote for the picture, or "".
    """

    rank: int
    image_id: int
    picture_data: PictureData
    alt: str


# (object key, slot) -> position -> what is published there
Places = dict[tuple[ObjectKey, str], dict[int, Published]]


@dataclass(slots=True, kw_only=True)
class PublishedPictures:
    """The published pictures of a page's ``products`` in ``slots`` (None: all)."""

    products: Sequence[Model]
    locale: str
    slots: Collection[str] | None
    places: Places
    moment: datetime | None = None
    photos: Photos | None = None

    def covers(self, slot: str, *, locale: str) -> bool:
        is_same = self.locale == locale and self.moment == current_moment()
        return is_same and (self.slots is None or slot in self.slots)

    def fetch_photos(self) -> Photos:
        """Prefetch the own photos of all ``products`` and of their subjects, once."""
        if self.photos is not None:
            return self.photos
        owners: dict[ObjectKey, list[Model]] = defaultdict(list)
        for product in self.products:
            if is_registered(type(product)):
                for owner in photo_owners(product):
                    owners[own_key(owner)].append(owner)
        by_model: dict[type[Model], list[Model]] = defaultdict(list)
        for row in chain.from_iterable(owners.values()):
            by_model[type(row)].append(row)
        for model, rows in by_model.items():
            if lookups := source_for(model).photo_lookups():
                prefetch_related_objects(rows, *lookups)
        self.photos = fetch_facts(owners) if owners else {}
        return self.photos


class ProductPictures(NamedTuple):
    """The pictures of one product of a page. ``key`` is None if the public may not see the product."""

    page: PublishedPictures
    key: ObjectKey | None

    def published(self, slot: str) -> Mapping[int, Published]:
        return NOTHING if self.key is None else self.page.places.get((self.key, slot), NOTHING)

    def photo(self, product: Model) -> tuple[Photo, PictureData] | None:
        """Return the first of the product's own photos that browsers show, otherwise its subject's.

        A photo of the subject has no alternative text: it shows the product here.
        """
        if self.key is None or not is_registered(type(product)):
            return None
        facts = self.page.fetch_photos()
        for owner in photo_owners(product):
            for photo in source_for(owner).photos(owner):
                data = photo_data(photo, facts.get((own_key(owner), photo_key(photo))))
                if data is not None:
                    return (photo if owner is product else replace(photo, alt="")), data
        return None


def photo_owners(product: Model) -> list[Model]:
    """Return the rows whose own photos stand in for a picture of ``product``, the best one first."""
    subject = subject_of(product)
    return [product] if own_key(subject) == own_key(product) else [product, subject]


def published_for(product: Model, slot: str, *, locale: str) -> ProductPictures:
    """Return the prefetched pictures if they cover ``slot`` in ``locale``; otherwise query them."""
    prefetched: ProductPictures | None = getattr(product, CACHE, None)
    if prefetched is not None and prefetched.page.covers(slot, locale=locale):
        return prefetched
    return fetch([product], slots=(slot,), locale=locale)[0]


def fetch(
    products: Sequence[Model], *, slots: Collection[str] | None, locale: str
) -> list[ProductPictures]:
    """Fetch the published pictures of ``products``, all of one model. One query.

    At each position, the picture in the locale closest to ``locale`` wins. Relations that a source's
    ``subject()`` follows, and an overridden ``visible()``, take one query each.
    """
    ranks = fallbacks(locale)
    fetch_subjects(products)
    shown = _visible(products)
    keys = [
        object_key(product) if is_shown else None
        for product, is_shown in zip(products, shown, strict=True)
    ]
    asked = {key for key in keys if key is not None}
    columns: Iterable[Sequence[Any]]
    if (moment := current_moment()) is not None:
        columns = shown_at(asked, moment=moment, slots=slots, locales=tuple(ranks))
    else:
        rows = Placement.objects.about_keys(asked).filter(locale__in=ranks)
        if slots is not None:
            rows = rows.filter(slot__in=slots)
        rows = rows.annotate(alt=written_alt(tuple(ranks)))
        columns = rows.order_by().values_list(
            "content_type_id", "object_id", "slot", "locale", "position", "image_id", "picture_data",
            "alt",
        )  # fmt: skip
    places: Places = {}
    for type_id, object_id, slot, own_locale, position, image_id, picture_data, alt in columns:
        positions = places.setdefault(((type_id, object_id), slot), {})
        rank = ranks[own_locale]
        current = positions.get(position)
        if current is None or rank < current.rank:
            positions[position] = Published(rank, image_id, picture_data, alt)
    page = PublishedPictures(
        products=products, locale=locale, slots=slots, places=places, moment=moment
    )
    return [ProductPictures(page, key) for key in keys]


def _visible(products: Sequence[Model]) -> list[bool]:
    """Return for each of ``products``, all of one model, whether the public may see it."""
    model = type(products[0])
    source = source_for(model) if is_registered(model) else None
    if source is None or type(source).visible is CatalogSource.visible:
        # The page was given these products, and nobody has said that some of them are hidden.
        return [True] * len(products)
    keys = [own_key(product)[1] for product in products]
    rows = source.visible().filter(pk__in=[key for key in keys if key != str(None)])
    visible = {str(key) for key in rows.values_list("pk", flat=True)}
    return [key in visible for key in keys]


def active_locale(locale: str | None) -> str:
    """Return ``locale``; if it is None, the active language."""
    return locale if locale is not None else get_language() or ""


def fallbacks(locale: str) -> dict[str, int]:
    """Return the locales whose pictures can be shown for ``locale``, with their ranks.

    For "de-at": de-at, de, their ``LOCALE_FALLBACKS``, and "" for pictures of all locales.
    """
    parts = locale.split("-")
    wider = ["-".join(parts[:length]) for length in range(len(parts), 0, -1)]
    substitutes = [code for each in wider for code in locales.fallback_chain(each)]
    return {code: rank for rank, code in enumerate(dict.fromkeys((*wider, *substitutes, "")))}
