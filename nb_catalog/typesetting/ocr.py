"""Words on a picture read back by Tesseract, where it is installed: a second opinion, never the proof.

It reads 12 languages of the 22 without a slip on letters that were set here, and accepts one wrong letter
in twenty; the proof is ``typeset.verifying``.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import pairwise
from typing import Final

import cv2
import numpy as np
from PIL import Image, ImageColor

from nb_catalog.core.locales import language_tag
from nb_catalog.imaging.scenery.canvas import Pixels
from nb_catalog.typesetting.ocr_diff import matches_text
from nb_catalog.typesetting.report import Report, TextSet

try:
    import pytesseract
except ImportError:  # the extra "ocr"
    pytesseract = None
else:
    # Several threads for one line are in each other's way: it takes five times as long then.
    os.environ.setdefault("OMP_THREAD_LIMIT", "1")

# The languages in which a difference means something, by Tesseract's names of its data.
LANGUAGES: Final[Mapping[str, str]] = {
    "en": "eng", "de": "deu", "fr": "fra", "es": "spa", "pl": "pol", "ru": "rus", "tr": "tur",
    "he": "heb", "hi": "hin", "zh-Hans": "chi_sim", "zh-Hant": "chi_tra", "ko": "kor",
}  # fmt: skip
# Pixels of an em at which it reads best, and the white around a line, in ems.
EM: Final = 48
MARGIN: Final = 0.5
# How far from the letters' own colour, of 255 in one channel, a pixel is ground.
FAR: Final = 96
SECONDS: Final = 20
_ONE_LINE: Final = "--psm 7"
# An em in heights of a line with its ascenders and descenders.
LINE: Final = 0.8
# Pixels across which a scene is smoothed.
GRAIN: Final = 3
_LATIN: Final = frozenset({"eng", "deu", "fra", "spa", "pol", "tur"})


@cache
def installed() -> frozenset[str]:
    """Tesseract's data that is on this machine; empty without the extra or the program."""
    if pytesseract is None:
        return frozenset()
    try:
        return frozenset(pytesseract.get_languages())
    except (pytesseract.TesseractNotFoundError, pytesseract.TesseractError):
        return frozenset()


def reads(locale: str) -> bool:
    """Whether what it says of words in ``locale`` is worth hearing."""
    return LANGUAGES.get(language_tag(locale)) in installed()


def find_doubts(pixels: Pixels, report: Report) -> dict[str, str] | None:
    """Role -> what was read instead of its text, of a picture as large as ``report`` says; empty where all
    is read as it was set. None where nothing reads its language."""
    if not reads(report.locale):
        return None
    name = LANGUAGES[language_tag(report.locale)]
    said = {text.role: _read(pixels, text, language=name) for text in report.texts}
    return {
        text.role: said[text.role]
        for text in report.texts
        # By its lines: a word that is parted shows a hyphen.
        if not matches_text(" ".join(text.lines), said[text.role], locale=report.locale)
    }


def read_line(grey: Pixels, *, locale: str) -> str:
    """One line of text, dark on light or light on dark (uint8). "" where nothing reads ``locale``."""
    if not reads(locale):
        return ""
    # Without grain, and what is most of it is the ground.
    _level, split = cv2.threshold(
        cv2.medianBlur(grey, GRAIN), 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU
    )
    dark_on_light = split if split.mean() >= 255 / 2 else 255 - split
    name = LANGUAGES[language_tag(locale)]
    both = name not in _LATIN and "eng" in installed()
    return _said(
        _sized(np.asarray(dark_on_light, np.uint8), round(len(grey) * LINE)),
        language=f"{name}+eng" if both else name,
    )


def _read(pixels: Pixels, text: TextSet, *, language: str) -> str:
    ink = text.ink.grown(2)
    cut = pixels[max(0, ink.top) : max(0, ink.bottom), max(0, ink.left) : max(0, ink.right)]
    said = (
        _said(_sized(line, text.size), language=_data_for(text.text, language))
        for line in _lines(_dark_on_white(cut, text), count=len(text.lines))
    )
    return " ".join(" ".join(said).split())


def _said(line: Pixels, *, language: str) -> str:
    said: str = pytesseract.image_to_string(
        Image.fromarray(line), lang=language, config=_ONE_LINE, timeout=SECONDS
    )
    return " ".join(said.split())


def _data_for(text: str, language: str) -> str:
    """Prices have no letters of their language, and many texts a name in Latin ones."""
    letters = [each for each in text if each.isalpha()]
    if not letters:
        return "eng"
    mixed = language not in _LATIN and any(each.isascii() for each in letters)
    return f"{language}+eng" if mixed and "eng" in installed() else language


def _dark_on_white(cut: Pixels, text: TextSet) -> Pixels:
    """Letters alone, known by their colour."""
    colour = np.array(ImageColor.getrgb(text.colour)[:3])
    away = np.abs(cut.astype(np.int32) - colour).max(axis=2)
    return np.asarray(np.clip(away * 255 // FAR, 0, 255), np.uint8)


def _lines(letters: Pixels, *, count: int) -> Iterator[Pixels]:
    """``letters`` cut into ``count`` lines of about one height, where least ink is in the way."""
    ink = (255 - letters.astype(np.int32)).sum(axis=1)
    pitch = len(letters) / count
    cuts = [0]
    for number in range(1, count):
        about, reach = round(number * pitch), max(1, round(pitch / 4))
        first = max(0, about - reach)
        cuts.append(first + int(np.argmin(ink[first : about + reach + 1])))
    for top, bottom in pairwise([*cuts, len(letters)]):
        yield letters[top:bottom]


def _sized(line: Pixels, size: int) -> Pixels:
    """A line in the size that is read best, with white around it."""
    scale, around = EM / size, round(EM * MARGIN)
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    sized = cv2.resize(line, None, fx=scale, fy=scale, interpolation=how)
    edges = (around,) * 4
    return np.asarray(cv2.copyMakeBorder(sized, *edges, cv2.BORDER_CONSTANT, value=[255.0]))
