"""Published pictures as Oscar's own product images."""

from __future__ import annotations

from collections.abc import Sequence

from nb_catalog.publishing.galleries import RelatedRowsGallery

__all__ = ["ProductImagesGallery"]


class ProductImagesGallery(RelatedRowsGallery):
    """Add published pictures to the images of Oscar's products, for a source of ``catalogue.Product``.

    ``place`` is "first", so that the first picture is the product's primary image, or "last". The caption is
    the alternative text.
    """

    def __init__(
        self,
        *,
        slots: Sequence[str],
        place: str = "first",
        locales: Sequence[str] = ("",),
        key: str = "oscar",
    ) -> None:
        super().__init__(
            "images",
            file="original",
            order="display_order",
            alt="caption",
            slots=slots,
            place=place,
            locales=locales,
            key=key,
        )
