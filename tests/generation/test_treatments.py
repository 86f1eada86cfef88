"""Which treatments a plan offers, and what it says of those that it does not."""

import pytest

from nb_catalog import generation
from nb_catalog.conf import GEMINI_TIERS
from nb_catalog.exceptions import PlanRefused
from tests import factories
from tests.catalog.catalog_images import MugSource
from tests.catalog.models import Mug
from tests.imaging.composing import SCENES

pytestmark = pytest.mark.django_db


def plan_for(product, *, scenes=("marble",), **options):
    return generation.plan_backgrounds([product], scenes=scenes, **options)


def objections(product, **options):
    with pytest.raises(PlanRefused) as refusal:
        plan_for(product, **options)
    return refusal.value.objections


@pytest.fixture
def mug():
    factories.scene()
    return factories.product()


def test_a_relit_picture_is_another_one_than_a_locked_one(mug, monkeypatch):
    monkeypatch.setattr(MugSource, "pose", lambda self, product: "standing")
    (relit,), (locked,) = (plan_for(mug, treatment=each).items() for each in ("relit", "locked"))
    assert relit.is_wanted and relit.spec.treatment == "relit"
    assert relit.fingerprint != locked.fingerprint
    assert relit.spec.request_hash != locked.spec.request_hash
    assert relit.spec.seed == locked.spec.seed, "the same scene, so that both can be compared"
    assert relit.spec.pose == "standing"


def test_locked_is_what_a_plan_makes_unless_told_otherwise(mug):
    (item,) = plan_for(mug).items()
    assert item.spec.treatment == "locked"


def test_a_source_forbids_a_treatment(mug, monkeypatch):
    monkeypatch.setattr(MugSource, "treatments", ("locked", "painted"))
    (reason,) = objections(mug, treatment="relit")
    assert "does not allow “Relit" in reason
    assert "Possible: “Locked" in reason and "“Painted" in reason
    assert plan_for(mug).summary().wanted == 1


def test_a_treatment_that_does_not_exist_is_found_by_the_checks(monkeypatch):
    monkeypatch.setattr(MugSource, "treatments", ("locked", "relight"))
    ((problem, hint),) = (each for each in MugSource(Mug).problems() if "treatments" in each[0])
    assert "'relight'" in problem
    assert "Did you mean 'relit'" in hint
    monkeypatch.setattr(MugSource, "treatments", ("locked",))
    assert not [each for each in MugSource(Mug).problems() if "treatments" in each[0]]


def test_a_model_s_background_has_no_known_light(mug, settings):
    settings.NB_CATALOG = {**settings.NB_CATALOG, "TIERS": GEMINI_TIERS}
    reasons = objections(mug, treatment="relit")
    assert any("where the light comes from" in each for each in reasons)


@pytest.mark.parametrize(
    ("key", "treatment", "is_told"),
    [
        ("studio-white", "relit", True),
        ("studio-white", "locked", False),
        ("brand-colour", "relit", True),
        ("sunlit-window", "relit", False),
        ("oak-table", "relit", False),
    ],
)
def test_a_plan_says_where_relighting_is_in_vain(key, treatment, is_told, cutout_backend):
    factories.scene(key=key, name="Studio", renderer=SCENES[key])
    mug = factories.product()
    warnings = plan_for(mug, scenes=[key], treatment=treatment).summary().warnings
    assert any("“Studio” has neither coloured" in each for each in warnings) == is_told
    assert plan_for(mug, scenes=[key], treatment=treatment).summary().wanted == 1


def test_a_recipe_that_cannot_be_read_is_no_matter_of_light(mug):
    factories.scene(key="odd", renderer={"surface": {"kind": "oka"}})
    assert not [
        each
        for each in plan_for(mug, scenes=["odd"], treatment="relit").summary().warnings
        if "neither coloured" in each
    ]


def test_a_small_photo_is_told_for_relit_pictures_too(mug, monkeypatch):
    warned = [
        plan_for(mug, treatment=each, tier="draft").summary().warnings
        for each in ("locked", "relit")
    ]
    assert set(warned[0]) <= set(warned[1])
