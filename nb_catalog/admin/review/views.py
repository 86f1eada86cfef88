"""The review page: each product's own photo beside its generated pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings as django_settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern
from django.utils.translation import gettext
from django.views.decorators.http import require_GET

from nb_catalog.admin import thumbnails
from nb_catalog.admin.changelists import AFTER, BEFORE, key_in, query_from
from nb_catalog.admin.review.actions import ReviewPermissions
from nb_catalog.admin.review.cards import offers_for, prepare_cards
from nb_catalog.admin.review.decision_views import DecisionViews, count_message
from nb_catalog.admin.review.filter_views import FilterViews
from nb_catalog.admin.review.forms import MINE, FilterForm
from nb_catalog.admin.review.queue import claimed_part_of, part_of
from nb_catalog.core.permissions import Action
from nb_catalog.core.states import ImageState
from nb_catalog.generation import drawings
from nb_catalog.models import ImageJob, ProductImage, Series
from nb_catalog.review import saved_filters, unclaimed_by_others
from nb_catalog.review.saved_filters import query_of


class ReviewViews(DecisionViews, FilterViews):
    """Review page and image files, as additional pages of ``ProductImageAdmin``."""

    def review_urls(self) -> list[URLPattern]:
        return [
            self.page(
                "review/",
                require_GET(self.review),
                name="review",
                action=Action.VIEW_IMAGES,
                api="image_list",
            ),
            *self.decision_urls(),
            *self.filter_urls(),
            self.page(
                "<int:pk>/<slug:digest>-<int:width>.webp",
                self.preview,
                name="preview",
                action=Action.VIEW_IMAGES,
                api="image_thumbnail",
                cacheable=True,
            ),
            self.page(
                "<int:pk>/<slug:digest>/original",
                self.original,
                name="original",
                action=Action.VIEW_IMAGES,
                api="image_retrieve",
                cacheable=True,
            ),
        ]

    def review(self, request: HttpRequest) -> HttpResponse:
        """Show pictures grouped by product, with a constant number of queries."""
        self.require_view(request)
        form = FilterForm(request.GET.dict())
        rows = form.get_queryset()
        if form.search is not None:
            form.search.warn(request)
        permissions = ReviewPermissions.of(request.user)
        query = form.cleaned_data
        position = {"after": key_in(request.GET, AFTER), "before": key_in(request.GET, BEFORE)}
        is_mine = query.get("queue") == MINE and permissions.review
        if is_mine:
            rows = rows.filter(state=ImageState.PENDING)
            part = claimed_part_of(
                rows, reviewer=request.user, group=query.get("by", ""), **position
            )
            rows = unclaimed_by_others(rows, reviewer=request.user)
        else:
            part = part_of(rows, group=query.get("by", ""), **position)
        images = prepare_cards(
            part.images, site=self.admin_site, permissions=permissions, viewer=request.user
        )
        context = self.page_context(
            request,
            title=gettext("Review pictures"),
            form=form,
            shows_decided=any(image.state != ImageState.PENDING for image in images),
            found=count_message(rows),
            undo_batch=form.cleaned_data.get("batch"),
            groups=group_by_product(images, by=query.get("by", "")),
            is_mine=is_mine,
            saved=saved_filters(user=request.user),
            filter_query=query_of(request.GET),
            permissions=permissions,
            state_names={state.value: str(state.label) for state in ImageState},
            slots=sorted({slot for image in images for slot in image.object_info.slots}),
            query=query_from(request.GET),
            back=request.GET.urlencode(),
            earlier=query_from(request.GET, **{BEFORE: images[0].pk}) if part.has_earlier else "",
            later=query_from(request.GET, **{AFTER: images[-1].pk}) if part.has_later else "",
            languages=django_settings.LANGUAGES,
            **offers_for(images),
        )
        return TemplateResponse(request, "admin/nb_catalog/productimage/review.html", context)

    def preview(self, request: HttpRequest, pk: int, digest: str, width: int) -> HttpResponse:
        self.require_view(request)
        image = get_object_or_404(ProductImage, pk=pk, sha256__startswith=digest)
        if width not in drawings.WIDTHS:
            raise Http404
        return thumbnails.serve_stored(request, drawings.thumbnail_of(image, width=width))

    def original(self, request: HttpRequest, pk: int, digest: str) -> HttpResponse:
        self.require_view(request)
        image = get_object_or_404(ProductImage, pk=pk, sha256__startswith=digest)
        return thumbnails.serve_original(request, image)


def group_by_product(
    images: Sequence[ProductImage], *, by: str = ""
) -> list[tuple[Any, str, list[ProductImage]]]:
    """Return (product info, heading, its images) in the order of the images.

    The heading names the run or the series that begins with the product; it is empty for the others.
    """
    headings = _headings(images, by=by)
    groups: dict[tuple[object, ...], list[ProductImage]] = {}
    for image in images:
        groups.setdefault((headings.get(image.pk, ""), image.object_info.key), []).append(image)
    shown, current = [], ""
    for (heading, _key), group in groups.items():
        shown.append((group[0].object_info, "" if heading == current else heading, group))
        current = heading
    return shown


def _headings(images: Sequence[ProductImage], *, by: str) -> dict[int, str]:
    """Return the title of the run or series of each of ``images``, by its key. One query."""
    if by == "series":
        names = dict(Series.objects.values_list("key", "name"))
        return {
            image.pk: names.get(image.series, image.series)
            if image.series
            else gettext("No series")
            for image in images
        }
    if by == "run":
        jobs = [image.job_id for image in images]
        rows = ImageJob.objects.filter(pk__in=jobs).values_list("pk", "run_id", "run__title")
        titles = {pk: f"#{run} {title}" for pk, run, title in rows}
        return {image.pk: titles.get(image.job_id, gettext("No run")) for image in images}
    return {}
