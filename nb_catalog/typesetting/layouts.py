"""Layouts: where texts are placed on a picture and how they look. Values are validated when created.

Positions are shares of the picture, from 0 to 1. ``start`` is the left edge in left-to-right locales and
the right edge in the others, so one layout serves both.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Self

from nb_catalog.core.schema import check, colour, flag, known, number, one_of, part, parts, whole
from nb_catalog.core.text import message as _
from nb_catalog.core.types import Rect, Size

# WCAG 2.2, success criterion 1.4.3, for text of normal size.
DEFAULT_CONTRAST: Final = 4.5
ALIGNMENTS: Final = ("start", "centre", "end")
VERTICAL_ALIGNMENTS: Final = ("top", "middle", "bottom")
_ROLE: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")
# Allowed rounding error in numbers that people typed.
_SLACK: Final = 1e-6


def _share(value: Any) -> float:
    return float(number(0, 1)(value))


def role_name(value: Any) -> str:
    """Return ``value`` if it is a valid role name. Raises ``ValueError``."""
    if not isinstance(value, str) or not _ROLE.fullmatch(value):
        raise ValueError(
            _("expected lowercase letters, digits and '_', such as 'headline', got %(value)r.")
            % {"value": value}
        )
    return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A rectangle in shares of the picture; ``start`` is measured from the edge where lines start."""

    start: float
    top: float
    width: float
    height: float

    def __post_init__(self) -> None:
        part_of = number(0.01, 1)
        check(self, start=_share, top=_share, width=part_of, height=part_of)
        for edge, length in (("start", "width"), ("top", "height")):
            if getattr(self, edge) + getattr(self, length) > 1 + _SLACK:
                problem = _(
                    "%(edge)s plus %(length)s is more than 1 and would reach beyond the picture."
                ) % {"edge": edge, "length": length}
                raise ValueError(f"{length}: {problem}")

    def to_rect(self, size: Size, *, rtl: bool) -> Rect:
        """Return it in pixels of a picture of ``size``, mirrored if ``rtl``."""
        start = 1 - self.start - self.width if rtl else self.start
        left, top = round(start * size.width), round(self.top * size.height)
        right = min(size.width, round((start + self.width) * size.width))
        bottom = min(size.height, round((self.top + self.height) * size.height))
        return Rect(left, top, right - left, bottom - top)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stroke:
    """An outline around glyphs; ``width`` in ems."""

    colour: str
    width: float = 0.06

    def __post_init__(self) -> None:
        check(self, colour=colour, width=number(0.01, 0.3))


@dataclass(frozen=True, slots=True, kw_only=True)
class Shadow:
    """A soft shadow. ``blur``, ``right`` and ``down`` in ems; ``right`` is mirrored in RTL locales."""

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
    """A soft shade behind the text, only as opaque as the contrast requires; it fades out over
    ``feather`` ems. With ``swaps``, text and scrim swap colours if less opacity is enough then, as for
    dark text on a light picture."""

    colour: str = "#000000"
    feather: float = 1.0
    swaps: bool = False

    def __post_init__(self) -> None:
        check(self, colour=colour, feather=number(0, 4), swaps=flag)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plate:
    """A solid background with rounded corners: ``radius`` and ``padding`` in ems. It hugs its text, or
    fills the box."""

    colour: str
    radius: float = 0.5
    padding: float = 0.4
    hugs: bool = True

    def __post_init__(self) -> None:
        check(self, colour=colour, radius=number(0, 10), padding=number(0, 3), hugs=flag)


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """A plain shape below all text, such as one half of a split picture or a strip.

    ``radius`` is a share of the picture's shorter side. ``covers_product`` allows it to cover the product.
    """

    place: Place
    colour: str
    opacity: float = 1.0
    radius: float = 0.0
    covers_product: bool = False

    def __post_init__(self) -> None:
        check(
            self, colour=colour, opacity=_share, radius=number(0, 0.5), covers_product=flag
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """The place and style of a role's text. ``smallest`` and ``largest`` are ems, as shares of the
    picture's shorter side.

    ``hyphenate`` allows hyphens in long words if it has more than one line. ``covers_product`` allows it to
    cover the product; ``optional`` leaves it out if a locale has no text for it. Boxes of the same ``group``
    are set in one size.
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
    contrast: float = DEFAULT_CONTRAST
    stroke: Stroke | None = None
    shadow: Shadow | None = None
    scrim: Scrim | None = None
    plate: Plate | None = None
    hyphenate: bool = True
    covers_product: bool = False
    optional: bool = False
    group: str = ""

    def __post_init__(self) -> None:
        em = number(0.008, 0.5)
        check(
            self, role=role_name, smallest=em, largest=em, lines=whole(1, 12), weight=whole(100, 900),
            colour=colour, align=one_of(*ALIGNMENTS), stands=one_of(*VERTICAL_ALIGNMENTS),
            contrast=number(1, 21), hyphenate=flag, covers_product=flag, optional=flag,
            group=lambda name: "" if name == "" else role_name(name),
        )  # fmt: skip
        if self.smallest > self.largest:
            problem = _("%(smallest)s is above the largest size, %(largest)s.") % {
                "smallest": f"{self.smallest:g}",
                "largest": f"{self.largest:g}",
            }
            raise ValueError(f"smallest: {problem}")

    def font_sizes(self, size: Size) -> tuple[int, int]:
        """Return the smallest and the largest em on a picture of ``size``, in whole pixels."""
        side = min(size)
        smallest = max(1, round(self.smallest * side))
        return smallest, max(smallest, round(self.largest * side))


_STYLES: Final[Mapping[str, type[Any]]] = {
    "stroke": Stroke, "shadow": Shadow, "scrim": Scrim, "plate": Plate,
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Panels, and boxes in drawing order, each with a different role.

    Text is placed on the picture, or beside it: with ``picture``, the picture keeps its size and becomes
    that part of a larger sheet in the colour ``paper``. With ``same_size``, each role is set in one size on
    all pictures of a plan.
    """

    boxes: tuple[Box, ...]
    panels: tuple[Panel, ...] = ()
    picture: Place | None = None
    paper: str = "#ffffff"
    same_size: bool = False

    def __post_init__(self) -> None:
        check(self, paper=colour, same_size=flag)
        if not self.boxes:
            raise ValueError(f"boxes: {_('a layout needs at least one box.')}")
        roles = [box.role for box in self.boxes]
        duplicates = sorted({role for role in roles if roles.count(role) > 1})
        if duplicates:
            problem = _("the role %(role)r is used twice.") % {"role": duplicates[0]}
            raise ValueError(f"boxes: {problem}")

    @property
    def roles(self) -> tuple[str, ...]:
        return tuple(box.role for box in self.boxes)

    def sheet_size(self, picture: Size) -> Size:
        """Return the size of the result in pixels, for a picture of that size."""
        if self.picture is None:
            return picture
        return Size(
            round(picture.width / self.picture.width), round(picture.height / self.picture.height)
        )

    def picture_rect(self, picture: Size, *, rtl: bool) -> Rect:
        """Return the rectangle of a picture of that size on the sheet, in pixels."""
        if self.picture is None:
            return Rect(0, 0, *picture)
        sheet = self.sheet_size(picture)
        place = self.picture.to_rect(sheet, rtl=rtl)
        # Rounding may move the picture one pixel over the sheet's edge.
        left = min(place.left, sheet.width - picture.width)
        return Rect(left, min(place.top, sheet.height - picture.height), *picture)

    @classmethod
    def from_mapping(cls, content: Mapping[str, Any]) -> Self:
        """Create a layout from plain data, such as parsed JSON.

        Raises ``ValueError`` with the path of the wrong value, and what is accepted there.
        """
        options = known(cls, content, path="layout")
        picture = options.get("picture")
        return cls(
            boxes=parts(Box, options.get("boxes", ()), path="boxes", place=Place, **_STYLES),
            panels=parts(Panel, options.get("panels", ()), path="panels", place=Place),
            picture=None if picture is None else part(Place, picture, path="picture"),
            paper=options.get("paper", "#ffffff"),
            same_size=options.get("same_size", False),
        )

    def as_mapping(self) -> dict[str, Any]:
        """Return plain data for a JSON column, which ``from_mapping`` reads."""
        return _without_none(asdict(self)) | {
            "boxes": [_without_none(asdict(box)) for box in self.boxes],
            "panels": [asdict(panel) for panel in self.panels],
        }


def _without_none(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
