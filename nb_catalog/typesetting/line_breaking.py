"""Where a text may be broken into lines, and where it must not."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import cache
from itertools import accumulate
from typing import Final

import budoux

from nb_catalog.typesetting.font_fallback import clusters
from nb_catalog.typesetting.scripts import CJK, scripts_of

ZERO_WIDTH_SPACE: Final = "\u200b"
WORD_JOINER: Final = "\u2060"
# A long word may be broken after it; the line that ends there shows a hyphen.
SOFT_HYPHEN: Final = "\u00ad"
# No-break spaces, including the narrow ones of prices.
_GLUE: Final = frozenset("\u00a0\u202f\u2007\ufeff" + WORD_JOINER)
_DASHES: Final = frozenset("-\u2010\u2012\u2013\u2014/")
# JIS X 4051 and W3C's jlreq, clreq: what must not start a line, what must not end one.
_NEVER_FIRST: Final = frozenset(
    "、。，．,.!?！？：；:;)]}）」』】〉》］｝〕〗〙%％‰°℃ー〜～…‥・·ゝゞヽヾ々〻؟،؛"
    "ぁぃぅぇぉっゃゅょゎゕゖァィゥェォッャュョヮヵヶ"
)
_NEVER_LAST: Final = frozenset("([{（「『【〈《［｛〔〖〘#№¿¡")
# Which quotation mark opens and which closes differs between languages: they stay with their neighbours.
_QUOTES: Final = frozenset("\"'‘’‚“”„«»‹›")
# Thai writes some vowels before their consonant and some after it. ฤ and ฦ start a syllable.
_THAI_NEVER_FIRST: Final = frozenset("\u0e30\u0e32\u0e33\u0e45\u0e2f\u0e46")
_THAI_NEVER_LAST: Final = frozenset("\u0e40\u0e41\u0e42\u0e43\u0e44\u0e24\u0e26")
# One-letter words that must not end a line.
_PREPOSITIONS: Final = {"pl": frozenset("aiouwz"), "cs": frozenset("aikosuvz")}

# Phrases of languages that are written without spaces.
_PARSERS: Final[dict[str, Callable[[], budoux.Parser]]] = {
    language: cache(load)
    for language, load in {
        "ja": budoux.load_default_japanese_parser,
        "zh-Hans": budoux.load_default_simplified_chinese_parser,
        "zh-Hant": budoux.load_default_traditional_chinese_parser,
        "th": budoux.load_default_thai_parser,
    }.items()
}


def word_breaks(text: str, *, language: str) -> list[int]:
    """Return the indices at which a new line may start without breaking words or phrases.

    ``language`` is a BCP 47 tag, with the script for Chinese ("zh-Hans").
    """
    phrase_ends: set[int] = set()
    if language in _PARSERS:
        phrase_ends.update(accumulate(map(len, _PARSERS[language]().parse(text))))
    return [
        index
        for index in range(1, len(text))
        if (index in phrase_ends or _follows_space_or_dash(text, index))
        and _may_break(text, index, language=language)
    ]


def ideograph_breaks(text: str, *, language: str) -> list[int]:
    """Return ``word_breaks`` and the indices between any two ideographs or kana, for lines that are too
    narrow for a phrase."""
    scripts = scripts_of(text)
    between_ideographs = {
        start for start, _end in clusters(text) if start and CJK.issuperset(scripts[start - 1 : start + 1])
    }  # fmt: skip
    breaks = {index for index in between_ideographs if _may_break(text, index, language=language)}
    return sorted(breaks.union(word_breaks(text, language=language)))


def _follows_space_or_dash(text: str, index: int) -> bool:
    before, after = text[index - 1], text[index]
    if before.isspace() or before in {ZERO_WIDTH_SPACE, SOFT_HYPHEN}:
        return True
    # Before a number a dash is a minus or a range; after a space it belongs to what follows.
    is_hyphen = index > 1 and not text[index - 2].isspace()
    return before in _DASHES and is_hyphen and after.isalpha()


def _may_break(text: str, index: int, *, language: str) -> bool:
    before, after = text[index - 1], text[index]
    if after in _GLUE or before in _GLUE or after.isspace() or after == ZERO_WIDTH_SPACE:
        return False
    if unicodedata.category(after) in {"Mn", "Mc", "Me", "Cf"}:
        return False
    head = text[:index].rstrip()
    last = head[-1:]
    if after in _NEVER_FIRST or last in _NEVER_LAST or _splits_price(text, index):
        return False
    if after in _THAI_NEVER_FIRST or before in _THAI_NEVER_LAST:
        return False
    if before in _QUOTES or (after in _QUOTES and not before.isspace()):
        return False
    if after.isdigit() and before in ".,:":
        return False
    # A free-standing dash ends its line and does not start the next one.
    if after in _DASHES and last and index < len(text) - 1 and text[index + 1].isspace():
        return False
    if _is_part_of_word(before) and _is_part_of_word(after):
        return False
    prepositions = _PREPOSITIONS.get(language.partition("-")[0], frozenset())
    return re.split(r"\s", head)[-1].lower() not in prepositions


def _splits_price(text: str, index: int) -> bool:
    """Return whether a currency symbol would be separated from its amount, on either side."""
    before, after = text[:index].rstrip(), text[index:].lstrip()
    if _is_currency(before[-1:]) and after[:1].isdigit():
        return not before[:-1].rstrip()[-1:].isdigit()
    return (
        _is_currency(after[:1]) and before[-1:].isdigit() and not after[1:].lstrip()[:1].isdigit()
    )


def _is_currency(character: str) -> bool:
    return bool(character) and unicodedata.category(character) == "Sc"


def _is_part_of_word(character: str) -> bool:
    """Return whether it is a letter or digit of a script with spaces, where no phrase ends in a word."""
    return character.isalnum() and scripts_of(character)[0] not in {*CJK, "Thai"}
