"""Where a text may be broken into lines, and where not."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from functools import cache
from typing import Final

import budoux

from nb_catalog.typesetting.font_fallback import clusters
from nb_catalog.typesetting.scripts import CJK, scripts_of

ZERO_WIDTH_SPACE: Final = "\u200b"
WORD_JOINER: Final = "\u2060"
# Where a long word may be parted; the line that ends there shows a hyphen.
SOFT_HYPHEN: Final = "\u00ad"
# No-break spaces, and the narrow ones that stand in prices.
_GLUE: Final = frozenset("\u00a0\u202f\u2007\ufeff" + WORD_JOINER)
_DASHES: Final = frozenset("-\u2010\u2012\u2013\u2014/")
# JIS X 4051 and W3C's jlreq, clreq: what begins no line, what ends none.
_NEVER_FIRST: Final = frozenset(
    "、。，．,.!?！？：；:;)]}）」』】〉》］｝〕〗〙%％‰°℃ー〜～…‥・·ゝゞヽヾ々〻؟،؛"
    "ぁぃぅぇぉっゃゅょゎゕゖァィゥェォッャュョヮヵヶ"
)
_NEVER_LAST: Final = frozenset("([{（「『【〈《［｛〔〖〘#№¿¡")
# Which of them opens and which closes differs between languages: they stay with what they touch.
_QUOTES: Final = frozenset("\"'‘’‚“”„«»‹›")
# Thai writes some vowels before their consonant and some after it. ฤ and ฦ begin a syllable.
_THAI_NEVER_FIRST: Final = frozenset("\u0e30\u0e32\u0e33\u0e45\u0e2f\u0e46")
_THAI_NEVER_LAST: Final = frozenset("\u0e40\u0e41\u0e42\u0e43\u0e44\u0e24\u0e26")
# Words of one letter that stay with the word after them.
_PREPOSITIONS: Final = {"pl": frozenset("aiouwz"), "cs": frozenset("aikosuvz")}

# Phrases for languages that write without spaces.
_PARSERS: Final[dict[str, Callable[[], budoux.Parser]]] = {
    "ja": budoux.load_default_japanese_parser,
    "zh-Hans": budoux.load_default_simplified_chinese_parser,
    "zh-Hant": budoux.load_default_traditional_chinese_parser,
    "th": budoux.load_default_thai_parser,
}


def between_words(text: str, *, language: str) -> list[int]:
    """Places in ``text`` after which a new line may begin, so that words and phrases stay whole.

    ``language`` is a BCP 47 tag: the language, for Chinese with its script ("zh-Hans").
    """
    phrases = set(_phrase_ends(text, language=language))
    return [
        index
        for index in range(1, len(text))
        if (index in phrases or _after_space_or_dash(text, index))
        and _may_break(text, index, language=language)
    ]


def between_letters(text: str, *, language: str) -> list[int]:
    """The same, and between any two ideographs and kana besides: for a line that holds no phrase."""
    scripts = scripts_of(text)
    ideographs = {
        start for start, _end in clusters(text) if start and CJK.issuperset(scripts[start - 1 : start + 1])
    }  # fmt: skip
    more = {index for index in ideographs if _may_break(text, index, language=language)}
    return sorted(more.union(between_words(text, language=language)))


def _phrase_ends(text: str, *, language: str) -> Iterator[int]:
    if language not in _PARSERS:
        return
    end = 0
    for phrase in _parser(language).parse(text):
        end += len(phrase)
        yield end


@cache
def _parser(language: str) -> budoux.Parser:
    return _PARSERS[language]()


def _after_space_or_dash(text: str, index: int) -> bool:
    before, after = text[index - 1], text[index]
    if before.isspace() or before in {ZERO_WIDTH_SPACE, SOFT_HYPHEN}:
        return True
    # A dash before a number is a minus, or joins a range; one after a space belongs to what follows.
    joins = index > 1 and not text[index - 2].isspace()
    return before in _DASHES and joins and after.isalpha()


def _may_break(text: str, index: int, *, language: str) -> bool:
    before, after = text[index - 1], text[index]
    if after in _GLUE or before in _GLUE or after.isspace() or after == ZERO_WIDTH_SPACE:
        return False
    if unicodedata.category(after) in {"Mn", "Mc", "Me", "Cf"}:
        return False
    last = text[:index].rstrip()[-1:]
    if after in _NEVER_FIRST or last in _NEVER_LAST or _parts_price(text, index):
        return False
    if after in _THAI_NEVER_FIRST or before in _THAI_NEVER_LAST:
        return False
    if before in _QUOTES or (after in _QUOTES and not before.isspace()):
        return False
    if after.isdigit() and before in ".,:":
        return False
    # A dash ends a line; a new one does not begin with it.
    if after in _DASHES and last and index < len(text) - 1 and text[index + 1].isspace():
        return False
    if _is_wordlike(before) and _is_wordlike(after):
        return False
    return not _is_preposition(text, index, language=language)


def _parts_price(text: str, index: int) -> bool:
    """Whether a sign of a currency would be parted from its amount, on whichever side that is."""
    before, after = text[:index].rstrip(), text[index:].lstrip()
    if _is_currency(before[-1:]) and after[:1].isdigit():
        return not before[:-1].rstrip()[-1:].isdigit()
    return (
        _is_currency(after[:1]) and before[-1:].isdigit() and not after[1:].lstrip()[:1].isdigit()
    )


def _is_currency(character: str) -> bool:
    return bool(character) and unicodedata.category(character) == "Sc"


def _is_wordlike(character: str) -> bool:
    """A letter or digit of a script that sets words apart: a phrase never ends inside of a word."""
    return character.isalnum() and scripts_of(character)[0] not in {*CJK, "Thai"}


def _is_preposition(text: str, index: int, *, language: str) -> bool:
    words = re.split(r"\s", text[:index].rstrip())
    return words[-1].lower() in _PREPOSITIONS.get(language.partition("-")[0], ())
