"""What typed text may be: characters that nobody means to type are refused with their place."""

import pytest

from nb_catalog.core.text import is_blank, is_visible, place_in, unwritable


@pytest.mark.parametrize(
    "text",
    [
        "", "Sale", "two\nlines", "1\u202f299\u00a0€", "שלום\u200f!", "می\u200cخواهم", "क्\u200dष",
        "\U0001f468\u200d\U0001f469", "Soft\u00adhyphen", "a\u0301", "\ue000 of a brand's own font",
    ],
)  # fmt: skip
def test_what_people_write_is_in_order(text):
    assert unwritable(text) == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("Sale\x07!", "character 5 (after “Sale”): U+0007 without a name is a control character"),
        ("a\tb", "U+0009 TAB is a control character"),
        ("a\rb", "U+000D CARRIAGE RETURN is a control character"),
        ("a\x00b", "U+0000"), ("a\x85b", "U+0085"), ("a\x9fb", "U+009F"),
        ("a\u2028b", "U+2028 LINE SEPARATOR is a control character"),
        ("first\nsecond \x1b[1m", "line 2, character 8 (after “second”): U+001B"),
        ("\ufffd", "is left over from a failed conversion"),
        ("caf\ufffd", "character 4 (after “caf”)"),
        ("a\ud800b", "U+D800 without a name is not a character"),
        ("a\uffffb", "is not a character"), ("a\U0001fffeb", "is not a character"),
        ("a\ufdd0b", "is not a character"), ("a\ufff9b", "is not a character"),
        ("x\u3164y", "U+3164 HANGUL FILLER is a letter that leaves no ink"),
        ("\u115f\u1160", "is a letter that leaves no ink"),
        ("\u200b", "it has no visible character, only U+200B ZERO WIDTH SPACE"),
        ("\u2060 \ufe0f\u200e", "U+2060 WORD JOINER, U+FE0F VARIATION SELECTOR-16, U+200E"),
        ("\u00ad", "U+00AD SOFT HYPHEN"), ("\ufeff", "U+FEFF"), ("\U000e0041", "U+E0041"),
    ],
)  # fmt: skip
def test_what_nobody_means_to_type_is_refused_with_its_place(text, problem):
    found = unwritable(text)
    assert found and problem in found[0]


def test_each_of_several_is_named():
    assert len(unwritable("a\x07b\x08")) == 2


def test_blank_is_what_cannot_be_seen():
    assert is_blank("") and is_blank(" \n\u00a0\u3000\u200b\u200d\ufe0f")
    assert not is_blank("\u200b.") and not is_blank("\u2800")
    assert is_visible("\u0600"), (
        "a sign that is written around digits is of the category of joiners"
    )


def test_a_place_has_a_line_only_where_there_are_several():
    assert place_in("abc", 0) == "character 1"
    assert place_in("ab\ncd", 4) == "line 2, character 2 (after “c”)"
