"""What a source's galleries must be: where else published pictures go, in the host's own models."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from nb_catalog.core.text import nearest
from nb_catalog.exceptions import RegistryError

if TYPE_CHECKING:
    from nb_catalog.registry.sources import CatalogSource


@runtime_checkable
class GalleryLike(Protocol):
    """An entry of ``CatalogSource.galleries``; ``nb_catalog.publishing.galleries.Gallery`` is its base class.

    ``key`` names it within its source and is stored with each delivery. ``slots`` are those whose pictures
    it takes, ``locales`` their languages, "" for pictures of all languages.
    """

    key: str
    slots: Sequence[str]
    locales: Sequence[str]

    def takes(self, slot: str, locale: str, position: int) -> bool:
        """Return whether the picture of this place goes into the gallery."""

    def targets(self, source: CatalogSource) -> Sequence[str]:
        """Return what it replaces, such as "shop.product.image": no other gallery may."""

    def problems(self, source: CatalogSource) -> Iterator[tuple[str, str]]:
        """Yield (what is wrong, what to write instead) for fields that do not exist or do not fit."""


def require_galleries(entries: Any, *, owner: str) -> None:
    """Raise ``RegistryError`` unless ``entries`` are galleries with different keys. ``owner`` is the class
    that errors name."""
    if isinstance(entries, str) or not isinstance(entries, Sequence):
        raise RegistryError(f"{owner}.galleries must be a tuple of galleries, not {entries!r}.")
    keys: set[str] = set()
    for gallery in entries:
        if isinstance(gallery, type) or not isinstance(gallery, GalleryLike):
            raise RegistryError(
                f"{owner}.galleries has {gallery!r}, which is not a gallery. Write "
                f"ImageFieldGallery('image', slot='hero'), or an instance of a subclass of Gallery."
            )
        if gallery.key in keys:
            raise RegistryError(
                f"{owner}.galleries has {gallery.key!r} twice. Give one of them another key=..."
            )
        keys.add(gallery.key)


def gallery_problems(
    source: CatalogSource, *, locales: Collection[str]
) -> Iterator[tuple[str, str, str]]:
    """Yield (kind, what is wrong, what to write instead) for the galleries of ``source``.

    ``locales`` are those of the site. The kind is "fields", "slot", "locale" or "shared".
    """
    used: dict[str, str] = {}
    for gallery in source.galleries:
        name = f"{type(source).__name__}.galleries: {gallery.key!r}"
        for slot in gallery.slots:
            if slot not in source.slot_table:
                hint = nearest(slot, source.slot_table).strip()
                yield (
                    "slot",
                    f"{name} takes the slot {slot!r}, which the source does not have.",
                    hint,
                )
        for locale in gallery.locales:
            if locale and locale not in locales:
                hint = nearest(locale, locales).strip()
                yield (
                    "locale",
                    f"{name} takes {locale!r}, which is not a language of the site.",
                    hint,
                )
        problems = list(gallery.problems(source))
        yield from (("fields", f"{name} {what}", instead) for what, instead in problems)
        for target in () if problems else gallery.targets(source):
            if target in used:
                yield (
                    "shared",
                    f"{name} writes to {target}, as {used[target]!r} does.",
                    "Each needs a field of its own: they would replace each other's pictures.",
                )
            used[target] = gallery.key
