"""Safe areas: channels that show pictures, their shape, and the margins that they cover themselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

# The date of the values below, from the networks' own pages and secondary sources.
CHECKED: Final = date(2026, 11, 15)


@dataclass(frozen=True, slots=True, kw_only=True)
class Margins:
    """Covered edges, as shares of the height and, for ``side``, of the width."""

    top: float = 0.0
    bottom: float = 0.0
    side: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """``ratio`` is width to height; text within the ``covered`` margins would be hidden."""

    name: StrOrPromise
    ratio: tuple[int, int]
    covered: Margins


CHANNELS: Final[Mapping[str, Channel]] = {
    "story": Channel(
        name=_("Story"), ratio=(9, 16), covered=Margins(top=0.098, bottom=0.133)
    ),  # fmt: skip
    "reels": Channel(
        name=_("Reels"), ratio=(9, 16), covered=Margins(top=0.14, bottom=0.35, side=0.06)
    ),
}
"""The channels that cover a part of the picture."""
