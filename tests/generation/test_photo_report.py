"""What a plan knows of the photos that products have to be cut out of."""

import pytest

from nb_catalog import cutouts, generation
from nb_catalog.conf import GEMINI_TIERS
from nb_catalog.generation import photo_report
from nb_catalog.models import PhotoCutout
from nb_catalog.models.cutouts import CutoutState
from tests import factories
from tests.catalog.catalog_images import MugSource
from tests.catalog.models import Mug

pytestmark = pytest.mark.django_db


def plan_for(*products, **options):
    factories.scene()
    return generation.plan_backgrounds(products, scenes=["marble"], **options)


def test_new_photos_are_cut_out_before_anything_is_started(cutout_backend):
    cutout_backend(reasons=["unsure"])
    plan = plan_for(factories.product(), factories.product())
    assert plan.summary().photos.counts == {CutoutState.REQUESTED: 2}
    assert generation.request_cutouts(plan) == 2
    assert generation.request_cutouts(plan) == 0
    cutouts.make_cutouts()
    summary = plan.summary()
    assert summary.photos.counts == {CutoutState.DOUBTFUL: 2}
    assert sorted(summary.photos.doubtful) == sorted(
        PhotoCutout.objects.values_list("pk", flat=True)
    )
    assert summary.wanted == 2


def test_what_cannot_be_cut_out_is_not_wanted(cutout_backend):
    cutout_backend(refusal="The product fills the photo.")
    plan = plan_for(factories.product(), factories.product())
    plan.summary()
    generation.request_cutouts(plan)
    cutouts.make_cutouts()
    summary = plan.summary()
    assert (summary.wanted, summary.problems) == (0, {"The product fills the photo.": 2})
    assert summary.photos.counts == {CutoutState.REFUSED: 2}


def test_a_large_plan_requests_its_first_photos(cutout_backend, monkeypatch):
    monkeypatch.setattr(photo_report, "MOST_REQUESTED", 2)
    plan = plan_for(*(factories.product() for _number in range(4)))
    assert plan.summary().photos.counts == {CutoutState.REQUESTED: 4}
    assert generation.request_cutouts(plan) == 2


def test_the_cutouts_of_any_number_of_products_take_one_query(
    cutout_backend,
    django_assert_max_num_queries,
):
    for _number in range(8):
        factories.product()
    plan = plan_for(*Mug.objects.all())
    with django_assert_max_num_queries(8) as few:
        plan.summary()
    for _number in range(8):
        factories.product()
    plan = plan_for(*Mug.objects.all())
    with django_assert_max_num_queries(len(few)):
        plan.summary()


def test_a_photo_in_use_is_left_as_it_is(monkeypatch, cutout_backend):
    monkeypatch.setattr(MugSource, "photo_kind", "lifestyle")
    summary = plan_for(factories.product()).summary()
    ((problem, _count),) = summary.problems.items()
    assert "in use" in problem


def test_a_photo_in_use_can_be_painted(monkeypatch, settings):
    settings.NB_CATALOG = {**settings.NB_CATALOG, "TIERS": GEMINI_TIERS}
    monkeypatch.setattr(MugSource, "photo_kind", "lifestyle")
    assert plan_for(factories.product(), treatment="painted").summary().wanted == 1


def test_a_person_s_decision_about_the_kind_beats_the_shop_s(monkeypatch, cutout_backend):
    mug = factories.product()
    plan = plan_for(mug)
    plan.summary()
    generation.request_cutouts(plan)
    cutouts.make_cutouts()
    monkeypatch.setattr(MugSource, "photo_kind", "lifestyle")
    assert plan.summary().wanted == 0
    cutouts.set_kind(PhotoCutout.objects.all(), "packshot", actor=None)
    (item,) = plan.items()
    assert item.is_wanted
    assert item.spec.photo_kind == "packshot"


def test_a_cover_needs_no_cutout(monkeypatch, cutout_backend):
    monkeypatch.setattr(MugSource, "photo_kind", "full_frame")
    plan = plan_for(factories.product())
    summary = plan.summary()
    assert (summary.wanted, summary.photos.counts) == (1, {})
    assert generation.request_cutouts(plan) == 0


def test_a_kind_that_does_not_exist_is_the_shop_s_mistake(monkeypatch, cutout_backend):
    monkeypatch.setattr(MugSource, "kind_of_photo", lambda self, product, photo: "full-frame")
    (item,) = plan_for(factories.product()).items()
    assert "full_frame" in item.problem
    monkeypatch.setattr(MugSource, "photo_kind", "fullframe")
    ((problem, hint),) = (each for each in MugSource(Mug).problems() if "photo_kind" in each[0])
    assert "'fullframe'" in problem
    assert "full_frame" in hint


def test_pictures_of_one_mask_and_of_another_are_different_pictures():
    mug = factories.product()
    plain = factories.spec(mug, photo="a.png")
    assert factories.spec(mug, photo="a.png", cutout="").fingerprint == plain.fingerprint
    assert factories.spec(mug, photo="a.png", cutout="f" * 64).fingerprint != plain.fingerprint
    full = factories.spec(mug, photo="a.png", photo_kind="full_frame")
    assert factories.spec(mug, photo="a.png", photo_kind="full_frame", cutout="f").fingerprint == (
        full.fingerprint
    )
