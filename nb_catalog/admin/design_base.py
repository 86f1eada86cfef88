"""Base for scenes and layouts: a JSON editor with a live preview picture."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from nb_catalog.admin import thumbnails
from nb_catalog.admin.base import AdminPages
from nb_catalog.core.permissions import Action
from nb_catalog.cutouts.previews import Preview
from nb_catalog.exceptions import NBCatalogError
from nb_catalog.generation import drawings
from nb_catalog.models.designs import Design


class PrettyJSON(json.JSONEncoder):
    """Indented JSON with one key per line, for editing."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{**options, "indent": 2, "sort_keys": False})


class RowForm(forms.ModelForm):
    """A row of an editable list. Each field gets a label: screen readers do not use a column's head."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for field in self.fields.values():
            field.widget.attrs["aria-label"] = f"{field.label}: {self.instance}"


class FixedKeyAdmin:
    """Make ``key`` read-only once saved: the specs of pictures refer to designs by key.

    The fields of editable lists are labelled.
    """

    prepopulated_fields: ClassVar[Any] = {"key": ("name",)}

    def get_changelist_form(self, request: HttpRequest, **options: Any) -> type[forms.ModelForm]:
        return super().get_changelist_form(request, **{"form": RowForm, **options})

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Sequence[str]:
        fixed = () if obj is None else ("key",)
        return (*super().get_readonly_fields(request, obj), *fixed)

    def get_prepopulated_fields(self, request: HttpRequest, obj: Any = None) -> Mapping[str, Any]:
        return super().get_prepopulated_fields(request, obj) if obj is None else {}


class DesignAdmin(FixedKeyAdmin, AdminPages, admin.ModelAdmin):
    """``content_field`` holds the JSON; ``drawing`` is its picture, ``saved_url`` is its picture's URL."""

    content_field: ClassVar[str] = ""
    api_name: ClassVar[str] = ""
    thumbnail_action: ClassVar[Action]
    preview_action: ClassVar[Action]
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
            self.page(
                thumbnail,
                self.thumbnail,
                name="thumbnail",
                action=self.thumbnail_action,
                api=f"{self.api_name}_thumbnail",
                cacheable=True,
            ),
            self.page(
                "preview/",
                self.preview,
                name="preview",
                action=self.preview_action,
                api=f"{self.api_name}_preview",
                cacheable=True,
            ),
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
            '<img class="nbc-thumb nbc-thumb-scene" src="{}" alt="{}" width="96" height="72"'
            ' loading="lazy">',
            url,
            design.name,
        )

    @admin.display(description=_("version"))
    def design_version(self, design: Design) -> str:
        return str(design.version) if design.pk else gettext("1 (after saving)")

    @admin.display(description=_("preview"))
    def live_picture(self, design: Design) -> str:
        """The preview: redrawn by design.js during editing; without JavaScript, the saved design."""
        url = self.saved_url(design) if design.pk else ""
        return format_html(
            '<div class="nbc-design" data-field="id_{}" data-url="{}" data-working="{}">{}'
            '<div class="nbc-stage"{}><img {} alt="{}"></div><p role="status" class="help"></p></div>',
            self.content_field,
            self.url_of("preview"),
            gettext("Drawing…"),
            self.preview_controls(design),
            self.stage_attributes(),
            format_html('src="{}"', url) if url else "hidden",
            self.picture_alt,
        )

    def preview_controls(self, design: Design) -> str:
        """Return HTML controls above the picture, whose values are sent with the JSON."""
        return ""

    def stage_attributes(self) -> str:
        """Return HTML attributes of the element around the picture, for scripts that draw over it."""
        return ""

    def thumbnail(self, request: HttpRequest, pk: int, digest: str) -> HttpResponse:
        """Serve the picture of a saved design to users who may view designs or generate pictures."""
        design = get_object_or_404(self.model, pk=pk)
        url = self.saved_url(design)
        if not url:
            raise Http404
        if digest != thumbnails.digest(getattr(design, self.content_field)):
            return redirect(url)
        return self._response(request, lambda: drawings.drawing_of(design))

    def preview(self, request: HttpRequest) -> HttpResponse:
        """Draw unsaved JSON from the query string; a 400 response contains the error."""
        try:
            content = json.loads(request.GET.get("content", ""))
        except (ValueError, RecursionError) as error:
            return JsonResponse(
                {"error": gettext("This is not valid JSON: %s") % error}, status=400
            )
        return self.preview_response(request, content)

    def preview_response(self, request: HttpRequest, content: Any) -> HttpResponse:
        """Return the picture of ``content``, which is not saved, or what is wrong with it."""
        draw = partial(self.drawing, request, content)
        return self._response(request, draw, cache_control=thumbnails.SHORTLY)

    def _response(
        self,
        request: HttpRequest,
        draw: Callable[[], Preview | None],
        *,
        cache_control: str = thumbnails.FOREVER,
    ) -> HttpResponse:
        try:
            if (preview := draw()) is None:
                raise Http404
            return thumbnails.serve(request, preview, cache_control=cache_control)
        except (ValueError, NBCatalogError) as error:
            return JsonResponse({"error": str(error)}, status=400)

    # Not abstract methods: ABCMeta would conflict with the metaclass of ModelAdmin.
    def saved_url(self, design: Any) -> str:
        """Return the URL of a saved design's picture; empty if it has none."""
        raise NotImplementedError

    def drawing(self, request: HttpRequest, content: Any) -> Preview:
        """Return the picture of unsaved ``content``. Raises ``ValueError`` and ``NBCatalogError``."""
        raise NotImplementedError
