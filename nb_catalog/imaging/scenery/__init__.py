"""Rendered surroundings: a recipe, a size and a seed make the same picture every time."""

from __future__ import annotations

from nb_catalog.imaging.scenery.backdrop import Backdrop, rendered
from nb_catalog.imaging.scenery.canvas import Pixels
from nb_catalog.imaging.scenery.light import Light
from nb_catalog.imaging.scenery.recipe import SceneRecipe
from nb_catalog.imaging.scenery.stage import Box
from nb_catalog.types import Size

__all__ = ["Backdrop", "Box", "Light", "SceneRecipe", "render", "thumbnail"]


def render(recipe: SceneRecipe, *, size: Size, seed: int, view: str = "front") -> Backdrop:
    """The scene without a product.

    ``view`` "front" looks at a product that stands, "top" down on one that lies; a recipe that
    names its own view wins. The same (recipe, size, seed, view) gives the same bytes, and
    another size the same picture, finer or coarser.
    """
    return rendered(
        recipe, size=size, seed=seed, view=view if recipe.view == "auto" else recipe.view
    )


def thumbnail(recipe: SceneRecipe, *, size: Size, seed: int = 0) -> Pixels:
    """A small picture of the scene for a list: (H, W, 3) sRGB uint8."""
    return render(recipe, size=size, seed=seed).pixels
