from django.contrib import admin

from nb_catalog.admin import CatalogImagesMixin
from tests.catalog.models import Mug, Poster, Vase


@admin.register(Mug)
class MugAdmin(CatalogImagesMixin, admin.ModelAdmin):
    list_display = ("name", "catalog_pictures", "colour")
    search_fields = ("name",)


@admin.register(Poster)
class PosterAdmin(CatalogImagesMixin, admin.ModelAdmin):
    pass


@admin.register(Vase)
class VaseAdmin(CatalogImagesMixin, admin.ModelAdmin):
    actions = ["rename"]

    @admin.action(description="Rename")
    def rename(self, request, queryset):
        queryset.update(name="renamed")
