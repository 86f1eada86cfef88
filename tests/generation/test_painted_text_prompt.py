"""What a model is told of words that it paints."""

import pytest

from nb_catalog.exceptions import RequestRefused
from nb_catalog.generation.prompts.painted_text import LONGEST_TEXT, painted_text_prompt
from nb_catalog.typesetting.layouts import Box, Layout, Place, Plate


def box(role="headline", *, start=0.05, top=0.05, width=0.9, height=0.1, **look):
    return Box(role=role, place=Place(start=start, top=top, width=width, height=height), **look)


def build_prompt(*boxes, texts, locale="en", treatment="painted", has_picture=True, **others):
    return painted_text_prompt(
        layout=Layout(boxes=boxes),
        texts=texts,
        locale=locale,
        treatment=treatment,
        title="Mug",
        facts={"colour": "blue"},
        ratio="4:5",
        has_picture=has_picture,
        **{"scene_prompt": "A beach at dusk", **others},
    )


def test_the_exact_words_stand_in_quotes_with_their_place_and_their_look():
    prompt = build_prompt(
        box("headline", largest=0.1),
        box("price", start=0.6, top=0.8, width=0.3, plate=Plate(colour="#aa0000"), weight=400),
        texts={"headline": "Autumn offer", "price": "€12.50"},
    )
    assert (
        "The headline at the top, across the width, in large bold sans-serif letters of colour #ffffff: "
        "“Autumn offer”." in prompt
    )
    assert "The price at the bottom, on the right, in large sans-serif letters" in prompt
    assert "on a badge of colour #aa0000: “€12.50”." in prompt
    assert prompt.startswith("Using the provided image, change only this")
    assert "preserving style, lighting and composition" in prompt


def test_a_line_starts_at_the_right_where_a_language_does():
    price = box("price", start=0.05, top=0.4, width=0.2)
    assert "in the middle, on the left" in build_prompt(price, texts={"price": "12"}, locale="en")
    assert "in the middle, on the right" in build_prompt(price, texts={"price": "12"}, locale="ar")


def test_the_photo_is_the_second_image_unless_the_product_is_set_in_later():
    texts = {"headline": "Hello"}
    assert "The second image shows the product" in build_prompt(box(), texts=texts)
    locked = build_prompt(box(), texts=texts, treatment="locked")
    assert "second image" not in locked and "leave the lower middle free of text" in locked


def test_without_a_picture_the_surroundings_are_painted_with_the_words_in_them():
    prompt = build_prompt(box(), texts={"headline": "Hello"}, treatment="locked", has_picture=False)
    assert "A beach at dusk" in prompt and "“Mug”" in prompt and "“Hello”" in prompt
    assert "no text" not in prompt and "Show no product" in prompt


def test_without_a_picture_the_place_of_the_scene_s_photo_is_painted_with_the_words_in_it():
    prompt = build_prompt(
        box(),
        texts={"headline": "Hello"},
        treatment="locked",
        has_picture=False,
        has_backdrop=True,
        scene_prompt="",
    )
    assert prompt.startswith("The image shows a place.") and "as it is in the given image" in prompt
    assert "“Hello”" in prompt and "no text" not in prompt and "Show no product" in prompt


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("Say “hi”", "«Say “hi”»"),
        ("« Bonjour »", "“« Bonjour »”"),
        ("two\nlines\u00a0and\u202fspaces", "“two lines and spaces”"),
        ("\u2068-30\u00a0%\u2069", "“-30 %”"),
        ("می\u200cخواهم", "“می\u200cخواهم”"),
    ],
)
def test_a_text_ends_where_its_quotation_marks_end(text, quoted):
    assert f": {quoted}." in build_prompt(box(), texts={"headline": text})


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("x" * (LONGEST_TEXT + 1), "has 121 characters; a model paints at most 120"),
        ('“«「‹"', "contains every kind of quotation marks"),
    ],
)
def test_what_a_model_could_not_paint_is_refused_with_what_to_do(text, why):
    with pytest.raises(RequestRefused, match=why) as refused:
        build_prompt(box(), texts={"headline": text})
    assert "Have the text typeset instead." in str(refused.value)


def test_a_role_without_words_is_not_mentioned():
    assert "price" not in build_prompt(box(), box("price"), texts={"headline": "Hello"})
