"""The camera of a set: one view and one framing for all of its pictures, whatever their products are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from nb_catalog.core.schema import check, flag, one_of, part
from nb_catalog.core.text import message as _
from nb_catalog.imaging.scenery.recipe import FramingWish, SceneRecipe

VIEWS: Final = ("front", "top")


@dataclass(frozen=True, slots=True, kw_only=True)
class Camera:
    """What the pictures of a set have in common beside scene and seed.

    Seen from the front, all products have their middle at the same place and their foot on the same
    line, those that hang before the wall as well; seen from the top, their middles are at the same
    place. ``framing`` is exact: its place is not "vary". With ``to_scale`` products are sized by
    their ``proportion``, and a wide one may take the width of the frame that ``framing.fill`` leaves
    free, so that it need not get smaller than the others.
    """

    view: str = "front"
    framing: FramingWish = FramingWish(place="centre")
    to_scale: bool = False

    def __post_init__(self) -> None:
        check(self, view=one_of(*VIEWS), to_scale=flag)
        if self.framing.place == "vary":
            text = _("the camera of a set is exact. Choose 'centre', 'left' or 'right'.")
            raise ValueError(f"framing.place: {text}")
        if self.to_scale and self.framing.by == "area":
            text = _("products in proportion are sized by their real heights. Choose 'height'.")
            raise ValueError(f"framing.by: {text}")

    @classmethod
    def from_mapping(cls, mapping: Any) -> Camera:
        """Return the camera for a mapping such as ``ImageSpec.camera``.

        Without a place, products are in the centre. Raises ``ValueError`` with the wrong key and the
        accepted values.
        """
        if isinstance(mapping, Mapping) and isinstance(wish := mapping.get("framing"), Mapping):
            mapping = {**mapping, "framing": {"place": "centre", **wish}}
        return part(cls, mapping, path="camera", framing=FramingWish)

    def as_dict(self) -> dict[str, Any]:
        """Return plain data for a JSON column."""
        return asdict(self)

    def view_of(self, recipe: SceneRecipe) -> str:
        """Return the view of pictures in a scene: the scene's own, if it has one."""
        return self.view if recipe.view == "auto" else recipe.view

    def aimed_at(self, recipe: SceneRecipe) -> SceneRecipe:
        """Return the recipe as this camera sees it."""
        return replace(recipe, view=self.view_of(recipe), framing=self.framing)
