"""Plans: what is there, what is missing, what it costs. A plan writes nothing."""

from dataclasses import replace
from decimal import Decimal

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from nb_catalog import cutouts, generation
from nb_catalog.core.states import JOB_LIVE, ImageState, JobState
from nb_catalog.exceptions import NotRegistered, PlanRefused, RequestRefused
from nb_catalog.generation import plan as plan_module
from nb_catalog.generation import runs
from nb_catalog.models import PhotoCutout
from nb_catalog.models.images import ImageKind
from tests import factories
from tests.catalog.catalog_images import MugSource
from tests.catalog.models import Mug, Poster, PosterPhoto, Unlisted

pytestmark = pytest.mark.django_db

PAID_TIERS = {
    "draft": {"PROVIDER": "gemini", "MODEL": "gemini-3.1-flash-lite-image", "SIZE": "1K"},
}


@pytest.fixture
def paid(settings):
    settings.NB_CATALOG = {**settings.NB_CATALOG, "TIERS": PAID_TIERS}


@pytest.fixture
def scene():
    return factories.scene()


@pytest.fixture
def mug():
    return factories.product()


def plan_for(*products, scenes=("marble",), **options):
    return generation.plan_backgrounds(products, scenes=scenes, **options)


def items_of(*products, **options):
    return list(plan_for(*products, **options).items())


def statuses(*products, **options):
    return [item.status.value for item in items_of(*products, **options)]


def store_image(about, *, variant=1, state=ImageState.PENDING, **options):
    """The picture that asking for ``variant`` is about, as if it had been made."""
    (item,) = items_of(about, **options)
    spec = replace(item.spec, variant=variant)
    return factories.image(about, asked=spec, state=state)


def objections_to(*products, **options):
    with pytest.raises(PlanRefused) as refusal:
        plan_for(*products, **options)
    return refusal.value.objections


# How things stand.


def test_what_nobody_has_made_is_missing(scene, mug):
    (item,) = items_of(mug)
    assert (item.status, item.object_id, item.problem) == ("missing", str(mug.pk), "")
    assert item.fingerprint == item.spec.fingerprint


@pytest.mark.parametrize("state", [ImageState.PENDING, ImageState.APPROVED])
def test_a_picture_that_stands_is_present(scene, mug, state):
    store_image(mug, state=state)
    assert statuses(mug) == ["present"]


def test_a_retired_picture_is_replaced_by_another_variant(scene, mug):
    store_image(mug, state=ImageState.RETIRED)
    (item,) = items_of(mug)
    assert (item.status, item.spec.variant) == ("missing", 2)


def test_surroundings_without_the_product_are_no_picture_of_it(scene, mug):
    (item,) = items_of(mug)
    factories.image(mug, asked=item.spec, kind=ImageKind.BACKDROP)
    assert statuses(mug) == ["missing"]


@pytest.mark.parametrize("state", JobState)
def test_a_job_that_holds_its_place_is_underway(scene, mug, state):
    (item,) = items_of(mug)
    factories.job(mug, asked=item.spec, state=state)
    expected = "underway" if state in JOB_LIVE else "missing"
    assert statuses(mug) == [expected]


@pytest.mark.parametrize(
    "change", [{"renderer": {"surface": {"kind": "marble"}}}, None], ids=["scene", "photo"]
)
def test_a_picture_of_a_changed_scene_or_photo_is_stale(scene, mug, change):
    store_image(mug)
    if change is None:
        mug.packshot.name = "another.png"
        mug.save()
    else:
        scene.renderer = change["renderer"]
        scene.save()
    assert statuses(mug) == ["stale"]


def test_a_scene_saved_without_a_change_leaves_its_pictures_present(scene, mug):
    store_image(mug)
    scene.name = "Marble, white"
    scene.save()
    assert statuses(mug) == ["present"]


def test_a_changed_title_concerns_painted_pictures_and_not_rendered_ones(scene, mug, settings):
    store_image(mug)
    mug.name = "Another name"
    assert statuses(mug) == ["present"]
    settings.NB_CATALOG = {**settings.NB_CATALOG, "TIERS": PAID_TIERS}
    store_image(mug, treatment="painted")
    mug.name = "Yet another name"
    assert statuses(mug, treatment="painted") == ["stale"]


def test_a_product_without_a_photo_is_impossible_as_often_as_it_was_asked_for(scene, mug):
    bare = factories.product(photo=False)
    plan = plan_for(bare, mug, variants=3)
    summary = plan.summary()
    assert (summary.count_of("impossible"), summary.count_of("missing")) == (3, 3)
    assert summary.problems == {"The product has no photo. Upload one.": 3}
    assert summary.total == 6 and summary.wanted == 3


# Rejected pictures.


def test_a_rejected_picture_is_asked_for_as_the_next_variant(scene, mug):
    store_image(mug, state=ImageState.REJECTED)
    (item,) = items_of(mug)
    assert (item.status, item.spec.variant) == ("missing", 2)


def test_rejecting_again_and_again_goes_on_to_further_variants(scene, mug):
    for variant in (1, 2, 3):
        spec = items_of(mug)[0].spec
        assert spec.variant == variant
        factories.image(mug, asked=spec, state=ImageState.REJECTED)
    assert items_of(mug)[0].spec.variant == 4


def test_the_replacements_of_two_rejected_variants_never_meet(scene, mug):
    for variant in (1, 2):
        store_image(mug, variant=variant, state=ImageState.REJECTED)
    found = items_of(mug, variants=2)
    assert sorted(item.spec.variant for item in found) == [3, 4]
    assert {item.status for item in found} == {"missing"}


def test_a_picture_that_replaced_a_rejected_one_is_present(scene, mug):
    store_image(mug, state=ImageState.REJECTED)
    factories.image(mug, asked=items_of(mug)[0].spec)
    assert statuses(mug) == ["present"]


# What is refused, before anything is looked up.


def test_every_objection_is_reported_at_once(scene, mug):
    objections = objections_to(mug, variants=13, ratio="7:3", treatment="painted")
    assert len(objections) == 3
    assert "Variants must be between 1 and 12, not 13." in objections[0]
    assert any("no ratio '7:3'" in each for each in objections)
    assert any("no treatment 'painted'" in each and "locked" in each for each in objections)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"scenes": ["marbel"]}, "There is no scene 'marbel'. Did you mean 'marble'?"),
        ({"scenes": []}, "No scene was chosen. Choose at least one."),
        ({"treatment": "lokced"}, "There is no treatment 'lokced'. Did you mean 'locked'?"),
        ({"variants": 0}, "Variants must be between 1 and 12, not 0."),
    ],
    ids=["scene", "no scene", "treatment", "variants"],
)
def test_a_refusal_says_what_would_be_possible(scene, mug, options, sentence):
    assert sentence in objections_to(mug, **options)


def test_a_tier_that_does_not_exist_names_the_nearest(scene, mug):
    with pytest.raises(RequestRefused, match="no tier 'drafd'. Did you mean 'draft'"):
        plan_for(mug, tier="drafd")


def test_a_scene_without_a_recipe_needs_a_tier_with_a_model(mug, settings):
    factories.scene("words-only", renderer={})
    (objection,) = objections_to(mug, scenes=["words-only"])
    assert (
        "no recipe for the local renderer" in objection
        and "choose a tier with a model" in objection
    )
    settings.NB_CATALOG = {**settings.NB_CATALOG, "TIERS": PAID_TIERS}
    assert statuses(mug, scenes=["words-only"]) == ["missing"]


def test_an_unknown_price_refuses(scene, mug, settings):
    settings.NB_CATALOG = {
        **settings.NB_CATALOG,
        "TIERS": {"draft": {"PROVIDER": "gemini", "MODEL": "own", "SIZE": "1K"}},
        "MODEL_SPECS": {"own": {"provider": "gemini", "name": "Own", "sizes": ["1K"]}},
    }
    objections = objections_to(mug, treatment="locked")
    assert objections == (
        "The price of own at 1K is not known. State it in NB_CATALOG['MODEL_SPECS']['own']: "
        "'price_per_image' and 'usd_per_million'.",
    )


def test_a_model_that_is_not_registered_gets_a_hint(scene):
    with pytest.raises(NotRegistered, match="@nb_catalog.register"):
        plan_for(Unlisted.objects.create(name="x"))


def test_nothing_and_a_mixture_are_refused(scene, mug):
    assert objections_to() == ("No products were given.",)
    assert "Mug, Poster" in objections_to(mug, factories.poster())[0]


# Price, order, size.


def test_the_price_is_that_of_what_would_be_made(scene, paid, mug):
    other = factories.product()
    store_image(mug, treatment="painted")
    plan = plan_for(mug, other, treatment="painted", variants=2)
    assert plan.summary().wanted == 3
    assert plan.price_each_usd > Decimal("0.0336")
    assert plan.summary().price_usd == 3 * plan.price_each_usd
    assert not plan.is_free


def test_the_local_provider_is_free(scene, mug):
    assert plan_for(mug).is_free and plan_for(mug).summary().price_usd == 0


def test_products_scenes_and_variants_multiply(mug):
    factories.scene("marble")
    factories.scene("oak")
    found = items_of(mug, factories.product(), scenes=["marble", "oak"], variants=3)
    assert len({item.fingerprint for item in found}) == 12
    assert {item.spec.scene for item in found} == {"marble", "oak"}


def test_a_plan_is_computed_again_each_time(scene, mug):
    plan = plan_for(mug)
    assert plan.summary().count_of("missing") == 1
    store_image(mug)
    assert plan.summary().count_of("present") == 1


def test_a_plan_keeps_what_was_asked_for(scene, mug):
    plan = plan_for(mug, ratio="4:5", variants=2)
    assert plan.request == {
        "model": "testcatalog.mug",
        "scenes": ["marble"],
        "variants": 2,
        "ratio": "4:5",
        "tier": "draft",
        "treatment": "locked",
        "mode": "direct",
    }
    assert plan.title == "Mugs: Marble (draft)"
    assert plan_for(mug).key != plan_for(mug).key
    assert plan_for(mug, key="mine").key == "mine"


@pytest.mark.parametrize("per_block", [1, 2, 100])
def test_blocks_of_any_size_give_the_same_items(scene, monkeypatch, per_block):
    mugs = [factories.product() for _ in range(5)]
    expected = {item.fingerprint for item in items_of(*mugs, variants=2)}
    monkeypatch.setattr(plan_module, "BLOCK", per_block)
    assert {item.fingerprint for item in items_of(*mugs, variants=2)} == expected


# Queries.


@pytest.mark.parametrize("number", [1, 12])
@pytest.mark.parametrize("model", [Mug, Poster])
def test_a_block_of_any_length_is_a_constant_number_of_queries(
    scene, model, number, django_assert_num_queries
):
    new = factories.product if model is Mug else factories.poster
    for _ in range(number):
        new()
    plan = generation.plan_backgrounds(model.objects.all(), scenes=["marble"], variants=3)
    # Products, their photos where those lie in a table, cut-outs, pictures, jobs, subjects. Of a
    # concrete model the first one looks its content type up.
    ContentType.objects.get_for_model(model)
    with django_assert_num_queries(5 if model is Mug else 6):
        assert plan.summary().wanted == 3 * number


@pytest.mark.parametrize("number", [1, 12])
def test_rejected_pictures_cost_three_queries_more_however_many_they_are(
    scene, number, django_assert_num_queries
):
    for _ in range(number):
        store_image(factories.product(), state=ImageState.REJECTED)
    plan = generation.plan_backgrounds(Mug.objects.all(), scenes=["marble"])
    ContentType.objects.get_for_model(Mug)
    # Their finals, and pictures and jobs of what replaces them.
    with django_assert_num_queries(8):
        assert plan.summary().wanted == number


def test_the_photos_of_a_list_are_fetched_together(scene, django_assert_num_queries):
    posters = [Poster.objects.get(pk=factories.poster(photos=2).pk) for _ in range(6)]
    # Scenes and photos while asking; cut-outs, pictures, jobs and subjects while counting.
    ContentType.objects.get_for_model(Poster)
    with django_assert_num_queries(6):
        assert plan_for(*posters).summary().wanted == 6
    assert PosterPhoto.objects.count() == 12


def test_a_plan_writes_nothing(scene, mug):
    store_image(mug, state=ImageState.REJECTED)
    with CaptureQueriesContext(connection) as captured:
        plan = generation.plan_backgrounds(Mug.objects.all(), scenes=["marble"], variants=4)
        plan.summary()
        list(plan.wanted())
    assert captured.captured_queries
    assert {query["sql"].split()[0] for query in captured.captured_queries} == {"SELECT"}


def test_what_a_plan_wants_is_what_its_run_makes(scene, mug):
    other = factories.product()
    store_image(mug)
    plan = plan_for(mug, other, variants=2)
    wanted = {item.fingerprint for item in plan.wanted()}
    run = runs.start_run(plan)
    assert set(run.jobs.values_list("fingerprint", flat=True)) == wanted
    assert (len(wanted), run.reused) == (3, 1)


# How a product rests.


@pytest.mark.parametrize("pose", ["", "standing", "lying"])
def test_the_pose_of_the_source_is_in_a_rendered_spec(scene, mug, monkeypatch, pose):
    monkeypatch.setattr(MugSource, "pose", lambda self, product: pose)
    assert items_of(mug)[0].spec.pose == pose


def test_a_changed_pose_makes_rendered_pictures_stale_and_painted_ones_not(
    scene, mug, monkeypatch, settings
):
    store_image(mug)
    monkeypatch.setattr(MugSource, "pose", lambda self, product: "lying")
    assert statuses(mug) == ["stale"]
    settings.NB_CATALOG = {**settings.NB_CATALOG, "TIERS": PAID_TIERS}
    store_image(mug, treatment="painted")
    monkeypatch.setattr(MugSource, "pose", lambda self, product: "standing")
    assert statuses(mug, treatment="painted") == ["present"]


def test_an_unknown_pose_names_those_that_exist(scene, mug, monkeypatch):
    monkeypatch.setattr(MugSource, "pose", lambda self, product: "flat")
    (item,) = items_of(mug)
    assert item.status == "impossible"
    assert item.problem == (
        "MugSource.pose() returned 'flat'. It must be one of '', 'standing', 'lying'."
    )


def test_a_title_that_names_clothing_lies_in_whatever_language_it_is_requested(scene):
    shirt = factories.product(name="Linen shirt")
    for code in ("en", "de"):
        with translation.override(code):
            assert items_of(shirt)[0].spec.pose == "lying"
    assert items_of(factories.product(name="Shirt hanger"))[0].spec.pose == ""


def test_what_the_host_says_wins_over_the_title(scene, monkeypatch):
    monkeypatch.setattr(MugSource, "pose", lambda self, product: "standing")
    assert items_of(factories.product(name="Linen shirt"))[0].spec.pose == "standing"


# Photos that are too small.


def test_a_plan_says_before_it_starts_that_a_photo_is_too_small(scene):
    small, tiny, large = (
        factories.product(photo=factories.photo_bytes(size))
        for size in ((400, 500), (120, 150), (900, 1100))
    )
    assert plan_for(large).summary().warnings == {}
    assert plan_for(small).summary().warnings == {
        "The product's photo is too small for 1024 × 1024 pixels. The picture gets 512 × 512 at most.": 1
    }
    assert plan_for(tiny, tiny, small).summary().warnings == {
        "The product's photo is very small. The picture gets 512 × 512 pixels, for which the photo is "
        "enlarged at least 2.6 times, and looks soft.": 2,
        "The product's photo is too small for 1024 × 1024 pixels. The picture gets 512 × 512 at most.": 1,
    }


def test_a_photo_that_is_far_too_small_is_refused_with_how_much_it_would_be_enlarged(scene):
    """Beforehand if its size is known, by the worker otherwise."""
    mug = factories.product(photo=factories.photo_bytes((40, 50)))
    [item] = items_of(mug)
    assert item.status == "missing"
    cutouts.request_cutouts([(mug, MugSource(Mug).photos(mug)[0])])
    PhotoCutout.objects.update(width=30, height=36, photo_sha256="a" * 64, state="accepted")
    [item] = items_of(mug)
    assert item.status == "impossible"
    assert "would be enlarged" in item.problem and "at most 8 times" in item.problem


def test_a_photo_that_a_model_redraws_may_be_small(scene, settings):
    settings.NB_CATALOG = {**settings.NB_CATALOG, "TIERS": PAID_TIERS}
    mug = factories.product()
    assert plan_for(mug, treatment="painted").summary().warnings == {}
    assert plan_for(mug, treatment="locked").summary().warnings


def test_a_photo_that_cannot_be_read_is_no_warning_and_no_crash(scene):
    mug = factories.product(photo=b"no picture")
    assert plan_for(mug).summary().warnings == {}
