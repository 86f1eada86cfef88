"""The base class of galleries: places in the host's own models to which published pictures are delivered."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from django.db.models import Field, FileField, ForeignObjectRel, Model, QuerySet

from nb_catalog.core.source_fields import field_of
from nb_catalog.core.text import nearest
from nb_catalog.core.types import Rect, Size
from nb_catalog.exceptions import RegistryError
from nb_catalog.models import ProductImage
from nb_catalog.registry import CatalogSource

_LONGEST_KEY: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class GalleryPicture:
    """A published picture on its way into a gallery.

    ``title`` is the product's, ``alt`` the alternative text in the language of the place, or in the site's
    if the place serves all languages. ``rank`` is the order of the pictures of one product in the gallery.
    ``size`` is that of the delivered file in pixels, and ``product_box`` where the product is in it, None if
    that is not known.
    """

    product: Model
    image: ProductImage
    slot: str
    locale: str
    position: int
    title: str
    alt: str
    rank: tuple[int, ...]
    size: Size
    product_box: Rect | None


class Gallery(ABC):
    """Where published pictures go in the host's own models. Name instances in ``CatalogSource.galleries``.

    A picture is written into a file field of one row: either one that the host has, whose values are
    restored when the picture is withdrawn, or one that is created for it (``creates_rows``) and deleted
    then. ``key`` identifies the gallery within its source and is stored: changing it leaves deliveries
    behind. ``slots`` are those whose pictures it takes, ``locales`` their languages, "" for pictures of all
    languages; ``positions`` are numbers within a slot, None for any.
    """

    creates_rows = False
    # The field of created rows that says in which order they are shown, "" for none, and whether they come
    # before those of the host.
    order = ""
    is_first = False
    # Fields of created rows that may change without a person: what the host derives from the file.
    unwatched: ClassVar[tuple[str, ...]] = ()

    def __init__(
        self,
        *,
        key: str,
        slots: Sequence[str],
        locales: Sequence[str] = ("",),
        positions: Sequence[int] | None = None,
    ) -> None:
        if not key or len(key) > _LONGEST_KEY:
            raise RegistryError(
                f"The key of a gallery must have 1 to {_LONGEST_KEY} characters, not {key!r}."
            )
        if isinstance(slots, str) or not slots:
            raise RegistryError(f"The gallery {key!r} needs slots: a tuple such as ('gallery',).")
        self.key = key
        self.slots = tuple(slots)
        self.locales = tuple(locales)
        self.positions = None if positions is None else tuple(positions)

    def takes(self, slot: str, locale: str, position: int) -> bool:
        """Return whether the picture of this place goes into the gallery."""
        return (
            slot in self.slots
            and locale in self.locales
            and (self.positions is None or position in self.positions)
        )

    def rank(self, slot: str, locale: str, position: int) -> tuple[int, ...]:
        """Return the order of the picture of a place among the product's pictures in this gallery."""
        return (self.slots.index(slot), position, self.locales.index(locale))

    @abstractmethod
    def row_model(self, model: type[Model]) -> type[Model]:
        """Return the model of the rows that have the pictures; ``model`` is that of the products."""

    @abstractmethod
    def file_field(self, locale: str) -> str:
        """Return the name of the field for the file of a picture in ``locale``."""

    @abstractmethod
    def values(self, picture: GalleryPicture) -> Mapping[str, Any]:
        """Return the values of other fields, by name, that are written with the picture."""

    @abstractmethod
    def problems(self, source: CatalogSource) -> Iterator[tuple[str, str]]:
        """Yield (what is wrong, what to write instead) for fields that do not exist or do not fit."""

    def targets(self, source: CatalogSource) -> Sequence[str]:
        """Return what the gallery replaces, such as "shop.product.image"; nothing if it creates rows."""
        if self.creates_rows:
            return ()
        label = self.row_model(source.model)._meta.label_lower
        return tuple(f"{label}.{self.file_field(locale)}" for locale in self.locales)

    def rows(self, product: Model, key: str) -> QuerySet[Model]:
        """Return the row that has the picture of ``product``, or nothing. ``key`` is that of a created row,
        as text."""
        if self.creates_rows:
            return self.row_model(type(product))._base_manager.filter(pk=key)
        return type(product)._base_manager.filter(pk=product.pk)

    def new_row(self, product: Model) -> Model:
        """Return a new row for ``product``, which is not saved. Only of galleries that create rows."""
        raise NotImplementedError

    def siblings(self, product: Model) -> QuerySet[Model]:
        """Return the product's rows that are shown in one order with the created ones."""
        raise NotImplementedError

    def save(self, row: Model, fields: Sequence[str] | None) -> None:
        """Save ``row``, with only ``fields`` of it, or None if it is new."""
        row.save(update_fields=fields)

    def delete(self, row: Model) -> None:
        """Delete a created row."""
        row.delete()

    def owns(self, model: type[Model]) -> bool:
        """Return whether rows of ``model`` that refer to a created row belong to it, as its thumbnails do."""
        return model._meta.auto_created is not False

    def users_of(self, row: Model) -> list[str]:
        """Return what of the host's refers to a created row, in words: it is not deleted then."""
        users = []
        for relation in row._meta.get_fields(include_hidden=True):
            # Also those without a name of their own, related_name="+".
            if not isinstance(relation, ForeignObjectRel) or getattr(
                relation, "parent_link", False
            ):
                continue
            model = relation.related_model
            if self.owns(model):
                continue
            if model._base_manager.filter(**{relation.field.name: row.pk}).exists():
                users.append(str(model._meta.verbose_name_plural))
        return users


def file_fields(model: type[Model]) -> list[str]:
    return [field.name for field in model._meta.concrete_fields if isinstance(field, FileField)]


def field_problems(
    model: type[Model], name: str, *, needs_file: bool = False
) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with the field ``name`` of ``model``: it does not exist, or holds no file."""
    field = field_of(model, name)
    label = model._meta.label
    if not isinstance(field, Field) or not field.concrete:
        names = file_fields(model) if needs_file else [f.name for f in model._meta.concrete_fields]
        yield f"names {name!r}, which {label} does not have.", nearest(name, names).strip()
    elif needs_file and not isinstance(field, FileField):
        yield (
            f"names {name!r} of {label}, which is not an ImageField.",
            nearest(name, file_fields(model)).strip(),
        )


def fitted(model: type[Model], name: str, text: str) -> str:
    """Return ``text`` as long as the column ``name`` of ``model`` may be."""
    longest = getattr(field_of(model, name), "max_length", None)
    return text if longest is None or len(text) <= longest else f"{text[: longest - 1].rstrip()}…"
