"""Scenes: prompt, recipe and a preview of the recipe."""

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
        renderer = self.cleaned_data["renderer"]
        if renderer in (None, {}):
            return {}
        try:
            SceneRecipe.from_mapping(renderer)
        except ValueError as error:
            raise forms.ValidationError(str(error), code="recipe") from error
        return renderer


@admin.register(Scene)
class SceneAdmin(DesignAdmin):
    content_field = "renderer"
    picture_alt = _("Preview of the scene without a product")
    no_picture = _("AI model only")
    form = SceneForm
    list_display = ("picture", "name", "key", "design_version", "position", "is_active")
    search_fields = ("name", "key", "prompt")
    readonly_fields = ("live_picture", "design_version", "painted_prompt", "locked_prompt")
    fieldsets = (
        (None, {"fields": ("name", "key", ("position", "is_active"), "design_version")}),
        (_("For AI models"), {"fields": ("prompt", "system")}),
        (
            _("Prompts sent to the model"),
            {"fields": ("painted_prompt", "locked_prompt"), "classes": ("collapse",)},
        ),
        (_("For the local renderer"), {"fields": ("renderer", "live_picture")}),
    )

    @admin.display(description=Treatment.PAINTED.label)
    def painted_prompt(self, scene: Scene) -> str:
        return _sample_prompt(scene, Treatment.PAINTED)

    @admin.display(description=Treatment.LOCKED.label)
    def locked_prompt(self, scene: Scene) -> str:
        return _sample_prompt(scene, Treatment.LOCKED)

    def saved_url(self, scene: Scene) -> str:
        return thumbnails.scene_url(scene, site=self.admin_site)

    def render_preview(
        self, request: HttpRequest, content: Any, *, cache_control: str
    ) -> HttpResponse:
        return thumbnails.serve_scene(request, content, cache_control=cache_control)


def _sample_prompt(scene: Scene, treatment: Treatment) -> str:
    """Return the prompt for a sample product in this scene, as saved."""
    if not scene.pk:
        return gettext("Save the scene to see its prompt.")
    try:
        prompt = background_prompt(
            treatment=treatment,
            title=gettext("Mug"),
            facts={gettext("colour"): gettext("blue")},
            scene_prompt=scene.prompt,
            ratio="4:5",
        )
    except RequestRefused as refusal:
        return str(refusal)
    return format_html('<div class="nbc-prompt">{}</div>', prompt)
