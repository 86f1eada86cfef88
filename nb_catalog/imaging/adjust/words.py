"""Adjustments in the words of people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from django.utils.translation import gettext_lazy as _

KINDS: Final[Mapping[str, Any]] = {
    "crop": _("cropped to %(ratio)s"),
    "extend": _("extended to %(ratio)s"),
    "straighten": _("straightened by %(degrees)s°"),
    "exposure": _("exposure %(stops)s"),
    "white_balance": _("white balance %(temperature)s / %(tint)s"),
    "sharpen": _("sharpened by %(amount)s"),
    "background": _("background %(colour)s"),
    "resize": _("%(width)s pixels wide"),
}


def describe_adjustments(adjustments: Iterable[Mapping[str, Any]]) -> str:
    """Return what ``adjustments``, as they are stored with a picture, did: "cropped to 4:5, exposure 0.4".

    Kinds that this version does not know are left out.
    """
    return ", ".join(
        str(KINDS[each["kind"]])
        % {
            name: f"{value:g}" if isinstance(value, float) else value
            for name, value in each.items()
        }
        for each in adjustments
        if each.get("kind") in KINDS
    )
