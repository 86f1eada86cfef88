"""Whole pictures with text: in every locale, and refused where it would not be legible."""

import json

import numpy as np
import pytest

from nb_catalog.core.types import Rect
from nb_catalog.exceptions import CharacterMissing, ContrastTooLow, TextDoesNotFit
from nb_catalog.imaging.scenery.noise import stream
from nb_catalog.typesetting import Report, fonts, typeset
from nb_catalog.typesetting.layouts import Layout
from tests.typesetting.sample_texts import HEADLINES, paragraph, shared_texts, texts_for

SIDE = 720
BANNER = Layout.from_mapping(
    {
        "boxes": [
            {
                "role": "headline",
                "place": {"start": 0.06, "top": 0.06, "width": 0.88, "height": 0.28},
                "largest": 0.11,
                "scrim": {"colour": "#101820"},
            },
            {
                "role": "price",
                "place": {"start": 0.06, "top": 0.72, "width": 0.5, "height": 0.12},
                "lines": 1,
                "colour": "#111111",
                "plate": {"colour": "#ffd400"},
                "stands": "bottom",
            },
            {
                "role": "badge",
                "place": {"start": 0.6, "top": 0.86, "width": 0.34, "height": 0.1},
                "lines": 1,
                "align": "end",
                "stroke": {"colour": "#202020"},
                "shadow": {"right": 0.1},
                "optional": True,
            },
        ]
    }
)


@pytest.fixture(scope="session")
def base_image():
    """A picture with everything: light and dark, quiet and busy."""
    noise = stream(7, "ground").random((SIDE, SIDE, 3))
    fade = np.linspace(0.1, 1, SIDE)[None, :, None]
    return (noise * 90 + fade * 160).astype(np.uint8)


def headline(**changes):
    box = {**BANNER.as_mapping()["boxes"][0], **changes}
    return Layout.from_mapping({"boxes": [box]})


def set_text(picture, texts, locale="en", *, layout=BANNER, **others):
    chain = fonts.chain_for(locale)
    return typeset(picture, layout=layout, texts=texts, locale=locale, chain=chain, **others)


def every_locale():
    own = [(locale, texts_for(locale)) for locale in HEADLINES]
    return [*own, *shared_texts().items()]


@pytest.mark.parametrize(("locale", "texts"), every_locale())
def test_every_locale_is_legible_and_inside_its_boxes(base_image, locale, texts):
    before = base_image.copy()
    result = set_text(base_image, texts, locale)
    assert np.array_equal(base_image, before), "the base image itself is not changed"
    assert [each.role for each in result.report.texts] == ["headline", "price", "badge"]
    for text in result.report.texts:
        assert text.text == texts[text.role]
        assert text.contrast >= 4.5
        edge = Rect(text.box.left - 1, text.box.top - 1, text.box.width + 2, text.box.height + 2)
        assert edge.holds(text.ink)
        assert text.fonts and all(len(font.sha256) == 64 for font in text.fonts)
    assert result.report.texts[0].veil > 0, "half of the picture is light"


def test_the_same_text_gives_the_same_bytes(base_image):
    one, other = (set_text(base_image, texts_for("hi"), "hi") for _ in range(2))
    assert np.array_equal(one.pixels, other.pixels)
    assert one.report == other.report


def test_only_the_boxes_and_their_margins_change(base_image):
    result = set_text(base_image, texts_for("en"))
    changed = (result.pixels != base_image).any(axis=2)
    assert changed[:300].any() and not changed[400:500].any()


def test_a_report_survives_its_json_column(base_image):
    report = set_text(base_image, texts_for("ar"), "ar").report
    assert Report.from_dict(json.loads(json.dumps(report.as_dict()))) == report


def test_boxes_are_mirrored_in_right_to_left_locales(base_image):
    left = set_text(base_image, texts_for("en")).report.texts[1].ink
    right = set_text(base_image, texts_for("he"), "he").report.texts[1].ink
    assert left.left == pytest.approx(SIDE - right.right, abs=12)


def test_digits_and_latin_names_read_from_left_to_right_in_arabic():
    """The same glyphs in the same order as alone, in the middle of the line."""
    alone = glyphs("X-200", "ar")
    inside = glyphs("سترة X-200 خفيفة", "ar")
    places = [at for at in range(len(inside)) if inside[at : at + len(alone)] == alone]
    assert len(alone) == 5 and len(places) == 1
    assert 0 < places[0] < len(inside) - len(alone)


def glyphs(text, locale):
    """Return the glyph ids of a line, from left to right."""
    return [glyph.id for glyph in paragraph(text, locale).shape_line(0, len(text)).glyphs]


def test_a_box_without_text_is_left_out_and_reported(base_image):
    report = set_text(base_image, {"headline": "Only this", "price": " "}).report
    assert report.left_out == ("price", "badge")


def test_hard_line_breaks_are_kept_and_empty_lines_are_not(base_image):
    result = set_text(base_image, {"headline": "Today\r\n\n  only \u2028now"})
    assert result.report.texts[0].lines == ("Today", "only", "now")


def test_panels_are_below_the_text_and_mirrored(base_image):
    layout = Layout.from_mapping(
        {
            "boxes": [
                {"role": "headline", "place": {"start": 0, "top": 0, "width": 0.5, "height": 1}}
            ],
            "panels": [
                {"place": {"start": 0, "top": 0, "width": 0.5, "height": 1}, "colour": "#102030"}
            ],
        }
    )
    english = set_text(base_image, {"headline": "Split"}, layout=layout).pixels
    hebrew = set_text(base_image, {"headline": "מבצע"}, "he", layout=layout).pixels
    assert english[-1, 0].tolist() == [16, 32, 48] and hebrew[-1, -1].tolist() == [16, 32, 48]
    assert np.array_equal(english[:, -1], base_image[:, -1])


@pytest.mark.parametrize(
    ("texts", "locale", "error", "messages"),
    [
        ({"headline": "Sale 🎒"}, "en", CharacterMissing, ["headline (en)", "SCHOOL SATCHEL"]),
        ({"headline": "Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichenfabrikantin" * 8},
         "de", TextDoesNotFit, ["headline (de)", "Donaudampf", "longest word"]),
        ({"badge": "so many words " * 29}, "en", TextDoesNotFit, ["badge (en)", "so many words"]),
    ],
    ids=["emoji", "compound", "400 letters in a badge"],
)  # fmt: skip
def test_text_that_cannot_be_typeset_is_reported_with_its_box(
    base_image, texts, locale, error, messages
):
    with pytest.raises(error) as caught:
        set_text(base_image, texts, locale)
    for message in messages:
        assert message in str(caught.value)
    assert (caught.value.locale, caught.value.box) == (locale, next(iter(texts)))


def test_too_low_a_contrast_is_refused(base_image):
    layout = headline(scrim=None, colour="#808080")
    with pytest.raises(ContrastTooLow, match="a scrim, a plate or another colour"):
        set_text(base_image, {"headline": "Grey on grey"}, layout=layout)


def test_a_scrim_of_nearly_the_text_s_colour_is_refused(base_image):
    layout = headline(scrim={"colour": "#d0d0d0"})
    with pytest.raises(ContrastTooLow):
        set_text(base_image, {"headline": "White on white"}, layout=layout)


def test_contrast_is_measured_against_an_outline(base_image):
    layout = headline(scrim=None, stroke={"colour": "#000000"})
    assert set_text(base_image, {"headline": "White"}, layout=layout).report.texts[0].contrast == 21


def test_text_keeps_clear_of_the_product(base_image):
    product = Rect(200, 30, 300, 500)
    with pytest.raises(TextDoesNotFit, match="it would cover the product"):
        set_text(
            base_image, {"headline": "On it"}, layout=headline(align="centre"), product=product
        )
    allowed = headline(align="centre", covers_product=True)
    set_text(base_image, {"headline": "On it"}, layout=allowed, product=product)


def test_text_becomes_smaller_to_keep_clear_of_the_product(base_image):
    free = set_text(base_image, {"headline": "Autumn"}, layout=headline(lines=1))
    low = free.report.texts[0].ink.bottom - 20
    result = set_text(
        base_image,
        {"headline": "Autumn"},
        layout=headline(lines=1),
        product=Rect(0, low, SIDE, 300),
    )
    assert result.report.texts[0].ink.bottom <= low
    assert result.report.texts[0].size < free.report.texts[0].size


def test_a_plate_that_fills_its_box_is_as_large_as_the_box():
    white = np.full((SIDE, SIDE, 3), 255, np.uint8)
    layout = headline(scrim=None, plate={"colour": "#000000", "hugs": False, "radius": 0})
    result = set_text(white, {"headline": "Wide"}, layout=layout)
    dark = (result.pixels < 250).all(axis=2)
    rows, columns = np.nonzero(dark)
    box = result.report.texts[0].box
    assert (columns.min(), rows.min()) == (box.left, box.top)
    assert (columns.max() + 1, rows.max() + 1) == (box.right, box.bottom)
