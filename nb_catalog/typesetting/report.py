"""The report of a typeset picture: stored with it, and what later proofs compare its files with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Self

from nb_catalog.core.types import Rect

# Incremented when the same text, fonts and layout would be drawn differently.
EDITION: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class UsedFont:
    """A font that drew some of the text; ``sha256`` is that of its file, in hex."""

    family: str
    weight: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TextReport:
    """The text of one box. Sizes and rectangles are in pixels; ``contrast`` is the WCAG ratio that 95 %
    of the text reaches, ``veil`` the scrim's opacity, 0 to 1. ``mask_sha256`` is the hash of the glyphs'
    coverage, row by row, in ``ink`` and a pixel around it.
    """

    role: str
    text: str
    lines: tuple[str, ...]
    fonts: tuple[UsedFont, ...]
    size: int
    colour: str
    box: Rect
    ink: Rect
    contrast: float
    veil: float
    mask_sha256: str

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        return cls(
            **{
                **data,
                "lines": tuple(data["lines"]),
                "fonts": tuple(UsedFont(**each) for each in data["fonts"]),
                "box": Rect(*data["box"]),
                "ink": Rect(*data["ink"]),
            }
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All texts of a picture. ``left_out`` are the roles without a text."""

    locale: str
    width: int
    height: int
    texts: tuple[TextReport, ...]
    left_out: tuple[str, ...] = ()
    edition: int = EDITION

    def as_dict(self) -> dict[str, Any]:
        """Return plain data for a JSON column."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        texts = tuple(TextReport.from_dict(each) for each in data["texts"])
        return cls(**{**data, "texts": texts, "left_out": tuple(data["left_out"])})
