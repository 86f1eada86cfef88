"""Text anywhere in a picture, found by RapidOCR's network and read by it and by Tesseract."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache
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
from nb_catalog.typesetting.ocr import Deadline, OcrFailed
from nb_catalog.typesetting.ocr_diff import OcrComparison, Token, compare
from nb_catalog.typesetting.ocr_missing import missing_because

try:
    import rapidocr
except ImportError:  # the extra "ocr"
    rapidocr = None  # type: ignore[assignment]

# The languages in which PP-OCRv6 small, the model of RapidOCR 3.10, read text that was typeset here without
# errors other than an inverted mark and a dash (November 2026). It finds lines in any script.
LANGUAGES: Final = frozenset(
    {
        "cs", "da", "de", "en", "es", "et", "fi", "fr", "hr", "id", "it", "ja", "lt", "nb", "nl", "nn", "no",
        "pl", "pt", "sl", "sv", "zh-Hans", "zh-Hant",
    }
)  # fmt: skip
# The network's confidence, 0 to 1, from which a line without requested text counts against the picture.
MIN_CONFIDENCE: Final = 0.9
# Tesseract reads grain as shorter words than this, in letters and digits.
MIN_LETTERS: Final = 3
PHOTO_SIDE: Final = 4096
"""Pixels of the longer side at which a photo is read: a phone's camera has about as many."""
# Lines read per picture: each takes Tesseract 0.1 to 0.2 seconds. How long it may take for all of them.
MAX_LINES: Final = 60
TESSERACT_SECONDS: Final = 30.0
# Pieces of text no further apart than this belong to one line; in heights of the line.
MAX_GAP: Final = 1.0
# The margin around a cut-out line, in heights of the line.
MARGIN: Final = 0.15
RAPIDOCR: Final = "RapidOCR"
TESSERACT: Final = "Tesseract"
_engine_lock = Lock()
logger = logging.getLogger(__name__)


def is_supported(locale: str) -> bool:
    """Return whether something that is installed here reads ``locale`` reliably."""
    return rapidocr is not None and (language_tag(locale) in LANGUAGES or ocr.is_supported(locale))


class DetectedText(NamedTuple):
    """What one reader read; whether it is ``sure`` enough to count against the picture."""

    text: str
    sure: bool


class _DetectedLine(NamedTuple):
    """A piece of a line of text, and its reading by each reader."""

    box: Rect
    readings: Mapping[str, DetectedText]


def check_texts(
    picture: bytes,
    texts: Mapping[str, str],
    *,
    locale: str,
    photo: Callable[[], bytes] | None = None,
    max_bytes: int,
    max_pixels: int,
) -> OcrComparison:
    """Read ``picture`` and compare the result with ``texts`` (role -> text).

    Text that is printed on the product is not counted as extra: ``photo`` returns a photo of it, and is
    called only if there is extra text. The result has no reader if ``locale`` is not supported, and says
    what was ``missing`` if a reader failed or the photo cannot be read.

    Raises ``PictureError`` if a file does not open.
    """
    if not is_supported(locale):
        return OcrComparison(missing=missing_because("language_unsupported"))
    limits = {"max_bytes": max_bytes, "max_pixels": max_pixels}
    lines, missing = _detect_lines(picture, locale=locale, **limits)
    readers = [RAPIDOCR]
    if ocr.is_supported(locale) and not missing:
        readers.append(TESSERACT)
    tokens = {reader: _tokens(lines, reader) for reader in readers}
    comparison = replace(compare(texts, tokens, locale=locale), missing=missing)
    if not comparison.extra or photo is None:
        return comparison
    try:
        printed = read_words(photo(), locale=locale, **limits)
    except Exception:  # noqa: BLE001 - of the host's storage; what was read of the picture is kept
        logger.exception("The product's photo cannot be read, so that its print counts as extra.")
        return replace(comparison, missing=missing or missing_because("photo_unreadable"))
    return replace(compare(texts, tokens, locale=locale, known=printed), missing=missing)


def can_detect() -> bool:
    """Return whether the extra "ocr" is installed, without which no text is found."""
    return rapidocr is not None


def detect_texts(pixels: Pixels) -> list[DetectedText]:
    """Return the network's reading of every line of text on ``pixels``, (H, W, 3) sRGB, in any script and in
    no order. Requires ``can_detect``."""
    bgr = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), np.uint8)
    return [line.readings[RAPIDOCR] for line, _cut in _read_lines(bgr)]


def read_words(photo: bytes, *, locale: str, max_bytes: int, max_pixels: int) -> list[str]:
    """Return every word that any reader reads on ``photo``; none without the extra "ocr".

    Raises ``PictureError`` if it does not open.
    """
    if rapidocr is None:
        return []
    lines, _missing = _detect_lines(
        photo, locale=locale, longest_side=PHOTO_SIDE, max_bytes=max_bytes, max_pixels=max_pixels
    )
    return [
        word
        for line in lines
        for reading in line.readings.values()
        for word in reading.text.split()
    ]


def _tokens(lines: Sequence[_DetectedLine], reader: str) -> list[Token]:
    """Return a reader's words with the numbers of their lines; close pieces side by side are one line."""
    number, tokens = 0, []
    for index, line in enumerate(lines):
        if index:
            first, second = sorted((lines[index - 1].box, line.box))
            gap = second.left - first.right
            is_near = gap < MAX_GAP * min(first.height, second.height)
            number += not (is_near and _share_a_row(first, second))
        reading = line.readings.get(reader, DetectedText("", sure=False))
        tokens += [Token(word, line=number, sure=reading.sure) for word in reading.text.split()]
    return tokens


def _share_a_row(one: Rect, other: Rect) -> bool:
    shared = min(one.bottom, other.bottom) - max(one.top, other.top)
    return shared * 2 > min(one.height, other.height)


def _detect_lines(
    file: bytes,
    *,
    locale: str,
    longest_side: int | None = None,
    max_bytes: int,
    max_pixels: int,
) -> tuple[list[_DetectedLine], dict[str, str]]:
    """Read every line of text in a picture, in reading order: from the top, and in a row from its start.

    Also return why Tesseract did not read all of them; empty if it did, or is not asked in ``locale``.
    """
    photo = open_photo(file, longest_side=longest_side, max_bytes=max_bytes, max_pixels=max_pixels)
    pixels = np.asarray(flatten(photo))
    bgr = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), np.uint8)
    cuts = _read_lines(bgr)
    if not cuts:
        return [], {}
    lines, missing = _read_with_tesseract(cuts, locale=locale)
    rows: list[list[_DetectedLine]] = []
    for line in sorted(lines, key=lambda each: each.box.top):
        if rows and _share_a_row(rows[-1][0].box, line.box):
            rows[-1].append(line)
        else:
            rows.append([line])
    is_rtl = bool(direction(locale))
    ordered = [
        line for row in rows for line in sorted(row, key=lambda each: each.box.left, reverse=is_rtl)
    ]
    return ordered, missing


def _read_lines(bgr: Pixels) -> list[tuple[_DetectedLine, Pixels]]:
    """Return the lines that the network finds and reads on (H, W, 3) BGR, each with its cut."""
    with _engine_lock:
        # Detection apart from recognition, which drops the lines that it cannot read.
        boxes = _engine()(bgr, use_det=True, use_cls=False, use_rec=False).boxes
        boxes = [] if boxes is None else boxes[:MAX_LINES]
        return [_read_line(bgr, np.asarray(box, np.float32)) for box in boxes]


def _read_with_tesseract(
    cuts: Sequence[tuple[_DetectedLine, Pixels]], *, locale: str
) -> tuple[list[_DetectedLine], dict[str, str]]:
    """Add Tesseract's readings, all or none: half of them would not be a reading of the picture."""
    lines = [line for line, _cut in cuts]
    if not ocr.is_supported(locale):
        return lines, {}
    deadline = Deadline(TESSERACT_SECONDS)
    try:
        texts = [
            ocr.read_line(
                np.asarray(cv2.cvtColor(cut, cv2.COLOR_BGR2GRAY), np.uint8),
                locale=locale, deadline=deadline,
            )
            for _line, cut in cuts
        ]  # fmt: skip
    except OcrFailed as error:
        logger.warning("Tesseract did not read a picture in %s: %s", locale, error)
        return lines, error.missing
    return [
        line._replace(
            readings={
                **line.readings,
                TESSERACT: DetectedText(text, sum(map(str.isalnum, text)) >= MIN_LETTERS),
            }
        )
        for line, text in zip(lines, texts, strict=True)
    ], {}


def _read_line(bgr: Pixels, corners: Any) -> tuple[_DetectedLine, Pixels]:
    """Cut out the area within four corners (clockwise from the top left), upright, and read it; return the
    cut too, (H, W, 3) BGR."""
    width = max(1, round(float(np.linalg.norm(corners[1] - corners[0]))))
    height = max(1, round(float(np.linalg.norm(corners[3] - corners[0]))))
    margin = round(height * MARGIN)
    size = (width + 2 * margin, height + 2 * margin)
    target = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32) + margin
    matrix = cv2.getPerspectiveTransform(corners, target)
    cut = np.asarray(
        cv2.warpPerspective(bgr, matrix, size, borderMode=cv2.BORDER_REPLICATE), np.uint8
    )
    result = _engine()(cut, use_det=False, use_cls=False, use_rec=True)
    text, confidence = (*result.txts, ""), (*result.scores, 0.0)
    readings = {RAPIDOCR: DetectedText(text[0], float(confidence[0]) >= MIN_CONFIDENCE)}
    left, top, right, bottom = map(round, (*corners.min(axis=0), *corners.max(axis=0)))
    return _DetectedLine(Rect(left, top, right - left, bottom - top), readings), cut


@cache
def _engine() -> Any:
    return rapidocr.RapidOCR(params={"Global.log_level": "error"})
