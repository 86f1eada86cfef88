"""The published pictures of catalog objects, fetched for a whole page and kept with its objects."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from django.db.models import Model, prefetch_related_objects
from django.utils.translation import get_language

from nb_catalog.core import locales
from nb_catalog.models import Placement
from nb_catalog.registry import is_registered, source_for
from nb_catalog.storefront.alt_text import written_alt
from nb_catalog.storefront.picture_data import PictureData

# Set on catalog objects by prefetch_catalog_images.
CACHE: Final = "_nb_catalog_shelf"
NOTHING: Final[Mapping[int, Published]] = {}


class Published(NamedTuple):
    """One placement; the lower ``rank``, the closer is its language to the one asked for. ``alt`` is
    what a person wrote for the picture, or empty."""

    rank: int
    image_id: int
    picture_data: PictureData
    alt: str


# (object key, slot) -> position -> what is published there
Places = dict[tuple[str, str], dict[int, Published]]


@dataclass(slots=True, kw_only=True)
class PublishedPictures:
    """What is published for ``products``, all of one model, in ``slots`` (None: all)."""

    products: Sequence[Model]
    locale: str
    slots: Collection[str] | None
    places: Places
    has_photos: bool = False

    def answers(self, slot: str, *, locale: str) -> bool:
        return self.locale == locale and (self.slots is None or slot in self.slots)

    def published(self, product: Model, slot: str) -> Mapping[int, Published]:
        return self.places.get((str(product.pk), slot), NOTHING)

    def fetch_photos(self) -> None:
        """What the own photos of all ``products`` need, when the first of them is asked for."""
        if self.has_photos:
            return
        self.has_photos = True
        model = type(self.products[0])
        if is_registered(model) and (lookups := source_for(model).photo_lookups()):
            prefetch_related_objects(self.products, *lookups)


def published_for(product: Model, slot: str, *, locale: str) -> PublishedPictures:
    """The shelf that was prefetched, where it answers the question; a query else."""
    at_hand: PublishedPictures | None = getattr(product, CACHE, None)
    if at_hand is not None and at_hand.answers(slot, locale=locale):
        return at_hand
    return fetch([product], slots=(slot,), locale=locale)


def fetch(
    products: Sequence[Model], *, slots: Collection[str] | None, locale: str
) -> PublishedPictures:
    """What is published for ``products``, all of one model: one query."""
    ranks = fallbacks(locale)
    keys = [str(product.pk) for product in products]
    rows = Placement.objects.about_any(type(products[0]), keys).filter(locale__in=ranks)
    if slots is not None:
        rows = rows.filter(slot__in=slots)
    rows = rows.annotate(alt=written_alt(tuple(ranks)))
    places = _places(rows.order_by().values_list(*_COLUMNS), ranks=ranks)
    return PublishedPictures(products=products, locale=locale, slots=slots, places=places)


_COLUMNS: Final = ("object_id", "slot", "locale", "position", "image_id", "picture_data", "alt")


def _places(rows: Iterable[tuple[Any, ...]], *, ranks: Mapping[str, int]) -> Places:
    """What is published where. A language's own picture wins over the one for all."""
    found: Places = {}
    for object_id, slot, locale, position, image_id, kept, alt in rows:
        places = found.setdefault((object_id, slot), {})
        rank = ranks[locale]
        standing = places.get(position)
        if standing is None or rank < standing.rank:
            places[position] = Published(rank, image_id, kept, alt)
    return found


def active_locale(given: str | None) -> str:
    """``given``, or the language that is active now."""
    return given if given is not None else get_language() or ""


def fallbacks(locale: str) -> dict[str, int]:
    """Languages whose pictures serve ``locale``, with their rank: de-at, de, what
    ``LOCALE_FALLBACKS`` lets stand in for them, every language."""
    parts = locale.split("-")
    wider = ["-".join(parts[:length]) for length in range(len(parts), 0, -1)]
    stand_in = [code for each in wider for code in locales.fallback_chain(each)]
    return {each: rank for rank, each in enumerate(dict.fromkeys((*wider, *stand_in, "")))}
