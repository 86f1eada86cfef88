"""What a model is told of the draft of a picture."""

import pytest

from nb_catalog.generation.prompts.final import final_prompt

PROMPT = "Using the product in the first image, make a photograph."


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"treatment": "painted", "references": 2}, "The second image is that draft."),
        ({"treatment": "painted", "references": 4}, "The fourth image is that draft."),
        ({"treatment": "painted", "references": 2}, "Take the product from the first image only"),
        (
            {"treatment": "painted", "references": 4, "products": 3},
            "Take the products from their own images only",
        ),
        (
            {"treatment": "locked", "references": 1, "shows_product": False},
            "The given image is that draft of the empty surroundings.",
        ),
        ({"treatment": "locked", "references": 2}, "Leave the product out"),
    ],
)
def test_the_prompt_says_which_image_is_the_draft_and_what_to_keep(options, words):
    prompt = final_prompt(PROMPT, **options)
    assert prompt.startswith(f"{PROMPT} ") and words in prompt
    assert "Keep its composition exactly" in prompt and "{" not in prompt


def test_the_draft_of_a_draft_is_not_mentioned_again():
    once = final_prompt(PROMPT, treatment="locked", references=1)
    assert final_prompt(once, treatment="painted", references=2) == final_prompt(
        PROMPT, treatment="painted", references=2
    )


def test_the_draft_counts_where_an_edit_changed_what_the_prompt_says():
    plain = final_prompt(PROMPT, treatment="painted", references=2)
    edited = final_prompt(PROMPT, treatment="painted", references=2, is_edited=True)
    assert edited.startswith(plain) and edited.endswith("colours, follow the draft.")
