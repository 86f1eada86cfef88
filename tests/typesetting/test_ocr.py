"""Tesseract's second opinion on typeset text. Needs the program; the proof does not."""

import asyncio
import re
import time
from pathlib import Path

import numpy as np
import pytest

import nb_catalog
from nb_catalog.core.types import Reference, Size
from nb_catalog.providers.types import ImageRequest
from nb_catalog.providers.typesetter import TypesetterProvider
from nb_catalog.testing.pictures import solid_png
from nb_catalog.typesetting import fonts, ocr, typeset
from nb_catalog.typesetting.ocr_missing import explain_missing
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


@pytest.fixture
def fresh(monkeypatch):
    """Nothing is known of Tesseract yet; what a test learns of it is forgotten again."""
    ocr._list_languages.cache_clear()
    monkeypatch.setattr(ocr.Deadline, "_paused_until", 0.0)
    yield monkeypatch
    ocr._list_languages.cache_clear()


def test_without_the_extra_nothing_is_read(fresh):
    fresh.setattr(ocr, "pytesseract", None)
    assert ocr.installed_languages() == frozenset() and not ocr.is_supported("en")


LISTS = (
    "#!/bin/sh\ncase \"$1\" in --list-langs) printf 'List of (2):\\neng\\ndeu\\n'; exit 0;; esac\n"
)
TROUBLES = {
    "it fails": (LISTS + "exit 1\n", "failed with status 1"),
    "it is killed": (LISTS + "kill -9 $$\n", "failed with status -9"),
    "it hangs": (LISTS + "exec sleep 60\n", "did not answer in time"),
    "it ignores to be ended": (LISTS + "trap '' TERM\nsleep 60\n", "did not answer in time"),
    "it writes nothing": (LISTS + "exit 0\n", "FileNotFoundError"),
    "it writes no text": (LISTS + "printf '\\377\\376' > $2.txt\n", "UnicodeDecodeError"),
    "its list hangs": ("#!/bin/sh\nexec sleep 60\n", "did not answer in time"),
    "its list fails": ("#!/bin/sh\nexit 3\n", "CalledProcessError"),
    "it is not a program": ("nonsense", "OSError"),
    "it is not there": (None, "is not installed"),
    "it has no data": ("#!/bin/sh\nexit 0\n", "“eng” is not installed"),
}


@pytest.mark.skipif(ocr.pytesseract is None, reason='the extra "ocr" is not installed')
@pytest.mark.parametrize(("script", "reason"), TROUBLES.values(), ids=TROUBLES)
def test_whatever_happens_to_tesseract_the_picture_is_made(fresh, tmp_path, script, reason):
    program = tmp_path / "tesseract"
    if script is not None:
        program.write_text(script)
        program.chmod(0o755)
    fresh.setattr(ocr.pytesseract.pytesseract, "tesseract_cmd", str(program))
    for name, seconds in (
        ("TIMEOUT_SECONDS", 0.4),
        ("PICTURE_SECONDS", 1.0),
        ("LIST_SECONDS", 0.4),
    ):
        fresh.setattr(ocr, name, seconds)
    started = time.monotonic()
    result = made_by_provider(texts_for("en"), "en")
    assert time.monotonic() - started < 50, "it waited for a program that sleeps a minute"
    assert result.data[:2] == b"\xff\xd8" and result.report["text_proof"]
    assert "text_read" not in result.report
    assert reason in explain_missing(result.report["text_read_missing"])


def test_a_program_that_hung_is_left_alone_for_a_while(fresh, tmp_path):
    fresh.setattr(ocr.Deadline, "_paused_until", time.monotonic() + 60)
    with pytest.raises(ocr.OcrFailed, match="is not asked for some minutes"):
        ocr.Deadline(10).left(5)
    fresh.setattr(ocr.Deadline, "_paused_until", 0.0)
    assert ocr.Deadline(10).left(5) == 5
    with pytest.raises(ocr.OcrFailed, match="too long for all texts"):
        ocr.Deadline(-1).left(5)


def test_a_language_without_a_second_opinion_says_so():
    missing = made_by_provider(texts_for("th"), "th").report["text_read_missing"]
    assert missing["code"] == "language_unsupported"
    assert "reliably" in explain_missing(missing)


def test_every_reason_that_is_recorded_has_a_sentence():
    given = re.compile(r'(?:OcrFailed|missing_because)\(\s*"(\w+)"')
    codes = {
        code
        for file in Path(nb_catalog.__file__).parent.rglob("*.py")
        for code in given.findall(file.read_text())
    }
    assert len(codes) > 8
    assert {
        code for code in codes if explain_missing({"code": code, "detail": ""}) == code
    } == set()


def test_a_reason_of_newer_or_older_code_is_shown_as_it_is():
    assert explain_missing({"code": "bored", "detail": ""}) == "bored"
    assert explain_missing("It was bored.") == "It was bored."
    assert explain_missing({}) == explain_missing("") == ""


def made_by_provider(texts, locale, *, asks=True):
    picture = Reference(data=solid_png(Size(600, 600), colour=(40, 60, 90)), mime_type="image/png")
    renderer = {
        "layout": BANNER.as_mapping(), "texts": texts, "locale": locale, "origin": "algorithmicMedia",
    }  # fmt: skip
    provider = TypesetterProvider(alias="typesetter", ocr=asks)
    request = ImageRequest(
        model="typesetter",
        prompt="",
        renderer=renderer,
        references=(picture,),
        ratio="1:1",
        size="1K",
    )
    return provider.parse(asyncio.run(provider.send(provider.build(request))))


@needs_tesseract
def test_the_result_is_reported_with_the_picture():
    for asks in (True, False):
        report = made_by_provider(texts_for("en"), "en", asks=asks).report
        assert ("text_read" in report) is asks
        assert report.get("text_read", {}) == {} and "text_read_missing" not in report
