"""Typed texts are judged in one place, whatever face they come through."""

from pathlib import Path

import pytest
from django.core.exceptions import ValidationError

from nb_catalog import copydecks
from nb_catalog.copydecks.resolution import CopyResolver
from nb_catalog.copydecks.validation import clean_text, text_problems
from nb_catalog.exceptions import DeckRefused
from nb_catalog.models import CopyText
from nb_catalog.registry import source_for
from nb_catalog.typesetting import fonts
from tests import factories

NOTO = Path("/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf")
EMOJI = {
    "an emoji": ("Hot 🔥 deal", "character 5 (after “Hot”): no font draws “🔥” (U+1F525 FIRE)"),
    "a family": ("👨\u200d👩\u200d👧", "U+200D ZERO WIDTH JOINER"),
    "a flag": ("Made in 🇩🇪", "character 9 (after “Made in”)"),
    "a keycap": ("Only 1\ufe0f\u20e3", "U+20E3 COMBINING ENCLOSING KEYCAP"),
    "a heart": ("We \u2764\ufe0f it", "U+FE0F VARIATION SELECTOR-16"),
    "a skin tone": ("👍🏽", "U+1F3FD"),
}


@pytest.mark.parametrize(("text", "problem"), EMOJI.values(), ids=EMOJI)
def test_an_emoji_is_refused_when_typed_unless_a_colour_font_has_it(settings, text, problem):
    [found] = text_problems(text, locale="en")
    assert problem in found and "a font for emoji in colour to NB_CATALOG['FONTS']" in found
    if NOTO.is_file():
        settings.NB_CATALOG = {**settings.NB_CATALOG, "FONTS": [{"FILE": str(NOTO)}]}
        assert text_problems(text, locale="en") == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("Sale\x07", "U+0007"), ("\u200b", "no visible character"), ("ㅤ", "leaves no ink"),
        ("\u2800", "no font draws"), ("{price", "unbalanced brace"), ("x" * 1001, "1001 characters"),
        ("葛\U000e01ef", "no font draws"), ("Just 🜚 gold", "character 6 (after “Just”)"),
        ("{title} 🜚", "character 9 (after “{title}”)"),
    ],
)  # fmt: skip
def test_what_cannot_be_drawn_is_refused_when_typed(text, problem):
    assert problem in text_problems(text, locale="en")[0]


def test_placeholders_and_their_braces_need_no_glyphs(monkeypatch):
    assert text_problems("{preis} {{x}} {price:short}", locale="de") == []
    monkeypatch.setattr(fonts, "family_for", lambda locale: None)
    assert text_problems("Hot 🔥", locale="en") == [], "a machine without fonts accepts texts"
    assert text_problems("Hot 🔥", locale="xx") == [], "the locale itself is refused elsewhere"


def test_cleaned_text_has_plain_line_breaks():
    assert clean_text(" a\r\nb ") == "a\nb"


@pytest.mark.django_db
def test_no_face_writes_what_is_refused():
    deck = factories.deck(en={"headline": "Sale"})
    wrong = {("en", "headline"): "Hot 🔥", ("de", "headline"): "\u200b", ("fr", "badge"): "a\x08b"}
    for proposed_by in ("", "robot"):
        with pytest.raises(DeckRefused) as caught:
            copydecks.save_texts(deck, wrong, proposed_by=proposed_by)
        assert [each.split(":")[0] for each in caught.value.objections] == [
            "en headline", "de headline", "fr badge",
        ]  # fmt: skip
    [stored] = deck.texts.all()
    assert stored.text == "Sale"


@pytest.mark.django_db
def test_the_row_itself_refuses_what_nobody_means_to_type():
    text = CopyText(deck=factories.deck(), locale="en", role="headline", text="\u200b")
    with pytest.raises(ValidationError, match="no visible character"):
        text.full_clean()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "problem"),
    [("\u200b", "no visible character"), ("Mug\x07", "U+0007"), ("Mug\t", None)],
)
def test_a_product_s_value_that_cannot_be_shown_is_said_in_the_plan(name, problem):
    product = factories.product(name=name)
    deck = factories.deck(en={"headline": "{title}"})
    copy = CopyResolver(source=source_for(product), deck=deck).resolve(product, "en")
    if problem:
        assert problem in copy.problems["headline"] and "headline" not in copy.texts
    else:
        assert copy.texts["headline"] == "Mug"
