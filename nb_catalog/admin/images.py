"""Generated pictures: read-only list and detail pages; decisions are made on the review page."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import URLPattern
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from nb_catalog.admin import thumbnails
from nb_catalog.admin.base import CatalogObjectAdmin
from nb_catalog.admin.changelists import SceneFilter, TierFilter
from nb_catalog.admin.review.alt_text import AltTextViews
from nb_catalog.admin.review.views import ReviewViews
from nb_catalog.models import ProductImage

_HEX = re.compile("[0-9a-f]{4,64}")


@admin.register(ProductImage)
class ProductImageAdmin(ReviewViews, AltTextViews, CatalogObjectAdmin):
    list_display = ("picture", "product", "scene", "tier", "state", "pixels", "created_at")
    list_display_links = ("picture", "product")
    list_filter = (
        "state", "kind", ("tier", TierFilter), ("scene", SceneFilter), "created_at",
    )  # fmt: skip
    search_fields = ("object_id", "sha256", "fingerprint")
    search_help_text = _("Product key, start of a SHA-256 digest, or fingerprint")
    fields = (
        "large_picture", "product", "to_review", "state", ("scene", "tier", "kind"),
        ("pixels", "byte_size", "mime_type"), "digital_source_type", "checks_json",
        "provenance_json", "spec_json", "sha256", "job", "parent", "created_at",
    )  # fmt: skip

    class Media:
        css = {"all": ("nb_catalog/admin.css",)}

    def search_condition(self, term: str) -> Q:
        """Match a fingerprint or the first digits of a SHA-256."""
        digits = term.lower()
        if not _HEX.fullmatch(digits):
            return Q(pk__in=())
        # As a range: not every database uses an index for prefix searches.
        return Q(sha256__gte=digits, sha256__lt=f"{digits}g") | Q(fingerprint=digits)

    def get_urls(self) -> list[URLPattern]:
        return [*self.review_urls(), *self.alt_urls(), *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        rows = super().get_queryset(request).prefetch_related(thumbnails.RENDITIONS)
        is_list = request.resolver_match and request.resolver_match.url_name.endswith("changelist")
        return rows.defer("spec", "provenance", "checks") if is_list else rows

    @admin.display(description=_("picture"))
    def picture(self, image: ProductImage) -> str:
        return format_html(
            '<img class="nbc-thumb" src="{}" alt="" loading="lazy" width="72" height="{}">',
            thumbnails.thumbnail_url(image, site=self.admin_site),
            round(72 * image.height / image.width),
        )

    @admin.display(description=_("picture"))
    def large_picture(self, image: ProductImage) -> str:
        return format_html(
            '<a href="{}"><img class="nbc-large" src="{}" alt="{}"></a>',
            thumbnails.original_url(image, site=self.admin_site),
            thumbnails.thumbnail_url(image, site=self.admin_site, width=thumbnails.LARGE),
            gettext("View full size"),
        )

    @admin.display(description=_("product"))
    def product(self, image: ProductImage) -> str:
        return image.object_info.title

    @admin.display(description=_("review"))
    def to_review(self, image: ProductImage) -> str:
        url = f"{self.url_of('review')}?{urlencode({'picture': image.pk})}"
        return format_html('<a href="{}">{}</a>', url, gettext("Review or publish"))

    @admin.display(description=_("pixels"))
    def pixels(self, image: ProductImage) -> str:
        return f"{image.width} × {image.height}"

    @admin.display(description=_("checks"))
    def checks_json(self, image: ProductImage) -> str:
        return _pretty(image.checks)

    @admin.display(description=_("provenance"))
    def provenance_json(self, image: ProductImage) -> str:
        return _pretty(image.provenance)

    @admin.display(description=_("spec"))
    def spec_json(self, image: ProductImage) -> str:
        return _pretty(image.spec)


def _pretty(value: Any) -> str:
    text = json.dumps(value, indent=2, ensure_ascii=False)
    return format_html('<pre class="nbc-json">{}</pre>', text)
