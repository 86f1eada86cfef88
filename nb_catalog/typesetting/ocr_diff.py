"""Text that was read on a picture, compared with the text that was requested. Pure functions."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from difflib import SequenceMatcher
from typing import Any, Final, NamedTuple, Self

from nb_catalog.core.locales import direction
from nb_catalog.typesetting.bidi import embedding_levels, visual_order

# Tokens compared per reader: a scene full of print is beyond this comparison.
MAX_TOKENS: Final = 200
# The least similarity, 0 to 1, at which tokens count as a reading of a text.
_MIN_SIMILARITY: Final = 0.5
# What grain and the edge of a plate are read as: next to a text, and attached to its ends.
_SPECKS: Final = frozenset(".,:;·'`´‘’\"“”‚„|¦_~^¨()[]")
_EDGE_SPECKS: Final = "'`´‘’\"“”|¦_~^¨"
# Variants that readers do not distinguish: dashes, quotes, ligatures, and full-width forms.
_VARIANTS: Final = (
    str.maketrans("–—‑−’‘“”", "----''\"\"")
    | str.maketrans({"ﬁ": "fi", "ﬂ": "fl", "ﬀ": "ff", "ﬃ": "ffi", "ﬄ": "ffl"})
    | {0xFF01 + offset: 0x21 + offset for offset in range(94)}
)

# Keys in a picture's checks: what was read here when it arrived, and by a model on request.
OCR_CHECK: Final = "ocr"
MODEL_OCR_CHECK: Final = "ocr_by_model"


class Token(NamedTuple):
    """A word that was read, and the number of its line. Only ``sure`` tokens count on a line without
    requested text."""

    text: str
    line: int = 0
    sure: bool = True


class Change(NamedTuple):
    """A run of characters: "same", "missing" (requested, not read) or "added" (read, not requested)."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OcrComparison:
    """The requested texts compared with what was read.

    ``said`` is role -> what was read in place of its text, ``extra`` the other words that were read,
    ``share`` the share of requested characters that are right, 0 to 1. ``reader`` names the readers; ""
    if nothing could read the picture. ``missing`` says why, or which reader did not read it
    (``ocr_missing``); it is empty if nothing is.
    """

    reader: str = ""
    said: Mapping[str, str] = field(default_factory=dict)
    extra: tuple[str, ...] = ()
    share: float = 0.0
    missing: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_exact(self) -> bool:
        """Whether every character was read as requested, and no other word."""
        return bool(self.reader) and self.share == 1 and not self.extra

    def as_dict(self) -> dict[str, Any]:
        """Return plain data for a JSON column."""
        return {**asdict(self), "extra": list(self.extra)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        return cls(**{**data, "extra": tuple(data.get("extra", ()))})


def readings_in(checks: Mapping[str, Any]) -> list[OcrComparison]:
    """Return the comparisons in a picture's ``checks`` that have a reader."""
    comparisons = [
        OcrComparison.from_dict(checks[name])
        for name in (OCR_CHECK, MODEL_OCR_CHECK)
        if name in checks
    ]
    return [comparison for comparison in comparisons if comparison.reader]


class _TextMatch(NamedTuple):
    """What a reader read of a text, on which lines, and how many characters of it are right."""

    reading: str
    lines: frozenset[int]
    reader: str
    correct: float


class _ReaderMatches(NamedTuple):
    """A reader's match for each role, and its remaining tokens."""

    by_role: Mapping[str, _TextMatch]
    remaining: Sequence[Token]


def compare(
    texts: Mapping[str, str],
    readings: Mapping[str, Sequence[Token]],
    *,
    locale: str,
    known: Sequence[str] = (),
) -> OcrComparison:
    """Compare ``texts`` (role -> text) with the tokens of each reader, in reading order.

    For each text the closest reading counts, since the readers did not know it. ``known`` are words that
    are printed on the product; they do not count as extra.
    """
    by_reader = {
        name: _match_texts(texts, dict(enumerate(tokens[:MAX_TOKENS])), reader=name, locale=locale)
        for name, tokens in readings.items()
    }
    best = {
        role: max(
            (each.by_role[role] for each in by_reader.values()), key=lambda each: each.correct
        )
        for role in texts
        if by_reader
    }
    characters = sum(len(normalize(text)) for text in texts.values())
    correct = sum(match.correct for match in best.values())
    used = {match.reader for match in best.values()}
    return OcrComparison(
        reader=", ".join([name for name in readings if name in used] or readings),
        said={role: match.reading for role, match in best.items()},
        extra=tuple(_extra_words(by_reader, best.values(), known=known)),
        share=round(correct / characters, 4) if characters else 1.0,
    )


def _match_texts(
    texts: Mapping[str, str], tokens: dict[int, Token], *, reader: str, locale: str
) -> _ReaderMatches:
    by_role: dict[str, _TextMatch] = {}
    # The longest first: a short text could claim a part of it.
    for role, text in sorted(texts.items(), key=lambda each: -len(each[1])):
        selected = _select_tokens(text, tokens, locale=locale)
        reading = _join(selected, tokens)
        if text[:1] not in _EDGE_SPECKS:
            reading = reading.lstrip(_EDGE_SPECKS)
        if text[-1:] not in _EDGE_SPECKS:
            reading = reading.rstrip(_EDGE_SPECKS)
        wanted, read = normalize(text), normalize(reading)
        if matches_text(text, reading, locale=locale):
            correct = float(len(wanted))
        else:
            # Each character too many counts as one wrong.
            matcher = SequenceMatcher(None, wanted, read, autojunk=False)
            agreed = sum(block.size for block in matcher.get_matching_blocks())
            correct = len(wanted) * agreed / max(len(wanted), len(read), 1)
        lines = frozenset(tokens[index].line for index in selected)
        by_role[role] = _TextMatch(reading, lines, reader, correct)
        tokens = {index: token for index, token in tokens.items() if index not in selected}
    return _ReaderMatches(by_role, tuple(tokens.values()))


def _select_tokens(text: str, tokens: Mapping[int, Token], *, locale: str) -> tuple[int, ...]:
    """Return the indices of the tokens that together come closest to ``text``; none if nothing is similar.

    Greedy: adds one token after the other while each improves the similarity.
    """
    characters = set(normalize(text))
    candidates = {
        index for index, token in tokens.items() if characters.intersection(normalize(token.text))
    }
    forms = _readable_forms(text, locale=locale)
    selected: tuple[int, ...] = ()
    best = 0.0
    while candidates:
        options = [tuple(sorted((*selected, index))) for index in sorted(candidates)]
        rated = []
        for option in options:
            reading = normalize(_join(option, tokens))
            ratios = (
                SequenceMatcher(None, form, reading, autojunk=False).ratio() for form in forms
            )
            rated.append((max(ratios), option))
        similarity, option = max(rated, key=lambda each: each[0])
        if similarity <= best:
            break
        candidates -= set(option)
        best, selected = similarity, option
    return selected if best >= _MIN_SIMILARITY else ()


def _join(indices: Iterable[int], tokens: Mapping[int, Token]) -> str:
    return " ".join(tokens[index].text for index in indices)


def _extra_words(
    by_reader: Mapping[str, _ReaderMatches], best: Iterable[_TextMatch], *, known: Sequence[str]
) -> Iterator[str]:
    """Yield words that were not requested.

    On the line of a text, the reader whose reading of it counts is held to every character. On other
    lines, single letters and unsure tokens are mostly grain.
    """
    printed = {normalize(each) for each in known}
    judges: dict[int, set[str]] = defaultdict(set)
    for match in best:
        for line in match.lines:
            judges[line].add(match.reader)
    reported: set[int] = set()
    for name, matches in by_reader.items():
        for token in matches.remaining:
            if normalize(token.text) in printed:
                continue
            is_beside = name in judges.get(token.line, ())
            is_apart = token.line not in judges and token.line not in reported
            # Digits, a minus and currency symbols change a price; specks do not.
            is_speck = _SPECKS.issuperset(normalize(token.text))
            if (is_beside and not is_speck) or (is_apart and _is_word(token)):
                yield token.text
        reported |= {token.line for token in matches.remaining if _is_word(token)}


def _is_word(token: Token) -> bool:
    return token.sure and sum(map(str.isalnum, normalize(token.text))) > 1


def matches_text(text: str, reading: str, *, locale: str) -> bool:
    """Return whether ``reading`` is ``text``, ignoring white space, invisible characters and variants that
    look alike. Right-to-left text may also be read in visual order, as prices often are."""
    return normalize(reading) in _readable_forms(text, locale=locale)


def normalize(text: str) -> str:
    """Return ``text`` without what readers cannot distinguish or see."""
    unified = unicodedata.normalize("NFC", text).translate(_VARIANTS)
    return "".join(
        each for each in unified if not each.isspace() and unicodedata.category(each) != "Cf"
    )


def _readable_forms(text: str, *, locale: str) -> tuple[str, ...]:
    """Return the normalized text in logical order and, if that differs, in visual order."""
    levels = embedding_levels(text, base=direction(locale))
    visual = "".join(text[index] for index in visual_order(levels))
    return tuple(dict.fromkeys((normalize(text), normalize(visual))))


def changes(requested: str, reading: str) -> list[Change]:
    """Return the difference between a text and its reading, run by run."""
    runs: list[Change] = []
    matcher = SequenceMatcher(None, requested, reading, autojunk=False)
    for kind, first, last, start, end in matcher.get_opcodes():
        if kind == "equal":
            runs.append(Change("same", requested[first:last]))
            continue
        if first < last:
            runs.append(Change("missing", requested[first:last]))
        if start < end:
            runs.append(Change("added", reading[start:end]))
    return runs
