"""Text detected and read in a picture. Needs the extra "ocr"; some tests need Tesseract."""

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


def painted(texts, *, locale, grain=0):
    """A PNG with ``texts``, on a background with or without grain."""
    base_image = SHADES + np.random.default_rng(1).random((1080, 1080, 3)) * grain
    result = typeset(
        base_image.astype(np.uint8),
        layout=BANNER,
        texts=texts,
        locale=locale,
        chain=fonts.chain_for(locale),
    )
    file = BytesIO()
    Image.fromarray(result.pixels).save(file, "PNG")
    return file.getvalue()


def read(texts, *, locale, requested=None, grain=0):
    return ocr_detect.check_texts(
        painted(texts, locale=locale, grain=grain), requested or texts, locale=locale, **BOUNDS
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
def test_correct_text_is_read_exactly(locale, headline, price, grain):
    needs_tesseract(locale)
    texts = {"headline": headline, "price": price}
    comparison = read(texts, locale=locale, grain=grain)
    assert comparison.is_exact, comparison


@pytest.mark.exhaustive(every=3)
@pytest.mark.parametrize(
    ("locale", "written", "requested"),
    [
        ("fr", "1 299 €", "299 €"),
        ("en", "Autumn offer now", "Autumn offer"),
        ("he", "מבצע סתיו חדש", "מבצע סתיו"),
        ("ru", "Новая скидка на кофе", "скидка на кофе"),
        ("de", "Herbstangebt", "Herbstangebot"),
        ("ko", "가을 세일 무료", "가울 세일 무료"),
    ],
)
def test_different_text_is_reported(locale, written, requested):
    needs_tesseract(locale)
    comparison = read({"headline": written}, locale=locale, requested={"headline": requested})
    assert not comparison.is_exact and comparison.reader, comparison


def test_text_printed_on_the_product_does_not_count_as_extra():
    both = painted({"headline": "Autumn offer", "price": "ACME"}, locale="en")
    photo = painted({"price": "ACME"}, locale="en")
    requested = {"headline": "Autumn offer"}
    assert ocr_detect.check_texts(both, requested, locale="en", **BOUNDS).extra == ("ACME",)
    assert ocr_detect.check_texts(
        both, requested, locale="en", photo=lambda: photo, **BOUNDS
    ).is_exact


def test_a_text_that_is_not_there_is_not_found():
    comparison = read({"price": "€12.50"}, locale="en", requested={"headline": "Autumn offer"})
    assert comparison.share == 0 and comparison.said == {"headline": ""}


def test_a_language_that_nothing_reads_has_no_reader():
    assert not read({"headline": "عرض الخريف"}, locale="ar").reader


def test_a_reader_that_fails_leaves_the_other_s_reading(monkeypatch):
    if not ocr.is_supported("en"):
        pytest.skip("Tesseract or its data is not installed")

    def fail(*args, **options):
        raise ocr.OcrFailed("timed_out")

    monkeypatch.setattr(ocr, "read_line", fail)
    comparison = read({"headline": "Autumn offer"}, locale="en")
    assert comparison.reader == "RapidOCR" and comparison.is_exact
    assert comparison.missing["code"] == "timed_out"


def test_a_photo_that_cannot_be_read_leaves_the_picture_s_reading():
    def photo():
        raise OSError("the host's storage is away")

    picture = painted({"headline": "Autumn offer", "price": "SOLD OUT"}, locale="en")
    comparison = ocr_detect.check_texts(
        picture, {"headline": "Autumn offer"}, locale="en", photo=photo, **BOUNDS
    )
    assert comparison.said["headline"] == "Autumn offer" and comparison.extra
    assert comparison.missing["code"] == "photo_unreadable"
