"""Words printed on a product, read in its photo and in a picture of it, and compared."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import SequenceMatcher
from typing import Final, NamedTuple

from nb_catalog.imaging.scenery.canvas import Pixels
from nb_catalog.typesetting.ocr_detect import DetectedText, can_detect, detect_texts
from nb_catalog.typesetting.ocr_diff import normalize

LEAST_LETTERS: Final = 4
"""Letters and digits of a line that is compared: shorter ones are often read where there is only texture."""
SAME: Final = 0.7
"""Similarity, 0 to 1, from which two readings are of the same print. The same word, read at the size and
through the compression of a picture, mostly has .8; another word, or half of it, seldom .6."""


class WordChange(NamedTuple):
    """Lines that only the photo shows, and lines that only the picture shows."""

    gone: tuple[str, ...]
    added: tuple[str, ...]


def compare_words(before: Pixels, after: Pixels) -> WordChange | None:
    """Read both views of a product, (H, W, 3) sRGB, and compare what is printed on it.

    A line counts if it is read with confidence in one of the two; its like in the other may be read without.
    Returns None if nothing is installed that reads.
    """
    if not can_detect():
        return None
    first, second = detect_texts(before), detect_texts(after)
    return WordChange(
        gone=tuple(_missing(first, second)),
        added=tuple(_missing(second, first)),
    )


def _missing(lines: Iterable[DetectedText], others: Iterable[DetectedText]) -> Iterable[str]:
    """Yield the sure ones of ``lines`` that have no like among ``others``, nor in all of them together: the
    same print may be read as one line or as two."""
    readings = [_letters(other.text) for other in others]
    together = "".join(readings)
    for line in lines:
        letters = _letters(line.text)
        if not line.sure or len(letters) < LEAST_LETTERS:
            continue
        likeness = max(
            (SequenceMatcher(None, letters, other, autojunk=False).ratio() for other in readings),
            default=0.0,
        )
        if likeness >= SAME:
            continue
        run = SequenceMatcher(None, letters, together, autojunk=False).find_longest_match()
        if run.size / len(letters) < SAME:
            yield line.text


def _letters(text: str) -> str:
    return "".join(each for each in normalize(text).casefold() if each.isalnum())
