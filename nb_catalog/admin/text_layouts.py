"""Layouts: boxes, panels, and a picture of them in any of the shop's languages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from nb_catalog.admin import thumbnails
from nb_catalog.admin.design_base import DesignAdmin
from nb_catalog.admin.generate.refresh import warn_about_stale
from nb_catalog.conf import settings
from nb_catalog.core import locales
from nb_catalog.models import Placement, TextLayout
from nb_catalog.typesetting.safe_areas import CHANNELS


@admin.register(TextLayout)
class TextLayoutAdmin(DesignAdmin):
    class Media:
        js = ("nb_catalog/layout.js",)

    content_field = "content"
    picture_alt = _("Preview of the layout on a sample picture")
    list_display = ("picture", "name", "key", "roles", "shown_version", "position", "is_active")
    search_fields = ("name", "key")
    readonly_fields = ("live_picture", "shown_version")
    fieldsets = (
        (None, {"fields": ("name", "key", ("position", "is_active"), "shown_version")}),
        (_("Text placement"), {"fields": ("content", "live_picture")}),
    )

    def save_model(self, request: HttpRequest, row: TextLayout, form: Any, change: bool) -> None:
        before = row.version
        super().save_model(request, row, form, change)
        if row.version != before:
            shown = Placement.objects.filter(image__spec__layout=row.key)
            warn_about_stale(request, shown, admin_of=self)

    @admin.display(description=_("texts"))
    def roles(self, row: TextLayout) -> str:
        try:
            return ", ".join(row.layout.roles)
        except ValueError as error:
            # Written past the form: the list is where it can be found and mended.
            return str(error)

    def choices(self) -> str:
        """The locales of the shop, to see the layout in each, and channels that cover a part of it."""
        return format_html(
            '<p class="nbc-stage-choices"><label for="nbc-locale">{}</label> '
            '<select id="nbc-locale" name="locale">{}</select> '
            '<label for="nbc-channel">{}</label> <select id="nbc-channel">'
            '<option value="">{}</option>{}</select></p><p class="help">{}</p>',
            gettext("Sample language"),
            format_html_join("", '<option value="{}" data-direction="{}">{}</option>', _spoken()),
            gettext("Show areas covered in"),
            gettext("None"),
            format_html_join(
                "",
                '<option value="{}" data-top="{}" data-bottom="{}" data-side="{}">{}</option>',
                _covering(),
            ),
            gettext(
                "Drag a box to move it, or its corner to resize it. The arrow keys move it; with "
                "Shift they resize it."
            ),
        )

    def stage_words(self) -> str:
        said = {
            "start": gettext("start"),
            "top": gettext("top"),
            "width": gettext("width"),
            "height": gettext("height"),
            "covered": gettext("covered"),
        }
        return format_html_join("", ' data-{}="{}"', said.items())

    def saved_url(self, row: TextLayout) -> str:
        return thumbnails.layout_url(row, site=self.admin_site)

    def drawn(self, request: HttpRequest, content: Any, *, keep: str) -> HttpResponse:
        locale = request.GET.get("locale") or settings.LOCALES[0]
        return thumbnails.layout_picture(request, content, locale=locale, keep=keep)


def _spoken() -> Iterator[tuple[str, str, str]]:
    for code in settings.LOCALES:
        side = "rtl" if locales.direction(code) == locales.RTL else "ltr"
        yield code, side, str(locales.parse_locale(code).display_name)


def _covering() -> Iterator[tuple[str, float, float, float, str]]:
    for key, channel in CHANNELS.items():
        edges = channel.covered
        across, down = channel.ratio
        yield key, edges.top, edges.bottom, edges.side, f"{channel.name} ({across}:{down})"
