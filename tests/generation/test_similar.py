"""Make one like this: the plan of pictures like one that exists, and what is different today."""

import pytest

from nb_catalog import generation
from nb_catalog.generation.similar import similar_plan
from nb_catalog.models import Scene
from tests import factories
from tests.catalog.catalog_images import MugSource

pytestmark = pytest.mark.django_db

RENDERED = {"prompt": "", "system": "", "renderer": {"surface": {"kind": "paper"}}}


@pytest.fixture
def tiers(settings):
    settings.NB_CATALOG = {
        **settings.NB_CATALOG,
        "LOCALES": ["en", "de"],
        "TIERS": {
            "sketch": {"PROVIDER": "local", "MODEL": "local-studio", "SIZE": "1K"},
            "fine": {"PROVIDER": "local", "MODEL": "local-studio", "SIZE": "2K"},
        },
    }


def image_of(mug=None, *, tier="sketch", **changes):
    mug = mug or factories.product()
    return factories.image(mug, asked=factories.spec(mug, **RENDERED | changes), tier=tier)


def test_a_background_is_planned_with_its_scene_ratio_tier_and_treatment(tiers):
    factories.scene("marble")
    image = image_of(variant=3, treatment="relit")
    plan = similar_plan(image)
    assert (plan.kind, plan.changes, plan.further_variants) == ("backgrounds", (), 4)
    assert plan.arguments == {
        "scenes": ["marble"], "variants": 1, "ratio": "4:5", "tier": "sketch", "treatment": "relit",
    }  # fmt: skip
    # They are arguments: the plan is made with them as they are.
    made = generation.plan_backgrounds([factories.product()], **plan.arguments)
    assert [item.spec.treatment for item in made.items()] == ["relit"]


def test_what_became_of_the_scene_is_a_sentence(tiers):
    scene = factories.scene("marble")
    image = image_of()
    Scene.objects.update(version=4)
    plan = similar_plan(image)
    assert plan.arguments["scenes"] == ["marble"]
    assert "changed since: version 4 instead of 1" in plan.changes[0]
    Scene.objects.update(is_active=False)
    plan = similar_plan(image)
    assert plan.arguments["scenes"] == [] and "not in use any more" in plan.changes[0]
    scene.delete()
    plan = similar_plan(image)
    assert plan.arguments["scenes"] == [] and "“marble” was deleted" in plan.changes[0]


def test_a_tier_that_is_gone_or_different_is_a_sentence(tiers, settings):
    factories.scene("marble")
    plan = similar_plan(image_of(tier="draft"))
    assert plan.arguments["tier"] == "sketch"
    assert "There is no tier “draft” any more. “sketch” is chosen" in plan.changes[0]
    plan = similar_plan(image_of(tier="fine"))
    assert plan.arguments["tier"] == "fine"
    assert "local-studio, 2K today" in plan.changes[0] and "1K" in plan.changes[0]
    settings.NB_CATALOG = {**settings.NB_CATALOG, "TIERS": {}}
    plan = similar_plan(image_of())
    assert "tier" not in plan.arguments and "no tier any more" in plan.changes[0]


def test_a_treatment_that_the_shop_does_not_allow_is_replaced(tiers, monkeypatch):
    factories.scene("marble")
    monkeypatch.setattr(MugSource, "treatments", ("locked", "photo"))
    plan = similar_plan(image_of(treatment="relit"))
    assert plan.arguments["treatment"] == "locked" and "not possible any more" in plan.changes[0]


def test_an_edit_is_planned_as_the_picture_that_it_began_with(tiers, django_assert_num_queries):
    factories.scene("marble")
    image = image_of(ratio="1:1")
    for _ in range(3):
        asked = factories.spec(
            image.catalog_object, provider="editor", model="editor", ratio="16:9", size="",
            edit={"parent": image.sha256, "adjustments": [{"kind": "crop", "ratio": "16:9"}]},
        )  # fmt: skip
        image = factories.image(image.catalog_object, asked=asked, parent=image, tier="")
    with django_assert_num_queries(3):
        plan = similar_plan(image)
    assert (plan.arguments["ratio"], plan.arguments["tier"]) == ("1:1", "sketch")
    [change] = plan.changes
    assert "edits of picture" in change and "not repeated" in change


def test_members_bundles_and_finals_say_what_is_not_planned(tiers):
    factories.scene("marble")
    mugs = [factories.product() for _ in range(2)]
    parts = [
        {"object_type": "testcatalog.mug", "object_id": str(mug.pk), "photo": "x.png"}
        for mug in mugs
    ]
    plan = similar_plan(image_of(mugs[0], parts=parts, series="autumn", draft="d" * 64))
    assert plan.arguments["parts"] == [("testcatalog.mug", str(mug.pk)) for mug in mugs]
    together, series, final = plan.changes
    assert "2 products together" in together and "“autumn”" in series and "draft" in final


def test_text_is_planned_with_layout_language_and_deck(tiers):
    factories.scene("marble")
    layout, deck = factories.layout(), factories.deck(en={"headline": "Now"})
    asked = {
        "base": "b" * 64, "layout": layout.key, "layout_version": layout.version, "locale": "de",
        "deck": deck.key, "deck_version": deck.version, "prompt": "",
    }  # fmt: skip
    plan = similar_plan(image_of(**asked))
    assert (plan.kind, plan.changes) == ("texts", ())
    assert plan.arguments == {
        "layouts": ["banner"], "locales": ["de"], "deck": "autumn", "scenes": ["marble"],
    }  # fmt: skip
    deck.delete()
    layout.delete()
    plan = similar_plan(image_of(**{**asked, "locale": "pl"}))
    assert plan.arguments["layouts"] == plan.arguments["locales"] == []
    assert [change.split("“")[1].split("”")[0] for change in plan.changes] == [
        "banner", "pl", "autumn",
    ]  # fmt: skip
    painted = similar_plan(image_of(**{**asked, "prompt": "Paint it."}))
    assert (painted.arguments["text"], painted.arguments["tier"]) == ("painted", "sketch")


def test_the_products_own_photo_is_planned_with_its_ratio(tiers):
    plan = similar_plan(image_of(treatment="photo", scene="", ratio="1:1", renderer={}))
    assert (plan.kind, plan.arguments, plan.changes) == ("photos", {"ratio": "1:1"}, ())
