"""Why a person should look at a cut-out, as sentences."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from nb_catalog.core.text import message

# The name by which the translators' tools find texts.
_ = message

REASONS: Final[Mapping[str, Callable[[], str]]] = MappingProxyType(
    {
        "unsure": lambda: _("It is uncertain what belongs to the product."),
        "outline": lambda: _("Part of the outline is not visible in the photo."),
        "room": lambda: _(
            "The background is a room or a scene: the cut-out may be a person, or another thing. People and "
            "hands that hold or wear the product are kept."
        ),
        "small": lambda: _("The product is small in the photo."),
        "touches_frame": lambda: _("The product is cut off by the edge of the photo."),
        "several_pieces": lambda: _("The cut-out consists of several pieces."),
        "sizes_disagree": lambda: _("At two sizes, the network finds different outlines."),
        "shadow": lambda: _(
            "A pale part was taken for the product's shadow, and left out: it may belong to the product."
        ),
        "holes": lambda: _("A part that looks like the background may be a hole, or the product."),
    }
)


def describe_reason(code: str) -> str:
    """Return the sentence for a code of ``FoundMask.reasons``, in the active language; ``code`` itself
    if it is unknown, as one of a backend that is not part of this package can be."""
    sentence = REASONS.get(code)
    return sentence() if sentence else code
