"""Saved filters of the review page, and what a reviewer has claimed there."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.shortcuts import redirect
from django.urls import URLPattern
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_POST

from nb_catalog import review
from nb_catalog.admin.changelists import INTEGER_KEY
from nb_catalog.admin.review.actions import require
from nb_catalog.core.permissions import Action
from nb_catalog.exceptions import RequestRefused
from nb_catalog.review.saved_filters import query_of


class FilterViews:
    """What is saved and claimed on the review page, as additional addresses of ``ProductImageAdmin``."""

    def filter_urls(self) -> list[URLPattern]:
        return [
            self.page(
                "review/filters/",
                require_POST(self.filters),
                name="filters",
                action=Action.VIEW_IMAGES,
                api=(
                    "review_filter_list review_filter_retrieve review_filter_create "
                    "review_filter_destroy"
                ),
            ),
            self.page(
                "review/claims/",
                require_POST(self.claims),
                name="claims",
                action=Action.VIEW_IMAGES,
                api="claim_create claim_renew claim_release",
            ),
        ]

    def filters(self, request: HttpRequest) -> HttpResponse:
        """Save the filter that is shown under a name, or delete a saved one of one's own."""
        self.require_view(request)
        query = query_of(QueryDict(request.POST.get("back", "")))
        key = request.POST.get("delete", "")
        if key:
            if INTEGER_KEY.fullmatch(key) and review.delete_filter(int(key), user=request.user):
                self.message_user(request, gettext("The filter was deleted."))
            return self._to_review(query)
        try:
            review.save_filter(
                request.POST.get("name", ""),
                query=query,
                is_shared="is_shared" in request.POST,
                user=request.user,
            )
        except RequestRefused as refusal:
            self.message_user(request, str(refusal), messages.ERROR)
        else:
            self.message_user(request, gettext("The filter was saved."))
        return self._to_review(query)

    def claims(self, request: HttpRequest) -> HttpResponse:
        """Renew one's claims of the ``cards`` that an open page shows, as it does now and then, and return
        the keys of those that are one's own still; or give all pictures back."""
        self.require_view(request)
        require(request.user, "approve")
        if "release" not in request.POST:
            shown = request.POST.get("cards", "").split(",")
            keys = [int(key) for key in shown if INTEGER_KEY.fullmatch(key)]
            claimed = review.renew_claims(keys, reviewer=request.user)
            return JsonResponse({"claimed": sorted(claimed)})
        count = review.release_claims(reviewer=request.user)
        message = ngettext("%d picture given back.", "%d pictures given back.", count)
        self.message_user(request, message % count)
        return self._to_review("")

    def _to_review(self, query: str) -> HttpResponse:
        return redirect(f"{self.url_of('review')}?{query}" if query else self.url_of("review"))
