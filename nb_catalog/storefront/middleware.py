"""Previews of the shop's own pages at a moment, for those who may view placements."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_cache_control

from nb_catalog.core.permissions import Action, may
from nb_catalog.exceptions import RequestRefused
from nb_catalog.storefront.moments import at, parse_moment

PARAMETER: Final = "nb_at"


class PreviewMiddleware:
    """Shows pages as they are at ``?nb_at=2026-12-24T00:00``, to users who may view placements.

    Others get the page of the present. Put it behind ``AuthenticationMiddleware``. No cache may keep a
    preview; a time that is none is answered with 400. ``request.nb_preview`` is the moment in ISO format, in
    previews only: for keys of caches.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        text = request.GET.get(PARAMETER, "")
        user = getattr(request, "user", None)
        if not text or user is None or not may(user, Action.VIEW_PLACEMENTS):
            return self.get_response(request)
        try:
            moment = parse_moment(text)
        except RequestRefused as error:
            return HttpResponse(str(error), status=400, content_type="text/plain; charset=utf-8")
        request.nb_preview = moment.isoformat()  # type: ignore[attr-defined]
        # ``cache_page`` keeps responses before their headers are set here, by their whole address: a preview
        # has one that nobody can guess. ``request.GET`` has been read above, and does not change.
        query = request.META.get("QUERY_STRING", "")
        request.META["QUERY_STRING"] = f"{query}&nb_preview={secrets.token_urlsafe(16)}"
        with at(moment):
            response = self.get_response(request)
        patch_cache_control(response, private=True, no_store=True)
        return response
