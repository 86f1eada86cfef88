"""A scene's recipe: what stands where, of what material, in which light. Checked when made."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Final, TypeVar

from nb_catalog.conf import nearest

T = TypeVar("T")

SURFACES: Final = (
    "brick", "concrete", "formwork", "linen", "marble", "moss", "oak", "paper", "plaster", "sand",
    "stone", "terrazzo", "tiles", "velvet", "walnut",
)  # fmt: skip
WALLS: Final = ("dark", "drape", "foliage", "panel", *SURFACES)
EDGES: Final = ("floor", "sweep", "table")
LIGHTS: Final = ("leaves", "softbox", "spot", "sun", "window")
SIDES: Final = ("either", "front", "left", "right")
VIEWS: Final = ("auto", "front", "top")
PROPS: Final = ("arch", "block", "bokeh", "disc", "podium", "slab")
HEX: Final = re.compile(r"#[0-9a-fA-F]{6}")


def _wrong(path: str, value: Any, wants: str) -> ValueError:
    return ValueError(f"{path}: expected {wants}, got {value!r}.")


def _one_of(names: Iterable[str]) -> Callable[[str, Any], str]:
    known = tuple(names)

    def accept(path: str, value: Any) -> str:
        if value not in known:
            hint = nearest(value, known) if isinstance(value, str) else ""
            raise ValueError(
                f"{path}: {value!r} is not accepted.{hint if 'mean' in hint else ''}"
                f" Accepted: {', '.join(known)}."
            )
        return str(value)

    return accept


def _number(low: float, high: float) -> Callable[[str, Any], float]:
    def accept(path: str, value: Any) -> float:
        good = isinstance(value, int | float) and not isinstance(value, bool)
        if not good or not math.isfinite(value) or not low <= value <= high:
            raise _wrong(path, value, f"a number from {low:g} to {high:g}")
        return float(value)

    return accept


def _colour(path: str, value: Any) -> str:
    if not isinstance(value, str) or not HEX.fullmatch(value):
        raise _wrong(path, value, "a colour such as '#b98a5a'")
    return value.lower()


def _colour_or_none(path: str, value: Any) -> str:
    return "" if value == "" else _colour(path, value)


def _taken(kind: type[T], given: Any, *, path: str) -> T:
    """``kind`` made from a mapping; a key that it does not have is an error."""
    if not isinstance(given, Mapping):
        raise _wrong(path, given, "an object with named keys")
    known = [each.name for each in fields(kind)]  # type: ignore[arg-type]
    for key in given:
        if key not in known:
            hint = nearest(str(key), known)
            raise ValueError(
                f"{path}: there is no key {key!r}.{hint if 'mean' in hint else ''}"
                f" Accepted: {', '.join(sorted(known))}."
            )
    return kind(**given)


def _check(part: Any, path: str, rules: Mapping[str, Callable[[str, Any], Any]]) -> None:
    for name, accept in rules.items():
        object.__setattr__(part, name, accept(f"{path}.{name}", getattr(part, name)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """What a surface or a wall is made of. ``scale`` above 1 makes its pattern larger."""

    kind: str
    tone: str = "#d9d4cc"
    accent: str = ""
    scale: float = 1.0
    gloss: float = 0.0
    relief: float = 1.0

    def __post_init__(self) -> None:
        _check(self, "material", {
            "kind": _one_of(WALLS), "tone": _colour, "accent": _colour_or_none,
            "scale": _number(0.25, 4), "gloss": _number(0, 1), "relief": _number(0, 3),
        })  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Lamp:
    """The key light. ``warmth`` runs from cool -1 to warm 1, ``elevation`` in degrees."""

    kind: str = "softbox"
    side: str = "either"
    warmth: float = 0.0
    softness: float = 0.6
    strength: float = 0.6
    elevation: float = 48.0

    def __post_init__(self) -> None:
        unit = _number(0, 1)
        _check(self, "light", {
            "kind": _one_of(LIGHTS), "side": _one_of(SIDES), "warmth": _number(-1, 1),
            "softness": unit, "strength": unit, "elevation": _number(15, 85),
        })  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Prop:
    """A thing in the scene. Width and height are in product heights."""

    kind: str
    tone: str = "#e9dccf"
    accent: str = ""
    surface: str = "plaster"
    width: float = 1.0
    height: float = 0.2

    def __post_init__(self) -> None:
        _check(self, "prop", {
            "kind": _one_of(PROPS), "tone": _colour, "accent": _colour_or_none,
            "surface": _one_of(SURFACES),
            "width": _number(0.2, 4), "height": _number(0.02, 3),
        })  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Mood:
    """The finish: exposure in stops, vignette and grain from 0 to 1, blur of the far wall."""

    exposure: float = 0.0
    vignette: float = 0.25
    grain: float = 0.3
    blur: float = 0.4

    def __post_init__(self) -> None:
        unit = _number(0, 1)
        _check(self, "mood", {
            "exposure": _number(-2, 2), "vignette": unit, "grain": unit, "blur": unit,
        })  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneRecipe:
    """One scene, complete. ``view`` "auto" lets the product's shape decide."""

    surface: Material
    wall: Material
    edge: str = "table"
    light: Lamp = Lamp()
    props: tuple[Prop, ...] = ()
    mood: Mood = Mood()
    view: str = "auto"

    def __post_init__(self) -> None:
        _check(self, "recipe", {"edge": _one_of(EDGES), "view": _one_of(VIEWS)})
        if self.surface.kind not in SURFACES:
            _one_of(SURFACES)("surface.kind", self.surface.kind)

    @classmethod
    def from_mapping(cls, given: Mapping[str, Any]) -> SceneRecipe:
        """The recipe that a readable mapping stands for.

        Only ``surface`` is needed; without a ``wall`` the surface's material rises as one.
        Raises ``ValueError`` whose text names the wrong key, the nearest known one and what is
        accepted.
        """
        raw = _taken(_Written, given, path="recipe")
        surface = _at("surface", Material, raw.surface)
        return cls(
            surface=surface,
            wall=_at("wall", Material, raw.wall) if raw.wall is not None else surface,
            edge=raw.edge,
            light=_at("light", Lamp, raw.light),
            props=_props(raw.props),
            mood=_at("mood", Mood, raw.mood),
            view=raw.view,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Written:
    surface: Any = None
    wall: Any = None
    edge: Any = "table"
    light: Any = None
    props: Any = ()
    mood: Any = None
    view: Any = "auto"


def _at(path: str, kind: type[T], given: Any) -> T:
    """Like ``_taken``, with the message led by the key the writer of the recipe used."""
    if given is None and kind is Material:
        raise ValueError(f"recipe: the key {path!r} is missing: an object with a 'kind'.")
    if kind in (Material, Prop) and isinstance(given, Mapping) and "kind" not in given:
        raise ValueError(f"{path}: the key 'kind' is missing.")
    try:
        return _taken(kind, {} if given is None else given, path=path)
    except ValueError as error:
        text = str(error)
        for own in ("material", "prop"):
            text = text.replace(f"{own}.", f"{path}.", 1) if text.startswith(own + ".") else text
        raise ValueError(text) from error


def _props(given: Any) -> tuple[Prop, ...]:
    if isinstance(given, str | Mapping) or not isinstance(given, Iterable):
        raise _wrong("props", given, "a list of objects")
    return tuple(_at(f"props[{index}]", Prop, each) for index, each in enumerate(given))
