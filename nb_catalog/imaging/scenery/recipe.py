"""The recipe of a rendered scene: materials, light, props, finish. Validated on creation."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from nb_catalog.core.schema import check, colour, colour_or_none, known, number, one_of, part, parts
from nb_catalog.core.text import message as _

SURFACES: Final = (
    "brick", "concrete", "formwork", "linen", "marble", "moss", "oak", "paper", "plain", "plaster",
    "sand", "stone", "terrazzo", "tiles", "velvet", "walnut",
)  # fmt: skip
WALLS: Final = ("dark", "drape", "foliage", "panel", *SURFACES)
EDGES: Final = ("floor", "sweep", "table")
LIGHTS: Final = ("leaves", "softbox", "spot", "sun", "window")
SIDES: Final = ("either", "front", "left", "right")
VIEWS: Final = ("auto", "front", "top")
PROPS: Final = ("arch", "block", "bokeh", "disc", "podium", "slab")
SHADOWS: Final = ("cast", "contact", "none")
PLACES: Final = ("centre", "left", "right", "vary")
BYS: Final = ("area", "height")
ROOMS: Final = ("above", "left", "none", "right")
FILL: Final = 0.77
"""Search engines and marketplaces want the product on 75 to 90 % of the frame, and this leaves room
for a line of text above and below."""
FILLS: Final = (0.3, 0.9)


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """The material of a surface or a wall. ``scale`` above 1 makes its pattern larger.

    ``accent`` is the colour of veins, chips or grout, if the material has any. ``gloss`` 0 to 1 is
    how much it mirrors, ``relief`` deepens or flattens its bumps. "plain" is its tone and nothing
    else.
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
class FramingWish:
    """The product's size and place in the frame.

    ``fill`` is the share of the frame's height or width that it takes. ``room`` keeps a part of the
    frame free for text, and ``place`` is the product's place in the rest: "vary" shifts and scales
    it a little from seed to seed, the others are exact, and "centre" has its middle in the middle.
    ``baseline`` is the share of the frame's height below the foot of a product that stands;
    without it, that follows from ``fill``. ``by`` "height" makes every product as high as ``fill``, or as
    wide if it is wider than high; "area" gives all products one area, within ``fill``: see
    ``stage.SHARE_BY_AREA``.
    """

    fill: float = FILL
    by: str = "height"
    place: str = "vary"
    baseline: float | None = None
    room: str = "none"

    def __post_init__(self) -> None:
        check(
            self, fill=number(*FILLS), place=one_of(*PLACES), room=one_of(*ROOMS), by=one_of(*BYS)
        )
        if self.baseline is not None:
            check(self, baseline=number(0.02, 0.6))


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneRecipe:
    """A complete scene. With ``view`` "auto" it depends on the product's pose.

    ``shadow`` "cast" is all that light and product give, "contact" only what is around the foot.
    """

    surface: Material
    wall: Material
    edge: str = "table"
    light: Lamp = Lamp()
    props: tuple[Prop, ...] = ()
    mood: Mood = Mood()
    view: str = "auto"
    framing: FramingWish = FramingWish()
    shadow: str = "cast"

    def __post_init__(self) -> None:
        check(self, edge=one_of(*EDGES), view=one_of(*VIEWS), shadow=one_of(*SHADOWS))
        try:
            one_of(*SURFACES)(self.surface.kind)
        except ValueError as error:
            raise ValueError(f"surface.kind: {error}") from error

    @property
    def is_plain(self) -> bool:
        """Whether the scene is one exact colour from edge to edge, such as a brand's, or white."""
        flat = self.surface.kind == self.wall.kind == "plain"
        return flat and self.surface.tone == self.wall.tone and not self.props

    def own_seed(self, seed: int) -> int:
        """Return ``seed`` mixed with what the scene is made of, 32 bits.

        Two scenes then have different clouds, veins and pools of light even if they share a seed.
        Colours do not count: while somebody tries them out, the veins stay where they are.
        """
        kinds = [self.surface.kind, self.wall.kind, self.light.kind]
        kinds += [each.kind for each in self.props]
        return (seed ^ zlib.crc32(" ".join([self.edge, *kinds]).encode())) & 0xFFFFFFFF

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any]) -> SceneRecipe:
        """Return the recipe for a mapping such as a scene's JSON.

        Only ``surface`` is required; without a ``wall``, the wall has the surface's material.
        ``fill`` may also be given beside ``framing``, where recipes had it before.
        Raises ``ValueError`` with the wrong key, the nearest known one and the accepted values.
        """
        mapping = _with_framing(mapping) if isinstance(mapping, Mapping) else mapping
        values = dict(known(cls, mapping, path="recipe"))
        if "surface" not in values:
            problem = _("the key %(name)r is missing. Expected an object with a 'kind'.")
            raise ValueError(f"recipe: {problem % {'name': 'surface'}}")
        kinds = {
            "surface": Material, "wall": Material, "light": Lamp, "mood": Mood,
            "framing": FramingWish,
        }  # fmt: skip
        for name, kind in kinds.items():
            if name in values:
                values[name] = part(kind, values[name], path=name)
        values["props"] = parts(Prop, values.get("props", ()), path="props")
        return cls(**{"wall": values["surface"], **values})


def _with_framing(mapping: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return ``mapping`` with its own ``fill``, if it has one, moved into ``framing``."""
    values = dict(mapping)
    if "fill" not in values:
        return values
    framing, fill = values.get("framing", {}), values.pop("fill")
    if isinstance(framing, Mapping):
        if "fill" in framing:
            raise ValueError("fill: framing.fill says the same. Remove one of the two.")
        try:
            number(*FILLS)(fill)
        except ValueError as error:
            raise ValueError(f"fill: {error}") from error
        values["framing"] = {**framing, "fill": fill}
    return values
