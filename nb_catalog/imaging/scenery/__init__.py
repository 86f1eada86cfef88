"""Rendered surroundings: a recipe, a size and a seed make the same picture every time."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from nb_catalog.core.types import Size
from nb_catalog.imaging.scenery.backdrop import Backdrop, rendered
from nb_catalog.imaging.scenery.canvas import Pixels
from nb_catalog.imaging.scenery.light import Light
from nb_catalog.imaging.scenery.recipe import SceneRecipe
from nb_catalog.imaging.scenery.stage import Box

__all__ = ["Backdrop", "Box", "Light", "SceneRecipe", "render", "thumbnail"]


KEPT: Final = 6
KEPT_PIXELS: Final = 1_700_000
"""1K in every ratio; larger backdrops are made anew each time, so the memory held stays small."""


def render(recipe: SceneRecipe, *, size: Size, seed: int, view: str = "front") -> Backdrop:
    """The scene without a product.

    ``view`` "front" looks at a product that stands, "top" down on one that lies; a recipe that
    names its own view wins. The same (recipe, size, seed, view) gives the same bytes, and
    another size the same picture, finer or coarser.
    """
    seen = view if recipe.view == "auto" else recipe.view
    if size.width * size.height > KEPT_PIXELS:
        return rendered(recipe, size=size, seed=seed, view=seen)
    return _kept(recipe, size, seed, seen)


# A series puts many products into one scene with one seed. lru_cache takes care of threads.
@lru_cache(maxsize=KEPT)
def _kept(recipe: SceneRecipe, size: Size, seed: int, view: str) -> Backdrop:
    return rendered(recipe, size=size, seed=seed, view=view)


def thumbnail(recipe: SceneRecipe, *, size: Size, seed: int = 0) -> Pixels:
    """A small picture of the scene for a list: (H, W, 3) sRGB uint8, read-only."""
    view = "top" if recipe.view == "top" else "front"
    return rendered(recipe, size=size, seed=seed, view=view).pixels
