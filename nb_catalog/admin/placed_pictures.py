"""What lists of pictures in places have in common: placements, and their deliveries to galleries."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from nb_catalog.admin import thumbnails
from nb_catalog.admin.base import CatalogObjectAdmin
from nb_catalog.models import ProductImage


class PlacedPictureAdmin(CatalogObjectAdmin):
    """Rows with the ``image`` of a place, null once it is taken back: its thumbnail, and its product."""

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        images = ProductImage.objects.defer("provenance", "checks")
        images = images.prefetch_related(thumbnails.RENDITIONS)
        return super().get_queryset(request).prefetch_related(Prefetch("image", images))

    @admin.display(description=_("picture"))
    def picture(self, row: Any) -> str:
        image = row.image
        if image is None:
            return gettext("taken back")
        return format_html(
            '<img class="nbc-thumb" src="{}" alt="{}" loading="lazy" width="72" height="{}">',
            thumbnails.thumbnail_url(image, site=self.admin_site),
            row.object_info.title,
            round(72 * image.height / image.width),
        )

    @admin.display(description=_("product"))
    def product(self, row: Any) -> str:
        info = row.object_info
        return info.title if info.exists else gettext("%(key)s (deleted)") % {"key": info.title}
