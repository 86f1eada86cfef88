"""What stays on one line although Unicode allows a break: prices, measures, phone numbers, quotations.

Unicode's rules see spaces and classes of characters; these see what a number and its neighbour mean.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum, auto
from functools import cache
from itertools import pairwise
from typing import Final, NamedTuple

from nb_catalog.core.quantities import (
    CURRENCY_SIGNS,
    currency_names,
    magnitude_names,
    unit_names,
)
from nb_catalog.typesetting.abbreviations import abbreviations

# Directional marks and isolates: they are drawn as nothing, wherever a rule looks for a neighbour.
DIRECTIONAL: Final = frozenset(
    "\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)

_SPACE: Final = "[ \\t\u00a0\u2000-\u200a\u202f\u205f\u3000]"
_GAP: Final = f"{_SPACE}{{0,2}}"
_SIGN: Final = "[" + re.escape("".join(sorted(CURRENCY_SIGNS))) + "]"
_PLUS_OR_MINUS: Final = "[-\u2212+±]"
# Digits with separators; separated by spaces only in groups of three; "99,-" and "99.–" are prices too.
# Japanese, Chinese and Korean write tens of thousands as a character.
_NUMBER: Final = (
    rf"\d+(?:[.,:'’ʼ\u066b\u066c·]\d+)*"
    rf"(?:{_SPACE}\d{{3}}(?!\d)(?:[.,\u066b]\d+)*)*(?:[.,][-–—]+)?[½¼¾]?[万萬億亿千만천억]*"
)
_TIMES: Final = "[x×✕*хX]"
# Common words and signs before a number: "№ 5", "No. 5", "Nr. 5", "n° 5".
_ORDINAL_SIGNS: Final = re.compile(rf"(?:№|#|(?<!\w)(?:[Nn][°ºo]\.?|[Nn]r\.?)){_SPACE}{{1,2}}\d")
_PARTS_OF_NUMBERS: Final = re.compile(
    rf"\d+(?:[.,'’\u066b\u066c]\d+)*(?:{_SPACE}\d+(?:[.,\u066b]\d+)*)+"
)
_MAX_GROUPS: Final = 4
PHONE_NUMBER: Final = re.compile(
    rf"(?<![\w.,])(?:[+*]|(?=0)|\((?=[0+]))\(?\+?\d[\d()]{{0,14}}"
    rf"(?:(?:{_SPACE}|[-–./()]){{1,2}}\d{{1,14}}){{1,8}}(?!\d)"
)
_MULTIPLICATION: Final = re.compile(
    rf"\d{_GAP}(?:[\w″′\"%°]{{1,3}}{_SPACE})?{_TIMES}{_GAP}\d|\d{_TIMES}{_SPACE}\d|\d(?P<gap>{_SPACE}?)\+(?P=gap)\d"
)
_PERCENT: Final = re.compile(
    rf"(?:{_PLUS_OR_MINUS}{_GAP})?(?<!\d){_NUMBER}{_GAP}[%‰\u066a]|(?<!\d)[%\u066a]{_GAP}{_PLUS_OR_MINUS}?{_NUMBER}"
)
_SIGNED: Final = re.compile(
    rf"(?<!\S){_PLUS_OR_MINUS}{_SPACE}{{1,2}}(?=\S{{0,4}}\d){_SIGN}?{_GAP}{_NUMBER}"
)
_GUILLEMETS: Final = "«»‹›"
# Pairs that stay whole while they fit: "T-Shirt", "e-mail", "3-in-1", "S/M". Longer parts may part.
SHORT_PART: Final = 3
_JOINTS: Final = frozenset("-\u2010/")


# A number, a currency's sign with its letters ("R$", "$ US"), or a word with the signs in it ("m²", "د.إ.").
_TOKENS: Final = re.compile(
    rf"(?P<number>{_NUMBER})|(?P<sign>[A-Za-z]{{0,3}}{_SIGN}(?:{_SPACE}(?:US|CA|AU)\b)?)"
    rf"|[^\W\d_][^\s\d]*|[°″′][^\s\d]*"
)
_PER_UNIT: Final = re.compile(rf"{_GAP}/{_GAP}(?:\d+{_GAP})?[^\W\d_]{{1,10}}")
_GAPS: Final = re.compile(_GAP)


class _Kind(Enum):
    NUMBER = auto()
    CURRENCY = auto()
    UNIT = auto()
    MAGNITUDE = auto()


class _Token(NamedTuple):
    start: int
    end: int
    kind: _Kind


@dataclass(frozen=True, slots=True)
class _Names:
    """Names that are looked up as whole words. Codes and single letters are known as they are written,
    longer names in any case."""

    exact: frozenset[str]
    folded: frozenset[str]

    @classmethod
    def of(cls, names: Iterable[str]) -> _Names:
        # Of "fl oz" the first word is enough: both stay with what is before them.
        words = {name.split()[0] for name in names}
        codes = {name for name in words if len(name) == 3 and name.isascii() and name.isupper()}
        folded = {name.lower() for name in words - codes if len(name) > 1}
        return cls(frozenset(words), frozenset(folded))

    def has(self, word: str) -> bool:
        """Return whether it is a name, alone, before punctuation or before a slash."""
        while word:
            if word in self.exact or word.lower() in self.folded:
                return True
            word = (
                word.rpartition("/")[0]
                if "/" in word
                else word[:-1]
                if not word[-1].isalnum()
                else ""
            )
        return False


@cache
def _quantity_names(language: str) -> tuple[_Names, _Names, _Names]:
    """Return the names of currencies, units and magnitudes."""
    return (
        _Names.of(currency_names(language)),
        _Names.of(unit_names(language)),
        _Names.of(magnitude_names(language)),
    )


def unbreakable_indices(text: str, *, language: str) -> set[int]:
    """Return the indices before which no line may start, in a text in ``language`` (BCP 47)."""
    visible = [index for index, character in enumerate(text) if character not in DIRECTIONAL]
    shown = "".join(text[index] for index in visible)
    spans = [*_quotations(shown), *abbreviations(shown)]
    if any(map(str.isdigit, shown)):
        spans += _quantities(shown, language=language)
        # Numbers in groups of three digits that spaces separate. Longer lists are sizes, not numbers.
        for match in _PARTS_OF_NUMBERS.finditer(shown):
            parts = list(re.finditer(r"\d+(?:[.,'’\u066b\u066c]\d+)*", match[0]))
            lengths = [len(re.split(r"\D", part[0])[0]) for part in parts]
            first = len(parts) - 1
            while first > 0 and lengths[first] == 3 and lengths[first - 1] <= 3:
                first -= 1
            if 1 < len(parts) - first <= _MAX_GROUPS:
                spans.append((match.start() + parts[first].start(), match.end()))
        for pattern in (PHONE_NUMBER, _MULTIPLICATION, _PERCENT, _SIGNED, _ORDINAL_SIGNS):
            spans += [match.span() for match in pattern.finditer(shown)]
    bound: set[int] = set()
    for start, end in spans:
        bound.update(range(visible[start] + 1, visible[end - 1] + 1))
    return bound


def _quantities(text: str, *, language: str) -> Iterator[tuple[int, int]]:
    """Yield amounts with their currency, on whichever side it is, and numbers with the magnitude or unit
    after them."""
    chain: list[_Token] = []
    for token in _tokens(text, language=language):
        is_next = chain and _GAPS.fullmatch(text, chain[-1].end, token.start)
        follows_number = is_next and chain[-1].kind is _Kind.NUMBER
        if token.kind is _Kind.MAGNITUDE:
            # "1.5 million" is a number itself, which a currency or unit may follow.
            yield chain[-1].end - 1, token.end
            chain[-1] = chain[-1]._replace(end=token.end)
            continue
        if follows_number and token.kind is _Kind.UNIT:
            yield chain[-1].start, token.end
        if not is_next or token.kind in (chain[-1].kind, _Kind.UNIT):
            yield from _pairs(chain)
            chain = []
        if token.kind is not _Kind.UNIT:
            chain.append(token)
    yield from _pairs(chain)


def _tokens(text: str, *, language: str) -> Iterator[_Token]:
    currencies, units, magnitudes = _quantity_names(language)
    number_end = -1
    for match in _TOKENS.finditer(text):
        start, end = match.span()
        # "K" is a thousand after a number and a currency before one.
        follows_number = number_end >= 0 and _GAPS.fullmatch(text, number_end, start)
        number_end = end if match["number"] else -1
        if match["number"]:
            yield _Token(start, end, _Kind.NUMBER)
        elif follows_number and magnitudes.has(match[0]):
            yield _Token(start, end, _Kind.MAGNITUDE)
        elif match["sign"] or currencies.has(match[0]):
            per_unit = _PER_UNIT.match(text, end)
            yield _Token(start, per_unit.end() if per_unit else end, _Kind.CURRENCY)
        elif units.has(match[0]):
            yield _Token(start, end, _Kind.UNIT)


def _pairs(chain: list[_Token]) -> Iterator[tuple[int, int]]:
    """Split "5 € 10 €" into two prices; of "42 CHF 99" nobody can say to which number the currency
    belongs, so it stays whole."""
    while len(chain) > 3:
        yield chain[0].start, chain[1].end
        chain = chain[2:]
    if len(chain) > 1:
        yield chain[0].start, chain[-1].end


def _quotations(text: str) -> Iterator[tuple[int, int]]:
    """Yield guillemets with the spaces next to them and the character beyond, on their inner side."""
    opened = False
    for match in re.finditer(rf"({_SPACE}*)([{_GUILLEMETS}]+)({_SPACE}*)", text):
        before, after = len(match[1]), len(match[3])
        has_left, has_right = match.start() > 0, match.end() < len(text)
        if bool(before) == bool(after) or not has_left or not has_right:
            # Spaces on both sides or on none: they open and close in turn, in any language.
            opens = not opened if has_left and has_right else not has_left
        else:
            opens = bool(before)
        opened = opens
        if opens and has_right:
            yield match.start(2), match.end() + 1
        elif not opens and has_left:
            yield match.start() - 1, match.end(2)


def short_pair_indices(text: str) -> set[int]:
    """Return the indices after a hyphen or slash in a pair of which one part is short: "T-|Shirt"."""
    found = set()
    for match in re.finditer(r"[^\s\-‐/]+(?:[-‐/][^\s\-‐/]+)+", text):
        parts = [(part.start(), part.end()) for part in re.finditer(r"[^\-‐/]+", match[0])]
        for (left, left_end), (right, right_end) in pairwise(parts):
            left_part, right_part = match[0][left:left_end], match[0][right:right_end]
            shortest = min(_letters(left_part), _letters(right_part))
            if shortest <= SHORT_PART or left_part[-1:].isdigit():
                found.add(match.start() + right)
    return found


def _letters(part: str) -> int:
    return sum(character.isalnum() for character in part)
