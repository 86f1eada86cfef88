"""A recipe's fingerprint: the same for the same picture, another one for another."""

import json
from dataclasses import FrozenInstanceError, fields, replace

import pytest

from nb_catalog.core import specs
from nb_catalog.core.specs import ImageSpec, TextSpec
from nb_catalog.exceptions import SpecUnreadable

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
DIGEST = "27caedf9f949ffed372dca295570b338baff8a38fa5a0d7ae86ec4c6a852a4c6"

# The same: another seed is another background.
SEED = 794741146

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
# Only this kind of photo is put into a scene in another way.
OF_PHOTO = {"photo_kind": "full_frame"}
WITH_WORDS = replace(RECIPE, base="aa11", layout="banner", layout_version=1, locale="de")
OF_WORDS = {"base": "bb22", "layout": "split", "locale": "ar"}
TOLD = {
    "scene_version": 4,
    "layout_version": 2,
    "deck": "autumn",
    "deck_version": 5,
    "canvas": "a.png",
    "backdrop_file": "nb_catalog/backdrops/ab/cd.jpg",
    "draft_file": "nb_catalog/originals/ab/cd.jpg",
    "draft_request": "cd" * 32,
}
OF_PLACE = {"backdrop": "ab" * 32}
PART = {"object_type": "shop.product", "object_id": "8", "photo": "products/8.png"}
OF_BUNDLE = {"parts": (PART, {**PART, "object_id": "9", "photo_kind": "packshot"})}
OF_SET = {"camera": {"view": "front", "framing": {"fill": 0.7}}, "proportion": 0.5}
OF_SERIES = {"series": "autumn", "anchor": "ef" * 32, "anchor_file": "anchor.png"}
OF_FINAL = {"draft": "ab" * 32, "candidate": 1}
OF_VARIANT = {"product_variant": "red", "colour": "#b3202a"}
ASKED_FOR = {
    "object_type", "object_id", "scene", "treatment", "ratio", "size", "provider", "model", "variant",
}  # fmt: skip


def test_a_known_recipe_has_its_known_fingerprint():
    assert RECIPE.fingerprint == DIGEST


def test_every_field_is_either_part_of_the_fingerprint_or_a_version():
    named = {*CHANGES, *OF_WORDS, *OF_PHOTO, "cutout", *OF_PLACE, *OF_SET, *OF_SERIES}
    named |= {*OF_BUNDLE, *OF_FINAL, *OF_VARIANT, *TOLD, "edit"}
    assert {field.name for field in fields(ImageSpec)} == named


def test_a_variant_of_a_member_is_a_request_of_its_own_and_its_colour_is_not():
    member = replace(RECIPE, series="autumn")
    red = replace(member, product_variant="red")
    painted = replace(red, colour="#b3202a")
    assert len({each.fingerprint for each in (RECIPE, member, red, painted)}) == 4
    assert painted.request_hash == red.request_hash != member.request_hash
    assert red.seed == member.seed


@pytest.mark.parametrize("name", CHANGES)
def test_each_field_changes_the_fingerprint(name):
    assert replace(RECIPE, **{name: CHANGES[name]}).fingerprint != RECIPE.fingerprint


def test_a_photo_that_is_all_product_makes_another_picture_under_the_same_request():
    cover = replace(RECIPE, **OF_PHOTO)
    assert cover.is_full_frame and cover.fingerprint != RECIPE.fingerprint
    assert cover.request_hash == RECIPE.request_hash and cover.seed == RECIPE.seed


def test_another_photo_of_the_place_makes_another_picture_under_the_same_request():
    shown = replace(RECIPE, **OF_PLACE)
    assert shown.fingerprint != RECIPE.fingerprint and shown.request_hash == RECIPE.request_hash
    assert replace(RECIPE, backdrop="cd" * 32).fingerprint != shown.fingerprint


@pytest.mark.parametrize("name", OF_SET)
def test_the_place_in_a_set_makes_another_picture_under_the_same_request_and_seed(name):
    member = replace(RECIPE, **{name: OF_SET[name]})
    assert member.fingerprint != RECIPE.fingerprint
    assert member.request_hash == RECIPE.request_hash and member.seed == RECIPE.seed


def test_a_bundle_is_another_picture_and_another_request_and_comes_back_from_a_column():
    bundle = replace(RECIPE, **OF_BUNDLE)
    assert bundle.fingerprint != RECIPE.fingerprint
    assert bundle.request_hash != RECIPE.request_hash
    back = ImageSpec.from_dict(json.loads(json.dumps(bundle.as_dict())))
    assert back.fingerprint == bundle.fingerprint and back.request_hash == bundle.request_hash
    # A packshot is what was cut out before anybody said so.
    plain = replace(RECIPE, parts=(PART, {**PART, "object_id": "9"}))
    assert plain.fingerprint == bundle.fingerprint
    one, two = bundle.part_specs
    assert (one.object_id, two.object_id, one.parts) == ("8", "9", ())
    assert one.needs_cutout and not bundle.needs_cutout


def test_a_final_is_another_picture_under_the_request_and_seed_of_its_draft():
    on_tier = {"size": "4K", "provider": "gemini", "model": "gemini-3-pro-image"}
    wish = replace(RECIPE, **on_tier)
    final = replace(wish, **OF_FINAL, draft_file="a.png", draft_request=RECIPE.request_hash)
    assert final.fingerprint not in (RECIPE.fingerprint, wish.fingerprint)
    assert final.request_hash == RECIPE.request_hash != wish.request_hash
    assert final.seed == RECIPE.seed
    others = [replace(final, candidate=2), replace(final, draft="cd" * 32)]
    assert len({final.fingerprint, *(each.fingerprint for each in others)}) == 3
    assert {each.request_hash for each in others} == {RECIPE.request_hash}
    # Without a draft, candidates are not counted.
    assert replace(RECIPE, candidate=2).fingerprint == DIGEST


def test_a_picture_of_no_set_keeps_its_fingerprint():
    assert replace(RECIPE, camera={}, proportion=1).fingerprint == DIGEST


def test_a_photo_known_to_be_a_packshot_keeps_the_pictures_made_before_anybody_said_so():
    packshot = replace(RECIPE, photo_kind="packshot")
    assert not packshot.is_full_frame and packshot.fingerprint == RECIPE.fingerprint


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


def test_a_recipe_of_an_older_release_is_read_with_defaults():
    data = RECIPE.as_dict()
    del data["thinking"], data["pose"], data["photo_kind"]
    assert ImageSpec.from_dict(data) == RECIPE


@pytest.mark.parametrize(
    "more", [{"of_the_future": 1}, {"scene": None}, {"variant": "1"}, {"renderer": [1]}], ids=str
)
def test_a_recipe_of_which_anything_would_be_lost_is_not_read(more):
    with pytest.raises(SpecUnreadable, match=next(iter(more))):
        ImageSpec.from_dict({**RECIPE.as_dict(), **more})


def test_what_is_stored_with_an_image_holds_more_than_the_recipe():
    assert ImageSpec.of_image({**RECIPE.as_dict(), "photo_sent": {"width": 1}}) == RECIPE


def test_texts_to_request_come_back_from_a_column_as_they_went_in():
    spec = TextSpec(
        kind="translation", object_type="a.b", object_id="1", provider="gemini", model="m",
        locales=("de",), source="en", texts={"headline": "Sale"},
    )  # fmt: skip
    assert TextSpec.from_dict(json.loads(json.dumps(spec.as_dict()))) == spec
    assert replace(spec, texts={"headline": "Sale!"}).fingerprint != spec.fingerprint
    with pytest.raises(SpecUnreadable):
        TextSpec.from_dict({**spec.as_dict(), "texts": "Sale"})


def test_a_recipe_is_frozen_and_keeps_its_words_out_of_logs():
    with pytest.raises(FrozenInstanceError):
        RECIPE.variant = 2
    assert "secret words" not in repr(replace(RECIPE, prompt="secret words", system="secret words"))


def test_locked_is_told_from_the_treatment():
    assert RECIPE.locked
    for other in ("painted", "relit"):
        assert not replace(RECIPE, treatment=other).locked


def test_no_two_products_shops_scenes_or_variants_share_a_seed():
    others = [
        replace(RECIPE, **{name: CHANGES[name]})
        for name in ("object_type", "object_id", "photo", "scene", "variant")
    ]
    assert len({RECIPE.seed, *(each.seed for each in others)}) == 6


@pytest.mark.parametrize("name", ["size", "ratio", "renderer", "pose", "photo_version", "model"])
def test_a_picture_made_again_keeps_its_seed(name):
    assert replace(RECIPE, **{name: CHANGES[name]}).seed == RECIPE.seed


def test_a_seed_is_the_same_in_every_process_and_version():
    assert RECIPE.seed == SEED


def test_seeds_are_spread_evenly():
    seeds = [replace(RECIPE, object_id=str(number)).seed for number in range(400)]
    assert len(set(seeds)) == 400
    assert 140 < sum(seed % 2 for seed in seeds) < 260
    assert all(0 <= seed < 2**31 for seed in seeds)
