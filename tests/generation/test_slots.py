"""A plan compares its pictures with the slots before anything is paid for."""

from dataclasses import replace

import pytest

import nb_catalog
from nb_catalog import generation
from nb_catalog.exceptions import PlanRefused
from tests import factories
from tests.catalog.catalog_images import MugSource

pytestmark = pytest.mark.django_db

SLOTS = (
    nb_catalog.Slot("hero", ratio="4:5"),
    nb_catalog.Slot("wide", ratio="16:9", min_width=1200),
    nb_catalog.Slot("plain", ratio="1:1", words=False),
)
PAINTS = {"draft": {"PROVIDER": "gemini", "MODEL": "gemini-3.1-flash-lite-image", "SIZE": "1K"}}


@pytest.fixture(autouse=True)
def slots(monkeypatch):
    monkeypatch.setattr(MugSource, "slots", SLOTS)


@pytest.fixture
def mug():
    factories.scene()
    return factories.product()


def backgrounds(mug, **options):
    return generation.plan_backgrounds([mug], scenes=["marble"], **options)


def refusal(plan, *args, **options):
    with pytest.raises(PlanRefused) as refused:
        plan(*args, **options)
    return " ".join(refused.value.objections)


def test_a_ratio_that_its_slot_would_crop_is_refused(mug):
    assert "'hero' takes pictures of 4:5" in refusal(backgrounds, mug, slot="hero", ratio="1:1")


def test_without_a_ratio_the_slots_own_is_planned(mug):
    plan = backgrounds(mug, slot="wide")
    assert (plan.request["ratio"], plan.request["slot"]) == ("16:9", "wide")
    assert [item.spec.ratio for item in plan.items()] == ["16:9"]


def test_without_a_slot_a_picture_must_fit_one_of_them(mug):
    assert backgrounds(mug, ratio="4:5") and backgrounds(mug)
    objections = refusal(backgrounds, mug, ratio="21:9")
    for name in ("hero", "wide", "plain"):
        assert f"'{name}' takes" in objections


def test_a_size_that_is_too_small_for_its_slot_is_refused(mug, settings, monkeypatch):
    small = {"draft": {"PROVIDER": "local", "MODEL": "local-studio", "SIZE": "1K"}}
    settings.NB_CATALOG = {**settings.NB_CATALOG, "TIERS": small}
    wide = (nb_catalog.Slot("hero", ratio="4:5", min_width=1000),)
    monkeypatch.setattr(MugSource, "slots", wide)
    assert "at least 1000 pixels wide; this one has 928" in refusal(backgrounds, mug, slot="hero")


def test_an_unknown_slot_is_refused_with_the_nearest(mug):
    assert "Did you mean 'hero'" in refusal(backgrounds, mug, slot="herro", ratio="4:5")


def test_text_is_not_planned_for_a_slot_without_words(mug):
    factories.layout()
    factories.published(mug, slot="plain", size=(50, 50))
    options = {"layouts": ["banner"], "locales": ["en"]}
    assert "no pictures with text" in refusal(generation.plan_texts, [mug], **options, slot="plain")
    # The picture itself fits only where no text may be.
    [item] = generation.plan_texts([mug], **options).items()
    assert item.status == "impossible" and "'plain' takes no pictures with text" in item.problem


def test_painted_text_is_measured_by_what_the_model_would_make(mug, settings):
    settings.NB_CATALOG = {**settings.NB_CATALOG, "TIERS": PAINTS}
    factories.layout()
    square = replace(factories.spec(mug), ratio="1:1")
    factories.image(mug, state="approved", size=(40, 50), asked=square)
    plan = generation.plan_texts(
        [mug], layouts=["banner"], locales=["en"], text="painted", tier="draft"
    )
    [item] = plan.items()
    assert item.status == "impossible" and "1024 x 1024" in item.problem
    assert plan.summary().price_usd == 0


def test_a_picture_with_text_is_planned_where_it_fits(mug):
    factories.layout()
    factories.published(mug, size=(400, 500))
    [item] = generation.plan_texts([mug], layouts=["banner"], locales=["en"], slot="hero").items()
    assert item.status == "missing"
