"""What people design: JSON that is edited one key a line, and a picture of it that is redrawn meanwhile."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from nb_catalog.admin import thumbnails
from nb_catalog.admin.base import AdminPages
from nb_catalog.exceptions import NBCatalogError
from nb_catalog.models.designs import Design


class PrettyJSON(json.JSONEncoder):
    """Recipes are edited by people: one key a line."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{**options, "indent": 2, "sort_keys": False})


class FixedKeyAdmin:
    """A key that is written once: recipes of pictures name their design by it."""

    prepopulated_fields: ClassVar[Any] = {"key": ("name",)}

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Sequence[str]:
        kept = () if obj is None else ("key",)
        return (*super().get_readonly_fields(request, obj), *kept)

    def get_prepopulated_fields(self, request: HttpRequest, obj: Any = None) -> Mapping[str, Any]:
        return super().get_prepopulated_fields(request, obj) if obj is None else {}


class DesignAdmin(FixedKeyAdmin, AdminPages, admin.ModelAdmin):
    """``content_field`` is the JSON that is drawn; ``drawn`` and ``saved_url`` say how and where."""

    content_field: ClassVar[str] = ""
    picture_alt: ClassVar[Any] = ""
    no_picture: ClassVar[Any] = ""
    list_display_links = ("picture", "name")
    list_editable = ("position", "is_active")
    list_filter = ("is_active",)

    class Media:
        css = {"all": ("nb_catalog/admin.css",)}
        js = ("nb_catalog/design.js",)

    def get_urls(self) -> list[URLPattern]:
        thumbnail = "<int:pk>/thumbnail-<slug:digest>.webp"
        return [
            self.page(thumbnail, self.thumbnail, name="thumbnail", cacheable=True),
            self.page("preview/", self.preview, name="preview", cacheable=True),
            *super().get_urls(),
        ]

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **options: Any) -> Any:
        if db_field.name == self.content_field:
            options["encoder"] = PrettyJSON
            options["widget"] = forms.Textarea(
                attrs={"class": "vLargeTextField", "rows": 14, "spellcheck": "false"}
            )
        return super().formfield_for_dbfield(db_field, request, **options)

    @admin.display(description=_("picture"))
    def picture(self, design: Design) -> str:
        url = self.saved_url(design)
        if not url:
            return format_html('<span class="nbc-no-picture">{}</span>', self.no_picture)
        return format_html(
            '<img class="nbc-thumb nbc-thumb-scene" src="{}" alt="" width="96" height="72"'
            ' loading="lazy">',
            url,
        )

    @admin.display(description=_("version"))
    def shown_version(self, design: Design) -> str:
        return str(design.version) if design.pk else gettext("1 (after saving)")

    @admin.display(description=_("preview"))
    def live_picture(self, design: Design) -> str:
        """Redrawn by design.js while the JSON is edited; without JavaScript, as it was saved."""
        url = self.saved_url(design) if design.pk else ""
        return format_html(
            '<div class="nbc-design" data-field="id_{}" data-url="{}" data-working="{}">{}'
            '<div class="nbc-stage"{}><img {} alt="{}"></div><p role="status" class="help"></p></div>',
            self.content_field,
            self.url_of("preview"),
            gettext("Drawing…"),
            self.choices(),
            self.stage_words(),
            format_html('src="{}"', url) if url else "hidden",
            self.picture_alt,
        )

    def choices(self) -> str:
        """Controls above the picture, whose values go along with the JSON."""
        return ""

    def stage_words(self) -> str:
        """Attributes of what stands around the picture, for a script that draws over it."""
        return ""

    def thumbnail(self, request: HttpRequest, pk: int, digest: str) -> HttpResponse:
        """For everybody who chooses designs: who may view them or have pictures generated."""
        if not (self.has_view_permission(request) or request.user.has_perm("nb_catalog.generate")):
            raise PermissionDenied
        design = get_object_or_404(self.model, pk=pk)
        content = getattr(design, self.content_field)
        url = self.saved_url(design)
        if not url:
            raise Http404
        if digest != thumbnails.digest(content):
            return redirect(url)
        return self._answered(request, content, keep=thumbnails.FOR_EVER)

    def preview(self, request: HttpRequest) -> HttpResponse:
        """JSON that is not saved yet, from the query string; 400 says what is wrong."""
        if not (self.has_add_permission(request) or self.has_change_permission(request)):
            raise PermissionDenied
        try:
            content = json.loads(request.GET.get("content", ""))
        except (ValueError, RecursionError) as error:
            return JsonResponse(
                {"error": gettext("This is not valid JSON: %s") % error}, status=400
            )
        return self._answered(request, content, keep=thumbnails.A_WHILE)

    def _answered(self, request: HttpRequest, content: Any, *, keep: str) -> HttpResponse:
        try:
            return self.drawn(request, content, keep=keep)
        except (ValueError, NBCatalogError) as error:
            return JsonResponse({"error": str(error)}, status=400)

    # Not abstract methods: ModelAdmin has a metaclass of its own, which abc's would conflict with.
    def saved_url(self, design: Any) -> str:
        """Where a browser finds the picture of a saved design; empty where there is none."""
        raise NotImplementedError

    def drawn(self, request: HttpRequest, content: Any, *, keep: str) -> HttpResponse:
        """The picture of ``content``. Raises ``ValueError`` and ``NBCatalogError``."""
        raise NotImplementedError
