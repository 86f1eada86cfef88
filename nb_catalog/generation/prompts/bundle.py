"""Prompts for pictures of several products together. Pure: the same products give the same prompt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from nb_catalog.core.types import Treatment
from nb_catalog.generation.prompts.background import (
    DATA,
    LOCKED_NONE,
    PLACE,
    frame_of,
    join,
    product_line,
    scene_of,
)

ORDINALS: Final = (
    "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth",
)  # fmt: skip
NUMBERS: Final = ("no", "one", "two", "three", "four", "five", "six")

_KEEP: Final = (
    "Keep everything about each product exactly as it is in its own image: its shape, proportions,"
    " colours, material and surface, and every printed word, logo and label letter by letter. Mix"
    " nothing of one product into another."
)
_STAND: Final = (
    "Show each product once, in sharp focus: the taller ones behind and the smaller ones in front, at"
    " most a third of any of them hidden, and the product of the first image fully visible. Each stands"
    " on the ground with its own soft contact shadow, and the light on all of them matches the light"
    " around them."
)
_LIE: Final = (
    "Show each product once, in sharp focus, lying flat and seen straight from above, side by side"
    " without touching, each with its own soft contact shadow, and let the light on all of them match"
    " the light around them."
)
_NONE: Final = (
    "Add no text, logo, watermark, frame or border, no people or hands, and no further product."
)
_EMPTY: Final = (
    "The set is empty: it is photographed before the products are brought in. Leave a free, flat"
    " standing surface across the lower middle, in sharp focus, evenly lit, and wide and deep enough for"
    " all of them, with calm surroundings behind it. The camera looks straight on from slightly above"
    " the height of the surface."
)
_EMPTY_FROM_ABOVE: Final = (
    "The set is empty: it is photographed before the products are laid down. The camera looks straight"
    " down on the surface, which fills the frame. Leave it free and flat, in sharp focus, evenly lit and"
    " wide enough for all of them."
)


class BundledProduct(NamedTuple):
    """One product of a bundle. ``height_cm`` is 0 if it is not known."""

    title: str
    facts: Mapping[str, str]
    height_cm: float = 0.0


def bundle_prompt(
    *,
    treatment: str,
    products: Sequence[BundledProduct],
    scene_prompt: str,
    ratio: str,
    has_backdrop: bool = False,
    view: str = "front",
) -> str:
    """Return the prompt for ``products`` together in one scene, in the order of their images.

    As in ``background_prompt``: ``painted`` has the products in the first images and the place in the last
    one, ``locked`` requests the empty background alone. Raises ``RequestRefused`` if the scene has no prompt.
    """
    count = NUMBERS[len(products)]
    scene = scene_of(scene_prompt) if scene_prompt.strip() or not has_backdrop else ""
    if treatment != Treatment.PAINTED:
        begins = (
            "The image shows a place. Make a photorealistic, studio-quality photograph of this same place,"
            f" empty, in which {count} products will be photographed later."
            if has_backdrop
            else "Make a photorealistic, studio-quality photograph of empty surroundings in which"
            f" {count} products will be photographed later: {scene}"
        )
        return join(
            begins,
            PLACE.format(image="given") if has_backdrop else "",
            scene if has_backdrop else "",
            "They must suit, in kind and in size, these products, which themselves are not in the"
            f" picture: {'; '.join(product_line(each.title, each.facts) for each in products)}.",
            DATA,
            _EMPTY_FROM_ABOVE if view == "top" else _EMPTY,
            frame_of(ratio),
            LOCKED_NONE,
        )
    place = ORDINALS[len(products)]
    return join(
        f"The first {count} images show {count} different products, one each"
        + (f", and the {place} image shows a place." if has_backdrop else "."),
        f"Make one photorealistic, studio-quality photograph of all {count} together"
        + (" in this place." if has_backdrop else "."),
        *(
            f"The {ordinal} image shows {product_line(each.title, each.facts)}."
            for ordinal, each in zip(ORDINALS, products, strict=False)
        ),
        DATA,
        PLACE.format(image=place) if has_backdrop else "",
        scene if has_backdrop else f"Their surroundings are this: {scene}",
        _KEEP,
        _sizes(products),
        _LIE if view == "top" else _STAND,
        frame_of(ratio),
        _NONE,
    )


def _sizes(products: Sequence[BundledProduct]) -> str:
    """Return how high the products are in reality, as far as it is known."""
    heights = [
        f"the product of the {ordinal} image is {each.height_cm:g} cm high"
        for ordinal, each in zip(ORDINALS, products, strict=False)
        if each.height_cm
    ]
    if not heights:
        return "Show them in their natural proportion to each other."
    return f"Keep their real sizes in proportion: {', '.join(heights)}."
