"""Scenes: words, recipe and a picture of what the recipe makes."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from nb_catalog.admin import thumbnails
from nb_catalog.admin.design_base import DesignAdmin
from nb_catalog.core.types import Treatment
from nb_catalog.exceptions import RequestRefused
from nb_catalog.generation.prompts.background import background_prompt
from nb_catalog.imaging.scenery import SceneRecipe
from nb_catalog.models import Scene


class SceneForm(forms.ModelForm):
    class Meta:
        model = Scene
        fields = ("name", "key", "prompt", "system", "renderer", "position", "is_active")

    def clean_renderer(self) -> dict[str, Any]:
        given = self.cleaned_data["renderer"]
        if given in (None, {}):
            return {}
        try:
            SceneRecipe.from_mapping(given)
        except ValueError as error:
            raise forms.ValidationError(str(error), code="recipe") from error
        return given


@admin.register(Scene)
class SceneAdmin(DesignAdmin):
    content_field = "renderer"
    picture_alt = _("Preview of the scene without a product")
    no_picture = _("AI model only")
    form = SceneForm
    list_display = ("picture", "name", "key", "shown_version", "position", "is_active")
    search_fields = ("name", "key", "prompt")
    readonly_fields = ("live_picture", "shown_version", "told_painted", "told_locked")
    fieldsets = (
        (None, {"fields": ("name", "key", ("position", "is_active"), "shown_version")}),
        (_("For AI models"), {"fields": ("prompt", "system")}),
        (
            _("Prompts sent to the model"),
            {"fields": ("told_painted", "told_locked"), "classes": ("collapse",)},
        ),
        (_("For the local renderer"), {"fields": ("renderer", "live_picture")}),
    )

    @admin.display(description=Treatment.PAINTED.label)
    def told_painted(self, scene: Scene) -> str:
        return _told(scene, Treatment.PAINTED)

    @admin.display(description=Treatment.LOCKED.label)
    def told_locked(self, scene: Scene) -> str:
        return _told(scene, Treatment.LOCKED)

    def saved_url(self, scene: Scene) -> str:
        return thumbnails.scene_url(scene, site=self.admin_site)

    def drawn(self, request: HttpRequest, content: Any, *, keep: str) -> HttpResponse:
        return thumbnails.scene_picture(request, content, keep=keep)


def _told(scene: Scene, treatment: Treatment) -> str:
    """The prompt for a plain product in this scene, as it was saved."""
    if not scene.pk:
        return gettext("Save the scene to see its prompt.")
    try:
        brief = background_prompt(
            treatment=treatment,
            title=gettext("Mug"),
            facts={gettext("colour"): gettext("blue")},
            scene_prompt=scene.prompt,
            ratio="4:5",
        )
    except RequestRefused as refusal:
        return str(refusal)
    return format_html('<div class="nbc-told">{}</div>', brief)
