"""The proof: the requested text passes in every delivered file, one wrong letter does not."""

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
from tests.typesetting.sample_texts import HEADLINES, shared_texts, texts_for
from tests.typesetting.test_typeset import BANNER, base_image, set_text

__all__ = ["base_image"]

# One letter each, changed to one that looks similar.
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


def compare_all(texts, picture, locale):
    side = 720
    return [
        compare_glyphs(
            lay_out(
                box, texts[box.role], size=Size(side, side), chain=fonts.chain_for(locale),
                language=locales.language_tag(locale), rtl=bool(locales.direction(locale)),
            ),
            picture, size=Size(side, side),
        )
        for box in BANNER.boxes
        if box.role in texts
    ]  # fmt: skip


@pytest.mark.exhaustive(every=3)
@pytest.mark.parametrize(
    ("locale", "texts"), [*((each, texts_for(each)) for each in HEADLINES), *shared_texts().items()]
)
def test_every_locale_is_proved_in_delivered_files(base_image, locale, texts):
    result = set_text(base_image, texts, locale).pixels
    for width, format in ((720, "jpeg"), (720, "avif"), (480, "webp")):
        for proof in compare_all(texts, delivered(result, width=width, format=format), locale):
            assert proof.is_proved, (width, format, proof)


# Letters that another letter is a part of, or nearly: overlap alone takes one for the other.
SIMILAR = [
    ("ja", "未来の服", "末来の服"), ("ja", "大きな箱", "犬きな箱"), ("ja", "王様の服", "玉様の服"),
    ("zh-Hans", "自己优惠", "自已优惠"), ("ko", "가격", "카격"), ("en", "Linen shirt", "Ljnen shirt"),
    ("fr", "Été léger", "Été lèger"), ("pl", "żółty", "źółty"), ("ru", "плаш", "плащ"),
    ("tr", "Islak kış", "Islak kiş"), ("th", "กาแฟ", "ถาแฟ"), ("bn", "বন", "রন"),
]  # fmt: skip


@pytest.mark.exhaustive(every=3)
@pytest.mark.parametrize(("locale", "text", "similar"), SIMILAR)
def test_a_similar_letter_is_not_proved_even_without_the_base_image(
    base_image, locale, text, similar
):
    chain = fonts.chain_for(locale)
    right, wrong = (
        typeset(base_image, layout=BANNER, texts={"headline": each}, locale=locale, chain=chain)
        for each in (text, similar)
    )
    for width, format in ((720, "jpeg"), (480, "webp"), (360, "avif")):
        [good], [bad] = (
            verify(
                delivered(each.pixels, width=width, format=format),
                report=right.report, layout=BANNER, chain=chain,
            )
            for each in (right, wrong)
        )  # fmt: skip
        assert good.is_proved and good.sees_additions, (width, format, good)
        assert not bad.is_proved, (width, format, bad)


def test_outlined_text_on_a_ground_of_its_own_colour_says_that_additions_are_not_seen():
    """White letters with a black outline on white: a white dot beside them cannot be told from it."""
    layout = BANNER.as_mapping()
    layout["boxes"] = [
        {**layout["boxes"][0], "scrim": None, "stroke": {"colour": "#000000", "width": 0.08}}
    ]
    del layout["boxes"][0]["scrim"]
    layout, chain = Layout.from_mapping(layout), fonts.chain_for("en")
    for ground, sees in ((255, False), (120, True)):
        picture = np.full((720, 720, 3), ground, np.uint8)
        result = typeset(
            picture, layout=layout, texts={"headline": "White"}, locale="en", chain=chain
        )
        [proof] = verify(result.pixels, report=result.report, layout=layout, chain=chain)
        assert proof.is_proved and proof.sees_additions is sees
        [proof] = verify(
            result.pixels, report=result.report, layout=layout, chain=chain, expected=result.pixels
        )
        assert proof.sees_additions, "with the base image everything is known"


@pytest.mark.parametrize("locale", SLIPS)
def test_one_wrong_letter_is_not_proved(base_image, locale):
    correct, wrong = SLIPS[locale]
    requested = {"headline": HEADLINES[locale]}
    result = {"headline": requested["headline"].replace(correct, wrong, 1)}
    assert result != requested
    picture = delivered(set_text(base_image, result, locale).pixels, width=720, format="jpeg")
    [proof] = compare_all(requested, picture, locale)
    assert not proof.is_proved, proof


def test_a_picture_without_the_text_is_not_proved(base_image):
    for proof in compare_all(texts_for("en"), base_image, "en"):
        assert not proof.is_proved and proof.overlap < 0.5


def test_letters_too_small_to_read_prove_nothing(base_image):
    texts = {"badge": "-30%"}
    picture = delivered(set_text(base_image, texts).pixels, width=96, format="jpeg")
    [proof] = compare_all(texts, picture, "en")
    assert not proof.is_legible and not proof.is_proved


def test_text_that_swapped_colours_and_shrank_is_proved_by_its_report(base_image):
    layout = BANNER.as_mapping()
    layout["boxes"][0]["scrim"] = {"colour": "#101820", "swaps": True}
    layout = Layout.from_mapping(layout)
    light, chain = np.full_like(base_image, 240), fonts.chain_for("en")
    result = typeset(
        light, layout=layout, texts=texts_for("en"), locale="en", chain=chain,
        product=Rect(0, 120, 720, 300),
    )  # fmt: skip
    assert result.report.texts[0].colour == "#101820"
    proofs = verify(result.pixels, report=result.report, layout=layout, chain=chain)
    assert all(proof.is_proved for proof in proofs), proofs
    other = verify(result.pixels, report=result.report, layout=layout, chain=fonts.chain_for("he"))
    assert not any(proof.matches_report or proof.is_proved for proof in other)


def test_a_letter_that_was_painted_over_is_noticed(base_image):
    texts = {"headline": HEADLINES["en"]}
    result = typeset(
        base_image, layout=BANNER, texts=texts, locale="en", chain=fonts.chain_for("en")
    )
    picture = result.pixels.copy()
    ink = result.report.texts[0].ink
    picture[ink.top : ink.bottom, ink.left : ink.left + result.report.texts[0].size // 2] = 30
    [proof] = compare_all(texts, picture, "en")
    assert proof.worst_glyph < 0.3 and not proof.is_proved


def test_a_broken_word_is_proved_with_its_hyphen(base_image):
    texts = {
        **texts_for("de"),
        "headline": "Donau\u00addampf\u00adschiff\u00adfahrts\u00adgesellschaft",
    }
    result = typeset(
        base_image, layout=BANNER, texts=texts, locale="de", chain=fonts.chain_for("de")
    )
    [headline] = [text for text in result.report.texts if text.role == "headline"]
    assert any(line.endswith("-") for line in headline.lines)
    proofs = verify(
        result.pixels,
        report=result.report,
        layout=BANNER,
        chain=fonts.chain_for("de"),
        expected=result.pixels,
    )
    assert all(each.is_proved for each in proofs)
