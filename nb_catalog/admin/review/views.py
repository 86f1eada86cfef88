"""The review page: a product's own photo beside the pictures that were made of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final
from urllib.parse import urlencode

from django.conf import settings as django_settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Page
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import URLPattern
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_POST

from nb_catalog import review
from nb_catalog.admin import catalog_objects, thumbnails
from nb_catalog.admin.review import ocr
from nb_catalog.admin.review.actions import (
    VERBS,
    ReviewOutcome,
    ReviewPermissions,
    decide,
    decision,
)
from nb_catalog.admin.review.forms import LOOKS_LIKE_A_KEY, FilterForm, pictures
from nb_catalog.admin.review.previous import previous_images
from nb_catalog.core.pagination import BoundedPaginator
from nb_catalog.imaging.provenance import DigitalSourceType
from nb_catalog.models import ProductImage, Scene
from nb_catalog.models.images import ImageKind

# IPTC's terms in a merchandiser's words.
ORIGINS: Final = {
    DigitalSourceType.CAPTURE: _("Photograph"),
    DigitalSourceType.CREATION: _("Made by hand"),
    DigitalSourceType.ALGORITHMIC: _("Rendered, without AI"),
    DigitalSourceType.COMPOSITE_WITH_MODEL: _("Own product photo, surroundings by AI"),
    DigitalSourceType.MODEL: _("Made by AI"),
}
PER_PAGE: Final = 24


class ReviewViews:
    """Review, decisions and the pictures themselves, as further pages of ``ProductImageAdmin``."""

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
        """Pictures by product. A constant number of queries, whatever their number."""
        self._require_view(request)
        form = FilterForm(request.GET.dict())
        rows = form.chosen().order_by("content_type_id", "object_id", "scene", "id")
        page = BoundedPaginator(rows, PER_PAGE).get_page(request.GET.get("page"))
        powers = ReviewPermissions.of(request.user)
        images = self._shown(page.object_list, powers=powers)
        context = self.page_context(
            request,
            title=gettext("Review pictures"),
            form=form,
            page=page,
            page_range=page.paginator.get_elided_page_range(page.number),
            groups=_by_product(images),
            powers=powers,
            query=_query(request.GET),
            back=_query(request.GET, page=page),
            languages=django_settings.LANGUAGES,
            offer=ocr.ocr_offer(images),
        )
        return TemplateResponse(request, "admin/nb_catalog/productimage/review.html", context)

    def decide(self, request: HttpRequest) -> HttpResponse:
        """Carry out "verb:key" of one picture, or approve or publish every picture that was ticked."""
        self._require_view(request)
        verb, _colon, key = request.POST.get("decision", "").partition(":")
        if verb == "approve_chosen":
            return self._approve_chosen(request)
        if verb == "publish_chosen":
            return self._publish_chosen(request)
        if verb not in VERBS or not LOOKS_LIKE_A_KEY.fullmatch(key):
            raise Http404
        image = get_object_or_404(ProductImage, pk=key, kind=ImageKind.PICTURE)
        outcome = decide(image, decision(verb, image.pk, request.POST), actor=request.user)
        if request.accepts("text/html"):
            return self._back(request, image, outcome)
        return JsonResponse(
            {
                "ok": outcome.went_well,
                "level": messages.DEFAULT_TAGS[outcome.level],
                "said": outcome.said,
                "undo": outcome.undo,
                "place": dict(outcome.place),
                "card": self._card(request, image.pk),
            }
        )

    def preview(self, request: HttpRequest, pk: int, digest: str, width: int) -> HttpResponse:
        self._require_view(request)
        image = get_object_or_404(ProductImage, pk=pk, sha256__startswith=digest)
        return thumbnails.serve_thumbnail(request, image, width=width)

    def original(self, request: HttpRequest, pk: int, digest: str) -> HttpResponse:
        self._require_view(request)
        image = get_object_or_404(ProductImage, pk=pk, sha256__startswith=digest)
        return thumbnails.original(request, image)

    def _approve_chosen(self, request: HttpRequest) -> HttpResponse:
        ReviewPermissions.of(request.user).require("approve")
        tally = review.approve_all(pictures().filter(pk__in=_chosen(request)), actor=request.user)
        if tally.decided or not tally.refused:
            count = tally.decided
            said = ngettext("%d picture approved.", "%d pictures approved.", count) % count
            self.message_user(request, said, messages.SUCCESS if count else messages.WARNING)
        for refusal in tally.refused:
            self.message_user(request, refusal, messages.ERROR)
        return redirect(self._review_url(request.POST.get("back", "")))

    def _publish_chosen(self, request: HttpRequest) -> HttpResponse:
        """Each to its own place, as its card says. With JavaScript the page sends them one by one."""
        ReviewPermissions.of(request.user).require("publish")
        published = 0
        for image in pictures().filter(pk__in=_chosen(request)):
            asked = replace(decision("publish", image.pk, request.POST), ticked=True)
            outcome = decide(image, asked, actor=request.user)
            published += outcome.went_well
            if not outcome.went_well:
                self.message_user(request, outcome.said, outcome.level)
        said = ngettext("%d picture published.", "%d pictures published.", published) % published
        self.message_user(request, said, messages.SUCCESS if published else messages.WARNING)
        return redirect(self._review_url(request.POST.get("back", "")))

    def _back(
        self, request: HttpRequest, image: ProductImage, outcome: ReviewOutcome
    ) -> HttpResponse:
        said = outcome.said
        if outcome.undo:
            url = self._undo_url(image, outcome)
            said = format_html('{} <a href="{}">{}</a>', said, url, gettext("Undo…"))
        self.message_user(request, said, outcome.level)
        return redirect(self._review_url(request.POST.get("back", "")))

    def _undo_url(self, image: ProductImage, outcome: ReviewOutcome) -> str:
        if outcome.undo == "roll_back":
            listed = self.url_of("changelist", model="placement")
            return f"{listed}?{urlencode({'q': image.object_id})}"
        return f"{self.url_of('review')}?{urlencode({'picture': image.pk})}"

    def _card(self, request: HttpRequest, pk: int) -> str:
        powers = ReviewPermissions.of(request.user)
        image = self._shown(pictures().filter(pk=pk), powers=powers)[0]
        context = {
            "image": image,
            "powers": powers,
            "languages": django_settings.LANGUAGES,
            "offer": ocr.ocr_offer([image]),
        }
        return render_to_string("admin/nb_catalog/productimage/card.html", context, request)

    def _shown(self, rows: QuerySet, *, powers: ReviewPermissions) -> Sequence[ProductImage]:
        images = list(rows)
        catalog_objects.attach_info(images, site=self.admin_site)
        standing = previous_images(images)
        scenes = dict(Scene.objects.values_list("key", "name"))
        for image in images:
            image.large_url = thumbnails.thumbnail_url(
                image, site=self.admin_site, width=thumbnails.LARGE
            )
            image.original_url = thumbnails.original_url(image, site=self.admin_site)
            image.scene_name = scenes.get(image.scene, image.scene)
            image.origin = ORIGINS.get(image.digital_source_type, image.digital_source_type)
            image.verbs = powers.verbs(image.state)
            image.variant = image.spec.get("variant", 1)
            image.ocr = ocr.ocr_summary(image)
            image.published_in = _places(image)
            image.replaces = standing.get(image.pk)
        return images

    def _review_url(self, back: str) -> str:
        """``back`` is a query string; whatever else it holds, it stays on this page."""
        query = QueryDict(back).urlencode()
        return f"{self.url_of('review')}?{query}" if query else self.url_of("review")

    def _require_view(self, request: HttpRequest) -> None:
        request.current_app = self.admin_site.name
        if not self.has_view_permission(request):
            raise PermissionDenied


def _chosen(request: HttpRequest) -> list[str]:
    return [key for key in request.POST.getlist("chosen") if LOOKS_LIKE_A_KEY.fullmatch(key)]


def _by_product(images: Sequence[ProductImage]) -> list[tuple[Any, list[ProductImage]]]:
    groups: dict[catalog_objects.ObjectKey, list[ProductImage]] = {}
    for image in images:
        groups.setdefault(image.subject_shown.key, []).append(image)
    return [(several[0].subject_shown, several) for several in groups.values()]


def _places(image: ProductImage) -> str:
    return ", ".join(
        f"{each.slot} {each.position + 1}" if each.position else each.slot
        for each in image.placements.all()
    )


def _query(given: QueryDict, *, page: Page | None = None) -> str:
    """The page's address without its number, or with that of ``page``."""
    kept = given.copy()
    kept.pop("page", None)
    if page is not None and page.number > 1:
        kept["page"] = str(page.number)
    return kept.urlencode()
