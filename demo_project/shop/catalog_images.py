"""What nb_catalog may know about the shop's rows. Found by the app like ``admin.py``."""

from __future__ import annotations

import nb_catalog
from demo_project.shop.models import Bundle, Product
from demo_project.shop.prices import written


@nb_catalog.register(Product)
class ProductSource(nb_catalog.CatalogSource):
    title_field = "name"
    photo_field = "packshot"
    fact_fields = ("colour", "material", "size")
    slots = ("hero", "gallery", "social")

    def alt(self, product: Product, locale: str) -> str:
        return product.said("name", locale=locale)

    def copy(self, product: Product, locale: str) -> dict[str, str]:
        return {
            "headline": product.said_in("name", locale=locale),
            "price": written(product.price, currency=product.currency, locale=locale),
        }


@nb_catalog.register(Bundle)
class BundleSource(nb_catalog.CatalogSource):
    title_field = "name"
    photo_field = "photos__image"
    slots = ("hero",)

    def alt(self, bundle: Bundle, locale: str) -> str:
        return bundle.said("name", locale=locale)

    def copy(self, bundle: Bundle, locale: str) -> dict[str, str]:
        return {
            "headline": bundle.said_in("name", locale=locale),
            "price": written(bundle.price, currency=bundle.currency, locale=locale),
        }
