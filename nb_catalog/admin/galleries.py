"""Deliveries to the shop's own pictures: what was delivered, what was not and why, and decisions about it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from nb_catalog.admin.changelists import LanguageFilter, SettingsFilter, SlotFilter
from nb_catalog.admin.formatting import name_of_place
from nb_catalog.admin.placed_pictures import PlacedPictureAdmin
from nb_catalog.core.permissions import Action, may
from nb_catalog.exceptions import NBCatalogError
from nb_catalog.models import GalleryDelivery
from nb_catalog.models.galleries import GalleryState
from nb_catalog.publishing.galleries import decisions
from nb_catalog.registry import registered

LABELS: Final = {
    "retry": _("Deliver now"),
    "overwrite": _("Go ahead anyway"),
    "leave": _("Leave as it is"),
}
DECIDED: Final = {
    "retry": _("It is delivered as soon as a worker gets to it."),
    "overwrite": _("A worker goes ahead. What is overwritten comes back when the picture is withdrawn."),
    "leave": _("It stays as the shop has it."),
}  # fmt: skip


class GalleryFilter(SettingsFilter):
    def known_choices(self) -> Iterable[tuple[str, Any]]:
        keys = {gallery.key for source in registered().values() for gallery in source.galleries}
        return [(key, key) for key in sorted(keys)]


@admin.register(GalleryDelivery)
class GalleryDeliveryAdmin(PlacedPictureAdmin):
    view_action = Action.VIEW_PLACEMENTS
    list_display = ("picture", "product", "place", "gallery", "condition", "buttons")
    list_display_links = ("picture", "product")
    list_filter = (
        "state", ("gallery", GalleryFilter), ("slot", SlotFilter), ("locale", LanguageFilter),
    )  # fmt: skip
    search_fields = ("object_id", "slot")
    search_help_text = _("Product name or key, slot, scene, layout, text, or #number of a run")
    fields = (
        "picture", "product", "place", "gallery", "condition", "row", "attempts", "due_at",
        "delivered_at", "buttons",
    )  # fmt: skip

    def get_urls(self) -> list[URLPattern]:
        decide = require_POST(self.decide)
        return [
            self.page(
                "<int:pk>/decide/<slug:decision>/",
                decide,
                name="decide",
                action=Action.UNPUBLISH,
                api="gallery_delivery_decide",
            ),
            *super().get_urls(),
        ]

    def get_list_display(self, request: HttpRequest) -> list[str]:
        return self._visible(request, super().get_list_display(request))

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return self._visible(request, super().get_fields(request, obj))

    def _visible(self, request: HttpRequest, names: Any) -> list[str]:
        may_decide = may(request.user, Action.UNPUBLISH)
        return [name for name in names if may_decide or name != "buttons"]

    @admin.display(description=_("place"), ordering="slot")
    def place(self, delivery: GalleryDelivery) -> str:
        return name_of_place(delivery)

    @admin.display(description=_("state"), ordering="state")
    def condition(self, delivery: GalleryDelivery) -> str:
        """Return the state, and what is wrong."""
        return condition_of(delivery)

    @admin.display(description=_("the shop's row"))
    def row(self, delivery: GalleryDelivery) -> str:
        return str(delivery.written.get("row", "")) or self.get_empty_value_display()

    @admin.display(description=_("actions"))
    def buttons(self, delivery: GalleryDelivery) -> str:
        return format_html(
            '<span class="nbc-row-buttons">{}</span>',
            format_html_join(
                " ",
                '<button type="submit" class="button" formmethod="post" formaction="{}">{}</button>',
                (
                    (self.url_of("decide", delivery.pk, decision), LABELS[decision])
                    for decision in decisions.possible(delivery)
                ),
            ),
        )

    def decide(self, request: HttpRequest, pk: int, decision: str) -> HttpResponse:
        delivery = GalleryDelivery.objects.filter(pk=pk).first()
        try:
            decisions.decide(delivery, decision)
        except NBCatalogError as error:
            self.message_user(request, str(error), messages.ERROR)
        else:
            self.message_user(request, DECIDED[decision], messages.SUCCESS)
        return redirect(self.url_of("changelist"))


def condition_of(delivery: GalleryDelivery) -> str:
    """Return the state of ``delivery`` in words, with its problem, and what became of its mark."""
    state = GalleryState(delivery.state).label
    notes = [delivery.problem] if delivery.problem else []
    if delivery.due_at and delivery.problem:
        at = date_format(timezone.localtime(delivery.due_at), "DATETIME_FORMAT")
        notes.append(gettext("The next try is at %(time)s.") % {"time": at})
    if delivery.written and not delivery.written.get("is_marked", True):
        notes.append(
            gettext(
                "The shop's field has encoded the file again: it has lost the mark of its origin."
            )
        )
    needs_person = delivery.state in (GalleryState.FAILED, GalleryState.CHANGED)
    return format_html(
        "<strong>{}</strong>{}" if needs_person else "{}{}",
        state,
        format_html_join("", "<br>{}", ((note,) for note in notes)),
    )
