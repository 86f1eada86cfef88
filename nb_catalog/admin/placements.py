"""Published pictures: a read-only list with the actions unpublish and roll back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Prefetch, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from nb_catalog.admin import catalog_objects, thumbnails
from nb_catalog.admin.base import CatalogObjectAdmin
from nb_catalog.admin.changelists import LanguageFilter, SlotFilter, StaleFilter
from nb_catalog.admin.generate.refresh import RefreshViews
from nb_catalog.core.types import Permission
from nb_catalog.exceptions import NBCatalogError
from nb_catalog.models import Placement, ProductImage
from nb_catalog.publishing import placements


@admin.register(Placement)
class PlacementAdmin(RefreshViews, CatalogObjectAdmin):
    list_display = ("picture", "product", "place", "published_at", "out_of_date", "buttons")
    list_display_links = ("picture", "product")
    list_filter = (("slot", SlotFilter), ("locale", LanguageFilter), StaleFilter, "published_at")
    search_fields = ("object_id", "slot")
    search_help_text = _("Product key or slot")
    fields = (
        "picture", "product", "slot", "language", "position", "actor", "published_at",
        "out_of_date", "buttons",
    )  # fmt: skip

    class Media:
        css = {"all": ("nb_catalog/admin.css",)}

    def search_condition(self, term: str) -> Q:
        return Q(slot=term)

    def get_urls(self) -> list[URLPattern]:
        return [
            self.page("<int:pk>/withdraw/", require_POST(self.withdraw), name="withdraw"),
            self.page("<int:pk>/roll-back/", require_POST(self.roll_back), name="roll_back"),
            *self.refresh_urls(),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        stale = Placement.objects.filter(stale_since__isnull=False)
        key = request.GET.get("q", "").strip()
        stale = stale.filter(object_id=key) if key else stale
        may_renew = request.user.has_perm(Permission.GENERATE)
        context = {"stale": stale.count() if may_renew else 0, "renew_key": key}
        return super().changelist_view(request, {**(extra_context or {}), **context})

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        images = ProductImage.objects.defer("spec", "provenance", "checks")
        images = images.prefetch_related(thumbnails.RENDITIONS)
        return super().get_queryset(request).prefetch_related(Prefetch("image", images))

    def get_list_display(self, request: HttpRequest) -> list[str]:
        return self._visible(request, super().get_list_display(request))

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return self._visible(request, super().get_fields(request, obj))

    def _visible(self, request: HttpRequest, names: Any) -> list[str]:
        may_publish = request.user.has_perm(Permission.PUBLISH)
        return [name for name in names if may_publish or name != "buttons"]

    @admin.display(description=_("picture"))
    def picture(self, placement: Placement) -> str:
        image = placement.image
        return format_html(
            '<img class="nbc-thumb" src="{}" alt="" loading="lazy" width="72" height="{}">',
            thumbnails.thumbnail_url(image, site=self.admin_site),
            round(72 * image.height / image.width),
        )

    @admin.display(description=_("product"))
    def product(self, placement: Placement) -> str:
        return placement.object_info.title

    @admin.display(description=_("place"), ordering="slot")
    def place(self, placement: Placement) -> str:
        return " · ".join(
            (placement.slot, *filter(None, (placement.locale, str(placement.position or ""))))
        )

    @admin.display(description=_("language"), ordering="locale")
    def language(self, placement: Placement) -> str:
        return placement.locale or gettext("all")

    @admin.display(description=_("out of date since"), ordering="stale_since")
    def out_of_date(self, placement: Placement) -> Any:
        return placement.stale_since

    @admin.display(description=_("actions"))
    def buttons(self, placement: Placement) -> str:
        return format_html(
            '<span class="nbc-row-buttons">'
            '<button type="submit" class="button" formmethod="post" formaction="{}">{}</button> '
            '<button type="submit" class="button" formmethod="post" formaction="{}">{}</button>'
            "</span>",
            self.url_of("roll_back", placement.pk),
            gettext("Roll back"),
            self.url_of("withdraw", placement.pk),
            gettext("Unpublish"),
        )

    def withdraw(self, request: HttpRequest, pk: int) -> HttpResponse:
        def act(placement: Placement) -> str:
            placements.withdraw(placement, actor=request.user)
            return gettext("Unpublished from %(slot)s. The picture remains approved.")

        return self._apply(request, pk, act)

    def roll_back(self, request: HttpRequest, pk: int) -> HttpResponse:
        def act(placement: Placement) -> str:
            restored = placements.roll_back(
                catalog_objects.product_of(placement),
                slot=placement.slot,
                locale=placement.locale,
                position=placement.position,
                actor=request.user,
            )
            if restored is None:
                return gettext("Rolled back: %(slot)s is empty again.")
            return gettext("Rolled back: %(slot)s shows the previous picture again.")

        return self._apply(request, pk, act)

    def _apply(
        self, request: HttpRequest, pk: int, act: Callable[[Placement], str]
    ) -> HttpResponse:
        if not request.user.has_perm(Permission.PUBLISH):
            raise PermissionDenied
        placement = Placement.objects.filter(pk=pk).first()
        if placement is None:
            message = gettext("Someone else has already unpublished this. Reload the page.")
            self.message_user(request, message, messages.ERROR)
            return redirect(self.url_of("changelist"))
        try:
            message = act(placement) % {"slot": placement.slot}
        except NBCatalogError as error:
            self.message_user(request, str(error), messages.ERROR)
        else:
            label = ".".join(placement.content_type.natural_key())
            query = {"model": label, "product": placement.object_id, "state": "all"}
            url = f"{self.url_of('review', model='productimage')}?{urlencode(query)}"
            link_text = gettext("Pictures of this product")
            message = format_html('{} <a href="{}">{}</a>', message, url, link_text)
            self.message_user(request, message, messages.SUCCESS)
        return redirect(self.url_of("changelist"))
