"""Emoji, ZWJ and variation sequences: drawn in colour by a colour font, as one picture, and proved."""

from pathlib import Path

import numpy as np
import pytest

from nb_catalog.exceptions import CharacterMissing, TextError
from nb_catalog.typesetting import FontChain, fonts, typeset
from nb_catalog.typesetting.clusters import is_emoji
from nb_catalog.typesetting.colour_glyphs import paint
from nb_catalog.typesetting.coverage import draws
from nb_catalog.typesetting.font_files import FontFamily, open_bytes, open_file
from nb_catalog.typesetting.layouts import Box, Layout, Place, Stroke
from nb_catalog.typesetting.proof import verify
from tests.typesetting import made_fonts
from tests.typesetting.test_ink import family, set_one
from tests.typesetting.test_proof import delivered

# Debian's package fonts-noto-color-emoji: bitmaps (CBDT).
NOTO = Path("/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf")
needs_noto = pytest.mark.skipif(not NOTO.is_file(), reason="fonts-noto-color-emoji is missing")
FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
RAINBOW = "\U0001f3f3\ufe0f\u200d\U0001f308"
FLAG = "\U0001f1e9\U0001f1ea"
KEYCAP = "1\ufe0f\u20e3"
HEART = "\u2764\ufe0f"


@pytest.fixture
def chain(settings):
    settings.NB_CATALOG = {"FONTS": [{"FILE": str(NOTO)}]}
    return fonts.chain_for("en")


def dark(side=480):
    return np.full((side, side, 3), 40, np.uint8)


def saturation(pixels):
    part = pixels.astype(int)
    return (part.max(axis=2) - part.min(axis=2)).max()


@pytest.mark.parametrize("version", [0, 1], ids=["COLR 0", "COLR 1"])
def test_layers_are_painted_in_their_colours(version):
    font = FontFamily(tuple(open_bytes(made_fonts.layered(version), name="layers.ttf"))).at(400)
    glyph = font.hb_font.get_nominal_glyph(ord(made_fonts.FIRE))
    painted = paint(font, glyph, em=100)
    across, down = -painted.left, -painted.top
    assert painted.pixels[down - 50, across + 40].tolist() == [255, 0, 0, 255], "the back, red"
    assert painted.pixels[down - 20, across + 20].tolist() == [0, 0, 255, 255], "the front, blue"
    assert painted.pixels[0, 0].tolist() == [0, 0, 0, 0]


def test_text_with_a_layered_emoji_is_drawn_and_proved():
    plain = fonts.chain_for("en").families
    chain = FontChain(families=(*plain, family(made_fonts.layered(1))))
    result = set_one(dark(), f"Hot {made_fonts.FIRE} deal", chain=chain)
    assert saturation(result.pixels) == 255
    [text] = result.report.texts
    assert [font.family for font in text.fonts] == ["Noto Sans", "Layers"]
    layout = Layout(
        boxes=(Box(role="headline", place=Place(start=0.05, top=0.05, width=0.9, height=0.6)),)
    )
    [proof] = verify(
        delivered(result.pixels, width=360, format="webp"), report=result.report, layout=layout,
        chain=chain,
    )  # fmt: skip
    assert proof.is_proved, proof
    changed = result.pixels.copy()
    red = (changed[..., 0] > 200) & (changed[..., 1] < 60)
    changed[red] = (0, 160, 0)
    [proof] = verify(changed, report=result.report, layout=layout, chain=chain)
    assert not proof.is_proved and proof.emoji_difference > 100


@needs_noto
@pytest.mark.parametrize(
    "emoji", ["\U0001f525", RAINBOW, FLAG, KEYCAP, HEART, "\U0001f44d\U0001f3fd"]
)
def test_an_emoji_sequence_is_one_coloured_picture(chain, emoji):
    result = set_one(dark(), f"Now {emoji}", chain=chain)
    assert saturation(result.pixels) > 60
    [text] = result.report.texts
    assert [font.family for font in text.fonts] == ["Noto Sans", "Noto Color Emoji"]


@needs_noto
def test_a_colour_font_first_in_the_chain_draws_no_digit_and_no_price(chain):
    assert chain.families[0].name == "Noto Color Emoji"
    price = "Now \u20ac24.00 #1 \u00a9"
    assert {font.face.family for font in chain.assign_fonts(price, weight=700)} == {"Noto Sans"}
    result = set_one(dark(), price, chain=chain)
    assert saturation(result.pixels) == 0


@needs_noto
def test_a_sequence_that_the_font_cannot_join_is_refused(chain):
    """Two emoji joined that Unicode does not join: the font would draw two pictures."""
    odd = "\U0001f525\u200d\U0001f392"
    assert chain.missing_characters(odd) == [odd]
    with pytest.raises(CharacterMissing, match="the sequence U\\+1F525 FIRE, U\\+200D"):
        set_one(dark(), odd, chain=chain)


def test_without_a_colour_font_an_emoji_is_refused_with_the_way_out():
    for emoji in ("\U0001f525", FAMILY, FLAG, KEYCAP, HEART):
        with pytest.raises(CharacterMissing, match="add a font for emoji in colour to NB_CATALOG"):
            set_one(dark(), f"Hot {emoji}", chain=fonts.chain_for("en"))


def test_a_sign_with_an_emoji_selector_is_drawn_as_text_where_no_font_has_colours():
    assert fonts.chain_for("en").missing_characters("A\u00a9\ufe0f B\u2122\ufe0f") == []


def test_a_variation_that_the_font_does_not_have_is_refused():
    chain = fonts.chain_for("ja")
    assert chain.missing_characters("\u845b") == []
    [missing] = chain.missing_characters("\u845b\U000e01ef")
    assert missing == "\u845b\U000e01ef"


def test_what_is_an_emoji():
    assert all(map(is_emoji, ["\U0001f525", FAMILY, FLAG, KEYCAP, HEART]))
    assert not any(map(is_emoji, ["1", "#", "\u00a9", "\u2764", "\U0001f525\ufe0e", "a"]))


@needs_noto
def test_an_emoji_the_colour_of_its_plate_is_refused(chain):
    star = "\u2b50"
    yellow = np.full((480, 480, 3), (255, 212, 0), np.uint8)
    with pytest.raises(TextError, match="U\\+2B50 .* has the colour of what is behind it"):
        set_one(yellow, f"Now {star}", chain=chain, colour="#111111")
    outlined = Stroke(colour="#000000", width=0.08)
    set_one(yellow, f"Now {star}", chain=chain, stroke=outlined)
    set_one(dark(), star, chain=chain)


@needs_noto
@pytest.mark.parametrize(("right", "wrong"), [("\U0001f600", "\U0001f603"), (FLAG, "\U0001f1e7\U0001f1ea"),
                                              ("\U0001f512", "\U0001f513")])  # fmt: skip
def test_a_similar_emoji_is_not_proved(chain, right, wrong):
    place = Place(start=0.05, top=0.05, width=0.9, height=0.6)
    layout = Layout(boxes=(Box(role="headline", place=place, smallest=0.1, largest=0.1),))
    made = [
        typeset(dark(), layout=layout, texts={"headline": f"Now {each}"}, locale="en", chain=chain)
        for each in (right, wrong)
    ]
    for width, format in ((480, "jpeg"), (320, "avif")):
        [good], [bad] = (
            verify(delivered(each.pixels, width=width, format=format), report=made[0].report,
                   layout=layout, chain=chain)
            for each in made
        )  # fmt: skip
        assert good.is_proved, good
        assert not bad.is_proved, bad


@needs_noto
def test_bitmaps_have_no_blank_space_to_measure():
    font = FontFamily(tuple(open_file(NOTO))).at(400)
    assert draws(font, "\U0001f525") and not draws(font, "a")
