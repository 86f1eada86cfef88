"""Text from outside made fit to store, to print and to send; hints for misspelt names."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterable
from typing import Final

# Zero-width non-joiner and joiner: letters of Persian and Hindi need them.
_JOINERS: Final = "\u200c\u200d"
# Unicode's categories of control characters and of format characters (direction, zero width).
CONTROL_AND_FORMAT: Final = frozenset({"Cc", "Cf"})
# With surrogates, private use and unassigned.
ALL_HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})


def strip_unstorable(text: object) -> str:
    """Return ``text`` without what a database refuses: NUL and lone surrogates (replaced by ``?``)."""
    return str(text).replace("\0", "").encode("utf-8", "replace").decode("utf-8")


def single_line(text: object) -> str:
    """Return ``text`` as one storable line: runs of white space become one space."""
    return " ".join(strip_unstorable(text).split())


def visible_line(text: object, *, hidden: frozenset[str] = CONTROL_AND_FORMAT) -> str:
    """Return ``text`` as one line without characters of the Unicode categories ``hidden``; joiners stay."""
    shown = (
        " " if char.isspace() else char
        for char in str(text)
        if char.isspace() or char in _JOINERS or unicodedata.category(char) not in hidden
    )
    return " ".join("".join(shown).split())


def shorten(text: str, length: int = 60) -> str:
    """Return ``text`` as one line of at most ``length`` characters, with an ellipsis where it is cut."""
    line = " ".join(text.split())
    return line if len(line) <= length else f"{line[: length - 1].rstrip()}…"


def nearest(word: str, known: Iterable[str]) -> str:
    """Return `` Did you mean 'x'?`` or, without a close match, a list of the ``known`` names."""
    names = sorted(known)
    close = difflib.get_close_matches(word, names, n=1)
    if close:
        return f" Did you mean {close[0]!r}?"
    return f" Known: {', '.join(names)}." if names else ""
