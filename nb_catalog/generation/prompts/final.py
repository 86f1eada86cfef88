"""What a prompt says of the draft of the picture. Pure."""

from __future__ import annotations

from typing import Final

from nb_catalog.core.types import Treatment
from nb_catalog.generation.prompts.bundle import ORDINALS

# Where the words about the draft begin: a final may be the draft of another one.
_BEGINS: Final = (
    "This picture exists as a draft, which is to be made again in full detail and quality."
)
_KEEP: Final = (
    "the camera and perspective, the horizon, the surfaces and things and their places, and the direction and"
    " softness of the light"
)
_PAINTED: Final = (
    "The {image} image is that draft. Keep its composition exactly: the place and size of {what} in the "
    "frame,"
    f" {_KEEP}. Take {{what}} from {{whose}} only, because the draft may have changed shape, colours or "
    f"words."
)
_EMPTY: Final = (
    "The {image} image is that draft of the empty surroundings. Keep its composition exactly: the free place "
    "for"
    f" {{what}}, {_KEEP}."
)
_WITHOUT: Final = (
    "The {image} image is that draft, with {what} already in it. Keep its composition exactly:"
    f" {_KEEP}. Leave {{what}} out: show what is behind, and nothing in that place."
)

_EDITED: Final = (
    "The draft was changed after this was written: where it differs in what it shows, or in its light and"
    " colours, follow the draft."
)


def final_prompt(
    prompt: str,
    *,
    treatment: str,
    references: int,
    products: int = 1,
    shows_product: bool = True,
    is_edited: bool = False,
) -> str:
    """Return ``prompt``, a draft's, with what is to be kept of the draft.

    The draft is the last of ``references`` images. ``shows_product`` is whether the product is in it, which
    matters if the model paints the background alone. Of a draft that ``is_edited`` light and colours are
    kept, too: the prompt says nothing of the edit. What the prompt says of an earlier draft is replaced.
    """
    before, begins, _draft = prompt.rpartition(f" {_BEGINS}")
    image = "given" if references == 1 else ORDINALS[references - 1]
    several = products > 1
    what = "the products" if several else "the product"
    if treatment == Treatment.PAINTED:
        whose = "their own images" if several else "the first image"
        words = _PAINTED.format(image=image, what=what, whose=whose)
    else:
        words = (_WITHOUT if shows_product else _EMPTY).format(image=image, what=what)
    edited = f" {_EDITED}" if is_edited else ""
    return f"{before if begins else prompt} {_BEGINS} {words}{edited}"
