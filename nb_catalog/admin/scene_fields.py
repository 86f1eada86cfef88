"""The recipe of a scene as form fields: the same value as its JSON, read and written both ways."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from django import forms
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from nb_catalog.core.schema import HEX
from nb_catalog.imaging.scenery.recipe import (
    EDGES,
    FILL,
    LIGHTS,
    PROPS,
    SIDES,
    SURFACES,
    VIEWS,
    WALLS,
)

PREFIX: Final = "recipe_"
PROP_ROWS: Final = 4
"""Rows for props. A recipe with more keeps the others, which only its JSON shows."""
PATH: Final = "data-path"
LABELS: Final[Mapping[str, Any]] = {
    "arch": _("Arch"),
    "auto": _("As the product rests"),
    "block": _("Block"),
    "bokeh": _("Lights in the distance"),
    "brick": _("Brick"),
    "concrete": _("Concrete"),
    "dark": _("Darkness"),
    "disc": _("Disc"),
    "drape": _("Curtain"),
    "either": _("From either side"),
    "floor": _("Floor that meets a wall"),
    "foliage": _("Leaves out of focus"),
    "formwork": _("Fair-faced concrete"),
    "front": _("From the front"),
    "leaves": _("Sun through leaves"),
    "left": _("From the left"),
    "linen": _("Linen"),
    "marble": _("Marble"),
    "moss": _("Moss"),
    "oak": _("Oak"),
    "panel": _("Panelling"),
    "paper": _("Paper"),
    "plain": _("One plain colour"),
    "plaster": _("Plaster"),
    "podium": _("Podium"),
    "right": _("From the right"),
    "sand": _("Sand"),
    "slab": _("Slab of stone"),
    "softbox": _("Softbox"),
    "spot": _("Spotlight"),
    "stone": _("Stone"),
    "sun": _("Sun"),
    "sweep": _("Paper sweep without an edge"),
    "table": _("Table in front of a wall"),
    "terrazzo": _("Terrazzo"),
    "tiles": _("Tiles"),
    "top": _("From above"),
    "velvet": _("Velvet"),
    "walnut": _("Walnut"),
    "window": _("Window"),
}


class RangeInput(forms.NumberInput):
    """A slider with its value beside it, which the page's script keeps current."""

    input_type = "range"

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> str:
        slider = super().render(name, value, attrs, renderer)
        return format_html(
            '<span class="nbc-slider">{}<output for="{}">{}</output></span>',
            slider,
            (attrs or {}).get("id", f"id_{name}"),
            "" if value is None else value,
        )


class ColourInput(forms.TextInput):
    """The browser's colour picker."""

    input_type = "color"


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """One value of a recipe: its path in the JSON, its default and its form field.

    ``switch`` is the checkbox of a value that may be absent, such as a colour.
    """

    path: tuple[str | int, ...]
    default: Any
    field: forms.Field = field(repr=False)

    @property
    def name(self) -> str:
        return PREFIX + "_".join(map(str, self.path))


def _number(label: Any, *, low: float, high: float, step: float = 0.01) -> forms.FloatField:
    return forms.FloatField(
        label=label,
        min_value=low,
        max_value=high,
        widget=RangeInput(attrs={"step": step}),
        required=False,
    )


def _choice(label: Any, names: tuple[str, ...], *, none: Any = None) -> forms.ChoiceField:
    choices = [(name, LABELS.get(name, name)) for name in names]
    if none is not None:
        choices.insert(0, ("", none))
    return forms.ChoiceField(label=label, choices=choices, required=False)


def _colour(label: Any) -> forms.RegexField:
    return forms.RegexField(HEX, label=label, widget=ColourInput(), required=False)


def _material(part: str, label: Any) -> Iterator[Control]:
    names, none = (
        (SURFACES, _("None: only models make this scene"))
        if part == "surface"
        else (WALLS, _("As the ground"))
    )
    kind = _choice(label, names, none=none)
    kind.widget = forms.RadioSelect(attrs={"class": "nbc-swatches"})
    kind.widget.choices = kind.choices
    yield Control(path=(part, "kind"), default="", field=kind)
    yield Control(path=(part, "tone"), default="#d9d4cc", field=_colour(_("Colour")))
    yield Control(
        path=(part, "accent"), default="", field=_colour(_("Colour of veins, chips or joints"))
    )
    scale = _number(_("Size of the pattern"), low=0.25, high=4, step=0.05)
    yield Control(path=(part, "scale"), default=1.0, field=scale)
    yield Control(path=(part, "relief"), default=1.0, field=_number(_("Relief"), low=0, high=3))
    if part == "surface":
        gloss = _number(_("Reflection"), low=0, high=1)
        yield Control(path=(part, "gloss"), default=0.0, field=gloss)


def _light() -> Iterator[Control]:
    at = "light"
    kind = _choice(_("Light"), LIGHTS)
    yield Control(path=(at, "kind"), default="softbox", field=kind)
    yield Control(path=(at, "side"), default="either", field=_choice(_("Side"), SIDES))
    for name, default, label, low, high in (
        ("softness", 0.6, _("Softness"), 0, 1),
        ("strength", 0.6, _("Depth of shadows"), 0, 1),
        ("warmth", 0.0, _("Warmth"), -1, 1),
        ("elevation", 48.0, _("Height in degrees"), 15, 85),
    ):
        step = 1 if name == "elevation" else 0.01
        control = _number(label, low=low, high=high, step=step)
        yield Control(path=(at, name), default=default, field=control)


def _prop(row: int) -> Iterator[Control]:
    at: tuple[str | int, ...] = ("props", row)
    kind = _choice(_("Object"), PROPS, none=_("None"))
    yield Control(path=(*at, "kind"), default="", field=kind)
    yield Control(path=(*at, "surface"), default="plaster", field=_choice(_("Material"), SURFACES))
    yield Control(path=(*at, "tone"), default="#e9dccf", field=_colour(_("Colour")))
    width = _number(_("Width"), low=0.2, high=4, step=0.05)
    yield Control(path=(*at, "width"), default=1.0, field=width)
    yield Control(path=(*at, "height"), default=0.2, field=_number(_("Height"), low=0.02, high=3))


def _mood() -> Iterator[Control]:
    yield Control(path=("edge",), default="table", field=_choice(_("Where the ground ends"), EDGES))
    view = _choice(_("Camera"), VIEWS)
    yield Control(path=("view",), default="auto", field=view)
    fill = _number(_("Size of the product"), low=0.3, high=0.9)
    yield Control(path=("fill",), default=FILL, field=fill)
    exposure = _number(_("Exposure in stops"), low=-2, high=2, step=0.05)
    yield Control(path=("mood", "exposure"), default=0.0, field=exposure)
    for name, default, label in (
        ("vignette", 0.25, _("Darker corners")),
        ("grain", 0.3, _("Grain")),
        ("blur", 0.4, _("Blur of the wall")),
    ):
        yield Control(path=("mood", name), default=default, field=_number(label, low=0, high=1))


SECTIONS: Final[Mapping[str, tuple[Control, ...]]] = {
    "surface": tuple(_material("surface", _("Ground"))),
    "wall": tuple(_material("wall", _("Wall"))),
    "light": tuple(_light()),
    "props": tuple(control for row in range(PROP_ROWS) for control in _prop(row)),
    "mood": tuple(_mood()),
}
CONTROLS: Final[tuple[Control, ...]] = tuple(
    control for section in SECTIONS.values() for control in section
)


def declared_fields() -> dict[str, forms.Field]:
    """Return a form field for each control, and a checkbox for each colour that may be absent."""
    fields: dict[str, forms.Field] = {}
    for control in CONTROLS:
        made = copy.deepcopy(control.field)
        made.widget.attrs[PATH] = ".".join(map(str, control.path))
        made.widget.attrs["data-default"] = str(control.default)
        fields[control.name] = made
        if _is_accent(control):
            switch = forms.BooleanField(label=_("In a colour of their own"), required=False)
            fields[_switch(control)] = switch
    return fields


def rows_of(section: str) -> list[Any]:
    """Return the names of a section's fields, as lines of a fieldset."""
    if section == "props":
        return [
            tuple(control.name for control in SECTIONS["props"] if control.path[1] == row)
            for row in range(PROP_ROWS)
        ]
    rows: list[Any] = []
    short: list[str] = []
    for control in SECTIONS[section]:
        names = [control.name]
        if _is_accent(control):
            names.append(_switch(control))
        if isinstance(control.field.widget, forms.RadioSelect):
            rows.append(control.name)
        else:
            short += names
    return [*rows, *(tuple(short[at : at + 3]) for at in range(0, len(short), 3))]


def initial_of(recipe: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of the fields that show ``recipe``; of invalid parts, the defaults."""
    values: dict[str, Any] = {}
    for control in CONTROLS:
        value = _get(recipe, control.path)
        values[control.name] = control.default if value is None else value
        if _is_accent(control):
            values[_switch(control)] = bool(value)
            values[control.name] = value or "#8d8a86"
    return values


def recipe_with(recipe: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``recipe`` with the values of the fields; what no field shows stays as it is.

    Values that are the default are written only where the recipe has them already. Without a ground
    there is no recipe.
    """
    if not values.get(f"{PREFIX}surface_kind"):
        return {}
    made: dict[str, Any] = copy.deepcopy(dict(recipe))
    rows = [dict(each) for each in made.get("props", ())]
    rows += [{} for _row in range(len(rows), PROP_ROWS)]
    made["props"] = rows
    for control in CONTROLS:
        value = values.get(control.name)
        if _is_accent(control) and not values.get(_switch(control)):
            value = ""
        if value is None:
            value = control.default
        if value != control.default or _get(made, control.path) is not None:
            *parents, last = _home(made, control.path)
            at: Any = made
            for step in parents:
                at = at[step] if isinstance(step, int) else at.setdefault(step, {})
            at[last] = value
    if not values.get(f"{PREFIX}wall_kind"):
        made.pop("wall", None)
    made["props"] = [each for each in rows if each.get("kind")]
    if not made["props"] and "props" not in recipe:
        del made["props"]
    return made


def _is_accent(control: Control) -> bool:
    return control.path[-1] == "accent"


def _switch(control: Control) -> str:
    return f"{control.name}_on"


def _home(recipe: Mapping[str, Any], path: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """Return the path at which ``recipe`` has a value: a recipe with a framing has its size there."""
    if path == ("fill",) and isinstance(recipe.get("framing"), Mapping):
        return ("framing", "fill")
    return path


def _get(recipe: Mapping[str, Any], path: tuple[str | int, ...]) -> Any:
    value: Any = recipe
    for step in _home(recipe, path):
        if isinstance(step, int):
            value = value[step] if isinstance(value, list) and step < len(value) else None
        else:
            value = value.get(step) if isinstance(value, Mapping) else None
    return value
