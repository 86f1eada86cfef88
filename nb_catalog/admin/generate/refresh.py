"""Published pictures that are out of date: told where it is noticed, redone with one click."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any, Final

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, reverse
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_POST

from nb_catalog.core.types import Permission
from nb_catalog.models import Placement
from nb_catalog.publishing import staleness

logger = logging.getLogger(__name__)

# Published pictures that are looked at while somebody waits for a page.
MAX_PRODUCTS: Final = 500


def warn_about_stale(request: HttpRequest, shown: QuerySet[Placement], *, admin_of: Any) -> None:
    """Look at ``shown`` and say how many of them are out of date, with the way to redo them."""
    if shown.count() > MAX_PRODUCTS:
        said = gettext(
            "Some published pictures may be out of date now. Run manage.py nb_stale to find them."
        )
        admin_of.message_user(request, said, messages.WARNING)
        return
    stale = [each for block in staleness.scan_placements(shown) for each in block]
    if stale:
        message = _told(len(stale), admin_of=admin_of)
        admin_of.message_user(request, message, messages.WARNING)


def warn_about_product(request: HttpRequest, product: Model, *, admin_of: Any) -> None:
    """The same for one product that was saved. What breaks in the shop's own words does not stop that."""
    try:
        stale = staleness.mark_stale([product])
    except DatabaseError:
        raise
    except Exception:  # noqa: BLE001 - the host's own code, asked for words
        logger.exception("The words of a saved %s cannot be compared.", product._meta.label)
        said = gettext("The text on its published pictures could not be checked. See the log.")
        admin_of.message_user(request, said, messages.WARNING)
        return
    if stale:
        message = _told(len(stale), admin_of=admin_of, product=product)
        admin_of.message_user(request, message, messages.WARNING)


def _told(count: int, *, admin_of: Any, product: Model | None = None) -> str:
    said = ngettext(
        "%d published picture shows outdated text.",
        "%d published pictures show outdated text.",
        count,
    )
    if not admin_of.admin_site.is_registered(Placement):
        return said % count
    url = _placements_url(admin_of, product=product)
    return format_html(
        '{} <a href="{}">{}</a>', said % count, url, gettext("Review and regenerate them")
    )


def _placements_url(admin_of: Any, *, product: Model | None) -> str:
    url = reverse(f"{admin_of.admin_site.name}:nb_catalog_placement_changelist")
    return f"{url}?is_stale=yes" + (f"&q={product.pk}" if product is not None else "")


class RefreshViews:
    """The button "Redo what is out of date", as a further page of ``PlacementAdmin``."""

    def renewal_urls(self) -> list[URLPattern]:
        return [self.page("renew/", require_POST(self.renew), name="renew")]

    def renew(self, request: HttpRequest) -> HttpResponse:
        """POST: all that is marked, or the products in ``key``. Permission generate."""
        if not request.user.has_perm(Permission.GENERATE):
            raise PermissionDenied
        shown = Placement.objects.filter(stale_since__isnull=False)
        if key := request.POST.get("key"):
            shown = shown.filter(object_id=key)
        return refresh_with_messages(request, staleness.products_of(shown), admin_of=self)


def refresh_with_messages(
    request: HttpRequest, products: Iterable[Model], *, admin_of: Any
) -> HttpResponse:
    """Start what has to be made anew and go to its run; where there is none, say why."""
    outcome = staleness.refresh(products, actor=request.user)
    site = admin_of.admin_site.name
    if outcome.runs:
        said = gettext("Started. Pictures appear below as they are generated.")
        admin_of.message_user(request, said, messages.SUCCESS)
        if len(outcome.runs) == 1:
            return redirect(reverse(f"{site}:nb_catalog_run_change", args=[outcome.runs[0].pk]))
        return redirect(reverse(f"{site}:nb_catalog_run_changelist"))
    said = (
        gettext(
            "The outdated pictures have already been regenerated, or cannot be. Review and "
            "publish the new ones, or plan them again to see why."
        )
        if outcome.stale
        else gettext("No published pictures are out of date.")
    )
    admin_of.message_user(request, said, messages.WARNING if outcome.stale else messages.INFO)
    return redirect(
        reverse(f"{site}:{admin_of.opts.app_label}_{admin_of.opts.model_name}_changelist")
    )
