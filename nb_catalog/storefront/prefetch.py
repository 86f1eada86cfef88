"""Published pictures of catalog objects, fetched for a whole page and cached on its objects."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from django.db.models import Model, prefetch_related_objects
from django.utils.translation import get_language

from nb_catalog.core import locales
from nb_catalog.models import Placement
from nb_catalog.registry import is_registered, source_for
from nb_catalog.storefront.alt_text import written_alt
from nb_catalog.storefront.picture_data import PictureData

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
Places = dict[tuple[str, str], dict[int, Published]]


@dataclass(slots=True, kw_only=True)
class PublishedPictures:
    """The published pictures of ``products``, all of one model, in ``slots`` (None: all)."""

    products: Sequence[Model]
    locale: str
    slots: Collection[str] | None
    places: Places
    has_photos: bool = False

    def covers(self, slot: str, *, locale: str) -> bool:
        return self.locale == locale and (self.slots is None or slot in self.slots)

    def published(self, product: Model, slot: str) -> Mapping[int, Published]:
        return self.places.get((str(product.pk), slot), NOTHING)

    def fetch_photos(self) -> None:
        """Prefetch the own photos of all ``products``, once."""
        if self.has_photos:
            return
        self.has_photos = True
        model = type(self.products[0])
        if is_registered(model) and (lookups := source_for(model).photo_lookups()):
            prefetch_related_objects(self.products, *lookups)


def published_for(product: Model, slot: str, *, locale: str) -> PublishedPictures:
    """Return the prefetched pictures if they cover ``slot`` in ``locale``; otherwise query them."""
    prefetched: PublishedPictures | None = getattr(product, CACHE, None)
    if prefetched is not None and prefetched.covers(slot, locale=locale):
        return prefetched
    return fetch([product], slots=(slot,), locale=locale)


def fetch(
    products: Sequence[Model], *, slots: Collection[str] | None, locale: str
) -> PublishedPictures:
    """Fetch the published pictures of ``products``, all of one model. One query.

    At each position, the picture in the locale closest to ``locale`` wins.
    """
    ranks = fallbacks(locale)
    keys = [str(product.pk) for product in products]
    rows = Placement.objects.about_any(type(products[0]), keys).filter(locale__in=ranks)
    if slots is not None:
        rows = rows.filter(slot__in=slots)
    rows = rows.annotate(alt=written_alt(tuple(ranks)))
    columns = rows.order_by().values_list(
        "object_id", "slot", "locale", "position", "image_id", "picture_data", "alt"
    )
    places: Places = {}
    for object_id, slot, own_locale, position, image_id, picture_data, alt in columns:
        positions = places.setdefault((object_id, slot), {})
        rank = ranks[own_locale]
        current = positions.get(position)
        if current is None or rank < current.rank:
            positions[position] = Published(rank, image_id, picture_data, alt)
    return PublishedPictures(products=products, locale=locale, slots=slots, places=places)


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
