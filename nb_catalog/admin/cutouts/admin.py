"""Cut-outs: a read-only list with actions; each row opens in the editor."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from nb_catalog.admin.base import CatalogObjectAdmin, declares
from nb_catalog.admin.changelists import SettingsFilter
from nb_catalog.admin.cutouts import cards
from nb_catalog.admin.cutouts.decisions import KIND_NAMES, execute, needed_action
from nb_catalog.admin.cutouts.editor import EditorViews
from nb_catalog.admin.cutouts.sheet import SheetViews, count_message
from nb_catalog.core.permissions import Action, may
from nb_catalog.cutouts.access import doubtful, may_each, visible_to
from nb_catalog.models import PhotoCutout
from nb_catalog.models.cutouts import CutoutState
from nb_catalog.models.generic import content_type_of
from nb_catalog.registry import registered


class ProductModelFilter(SettingsFilter):
    def known_choices(self) -> Iterable[tuple[str, Any]]:
        return [
            (str(content_type_of(model).pk), model._meta.verbose_name_plural)
            for model in registered()
        ]


class KindFilter(SettingsFilter):
    def known_choices(self) -> Iterable[tuple[str, Any]]:
        return list(KIND_NAMES.items())


class SuggestedKindFilter(SettingsFilter):
    def known_choices(self) -> Iterable[tuple[str, Any]]:
        return [(kind, name) for kind, name in KIND_NAMES.items() if kind]


def decision_action(verb: str, description: Any, *, api: str) -> Any:
    """Return an action of the list that does ``verb`` to the selected rows."""
    needed = needed_action(verb)
    permission = "cut_again" if needed == Action.CUT_AGAIN else "decide"

    @declares(needed, api=api)
    @admin.action(description=description, permissions=[permission])
    def act(model_admin: Any, request: HttpRequest, queryset: QuerySet[PhotoCutout]) -> None:
        outcome = execute(list(queryset), verb, actor=request.user)
        model_admin.message_user(request, outcome.message, outcome.level)

    act.__name__ = f"{verb}_cutouts"
    return act


@admin.register(PhotoCutout)
class PhotoCutoutAdmin(SheetViews, EditorViews, CatalogObjectAdmin):
    view_action = Action.VIEW_CUTOUTS
    list_display = (
        "picture", "product", "state_now", "kind_now", "method_and_confidence", "doubts",
    )  # fmt: skip
    list_display_links = ("picture", "product")
    list_filter = (
        "state", ("kind", KindFilter), ("suggested_kind", SuggestedKindFilter),
        ("content_type", ProductModelFilter),
    )  # fmt: skip
    search_fields = ("object_id",)
    search_help_text = _("Product name or key")
    actions = [
        decision_action("confirm", _("Confirm the selected cut-outs"), api="cutout_confirm"),
        decision_action("packshot", _("Set to “packshot”"), api="cutout_kind"),
        decision_action("full_frame", _("Set to “full frame”"), api="cutout_kind"),
        decision_action("lifestyle", _("Set to “lifestyle”"), api="cutout_kind"),
        decision_action("as_shop", _("Leave the kind to the shop"), api="cutout_kind"),
        decision_action("unusable", _("Do not use the selected photos"), api="cutout_refuse"),
        decision_action("again", _("Cut out again"), api="cutout_cut_again"),
        decision_action("undo", _("Undo the last decision about each"), api="cutout_undo"),
    ]

    class Media:
        css = {"all": ("nb_catalog/cutouts.css",)}

    def get_urls(self) -> list[URLPattern]:
        return [*self.sheet_urls(), *self.editor_urls(), *super().get_urls()]

    def has_decide_permission(self, request: HttpRequest) -> bool:
        return may(request.user, Action.DECIDE_CUTOUTS)

    def has_cut_again_permission(self, request: HttpRequest) -> bool:
        return may(request.user, Action.CUT_AGAIN)

    def get_queryset(self, request: HttpRequest) -> QuerySet[PhotoCutout]:
        return visible_to(request.user).order_by("-pk")

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        changelist = super().get_changelist_instance(request)
        changelist.result_list = cards.prepare(changelist.result_list, site=self.admin_site)
        return changelist

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        count = count_message(visible_to(request.user).filter(doubtful()))
        message = gettext("Look at cut-outs (%(count)s)") % {"count": count}
        return super().changelist_view(request, {**(extra_context or {}), "look_at": message})

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Show the editor. What it saves is posted to pages of its own."""
        self.require_view(request)
        if request.method != "GET":
            raise PermissionDenied
        cutout = PhotoCutout.objects.filter(pk=object_id).first() if object_id.isdecimal() else None
        if cutout is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        if not may_each(request.user, Action.VIEW_CUTOUTS, [cutout]):
            raise PermissionDenied
        return self.editor(request, cutout)

    @admin.display(description=_("picture"))
    def picture(self, cutout: PhotoCutout) -> str:
        if not cutout.is_shown:
            return format_html('<span class="nbc-no-picture">{}</span>', cutout.get_state_display())
        height = round(72 * cutout.height / cutout.width) if cutout.width else 72
        return format_html(
            '<img class="nbc-thumb nbc-checkered" src="{}" alt="{}" loading="lazy" width="72" height="{}">',
            cards.cut_url(cutout, site=self.admin_site, side=cards.previews.SMALL),
            cutout.object_info.title,
            min(height, 216),
        )

    @admin.display(description=_("product"))
    def product(self, cutout: PhotoCutout) -> str:
        return cutout.object_info.title

    @admin.display(description=_("state"), ordering="state")
    def state_now(self, cutout: PhotoCutout) -> str:
        if cutout.is_requested and cutout.state != CutoutState.REQUESTED:
            return gettext("%(state)s; is being cut out again") % {
                "state": cutout.get_state_display()
            }
        return cutout.get_state_display()

    @admin.display(description=_("kind of photo"))
    def kind_now(self, cutout: PhotoCutout) -> str:
        if cutout.kind or not cutout.suggested_kind:
            return str(cutout.kind_name)
        return gettext("%(kind)s; looks like: %(suggested)s") % {
            "kind": cutout.kind_name, "suggested": cutout.suggested_name
        }  # fmt: skip

    @admin.display(description=_("method, confidence"), ordering="score")
    def method_and_confidence(self, cutout: PhotoCutout) -> str:
        return " · ".join(filter(None, (str(cutout.method_name), cutout.confidence)))

    @admin.display(description=_("doubts"))
    def doubts(self, cutout: PhotoCutout) -> str:
        return format_html_join(
            "", '<div class="nbc-doubt">{}</div>', ((each,) for each in cutout.doubts)
        )
