"""The recipe of a rendered scene: materials, light, props, finish. Validated on creation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from nb_catalog.core.schema import check, colour, colour_or_none, known, number, one_of, part, parts

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """The material of a surface or a wall. ``scale`` above 1 makes its pattern larger.

    ``accent`` is the colour of veins, chips or grout, if the material has any. ``gloss`` 0 to 1 is
    how much it mirrors, ``relief`` deepens or flattens its bumps.
    """

    kind: str
    tone: str = "#d9d4cc"
    accent: str = ""
    scale: float = 1.0
    gloss: float = 0.0
    relief: float = 1.0

    def __post_init__(self) -> None:
        check(
            self,
            kind=one_of(*WALLS),
            tone=colour,
            accent=colour_or_none,
            scale=number(0.25, 4),
            gloss=number(0, 1),
            relief=number(0, 3),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Lamp:
    """The key light. ``warmth`` is from -1 (cool) to 1 (warm), ``elevation`` in degrees."""

    kind: str = "softbox"
    side: str = "either"
    warmth: float = 0.0
    softness: float = 0.6
    strength: float = 0.6
    elevation: float = 48.0

    def __post_init__(self) -> None:
        check(
            self,
            kind=one_of(*LIGHTS),
            side=one_of(*SIDES),
            warmth=number(-1, 1),
            softness=number(0, 1),
            strength=number(0, 1),
            elevation=number(15, 85),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Prop:
    """An object in the scene. Width and height are in product heights.

    Podium, block and slab support the product and are stacked in their order. An arch is a niche
    in the wall; a disc is a round board in front of it, with its middle at ``height``; bokeh is
    lights far behind, scaled by ``width`` and as many as ``height`` says.
    """

    kind: str
    tone: str = "#e9dccf"
    accent: str = ""
    surface: str = "plaster"
    width: float = 1.0
    height: float = 0.2

    def __post_init__(self) -> None:
        check(
            self,
            kind=one_of(*PROPS),
            tone=colour,
            accent=colour_or_none,
            surface=one_of(*SURFACES),
            width=number(0.2, 4),
            height=number(0.02, 3),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Mood:
    """The finish: exposure in stops; vignette, grain and blur of the far wall from 0 to 1."""

    exposure: float = 0.0
    vignette: float = 0.25
    grain: float = 0.3
    blur: float = 0.4

    def __post_init__(self) -> None:
        unit = number(0, 1)
        check(self, exposure=number(-2, 2), vignette=unit, grain=unit, blur=unit)


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneRecipe:
    """A complete scene. With ``view`` "auto" it depends on the product's pose."""

    surface: Material
    wall: Material
    edge: str = "table"
    light: Lamp = Lamp()
    props: tuple[Prop, ...] = ()
    mood: Mood = Mood()
    view: str = "auto"

    def __post_init__(self) -> None:
        check(self, edge=one_of(*EDGES), view=one_of(*VIEWS))
        try:
            one_of(*SURFACES)(self.surface.kind)
        except ValueError as error:
            raise ValueError(f"surface.kind: {error}") from error

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any]) -> SceneRecipe:
        """Return the recipe for a mapping such as a scene's JSON.

        Only ``surface`` is required; without a ``wall``, the wall has the surface's material.
        Raises ``ValueError`` with the wrong key, the nearest known one and the accepted values.
        """
        values = dict(known(cls, mapping, path="recipe"))
        if "surface" not in values:
            raise ValueError(
                "recipe: the key 'surface' is missing. Expected an object with a 'kind'."
            )
        kinds = {"surface": Material, "wall": Material, "light": Lamp, "mood": Mood}
        for name, kind in kinds.items():
            if name in values:
                values[name] = part(kind, values[name], path=name)
        values["props"] = parts(Prop, values.get("props", ()), path="props")
        return cls(**{"wall": values["surface"], **values})
