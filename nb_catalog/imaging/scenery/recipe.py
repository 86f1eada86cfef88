"""A scene's recipe: what stands where, of what material, in which light. Checked when made."""

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
    """The key light. ``warmth`` runs from cool -1 to warm 1, ``elevation`` in degrees."""

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
    """The finish: exposure in stops, vignette and grain from 0 to 1, blur of the far wall."""

    exposure: float = 0.0
    vignette: float = 0.25
    grain: float = 0.3
    blur: float = 0.4

    def __post_init__(self) -> None:
        unit = number(0, 1)
        check(self, exposure=number(-2, 2), vignette=unit, grain=unit, blur=unit)


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
        check(self, edge=one_of(*EDGES), view=one_of(*VIEWS))
        try:
            one_of(*SURFACES)(self.surface.kind)
        except ValueError as error:
            raise ValueError(f"surface.kind: {error}") from error

    @classmethod
    def from_mapping(cls, given: Mapping[str, Any]) -> SceneRecipe:
        """The recipe that a readable mapping stands for.

        Only ``surface`` is needed; without a ``wall`` the surface's material rises as one.
        Raises ``ValueError`` whose text names the wrong key, the nearest known one and what is
        accepted.
        """
        written = dict(known(cls, given, path="recipe"))
        if "surface" not in written:
            raise ValueError("recipe: the key 'surface' is missing: an object with a 'kind'.")
        kinds = {"surface": Material, "wall": Material, "light": Lamp, "mood": Mood}
        for name, kind in kinds.items():
            if name in written:
                written[name] = part(kind, written[name], path=name)
        written["props"] = parts(Prop, written.get("props", ()), path="props")
        return cls(**{"wall": written["surface"], **written})
