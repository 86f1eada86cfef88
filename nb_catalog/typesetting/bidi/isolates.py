"""What people type into right-to-left text without isolating it: phone numbers, "S24+", "15 Pro Max".

UAX #9 orders a sign or a second group of digits by the direction of the sentence. Isolated from left to
right, such a run keeps the order in which it was typed, as values that a copy deck fills in do.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Final, NamedTuple

from nb_catalog.core.quantities import unit_names
from nb_catalog.typesetting.unbreakable import DIRECTIONAL

_OPENING: Final = {"(": ")", "[": "]", "{": "}"}
_CLOSING: Final = {closing: opening for opening, closing in _OPENING.items()}
_MARKS: Final = frozenset("\u200e\u200f\u061c")
_OPENING_MARKS: Final = frozenset({"LRI", "RLI", "FSI", "LRE", "RLE", "LRO", "RLO"})
_CLOSING_MARKS: Final = frozenset({"PDI", "PDF"})
# Signs that belong to the word or number before and after them; other punctuation is the sentence's.
_LEADING: Final = frozenset("+-\u2212±#@*.&~<>=([{")
_TRAILING: Final = frozenset('+%‰°™®©²³″′"*#)]}')
# A number of fewer digits is not a phone number; one of more is none either (ITU-T E.164).
_PHONE_DIGITS: Final = range(7, 16)
_SHORT_GROUP: Final = 3


class _Word(NamedTuple):
    """Characters ``start`` to ``end`` without the sentence's punctuation around them."""

    start: int
    end: int
    text: str

    @property
    def has_letters(self) -> bool:
        return any(unicodedata.bidirectional(each) == "L" for each in self.text)

    @property
    def digits(self) -> int:
        return sum(each.isdigit() for each in self.text)


def left_to_right_runs(text: str) -> list[tuple[int, int]]:
    """Return start and end of each run in a right-to-left paragraph that is read from left to right.

    What a person has isolated or marked already is left alone.
    """
    runs: list[tuple[int, int]] = []
    for start, end in _stretches(text):
        words = list(_words(text, start, end))
        first_letters = next(
            (index for index, word in enumerate(words) if word.has_letters), len(words)
        )
        numbers, latin = words[:first_letters], words[first_letters:]
        # "256 GB" is one thing; in "50% Nike" the sentence goes on after the number.
        if numbers and latin and latin[0].text in unit_names("en"):
            latin.insert(0, numbers.pop())
        runs += _number_runs(text, numbers)
        if latin:
            runs.append((latin[0].start, latin[-1].end))
    # Those that UAX #9 could order differently from how they were typed.
    isolated = []
    for start, end in runs:
        run = text[start:end]
        # With its sign, a number in Arabic digits is read as Unicode orders it: "٪٥٠" from the right.
        native = {unicodedata.bidirectional(each) for each in run if each.isdigit()} - {"EN"}
        is_native = native or any("\u06f0" <= each <= "\u06f9" for each in run)
        has_separators = re.search(r"\d[^\d.,/:\u066b\u066c]+\d|^[+*(]", run)
        if (has_separators or not is_native) and not all(map(str.isalnum, run)):
            isolated.append((start, end))
    return isolated


def _stretches(text: str) -> Iterator[tuple[int, int]]:
    """Yield what lies between right-to-left letters and directional marks, outside isolates."""
    start, depth = 0, 0
    for index, character in enumerate(text):
        bidi_class = unicodedata.bidirectional(character)
        if character not in DIRECTIONAL and bidi_class not in {"R", "AL"}:
            continue
        if depth == 0 and not _is_marked(text, start, index):
            yield start, index
        depth = max(0, depth + (bidi_class in _OPENING_MARKS) - (bidi_class in _CLOSING_MARKS))
        start = index + 1
    if depth == 0 and not _is_marked(text, start, len(text)):
        yield start, len(text)


def _is_marked(text: str, start: int, end: int) -> bool:
    """Return whether the stretch touches a directional mark: then somebody has decided its order."""
    if start == end:
        return True
    before, after = text[start - 1 : start], text[end : end + 1]
    return (before in _MARKS and not text[start].isspace()) or (
        after in _MARKS and not text[end - 1].isspace()
    )


def _words(text: str, start: int, end: int) -> Iterator[_Word]:
    for match in re.finditer(r"\S+", text[start:end]):
        left, right = start + match.start(), start + match.end()
        # After a letter, as in Hebrew's "ב-50%", a dash is a hyphen of the sentence.
        is_attached = left == start and start > 0
        while left < right and not _is_kept(text[left], is_attached, _LEADING):
            left += 1
        while right > left and not _is_kept(text[right - 1], False, _TRAILING):
            right -= 1
        # An inch mark follows its number; a quotation mark has a partner before.
        if text[left:right].endswith('"') and (
            text.count('"', 0, left) % 2 or not text[right - 2].isdigit()
        ):
            right -= 1
        # Leave out brackets that enclose the word, or of which the other one is elsewhere.
        while right - left > 1:
            inner = text[left:right]
            first, last = inner[0], inner[-1]
            if _OPENING.get(first) == last or (first in _OPENING and _OPENING[first] not in inner):
                left += 1
                right -= _OPENING.get(first) == last
            elif last in _CLOSING and _CLOSING[last] not in inner:
                right -= 1
            else:
                break
        if any(each.isalnum() for each in text[left:right]):
            yield _Word(left, right, text[left:right])


def _is_kept(character: str, is_attached: bool, signs: frozenset[str]) -> bool:
    if character.isalnum():
        return True
    is_sign = character in signs or unicodedata.category(character) == "Sc"
    return is_sign and not is_attached


def _number_runs(text: str, words: list[_Word]) -> Iterator[tuple[int, int]]:
    """Yield numbers: groups that make one phone number together, all others one by one."""
    index = 0
    while index < len(words):
        group = [words[index]]
        for word in words[index + 1 : index + _PHONE_DIGITS.stop]:
            if text[group[-1].end : word.start].strip(" \u00a0\u202f\u2009-–/()"):
                break
            group.append(word)
        while len(group) > 1 and not _is_phone_number(group):
            group.pop()
        start, end = group[0].start, group[-1].end
        # The area code is often in brackets, which are the number's own.
        yield start - (text[start - 1 : start] == "(" and ")" in text[start:end]), end
        index += len(group)


def _is_phone_number(group: list[_Word]) -> bool:
    digits = sum(word.digits for word in group)
    if digits not in _PHONE_DIGITS or any(set(word.text) & set("%°.,") for word in group):
        return False
    first = group[0].text
    if first[0] in "+*(" or unicodedata.digit(first[0], -1) == 0:
        return True
    lengths = [word.digits for word in group]
    return min(lengths) >= _SHORT_GROUP or max(lengths) > _SHORT_GROUP + 1
