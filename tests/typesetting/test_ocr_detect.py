"""Words read back from a scene by what is installed. Needs the extra ocr; Tesseract where it says so."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from nb_catalog.typesetting import fonts, ocr, ocr_detect, typeset
from tests.cases import ordinary
from tests.typesetting.test_typeset import BANNER

pytestmark = pytest.mark.skipif(
    not ocr_detect.is_supported("en"), reason="The extra ocr is not installed"
)
BOUNDS = {"max_bytes": 100_000_000, "max_pixels": 100_000_000}
SHADES = np.linspace(20, 160, 1080)[None, :, None]


def painted(words, *, locale, grain=0):
    """A PNG with ``words``, on a ground with or without grain."""
    ground = SHADES + np.random.default_rng(1).random((1080, 1080, 3)) * grain
    made = typeset(
        ground.astype(np.uint8),
        layout=BANNER,
        texts=words,
        locale=locale,
        chain=fonts.chain_for(locale),
    )
    file = BytesIO()
    Image.fromarray(made.pixels).save(file, "PNG")
    return file.getvalue()


def read(words, *, locale, asked=None, grain=0):
    return ocr_detect.check_texts(
        painted(words, locale=locale, grain=grain), asked or words, locale=locale, **BOUNDS
    )


def needs_tesseract(locale):
    if locale not in ocr_detect.LANGUAGES and not ocr.is_supported(locale):
        pytest.skip("Tesseract or its data is not installed")


@pytest.mark.parametrize("grain", ordinary([0, 60], chosen=[60]))
@pytest.mark.parametrize(
    ("locale", "headline", "price"),
    ordinary(
        [
            ("en", "Autumn offer", "€12.50"),
            ("de", "Für draußen", "1.299,50\u00a0€"),
            ("fr", "À découvrir", "1\u202f299,50\u00a0€"),
            ("pl", "Okazja w góry", "12,50\u00a0€"),
            ("ru", "Скидка на кофе", "12,50\u00a0€"),
            ("he", "מבצע סתיו", "12.50"),
            ("ko", "가을 세일 무료", "9,900원"),
            ("ja", "秋のセール", "¥1,200"),
            ("zh-hans", "秋季优惠", "¥1,200"),
        ],
        chosen=["en", "he", "ja"],
    ),
)
def test_what_was_written_right_is_read_so(locale, headline, price, grain):
    needs_tesseract(locale)
    words = {"headline": headline, "price": price}
    found = read(words, locale=locale, grain=grain)
    assert found.is_exact, found


@pytest.mark.parametrize(
    ("locale", "written", "asked"),
    [
        ("fr", "1 299 €", "299 €"),
        ("en", "Autumn offer now", "Autumn offer"),
        ("he", "מבצע סתיו חדש", "מבצע סתיו"),
        ("ru", "Новая скидка на кофе", "скидка на кофе"),
        ("de", "Herbstangebt", "Herbstangebot"),
        ("ko", "가을 세일 무료", "가울 세일 무료"),
    ],
)
def test_what_was_written_otherwise_is_told(locale, written, asked):
    needs_tesseract(locale)
    found = read({"headline": written}, locale=locale, asked={"headline": asked})
    assert not found.is_exact and found.reader, found


def test_what_is_printed_on_the_product_is_no_fault_of_the_picture():
    both = painted({"headline": "Autumn offer", "price": "ACME"}, locale="en")
    photo = painted({"price": "ACME"}, locale="en")
    asked = {"headline": "Autumn offer"}
    assert ocr_detect.check_texts(both, asked, locale="en", **BOUNDS).extra == ("ACME",)
    assert ocr_detect.check_texts(both, asked, locale="en", photo=lambda: photo, **BOUNDS).is_exact


def test_a_picture_without_words_has_none():
    found = read({"price": "€12.50"}, locale="en", asked={"headline": "Autumn offer"})
    assert found.share == 0 and found.said == {"headline": ""}


def test_a_language_that_nothing_reads_is_nobody_s():
    assert not read({"headline": "عرض الخريف"}, locale="ar").reader
