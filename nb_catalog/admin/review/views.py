"""The review page: each product's own photo beside its generated pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from django.conf import settings as django_settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import URLPattern
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_GET, require_POST

from nb_catalog import review
from nb_catalog.admin import catalog_objects, thumbnails
from nb_catalog.admin.changelists import AFTER, BEFORE, INTEGER_KEY, key_in, query_from
from nb_catalog.admin.review.actions import (
    VERBS,
    ReviewAction,
    ReviewOutcome,
    ReviewPermissions,
    execute,
)
from nb_catalog.admin.review.cards import offers_for, prepare_cards
from nb_catalog.admin.review.forms import FilterForm, pictures
from nb_catalog.admin.review.queue import part_of
from nb_catalog.core import pagination
from nb_catalog.core.states import ImageState
from nb_catalog.models import ProductImage
from nb_catalog.models.images import ImageKind


class ReviewViews:
    """Review page, review actions and image files, as additional pages of ``ProductImageAdmin``."""

    def review_urls(self) -> list[URLPattern]:
        return [
            self.page("review/", require_GET(self.review), name="review"),
            self.page("review/decide/", require_POST(self.decide), name="decide"),
            self.page(
                "<int:pk>/<slug:digest>-<int:width>.webp",
                self.preview,
                name="preview",
                cacheable=True,
            ),
            self.page(
                "<int:pk>/<slug:digest>/original", self.original, name="original", cacheable=True
            ),
        ]

    def review(self, request: HttpRequest) -> HttpResponse:
        """Show pictures grouped by product, with a constant number of queries."""
        self._require_view(request)
        form = FilterForm(request.GET.dict())
        rows = form.get_queryset()
        if form.search is not None:
            form.search.warn(request)
        part = part_of(rows, after=key_in(request.GET, AFTER), before=key_in(request.GET, BEFORE))
        permissions = ReviewPermissions.of(request.user)
        images = prepare_cards(part.images, site=self.admin_site, permissions=permissions)
        context = self.page_context(
            request,
            title=gettext("Review pictures"),
            form=form,
            shows_decided=any(image.state != ImageState.PENDING for image in images),
            found=count_message(rows),
            groups=group_by_product(images),
            permissions=permissions,
            query=query_from(request.GET),
            back=request.GET.urlencode(),
            earlier=query_from(request.GET, **{BEFORE: images[0].pk}) if part.has_earlier else "",
            later=query_from(request.GET, **{AFTER: images[-1].pk}) if part.has_later else "",
            languages=django_settings.LANGUAGES,
            **offers_for(images),
        )
        return TemplateResponse(request, "admin/nb_catalog/productimage/review.html", context)

    def decide(self, request: HttpRequest) -> HttpResponse:
        """Execute "verb:key" on one picture, or approve or publish all selected pictures."""
        self._require_view(request)
        verb, _colon, key = request.POST.get("decision", "").partition(":")
        match verb:
            case "approve_chosen":
                return self.approve_selected(request)
            case "publish_chosen":
                return self.publish_selected(request)
            case "reconsider_chosen":
                return self.reconsider_selected(request)
        if verb not in VERBS or not INTEGER_KEY.fullmatch(key):
            raise Http404
        image = get_object_or_404(ProductImage, pk=key, kind=ImageKind.PICTURE)
        action = ReviewAction.from_form(verb, image.pk, request.POST)
        outcome = execute(image, action, actor=request.user)
        if request.accepts("text/html"):
            message = outcome.message
            if outcome.undo:
                url = self.undo_url(image, outcome)
                message = format_html('{} <a href="{}">{}</a>', message, url, gettext("Undo…"))
            self.message_user(request, message, outcome.level)
            return self._redirect_back(request)
        permissions = ReviewPermissions.of(request.user)
        rows = pictures().filter(pk=image.pk)
        [card] = prepare_cards(rows, site=self.admin_site, permissions=permissions)
        context = {
            "image": card,
            "permissions": permissions,
            "languages": django_settings.LANGUAGES,
            **offers_for([card]),
        }
        template = "admin/nb_catalog/productimage/card.html"
        # The filters of the page that the decision was made on.
        form = FilterForm(QueryDict(request.POST.get("back", "")).dict())
        return JsonResponse(
            {
                "ok": outcome.succeeded,
                "level": messages.DEFAULT_TAGS[outcome.level],
                "message": outcome.message,
                "undo": outcome.undo,
                "place": dict(outcome.place),
                "card": render_to_string(template, context, request),
                "found": count_message(form.get_queryset()),
            }
        )

    def preview(self, request: HttpRequest, pk: int, digest: str, width: int) -> HttpResponse:
        self._require_view(request)
        image = get_object_or_404(ProductImage, pk=pk, sha256__startswith=digest)
        return thumbnails.serve_thumbnail(request, image, width=width)

    def original(self, request: HttpRequest, pk: int, digest: str) -> HttpResponse:
        self._require_view(request)
        image = get_object_or_404(ProductImage, pk=pk, sha256__startswith=digest)
        return thumbnails.serve_original(request, image)

    def approve_selected(self, request: HttpRequest) -> HttpResponse:
        ReviewPermissions.of(request.user).require("approve")
        images = pictures().filter(pk__in=_selected_keys(request))
        result = review.approve_all(images, actor=request.user)
        if result.decided or not result.refused:
            count = result.decided
            message = ngettext("%d picture approved.", "%d pictures approved.", count) % count
            if result.approved:
                keys = ",".join(map(str, result.approved))
                url = f"{self.url_of('review')}?{urlencode({'pictures': keys, 'state': 'all'})}"
                message = format_html('{} <a href="{}">{}</a>', message, url, gettext("Undo…"))
            self.message_user(request, message, messages.SUCCESS if count else messages.WARNING)
        for refusal in result.refused:
            self.message_user(request, refusal, messages.ERROR)
        return self._redirect_back(request)

    def reconsider_selected(self, request: HttpRequest) -> HttpResponse:
        """Return each to the queue, which undoes a decision about several."""
        ReviewPermissions.of(request.user).require("reconsider")
        count = 0
        for image in pictures().filter(pk__in=_selected_keys(request)):
            outcome = execute(image, ReviewAction(verb="reconsider"), actor=request.user)
            count += outcome.succeeded
            if not outcome.succeeded:
                self.message_user(request, outcome.message, outcome.level)
        message = ngettext(
            "%d picture is waiting for review again.",
            "%d pictures are waiting for review again.",
            count,
        )
        self.message_user(request, message % count)
        return self._redirect_back(request)

    def publish_selected(self, request: HttpRequest) -> HttpResponse:
        """Publish each to the place set on its card. With JavaScript, the page sends them one by one."""
        ReviewPermissions.of(request.user).require("publish")
        published = []
        for image in pictures().filter(pk__in=_selected_keys(request)):
            action = ReviewAction.from_form("publish", image.pk, request.POST)
            outcome = execute(image, replace(action, in_bulk=True), actor=request.user)
            if outcome.succeeded:
                published.append(image.pk)
            else:
                self.message_user(request, outcome.message, outcome.level)
        count = len(published)
        message = ngettext("%d picture published.", "%d pictures published.", count) % count
        if published:
            keys = urlencode({"image__in": ",".join(map(str, published))})
            url = f"{self.url_of('changelist', model='placement')}?{keys}"
            message = format_html('{} <a href="{}">{}</a>', message, url, gettext("Undo…"))
        self.message_user(request, message, messages.SUCCESS if count else messages.WARNING)
        return self._redirect_back(request)

    def undo_url(self, image: ProductImage, outcome: ReviewOutcome) -> str:
        """Return the page on which ``outcome`` can be undone without JavaScript."""
        if outcome.undo == "roll_back":
            url = self.url_of("changelist", model="placement")
            return f"{url}?{urlencode({'q': image.object_id})}"
        return f"{self.url_of('review')}?{urlencode({'picture': image.pk})}"

    def _redirect_back(self, request: HttpRequest) -> HttpResponse:
        # Parsed and encoded again, so that no posted value can redirect to another page.
        query = QueryDict(request.POST.get("back", "")).urlencode()
        return redirect(f"{self.url_of('review')}?{query}" if query else self.url_of("review"))

    def _require_view(self, request: HttpRequest) -> None:
        request.current_app = self.admin_site.name
        if not self.has_view_permission(request):
            raise PermissionDenied


def group_by_product(images: Sequence[ProductImage]) -> list[tuple[Any, list[ProductImage]]]:
    """Return (product info, its images) in the order of the images."""
    groups: dict[catalog_objects.ObjectKey, list[ProductImage]] = {}
    for image in images:
        groups.setdefault(image.object_info.key, []).append(image)
    return [(group[0].object_info, group) for group in groups.values()]


def _selected_keys(request: HttpRequest) -> list[str]:
    return [key for key in request.POST.getlist("chosen") if INTEGER_KEY.fullmatch(key)]


def count_message(rows: QuerySet[ProductImage]) -> str:
    """Return how many pictures there are, as a sentence; long queues are not counted."""
    count = pagination.bounded_count(rows)
    if count is None:
        return gettext("More than %d pictures") % pagination.COUNT_LIMIT
    return ngettext("%d picture", "%d pictures", count) % count
