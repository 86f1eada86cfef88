"""Rendered backdrops: the same recipe, size and seed always give the same picture."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from nb_catalog.core.types import Size
from nb_catalog.imaging.scenery.backdrop import Backdrop, build_backdrop
from nb_catalog.imaging.scenery.canvas import Pixels
from nb_catalog.imaging.scenery.light import Light
from nb_catalog.imaging.scenery.recipe import SceneRecipe
from nb_catalog.imaging.scenery.stage import ProductBox

__all__ = ["Backdrop", "ProductBox", "Light", "SceneRecipe", "render", "thumbnail"]

MAX_CACHED: Final = 6
MAX_CACHED_PIXELS: Final = 1_700_000
"""1K in every ratio. Larger backdrops are rendered each time, to limit the memory in use."""

# A seed that several products share is rendered once. lru_cache is thread-safe.
_build_cached = lru_cache(maxsize=MAX_CACHED)(build_backdrop)


def render(recipe: SceneRecipe, *, size: Size, seed: int, view: str = "front") -> Backdrop:
    """Return the scene without a product.

    ``view`` is "front" for a product that stands or "top" for one that lies; the recipe's own
    view takes precedence unless it is "auto". The same (recipe, size, seed, view) gives the same
    bytes, and another size the same picture, finer or coarser.
    """
    view = view if recipe.view == "auto" else recipe.view
    build = build_backdrop if size.width * size.height > MAX_CACHED_PIXELS else _build_cached
    return build(recipe, size=size, seed=seed, view=view)


def thumbnail(recipe: SceneRecipe, *, size: Size, seed: int = 0) -> Pixels:
    """Return a small picture of the scene for a list: (H, W, 3) sRGB uint8, read-only."""
    view = "top" if recipe.view == "top" else "front"
    return build_backdrop(recipe, size=size, seed=seed, view=view).pixels
