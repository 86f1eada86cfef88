"""The shop's admin. nb_catalog's mixin adds the pictures."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from demo_project.shop.models import Bundle, BundlePhoto, Category, Product
from nb_catalog.admin import CatalogImagesMixin
from nb_catalog.core import Money, format_value


@admin.register(Category)
class CategoryAdmin(admin.ModelAdmin):
    list_display = ["name", "slug", "position"]
    list_editable = ["position"]
    prepopulated_fields = {"slug": ["name"]}


@admin.register(Product)
class ProductAdmin(CatalogImagesMixin, admin.ModelAdmin):
    list_display = ["name", "catalog_pictures", "category", "formatted_price", "colour", "material"]
    list_filter = ["category"]
    list_select_related = ["category"]
    search_fields = ["name", "description", "colour", "material"]
    prepopulated_fields = {"slug": ["name"]}
    fieldsets = [
        (None, {"fields": ["name", "slug", "category", "description", ("price", "currency")]}),
        (_("Facts"), {"fields": [("colour", "material", "size", "height_cm")]}),
        (_("Photo"), {"fields": ["packshot"]}),
        (_("Other languages"), {"fields": ["translations"], "classes": ["collapse"]}),
    ]

    @admin.display(description=_("price"), ordering="price")
    def formatted_price(self, product: Product) -> str:
        return format_value(Money(product.price, product.currency), "en")


class BundlePhotoInline(admin.TabularInline):
    model = BundlePhoto
    extra = 1


@admin.register(Bundle)
class BundleAdmin(CatalogImagesMixin, admin.ModelAdmin):
    list_display = ["name", "catalog_pictures", "price", "currency"]
    search_fields = ["name", "description"]
    prepopulated_fields = {"slug": ["name"]}
    autocomplete_fields = ["products"]
    inlines = [BundlePhotoInline]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Bundle]:
        return super().get_queryset(request).prefetch_related("photos")
