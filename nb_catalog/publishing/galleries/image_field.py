"""A gallery of one picture: an ``ImageField`` of the product itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.db.models import Model

from nb_catalog.publishing.galleries.base import Gallery, GalleryPicture, field_problems, fitted
from nb_catalog.registry import CatalogSource


class ImageFieldGallery(Gallery):
    """Write the picture of ``slot`` into an ``ImageField`` of the product.

    ``field`` is its name, or a dict of locale -> name for a field in each language, such as
    ``{"": "image", "de": "image_de"}``. ``alt`` names a field for the alternative text, or is such a dict.
    ``position`` is the number of the picture within its slot.
    """

    def __init__(
        self,
        field: str | Mapping[str, str],
        *,
        slot: str,
        locale: str = "",
        position: int = 0,
        alt: str | Mapping[str, str] = "",
        key: str = "",
    ) -> None:
        self.fields = dict(field) if isinstance(field, Mapping) else {locale: field}
        locales = tuple(self.fields)
        self.alts = dict(alt) if isinstance(alt, Mapping) else dict.fromkeys(locales, alt)
        key = key or next(iter(self.fields.values()), "")
        super().__init__(key=key, slots=(slot,), locales=locales, positions=(position,))

    def row_model(self, model: type[Model]) -> type[Model]:
        return model

    def file_field(self, locale: str) -> str:
        return self.fields[locale]

    def values(self, picture: GalleryPicture) -> Mapping[str, Any]:
        name = self.alts.get(picture.locale, "")
        return {name: fitted(type(picture.product), name, picture.alt)} if name else {}

    def problems(self, source: CatalogSource) -> Iterator[tuple[str, str]]:
        for name in self.fields.values():
            yield from field_problems(source.model, name, needs_file=True)
            if name == source.photo_field:
                yield (
                    f"writes to {name!r}, which photo_field names: the product's pictures would replace the "
                    f"photo that they are made from.",
                    "Name another field, or add one to the model.",
                )
        for name in filter(None, self.alts.values()):
            yield from field_problems(source.model, name)
