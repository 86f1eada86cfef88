"""Where a text may be broken into lines, and where it must not.

Unicode's line breaking algorithm (UAX #14) and dictionaries for scripts without spaces come from ICU;
the rules above it are here and in ``unbreakable``. Breaks have three degrees: between words and phrases,
within phrases, and between any two ideographs.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import accumulate
from typing import Final

import budoux
from icu4py.breakers import LineBreaker, WordBreaker

from nb_catalog.core.quantities import CURRENCY_SIGNS
from nb_catalog.typesetting import unbreakable
from nb_catalog.typesetting.scripts import CJK, HANGUL, scripts_of

# Loaded when the first Japanese text is broken, and kept.
_japanese_parser: Final = cache(budoux.load_default_japanese_parser)
# A long word may be broken after it; the line that ends there shows a hyphen.
SOFT_HYPHEN: Final = "\u00ad"
_DASHES: Final = frozenset("-\u2010\u2012\u2013\u2014\u2212")
# JIS X 4051, W3C's jlreq and clreq: what must not start a line even after a space, what must not end one.
# Then the full stops of scripts for which UAX #14 allows them after a space, such as the danda.
_NEVER_FIRST: Final = frozenset(
    "、。，．,.!?！？：；:;)]}）」』】〉》］｝〕〗〙%％‰°℃ー〜～…‥・·ゝゞヽヾ々〻؟،؛\u06d4ぁぃぅぇぉっゃゅょゎゕゖァィゥェォッャュョヮヵヶ\u0964\u0965\u0e2f\u0e46\u0e5a\u0eaf\u0ec6\u104a\u104b\u17d4\u17d5\u17d6\u17d7\u1362\u1363\u0589\u0f0d"
)
_NEVER_LAST: Final = frozenset("([{（「『【〈《［｛〔〖〘#№¿¡")
# Which quotation mark opens and which closes differs between languages: they stay with their neighbours.
_QUOTES: Final = frozenset("\"'‘’‚“”„«»‹›")
# One-letter words that must not end a line.
_PREPOSITIONS: Final = {
    "pl": frozenset("aiouwz"),
    "cs": frozenset("aikosuvz"),
    "sk": frozenset("aikosuvz"),
    "ru": frozenset("авикосуя"),
    "uk": frozenset("авзийіоуєя"),
}
# Chinese particles and measure words, which belong to the word before them.
_PARTICLES: Final = frozenset(
    "的了着著过過们們吗嗎呢吧啊呀地得起元块塊件款版型色级級号號年月日折倍双雙只個个次"
)
# What follows a number as its unit, in Japanese, Chinese and Korean.
_COUNTERS: Final = frozenset(
    "円圓圆元块塊年月日時时分秒個个点點枚本台件名人歳岁倍割折回次週周号號階级級款色双雙只支瓶盒包袋码碼寸米克斤升"
    "원개월일년시분초장대명회층호"
)
_SCRIPTS_WITHOUT_SPACES: Final = frozenset({*CJK})


@dataclass(frozen=True, slots=True, kw_only=True)
class LineBreaks:
    """Indices at which a new line may start. Each degree includes the one before it.

    ``words``: between words and, in Japanese and Chinese, phrases. ``tight``: also between the words of
    a phrase. ``anywhere``: also in short pairs such as "T-Shirt", and between any two ideographs, kana or
    Hangul syllables.
    """

    words: tuple[int, ...]
    tight: tuple[int, ...]
    anywhere: tuple[int, ...]


def word_breaks(text: str, *, language: str) -> list[int]:
    """Return the indices at which a new line may start without breaking words, phrases or short pairs.

    ``language`` is a BCP 47 tag, with the script for Chinese ("zh-Hans").
    """
    return list(line_breaks(text, language=language).words)


def ideograph_breaks(text: str, *, language: str) -> list[int]:
    """Return all indices at which a new line may start, such as between any two ideographs or kana."""
    return list(line_breaks(text, language=language).anywhere)


@lru_cache(maxsize=1024)
def line_breaks(text: str, *, language: str) -> LineBreaks:
    """Return the breaks of a text without hard line breaks; ``language`` is a BCP 47 tag."""
    bound = unbreakable.unbreakable_indices(text, language=language)
    scripts = scripts_of(text)
    prepositions = _PREPOSITIONS.get(language.partition("-")[0], frozenset())
    legal = [
        index
        for index in unicode_breaks(text, language=language)
        if index not in bound and _may_break(text, index, scripts, prepositions)
    ]
    pairs = unbreakable.short_pair_indices(text)
    whole_pairs = tuple(index for index in legal if index not in pairs)
    inner = {index for index in whole_pairs if _is_between_ideographs(text, index, scripts)}
    if not inner:
        return LineBreaks(words=whole_pairs, tight=whole_pairs, anywhere=tuple(legal))
    phrases, words = _phrase_ends(text, scripts, language)
    return LineBreaks(
        words=tuple(index for index in whole_pairs if index not in inner or index in phrases),
        tight=tuple(index for index in whole_pairs if index not in inner or index in words),
        anywhere=tuple(legal),
    )


def unicode_breaks(text: str, *, language: str) -> Iterator[int]:
    """Yield the break opportunities within ``text`` according to UAX #14, with ICU's dictionaries for
    Thai, Lao, Khmer and Burmese, and without a break before small kana."""
    return _boundaries(LineBreaker(text, f"{language}@lb=strict"), text)


def _boundaries(breaker: LineBreaker | WordBreaker, text: str) -> Iterator[int]:
    ends = [end for _start, end in breaker.segments()]
    if not text.isascii() and max(text) > "\uffff":
        # ICU counts in UTF-16.
        index_at = {
            offset: index
            for index, offset in enumerate(accumulate((1 + (each > "\uffff") for each in text), initial=0))
        }  # fmt: skip
        ends = [index_at[end] for end in ends]
    return (end for end in ends if end < len(text))


def _may_break(text: str, index: int, scripts: Sequence[str], prepositions: frozenset[str]) -> bool:
    before, after = text[index - 1], text[index]
    head = text[:index].rstrip()
    last, following = head[-1:], text[index + 1 : index + 2]
    if last in _NEVER_LAST:
        return False
    # ".5" and "%30" start a word.
    if after in _NEVER_FIRST and not (after in ".%" and following.isalnum() and before.isspace()):
        return False
    if before in _QUOTES or (after in _QUOTES and not before.isspace()):
        return False
    if after in _DASHES and last and (not before.isspace() or not following or following.isspace()):
        # A free-standing dash ends its line and does not start the next one.
        return False
    starts_number = after.isdigit() or after in CURRENCY_SIGNS
    if before in _DASHES and (starts_number or text[index - 2 : index - 1].isspace()):
        # Before a number a dash is a minus or a range; after a space it belongs to what follows.
        return False
    if (before.isdigit() and after in _COUNTERS) or (before == "/" and after.isdigit()):
        return False
    if scripts[index - 1] == scripts[index] == HANGUL and not before.isspace():
        # Korean has spaces; _is_between_ideographs leaves these breaks to narrow boxes.
        return before.isalnum() and after.isalnum()
    return not prepositions or re.split(r"\s", head)[-1].lower() not in prepositions


def _is_between_ideographs(text: str, index: int, scripts: Sequence[str]) -> bool:
    """Return whether a break at ``index`` is next to an ideograph, kana or Hangul and not at a space."""
    before, after = text[index - 1], text[index]
    if not before.isalnum() or not after.isalnum():
        return unicodedata.category(before) == "Mn"
    return not _SCRIPTS_WITHOUT_SPACES.isdisjoint(scripts[index - 1 : index + 1]) or (
        scripts[index] == HANGUL
    )


def _phrase_ends(
    text: str, scripts: Sequence[str], language: str
) -> tuple[frozenset[int], frozenset[int]]:
    """Return where phrases end and where words end, in text with ideographs or kana."""
    has_kana = not {"Hira", "Kana"}.isdisjoint(scripts)
    if has_kana or language == "ja":
        # ICU's phrases keep particles with their words and katakana whole; budoux's are longer.
        words = frozenset(_boundaries(LineBreaker(text, "ja@lb=strict;lw=phrase"), text))
        longer = accumulate(map(len, _japanese_parser().parse(text)))
        return words.intersection(longer), words
    words = frozenset(_boundaries(WordBreaker(text, language), text))
    if language == "ko":
        return frozenset(), frozenset()
    return frozenset(_chinese_phrase_ends(text, sorted(words))), words


# A phrase of single characters that is longer than this is probably none.
_LONGEST_PHRASE: Final = 4


def _chinese_phrase_ends(text: str, words: Sequence[int]) -> Iterator[int]:
    """Yield the ends of words that a line may end with: a single character stays with the word after it,
    and a particle or measure word with the word before it."""
    bounds = [0, *words, len(text)]
    phrase_start = 0
    for position in range(1, len(bounds) - 1):
        start, end, next_end = bounds[position - 1 : position + 2]
        next_word = text[end:next_end]
        is_alone = start == phrase_start == end - 1 and text[start] not in _PARTICLES
        ends_text = next_end == len(text) or not text[next_end].isalnum()
        follows = len(next_word) == 1 and (next_word in _PARTICLES or ends_text)
        if (is_alone or follows) and next_end - phrase_start <= _LONGEST_PHRASE:
            continue
        yield end
        phrase_start = end
