"""The form of a scene: words, a photo with the product's place in it, and the recipe as fields or JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from nb_catalog.admin import scene_fields
from nb_catalog.conf import settings
from nb_catalog.exceptions import NBCatalogError
from nb_catalog.generation import scene_photos
from nb_catalog.imaging.provenance import DigitalSourceType
from nb_catalog.imaging.scenery import SceneRecipe
from nb_catalog.imaging.scenery.backdrop_photo import BackdropPlace
from nb_catalog.models import Scene

PLACE: Final = "place_"
VIEWS: Final = (
    ("front", _("stands on the ground")),
    ("wall", _("hangs in front of what the photo shows")),
    ("top", _("lies, seen from above")),
)
# Label, least, most, step.
NUMBERS: Final[Mapping[str, tuple[Any, float, float, float]]] = {
    "ground": (_("Where the ground ends"), 0, 1, 0.005),
    "x": (_("Middle of the product, from the left"), 0.02, 0.98, 0.005),
    "bottom": (_("Foot of the product, from the top"), 0.05, 1, 0.005),
    "height": (_("Height of the product"), 0.03, 0.98, 0.005),
    "azimuth": (_("Direction of the light in degrees"), -180, 180, 1),
    "elevation": (_("Height of the light in degrees"), 15, 85, 1),
    "softness": (_("Softness of the light"), 0, 1, 0.01),
    "strength": (_("Depth of the shadows"), 0, 1, 0.01),
    "gloss": (_("Reflection of the ground"), 0, 1, 0.01),
}
SLIDERS: Final = ("softness", "strength", "gloss")
PLACE_ROWS: Final = (
    "place_view",
    ("place_ground", "place_x"),
    ("place_bottom", "place_height"),
    ("place_azimuth", "place_elevation"),
    ("place_softness", "place_strength", "place_gloss"),
)
PHOTO_ROWS: Final = ("photo_file", ("photo_keeps_place", "photo_by_model", "photo_remove"))
SHOWN: Final = "fields_shown"
SYNCED: Final = "fields_synced"


PLACE_FIELDS: Final[Mapping[str, forms.Field]] = {
    f"{PLACE}view": forms.ChoiceField(
        label=_("The product"), choices=VIEWS, required=False, widget=forms.RadioSelect
    ),
    **{
        f"{PLACE}{name}": forms.FloatField(
            label=label,
            min_value=low,
            max_value=high,
            required=False,
            widget=scene_fields.RangeInput(attrs={"step": step})
            if name in SLIDERS
            else forms.NumberInput(attrs={"step": "any"}),
        )
        for name, (label, low, high, step) in NUMBERS.items()
    },
}
DeclaredFields = type(forms.Form)(
    "DeclaredFields", (forms.Form,), {**PLACE_FIELDS, **scene_fields.declared_fields()}
)


class SceneForm(forms.ModelForm, DeclaredFields):  # type: ignore[misc, valid-type]
    """``photo`` is the photo that was uploaded, after the form has been validated."""

    photo_file = forms.FileField(
        label=_("Photo of a place"),
        required=False,
        widget=forms.FileInput(attrs={"accept": "image/*"}),
        help_text=_(
            "A room, a table or a wall. Products are set into it, and models get it as the place. Save, "
            "then drag the product to its place."
        ),
    )
    photo_keeps_place = forms.BooleanField(
        label=_("Keep place and light for a new photo"), required=False
    )
    photo_by_model = forms.BooleanField(
        label=_("An AI model made this photo or a part of it"), required=False
    )
    photo_remove = forms.BooleanField(label=_("Remove the photo"), required=False)
    copied_from = forms.IntegerField(required=False, widget=forms.HiddenInput)
    # Distinguish a page that shows the fields from a request that has only the JSON.
    fields_shown = forms.BooleanField(required=False, initial=True, widget=forms.HiddenInput)
    # Set by the page's script, which keeps fields and JSON equal.
    fields_synced = forms.BooleanField(required=False, widget=forms.HiddenInput)

    photo: scene_photos.ScenePhoto | None = None

    class Meta:
        model = Scene
        fields = ("name", "key", "prompt", "system", "renderer", "position", "is_active")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        recipe = self.initial.get("renderer") or {}
        place = self.initial.get("backdrop_place") or self.instance.backdrop_place
        shown = {
            **scene_fields.initial_of(recipe if isinstance(recipe, Mapping) else {}),
            **place_initial(place),
            "photo_by_model": _is_by_model(self.instance.backdrop_origin),
        }
        for name, value in shown.items():
            self.initial.setdefault(name, value)

    def clean_renderer(self) -> dict[str, Any]:
        renderer = self.cleaned_data["renderer"]
        if renderer in (None, {}):
            return {}
        _check_recipe(renderer)
        return renderer

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        if values.get(SHOWN) and not self.errors:
            self._clean_recipe(values)
        self._clean_photo(values)
        # A new photo has a place of its own.
        is_placed = self.instance.backdrop_sha256 and values.get(SHOWN) and self.photo is None
        if is_placed and not self.errors:
            place = dict(self.instance.backdrop_place)
            for name in ("view", *NUMBERS):
                value = values.get(f"{PLACE}{name}")
                if value not in (None, ""):
                    place[name] = value
            try:
                self.instance.backdrop_place = BackdropPlace.from_mapping(place).as_dict()
            except ValueError as error:
                name, _colon, message = str(error).removeprefix("backdrop.").partition(": ")
                known = f"{PLACE}{name}" in self.fields
                self.add_error(f"{PLACE}{name}" if known else None, message or str(error))
        if not (self.errors or self.instance.backdrop_sha256 or values.get("prompt")):
            self.add_error(
                "prompt", gettext("Describe the scene for models, or upload a photo of it.")
            )
        return values

    def _clean_recipe(self, values: dict[str, Any]) -> None:
        """Take the recipe from the fields, unless the JSON was changed as well or instead."""
        names = [name for name in self.changed_data if name.startswith(scene_fields.PREFIX)]
        if not names or values.get(SYNCED):
            return
        written = values.get("renderer", {})
        made = scene_fields.recipe_with(written, values)
        if written != (self.initial.get("renderer") or {}) and made != written:
            self.add_error(
                "renderer",
                gettext(
                    "Both the fields and this JSON were changed, and they disagree. Change one of them."
                ),
            )
            return
        try:
            if made:
                _check_recipe(made)
        except forms.ValidationError as error:
            self.add_error("renderer", error)
            return
        values["renderer"] = made

    def _clean_photo(self, values: dict[str, Any]) -> None:
        upload, scene = values.get("photo_file"), self.instance
        by_model = bool(values.get("photo_by_model"))
        copied_from = values.get("copied_from")
        if copied_from is not None and not scene.backdrop_sha256:
            source = Scene.objects.filter(pk=copied_from).first()
            if source is not None:
                for name in ("", "_sha256", "_width", "_height", "_origin", "_place"):
                    setattr(scene, f"backdrop{name}", getattr(source, f"backdrop{name}"))
        if upload:
            if upload.size > settings.MAX_PICTURE_BYTES:
                size = f"{settings.MAX_PICTURE_BYTES:,}"
                message = gettext("The file has more than %(most)s bytes.") % {"most": size}
                self.add_error("photo_file", message)
                return
            before = dict(scene.backdrop_place)
            try:
                photo = scene_photos.inspect(upload.read())
                scene_photos.attach(scene, photo, drawn_by_model=by_model)
            except NBCatalogError as error:
                self.add_error("photo_file", str(error))
                return
            if values.get("photo_keeps_place") and before:
                scene.backdrop_place = before
            else:
                self.photo = photo
        elif values.get("photo_remove"):
            scene_photos.detach(scene)
        elif not scene.backdrop_sha256:
            return
        elif by_model != _is_by_model(scene.backdrop_origin) and values.get(SHOWN):
            try:
                scene_photos.declare_origin(scene, drawn_by_model=by_model)
            except NBCatalogError as error:
                self.add_error("photo_by_model", str(error))


def place_initial(place: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of the fields that show ``place``."""
    default = BackdropPlace().as_dict()
    return {f"{PLACE}{name}": place.get(name, default[name]) for name in default}


def _check_recipe(recipe: Mapping[str, Any]) -> None:
    try:
        SceneRecipe.from_mapping(recipe)
    except ValueError as error:
        raise forms.ValidationError(str(error), code="recipe") from error


def _is_by_model(origin: str) -> bool:
    return bool(origin) and DigitalSourceType(origin).made_with_ai
