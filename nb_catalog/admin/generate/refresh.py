"""Report published pictures that are out of date, and regenerate them with one click."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.db import Error
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, reverse
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_POST

from nb_catalog import cutouts
from nb_catalog.admin.review.replacements import MAX_OUTDATED, replacements_of
from nb_catalog.admin.search import Search
from nb_catalog.core.permissions import Action, may
from nb_catalog.core.text import strip_unstorable
from nb_catalog.models import CopyDeck, Placement, TextLayout
from nb_catalog.models.generic import content_type_of, own_key
from nb_catalog.publishing import request_photo_renditions, staleness
from nb_catalog.registry import registered, source_for, subject_of

logger = logging.getLogger(__name__)

# Placements that are checked during a web request.


def warn_about_stale(
    request: HttpRequest, design: CopyDeck | TextLayout, *, model_admin: Any
) -> None:
    """Check what is published with ``design``, and report how many are out of date, with a link to regenerate
    them."""
    stale = staleness.mark_stale_of(design)
    if stale is None:
        message = gettext(
            "Some published pictures may be out of date now. Run manage.py nb_stale to find them."
        )
        model_admin.message_user(request, message, messages.WARNING)
    elif stale:
        message = _stale_message(stale, model_admin=model_admin)
        model_admin.message_user(request, message, messages.WARNING)


def warn_about_product(request: HttpRequest, product: Model, *, model_admin: Any) -> None:
    """Report outdated pictures of a saved product. Errors in the host's code do not prevent saving."""
    try:
        stale = staleness.mark_stale([product])
    except Error:
        raise
    except Exception:  # noqa: BLE001 - the host's own code provides the texts
        logger.exception("The texts of a saved %s could not be compared.", product._meta.label)
        message = gettext("The text on its published pictures could not be checked. See the log.")
        model_admin.message_user(request, message, messages.WARNING)
        return
    if stale:
        message = _stale_message(len(stale), model_admin=model_admin, product=product)
        model_admin.message_user(request, message, messages.WARNING)


def request_photos(product: Model, *, again: bool) -> None:
    """Have a worker read the photos of a saved product. Errors in the host's code do not prevent saving."""
    source = source_for(product)
    try:
        # Read again: what the page has prefetched is older than what it has saved.
        saved = list(source.queryset().filter(pk=own_key(product)[1]))
        request_photo_renditions(saved, again=again)
        if again:
            photos = [(each, photo) for each in saved for photo in source.photos(each)]
            cutouts.request_cutouts(photos, again=True)
    except Error:
        raise
    except Exception:  # noqa: BLE001 - the host's own code finds the photos
        logger.exception("The photos of a saved %s could not be looked up.", product._meta.label)


def _stale_message(count: int, *, model_admin: Any, product: Model | None = None) -> str:
    message = ngettext(
        "%d published picture shows outdated text.",
        "%d published pictures show outdated text.",
        count,
    )
    if not model_admin.admin_site.is_registered(Placement):
        return message % count
    url = reverse(f"{model_admin.admin_site.name}:nb_catalog_placement_changelist")
    url = f"{url}?is_stale=yes" + (f"&q={subject_of(product).pk}" if product is not None else "")
    return format_html(
        '{} <a href="{}">{}</a>', message % count, url, gettext("Review and regenerate them")
    )


class RefreshViews:
    """The button "Regenerate outdated pictures", as an additional page of ``PlacementAdmin``."""

    def refresh_urls(self) -> list[URLPattern]:
        return [
            self.page(
                "renew/",
                require_POST(self.renew),
                name="renew",
                action=Action.START_RUN,
                api="plan_renewal run_renewal",
            )
        ]

    def outdated_context(self, request: HttpRequest) -> dict[str, Any]:
        """Return how many of the placements that the search finds are out of date, and of how many the
        replacement exists or is being made."""
        stale = self._outdated(request, request.GET.get("q", ""))
        count = stale.count()
        rows = (
            list(stale.prefetch_related("image")[:MAX_OUTDATED])
            if 0 < count <= MAX_OUTDATED
            else []
        )
        replaced = len(replacements_of(rows))
        return {
            "stale": count - replaced,
            "replaced": replaced,
            "renew_term": request.GET.get("q", ""),
            "list_query": request.GET.urlencode(),
        }

    def renew(self, request: HttpRequest) -> HttpResponse:
        """POST: regenerate everything marked, or what a search for ``key`` finds. Requires permission
        generate."""
        stale = self._outdated(request, request.POST.get("key", ""))
        response = refresh_with_messages(request, staleness.products_of(stale), model_admin=self)
        return response or self.to_list(request.POST.get("back", ""))

    def _outdated(self, request: HttpRequest, term: str) -> QuerySet[Placement]:
        models = (each for each in registered() if may(request.user, Action.PLAN, model=each))
        kinds = [content_type_of(model).pk for model in models]
        stale = Placement.objects.filter(stale_since__isnull=False, content_type__in=kinds)
        if not term.strip():
            return stale
        return stale.filter(
            Search(term=strip_unstorable(term).strip(), rows=Placement.objects).condition(Placement)
        )


def refresh_with_messages(
    request: HttpRequest, products: Iterable[Model], *, model_admin: Any
) -> HttpResponse | None:
    """Start regeneration and redirect to its run; otherwise report why nothing was started, and return
    None: the user stays on the list, with its filters."""
    result = staleness.refresh(products, actor=request.user)
    site = model_admin.admin_site.name
    if result.runs:
        message = gettext("Started. Pictures appear below as they are generated.")
        model_admin.message_user(request, message, messages.SUCCESS)
        if len(result.runs) == 1:
            return redirect(reverse(f"{site}:nb_catalog_run_change", args=[result.runs[0].pk]))
        return redirect(reverse(f"{site}:nb_catalog_run_changelist"))
    message = (
        gettext(
            "The outdated pictures have already been regenerated, or cannot be. Review and "
            "publish the new ones, or plan them again to see why."
        )
        if result.stale
        else gettext("No published pictures are out of date.")
    )
    model_admin.message_user(request, message, messages.WARNING if result.stale else messages.INFO)
    return None
