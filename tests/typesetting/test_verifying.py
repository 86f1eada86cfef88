"""The proof: what was asked for passes in every file that is delivered, one wrong letter does not."""

import io

import numpy as np
import pytest
from PIL import Image

from nb_catalog.core import locales
from nb_catalog.core.types import Rect, Size
from nb_catalog.imaging.encode import encode, shrink
from nb_catalog.typesetting import fonts, typeset
from nb_catalog.typesetting.layout_engine import lay_out
from nb_catalog.typesetting.layouts import Layout
from nb_catalog.typesetting.proof import compare_glyphs, verify
from tests.typesetting.lettering import HEADLINES, shared_texts, texts_for
from tests.typesetting.test_typeset import BANNER, ground, set_text

__all__ = ["ground"]

# One letter changed to what a careless eye takes for it.
SLIPS = {
    "en": ("offer", "offen"),
    "de": ("ß", "B"),
    "fr": ("à", "a"),
    "pl": ("w góry", "w gory"),
    "cs": ("zimní", "zimni"),
    "el": ("Φ", "Θ"),
    "ru": ("дождевик", "дожцевик"),
    "tr": ("İÇİN", "IÇIN"),
    "vi": ("Ưu", "Uu"),
    "ar": ("خريف", "حريف"),
    "fa": ("پیشنهاد", "بیشنهاد"),
    "he": ("סתיו", "סתיי"),
    "hi": ("ऋतु", "ऋत"),
    "th": ("ข้อ", "ขอ"),
    "ja": ("軽", "経"),
    "zh-Hans": ("防", "访"),
    "ko": ("할인", "활인"),
}


def delivered(pixels, *, width, format):
    data = encode(shrink(Image.fromarray(pixels), width=width), format=format)
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


def compared(words, picture, locale):
    side = 720
    return [
        compare_glyphs(
            lay_out(
                box, words[box.role], size=Size(side, side), chain=fonts.chain_for(locale),
                language=locales.language_tag(locale), rtl=bool(locales.direction(locale)),
            ),
            picture, size=Size(side, side),
        )
        for box in BANNER.boxes
        if box.role in words
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("locale", "words"), [*((each, texts_for(each)) for each in HEADLINES), *shared_texts().items()]
)
def test_every_locale_is_proved_in_what_is_delivered(ground, locale, words):
    made = set_text(ground, words, locale).pixels
    for width, format in ((720, "jpeg"), (720, "avif"), (480, "webp")):
        for found in compared(words, delivered(made, width=width, format=format), locale):
            assert found.is_proved, (width, format, found)


@pytest.mark.parametrize("locale", SLIPS)
def test_one_wrong_letter_is_not_proved(ground, locale):
    right, wrong = SLIPS[locale]
    asked = {"headline": HEADLINES[locale]}
    made = {"headline": asked["headline"].replace(right, wrong, 1)}
    assert made != asked
    picture = delivered(set_text(ground, made, locale).pixels, width=720, format="jpeg")
    [found] = compared(asked, picture, locale)
    assert not found.is_proved, found


def test_a_picture_without_the_words_is_not_proved(ground):
    for found in compared(texts_for("en"), ground, "en"):
        assert not found.is_proved and found.overlap < 0.5


def test_letters_too_small_to_read_prove_nothing(ground):
    words = {"badge": "-30%"}
    picture = delivered(set_text(ground, words).pixels, width=96, format="jpeg")
    [found] = compared(words, picture, "en")
    assert not found.is_legible and not found.is_proved


def test_letters_that_swapped_colours_and_shrank_are_proved_by_their_report(ground):
    layout = BANNER.as_mapping()
    layout["boxes"][0]["scrim"] = {"colour": "#101820", "swaps": True}
    layout = Layout.from_mapping(layout)
    light, chain = np.full_like(ground, 240), fonts.chain_for("en")
    made = typeset(
        light, layout=layout, texts=texts_for("en"), locale="en", chain=chain,
        product=Rect(0, 120, 720, 300),
    )  # fmt: skip
    assert made.report.texts[0].colour == "#101820"
    proofs = verify(made.pixels, report=made.report, layout=layout, chain=chain)
    assert all(proof.is_proved for proof in proofs), proofs
    other = verify(made.pixels, report=made.report, layout=layout, chain=fonts.chain_for("he"))
    assert not any(proof.matches_report or proof.is_proved for proof in other)


def test_a_letter_that_was_painted_over_is_found(ground):
    words = {"headline": HEADLINES["en"]}
    made = typeset(ground, layout=BANNER, texts=words, locale="en", chain=fonts.chain_for("en"))
    picture = made.pixels.copy()
    ink = made.report.texts[0].ink
    picture[ink.top : ink.bottom, ink.left : ink.left + made.report.texts[0].size // 2] = 30
    [found] = compared(words, picture, "en")
    assert found.worst_glyph < 0.3 and not found.is_proved


def test_a_word_that_is_parted_is_proved_with_its_hyphen(ground):
    words = {
        **texts_for("de"),
        "headline": "Donau\u00addampf\u00adschiff\u00adfahrts\u00adgesellschaft",
    }
    made = typeset(ground, layout=BANNER, texts=words, locale="de", chain=fonts.chain_for("de"))
    [headline] = [text for text in made.report.texts if text.role == "headline"]
    assert any(line.endswith("-") for line in headline.lines)
    proofs = verify(
        made.pixels,
        report=made.report,
        layout=BANNER,
        chain=fonts.chain_for("de"),
        expected=made.pixels,
    )
    assert all(each.is_proved for each in proofs)
