"""Words on a product, read in its photo and in a picture of it."""

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from nb_catalog.typesetting import ocr_detect, printed_words
from nb_catalog.typesetting.ocr_detect import DetectedText
from nb_catalog.typesetting.printed_words import WordChange, compare_words


@pytest.fixture
def reading(monkeypatch):
    """compare(first, second): what two readings, lists of lines, differ by. A line with "?" is unsure."""

    def compare(first, second):
        readings = iter([first, second])
        monkeypatch.setattr(
            printed_words,
            "detect_texts",
            lambda _pixels: [
                DetectedText(line.rstrip("?"), not line.endswith("?")) for line in next(readings)
            ],
        )
        monkeypatch.setattr(printed_words, "can_detect", lambda: True)
        blank = np.zeros((8, 8, 3), np.uint8)
        return compare_words(blank, blank)

    return compare


@pytest.mark.parametrize(
    ("photo", "picture", "gone", "added"),
    [
        (["TRULY", "OPEN"], ["OPEN", "TRULY"], (), ()),
        (["Battle-tested"], ["BSted"], ("Battle-tested",), ()),
        (["Battle-tested"], [], ("Battle-tested",), ()),
        # A letter misread, another case, another division into lines: the same print.
        (["Scale effortlessly"], ["SCALE EFORTLESSLY?"], (), ()),
        (["at brands like Lush"], ["at brands", "like Lush"], (), ()),
        (["VOL IV."], ["VOLIV"], (), ()),
        # What is read without confidence, or too short, says nothing.
        (["that puts develkpen?", "frt"], [], (), ()),
        ([], ["NEW TASTE"], (), ("NEW TASTE",)),
        (["100 % ORGANIC"], ["100 % ORGANTIC"], (), ()),
        (["APPLE"], ["GRAPE"], ("APPLE",), ("GRAPE",)),
    ],
)
def test_lines_without_their_like_are_reported(reading, photo, picture, gone, added):
    assert reading(photo, picture) == WordChange(gone, added)


def test_without_a_reader_nothing_is_said(monkeypatch):
    monkeypatch.setattr(ocr_detect, "rapidocr", None)
    blank = np.zeros((8, 8, 3), np.uint8)
    assert compare_words(blank, blank) is None


@pytest.mark.skipif(not ocr_detect.can_detect(), reason="The extra ocr is not installed.")
def test_print_is_read_on_pixels():
    def label(*lines):
        picture = Image.new("RGB", (420, 200), (240, 236, 225))
        for row, line in enumerate(lines):
            place = (30, 30 + 70 * row)
            ImageDraw.Draw(picture).text(place, line, "black", ImageFont.load_default(46))
        return np.asarray(picture)

    same, other = label("STONEWARE", "Handmade"), label("STONEWARE", "Homagle")
    assert compare_words(same, same) == WordChange((), ())
    assert compare_words(same, other) == WordChange(("Handmade",), ("Homagle",))
