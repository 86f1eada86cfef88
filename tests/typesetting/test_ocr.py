"""Tesseract's second opinion on typeset text. Needs the program; the proof does not."""

import asyncio

import numpy as np
import pytest

from nb_catalog.core.types import Reference, Size
from nb_catalog.providers.types import ImageRequest
from nb_catalog.providers.typesetter import TypesetterProvider
from nb_catalog.testing.pictures import solid_png
from nb_catalog.typesetting import fonts, ocr, typeset
from tests.typesetting.sample_texts import HEADLINES, shared_texts, texts_for
from tests.typesetting.test_typeset import BANNER

BASE_IMAGE = (
    np.random.default_rng(1).random((1080, 1080, 3)) * 90
    + np.linspace(20, 160, 1080)[None, :, None]
).astype(np.uint8)
READ = [locale for locale in HEADLINES if ocr.is_supported(locale)]
needs_tesseract = pytest.mark.skipif(not READ, reason="Tesseract or its data is not installed")


def typeset_banner(locale, texts):
    return typeset(
        BASE_IMAGE, layout=BANNER, texts=texts, locale=locale, chain=fonts.chain_for(locale)
    )


def distance(one, other):
    """Letters to replace, insert or delete (Levenshtein)."""
    row = list(range(len(other) + 1))
    for at, letter in enumerate(one, start=1):
        last, row[0] = row[0], at
        for to, there in enumerate(other, start=1):
            last, row[to] = row[to], min(row[to] + 1, row[to - 1] + 1, last + (letter != there))
    return row[-1]


@pytest.mark.matrix
@needs_tesseract
def test_typeset_text_is_read_correctly():
    """In its reliable languages; it may misread a few letters itself."""
    phrases = shared_texts() or {locale: texts_for(locale) for locale in READ}
    requested = [(locale, texts) for locale, texts in phrases.items() if locale in READ]
    misread, total = {}, 0
    for locale, texts in requested:
        picture = typeset_banner(locale, texts)
        total += len(picture.report.texts)
        for role, reading in ocr.find_differences(picture.pixels, picture.report).items():
            misread[locale, role] = (texts[role], reading)
            assert distance(texts[role].replace("–", "-"), reading) <= 2, misread
    assert len(misread) <= total * 0.1, misread


@needs_tesseract
def test_another_text_than_requested_is_noticed():
    picture = typeset_banner("en", {**texts_for("en"), "headline": "Autumn after – rain jacket"})
    [headline] = [text for text in picture.report.texts if text.role == "headline"]
    assert not ocr.find_differences(picture.pixels, picture.report)
    reading = ocr.read_text(picture.pixels, headline, language="eng")
    assert not ocr.matches_text(HEADLINES["en"], reading, locale="en")


@pytest.mark.parametrize(
    ("text", "reading", "locale"),
    [
        ("Offre d’automne – 1\u202f299 €", "Offre d'automne - 1 299 €", "fr"),
        ("\u200e-30%", "-30 %", "en"),
        ("two\nlines", "two lines", "en"),
        ("\u200f1,299.50\xa0\u200f€", "€ 1,299.50", "he"),
        ("\u200f1,299.50\xa0\u200f€", "1,299.50 €", "he"),
    ],
)
def test_texts_that_look_the_same_match(text, reading, locale):
    assert ocr.matches_text(text, reading, locale=locale)
    assert not ocr.matches_text(text, f"{reading}x", locale=locale)


def test_an_unreliable_language_is_not_read():
    assert not ocr.is_supported("ar") and not ocr.is_supported("th")
    picture = typeset_banner("ar", texts_for("ar"))
    assert ocr.find_differences(picture.pixels, picture.report) is None


def test_without_the_extra_nothing_is_read(monkeypatch):
    ocr.installed_languages.cache_clear()
    monkeypatch.setattr(ocr, "pytesseract", None)
    try:
        assert ocr.installed_languages() == frozenset() and not ocr.is_supported("en")
    finally:
        ocr.installed_languages.cache_clear()


@needs_tesseract
def test_the_result_is_reported_with_the_picture():
    picture = Reference(data=solid_png(Size(600, 600), colour=(40, 60, 90)), mime_type="image/png")
    renderer = {
        "layout": BANNER.as_mapping(),
        "texts": texts_for("en"),
        "locale": "en",
        "origin": "algorithmicMedia",
    }
    for asks in (True, False):
        provider = TypesetterProvider(alias="typesetter", ocr=asks)
        request = ImageRequest(
            model="typesetter",
            prompt="",
            renderer=renderer,
            references=(picture,),
            ratio="1:1",
            size="1K",
        )
        result = provider.parse(asyncio.run(provider.send(provider.build(request))))
        assert ("text_read" in result.report) is asks
        assert result.report.get("text_read", {}) == {}
