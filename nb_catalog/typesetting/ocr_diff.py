"""What somebody reads on a picture, compared with the words that were asked for. Pure."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from difflib import SequenceMatcher
from typing import Any, Final, NamedTuple, Self

from nb_catalog.core.locales import direction
from nb_catalog.typesetting.bidi import levels
from nb_catalog.typesetting.bidi.lines import visual_order

# Pieces of text on one picture that are looked at: a scene full of print is beyond this question.
MOST_PIECES: Final = 200
# A piece belongs to a text where so much of both agrees.
_ALIKE: Final = 0.5
# What grain, and the edge of a plate, are read as: beside a text, and glued to its ends.
_SPECKS: Final = frozenset(".,:;·'`´‘’\"“”‚„|¦_~^¨()[]")
_GLUED: Final = "'`´‘’\"“”|¦_~^¨"
# What readers do not tell apart: dashes, quotes, ligatures, and the wide forms of East Asia.
_SAME: Final = (
    str.maketrans("–—‑−’‘“”", "----''\"\"")
    | str.maketrans({"ﬁ": "fi", "ﬂ": "fl", "ﬀ": "ff", "ﬃ": "ffi", "ﬄ": "ffl"})
    | {0xFF01 + at: 0x21 + at for at in range(94)}
)


# Where a picture's checks hold what was read on it: here as it came, and by a model that was asked later.
READ: Final = "ocr"
READ_BY_MODEL: Final = "ocr_by_model"


class Token(NamedTuple):
    """A word as it was read, in a line by its number. ``sure`` says whether it counts on a line where nobody
    asked for anything."""

    text: str
    line: int = 0
    sure: bool = True


class Change(NamedTuple):
    """A run of letters: as asked ("same"), asked and not there ("missing"), there and not asked ("added")."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OcrComparison:
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


def readings_in(checks: Mapping[str, Any]) -> list[OcrComparison]:
    """What was read on the picture with these ``checks``, by whoever could read it."""
    found = [
        OcrComparison.from_dict(checks[name]) for name in (READ, READ_BY_MODEL) if name in checks
    ]
    return [reading for reading in found if reading.reader]


def compare(
    texts: Mapping[str, str],
    readings: Mapping[str, Sequence[Token]],
    *,
    locale: str,
    known: Sequence[str] = (),
) -> OcrComparison:
    """``texts`` (role -> text) against what each reader read, in its order. Of each text the reading that is
    closest counts: nobody told the readers what to find. What was printed before, ``known``, is not
    held against the picture."""
    by_reader = {
        name: _matched(texts, dict(enumerate(pieces[:MOST_PIECES])), by=name, locale=locale)
        for name, pieces in readings.items()
    }
    found = {
        role: max((each.found[role] for each in by_reader.values()), key=lambda each: each.right)
        for role in texts
        if by_reader
    }
    letters = sum(len(normalize(text)) for text in texts.values())
    right = sum(each.right for each in found.values())
    readers = [name for name in readings if any(each.by == name for each in found.values())]
    return OcrComparison(
        reader=", ".join(readers or readings),
        said={role: each.said for role, each in found.items()},
        extra=tuple(_extra(by_reader, found.values(), known=known)),
        share=round(right / letters, 4) if letters else 1.0,
    )


class _Found(NamedTuple):
    """What of a text a reader read, on which lines, and how many letters of it are right."""

    said: str
    lines: frozenset[int]
    by: str
    right: float


class _Matched(NamedTuple):
    """What one reader read of each role's text, and what it read besides."""

    found: Mapping[str, _Found]
    left: Sequence[Token]


def _matched(
    texts: Mapping[str, str], pieces: dict[int, Token], *, by: str, locale: str
) -> _Matched:
    found: dict[str, _Found] = {}
    # The longest first: a short text could take a piece of it.
    for role, text in sorted(texts.items(), key=lambda each: -len(each[1])):
        chosen = _best(text, pieces, locale=locale)
        said = _without_specks(_joined(chosen, pieces), text)
        lines = frozenset(pieces[at].line for at in chosen)
        found[role] = _Found(said, lines, by, _right(text, said, locale=locale))
        pieces = {at: piece for at, piece in pieces.items() if at not in chosen}
    return _Matched(found, tuple(pieces.values()))


def _extra(
    by_reader: Mapping[str, _Matched], found: Iterable[_Found], *, known: Sequence[str]
) -> Iterator[str]:
    """Words that nobody asked for. Beside a text that counts, whoever read that text is held to every
    sign; elsewhere single letters, and what a reader is not sure of, are mostly grain."""
    printed = {normalize(each) for each in known}
    judges: dict[int, set[str]] = defaultdict(set)
    for each in found:
        for line in each.lines:
            judges[line].add(each.by)
    told: set[int] = set()
    for name, matched in by_reader.items():
        for piece in matched.left:
            beside = name in judges.get(piece.line, ())
            apart = piece.line not in judges and piece.line not in told
            if normalize(piece.text) in printed:
                continue
            if (beside and _means_something(piece)) or (apart and _is_a_word(piece)):
                yield piece.text
        told |= {piece.line for piece in matched.left if _is_a_word(piece)}


def _is_a_word(piece: Token) -> bool:
    return piece.sure and sum(map(str.isalnum, normalize(piece.text))) > 1


def _means_something(piece: Token) -> bool:
    """Whether it is more than a speck: a digit, a minus and a sign of a currency change a price."""
    return not _SPECKS.issuperset(normalize(piece.text))


def matches_text(text: str, said: str, *, locale: str) -> bool:
    """Whether ``said`` is ``text``: line ends, spaces, and what looks alike or cannot be seen set aside. A
    price in Arabic or Hebrew may be read the way it looks, from left to right."""
    return normalize(said) in _ways(text, locale=locale)


def normalize(text: str) -> str:
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
    return tuple(dict.fromkeys((normalize(text), normalize(seen))))


def _agreement(text: str, said: str, *, locale: str) -> float:
    """From 0 to 1; 1 is equal."""
    there = normalize(said)
    return max(
        SequenceMatcher(None, way, there, autojunk=False).ratio()
        for way in _ways(text, locale=locale)
    )


def _best(text: str, pieces: Mapping[int, Token], *, locale: str) -> tuple[int, ...]:
    """Which of ``pieces``, in their order, together come closest to ``text``; none when nothing is like
    it. One after the other, as long as each makes it better."""
    letters = set(normalize(text))
    open_ = {at for at, piece in pieces.items() if letters.intersection(normalize(piece.text))}
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


def _without_specks(said: str, text: str) -> str:
    """``said`` less what is glued to its ends and does not end ``text``."""
    if text[:1] not in _GLUED:
        said = said.lstrip(_GLUED)
    return said if text[-1:] in _GLUED else said.rstrip(_GLUED)


def _joined(places: Iterable[int], pieces: Mapping[int, Token]) -> str:
    return " ".join(pieces[at].text for at in places)


def _right(text: str, said: str, *, locale: str) -> float:
    """How many letters of ``text`` are right in ``said``; each that is too much counts as one wrong."""
    most = max(len(normalize(text)), len(normalize(said)))
    if matches_text(text, said, locale=locale):
        return len(normalize(text))
    agreed = sum(
        block.size
        for block in SequenceMatcher(
            None, normalize(text), normalize(said), autojunk=False
        ).get_matching_blocks()
    )
    return len(normalize(text)) * agreed / most if most else 0.0
