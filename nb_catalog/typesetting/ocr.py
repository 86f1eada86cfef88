"""OCR of typeset text by Tesseract, if installed: a second opinion, never the proof.

On text that was typeset here it reads 12 of 22 languages without errors, but accepts one wrong letter in
twenty texts; the proof is ``typesetting.proof``. It decides nothing, so it stops nothing: whatever happens to
the program, ``second_opinion`` returns within ``PICTURE_SECONDS``, and says why there is no opinion.
"""

from __future__ import annotations

import logging
import os
import subprocess
import time
from collections.abc import Mapping
from functools import cache
from itertools import pairwise
from threading import Lock
from types import MappingProxyType
from typing import Final, NamedTuple

import cv2
import numpy as np
from PIL import Image, ImageColor

from nb_catalog.core.locales import language_tag
from nb_catalog.imaging.scenery.canvas import Pixels
from nb_catalog.typesetting.ocr_diff import matches_text
from nb_catalog.typesetting.ocr_missing import explain_missing, missing_because
from nb_catalog.typesetting.report import Report, TextReport

try:
    import pytesseract
except ImportError:  # the extra "ocr"
    pytesseract = None
else:
    # On a single line, Tesseract's threads slow each other down by a factor of five.
    os.environ.setdefault("OMP_THREAD_LIMIT", "1")

# The languages that it reads reliably, with Tesseract's names of their data.
LANGUAGES: Final[Mapping[str, str]] = {
    "en": "eng", "de": "deu", "fr": "fra", "es": "spa", "pl": "pol", "ru": "rus", "tr": "tur",
    "he": "heb", "hi": "hin", "zh-Hans": "chi_sim", "zh-Hant": "chi_tra", "ko": "kor",
}  # fmt: skip
# The em in pixels at which it reads best, and the white margin around a line in ems.
EM: Final = 48
MARGIN: Final = 0.5
# Pixels that differ from the text's colour by this much, of 255 in any channel, are background.
BACKGROUND_DISTANCE: Final = 96
# The longest that Tesseract may take for one line, for all of a picture, and to list its languages. A line
# takes 0.1 to 0.2 seconds.
TIMEOUT_SECONDS: Final = 10.0
PICTURE_SECONDS: Final = 20.0
LIST_SECONDS: Final = 5.0
# A process does not ask it again for this long after it did not answer.
PAUSE_SECONDS: Final = 600.0
_SINGLE_LINE: Final = "--psm 7"
# The em as a share of a line's height with ascenders and descenders.
EM_PER_LINE_HEIGHT: Final = 0.8
# The kernel in pixels of the median filter that removes grain.
GRAIN: Final = 3
_LATIN: Final = frozenset({"eng", "deu", "fra", "spa", "pol", "tur"})


logger = logging.getLogger(__name__)


class OcrFailed(Exception):  # noqa: N818 - named like the other errors of this package
    """Tesseract did not read: ``missing`` says why. Not an error of the picture."""

    def __init__(self, code: str, detail: str = "") -> None:
        self.missing = missing_because(code, detail)
        super().__init__(explain_missing(self.missing))


class SecondOpinion(NamedTuple):
    """Role -> what was read, for the texts that were read differently; None, and why it is ``missing``, if
    nothing was read."""

    differences: dict[str, str] | None
    missing: Mapping[str, str] = MappingProxyType({})


class Deadline:
    """The time that is left for a picture; none while Tesseract is not asked, because it did not answer."""

    _lock: Final = Lock()
    _paused_until = 0.0

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def left(self, most: float) -> float:
        """Return the seconds that the next call may take, up to ``most``. Raises ``OcrFailed``."""
        now = time.monotonic()
        if now < Deadline._paused_until:
            raise OcrFailed("paused")
        if now >= self._end:
            raise OcrFailed("picture_timed_out")
        return min(most, self._end - now)

    @classmethod
    def pause(cls, seconds: float = PAUSE_SECONDS) -> None:
        with cls._lock:
            cls._paused_until = time.monotonic() + seconds


@cache
def _list_languages() -> frozenset[str]:
    """Return the names of Tesseract's installed data. Raises ``OcrFailed``, which is not cached."""
    if pytesseract is None:
        raise OcrFailed("extra_missing")
    seconds = Deadline(LIST_SECONDS).left(LIST_SECONDS)
    try:
        # Not by pytesseract, which would wait for ever.
        result = subprocess.run(  # noqa: S603 - the configured program, without user input
            [pytesseract.pytesseract.tesseract_cmd, "--list-langs"],
            capture_output=True, check=True, timeout=seconds,
        )  # fmt: skip
    except FileNotFoundError as error:
        raise OcrFailed("program_missing") from error
    except subprocess.TimeoutExpired as error:
        Deadline.pause()
        raise OcrFailed("timed_out") from error
    except (OSError, subprocess.SubprocessError) as error:
        raise OcrFailed("not_runnable", type(error).__name__) from error
    lines = (result.stdout + result.stderr).decode(errors="replace").splitlines()
    return frozenset(line.strip() for line in lines if line.strip() and " " not in line.strip())


def installed_languages() -> frozenset[str]:
    """Return the names of Tesseract's installed data; empty without the extra or the program."""
    try:
        return _list_languages()
    except OcrFailed:
        return frozenset()


def is_supported(locale: str) -> bool:
    """Return whether Tesseract is installed and reads ``locale`` reliably."""
    return LANGUAGES.get(language_tag(locale)) in installed_languages()


def second_opinion(pixels: Pixels, report: Report) -> SecondOpinion:
    """Return what Tesseract reads differently in ``pixels`` (H, W, 3), the picture in the report's size."""
    name = LANGUAGES.get(language_tag(report.locale))
    try:
        if name is None:
            raise OcrFailed("language_unsupported")
        if name not in _list_languages():
            raise OcrFailed("data_missing", name)
        return SecondOpinion(find_differences(pixels, report))
    except OcrFailed as error:
        return SecondOpinion(None, error.missing)
    except Exception as error:  # noqa: BLE001 - a foreign program; the picture is made and proved
        logger.exception("The text of a picture in %s cannot be read back.", report.locale)
        return SecondOpinion(None, missing_because("reading_failed", type(error).__name__))


def find_differences(pixels: Pixels, report: Report) -> dict[str, str] | None:
    """Return role -> what was read, for the texts of ``report`` that were read differently.

    ``pixels`` (H, W, 3) are the picture in the report's size. None if the locale is not supported. Raises
    ``OcrFailed``.
    """
    if not is_supported(report.locale):
        return None
    name, deadline = LANGUAGES[language_tag(report.locale)], Deadline(PICTURE_SECONDS)
    readings = {
        text.role: read_text(pixels, text, language=name, deadline=deadline)
        for text in report.texts
    }
    return {
        text.role: readings[text.role]
        for text in report.texts
        # The lines, not the text: a word that is broken at a soft hyphen shows a hyphen.
        if not matches_text(" ".join(text.lines), readings[text.role], locale=report.locale)
    }


def read_text(
    pixels: Pixels, text: TextReport, *, language: str, deadline: Deadline | None = None
) -> str:
    """Read a typeset text, whose colour and number of lines are known, with Tesseract's data
    ``language``. Raises ``OcrFailed``."""
    deadline = deadline or Deadline(PICTURE_SECONDS)
    ink = text.ink.grown(2)
    cut = pixels[max(0, ink.top) : max(0, ink.bottom), max(0, ink.left) : max(0, ink.right)]
    colour = np.array(ImageColor.getrgb(text.colour)[:3])
    distance = np.abs(cut.astype(np.int32) - colour).max(axis=2)
    dark_on_white = np.asarray(np.clip(distance * 255 // BACKGROUND_DISTANCE, 0, 255), np.uint8)
    letters = [each for each in text.text if each.isalpha()]
    is_latin = language in _LATIN or not any(each.isascii() for each in letters)
    # A price has no letters of its language, and many texts contain a Latin name.
    data = _with_english(language, is_latin=is_latin) if letters else "eng"
    # Lines of similar height, cut where there is the least ink.
    by_row = (255 - dark_on_white.astype(np.int32)).sum(axis=1)
    line_height = len(dark_on_white) / len(text.lines)
    reach = max(1, round(line_height / 4))
    cuts = [0]
    for number in range(1, len(text.lines)):
        centre = round(number * line_height)
        first = max(0, centre - reach)
        cuts.append(first + int(np.argmin(by_row[first : centre + reach + 1])))
    lines = [
        _recognize(
            _to_reading_size(dark_on_white[top:bottom], text.size), language=data, deadline=deadline
        )
        for top, bottom in pairwise([*cuts, len(dark_on_white)])
    ]
    return " ".join(" ".join(lines).split())


def read_line(grey: Pixels, *, locale: str, deadline: Deadline) -> str:
    """Read one line of text (H, W) uint8, dark on light or light on dark; "" for unsupported locales.

    Raises ``OcrFailed``.
    """
    if not is_supported(locale):
        return ""
    # Otsu's threshold after removing grain; the more frequent value is the background.
    _level, binary = cv2.threshold(
        cv2.medianBlur(grey, GRAIN), 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU
    )
    dark_on_white = binary if binary.mean() >= 255 / 2 else 255 - binary
    name = LANGUAGES[language_tag(locale)]
    return _recognize(
        _to_reading_size(
            np.asarray(dark_on_white, np.uint8), round(len(grey) * EM_PER_LINE_HEIGHT)
        ),
        language=_with_english(name, is_latin=name in _LATIN),
        deadline=deadline,
    )


def _with_english(language: str, *, is_latin: bool) -> str:
    return language if is_latin or "eng" not in installed_languages() else f"{language}+eng"


def _recognize(line: Pixels, *, language: str, deadline: Deadline) -> str:
    seconds = deadline.left(TIMEOUT_SECONDS)
    try:
        text: str = pytesseract.image_to_string(
            Image.fromarray(line), lang=language, config=_SINGLE_LINE, timeout=seconds
        )
    except pytesseract.TesseractError as error:
        raise OcrFailed("failed", str(error.status)) from error
    except RuntimeError as error:
        # Only what takes as long as one line may stands for a program that hangs.
        if seconds >= TIMEOUT_SECONDS:
            Deadline.pause()
        raise OcrFailed("timed_out") from error
    except (OSError, UnicodeError, ValueError) as error:
        raise OcrFailed("not_runnable", type(error).__name__) from error
    return " ".join(text.split())


def _to_reading_size(line: Pixels, em: int) -> Pixels:
    """Scale a line to the size that is read best, with a white margin."""
    scale, margin = EM / em, round(EM * MARGIN)
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    scaled = cv2.resize(line, None, fx=scale, fy=scale, interpolation=method)
    edges = (margin,) * 4
    return np.asarray(cv2.copyMakeBorder(scaled, *edges, cv2.BORDER_CONSTANT, value=[255.0]))
