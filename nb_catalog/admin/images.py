"""Generated pictures: read-only list and detail pages; decisions are made on the review page."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from nb_catalog import live
from nb_catalog.admin import thumbnails
from nb_catalog.admin.base import CatalogObjectAdmin, declares
from nb_catalog.admin.changelists import SceneFilter, TierFilter
from nb_catalog.admin.edits.views import EditViews
from nb_catalog.admin.exports import ExportViews
from nb_catalog.admin.generate.final_views import IMAGES, MAX_IMAGES
from nb_catalog.admin.history import HistoryViews
from nb_catalog.admin.publications.admin import MAX_IMAGES as MOST_PUBLISHED
from nb_catalog.admin.review.alt_text import AltTextViews
from nb_catalog.admin.review.views import ReviewViews
from nb_catalog.core.permissions import Action, may
from nb_catalog.core.types import Treatment
from nb_catalog.export.web import MOST_IN_REQUEST
from nb_catalog.models import ProductImage, Publication


@admin.register(ProductImage)
class ProductImageAdmin(
    HistoryViews, ReviewViews, AltTextViews, EditViews, ExportViews, CatalogObjectAdmin
):
    view_action = Action.VIEW_IMAGES
    list_display = ("picture", "product", "scene_of", "tier", "state", "pixels", "created_at")
    list_display_links = ("picture", "product")
    list_filter = (
        "state", "kind", ("tier", TierFilter), ("scene", SceneFilter), "created_at",
    )  # fmt: skip
    search_fields = ("object_id", "sha256", "fingerprint")
    search_help_text = _(
        "Product name or key, scene, layout, text, #number of a run, start of a SHA-256, or fingerprint"
    )
    # Everything else is the history, which the page's template shows.
    change_form_template = "admin/nb_catalog/productimage/change_form.html"
    fields = (
        ("byte_size", "mime_type"), "digital_source_type", "sha256", "fingerprint", "job", "parent",
        "draft", "checks_json", "provenance_json", "spec_json",
    )  # fmt: skip

    actions = ("make_final", "publish_pictures", "export_pictures")

    def has_publish_permission(self, request: HttpRequest) -> bool:
        return may(request.user, Action.PUBLISH) and self.admin_site.is_registered(Publication)

    @declares(Action.PUBLISH, api="publication_create")
    @admin.action(description=_("Publish…"), permissions=["publish"])
    def publish_pictures(self, request: HttpRequest, queryset: QuerySet) -> HttpResponse | None:
        """Choose slot and times for the selected pictures."""
        return self._with_keys(
            request, queryset, most=MOST_PUBLISHED, url=self.url_of("publish", model="publication")
        )

    @declares(Action.EXPORT, api="export_create")
    @admin.action(description=_("Export…"), permissions=["export"])
    def export_pictures(self, request: HttpRequest, queryset: QuerySet) -> HttpResponse | None:
        """Choose names and formats of the selected pictures, and download them."""
        return self._with_keys(request, queryset, most=MOST_IN_REQUEST, url=self.url_of("export"))

    def has_make_final_permission(self, request: HttpRequest) -> bool:
        return may(request.user, Action.MAKE_FINAL)

    @declares(Action.MAKE_FINAL, api="run_finals")
    @admin.action(description=_("Make final…"), permissions=["make_final"])
    def make_final(self, request: HttpRequest, queryset: QuerySet) -> HttpResponse | None:
        """Show the plan of finals of the selected pictures, with its price."""
        return self._with_keys(
            request, queryset, most=MAX_IMAGES, url=self.url_of("finals", model="run")
        )

    def _with_keys(
        self, request: HttpRequest, queryset: QuerySet, *, most: int, url: str
    ) -> HttpResponse | None:
        keys = list(queryset.order_by("pk").values_list("pk", flat=True)[: most + 1])
        if len(keys) > most:
            message = gettext("At most %(most)s pictures at once. Select fewer.")
            self.message_user(request, message % {"most": most}, messages.WARNING)
            return None
        query = urlencode({IMAGES: ",".join(map(str, keys))})
        return redirect(f"{url}?{query}")

    def events(self, request: HttpRequest) -> HttpResponseBase:
        """Stream what becomes of pictures."""
        sees_places = may(request.user, Action.VIEW_PLACEMENTS)
        return self.live_response(request, live.PictureFeed(with_placements=sees_places))

    def get_urls(self) -> list[URLPattern]:
        return [
            self.page(
                "events/",
                require_GET(self.events),
                name="events",
                action=Action.VIEW_IMAGES,
                api="image_events",
            ),
            *self.review_urls(),
            *self.alt_urls(),
            *self.edit_urls(),
            *self.export_urls(),
            *self.like_urls(),
            *super().get_urls(),
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        rows = super().get_queryset(request).prefetch_related(thumbnails.RENDITIONS)
        is_list = request.resolver_match and request.resolver_match.url_name.endswith("changelist")
        return rows.defer("spec", "provenance", "checks") if is_list else rows

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """Leave out the spec, which has the prompt, for users who may not read it."""
        fields = list(super().get_fields(request, obj))
        if not may(request.user, Action.READ_PROMPTS):
            fields.remove("spec_json")
        return fields

    @admin.display(description=_("picture"))
    def picture(self, image: ProductImage) -> str:
        return format_html(
            '<img class="nbc-thumb" src="{}" alt="{}" loading="lazy" width="72" height="{}">',
            thumbnails.thumbnail_url(image, site=self.admin_site),
            image.object_info.title,
            round(72 * image.height / image.width),
        )

    @admin.display(description=_("product"))
    def product(self, image: ProductImage) -> str:
        return image.object_info.title

    @admin.display(description=_("scene"))
    def scene_of(self, image: ProductImage) -> str:
        return image.scene or Treatment.PHOTO.label

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
