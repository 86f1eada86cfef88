"""What a shop's pages ask: published pictures only. Calls no provider, writes nothing, touches
no storage; a page of any length is one query a model."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from django.core.files.storage import storages
from django.db.models import Model, prefetch_related_objects
from django.utils.translation import get_language

from nb_catalog.models import Placement, Rendition
from nb_catalog.registry import is_registered, source_for
from nb_catalog.types import Photo

M = TypeVar("M", bound=Model)

# Set on catalog objects by prefetch_catalog_images: slot -> published pictures in order.
CACHE: Final = "_nb_catalog_pictures"

MIME_TYPES: Final[Mapping[str, str]] = {
    "avif": "image/avif",
    "webp": "image/webp",
    "jpeg": "image/jpeg",
}
# Browsers take the first source they can show: the smallest format goes first.
ORDER: Final = ("avif", "webp")


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """One published picture, ready for a template. Sizes in pixels.

    ``sources`` holds (type, srcset) pairs for ``<source>``, ``srcset`` the JPEGs for ``<img>``;
    ``urls`` maps a width to its JPEG. ``origin`` is the IPTC digital source type.
    """

    src: str
    width: int
    height: int
    alt: str = ""
    srcset: str = ""
    sources: tuple[tuple[str, str], ...] = ()
    urls: Mapping[int, str] | None = None
    origin: str = ""
    image_id: int | None = None
    position: int = 0

    def url(self, *, width: int | None = None) -> str:
        """The JPEG that is at least ``width`` pixels wide, else the widest."""
        if not self.urls or width is None:
            return self.src
        enough = [each for each in sorted(self.urls) if each >= width]
        return self.urls[enough[0] if enough else max(self.urls)]


def delivery(renditions: Iterable[Rendition], *, origin: str) -> dict[str, Any]:
    """What ``Placement.delivery`` keeps of an image: everything a page needs, by value."""
    by_format: dict[str, list[Rendition]] = defaultdict(list)
    for rendition in sorted(renditions, key=lambda each: each.width):
        by_format[rendition.format].append(rendition)
    widest = by_format["jpeg"][-1]
    return {
        "src": widest.url,
        "width": widest.width,
        "height": widest.height,
        "srcset": _srcset(by_format["jpeg"]),
        "sources": [[MIME_TYPES[f], _srcset(by_format[f])] for f in ORDER if by_format[f]],
        "urls": {str(each.width): each.url for each in by_format["jpeg"]},
        "origin": origin,
    }


def _srcset(renditions: Iterable[Rendition]) -> str:
    return ", ".join(f"{each.url} {each.width}w" for each in renditions)


def prefetch_catalog_images(
    products: Iterable[M], *, slots: Sequence[str] | None = None, locale: str | None = None
) -> list[M]:
    """``products`` as a list, with their published pictures at hand: one query a model.

    What the products' own photos need is fetched along for those without a published picture.
    """
    found = list(products)
    by_model: dict[type[Model], list[M]] = defaultdict(list)
    for product in found:
        by_model[type(product)].append(product)
    for model, group in by_model.items():
        _prefetch(model, group, slots=slots, locale=_locale(locale))
    return found


def _prefetch(
    model: type[Model], products: Sequence[Model], *, slots: Sequence[str] | None, locale: str
) -> None:
    keys = [str(product.pk) for product in products]
    rows = Placement.objects.about_any(model, keys).filter(locale__in=("", locale))
    if slots is not None:
        rows = rows.filter(slot__in=slots)
    pictures = _by_object(rows, locale=locale)
    for product in products:
        setattr(product, CACHE, pictures.get(str(product.pk), {}))
    if is_registered(model) and (lookups := source_for(model).photo_lookups()):
        bare = [product for product in products if not getattr(product, CACHE)]
        prefetch_related_objects(bare, *lookups)


_COLUMNS: Final = ("object_id", "slot", "locale", "position", "image_id", "delivery")


def _by_object(rows: Any, *, locale: str) -> dict[str, dict[str, list[Picture]]]:
    """Published pictures by object and slot. A language's own wins over the one for all."""
    chosen: dict[tuple[str, str, int], tuple[Any, ...]] = {}
    for row in rows.values_list(*_COLUMNS):
        key = (row[0], row[1], row[3])
        if key not in chosen or row[2] == locale:
            chosen[key] = row
    found: dict[str, dict[str, list[Picture]]] = defaultdict(lambda: defaultdict(list))
    for object_id, slot, position in sorted(chosen):
        row = chosen[object_id, slot, position]
        found[object_id][slot].append(_picture(row[5], image_id=row[4], position=position))
    return found


def _picture(kept: Mapping[str, Any], *, image_id: int, position: int) -> Picture:
    return Picture(
        src=kept["src"],
        width=kept["width"],
        height=kept["height"],
        srcset=kept["srcset"],
        sources=tuple((kind, srcset) for kind, srcset in kept["sources"]),
        urls={int(width): url for width, url in kept["urls"].items()},
        origin=kept["origin"],
        image_id=image_id,
        position=position,
    )


def pictures_for(product: Model, slot: str, *, locale: str | None = None) -> list[Picture]:
    """The published pictures of ``product`` in ``slot``, in order; empty when there are none."""
    at_hand = getattr(product, CACHE, None)
    if at_hand is None:
        _prefetch(type(product), [product], slots=None, locale=_locale(locale))
        at_hand = getattr(product, CACHE)
    found: list[Picture] = at_hand.get(slot, [])
    return found


def picture_for(
    product: Model, slot: str, *, locale: str | None = None, position: int = 0
) -> Picture | None:
    """The published picture at ``position`` of ``slot``; without one, at position 0, the
    product's own photo; without that, None."""
    published = pictures_for(product, slot, locale=locale)
    for picture in published:
        if picture.position == position:
            return picture
    if position or not is_registered(type(product)):
        return None
    photos = source_for(product).photos(product)
    return _own_photo(photos[0]) if photos else None


def alt_for(product: Model, *, locale: str | None = None) -> str:
    """The alternative text of ``product``'s pictures in ``locale``."""
    return source_for(product).alt(product, _locale(locale)) if is_registered(type(product)) else ""


def _own_photo(photo: Photo) -> Picture:
    """The host's photo. Its size is told only where the host's field keeps it in columns: to
    measure it would mean to open the file."""
    field = getattr(photo.file, "field", None)
    known = bool(getattr(field, "width_field", "") and getattr(field, "height_field", ""))
    return Picture(
        src=photo_url(photo),
        width=photo.file.width if known else 0,
        height=photo.file.height if known else 0,
        alt=photo.alt,
    )


def photo_url(photo: Photo) -> str:
    """Where a browser finds the host's own photo."""
    storage = photo.file.storage if photo.file is not None else storages[photo.storage]
    url: str = storage.url(photo.name)
    return url


def _locale(given: str | None) -> str:
    return given if given is not None else get_language() or ""
