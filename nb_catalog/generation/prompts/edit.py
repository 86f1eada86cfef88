"""Prompts for edits of a picture in words. Pure: the same request gives the same prompt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from django.utils.translation import gettext as _

from nb_catalog.core.text import ALL_HIDDEN, visible_line
from nb_catalog.exceptions import RequestRefused
from nb_catalog.generation.prompts.background import DATA, join, product_line
from nb_catalog.generation.prompts.bundle import ORDINALS

LONGEST_INSTRUCTION: Final = 1000
MOST_EARLIER: Final = 5
"""Instructions of the steps before that are repeated, the latest ones."""

# Pictures are named by their order, which docs/edits.md states: the picture, the photo, the mask.
_CHANGE: Final = (
    "The first image is a product photograph that has to be edited. The second image is the shop's own"
    " photo of the product in it."
)
_MASK: Final = (
    "The third image is a mask of the first one, of the same size: change only what lies where the mask is"
    " white, and leave everything that lies where it is black exactly as it is."
)
_KEEP_REST: Final = (
    "Keep everything else in the first image exactly the same: its framing, composition, camera, style and"
    " light, as far as the edit does not concern them. Do not crop, zoom or move the picture."
)
_KEEP_PRODUCT: Final = (
    "Keep everything about the product exactly as it is in the second image: its shape, proportions,"
    " colours, material and surface, and every printed word, logo and label letter by letter. It must"
    " remain this product, and the only one."
)
_NONE: Final = "Add no text, logo, watermark, frame or border that the edit does not ask for."


# In a session, the picture itself is not among the images.
_SESSION: Final = (
    "Edit the picture that you made last. The first image is the shop's own photo of the product in"
    " that picture."
)
_SESSION_MASK: Final = (
    "The second image is a mask of the picture, of the same size: change only what lies where the mask is"
    " white, and leave everything that lies where it is black exactly as it is."
)
_SESSION_KEEP: Final = (
    "Keep everything else in the picture exactly the same: its framing, composition, camera, style and"
    " light, as far as the edit does not concern them. Do not crop, zoom or move the picture. Keep everything"
    " about the product exactly as it is in the first image: its shape, proportions, colours, material and"
    " surface, and every printed word, logo and label letter by letter. It must remain this product, and the"
    " only one."
)


def clean_instruction(text: str) -> str:
    """Return an instruction as one line. Raises ``RequestRefused`` if it is empty or too long."""
    line = visible_line(str(text), hidden=ALL_HIDDEN)
    if not line:
        raise RequestRefused(
            _("Say what is to change, for example “warmer light” or “add a drop shadow”.")
        )
    if len(line) > LONGEST_INSTRUCTION:
        raise RequestRefused(
            _(
                "The instruction has %(length)s characters; at most %(most)s are possible. Ask for one "
                "change after the other."
            )
            % {"length": f"{len(line):,}", "most": f"{LONGEST_INSTRUCTION:,}"}
        )
    return line


def edit_prompt(
    *,
    instruction: str,
    earlier: Sequence[str] = (),
    has_area: bool,
    title: str,
    facts: Mapping[str, str],
) -> str:
    """Return the prompt for one edit. ``instruction`` and those of ``earlier`` steps are cleaned.

    With ``has_area`` the third image is a mask.
    """
    done = "; ".join(earlier[-MOST_EARLIER:])
    return join(
        _CHANGE,
        f"The product is {product_line(title, facts)}. {DATA}",
        _MASK if has_area else "",
        f"Edit the first image as follows: {_sentence(instruction)}",
        f"These edits were made before and stay as they are: {_sentence(done)}" if done else "",
        _KEEP_REST,
        _KEEP_PRODUCT,
        _NONE,
    )


def session_prompt(
    *, instruction: str, has_area: bool, title: str, facts: Mapping[str, str]
) -> str:
    """Return the prompt for an edit in a session that has the picture and all instructions before."""
    return join(
        _SESSION,
        f"The product is {product_line(title, facts)}. {DATA}",
        _SESSION_MASK if has_area else "",
        f"Edit it as follows: {_sentence(instruction)}",
        _SESSION_KEEP,
        _NONE,
    )


def bundle_edit_prompt(
    *, instruction: str, earlier: Sequence[str] = (), products: Sequence[str]
) -> str:
    """Return the prompt for an edit beside several ``products``, lines of ``product_line``, in the order of
    their photos: they follow the picture, and the mask is last."""
    done = "; ".join(earlier[-MOST_EARLIER:])
    shown = " ".join(
        f"The {ORDINALS[number]} image is the shop's own photo of {line}."
        for number, line in enumerate(products, start=1)
    )
    return join(
        "The first image is a photograph of several products that has to be edited.",
        shown,
        DATA,
        f"The {ORDINALS[len(products) + 1]} image is a mask of the first one, of the same size: change only"
        " what lies where the mask is white, and leave everything that lies where it is black exactly as it"
        " is.",
        f"Edit the first image as follows: {_sentence(instruction)}",
        f"These edits were made before and stay as they are: {_sentence(done)}" if done else "",
        _KEEP_REST,
        "Leave all products as they are, and add no further one.",
        _NONE,
    )


def _sentence(text: str) -> str:
    return text if text[-1] in ".!?…" else f"{text}."
