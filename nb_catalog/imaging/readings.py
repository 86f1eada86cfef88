"""What somebody reads on a picture, compared with the words that were asked for. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from difflib import SequenceMatcher
from typing import Any, Final, NamedTuple, Self

from nb_catalog.imaging.typeset.bidi import levels
from nb_catalog.imaging.typeset.bidi.lines import visual_order
from nb_catalog.locales import direction

# Pieces of text on one picture that are looked at: a scene full of print is beyond this question.
MOST_PIECES: Final = 200
# A piece belongs to a text where so much of both agrees.
_ALIKE: Final = 0.5
# What readers do not tell apart: dashes, quotes, ligatures, and the wide forms of East Asia.
_SAME: Final = (
    str.maketrans("–—‑−’‘“”", "----''\"\"")
    | str.maketrans({"ﬁ": "fi", "ﬂ": "fl", "ﬀ": "ff", "ﬃ": "ffi", "ﬄ": "ffl"})
    | {0xFF01 + at: 0x21 + at for at in range(94)}
)


# Where a picture's checks hold what was read on it: here as it came, and by a model that was asked later.
READ: Final = "words_read"
READ_BY_MODEL: Final = "words_read_by_model"


class Piece(NamedTuple):
    """A word as it was read, in a line by its number. ``sure`` says whether it counts where nobody asked
    for it."""

    text: str
    line: int = 0
    sure: bool = True


class Change(NamedTuple):
    """A run of letters: as asked ("same"), asked and not there ("missing"), there and not asked ("added")."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """``said`` is by role what stands there in place of its text, ``extra`` what else was read, ``share``
    how many of the letters asked for are right, from 0 to 1. ``reader`` is who read; "" is nobody."""

    reader: str = ""
    said: Mapping[str, str] = field(default_factory=dict)
    extra: tuple[str, ...] = ()
    share: float = 0.0

    @property
    def is_exact(self) -> bool:
        """Whether every letter was read as it was asked for, and no other word."""
        return bool(self.reader) and self.share == 1 and not self.extra

    def as_dict(self) -> dict[str, Any]:
        """Plain data for a JSON column."""
        return {**asdict(self), "extra": list(self.extra)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        return cls(**{**data, "extra": tuple(data.get("extra", ()))})


def readings_in(checks: Mapping[str, Any]) -> list[Reading]:
    """What was read on the picture with these ``checks``, by whoever could read it."""
    found = [Reading.from_dict(checks[name]) for name in (READ, READ_BY_MODEL) if name in checks]
    return [reading for reading in found if reading.reader]


def compared(
    words: Mapping[str, str],
    readings: Mapping[str, Sequence[Piece]],
    *,
    locale: str,
    known: Sequence[str] = (),
) -> Reading:
    """``words`` (role -> text) against what each reader read, in its order. Of each text the reading that is
    closest counts: nobody told the readers what to find. What was printed before, ``known``, is not
    held against the picture."""
    left = {name: dict(enumerate(pieces[:MOST_PIECES])) for name, pieces in readings.items()}
    found: dict[str, _Found] = {}
    # The longest first: a short text could take a piece of it.
    for role, text in sorted(words.items(), key=lambda each: -len(each[1])):
        tries = [_found(text, pieces, by=name, locale=locale) for name, pieces in left.items()]
        found[role] = max(tries, key=lambda each: each.right, default=_Found())
        for name, pieces in left.items():
            left[name] = _without(pieces, found[role], by=name)
    letters = sum(len(plain(text)) for text in words.values())
    right = sum(each.right for each in found.values())
    readers = [name for name in readings if any(each.by == name for each in found.values())]
    return Reading(
        reader=", ".join(readers or readings),
        said={role: found[role].said for role in words},
        extra=tuple(_unasked(next(iter(left.values()), {}).values(), known=known)),
        share=round(right / letters, 4) if letters else 1.0,
    )


class _Found(NamedTuple):
    """The pieces that come closest to a text, by their numbers and lines, by whom they were read, and how
    many letters are right."""

    said: str = ""
    pieces: frozenset[int] = frozenset()
    lines: frozenset[int] = frozenset()
    by: str = ""
    right: float = 0.0


def _found(text: str, pieces: Mapping[int, Piece], *, by: str, locale: str) -> _Found:
    chosen = _best(text, pieces, locale=locale)
    said = _joined(chosen, pieces)
    return _Found(
        said,
        pieces=frozenset(chosen),
        lines=frozenset(pieces[at].line for at in chosen),
        by=by,
        right=_right(text, said, locale=locale),
    )


def _without(pieces: Mapping[int, Piece], found: _Found, *, by: str) -> dict[int, Piece]:
    """What is left of a reader's ``pieces``: less those that were found, or, of another reader's, less the
    lines in which they were."""
    if by == found.by:
        return {at: piece for at, piece in pieces.items() if at not in found.pieces}
    return {at: piece for at, piece in pieces.items() if piece.line not in found.lines}


def is_read_as(text: str, said: str, *, locale: str) -> bool:
    """Whether ``said`` is ``text``: line ends, spaces, and what looks alike or cannot be seen set aside. A
    price in Arabic or Hebrew may be read the way it looks, from left to right."""
    return plain(said) in _ways(text, locale=locale)


def plain(text: str) -> str:
    """What of ``text`` a reader can be held to."""
    seen = unicodedata.normalize("NFC", text).translate(_SAME)
    return "".join(
        each for each in seen if not each.isspace() and unicodedata.category(each) != "Cf"
    )


def changes(asked: str, said: str) -> list[Change]:
    """How ``said`` differs from ``asked``, run by run."""
    found: list[Change] = []
    matcher = SequenceMatcher(None, asked, said, autojunk=False)
    for kind, first, last, start, end in matcher.get_opcodes():
        if kind == "equal":
            found.append(Change("same", asked[first:last]))
            continue
        if first < last:
            found.append(Change("missing", asked[first:last]))
        if start < end:
            found.append(Change("added", said[start:end]))
    return found


def _ways(text: str, *, locale: str) -> tuple[str, ...]:
    """As it is written and, where that differs, as it looks."""
    seen = "".join(text[at] for at in visual_order(levels(text, base=direction(locale))))
    return tuple(dict.fromkeys((plain(text), plain(seen))))


def _agreement(text: str, said: str, *, locale: str) -> float:
    """From 0 to 1; 1 is equal."""
    there = plain(said)
    return max(
        SequenceMatcher(None, way, there, autojunk=False).ratio()
        for way in _ways(text, locale=locale)
    )


def _best(text: str, pieces: Mapping[int, Piece], *, locale: str) -> tuple[int, ...]:
    """Which of ``pieces``, in their order, together come closest to ``text``; none when nothing is like
    it. One after the other, as long as each makes it better."""
    letters = set(plain(text))
    open_ = {at for at, piece in pieces.items() if letters.intersection(plain(piece.text))}
    chosen: tuple[int, ...] = ()
    best = 0.0
    while open_:
        tries = [tuple(sorted((*chosen, at))) for at in sorted(open_)]
        rated = [(_agreement(text, _joined(each, pieces), locale=locale), each) for each in tries]
        rate, tried = max(rated, key=lambda each: each[0])
        if rate <= best:
            break
        open_ -= set(tried)
        best, chosen = rate, tried
    return chosen if best >= _ALIKE else ()


def _joined(places: Iterable[int], pieces: Mapping[int, Piece]) -> str:
    return " ".join(pieces[at].text for at in places)


def _right(text: str, said: str, *, locale: str) -> float:
    """How many letters of ``text`` are right in ``said``; each that is too much counts as one wrong."""
    most = max(len(plain(text)), len(plain(said)))
    if is_read_as(text, said, locale=locale):
        return len(plain(text))
    agreed = sum(
        block.size
        for block in SequenceMatcher(
            None, plain(text), plain(said), autojunk=False
        ).get_matching_blocks()
    )
    return len(plain(text)) * agreed / most if most else 0.0


def _unasked(pieces: Iterable[Piece], *, known: Sequence[str]) -> Iterator[str]:
    """Words that nobody asked for. Single letters and what a reader is not sure of are mostly grain."""
    there = {plain(each) for each in known}
    for piece in pieces:
        letters = plain(piece.text)
        if piece.sure and letters not in there and sum(map(str.isalnum, letters)) > 1:
            yield piece.text
