"""Typed phone numbers and model names keep their order in right-to-left text."""

import unicodedata

import pytest

from nb_catalog.typesetting import bidi
from tests.typesetting.sample_texts import paragraph

FSI, PDI, LRM, RLM = "\u2068", "\u2069", "\u200e", "\u200f"


def visual(text):
    """The line from left to right without right-to-left letters, which are not in question here."""
    levels = bidi.embedding_levels(text, base=1, isolates=bidi.left_to_right_runs(text))
    levels = bidi.line_levels(levels, bidi.bidi_classes(text), base=1)
    order = "".join(text[index] for index in bidi.visual_order(levels))
    return "".join(
        "א" if unicodedata.bidirectional(each) in {"R", "AL"} else each for each in order
    )


@pytest.mark.parametrize(
    ("text", "run"),
    [
        ("غلاف S24+ الجديد", "S24+"),
        ("כיסוי Galaxy S24+, עכשיו", "Galaxy S24+"),
        ("قاب S24+ جدید", "S24+"),
        ("اتصل +966 50 123 4567 الآن", "+966 50 123 4567"),
        ("تماس +۹۸ ۲۱ ۱۲۳۴ ۵۶۷۸ امروز", "+۹۸ ۲۱ ۱۲۳۴ ۵۶۷۸"),
        ("تلفن ٠٥٠-١٢٣٤٥٦٧", "٠٥٠-١٢٣٤٥٦٧"),
        ("חייגו 050-123-4567 היום", "050-123-4567"),
        ("חייגו 03 123 4567 היום", "03 123 4567"),
        ("اتصل على 800 123 4567 الآن", "800 123 4567"),
        ("تلفن (02) 123-4567.", "(02) 123-4567"),
        ("خصم -50% اليوم", "-50%"),
        ("سعة 256 GB فقط", "256 GB"),
        ("للأعمار 10-20 سنة", "10-20"),
        ("برمجة C++ و C#", "C++"),
        ("برمجة C++ و C#", "C#"),
        ('شاشة 15.6" جديدة', '15.6"'),
        ("كود #A-100+", "#A-100+"),
        ('"S24+" חדש', '"S24+"'),
    ],
)
def test_a_run_of_digits_signs_and_latin_words_keeps_its_order(text, run):
    assert run in visual(text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        # A Hebrew prefix is joined by a hyphen, which is not a minus.
        ("ב-50%", "50%-א"),
        # Sizes in a row are read in the direction of the sentence.
        ("א 36 37 38", "38 37 36 א"),
        # With a space, the currency is where CLDR has it in right-to-left languages.
        ("א 1,299 €", "€ 1,299 א"),
        # Arabic digits with their percent sign are ordered by Unicode.
        ("خصم ٥٠٪", "٪٥٠ אאא"),
        # A full stop ends its sentence, on the left.
        ("א S24+.", ".S24+ א"),
    ],
)
def test_everything_else_is_ordered_by_unicode(text, shown):
    assert visual(text) == shown


@pytest.mark.parametrize(
    "text", [f"سعر {FSI}{RLM}1,299.50 €{PDI} فقط", f"خصم {LRM}50%{LRM} اليوم", f"غلاف S24+{LRM} الجديد"]
)  # fmt: skip
def test_what_is_isolated_or_marked_is_left_alone(text):
    assert bidi.left_to_right_runs(text) == []


def test_text_of_left_to_right_locales_is_not_changed():
    text = "הנחה 050 123 4567"
    assert paragraph(text, "en").levels == bidi.embedding_levels(text, base=0)


def test_typed_text_is_typeset_in_the_order_in_which_it_was_typed():
    line = paragraph("غلاف S24+ الجديد", "ar")
    shaped = line.shape_line(0, len(line.text))
    latin = line.fonts[line.text.index("S")]
    names = [
        latin.hb_font.glyph_to_string(glyph.id) for glyph in shaped.glyphs if glyph.font == latin
    ]
    assert [name for name in names if name in {"S", "two", "four", "plus"}] == [
        "S",
        "two",
        "four",
        "plus",
    ]
