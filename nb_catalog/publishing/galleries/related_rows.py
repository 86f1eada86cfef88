"""A gallery of any number of pictures: rows of a model that belongs to the product."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.db.models import Model, QuerySet

from nb_catalog.core.source_fields import field_of
from nb_catalog.core.text import nearest
from nb_catalog.exceptions import RegistryError
from nb_catalog.publishing.galleries.base import Gallery, GalleryPicture, field_problems, fitted
from nb_catalog.registry import CatalogSource

PLACES = ("first", "last")


class RelatedRowsGallery(Gallery):
    """Add a row to a related model of the product, such as ``ProductPhoto``, for each picture of ``slots``.

    ``relation`` is the name by which the product reaches its rows, ``file`` that of their image field.
    ``order`` names the number by which they are sorted: pictures come ``place="last"``, after the host's own
    rows, or "first", for which the host's rows move on by one and are moved back later. ``alt`` and
    ``caption`` name fields for the alternative text and the product's title. ``defaults`` are values of other
    fields. ``locales`` are the languages whose pictures are delivered.
    """

    creates_rows = True

    def __init__(
        self,
        relation: str,
        *,
        file: str,
        slots: Sequence[str],
        order: str = "",
        alt: str = "",
        caption: str = "",
        place: str = "last",
        locales: Sequence[str] = ("",),
        defaults: Mapping[str, Any] | None = None,
        key: str = "",
    ) -> None:
        super().__init__(key=key or relation, slots=slots, locales=locales)
        if place not in PLACES:
            raise RegistryError(
                f"The gallery {self.key!r} has place={place!r}. It must be 'first' or 'last'."
                + nearest(str(place), PLACES)
            )
        self.relation, self.file, self.order = relation, file, order
        self.is_first = place == "first"
        self.alt, self.caption = alt, caption
        self.defaults = dict(defaults or {})

    def row_model(self, model: type[Model]) -> type[Model]:
        related: type[Model] = self._link(model).related_model
        return related

    def _link(self, model: type[Model]) -> Any:
        """Return Django's relation object. Raises ``RegistryError`` if it is not one to rows that refer to
        ``model``."""
        relation = field_of(model, self.relation)
        if relation is None or not getattr(relation, "one_to_many", False) or relation.concrete:
            raise RegistryError(
                f"{self.relation!r} is not a relation of {model._meta.label} to rows with a foreign key."
            )
        return relation

    def file_field(self, locale: str) -> str:
        return self.file

    def values(self, picture: GalleryPicture) -> Mapping[str, Any]:
        model = self.row_model(type(picture.product))
        texts = {self.alt: picture.alt, self.caption: picture.title}
        return {name: fitted(model, name, text) for name, text in texts.items() if name}

    def new_row(self, product: Model) -> Model:
        link = self._link(type(product))
        row: Model = link.related_model(**{link.field.name: product}, **self.defaults)
        return row

    def siblings(self, product: Model) -> QuerySet[Model]:
        link = self._link(type(product))
        rows: QuerySet[Model] = link.related_model._base_manager.filter(
            **{link.field.name: product}
        )
        return rows

    def problems(self, source: CatalogSource) -> Iterator[tuple[str, str]]:
        try:
            model = self.row_model(source.model)
        except RegistryError:
            known = [
                relation.get_accessor_name() or ""
                for relation in source.model._meta.related_objects
                if relation.one_to_many
            ]
            yield (
                f"names {self.relation!r}, which is not a relation of {source.model._meta.label} to rows "
                f"with a foreign key to it.",
                nearest(self.relation, filter(None, known)).strip(),
            )
            return
        yield from field_problems(model, self.file, needs_file=True)
        for name in filter(None, (self.order, self.alt, self.caption, *self.defaults)):
            yield from field_problems(model, name)
