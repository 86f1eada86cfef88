"""The page of a series: its members in their order on one ground, and what can be done with all of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, Final

from django.contrib import messages
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.db.models import prefetch_related_objects
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_POST

from nb_catalog import generation, live
from nb_catalog.admin import thumbnails
from nb_catalog.admin.catalog_objects import info_for_object
from nb_catalog.admin.changelists import INTEGER_KEY
from nb_catalog.admin.search import Search
from nb_catalog.admin.series import actions, cards
from nb_catalog.admin.series.actions import PERMISSIONS, SeriesAction
from nb_catalog.core.permissions import Action, may, may_view
from nb_catalog.core.types import RequestMode
from nb_catalog.exceptions import RequestRefused
from nb_catalog.generation import ItemStatus, MemberPicture
from nb_catalog.generation.series import MemberProducts, SeriesPlanner
from nb_catalog.models import Series, SeriesMember
from nb_catalog.models.generic import content_type_of
from nb_catalog.operations.search import MAX_TERM
from nb_catalog.publishing.fidelity import needs_override
from nb_catalog.registry import registered, source_for

# Members on one page of the sheet.
PER_PAGE: Final = 500
PAGE: Final = "p"
TERM: Final = "q"
# What is done with the whole series.
WHOLE: Final = ("review", "publish", "unpublish")
WORDS: Final = {
    "anchor": _("anchor"),
    "as_anchor": _("As anchor"),
    "drift": _("drift"),
    "no_photo": _("No photo"),
    "not_measured": _("not measured"),
    "review": _("Review"),
}


def visible_to(user: Any) -> Any:
    """Return the series of models whose products ``user`` may view."""
    shown = [content_type_of(model).pk for model in registered() if may_view(user, model)]
    return Series.objects.filter(content_type__in=shown)


class SheetViews:
    """The page of a series and its buttons, as additional pages of ``SeriesAdmin``."""

    def sheet_urls(self) -> list[URLPattern]:
        return [
            self.page(
                "<int:pk>/sheet/",
                require_GET(self.sheet),
                name="sheet",
                action=Action.VIEW_SERIES,
                api="series_members",
            ),
            self.page(
                "<int:pk>/events/",
                require_GET(self.events),
                name="events",
                action=Action.VIEW_SERIES,
                api="event_events",
            ),
            self.page(
                "<int:pk>/decide/",
                require_POST(self.decide),
                name="decide",
                action=Action.VIEW_SERIES,
                api="series_approve series_publish series_roll_back series_order",
            ),
        ]

    def sheet(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show the members as cards. The number of queries does not depend on how many there are."""
        series = self.series_of(request, pk)
        found = series.members.filter(removed_at=None)
        term = request.GET.get(TERM, "").strip()[:MAX_TERM]
        if term:
            search = Search(term=term, rows=SeriesMember.objects)
            search.warn(request)
            found = found.filter(search.condition(SeriesMember))
        number_found = found.count()
        pages = max(1, -(-number_found // PER_PAGE))
        number = request.GET.get(PAGE, "")
        page = min(max(int(number), 1), pages) if INTEGER_KEY.fullmatch(number) else 1
        start = (page - 1) * PER_PAGE
        ordered = found.order_by("position", "pk")
        members = list(ordered[start : start + PER_PAGE])
        objections = list(SeriesPlanner.of(series, mode=RequestMode.DIRECT).objections())
        shown = cards.cards_of(
            series, pictures_of(series, members), first=start + 1, site=self.admin_site
        )
        counted = Counter(card.state for card in shown)
        context = self.page_context(
            request,
            title=series.name,
            series=series,
            cards=shown,
            total=series.members.filter(removed_at=None).count() if term else number_found,
            # What is found is a part of the order, and has no places of its own.
            term=term,
            first=start + 1,
            last=start + len(shown),
            pages=range(1, pages + 1) if pages > 1 else (),
            page=page,
            anchor=self.anchor_context(series),
            objections=objections,
            states=[(name, counted[key]) for key, name in cards.STATES.items() if counted[key]],
            # Once for all cards: a sheet has hundreds.
            words={name: str(word) for name, word in WORDS.items()},
            has_drafts=any(
                card.image is not None and card.image.draft_id is None for card in shown
            ),
            has_drift=any(card.drift is not None for card in shown),
            needs_reason=any(
                card.image is not None and needs_override(card.image) for card in shown
            ),
            allowed=self.allowed(request, series),
            scene_is_newer=series.scene is not None
            and series.scene.version != series.scene_version,
        )
        return TemplateResponse(request, "admin/nb_catalog/series/sheet.html", context)

    def events(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """Stream what becomes of the series' pictures."""
        series = self.series_of(request, pk)
        sees_places = may(request.user, Action.VIEW_PLACEMENTS)
        feed = live.PictureFeed(series=series.key, with_placements=sees_places)
        return self.live_response(request, feed, obj=series)

    def decide(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Do "verb" to all or to the chosen members, or "verb:key" to one."""
        series = self.series_of(request, pk)
        verb, _colon, key = request.POST.get("decision", "").partition(":")
        if verb not in PERMISSIONS:
            raise Http404
        name = "order" if verb == actions.SORT else "chosen"
        place, version = request.POST.get("place", ""), request.POST.get("version", "")
        action = SeriesAction(
            verb=verb,
            keys=(key,) if key else tuple(request.POST.getlist(name)),
            version=int(version) if INTEGER_KEY.fullmatch(version) else 0,
            place=int(place) if INTEGER_KEY.fullmatch(place) else 1,
            anyway="anyway" in request.POST,
            reason=request.POST.get("reason", ""),
        )
        outcome = actions.execute(series, action, actor=request.user)
        if request.accepts("text/html"):
            self.message_user(request, outcome.message, outcome.level)
            query = request.POST.get(PAGE, "")
            url = self.url_of("sheet", pk)
            return redirect(f"{url}?{PAGE}={query}" if INTEGER_KEY.fullmatch(query) else url)
        series.refresh_from_db(fields=["order_version"])
        return JsonResponse(
            {
                "ok": outcome.succeeded,
                "level": messages.DEFAULT_TAGS[outcome.level],
                "message": outcome.message,
                "version": series.order_version,
                "order": actions.keys_in_order(series),
            }
        )

    def series_of(self, request: HttpRequest, pk: int) -> Series:
        """Return the series. 404 if there is none, ``PermissionDenied`` unless the user may view it and its
        products."""
        request.current_app = self.admin_site.name
        rows = Series.objects.select_related("scene", "anchor", "content_type", "layout", "deck")
        series = rows.filter(pk=pk, content_type__in=map(content_type_of, registered())).first()
        if series is None:
            raise Http404
        if not may_view(request.user, source_for(series.label).model):
            raise PermissionDenied
        return series

    def allowed(self, request: HttpRequest, series: Series) -> dict[str, bool]:
        """Return what the user may do with ``series``, by name of the permission."""
        model = source_for(series.label).model
        names = {
            "change": Action.CHANGE_SERIES,
            "review": Action.REVIEW,
            "publish": Action.PUBLISH,
            "unpublish": Action.UNPUBLISH,
            "plan": Action.PLAN,
            "export": Action.EXPORT,
        }
        allowed = {name: may(request.user, each, model=model) for name, each in names.items()}
        return {**allowed, "whole": any(allowed[name] for name in WHOLE)}

    def anchor_context(self, series: Series) -> dict[str, str] | None:
        """Return the title and the URLs of the anchor; None without one."""
        image = series.anchor
        if image is None:
            return None
        prefetch_related_objects([image], thumbnails.RENDITIONS)
        return {
            "title": info_for_object(image, site=self.admin_site).title,
            "url": thumbnails.thumbnail_url(image, site=self.admin_site),
            "original": thumbnails.original_url(image, site=self.admin_site),
            "width": image.width,
            "height": image.height,
        }


def pictures_of(series: Series, members: Sequence[SeriesMember]) -> Iterator[MemberPicture]:
    """Yield ``members`` with their pictures; if the series cannot be planned any more, without them."""
    try:
        yield from generation.member_pictures(series, members)
    except (RequestRefused, ImproperlyConfigured):
        # The page says why; the products and their order can still be worked on.
        source = source_for(series.label)
        keys = list(dict.fromkeys(member.object_id for member in members))
        products = {str(each.pk): each for each in MemberProducts(source, keys)}
        for member in members:
            product = products.get(member.object_id)
            yield MemberPicture(member=member, product=product, status=ItemStatus.IMPOSSIBLE)
