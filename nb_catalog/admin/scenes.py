"""Scenes: words, recipe and a picture of what the recipe makes."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from nb_catalog.admin import previews
from nb_catalog.admin.reading import Pages
from nb_catalog.briefs import background_brief
from nb_catalog.exceptions import RequestRefused
from nb_catalog.imaging.scenery import SceneRecipe
from nb_catalog.models import Scene
from nb_catalog.types import Treatment


class SceneForm(forms.ModelForm):
    class Meta:
        model = Scene
        fields = ("name", "key", "words", "system", "renderer", "position", "is_active")

    def clean_renderer(self) -> dict[str, Any]:
        given = self.cleaned_data["renderer"]
        if given in (None, {}):
            return {}
        try:
            SceneRecipe.from_mapping(given)
        except ValueError as error:
            raise forms.ValidationError(str(error), code="recipe") from error
        return given


class PrettyJSON(json.JSONEncoder):
    """Recipes are edited by people: one key a line."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{**options, "indent": 2, "sort_keys": False})


@admin.register(Scene)
class SceneAdmin(Pages, admin.ModelAdmin):
    form = SceneForm
    list_display = ("picture", "name", "key", "shown_version", "position", "is_active")
    list_display_links = ("picture", "name")
    list_editable = ("position", "is_active")
    list_filter = ("is_active",)
    search_fields = ("name", "key", "words")
    prepopulated_fields = {"key": ("name",)}
    readonly_fields = ("live_picture", "shown_version", "told_painted", "told_locked")
    fieldsets = (
        (None, {"fields": ("name", "key", ("position", "is_active"), "shown_version")}),
        (_("For a model"), {"fields": ("words", "system")}),
        (
            _("How a model is told"),
            {"fields": ("told_painted", "told_locked"), "classes": ("collapse",)},
        ),
        (_("For the local renderer"), {"fields": ("renderer", "live_picture")}),
    )

    class Media:
        css = {"all": ("nb_catalog/admin.css",)}
        js = ("nb_catalog/scene.js",)

    def get_urls(self) -> list[URLPattern]:
        return [
            self.page(
                "<int:pk>/thumbnail-<slug:digest>.webp",
                self.thumbnail,
                name="thumbnail",
                cacheable=True,
            ),
            self.page("preview/", self.preview, name="preview", cacheable=True),
            *super().get_urls(),
        ]

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **options: Any) -> Any:
        if db_field.name == "renderer":
            options["encoder"] = PrettyJSON
            options["widget"] = forms.Textarea(
                attrs={"class": "vLargeTextField", "rows": 14, "spellcheck": "false"}
            )
        return super().formfield_for_dbfield(db_field, request, **options)

    @admin.display(description=_("version"))
    def shown_version(self, scene: Scene) -> str:
        return str(scene.version) if scene.pk else gettext("1, once it is saved")

    @admin.display(description=_("picture"))
    def picture(self, scene: Scene) -> str:
        url = previews.scene_url(scene, site=self.admin_site)
        if not url:
            return format_html('<span class="nbc-no-picture">{}</span>', gettext("by a model only"))
        return format_html(
            '<img class="nbc-thumb nbc-thumb-scene" src="{}" alt="" width="96" height="72"'
            ' loading="lazy">',
            url,
        )

    @admin.display(description=_("what it makes"))
    def live_picture(self, scene: Scene) -> str:
        """Redrawn by scene.js while the recipe is edited; without JavaScript, as it was saved."""
        url = previews.scene_url(scene, site=self.admin_site) if scene.pk else ""
        return format_html(
            '<div id="nbc-scene-preview" data-url="{}" data-working="{}">'
            '<img {} alt="{}" width="320" height="240"><p role="status" class="help"></p></div>',
            self.url_of("preview"),
            gettext("Drawing…"),
            format_html('src="{}"', url) if url else "hidden",
            gettext("The scene without a product"),
        )

    @admin.display(description=Treatment.PAINTED.label)
    def told_painted(self, scene: Scene) -> str:
        return _told(scene, Treatment.PAINTED)

    @admin.display(description=Treatment.LOCKED.label)
    def told_locked(self, scene: Scene) -> str:
        return _told(scene, Treatment.LOCKED)

    def thumbnail(self, request: HttpRequest, pk: int, digest: str) -> HttpResponse:
        """For everybody who chooses scenes: who may view them or have pictures generated."""
        if not (self.has_view_permission(request) or request.user.has_perm("nb_catalog.generate")):
            raise PermissionDenied
        scene = get_object_or_404(Scene.objects.exclude(renderer={}), pk=pk)
        if digest != previews.digest(scene.renderer):
            return redirect(previews.scene_url(scene, site=self.admin_site))
        return self._drawn(request, scene.renderer, keep=previews.FOR_EVER)

    def preview(self, request: HttpRequest) -> HttpResponse:
        """A recipe that is not saved yet, from the query string; 400 says what is wrong."""
        if not (self.has_add_permission(request) or self.has_change_permission(request)):
            raise PermissionDenied
        try:
            renderer = json.loads(request.GET.get("recipe", ""))
        except (ValueError, RecursionError) as error:
            return JsonResponse({"error": gettext("This is not JSON: %s") % error}, status=400)
        return self._drawn(request, renderer, keep=previews.A_WHILE)

    def _drawn(self, request: HttpRequest, renderer: Any, *, keep: str) -> HttpResponse:
        try:
            return previews.scene_picture(request, renderer, keep=keep)
        except ValueError as error:
            return JsonResponse({"error": str(error)}, status=400)


def _told(scene: Scene, treatment: Treatment) -> str:
    """The prompt for a plain product in this scene, as it was saved."""
    if not scene.pk:
        return gettext("Save the scene to see its words.")
    try:
        brief = background_brief(
            treatment=treatment,
            title=gettext("Mug"),
            facts={gettext("colour"): gettext("blue")},
            scene_words=scene.words,
            ratio="4:5",
        )
    except RequestRefused as refusal:
        return str(refusal)
    return format_html('<div class="nbc-told">{}</div>', brief)
