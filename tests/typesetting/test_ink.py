"""Each visible character leaves ink in a colour that differs from its ground; fonts are not believed."""

import numpy as np
import pytest

from nb_catalog.core.types import Size
from nb_catalog.exceptions import CharacterMissing, ContrastTooLow, TextError
from nb_catalog.imaging.provenance import DigitalSourceType
from nb_catalog.typesetting import FontChain, contrast, fonts, typeset
from nb_catalog.typesetting.coverage import draws
from nb_catalog.typesetting.font_files import FontFamily, open_bytes
from nb_catalog.typesetting.ink import placed_characters
from nb_catalog.typesetting.layout_engine import lay_out
from nb_catalog.typesetting.layouts import Box, Layout, Place, Stroke
from nb_catalog.typesetting.proof import verify
from nb_catalog.typesetting.render import typeset_picture
from tests.factories import photo_bytes
from tests.typesetting import made_fonts
from tests.typesetting.sample_texts import HEADLINES, texts_for

PLACE = Place(start=0.05, top=0.05, width=0.9, height=0.6)
LIMITS = {"max_bytes": 10**7, "max_pixels": 10**7}


def family(data, name="made.ttf"):
    return FontFamily(tuple(open_bytes(data, name=name)))


def plain(grey, *, side=480):
    return np.full((side, side, 3), grey, np.uint8)


def set_one(picture, text, *, chain=None, locale="en", **style):
    layout = Layout(boxes=(Box(role="headline", place=PLACE, **style),))
    return typeset(
        picture, layout=layout, texts={"headline": text}, locale=locale,
        chain=chain or fonts.chain_for(locale),
    )  # fmt: skip


def test_digits_that_a_font_maps_but_leaves_blank_come_from_the_next_font():
    hollow = family(made_fonts.build("Now €", dict.fromkeys("0123456789", made_fonts.blank())))
    chain = FontChain(families=(hollow, *fonts.chain_for("en").families))
    names = [font.face.family for font in chain.assign_fonts("Now €24.00", weight=700)]
    assert names == ["Made"] * 4 + ["Noto Sans"] * 6
    alone = FontChain(families=(hollow,))
    with pytest.raises(CharacterMissing, match="U\\+0032 DIGIT TWO"):
        set_one(plain(0), "Now 2", chain=alone)


def test_a_blank_letter_is_not_excused_by_its_accent():
    glyphs = {"a": made_fonts.blank(), "\u0301": made_fonts.box(0, 750, 200, 900)}
    assert not draws(family(made_fonts.build("", glyphs)).at(400), "a\u0301")


@pytest.mark.parametrize("locale", HEADLINES)
def test_the_alphabet_of_each_locale_is_drawn(locale):
    chain = fonts.chain_for(locale)
    assert chain.missing_characters("".join(sorted(fonts.alphabet(locale)))) == []


@pytest.mark.parametrize("locale", HEADLINES)
def test_each_visible_character_has_its_own_ink(locale):
    for text in texts_for(locale).values():
        block = lay_out(
            Box(role="headline", place=PLACE), text, size=Size(480, 480),
            chain=fonts.chain_for(locale), language=locale, rtl=locale in {"ar", "fa", "he"},
        )  # fmt: skip
        found = list(placed_characters(block.lines))
        shown = "".join(each.text for each in found)
        assert {*text} - {*shown} <= {*text} & {*" \u200e\u200f\u00a0\u202f\u061c\u200b"}
        assert all(each.mask.mask.any() for each in found)


def test_a_letter_the_colour_of_its_ground_is_refused_however_long_the_text():
    """One white letter on a white spot, in a sentence of 60: less than five percent of the pixels."""
    text = "A sentence of many words in which one letter cannot be seen"
    dark = plain(20)
    whole = set_one(dark, text)
    line = whole.report.texts[0].ink
    em = whole.report.texts[0].size
    dark[line.top : line.top + em, line.left : line.left + em] = 250
    with pytest.raises(ContrastTooLow, match="a contrast of 1.0:1"):
        set_one(dark, text)


def test_no_layout_may_ask_for_text_that_cannot_be_seen():
    with pytest.raises(TextError, match="“H” .* has the colour of what is behind it"):
        set_one(plain(255), "Hello", contrast=1.0)
    with pytest.raises(TextError, match="has the colour"):
        set_one(plain(225), "Hello", contrast=1.0)
    set_one(plain(160), "Hello", contrast=1.0)


def test_a_text_that_another_box_covers_is_refused():
    boxes = (
        Box(role="headline", place=PLACE, smallest=0.1, largest=0.1),
        Box(role="price", place=PLACE, smallest=0.1, largest=0.1, contrast=1.0),
    )
    with pytest.raises(TextError, match="headline"):
        typeset(
            plain(0), layout=Layout(boxes=boxes), locale="en", chain=fonts.chain_for("en"),
            texts={"headline": "HILL", "price": "████"},
        )  # fmt: skip


@pytest.mark.parametrize("text", ["\u200b", "\u2060\u200d", "\ufe0f", "\u3164", " \u200e "])
def test_text_that_cannot_be_seen_is_never_typeset(text):
    with pytest.raises(TextError, match="no visible character"):
        set_one(plain(0), text)


def test_a_picture_without_any_text_is_not_a_typeset_picture():
    layout = Layout(boxes=(Box(role="headline", place=PLACE, optional=True),))
    picture = {"locale": "en", "chain": fonts.chain_for("en"), "origin": DigitalSourceType.CAPTURE}
    with pytest.raises(TextError, match="no text for any of its boxes"):
        typeset_picture(photo_bytes(), layout=layout, texts={"headline": " "}, **picture, **LIMITS)


def test_the_narrowest_outline_that_counts_is_a_twelfth_of_a_capital():
    assert not contrast.outline_counts(0.05, em=100)
    assert contrast.outline_counts(0.06, em=100)
    assert not contrast.outline_counts(0.06, em=16), "less than a pixel"


@pytest.mark.parametrize("width", [0.01, 0.03, 0.05])
def test_a_hairline_does_not_make_white_on_white_legible(width):
    with pytest.raises(ContrastTooLow, match=r"1.0:1 .*outline is too narrow to count: 0.058 em"):
        set_one(plain(255), "White", stroke=Stroke(colour="#000000", width=width))
    thin = Stroke(colour="#000000", width=width)
    dark = set_one(plain(0), "White", stroke=thin).report.texts[0]
    assert dark.contrast == 21, "it is the picture that gives the contrast"


def test_a_proof_of_nothing_proves_nothing():
    layout = Layout(boxes=(Box(role="headline", place=PLACE),))
    result = set_one(plain(0), "Hello")
    [good] = verify(result.pixels, report=result.report, layout=layout, chain=fonts.chain_for("en"))
    assert good.is_proved
    [proof] = verify(plain(0), report=result.report, layout=layout, chain=fonts.chain_for("en"))
    assert not proof.is_proved and proof.overlap < 0.1
