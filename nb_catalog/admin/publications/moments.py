"""What places show at another moment: those that change until then, or all of chosen products."""

from __future__ import annotations

from typing import Any, Final

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern
from django.utils.translation import gettext

from nb_catalog.admin.base import AdminPages
from nb_catalog.admin.generate.selection import BLOCK_SIZE, load_selection
from nb_catalog.admin.publications.forms import MomentForm
from nb_catalog.admin.publications.places import PlaceRow, place_rows
from nb_catalog.core.iteration import blocks
from nb_catalog.core.permissions import Action, may_view
from nb_catalog.models import PlacementEvent, PlannedPlacement
from nb_catalog.models.db.clock import database_now
from nb_catalog.models.generic import ObjectKey, fetch_subjects, key_condition, object_key
from nb_catalog.storefront.timeline import PLACE, shown_at

# Products that the page shows.
MOST_PRODUCTS: Final = 60


class MomentViews(AdminPages):
    """The page “Preview at a moment”, of ``PublicationAdmin``."""

    def moment_urls(self) -> list[URLPattern]:
        return [
            self.page(
                "moment/",
                self.moment,
                name="moment",
                action=Action.VIEW_PLACEMENTS,
                api="placement_moment",
            )
        ]

    def moment(self, request: HttpRequest) -> HttpResponse:
        """Show what places show at ``at``, beside what they show now. With ``selection``, all places of the
        chosen products; without it, those that change until then, of all ``products`` or of those found."""
        selection = load_selection(request, request.GET.get("selection", ""))
        form = MomentForm(
            request.GET if "at" in request.GET else None, has_chosen=selection is not None
        )
        if selection is not None and not may_view(request.user, selection.source.model):
            raise PermissionDenied
        rows: list[PlaceRow] | None = None
        if form.is_valid():
            rows = self._shown(selection, **form.cleaned_data)
        context = self.page_context(
            request,
            title=gettext("Preview at a moment"),
            form=form,
            selection=selection,
            rows=rows,
            most=MOST_PRODUCTS,
        )
        return TemplateResponse(request, "admin/nb_catalog/publication/moment.html", context)

    def _shown(
        self, selection: Any, *, at: Any, slot: str, products: frozenset[ObjectKey] | None = None
    ) -> list[PlaceRow]:
        slots = [slot] if slot else None
        if selection is None:
            keys = _changing(at, slot=slot, among=products)
        else:
            chosen = list(selection.products(limit=MOST_PRODUCTS))
            fetch_subjects(chosen)
            keys = {object_key(product) for product in chosen}
        now, then = (
            {
                each[: len(PLACE)]: each.image_id
                for each in shown_at(keys, moment=moment, slots=slots)
            }
            for moment in (database_now(), at)
        )
        changes = [
            (key, now.get(key), then.get(key), "")
            for key in sorted(now.keys() | then.keys(), key=str)
            if selection is not None or now.get(key) != then.get(key)
        ]
        return list(place_rows(changes, site=self.admin_site))


def _changing(at: Any, *, slot: str, among: frozenset[ObjectKey] | None) -> set[ObjectKey]:
    """Return products, of those ``among``, with places that change until ``at``, or have changed since;
    ``MOST_PRODUCTS``."""
    if at > database_now():
        rows: Any = PlannedPlacement.objects.filter(publication__due_at__isnull=False)
    else:
        rows = PlacementEvent.objects.filter(at__gt=at)
    if slot:
        rows = rows.filter(slot=slot)
    keys = rows.order_by("content_type_id", "object_id").values_list("content_type_id", "object_id")
    if among is None:
        return set(keys.distinct()[:MOST_PRODUCTS])
    found: list[ObjectKey] = []
    for block in blocks(sorted(among), size=BLOCK_SIZE):
        found += keys.filter(key_condition(block)).distinct()[: MOST_PRODUCTS - len(found)]
        if len(found) == MOST_PRODUCTS:
            break
    return set(found)
