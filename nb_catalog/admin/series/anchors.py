"""The page that swaps the anchor of a series: what becomes stale is shown before it happens."""

from __future__ import annotations

from typing import Final

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern
from django.utils.translation import gettext

from nb_catalog import series as catalog_series
from nb_catalog.admin import thumbnails
from nb_catalog.admin.catalog_objects import attach_info
from nb_catalog.admin.changelists import key_in
from nb_catalog.admin.series.effects import titles_becoming_stale
from nb_catalog.core.permissions import Action, may
from nb_catalog.core.states import ImageState
from nb_catalog.exceptions import InvalidTransition, RequestRefused
from nb_catalog.models import ProductImage, Series
from nb_catalog.models.images import ImageKind
from nb_catalog.registry import source_for

# Pictures that can be chosen on the page.
MOST_OFFERED: Final = 60


class AnchorViews:
    """Choosing the anchor, as an additional page of ``SeriesAdmin``."""

    def anchor_urls(self) -> list[URLPattern]:
        return [
            self.page(
                "<int:pk>/anchor/",
                self.anchor,
                name="anchor",
                action=Action.CHANGE_SERIES,
                api="series_set_anchor",
            )
        ]

    def anchor(self, request: HttpRequest, pk: int) -> HttpResponse:
        """GET: choose an approved picture, then see what it makes stale. POST: make it the anchor."""
        series = self.series_of(request, pk)
        if not may(request.user, Action.CHANGE_SERIES, model=source_for(series.label).model):
            raise PermissionDenied
        data = request.POST if request.method == "POST" else request.GET
        key = key_in(data, "image")
        if key is None:
            return self._choice_page(request, series)
        # Of the same model: the user may see its products.
        rows = ProductImage.objects.filter(pk=key, content_type=series.content_type_id)
        image = rows.prefetch_related(thumbnails.RENDITIONS).first()
        if image is None:
            return self._choice_page(request, series)
        try:
            changed = catalog_series.with_anchor(series, image)
            if request.method == "POST":
                catalog_series.save_look(changed, version=key_in(request.POST, "version"))
                message = gettext("Picture %(pk)s is the anchor now.") % {"pk": image.pk}
                self.message_user(request, message, messages.SUCCESS)
                return redirect(self.url_of("sheet", pk))
        except (RequestRefused, InvalidTransition) as refusal:
            self.message_user(request, str(refusal), messages.ERROR)
            return redirect(self.url_of("sheet", pk))
        attach_info([image], site=self.admin_site)
        context = self.page_context(
            request,
            title=gettext("Make this picture the anchor?"),
            series=series,
            image=image,
            image_url=thumbnails.thumbnail_url(image, site=self.admin_site, width=thumbnails.LARGE),
            old=self.anchor_context(series),
            stale=titles_becoming_stale(series, changed, site=self.admin_site),
        )
        return TemplateResponse(request, "admin/nb_catalog/series/anchor.html", context)

    def _choice_page(self, request: HttpRequest, series: Series) -> HttpResponse:
        # A picture made outside the series may show its look too: the newest of its members' pictures.
        members = series.members.filter(removed_at=None).values("object_id")
        rows = ProductImage.objects.filter(
            Q(series=series.key) | Q(object_id__in=members),
            content_type=series.content_type_id, kind=ImageKind.PICTURE, locale="",
            state=ImageState.APPROVED, pruned_at=None,
        ).order_by("-pk")  # fmt: skip
        images = list(
            rows.defer("spec", "provenance", "checks").prefetch_related(thumbnails.RENDITIONS)[
                :MOST_OFFERED
            ]
        )
        attach_info(images, site=self.admin_site)
        for image in images:
            image.thumbnail = thumbnails.thumbnail_url(image, site=self.admin_site)
        context = self.page_context(
            request,
            title=gettext("Choose the anchor of “%(name)s”") % {"name": series.name},
            series=series,
            images=images,
        )
        return TemplateResponse(request, "admin/nb_catalog/series/anchors.html", context)
