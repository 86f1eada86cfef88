"""Words that stand anywhere in a picture, found by RapidOCR's network and read by it and by Tesseract."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from itertools import islice
from threading import Lock
from typing import Any, Final, NamedTuple

import cv2
import numpy as np

from nb_catalog.imaging import ocr
from nb_catalog.imaging.encode import flatten
from nb_catalog.imaging.inspect import open_photo
from nb_catalog.imaging.readings import Piece, Reading, compared
from nb_catalog.imaging.scenery.canvas import Pixels
from nb_catalog.locales import direction, language

try:
    import rapidocr
except ImportError:  # the extra "ocr"
    rapidocr = None  # type: ignore[assignment]

# In which PP-OCRv6 small, the model that comes with RapidOCR 3.10, reads letters that were set here without
# a slip but for an inverted mark and a dash (November 2026). It finds lines in any script.
LANGUAGES: Final = frozenset(
    {
        "cs", "da", "de", "en", "es", "et", "fi", "fr", "hr", "id", "it", "ja", "lt", "nb", "nl", "nn", "no",
        "pl", "pt", "sl", "sv", "zh-Hans", "zh-Hant",
    }
)  # fmt: skip
# How sure a reader is of a line that is held against the model where nobody asked for it, from 0 to 1.
SURE: Final = 0.9
# Lines of one picture that are read: each takes Tesseract a tenth of a second or two.
MOST_LINES: Final = 60
# Of a line's height, around it.
MARGIN: Final = 0.15
RAPID: Final = "RapidOCR"
TESSERACT: Final = "Tesseract"
_one_at_a_time = Lock()


def reads(locale: str) -> bool:
    """Whether anything on this machine finds words in ``locale`` and reads them well."""
    return rapidocr is not None and (language(locale) in LANGUAGES or ocr.reads(locale))


def read_back(
    picture: bytes,
    words: Mapping[str, str],
    *,
    locale: str,
    photo: bytes = b"",
    max_bytes: int,
    max_pixels: int,
) -> Reading:
    """What stands on ``picture`` in place of ``words`` (role -> text). What is printed on the product, as its
    ``photo`` shows it, is not held against it. Nobody's reading where nothing reads ``locale``.

    Raises ``PictureError`` when it does not open.
    """
    if not reads(locale):
        return Reading()
    bounds = {"max_bytes": max_bytes, "max_pixels": max_pixels}
    lines = _lines(_opened(picture, **bounds), locale=locale)
    found = _closest(lines, words, locale=locale)
    if not (found.extra and photo):
        return found
    printed = _lines(_opened(photo, **bounds), locale=locale)
    known = [word for line in printed for said in line.said.values() for word in said.split()]
    return _closest(lines, words, locale=locale, known=known)


class _Line(NamedTuple):
    """Where a line begins and how high it is, what each reader read, and how sure RapidOCR is."""

    left: float
    top: float
    height: float
    said: Mapping[str, str]
    trust: float


def _opened(data: bytes, **bounds: int) -> Pixels:
    return np.asarray(flatten(open_photo(data, **bounds)))


def _closest(
    lines: Sequence[_Line], words: Mapping[str, str], *, locale: str, known: Sequence[str] = ()
) -> Reading:
    readers = [RAPID, *([TESSERACT] if ocr.reads(locale) else [])]
    said = {name: _pieces(lines, name) for name in readers}
    return compared(words, said, locale=locale, known=known)


def _pieces(lines: Sequence[_Line], reader: str) -> list[Piece]:
    return [
        Piece(word, line=number, sure=line.trust >= SURE)
        for number, line in enumerate(lines)
        for word in line.said[reader].split()
    ]


def _lines(pixels: Pixels, *, locale: str) -> list[_Line]:
    """Every line of text in a picture (RGB uint8), from the top, and beside each other from the start."""
    bgr = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
    with _one_at_a_time:
        found = _engine()(bgr, use_cls=False)
    if found.boxes is None:
        return []
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    lines = [
        _line(np.asarray(grey, np.uint8), box, said=said, trust=float(trust), locale=locale)
        for box, said, trust in islice(
            zip(found.boxes, found.txts, found.scores, strict=True), MOST_LINES
        )
    ]
    return _in_order(lines, is_rtl=bool(direction(locale)))


def _line(grey: Pixels, box: Any, *, said: str, trust: float, locale: str) -> _Line:
    texts = {RAPID: said}
    cut = _cut(grey, np.asarray(box, np.float32))
    if ocr.reads(locale):
        texts[TESSERACT] = ocr.read_line(cut, locale=locale)
    left, top = np.asarray(box).min(axis=0)
    return _Line(float(left), float(top), float(len(cut)), texts, trust)


def _cut(grey: Pixels, corners: Any) -> Pixels:
    """What lies between four corners (clockwise from the top left), upright, with a margin."""
    width = max(1, round(float(np.linalg.norm(corners[1] - corners[0]))))
    height = max(1, round(float(np.linalg.norm(corners[3] - corners[0]))))
    around = round(height * MARGIN)
    size = (width + 2 * around, height + 2 * around)
    onto = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32) + around
    matrix = cv2.getPerspectiveTransform(corners, onto)
    cut = cv2.warpPerspective(grey, matrix, size, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(cut, np.uint8)


def _in_order(lines: list[_Line], *, is_rtl: bool) -> list[_Line]:
    rows: list[list[_Line]] = []
    for line in sorted(lines, key=lambda each: each.top):
        if rows and line.top - rows[-1][0].top < min(line.height, rows[-1][0].height) / 2:
            rows[-1].append(line)
        else:
            rows.append([line])
    return [
        line for row in rows for line in sorted(row, key=lambda each: each.left, reverse=is_rtl)
    ]


@cache
def _engine() -> Any:
    return rapidocr.RapidOCR(params={"Global.log_level": "error"})
