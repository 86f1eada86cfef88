"""Layouts: boxes and panels, with a preview in any of the shop's languages."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from nb_catalog.admin import thumbnails
from nb_catalog.admin.design_base import DesignAdmin
from nb_catalog.admin.generate.refresh import warn_about_stale
from nb_catalog.conf import settings
from nb_catalog.core import locales
from nb_catalog.core.permissions import Action
from nb_catalog.cutouts.previews import Preview
from nb_catalog.generation import drawings
from nb_catalog.models import TextLayout
from nb_catalog.typesetting.safe_areas import CHANNELS


@admin.register(TextLayout)
class TextLayoutAdmin(DesignAdmin):
    class Media:
        js = ("nb_catalog/layout.js",)

    content_field = "content"
    api_name = "layout"
    thumbnail_action, preview_action = Action.VIEW_LAYOUT_PICTURES, Action.PREVIEW_LAYOUTS
    picture_alt = _("Preview of the layout on a sample picture")
    list_display = ("picture", "name", "key", "roles", "design_version", "position", "is_active")
    search_fields = ("name", "key")
    readonly_fields = ("live_picture", "design_version")
    fieldsets = (
        (None, {"fields": ("name", "key", ("position", "is_active"), "design_version")}),
        (_("Text placement"), {"fields": ("content", "live_picture")}),
    )

    def save_model(self, request: HttpRequest, row: TextLayout, form: Any, change: bool) -> None:
        before = row.version
        super().save_model(request, row, form, change)
        if row.version != before:
            warn_about_stale(request, row, model_admin=self)

    @admin.display(description=_("texts"))
    def roles(self, row: TextLayout) -> str:
        try:
            return ", ".join(row.layout.roles)
        except ValueError as error:
            # Saved without form validation: the list shows where to fix it.
            return str(error)

    def preview_controls(self, row: TextLayout) -> str:
        """Return selects for the preview's locale and for a channel whose covered areas are shown."""
        languages = [
            (
                code,
                "rtl" if locales.direction(code) == locales.RTL else "ltr",
                str(locales.parse_locale(code).display_name),
            )
            for code in settings.LOCALES
        ]
        channels = [
            (
                key,
                channel.covered.top,
                channel.covered.bottom,
                channel.covered.side,
                f"{channel.name} ({channel.ratio[0]}:{channel.ratio[1]})",
            )
            for key, channel in CHANNELS.items()
        ]
        return format_html(
            '<p class="nbc-stage-choices"><label for="nbc-locale">{}</label> '
            '<select id="nbc-locale" name="locale">{}</select> '
            '<label for="nbc-channel">{}</label> <select id="nbc-channel">'
            '<option value="">{}</option>{}</select></p><p class="help">{}</p>',
            gettext("Sample language"),
            format_html_join("", '<option value="{}" data-direction="{}">{}</option>', languages),
            gettext("Show areas covered in"),
            gettext("None"),
            format_html_join(
                "",
                '<option value="{}" data-top="{}" data-bottom="{}" data-side="{}">{}</option>',
                channels,
            ),
            gettext(
                "Drag a box to move it, or its corner to resize it. The arrow keys move it; with "
                "Shift they resize it."
            ),
        )

    def stage_attributes(self) -> str:
        labels = {
            "start": gettext("start"),
            "top": gettext("top"),
            "width": gettext("width"),
            "height": gettext("height"),
            "covered": gettext("covered"),
        }
        return format_html_join("", ' data-{}="{}"', labels.items())

    def saved_url(self, row: TextLayout) -> str:
        return thumbnails.layout_url(row, site=self.admin_site)

    def drawing(self, request: HttpRequest, content: Any) -> Preview:
        locale = request.GET.get("locale", "")
        return drawings.layout_drawing(content, locale=locale, is_saved=False)
