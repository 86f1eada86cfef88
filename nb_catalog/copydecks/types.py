"""Values that carry texts into and out of copy decks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

# (locale, role)
Cell = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeckTexts:
    """The texts of an imported file.

    ``proposals`` need a person's review: a program translated them, or the text that they were
    translated from has changed since. ``tool`` is the program that wrote the file.
    """

    texts: Mapping[Cell, str] = field(default_factory=dict)
    proposals: Mapping[Cell, str] = field(default_factory=dict)
    tool: str = ""
