"""Why a person should compare a picture with the product's photo, and what was not judged, as sentences."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from nb_catalog.core.text import message

# The name by which the translators' tools find texts.
_ = message

REASONS: Final[Mapping[str, Callable[[], str]]] = MappingProxyType(
    {
        "not_found": lambda: _("The product of the photo was not found in the picture."),
        "twice": lambda: _("The product is in the picture more than once."),
        "detail": lambda: _("Print or fine detail differs from the photo."),
        "shape": lambda: _("The product's proportions or its shape differ."),
        "colour": lambda: _("The product has another colour, beyond what light explains."),
        "other_colour": lambda: _("The product does not have the colour that was asked for."),
        "old_colour": lambda: _("Part of the product still has the colour of the photo."),
        "part": lambda: _("Part of the product looks different or is missing."),
        "outline": lambda: _("The product's outline differs."),
        "cut_off": lambda: _("The edge of the picture cuts the product off."),
        "words": lambda: _("Words on the product differ."),
    }
)
LEFT_OUT: Final[Mapping[str, Callable[[], str]]] = MappingProxyType(
    {
        "few_details": lambda: _(
            "Only colour and outline were judged: the product shows too little fine detail."
        ),
        "no_cutout": lambda: _("The product was not judged: its photo has no cut-out."),
        "doubtful_cutout": lambda: _(
            "The cut-out of its photo is doubtful, and so is this comparison: look at the outline first."
        ),
        "no_photo": lambda: _("The product was not judged: its photo is gone or cannot be read."),
        "small": lambda: _("The product was not judged: it is too small in its photo."),
        "plain": lambda: _(
            "The product was not judged: it shows too little detail to be found in a picture."
        ),
        "scene_photo": lambda: _(
            "The product was not judged: its photo shows it in use, so that there is no outline."
        ),
        "words": lambda: _("Printed words were not read: the extra “ocr” is not installed."),
        "many_colours": lambda: _(
            "Whether it has the colour that was asked for was not judged: the photo shows no main colour."
        ),
        "bundle": lambda: _(
            "The products were not judged: pictures of several products are not compared with their photos."
        ),
        "failed": lambda: _("The comparison with the photo failed. The log has the error."),
    }
)


def describe_reason(code: str) -> str:
    """Return the sentence for a code of ``Fidelity.reasons``, in the active language; ``code`` itself if it
    is unknown, as one of a newer version can be."""
    sentence = REASONS.get(code)
    return sentence() if sentence else code


def describe_left_out(code: str) -> str:
    """Return the sentence for a code of ``Fidelity.left_out``, in the active language; see above."""
    sentence = LEFT_OUT.get(code)
    return sentence() if sentence else code
