"""The adjustments that a picture can have without a model, as values that check themselves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Final, TypeAlias

from nb_catalog.core.schema import check, colour, flag, number, one_of, part, whole
from nb_catalog.core.slots import aspect_of
from nb_catalog.core.text import message, nearest

# The name by which the translators' tools find texts.
_ = message

ALL: Final = "all"
BACKGROUND: Final = "background"
MOST_ADJUSTMENTS: Final = 12
LEAST_WIDTH, MOST_WIDTH = 32, 8192
MOST_DEGREES: Final = 15.0
MOST_STOPS: Final = 2.0


def _ratio(value: Any) -> str:
    """Accept a ratio such as "4:5"."""
    try:
        aspect = aspect_of(value)
    except ValueError:
        aspect = 0.0
    if not 1 / 8 <= aspect <= 8:
        raise ValueError(
            _("%(ratio)r is not a ratio from 1:8 to 8:1. Write two numbers such as 4:5.")
            % {"ratio": value}
        )
    return str(value)


def _changes(*values: float) -> None:
    """Raise ``ValueError`` if all of ``values`` are 0."""
    if not any(values):
        raise ValueError(_("0 changes nothing. Give another value, or leave the adjustment out."))


@dataclass(frozen=True, slots=True, kw_only=True)
class Crop:
    """The largest part of ``ratio``, around the product."""

    kind: ClassVar[str] = "crop"
    ratio: str

    def __post_init__(self) -> None:
        check(self, ratio=_ratio)


@dataclass(frozen=True, slots=True, kw_only=True)
class Extend:
    """More of the rendered scene on two sides, until the picture has ``ratio``."""

    kind: ClassVar[str] = "extend"
    ratio: str

    def __post_init__(self) -> None:
        check(self, ratio=_ratio)


@dataclass(frozen=True, slots=True, kw_only=True)
class Straighten:
    """Turned by ``degrees``, clockwise, and cropped to its own ratio so that no corner is empty."""

    kind: ClassVar[str] = "straighten"
    degrees: float

    def __post_init__(self) -> None:
        check(self, degrees=number(-MOST_DEGREES, MOST_DEGREES))
        _changes(self.degrees)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """Brighter by ``stops``, each twice the light. ``area`` is "all" or "background"."""

    kind: ClassVar[str] = "exposure"
    stops: float
    area: str = ALL

    def __post_init__(self) -> None:
        check(self, stops=number(-MOST_STOPS, MOST_STOPS), area=one_of(ALL, BACKGROUND))
        _changes(self.stops)


@dataclass(frozen=True, slots=True, kw_only=True)
class WhiteBalance:
    """Warmer by ``temperature``, more magenta by ``tint``; both from -100 to 100."""

    kind: ClassVar[str] = "white_balance"
    temperature: float = 0.0
    tint: float = 0.0
    area: str = ALL

    def __post_init__(self) -> None:
        check(
            self,
            temperature=number(-100, 100),
            tint=number(-100, 100),
            area=one_of(ALL, BACKGROUND),
        )
        _changes(self.temperature, self.tint)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sharpen:
    """Edges with more contrast: ``amount`` 1 doubles what a slight blur removes."""

    kind: ClassVar[str] = "sharpen"
    amount: float
    area: str = ALL

    def __post_init__(self) -> None:
        check(self, amount=number(0, 2), area=one_of(ALL, BACKGROUND))
        _changes(self.amount)


@dataclass(frozen=True, slots=True, kw_only=True)
class Background:
    """Everything but the product in one ``colour``, such as "#ffffff"."""

    kind: ClassVar[str] = "background"
    colour: str

    def __post_init__(self) -> None:
        check(self, colour=colour)


@dataclass(frozen=True, slots=True, kw_only=True)
class Resize:
    """Scaled to ``width`` pixels; to more than it has only with ``enlarge``."""

    kind: ClassVar[str] = "resize"
    width: int
    enlarge: bool = False

    def __post_init__(self) -> None:
        check(self, width=whole(LEAST_WIDTH, MOST_WIDTH), enlarge=flag)


Adjustment: TypeAlias = (
    Crop | Extend | Straighten | Exposure | WhiteBalance | Sharpen | Background | Resize
)
KINDS: Final[Mapping[str, type[Adjustment]]] = {
    each.kind: each
    for each in (
        Crop, Extend, Straighten, Exposure, WhiteBalance, Sharpen, Background, Resize,
    )
}  # fmt: skip
TONAL: Final = (Exposure, WhiteBalance, Sharpen)
"""Those that change pixels where they are."""


def parse_adjustments(items: Any) -> tuple[Adjustment, ...]:
    """Return adjustments from mappings such as ``{"kind": "crop", "ratio": "4:5"}``.

    Raises ``ValueError`` for what is not a list of them, and for values out of range.
    """
    if isinstance(items, str | Mapping) or not isinstance(items, Iterable):
        raise ValueError(
            _("adjustments: expected a list of objects, got %(value)r.") % {"value": items}
        )
    rows = list(items)
    if not rows:
        raise ValueError(_("There is nothing to adjust. Choose at least one adjustment."))
    if len(rows) > MOST_ADJUSTMENTS:
        raise ValueError(
            _("At most %(most)d adjustments can be made at once, not %(number)d.")
            % {"most": MOST_ADJUSTMENTS, "number": len(rows)}
        )
    adjustments: list[Adjustment] = []
    for index, row in enumerate(rows):
        path = f"adjustments[{index}]"
        if not isinstance(row, Mapping):
            problem = _("expected an object with named keys, got %(value)r.") % {"value": row}
            raise ValueError(f"{path}: {problem}")
        values = dict(row)
        kind = values.pop("kind", "")
        if not isinstance(kind, str) or kind not in KINDS:
            problem = _("There is no adjustment %(kind)r.") % {"kind": kind}
            raise ValueError(f"{path}: {problem}" + nearest(str(kind), KINDS))
        adjustments.append(part(KINDS[kind], values, path=path))
    return tuple(adjustments)


def as_mappings(adjustments: Iterable[Adjustment]) -> list[dict[str, Any]]:
    """Return plain data from which ``parse_adjustments`` makes equal adjustments."""
    return [{"kind": each.kind, **asdict(each)} for each in adjustments]


def needs_mask(adjustment: Adjustment) -> bool:
    """Return whether it has to be known which pixels are the product."""
    return isinstance(adjustment, Background) or getattr(adjustment, "area", ALL) == BACKGROUND


def changes_product(adjustment: Adjustment) -> bool:
    """Return whether the product's pixels get other colours, rather than another place."""
    return isinstance(adjustment, TONAL) and adjustment.area == ALL
