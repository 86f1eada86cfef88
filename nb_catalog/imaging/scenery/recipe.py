"""A scene's recipe: what stands where, of what material, in which light. Checked when made."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Final, TypeAlias, TypeVar

from nb_catalog.conf import nearest

T = TypeVar("T")
Accept: TypeAlias = Callable[[Any], Any]
"""Turns a value of a recipe into ours or raises ``ValueError`` that says what is accepted."""

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


def _one_of(*known: str) -> Accept:
    def accept(value: Any) -> str:
        if value not in known:
            raise ValueError(
                f"{value!r} is not accepted.{_close(value, known)} Accepted: {', '.join(known)}."
            )
        return str(value)

    return accept


def _number(low: float, high: float) -> Accept:
    def accept(value: Any) -> float:
        good = isinstance(value, int | float) and not isinstance(value, bool)
        if not good or not math.isfinite(value) or not low <= value <= high:
            raise ValueError(f"expected a number from {low:g} to {high:g}, got {value!r}.")
        return float(value)

    return accept


def _colour(value: Any) -> str:
    if not isinstance(value, str) or not HEX.fullmatch(value):
        raise ValueError(f"expected a colour such as '#b98a5a', got {value!r}.")
    return value.lower()


def _colour_or_none(value: Any) -> str:
    return "" if value == "" else _colour(value)


def _close(word: Any, known: Iterable[str]) -> str:
    """The nearest match alone: what is accepted is listed anyway."""
    hint = nearest(word, known) if isinstance(word, str) else ""
    return hint if hint.startswith(" Did you mean") else ""


def _check(part: Any, **rules: Accept) -> None:
    for name, accept in rules.items():
        try:
            object.__setattr__(part, name, accept(getattr(part, name)))
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """What a surface or a wall is made of. ``scale`` above 1 makes its pattern larger.

    ``accent`` is the second colour of what has one: veins, chips, grout. ``gloss`` 0 to 1 mirrors
    what stands on it, ``relief`` deepens or flattens its bumps.
    """

    kind: str
    tone: str = "#d9d4cc"
    accent: str = ""
    scale: float = 1.0
    gloss: float = 0.0
    relief: float = 1.0

    def __post_init__(self) -> None:
        _check(
            self,
            kind=_one_of(*WALLS),
            tone=_colour,
            accent=_colour_or_none,
            scale=_number(0.25, 4),
            gloss=_number(0, 1),
            relief=_number(0, 3),
        )


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
        _check(
            self,
            kind=_one_of(*LIGHTS),
            side=_one_of(*SIDES),
            warmth=_number(-1, 1),
            softness=_number(0, 1),
            strength=_number(0, 1),
            elevation=_number(15, 85),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Prop:
    """A thing in the scene. Width and height are in product heights.

    Podium, block and slab carry the product and are stacked in the order given. An arch is a
    niche in the wall, a disc a round of board before it (``height`` is that of its middle), bokeh
    lights far behind (``width`` scales them, ``height`` is how many).
    """

    kind: str
    tone: str = "#e9dccf"
    accent: str = ""
    surface: str = "plaster"
    width: float = 1.0
    height: float = 0.2

    def __post_init__(self) -> None:
        _check(
            self,
            kind=_one_of(*PROPS),
            tone=_colour,
            accent=_colour_or_none,
            surface=_one_of(*SURFACES),
            width=_number(0.2, 4),
            height=_number(0.02, 3),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Mood:
    """The finish: exposure in stops, vignette and grain from 0 to 1, blur of the far wall."""

    exposure: float = 0.0
    vignette: float = 0.25
    grain: float = 0.3
    blur: float = 0.4

    def __post_init__(self) -> None:
        unit = _number(0, 1)
        _check(self, exposure=_number(-2, 2), vignette=unit, grain=unit, blur=unit)


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
        _check(self, edge=_one_of(*EDGES), view=_one_of(*VIEWS))
        try:
            _one_of(*SURFACES)(self.surface.kind)
        except ValueError as error:
            raise ValueError(f"surface.kind: {error}") from error

    @classmethod
    def from_mapping(cls, given: Mapping[str, Any]) -> SceneRecipe:
        """The recipe that a readable mapping stands for.

        Only ``surface`` is needed; without a ``wall`` the surface's material rises as one.
        Raises ``ValueError`` whose text names the wrong key, the nearest known one and what is
        accepted.
        """
        written = dict(_known(cls, given, path="recipe"))
        if "surface" not in written:
            raise ValueError("recipe: the key 'surface' is missing: an object with a 'kind'.")
        parts = {"surface": Material, "wall": Material, "light": Lamp, "mood": Mood}
        for name, kind in parts.items():
            if name in written:
                written[name] = _part(kind, written[name], path=name)
        written["props"] = _props(written.get("props", ()))
        return cls(**{"wall": written["surface"], **written})


def _part(kind: type[T], given: Any, *, path: str) -> T:
    """``kind`` made from a mapping; every error begins with the place in the recipe."""
    known = _known(kind, given, path=path)
    if kind in (Material, Prop) and "kind" not in known:
        raise ValueError(f"{path}: the key 'kind' is missing.")
    try:
        return kind(**known)
    except ValueError as error:
        raise ValueError(f"{path}.{error}") from error


def _known(kind: type[Any], given: Any, *, path: str) -> Mapping[str, Any]:
    if not isinstance(given, Mapping):
        raise ValueError(f"{path}: expected an object with named keys, got {given!r}.")
    known = sorted(each.name for each in fields(kind))
    for key in given:
        if key not in known:
            raise ValueError(
                f"{path}: there is no key {key!r}.{_close(key, known)} Accepted: {', '.join(known)}."
            )
    return given


def _props(given: Any) -> tuple[Prop, ...]:
    if isinstance(given, str | Mapping) or not isinstance(given, Iterable):
        raise ValueError(f"props: expected a list of objects, got {given!r}.")
    return tuple(_part(Prop, each, path=f"props[{index}]") for index, each in enumerate(given))
