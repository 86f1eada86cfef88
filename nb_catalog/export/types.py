"""What an export is made of: its options, its files, and what checks find."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

from django.utils.translation import gettext as _

from nb_catalog.core.channels import channel
from nb_catalog.core.text import nearest
from nb_catalog.exceptions import RequestRefused
from nb_catalog.export.names import NamePattern

ORIGINAL: Final = "original"
FORMATS: Final = (ORIGINAL, "jpeg", "webp", "png")
DEFAULT_PATTERN: Final = "{sku}-{slot}-{locale}-{position}.jpg"
LEAST_SIDE: Final = 16
MOST_SIDE: Final = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportOptions:
    """How pictures are exported.

    ``pattern`` is that of the files' names. ``format`` is one of ``FORMATS``, ``longest_side`` the most
    pixels of the longest side, None for those of the picture. ``channels`` are the keys of the sales
    channels whose rules are checked. With ``number``, files that would have the same name are numbered;
    otherwise they are refused.
    """

    pattern: str = DEFAULT_PATTERN
    format: str = ORIGINAL
    longest_side: int | None = None
    channels: tuple[str, ...] = ()
    number: bool = False

    def validate(self) -> None:
        """Raise ``RequestRefused`` for values that do not exist, and patterns that name no file."""
        NamePattern(self.pattern)
        if self.format not in FORMATS:
            raise RequestRefused(
                _("There is no format %(format)r.") % {"format": self.format}
                + nearest(self.format, FORMATS)
            )
        if self.longest_side is not None and not LEAST_SIDE <= self.longest_side <= MOST_SIDE:
            raise RequestRefused(
                _("The longest side must have %(least)s to %(most)s pixels.")
                % {"least": LEAST_SIDE, "most": MOST_SIDE}
            )
        for key in self.channels:
            channel(key)


class ExportedPicture(NamedTuple):
    """A picture to export: its key and its place, which is empty for one that is not published."""

    image: int
    slot: str = ""
    locale: str = ""
    position: int = 0


class ExportedFile(NamedTuple):
    """A picture to export, and the name of its file without the extension."""

    picture: ExportedPicture
    stem: str


class Level(StrEnum):
    """How much a finding matters: the channel refuses the picture, a person has something to do or could
    improve it, or nothing could check the rule."""

    FAILS = "fails"
    ADVICE = "advice"
    UNCHECKED = "unchecked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a rule of a channel says about a file: what was ``found``, what is ``wanted``, and what would
    ``mend`` it."""

    channel: str
    rule: str
    level: Level
    found: str
    wanted: str
    mend: str = ""

    def __str__(self) -> str:
        sentence = _("%(found)s, wanted: %(wanted)s.") % {
            "found": self.found, "wanted": self.wanted
        }  # fmt: skip
        return f"{sentence} {self.mend}".strip()
