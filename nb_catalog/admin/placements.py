"""Published pictures: a read-only list with the actions unpublish and roll back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import URLPattern
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from nb_catalog.admin import catalog_objects
from nb_catalog.admin.base import declares
from nb_catalog.admin.changelists import LanguageFilter, SlotFilter, StaleFilter
from nb_catalog.admin.exports import to_export
from nb_catalog.admin.formatting import name_of_place
from nb_catalog.admin.galleries import condition_of
from nb_catalog.admin.generate.refresh import RefreshViews
from nb_catalog.admin.placed_pictures import PlacedPictureAdmin
from nb_catalog.admin.review.replacements import Replacement, replacements_of
from nb_catalog.core.permissions import Action, may
from nb_catalog.exceptions import NBCatalogError, RequestRefused
from nb_catalog.models import GalleryDelivery, Placement, PlacementEvent, ProductImage, Publication
from nb_catalog.publishing import placements, places
from nb_catalog.publishing.galleries import lookups

# Where Django keeps the query of a list that a page was opened from.
PRESERVED: Final = "_changelist_filters"
# Changes of a place that its page lists.
MOST_EVENTS: Final = 50
CHANGES: Final = {
    "publish": _("Published"),
    "renew": _("Renewed"),
    "withdraw": _("Unpublished"),
    "withdraw_stale": _("Unpublished: out of date"),
    "roll_back": _("Rolled back"),
    "restore": _("Restored"),
    "follow_final": _("Text set on the final"),
}


@admin.register(Placement)
class PlacementAdmin(RefreshViews, PlacedPictureAdmin):
    view_action = Action.VIEW_PLACEMENTS
    actions = ("export_pictures",)
    list_display = ("picture", "product", "place", "published_at", "out_of_date", "buttons")
    list_display_links = ("picture", "product")
    list_filter = (("slot", SlotFilter), ("locale", LanguageFilter), StaleFilter, "published_at")
    search_fields = ("object_id", "slot")
    search_help_text = _("Product name or key, slot, scene, layout, text, or #number of a run")
    fields = (
        "picture", "product", "slot", "language", "numbered", "actor", "published_at",
        "out_of_date", "galleries", "buttons", "history",
    )  # fmt: skip

    def has_export_permission(self, request: HttpRequest) -> bool:
        return may(request.user, Action.EXPORT) and self.admin_site.is_registered(ProductImage)

    @declares(Action.EXPORT, api="export_create")
    @admin.action(description=_("Export…"), permissions=["export"])
    def export_pictures(self, request: HttpRequest, queryset: QuerySet) -> HttpResponse | None:
        """Choose names and formats of the published pictures, and download them."""
        return to_export(self, request, queryset)

    def get_urls(self) -> list[URLPattern]:
        return [
            self.page(
                "<int:pk>/withdraw/",
                require_POST(self.withdraw),
                name="withdraw",
                action=Action.UNPUBLISH,
                api="placement_withdraw",
            ),
            self.page(
                "<int:pk>/roll-back/",
                require_POST(self.roll_back),
                name="roll_back",
                action=Action.UNPUBLISH,
                api="placement_roll_back placement_roll_back_place",
            ),
            *self.refresh_urls(),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        context = {**(extra_context or {}), "may_roll_back": may(request.user, Action.UNPUBLISH)}
        if self.admin_site.is_registered(Publication):
            context["publications_url"] = self.url_of("changelist", model="publication")
        if self.has_export_permission(request):
            slot = request.GET.get("slot__exact")
            query = urlencode({"published": 1, **({"slot": slot} if slot else {})})
            context["export_url"] = f"{self.url_of('export', model='productimage')}?{query}"
        if may(request.user, Action.PLAN):
            context |= self.outdated_context(request)
        return super().changelist_view(request, context)

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        changelist = super().get_changelist_instance(request)
        self._prepare(changelist.result_list, query=request.GET.urlencode())
        return changelist

    def get_object(self, request: HttpRequest, object_id: str, from_field: Any = None) -> Any:
        placement = super().get_object(request, object_id, from_field)
        if placement is not None:
            self._prepare([placement], query=request.GET.get(PRESERVED, ""))
        return placement

    def _prepare(self, rows: Sequence[Placement], *, query: str) -> None:
        """Set what the columns read. The number of queries does not depend on the number of rows."""
        replacements = replacements_of(rows)
        with_previous = placements.with_previous(rows)
        deliveries = lookups.deliveries_of(rows)
        for row in rows:
            row.deliveries = deliveries.get(places.place_key(row), ())
            row.replacement = replacements.get(row.pk)
            row.has_previous = row.pk in with_previous and row.object_info.exists
            row.list_query = query

    def get_list_display(self, request: HttpRequest) -> list[str]:
        return self._visible(request, super().get_list_display(request))

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return self._visible(request, super().get_fields(request, obj))

    def _visible(self, request: HttpRequest, names: Any) -> list[str]:
        may_publish = may(request.user, Action.UNPUBLISH)
        left_out = set() if may_publish else {"buttons"}
        if not lookups.are_declared():
            left_out.add("galleries")
        return [name for name in names if name not in left_out]

    @admin.display(description=_("place"), ordering="slot")
    def place(self, placement: Placement) -> str:
        """Return the place, and the state of the picture in each gallery of the shop."""
        galleries = format_html_join(
            "",
            "<br>{}: {}",
            (
                (self._link_to_delivery(each), each.get_state_display())
                for each in placement.deliveries
            ),
        )
        return format_html("{}{}", name_of_place(placement), galleries)

    def _link_to_delivery(self, delivery: GalleryDelivery) -> str:
        if not self.admin_site.is_registered(GalleryDelivery):
            return delivery.gallery
        url = self.url_of("change", delivery.pk, model="gallerydelivery")
        return format_html('<a href="{}">{}</a>', url, delivery.gallery)

    @admin.display(description=_("position"), ordering="position")
    def numbered(self, placement: Placement) -> int:
        """People count from 1, as the names of places do."""
        return placement.position + 1

    @admin.display(description=_("language"), ordering="locale")
    def language(self, placement: Placement) -> str:
        return placement.locale or gettext("all")

    @admin.display(description=_("out of date since"), ordering="stale_since")
    def out_of_date(self, placement: Placement) -> Any:
        if placement.stale_since is None:
            return self.get_empty_value_display()
        since = date_format(timezone.localtime(placement.stale_since), "DATETIME_FORMAT")
        if placement.replacement is None:
            return since
        return format_html("{}<br>{}", since, self.link_to(placement.replacement))

    @admin.display(description=_("in the shop's own pictures"))
    def galleries(self, placement: Placement) -> str:
        """Return where the picture was delivered in the shop's models, and what kept it out."""
        deliveries = format_html_join(
            "",
            "<div>{}: {}</div>",
            ((self._link_to_delivery(each), condition_of(each)) for each in placement.deliveries),
        )
        return deliveries or self.get_empty_value_display()

    def link_to(self, replacement: Replacement) -> str:
        """Return a link to what replaces an outdated picture."""
        if replacement.image_id is None:
            text = gettext("Its replacement is being generated")
            url = self.url_of("change", replacement.run_id, model="run")
        else:
            text = (
                gettext("Its replacement waits to be published")
                if replacement.is_approved
                else gettext("Its replacement waits for review")
            )
            url = self.url_of("review", model="productimage") + f"?picture={replacement.image_id}"
        return format_html('<a href="{}">{}</a>', url, text)

    @admin.display(description=_("history"))
    def history(self, placement: Placement) -> str:
        """Return what was shown in the place and why, the latest change first."""
        events = PlacementEvent.objects.about_keys(
            [(placement.content_type_id, placement.object_id)]
        ).filter(slot=placement.slot, locale=placement.locale, position=placement.position)
        lines = []
        for event in events.select_related("actor").order_by("-id")[:MOST_EVENTS]:
            at = date_format(timezone.localtime(event.at), "DATETIME_FORMAT")
            shown = event.image_after_id
            parts = [
                CHANGES.get(event.move, event.move),
                "" if shown is None else gettext("Picture %(pk)s") % {"pk": shown},
                "" if event.actor is None else str(event.actor),
                at,
            ]
            note = format_html("<p>{}</p>", event.note) if event.note else ""
            lines.append((" · ".join(str(part) for part in parts if part), note))
        return format_html(
            '<ol class="nbc-events">{}</ol>', format_html_join("", "<li>{}{}</li>", lines)
        )

    @admin.display(description=_("actions"))
    def buttons(self, placement: Placement) -> str:
        buttons = [("withdraw", gettext("Unpublish"))]
        if placement.has_previous:
            buttons.insert(0, ("roll_back", gettext("Roll back")))
        query = urlencode({PRESERVED: placement.list_query})
        return format_html(
            '<span class="nbc-row-buttons">{}</span>',
            format_html_join(
                " ",
                '<button type="submit" class="button" formmethod="post" formaction="{}?{}">{}</button>',
                ((self.url_of(name, placement.pk), query, label) for name, label in buttons),
            ),
        )

    def withdraw(self, request: HttpRequest, pk: int) -> HttpResponse:
        def act(placement: Placement) -> str:
            placements.withdraw(placement, actor=request.user)
            return gettext("Unpublished from %(slot)s. The picture remains approved.")

        return self._apply(request, pk, act)

    def roll_back(self, request: HttpRequest, pk: int) -> HttpResponse:
        def act(placement: Placement) -> str:
            product = catalog_objects.product_of(placement)
            if not placements.with_previous([placement]):
                raise RequestRefused(
                    gettext(
                        "No approved picture was there before. To empty the place, unpublish it."
                    )
                )
            placements.roll_back(
                product,
                slot=placement.slot,
                locale=placement.locale,
                position=placement.position,
                actor=request.user,
            )
            return gettext("Rolled back: %(slot)s shows the previous picture again.")

        return self._apply(request, pk, act)

    def _apply(
        self, request: HttpRequest, pk: int, act: Callable[[Placement], str]
    ) -> HttpResponse:
        placement = Placement.objects.filter(pk=pk).first()
        if placement is None:
            message = gettext("Someone else has already unpublished this. Reload the page.")
            self.message_user(request, message, messages.ERROR)
            return self.to_list(request.GET.get(PRESERVED, ""))
        try:
            message = act(placement) % {"slot": name_of_place(placement)}
        except NBCatalogError as error:
            self.message_user(request, str(error), messages.ERROR)
        else:
            label = ".".join(placement.content_type.natural_key())
            query = {"model": label, "product": placement.object_id, "state": "all"}
            url = f"{self.url_of('review', model='productimage')}?{urlencode(query)}"
            link_text = gettext("Pictures of this product")
            message = format_html('{} <a href="{}">{}</a>', message, url, link_text)
            self.message_user(request, message, messages.SUCCESS)
        return self.to_list(request.GET.get(PRESERVED, ""))

    def to_list(self, query: str) -> HttpResponse:
        """Return to the list with the filters and the page of ``query``, a query string."""
        # Parsed and encoded again, so that no value can redirect to another page.
        query = QueryDict(query).urlencode()
        return redirect(
            f"{self.url_of('changelist')}?{query}" if query else self.url_of("changelist")
        )
