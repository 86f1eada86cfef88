"""Texts on their way in or out of a deck."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

# (locale, role)
Cell = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeckTexts:
    """What a file says. ``proposals`` want a look before they are shown: a program has translated
    them, or the text that they were translated from is another one by now."""

    texts: Mapping[Cell, str] = field(default_factory=dict)
    proposals: Mapping[Cell, str] = field(default_factory=dict)
    tool: str = ""
