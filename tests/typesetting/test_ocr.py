"""Tesseract's second opinion on words that were set here. Needs the program; the proof does not."""

import asyncio

import numpy as np
import pytest

from nb_catalog.core.types import Reference, Size
from nb_catalog.providers.types import ImageRequest
from nb_catalog.providers.typesetter import TypesetterProvider
from nb_catalog.testing.pictures import solid_png
from nb_catalog.typesetting import fonts, ocr, typeset
from tests.typesetting.lettering import HEADLINES, shared_texts, texts_for
from tests.typesetting.test_typeset import BANNER

GROUND = (
    np.random.default_rng(1).random((1080, 1080, 3)) * 90
    + np.linspace(20, 160, 1080)[None, :, None]
).astype(np.uint8)
READ = [locale for locale in HEADLINES if ocr.is_supported(locale)]
needs_tesseract = pytest.mark.skipif(not READ, reason="Tesseract or its data is not installed")


def made(locale, words):
    return typeset(GROUND, layout=BANNER, texts=words, locale=locale, chain=fonts.chain_for(locale))


def distance(one, other):
    """Letters to change, put in or leave out (Levenshtein)."""
    row = list(range(len(other) + 1))
    for at, letter in enumerate(one, start=1):
        last, row[0] = row[0], at
        for to, there in enumerate(other, start=1):
            last, row[to] = row[to], min(row[to] + 1, row[to - 1] + 1, last + (letter != there))
    return row[-1]


@pytest.mark.matrix
@needs_tesseract
def test_what_is_set_is_read_back():
    """Where the facts say that it can. A letter that it misreads is its own: at most one in a text."""
    phrases = shared_texts() or {locale: texts_for(locale) for locale in READ}
    asked = [(locale, words) for locale, words in phrases.items() if locale in READ]
    misread, total = {}, 0
    for locale, words in asked:
        picture = made(locale, words)
        total += len(picture.report.texts)
        for role, said in ocr.find_differences(picture.pixels, picture.report).items():
            misread[locale, role] = (words[role], said)
            assert distance(words[role].replace("–", "-"), said) <= 2, misread
    assert len(misread) <= total * 0.1, misread


@needs_tesseract
def test_other_words_than_were_asked_for_are_noticed():
    picture = made("en", {**texts_for("en"), "headline": "Autumn after – rain jacket"})
    [headline] = [text for text in picture.report.texts if text.role == "headline"]
    assert not ocr.find_differences(picture.pixels, picture.report)
    said = ocr.read_text(picture.pixels, headline, language="eng")
    assert not ocr.matches_text(HEADLINES["en"], said, locale="en")


@pytest.mark.parametrize(
    ("text", "said", "locale"),
    [
        ("Offre d’automne – 1\u202f299 €", "Offre d'automne - 1 299 €", "fr"),
        ("\u200e-30%", "-30 %", "en"),
        ("two\nlines", "two lines", "en"),
        ("\u200f1,299.50\xa0\u200f€", "€ 1,299.50", "he"),
        ("\u200f1,299.50\xa0\u200f€", "1,299.50 €", "he"),
    ],
)
def test_what_looks_the_same_is_the_same(text, said, locale):
    assert ocr.matches_text(text, said, locale=locale)
    assert not ocr.matches_text(text, f"{said}x", locale=locale)


def test_a_language_that_it_does_not_read_well_is_not_asked():
    assert not ocr.is_supported("ar") and not ocr.is_supported("th")
    picture = made("ar", texts_for("ar"))
    assert ocr.find_differences(picture.pixels, picture.report) is None


def test_without_the_extra_nothing_is_asked(monkeypatch):
    ocr.installed_languages.cache_clear()
    monkeypatch.setattr(ocr, "pytesseract", None)
    try:
        assert ocr.installed_languages() == frozenset() and not ocr.is_supported("en")
    finally:
        ocr.installed_languages.cache_clear()


@needs_tesseract
def test_the_opinion_is_told_with_the_picture():
    picture = Reference(data=solid_png(Size(600, 600), colour=(40, 60, 90)), mime_type="image/png")
    told = {
        "layout": BANNER.as_mapping(),
        "texts": texts_for("en"),
        "locale": "en",
        "origin": "algorithmicMedia",
    }
    for asks in (True, False):
        maker = TypesetterProvider(alias="typesetter", ocr=asks)
        request = ImageRequest(
            model="typesetter",
            prompt="",
            renderer=told,
            references=(picture,),
            ratio="1:1",
            size="1K",
        )
        result = maker.parse(asyncio.run(maker.send(maker.build(request))))
        assert ("text_read" in result.report) is asks
        assert result.report.get("text_read", {}) == {}
