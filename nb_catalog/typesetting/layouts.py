"""Layouts: where words stand on a picture, and what they look like there. Checked when made.

Places are shares of the picture, from 0 to 1. ``start`` is the left edge where a locale is written
from left to right, and the right edge in the others: a layout is drawn once and serves both.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Self

from nb_catalog.core.schema import check, colour, flag, known, number, one_of, part, parts, whole
from nb_catalog.core.types import Rect, Size

# WCAG 2.2, success criteria 1.4.3 and 1.4.6: text, and text for everybody.
ENOUGH_CONTRAST: Final = 4.5
ALIGNMENTS: Final = ("start", "centre", "end")
HEIGHTS: Final = ("top", "middle", "bottom")
_ROLE: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")
# What two numbers that people typed may differ by.
_SLACK: Final = 1e-6


def _share(value: Any) -> float:
    return float(number(0, 1)(value))


def role_name(value: Any) -> str:
    """``value``, where it can name a role. Raises ``ValueError``."""
    if not isinstance(value, str) or not _ROLE.fullmatch(value):
        raise ValueError(
            f"expected small letters, digits and '_', such as 'headline', got {value!r}."
        )
    return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A rectangle in shares of the picture, from the edge where a line starts."""

    start: float
    top: float
    width: float
    height: float

    def __post_init__(self) -> None:
        part_of = number(0.01, 1)
        check(self, start=_share, top=_share, width=part_of, height=part_of)
        for edge, length in (("start", "width"), ("top", "height")):
            if getattr(self, edge) + getattr(self, length) > 1 + _SLACK:
                raise ValueError(
                    f"{length}: {edge} and {length} together reach beyond the picture, which ends at 1."
                )

    def on(self, size: Size, *, rtl: bool) -> Rect:
        """It on a picture, mirrored where lines start at the right."""
        start = 1 - self.start - self.width if rtl else self.start
        left, top = round(start * size.width), round(self.top * size.height)
        right = min(size.width, round((start + self.width) * size.width))
        bottom = min(size.height, round((self.top + self.height) * size.height))
        return Rect(left, top, right - left, bottom - top)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stroke:
    """An outline around letters, ``width`` in ems."""

    colour: str
    width: float = 0.06

    def __post_init__(self) -> None:
        check(self, colour=colour, width=number(0.01, 0.3))


@dataclass(frozen=True, slots=True, kw_only=True)
class Shadow:
    """A soft shadow. ``blur``, ``right`` and ``down`` in ems; ``right`` is mirrored too."""

    colour: str = "#000000"
    opacity: float = 0.5
    blur: float = 0.12
    right: float = 0.0
    down: float = 0.05

    def __post_init__(self) -> None:
        shift = number(-1, 1)
        check(
            self, colour=colour, opacity=_share, blur=number(0, 1), right=shift, down=shift
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Scrim:
    """A soft veil under the words, as thick as their contrast needs and no thicker; it fades over
    ``feather`` ems. With ``swaps``, letters and veil exchange their colours where a thinner one is
    enough then: dark words on a light picture."""

    colour: str = "#000000"
    feather: float = 1.0
    swaps: bool = False

    def __post_init__(self) -> None:
        check(self, colour=colour, feather=number(0, 4), swaps=flag)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plate:
    """A solid ground with round corners: ``radius`` and ``padding`` in ems. It hugs its words, or
    fills the box."""

    colour: str
    radius: float = 0.5
    padding: float = 0.4
    hugs: bool = True

    def __post_init__(self) -> None:
        check(self, colour=colour, radius=number(0, 10), padding=number(0, 3), hugs=flag)


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """A plain shape under everything: the half of a split picture, a strip."""

    place: Place
    colour: str
    opacity: float = 1.0
    radius: float = 0.0

    def __post_init__(self) -> None:
        check(self, colour=colour, opacity=_share, radius=number(0, 0.5))


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """Where the words of a role stand. Sizes are of an em, in shares of the picture's shorter side.

    ``covers_product`` lets it stand on the product; ``optional`` leaves it out where a locale has
    no words for it.
    """

    role: str
    place: Place
    smallest: float = 0.022
    largest: float = 0.09
    lines: int = 3
    weight: int = 700
    colour: str = "#ffffff"
    align: str = "start"
    stands: str = "top"
    contrast: float = ENOUGH_CONTRAST
    stroke: Stroke | None = None
    shadow: Shadow | None = None
    scrim: Scrim | None = None
    plate: Plate | None = None
    covers_product: bool = False
    optional: bool = False

    def __post_init__(self) -> None:
        em = number(0.008, 0.5)
        check(
            self, role=role_name, smallest=em, largest=em, lines=whole(1, 12), weight=whole(100, 900),
            colour=colour, align=one_of(*ALIGNMENTS), stands=one_of(*HEIGHTS),
            contrast=number(1, 21), covers_product=flag, optional=flag,
        )  # fmt: skip
        if self.smallest > self.largest:
            raise ValueError(
                f"smallest: {self.smallest:g} is above the largest size, {self.largest:g}."
            )

    def sizes(self, size: Size) -> tuple[int, int]:
        """The smallest and the largest em on a picture, in whole pixels."""
        side = min(size)
        smallest = max(1, round(self.smallest * side))
        return smallest, max(smallest, round(self.largest * side))


_LOOKS: Final[Mapping[str, type[Any]]] = {
    "stroke": Stroke, "shadow": Shadow, "scrim": Scrim, "plate": Plate,
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Panels, and boxes in the order in which they are drawn. A role stands once.

    Words stand on the picture, or beside it: with ``picture`` it keeps its size and becomes that part
    of a larger sheet of ``paper``.
    """

    boxes: tuple[Box, ...]
    panels: tuple[Panel, ...] = ()
    picture: Place | None = None
    paper: str = "#ffffff"

    def __post_init__(self) -> None:
        check(self, paper=colour)
        if not self.boxes:
            raise ValueError("boxes: a layout has at least one box.")
        roles = [box.role for box in self.boxes]
        twice = sorted({role for role in roles if roles.count(role) > 1})
        if twice:
            raise ValueError(f"boxes: the role {twice[0]!r} stands twice.")

    @property
    def roles(self) -> tuple[str, ...]:
        return tuple(box.role for box in self.boxes)

    def sheet(self, picture: Size) -> Size:
        """How large the whole is, with a picture of that size. Pixels."""
        if self.picture is None:
            return picture
        return Size(
            round(picture.width / self.picture.width), round(picture.height / self.picture.height)
        )

    def window(self, picture: Size, *, rtl: bool) -> Rect:
        """Where on the sheet a picture of that size lies."""
        if self.picture is None:
            return Rect(0, 0, *picture)
        place = self.picture.on(self.sheet(picture), rtl=rtl)
        return place._replace(width=picture.width, height=picture.height)

    @classmethod
    def from_mapping(cls, given: Mapping[str, Any]) -> Self:
        """The layout that a readable mapping stands for.

        Raises ``ValueError`` whose text names the place, what is wrong there and what is accepted.
        """
        written = known(cls, given, path="layout")
        picture = written.get("picture")
        return cls(
            boxes=parts(Box, written.get("boxes", ()), path="boxes", place=Place, **_LOOKS),
            panels=parts(Panel, written.get("panels", ()), path="panels", place=Place),
            picture=None if picture is None else part(Place, picture, path="picture"),
            paper=written.get("paper", "#ffffff"),
        )

    def as_mapping(self) -> dict[str, Any]:
        """Plain data for a JSON column; ``from_mapping`` reads it."""
        return _without_none(asdict(self)) | {
            "boxes": [_without_none(asdict(box)) for box in self.boxes],
            "panels": [asdict(panel) for panel in self.panels],
        }


def _without_none(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
