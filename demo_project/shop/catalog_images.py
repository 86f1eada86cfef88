"""What nb_catalog may know about the shop's rows. Discovered like ``admin.py``."""

from __future__ import annotations

from django.db.models import QuerySet

import nb_catalog
from demo_project.shop.models import Bundle, Product
from nb_catalog.core import Money, format_value
from nb_catalog.publishing.galleries import RelatedRowsGallery


@nb_catalog.register(Product)
class ProductSource(nb_catalog.CatalogSource):
    title_field = "name"
    photo_field = "packshot"
    fact_fields = ("colour", "material", "size")
    height_field = "height_cm"
    slots = (
        nb_catalog.Slot("hero", ratio="4:5", stale="renew"),
        # Cut to squares by the page: no letter may be at risk.
        nb_catalog.Slot("gallery", words=False),
        nb_catalog.Slot("social", ratio="16:9", stale="renew"),
        nb_catalog.Slot("lookbook", ratio="4:5", words=False),
    )

    def value(self, product: Product) -> float:
        # A real shop would say what the product earned lately.
        return float(product.price)

    def alt(self, product: Product, locale: str) -> str:
        return product.translate("name", locale=locale)

    def values(self, product: Product, locale: str) -> dict[str, object]:
        title = product.translate("name", locale=locale)
        facts = {name: getattr(product, name) for name in self.fact_fields}
        return {"title": title, "price": Money(product.price, product.currency), **facts}

    def copy(self, product: Product, locale: str) -> dict[str, str]:
        return {
            "headline": product.get_translation("name", locale=locale),
            "price": format_value(Money(product.price, product.currency), locale),
        }


@nb_catalog.register(Bundle)
class BundleSource(nb_catalog.CatalogSource):
    title_field = "name"
    photo_field = "photos__image"
    slots = {"hero": "4:5", "lookbook": "4:5"}
    # The published hero is also one of the set's own photos.
    galleries = (RelatedRowsGallery("photos", file="image", order="position", slots=("hero",)),)

    def bundle(self, bundle: Bundle) -> list[Product]:
        return list(bundle.products.all())

    def queryset(self) -> QuerySet[Bundle]:
        return super().queryset().prefetch_related("products")

    def alt(self, bundle: Bundle, locale: str) -> str:
        return bundle.translate("name", locale=locale)

    def values(self, bundle: Bundle, locale: str) -> dict[str, object]:
        title = bundle.translate("name", locale=locale)
        return {"title": title, "price": Money(bundle.price, bundle.currency)}

    def copy(self, bundle: Bundle, locale: str) -> dict[str, str]:
        return {
            "headline": bundle.get_translation("name", locale=locale),
            "price": format_value(Money(bundle.price, bundle.currency), locale),
        }
