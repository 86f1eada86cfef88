"""Scenes: words for models, a photo of a place or a recipe, and previews with the shop's own products."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from nb_catalog.admin import scene_fields, scene_previews, thumbnails
from nb_catalog.admin.design_base import DesignAdmin
from nb_catalog.admin.scene_files import SceneFileViews
from nb_catalog.admin.scene_form import PHOTO_ROWS, PLACE_ROWS, SceneForm
from nb_catalog.core.permissions import Action, may
from nb_catalog.core.types import Treatment
from nb_catalog.cutouts.previews import Preview
from nb_catalog.exceptions import RequestRefused
from nb_catalog.generation import drawings
from nb_catalog.generation.prompts.background import background_prompt
from nb_catalog.models import Scene

# What a new scene takes over from the one that it is a copy of.
COPIED = ("prompt", "system", "renderer", "position", "is_active", "backdrop_place")
SWATCHES = "nbc-swatches"
RECIPE_TITLES = (_("Ground"), _("Wall"), _("Light"), _("Objects"), _("Mood and frame"))


@admin.register(Scene)
class SceneAdmin(SceneFileViews, DesignAdmin):
    class Media:
        js = ("nb_catalog/scene.js",)

    content_field = "renderer"
    api_name = "scene"
    thumbnail_action, preview_action = Action.VIEW_SCENE_PICTURES, Action.PREVIEW_SCENES
    picture_alt = _("Preview of the scene")
    no_picture = _("AI model only")
    form = SceneForm
    list_display = ("picture", "name", "key", "design_version", "position", "is_active")
    search_fields = ("name", "key", "prompt")
    readonly_fields = (
        "live_picture",
        "place_editor",
        "design_version",
        "painted_prompt",
        "locked_prompt",
    )
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "name",
                    "key",
                    ("position", "is_active"),
                    "design_version",
                    "fields_shown",
                    "fields_synced",
                    "copied_from",
                )
            },
        ),
        (_("For AI models"), {"fields": ("prompt", "system")}),
        (
            _("Prompts sent to the model"),
            {"fields": ("painted_prompt", "locked_prompt"), "classes": ("collapse",)},
        ),
        (
            _("A photo as the scene"),
            {
                "fields": (*PHOTO_ROWS, "place_editor", *PLACE_ROWS),
                "classes": ("nbc-photo",),
                "description": _(
                    "With a photo, the local renderer sets products into it and leaves the recipe "
                    "below unused; models get it as the place."
                ),
            },
        ),
        (_("For the local renderer"), {"fields": ("live_picture",), "classes": ("nbc-live",)}),
        (RECIPE_TITLES[0], {"fields": scene_fields.rows_of("surface")}),
        (RECIPE_TITLES[1], {"fields": scene_fields.rows_of("wall")}),
        (RECIPE_TITLES[2], {"fields": scene_fields.rows_of("light")}),
        (
            RECIPE_TITLES[3],
            {"fields": scene_fields.rows_of("props"), "classes": ("collapse", "nbc-props")},
        ),
        (RECIPE_TITLES[4], {"fields": scene_fields.rows_of("mood")}),
        (_("JSON for experts"), {"fields": ("renderer",), "classes": ("collapse",)}),
    )

    def get_urls(self) -> list[URLPattern]:
        return [
            *self.file_urls(),
            self.page(
                "<int:pk>/photo-<slug:digest>.webp",
                self.photo,
                name="photo",
                action=Action.VIEW_SCENE_PICTURES,
                only_here="scenes/file/ has the photos",
                cacheable=True,
            ),
            self.page(
                "swatch/<slug:kind>.webp",
                self.swatch,
                name="swatch",
                action=Action.VIEW_SCENES,
                only_here="a patch of a material, beside its name in the form",
                cacheable=True,
            ),
            *super().get_urls(),
        ]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Leave out the prompts for users who may only view scenes, and the form's own fields."""
        fieldsets = _for_photo(super().get_fieldsets(request, obj), scene=obj)
        if not self.has_change_permission(request, obj) and obj is not None:
            shown = (
                ("name", "key", "position", "is_active", "design_version"),
                ("prompt", "system"),
                ("painted_prompt", "locked_prompt"),
                ("renderer", "live_picture"),
            )
            titles = (None, _("For AI models"), _("Prompts sent to the model"), _("Recipe"))
            fieldsets = [
                (title, {"fields": fields}) for title, fields in zip(titles, shown, strict=True)
            ]
        if obj is None or may(request.user, Action.READ_SCENE_PROMPTS):
            return fieldsets
        return [
            each for each in fieldsets if not {"prompt", "painted_prompt"} & {*each[1]["fields"]}
        ]

    def get_form(self, request: HttpRequest, obj: Any = None, **options: Any) -> Any:
        form = super().get_form(request, obj, **options)
        # A patch of each material beside its name.
        patch = '<img src="{}" alt="" width="64" height="48" loading="lazy"> {}'
        for field in form.base_fields.values():
            if field.widget.attrs.get("class") == SWATCHES:
                field.widget.choices = [
                    (
                        kind,
                        format_html(patch, self.url_of("swatch", kind), label) if kind else label,
                    )
                    for kind, label in field.choices
                ]
        return form

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **options: Any
    ) -> HttpResponse:
        # Only products that this user may view are offered for previews.
        context["adminform"].form.instance.viewer = request.user
        context["may_compare"] = may(request.user, Action.START_EXPERIMENT)
        return super().render_change_form(request, context, *args, **options)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Begin a copy with the content of the scene that ``copy`` names."""
        initial = super().get_changeform_initial_data(request)
        key = request.GET.get("copy", "")
        source = Scene.objects.filter(pk=key).first() if key.isdecimal() else None
        if source is None:
            return initial
        if not may(request.user, Action.READ_SCENE_PROMPTS):
            raise PermissionDenied
        initial |= {name: getattr(source, name) for name in COPIED}
        initial |= {
            "name": gettext("Copy of %s") % source.name,
            "key": f"{source.key[:50]}-copy",
            "copied_from": source.pk,
        }
        return initial

    def save_model(self, request: HttpRequest, scene: Scene, form: Any, change: bool) -> None:
        super().save_model(request, scene, form, change)
        photo = getattr(form, "photo", None)
        if photo is not None:
            level = messages.INFO if photo.proposal.has_ground else messages.WARNING
            self.message_user(request, photo.message, level)

    @admin.display(description=Treatment.PAINTED.label)
    def painted_prompt(self, scene: Scene) -> str:
        return _sample_prompt(scene, Treatment.PAINTED)

    @admin.display(description=Treatment.LOCKED.label)
    def locked_prompt(self, scene: Scene) -> str:
        return _sample_prompt(scene, Treatment.LOCKED)

    @admin.display(description=_("place in the photo"))
    def place_editor(self, scene: Scene) -> str:
        """The photo with handles for ground, product and light, and the preview with a product.

        scene.js makes the handles; without JavaScript, the photo and the number fields remain.
        """
        if not scene.pk or not scene.backdrop_sha256:
            return ""
        labels = {
            "ground": gettext("Where the ground ends"),
            "product": gettext("Place of the product"),
            "light": gettext("Direction of the light"),
        }
        return format_html(
            '<div class="nbc-place" data-url="{}" data-scene="{}" data-working="{}"{}>'
            '<p class="help">{}</p>{}<div class="nbc-place-pictures">'
            '<div class="nbc-stage"><img src="{}" alt="{}" width="{}" height="{}"></div>'
            '<div class="nbc-result"><img hidden alt="{}"></div></div>'
            '<p role="status" class="help"></p></div>',
            self.url_of("preview"),
            scene.pk,
            gettext("Drawing…"),
            format_html_join("", ' data-{}="{}"', labels.items()),
            gettext(
                "Drag the line to where the ground ends, the box to the product's place, its corner to "
                "its size, and the sun to where the light comes from. The arrow keys move them; with "
                "Shift they change the size."
            ),
            self.preview_controls(scene, "place"),
            self.photo_url(scene),
            gettext("The photo of the place"),
            scene.backdrop_width,
            scene.backdrop_height,
            gettext("Preview of a product in the photo"),
        )

    def preview_controls(self, design: Scene, where: str = "recipe") -> str:
        """Return selects for the product and the ratio of the preview, and a button that undoes."""
        products = scene_previews.products_for(design.viewer)
        none = [("", gettext("Without a product"))] if where == "recipe" else []
        return format_html(
            '<p class="nbc-stage-choices"><label for="nbc-{0}-product">{1}</label> '
            '<select id="nbc-{0}-product" name="product">{2}</select> '
            '<label for="nbc-{0}-ratio">{3}</label> <select id="nbc-{0}-ratio" name="ratio">{4}'
            '</select> <button type="reset" class="button">{5}</button></p>',
            where,
            gettext("Product"),
            format_html_join("", '<option value="{}">{}</option>', [*products, *none]),
            gettext("Ratio"),
            format_html_join(
                "",
                '<option value="{}">{}</option>',
                [(name, name) for name in drawings.RATIOS],
            ),
            gettext("Undo what is not saved"),
        )

    def photo_url(self, scene: Scene) -> str:
        return self.url_of("photo", scene.pk, scene.backdrop_sha256[:16])

    def saved_url(self, scene: Scene) -> str:
        return thumbnails.scene_url(scene, site=self.admin_site)

    def photo(self, request: HttpRequest, pk: int, digest: str) -> HttpResponse:
        """Serve the photo of a scene to users who may view scenes or generate pictures."""
        scene = get_object_or_404(Scene, pk=pk)
        if not scene.backdrop_sha256:
            raise Http404
        side = thumbnails.SMALL if thumbnails.THUMBNAIL in request.GET else scene_previews.STAGE
        return thumbnails.serve_stored(request, drawings.photo_of_scene(scene, side=side))

    def swatch(self, request: HttpRequest, kind: str) -> HttpResponse:
        """Serve a patch of a material."""
        return scene_previews.serve_swatch(request, kind)

    def preview(self, request: HttpRequest) -> HttpResponse:
        """Draw unsaved JSON, or an unsaved place in a saved photo; a 400 response contains the error."""
        key = request.GET.get("scene", "")
        if not key:
            return super().preview(request)
        if not self.has_change_permission(request):
            raise PermissionDenied
        scene = get_object_or_404(Scene, pk=key if key.isdecimal() else 0)
        try:
            place = json.loads(request.GET.get("place", ""))
        except (ValueError, RecursionError):
            place = None
        return self.preview_response(request, {"place": place, "scene": scene})

    def drawing(self, request: HttpRequest, content: Any) -> Preview:
        of_photo = isinstance(content, dict) and "scene" in content
        if not of_photo and not request.GET.get("product"):
            return drawings.scene_drawing(content)
        label, _colon, key = request.GET.get("product", "").partition(":")
        product = drawings.product_for(label, key, user=request.user)
        ratio = request.GET.get("ratio", "")
        options = content if of_photo else {"recipe": content}
        return drawings.product_in_scene(
            product, ratio=ratio if ratio in drawings.RATIOS else "1:1", **options
        )


def _for_photo(fieldsets: Any, *, scene: Scene | None) -> list[Any]:
    """Leave out what a scene with a photo does not need, or one without; collapse an unused recipe."""
    has_photo = bool(scene is not None and scene.backdrop_sha256)
    made = []
    for title, options in fieldsets:
        fields, classes = options["fields"], tuple(options.get("classes", ()))
        if "place_editor" in fields and not has_photo:
            fields = (*PHOTO_ROWS[:1], "photo_by_model")
        elif fields == ("live_picture",) and has_photo:
            continue
        elif has_photo and title in RECIPE_TITLES and "collapse" not in classes:
            classes = (*classes, "collapse")
        made.append((title, {**options, "fields": fields, "classes": classes}))
    return made


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
            has_backdrop=bool(scene.backdrop_sha256),
        )
    except RequestRefused as refusal:
        return str(refusal)
    return format_html('<div class="nbc-prompt">{}</div>', prompt)
