"""What was set on a picture, in numbers: stored with it, and proof of it later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Self

from nb_catalog.core.types import Rect

# Raised when the same text, fonts and layout would be drawn otherwise.
EDITION: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class FontUsed:
    """A font that drew letters: its file's sha256 (hex), and its weight."""

    family: str
    weight: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TextSet:
    """The words of one box. Pixels; ``contrast`` is what 95 % of the letters reach, measured on the
    finished ground; ``veil`` the scrim's opacity, 0 to 1. ``mask_sha256`` is of the letters'
    coverage, row by row, in ``ink`` and a pixel around it.
    """

    role: str
    text: str
    lines: tuple[str, ...]
    fonts: tuple[FontUsed, ...]
    size: int
    colour: str
    box: Rect
    ink: Rect
    contrast: float
    veil: float
    mask_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Of a whole picture. ``left_out`` are roles for which there were no words."""

    locale: str
    width: int
    height: int
    texts: tuple[TextSet, ...]
    left_out: tuple[str, ...] = ()
    edition: int = EDITION

    def as_dict(self) -> dict[str, Any]:
        """Plain data for a JSON column."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        return cls(
            **{**data, "texts": tuple(_text(each) for each in data["texts"]),
               "left_out": tuple(data["left_out"])}
        )  # fmt: skip


def _text(data: Mapping[str, Any]) -> TextSet:
    return TextSet(
        **{
            **data,
            "lines": tuple(data["lines"]),
            "fonts": tuple(FontUsed(**each) for each in data["fonts"]),
            "box": Rect(*data["box"]),
            "ink": Rect(*data["ink"]),
        }
    )
