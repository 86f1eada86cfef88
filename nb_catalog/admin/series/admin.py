"""Series: the list with anchors and counts, and the form of the look. Each row opens its contact sheet."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from nb_catalog.admin import thumbnails
from nb_catalog.admin.base import AdminPages, SearchableAdmin
from nb_catalog.admin.design_base import FixedKeyAdmin
from nb_catalog.admin.series.anchors import AnchorViews
from nb_catalog.admin.series.cards import MemberCounts, member_counts
from nb_catalog.admin.series.forms import SeriesForm
from nb_catalog.admin.series.products import ProductViews
from nb_catalog.admin.series.sheet import SheetViews, visible_to
from nb_catalog.core.permissions import Action, may, may_view
from nb_catalog.models import ProductImage, Series, SeriesMember
from nb_catalog.registry import is_registered, source_for


@admin.register(Series)
class SeriesAdmin(
    SheetViews,
    ProductViews,
    AnchorViews,
    SearchableAdmin,
    FixedKeyAdmin,
    AdminPages,
    admin.ModelAdmin,
):
    form = SeriesForm
    list_display = (
        "picture", "named", "products", "scene_adopted", "slot", "members_made", "published", "look_link",
    )  # fmt: skip
    list_display_links = None
    list_select_related = ("scene", "content_type")
    search_fields = ("name", "key")
    search_help_text = _("Name, scene, or name or key of a product in it")
    keys_of = SeriesMember
    save_as = False

    class Media:
        css = {"all": ("nb_catalog/admin.css", "nb_catalog/series.css")}

    def get_urls(self) -> list[URLPattern]:
        return [
            *self.sheet_urls(),
            *self.product_urls(),
            *self.anchor_urls(),
            *super().get_urls(),
        ]

    def has_view_permission(self, request: HttpRequest, obj: Series | None = None) -> bool:
        return self._may(request, Action.VIEW_SERIES, obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return may(request.user, Action.CREATE_SERIES)

    def has_change_permission(self, request: HttpRequest, obj: Series | None = None) -> bool:
        return self._may(request, Action.CHANGE_SERIES, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Series | None = None) -> bool:
        return self._may(request, Action.DELETE_SERIES, obj)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Series]:
        images = ProductImage.objects.defer("spec", "provenance", "checks")
        rows = visible_to(request.user).order_by("position", "name")
        return rows.prefetch_related(
            Prefetch("anchor", images.prefetch_related(thumbnails.RENDITIONS))
        )

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        changelist = super().get_changelist_instance(request)
        rows = list(changelist.result_list)
        counts = member_counts(rows)
        for series in rows:
            series.counts = counts.get(series.pk, MemberCounts())
        changelist.result_list = rows
        return changelist

    def get_form(
        self, request: HttpRequest, obj: Series | None = None, change: bool = False, **options: Any
    ) -> type[SeriesForm]:
        form = super().get_form(request, obj, change, **options)
        # Who asks decides which models are offered.
        return type("SeriesForm", (form,), {"user": request.user, "site": self.admin_site})

    def get_fieldsets(self, request: HttpRequest, obj: Series | None = None) -> Any:
        what: tuple[Any, ...] = ("name", "key", "model", "slot", "ratio")
        look: tuple[Any, ...] = (
            "scene", "view", "treatment", "bundles", "tier", "seed_number",
        )  # fmt: skip
        sizes: tuple[str, ...] = ()
        is_posted = request.method == "POST"
        if obj is not None:
            sizes = ("take_sizes", "equal_sizes") if obj.heights_cm else ("take_sizes",)
            what = ("name", "key", "products", "slot", "ratio", "seen_version")
            look = (
                "scene_adopted", "adopt_scene", "camera", "treatment", "bundles", "tier",
                "seed_number",
            )  # fmt: skip
        return [
            (None, {"fields": (*what, ("position", "is_active"))}),
            (_("Look"), {"fields": look}),
            (_("Framing"), {"fields": ("fill", "by", "place", "baseline", "room", *sizes)}),
            (_("Text"), {"fields": ("layout", "deck")}),
            (_("Changes to the scene's recipe"), {"fields": ("overrides",)}),
            # Asked for once it is known what becomes stale.
            *([(_("Consequences"), {"fields": ("accept_stale",)})] if obj and is_posted else []),
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Series | None = None) -> Any:
        fixed = super().get_readonly_fields(request, obj)
        return fixed if obj is None else (*fixed, "products", "scene_adopted", "camera")

    def save_model(self, request: HttpRequest, obj: Series, form: Any, change: bool) -> None:
        """Nothing is left to write: the form has."""

    def response_add(
        self, request: HttpRequest, obj: Series, post_url_continue: Any = None
    ) -> HttpResponse:
        super().response_add(request, obj, post_url_continue)
        return redirect(self.url_of("sheet", obj.pk))

    def response_change(self, request: HttpRequest, obj: Series) -> HttpResponse:
        response = super().response_change(request, obj)
        further = {"_continue", "_addanother"} & set(request.POST)
        return response if further else redirect(self.url_of("sheet", obj.pk))

    @admin.display(description=_("anchor"))
    def picture(self, series: Series) -> str:
        if series.anchor is None:
            return format_html('<span class="nbc-no-picture">{}</span>', gettext("No anchor"))
        return format_html(
            '<img class="nbc-thumb" src="{}" alt="" loading="lazy" width="72" height="{}">',
            thumbnails.thumbnail_url(series.anchor, site=self.admin_site),
            round(72 * series.anchor.height / series.anchor.width),
        )

    @admin.display(description=_("name"), ordering="name")
    def named(self, series: Series) -> str:
        return format_html('<a href="{}">{}</a>', self.url_of("sheet", series.pk), series.name)

    @admin.display(description=_("products"))
    def products(self, series: Series) -> str:
        model = series.content_type.model_class()
        return series.label if model is None else str(model._meta.verbose_name_plural)

    @admin.display(description=_("scene"))
    def scene_adopted(self, series: Series) -> str:
        message = gettext("%(scene)s, version %(version)s") % {
            "scene": series.look["name"],
            "version": series.scene_version,
        }
        if series.scene is None:
            return f"{message} ({gettext('deleted')})"
        if series.scene.version != series.scene_version:
            newer = gettext("today: version %(version)s") % {"version": series.scene.version}
            return f"{message} ({newer})"
        return message

    @admin.display(description=_("camera"))
    def camera(self, series: Series) -> str:
        return series.get_view_display()

    @admin.display(description=_("pictures of members"))
    def members_made(self, series: Series) -> str:
        return gettext("%(made)s of %(members)s") % {
            "made": series.counts.made,
            "members": series.counts.members,
        }

    @admin.display(description=_("published"))
    def published(self, series: Series) -> int:
        return series.counts.published

    @admin.display(description=_("look"))
    def look_link(self, series: Series) -> str:
        url = self.url_of("change", series.pk)
        label = gettext("Look of %(name)s") % {"name": series.name}
        return format_html('<a href="{}" aria-label="{}">{}</a>', url, label, gettext("Look"))

    def _may(self, request: HttpRequest, action: Action, series: Series | None) -> bool:
        if not may(request.user, action):
            return False
        if series is None or not series.pk:
            return True
        model = series.content_type.model_class()
        if model is None or not is_registered(model):
            return False
        return may_view(request.user, source_for(model).model)
