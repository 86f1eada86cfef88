"""Words that stand anywhere in a picture, found by RapidOCR's network and read by it and by Tesseract."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from itertools import accumulate, chain, pairwise
from threading import Lock
from typing import Any, Final, NamedTuple

import cv2
import numpy as np

from nb_catalog.core.locales import direction, language_tag
from nb_catalog.core.types import Rect
from nb_catalog.imaging.encode import flatten
from nb_catalog.imaging.inspect import open_photo
from nb_catalog.imaging.scenery.canvas import Pixels
from nb_catalog.typesetting import ocr
from nb_catalog.typesetting.ocr_diff import OcrComparison, Token, compare

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
# How sure the network is of a line that is held against the model where nobody asked for it, from 0 to 1.
SURE: Final = 0.9
# Letters of a line from which on Tesseract did not read grain.
LETTERS: Final = 3
# Lines of one picture that are read: each takes Tesseract a tenth of a second or two.
MOST_LINES: Final = 60
# Of a line's height: what stands no further from each other goes on.
NEAR: Final = 1.0
# Of a line's height, around it.
MARGIN: Final = 0.15
RAPID: Final = "RapidOCR"
TESSERACT: Final = "Tesseract"
_one_at_a_time = Lock()


def reads(locale: str) -> bool:
    """Whether anything on this machine finds words in ``locale`` and reads them well."""
    return rapidocr is not None and (language_tag(locale) in LANGUAGES or ocr.reads(locale))


def read_back(
    picture: bytes,
    texts: Mapping[str, str],
    *,
    locale: str,
    photo: Callable[[], bytes] | None = None,
    max_bytes: int,
    max_pixels: int,
) -> OcrComparison:
    """What stands on ``picture`` in place of ``texts`` (role -> text). What is printed on the product, as its
    ``photo`` shows it, is not held against it; the photo is fetched where that is in question. Nobody's
    reading where nothing reads ``locale``.

    Raises ``PictureError`` when it does not open.
    """
    if not reads(locale):
        return OcrComparison()
    bounds = {"max_bytes": max_bytes, "max_pixels": max_pixels}
    lines = _lines(_opened(picture, **bounds), locale=locale)
    found = _closest(lines, texts, locale=locale)
    if not found.extra or photo is None:
        return found
    known = printed_on(photo(), locale=locale, **bounds)
    return _closest(lines, texts, locale=locale, known=known)


class _Line(NamedTuple):
    """Where a piece of a line stands, and what each reader read."""

    box: Rect
    said: Mapping[str, _Said]


class _Said(NamedTuple):
    text: str
    sure: bool


def printed_on(photo: bytes, *, locale: str, max_bytes: int, max_pixels: int) -> list[str]:
    """Every word that is read on a product's ``photo``, by whoever; none where nothing is installed.

    Raises ``PictureError`` when it does not open.
    """
    if rapidocr is None:
        return []
    pixels = _opened(photo, max_bytes=max_bytes, max_pixels=max_pixels)
    lines = _lines(pixels, locale=locale)
    return [word for line in lines for said in line.said.values() for word in said.text.split()]


def _opened(data: bytes, **bounds: int) -> Pixels:
    return np.asarray(flatten(open_photo(data, **bounds)))


def _closest(
    lines: Sequence[_Line], texts: Mapping[str, str], *, locale: str, known: Sequence[str] = ()
) -> OcrComparison:
    readers = [RAPID, *([TESSERACT] if ocr.reads(locale) else [])]
    said = {name: _pieces(lines, name) for name in readers}
    return compare(texts, said, locale=locale, known=known)


def _pieces(lines: Sequence[_Line], reader: str) -> list[Token]:
    """What stands close beside each other is one line, however the network has parted it."""
    numbers = accumulate(int(not _go_on(*pair)) for pair in pairwise(lines))
    return [
        Token(word, line=number, sure=line.said[reader].sure)
        for number, line in zip(chain([0], numbers), lines, strict=False)
        for word in line.said[reader].text.split()
    ]


def _go_on(line: _Line, following: _Line) -> bool:
    one, other = sorted((line.box, following.box))
    near = other.left - one.right < NEAR * min(one.height, other.height)
    return near and _share_a_row(one, other)


def _share_a_row(one: Rect, other: Rect) -> bool:
    shared = min(one.bottom, other.bottom) - max(one.top, other.top)
    return shared * 2 > min(one.height, other.height)


def _lines(pixels: Pixels, *, locale: str) -> list[_Line]:
    """Every line of text in a picture (RGB uint8), from the top, and beside each other from the start."""
    bgr = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), np.uint8)
    with _one_at_a_time:
        # Found first and read afterwards: a line that the network cannot read would not be told at all.
        boxes = _engine()(bgr, use_det=True, use_cls=False, use_rec=False).boxes
        if boxes is None:
            return []
        lines = [
            _line(bgr, np.asarray(box, np.float32), locale=locale) for box in boxes[:MOST_LINES]
        ]
    return _in_order(lines, is_rtl=bool(direction(locale)))


def _line(bgr: Pixels, corners: Any, *, locale: str) -> _Line:
    cut = _cut(bgr, corners)
    found = _engine()(cut, use_det=False, use_cls=False, use_rec=True)
    text, trust = (*found.txts, ""), (*found.scores, 0.0)
    said = {RAPID: _Said(text[0], float(trust[0]) >= SURE)}
    if ocr.reads(locale):
        grey = np.asarray(cv2.cvtColor(cut, cv2.COLOR_BGR2GRAY), np.uint8)
        read = ocr.read_line(grey, locale=locale)
        said[TESSERACT] = _Said(read, sum(map(str.isalnum, read)) >= LETTERS)
    left, top, right, bottom = map(round, (*corners.min(axis=0), *corners.max(axis=0)))
    return _Line(Rect(left, top, right - left, bottom - top), said)


def _cut(pixels: Pixels, corners: Any) -> Pixels:
    """What lies between four corners (clockwise from the top left), upright, with a margin."""
    width = max(1, round(float(np.linalg.norm(corners[1] - corners[0]))))
    height = max(1, round(float(np.linalg.norm(corners[3] - corners[0]))))
    around = round(height * MARGIN)
    size = (width + 2 * around, height + 2 * around)
    onto = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32) + around
    matrix = cv2.getPerspectiveTransform(corners, onto)
    cut = cv2.warpPerspective(pixels, matrix, size, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(cut, np.uint8)


def _in_order(lines: list[_Line], *, is_rtl: bool) -> list[_Line]:
    rows: list[list[_Line]] = []
    for line in sorted(lines, key=lambda each: each.box.top):
        if rows and _share_a_row(rows[-1][0].box, line.box):
            rows[-1].append(line)
        else:
            rows.append([line])
    return [
        line for row in rows for line in sorted(row, key=lambda each: each.box.left, reverse=is_rtl)
    ]


@cache
def _engine() -> Any:
    return rapidocr.RapidOCR(params={"Global.log_level": "error"})
