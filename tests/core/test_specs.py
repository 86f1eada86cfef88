"""A recipe's fingerprint: the same for the same picture, another one for another."""

from dataclasses import FrozenInstanceError, fields, replace

import pytest

from nb_catalog.core import specs
from nb_catalog.core.specs import ImageSpec

RECIPE = ImageSpec(
    object_type="shop.product",
    object_id="7",
    photo="products/7.png",
    photo_version="2026-11-01",
    scene="marble",
    scene_version=3,
    treatment="locked",
    ratio="4:5",
    size="1K",
    provider="local",
    model="local-studio",
    variant=1,
    prompt="",
    system="",
    renderer={"surface": {"kind": "marble", "tone": "#f0f0f0"}, "light": {"from": "left"}},
    thinking="",
    pose="",
)
# A changed digest makes every picture of every shop out of date: raise EDITION when it is meant.
DIGEST = "21e2b4961f0c07a45c85fdbe67f61e0f054ff5755d0acb4477a0ffe75a1230d8"

CHANGES = {
    "object_type": "shop.variant",
    "object_id": "8",
    "photo": "products/7-new.png",
    "photo_version": "2026-11-02",
    "scene": "oak",
    "treatment": "painted",
    "ratio": "1:1",
    "size": "2K",
    "provider": "gemini",
    "model": "gemini-3-pro-image",
    "variant": 2,
    "prompt": "A quiet surface.",
    "system": "You are a photographer.",
    "renderer": {"surface": {"kind": "oak"}},
    "thinking": "high",
    "pose": "lying",
}
WITH_WORDS = replace(RECIPE, base="aa11", layout="banner", layout_version=1, locale="de")
OF_WORDS = {"base": "bb22", "layout": "split", "locale": "ar"}
TOLD = {
    "scene_version": 4,
    "layout_version": 2,
    "deck": "autumn",
    "deck_version": 5,
    "canvas": "a.png",
}
ASKED_FOR = {
    "object_type", "object_id", "scene", "treatment", "ratio", "size", "provider", "model", "variant",
}  # fmt: skip


def test_a_known_recipe_has_its_known_fingerprint():
    assert RECIPE.fingerprint == DIGEST


def test_every_field_is_either_part_of_the_fingerprint_or_a_version():
    named = {*CHANGES, *OF_WORDS, *TOLD}
    assert {field.name for field in fields(ImageSpec)} == named


@pytest.mark.parametrize("name", CHANGES)
def test_each_field_changes_the_fingerprint(name):
    assert replace(RECIPE, **{name: CHANGES[name]}).fingerprint != RECIPE.fingerprint


@pytest.mark.parametrize("name", OF_WORDS)
def test_each_field_of_words_changes_the_fingerprint_of_a_picture_with_words(name):
    assert replace(WITH_WORDS, **{name: OF_WORDS[name]}).fingerprint != WITH_WORDS.fingerprint


@pytest.mark.parametrize("name", TOLD)
def test_what_is_only_told_leaves_the_fingerprint_alone(name):
    assert replace(WITH_WORDS, **{name: TOLD[name]}).fingerprint == WITH_WORDS.fingerprint


def test_the_same_layout_with_another_deck_is_another_wish():
    autumn, winter = (replace(WITH_WORDS, deck=deck) for deck in ("autumn", "winter"))
    assert len({WITH_WORDS.request_hash, autumn.request_hash, winter.request_hash}) == 3
    assert autumn.request_hash == replace(autumn, deck_version=9).request_hash


@pytest.mark.parametrize("name", OF_WORDS)
def test_a_layout_and_a_locale_are_asked_for_and_the_picture_under_them_is_not(name):
    changed = replace(WITH_WORDS, **{name: OF_WORDS[name]}).request_hash != WITH_WORDS.request_hash
    assert changed == (name != "base")


def test_versions_do_not():
    assert replace(RECIPE, scene_version=4).fingerprint == RECIPE.fingerprint
    assert replace(WITH_WORDS, layout_version=4).fingerprint == WITH_WORDS.fingerprint


@pytest.mark.parametrize("name", CHANGES)
def test_the_subject_changes_with_what_was_asked_for_only(name):
    changed = replace(RECIPE, **{name: CHANGES[name]}).request_hash != RECIPE.request_hash
    assert changed == (name in ASKED_FOR)


def test_the_order_of_keys_is_of_no_matter_at_any_depth():
    turned = {
        "light": {"from": "left"},
        "surface": {"tone": "#f0f0f0", "kind": "marble"},
    }
    assert list(turned) != list(RECIPE.renderer)
    assert replace(RECIPE, renderer=turned).fingerprint == RECIPE.fingerprint


def test_the_edition_is_part_of_the_fingerprint(monkeypatch):
    before = RECIPE.fingerprint
    monkeypatch.setattr(specs, "EDITION", specs.EDITION + 1)
    assert RECIPE.fingerprint != before


def test_values_do_not_run_into_one_another():
    one = replace(RECIPE, prompt="ab", system="c")
    other = replace(RECIPE, prompt="a", system="bc")
    assert one.fingerprint != other.fingerprint


def test_a_recipe_comes_back_from_a_column_as_it_went_in():
    assert ImageSpec.from_dict(RECIPE.as_dict()) == RECIPE


def test_a_recipe_of_an_older_release_is_read_with_defaults_and_of_a_newer_one_without_its_extras():
    data = RECIPE.as_dict()
    del data["thinking"], data["pose"]
    assert ImageSpec.from_dict({**data, "of_the_future": 1}) == RECIPE


def test_a_recipe_is_frozen_and_keeps_its_words_out_of_logs():
    with pytest.raises(FrozenInstanceError):
        RECIPE.variant = 2
    assert "secret words" not in repr(replace(RECIPE, prompt="secret words", system="secret words"))


def test_locked_is_told_from_the_treatment():
    assert RECIPE.locked and not replace(RECIPE, treatment="painted").locked
