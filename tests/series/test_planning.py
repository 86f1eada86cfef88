"""Plans of series: what is missing, with one look, one seed and one camera for all members."""

from dataclasses import replace

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from nb_catalog import cutouts, generation, review
from nb_catalog import series as catalog_series
from nb_catalog.core.specs import ImageSpec
from nb_catalog.core.states import ImageState
from nb_catalog.exceptions import PlanRefused
from nb_catalog.generation import planning
from nb_catalog.generation import series as series_planning
from nb_catalog.models import Series
from nb_catalog.registry import source_for
from tests import factories
from tests.catalog.catalog_images import MugSource

pytestmark = pytest.mark.django_db

KNOWN_FINGERPRINT = "d4cd38da80fb85c043b7355723380b0def4b85397ac15737f4544c354413d5c1"
MODEL = "gemini-nano-banana-2.1"
PAINTED = {
    "TIERS": {
        "draft": {"PROVIDER": "local", "MODEL": "local-studio", "SIZE": "1K"},
        "standard": {"PROVIDER": "gemini", "MODEL": MODEL, "SIZE": "1K"},
    }
}


@pytest.fixture
def paid(settings):
    settings.NB_CATALOG = {**settings.NB_CATALOG, **PAINTED}


def mugs(number, **fields):
    return [factories.product(**fields) for _ in range(number)]


def specs_of(series, **options):
    return [item.spec for item in generation.plan_series(series, **options).items()]


def statuses(series):
    return [item.status.value for item in generation.plan_series(series).items()]


def refusal_of(series, **options):
    with pytest.raises(PlanRefused) as refusal:
        generation.plan_series(series, **options)
    return " ".join(refusal.value.objections)


def made(spec, *, state=ImageState.PENDING, size=(50, 50)):
    about = source_for(spec.object_type).queryset().get(pk=spec.object_id)
    return factories.image(about, asked=spec, state=state, size=size)


def with_anchor(series, image):
    catalog_series.save_look(catalog_series.with_anchor(series, image))
    return Series.objects.get(pk=series.pk)


def painted_series(*members, **fields):
    return factories.series(*members, tier="standard", treatment="painted", **fields)


def anchored(*members, **fields):
    """A painted series with an approved picture of its first member as its anchor."""
    series = painted_series(*members, **fields)
    [spec] = specs_of(series, products=members[:1])
    return with_anchor(series, made(spec, state=ImageState.APPROVED))


def test_all_members_have_one_seed_one_camera_and_one_framing_in_their_order():
    first, second = mugs(2)
    series = factories.series(second, first)
    specs = specs_of(series)
    assert [spec.object_id for spec in specs] == [str(second.pk), str(first.pk)]
    assert len({spec.seed for spec in specs}) == 1
    assert specs[0].renderer == specs[1].renderer
    assert specs[0].renderer["view"] == "front"
    assert specs[0].camera == specs[1].camera == {
        "view": "front", "framing": series.framing, "to_scale": False,
    }  # fmt: skip
    assert {(spec.series, spec.pose) for spec in specs} == {("autumn", "standing")}


def test_another_arrangement_is_another_seed_and_a_second_try_is_not():
    series = factories.series(*mugs(1))
    [spec] = specs_of(series)
    [other] = specs_of(catalog_series.with_changes(series, seed_number=2))
    assert spec.seed != other.seed
    review.reject(made(spec), actor=None)
    [again] = specs_of(series)
    assert (again.seed, again.fingerprint != spec.fingerprint) == (spec.seed, True)


def test_another_series_with_the_same_scene_has_another_seed():
    [mug] = mugs(1)
    [spec] = specs_of(factories.series(mug))
    [other] = specs_of(factories.series(mug, key="winter"))
    assert spec.seed != other.seed


def test_the_seed_is_the_same_in_every_process_and_release():
    spec = factories.spec(factories.product(), series="autumn", scene="marble")
    assert spec.seed == 812688033


def test_a_picture_without_a_series_keeps_its_fingerprint():
    """The hash is the one of the version before there were series."""
    spec = ImageSpec(
        object_type="shop.product", object_id="1", photo="mug.png", scene="marble", scene_version=1,
        treatment="locked", ratio="4:5", size="1K", provider="local", model="local-studio",
    )  # fmt: skip
    assert spec.fingerprint == KNOWN_FINGERPRINT
    for changes, is_other in (
        ({"series": "autumn"}, True),
        ({"anchor": "5" * 64}, False),
    ):
        assert (replace(spec, **changes).fingerprint != spec.fingerprint) == is_other, changes
    member = replace(spec, series="autumn")
    for changes, is_other in (
        ({"anchor": "5" * 64}, True),
        ({"anchor_file": "other.png"}, False),
    ):
        assert (replace(member, **changes).fingerprint != member.fingerprint) == is_other, changes


def test_only_what_is_missing_is_planned():
    series = factories.series(*mugs(3))
    first, second, _third = specs_of(series)
    made(first)
    made(second, state=ImageState.APPROVED)
    assert statuses(series) == ["present", "present", "missing"]
    assert generation.plan_series("autumn").summary().wanted == 1


def test_a_scene_that_is_edited_later_changes_nothing_until_it_is_adopted():
    series = factories.series(*mugs(1))
    made(*specs_of(series))
    series.scene.renderer = {"surface": {"kind": "oak"}}
    series.scene.save()
    plan = generation.plan_series("autumn")
    summary = plan.summary(iter(plan.items()))
    assert statuses("autumn") == ["present"]
    newer = catalog_series.with_current_scene(Series.objects.get())
    assert statuses(newer) == ["stale"]
    assert statuses("autumn") == ["present"]
    catalog_series.save_look(newer)
    assert statuses("autumn") == ["stale"]
    assert summary.count_of("present") == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"overrides": {"light": {"side": "left"}}},
        {"framing": {"fill": 0.5, "place": "centre", "baseline": 0.25}},
        {"ratio": "4:5"},
        {"seed_number": 2},
        {"treatment": "relit"},
    ],
)
def test_any_change_of_the_look_makes_its_pictures_stale_and_says_so_beforehand(changes):
    series = factories.series(*mugs(1))
    made(*specs_of(series))
    assert statuses(catalog_series.with_changes(series, **changes)) == ["stale"]
    assert statuses(catalog_series.with_changes(series, name="Another name")) == ["present"]


def test_a_photo_that_was_replaced_makes_its_member_stale_and_no_other():
    mug, other = mugs(2)
    series = factories.series(mug, other)
    for spec in specs_of(series):
        made(spec)
    mug.packshot.save("other.png", factories.ContentFile(factories.photo_bytes(colour=(9, 9, 9))))
    assert statuses(series) == ["stale", "present"]


def test_members_without_a_photo_or_a_cut_out_are_named_with_the_reason():
    whole, bare, refused = factories.product(), factories.product(photo=False), factories.product()
    factories.cutout(refused, state="refused", masked=False, problem="There is no product.")
    items = list(generation.plan_series(factories.series(whole, bare, refused)).items())
    problems = {item.object_id: item.problem for item in items if item.problem}
    assert problems == {
        str(bare.pk): "The product has no photo. Upload one.",
        str(refused.pk): "There is no product.",
    }


def test_a_series_of_none_is_refused_and_of_one_is_remarked_on():
    series = factories.series()
    assert refusal_of(series) == "The series “Autumn” has no members. Add products."
    [mug] = mugs(1)
    catalog_series.add(series, [mug])
    [remark] = warnings_of(series)
    assert remark.startswith("The series has one member only")
    assert not warnings_of(series, products=[mug])


def warnings_of(series, **options):
    plan = generation.plan_series(series, **options)
    examined = []
    list(plan.items(examined=examined))
    # The photos of these tests are small, which is said as well.
    return [
        each for each in plan.planner.warnings(examined[0]) if "photo is very small" not in each
    ]


def test_an_unknown_series_is_refused_with_the_nearest():
    factories.series()
    assert refusal_of("autumm") == "There is no series 'autumm'. Did you mean 'autumn'?"


def test_what_became_of_the_scene_is_remarked_on():
    series = factories.series(*mugs(2))
    assert not warnings_of(series)
    series.scene.prompt = "Dusk."
    series.scene.save()
    [changed] = warnings_of("autumn")
    assert changed.startswith("The scene “Marble” was changed since the series adopted it.")
    series.scene.delete()
    assert warnings_of("autumn") == ["The scene “Marble” was deleted. The series keeps its look."]
    assert statuses("autumn") == ["missing", "missing"]


def test_lying_goods_are_seen_from_above_and_standing_ones_from_the_front():
    mug, towel = factories.product(), factories.product(name="Beach towel")
    series = factories.series(mug, towel, view="groups")
    specs = specs_of(series)
    assert [(spec.pose, spec.renderer["view"]) for spec in specs] == [
        ("standing", "front"), ("lying", "top"),
    ]  # fmt: skip
    assert specs[0].seed == specs[1].seed
    assert [spec.pose for spec in specs_of(factories.series(towel, key="all"))] == ["standing"]


# Painted by a model.


def test_members_that_a_model_paints_follow_the_anchor(paid):
    series = anchored(*mugs(2))
    specs = specs_of(series)
    for spec in specs:
        assert (spec.anchor, spec.anchor_file) == (series.anchor.sha256, series.anchor.file.name)
        assert "The second image shows the look that this picture must have" in spec.prompt
        assert spec.renderer == {}
    assert generation.plan_series(series).planner.reference_count == 2


def test_a_model_has_no_common_look_without_an_anchor(paid):
    first, second = mugs(2)
    series = painted_series(first, second)
    assert "The series “Autumn” has no anchor" in refusal_of(series)
    [spec] = specs_of(series, products=[first])
    assert spec.anchor == "" and "second image" not in spec.prompt


def test_another_anchor_makes_what_a_model_painted_stale_and_says_so_beforehand(paid):
    series = anchored(*mugs(2))
    for spec in specs_of(series):
        made(spec)
    other = factories.image(state=ImageState.APPROVED, size=(50, 50))
    assert statuses(catalog_series.with_anchor(series, other)) == ["stale", "stale"]
    assert statuses(series) == ["present", "present"]


def test_another_anchor_changes_nothing_that_was_rendered_here():
    series = factories.series(*mugs(2))
    for spec in specs_of(series):
        made(spec)
    image = factories.image(state=ImageState.APPROVED, size=(50, 50))
    changed = catalog_series.with_anchor(series, image)
    assert statuses(changed) == ["present", "present"]
    assert not any(spec.anchor for spec in specs_of(changed))


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"state": ImageState.REJECTED}, "was rejected. Choose another anchor"),
        ({"state": ImageState.RETIRED}, "was retired. Choose another anchor"),
        ({"kind": "backdrop"}, "shows a background without a product"),
        ({"width": 60}, "and the series the ratio 1:1"),
    ],
)
def test_an_anchor_that_went_bad_stops_models_and_is_remarked_on_here(paid, fields, sentence):
    first, second = mugs(2)
    series = anchored(first, second)
    local = with_anchor(factories.series(first, second, key="local"), series.anchor)
    for name, value in fields.items():
        setattr(series.anchor, name, value)
    series.anchor.save()
    assert sentence in refusal_of("autumn")
    assert sentence in " ".join(warnings_of("local"))
    assert statuses(local) == ["missing", "missing"]


def test_a_locked_product_s_background_follows_the_anchor_without_the_product_s_photo(paid):
    mug, other = mugs(2)
    series = factories.series(mug, other, tier="standard", treatment="locked")
    series = with_anchor(series, factories.image(state=ImageState.APPROVED, size=(50, 50)))
    spec = specs_of(series)[0]
    assert "The first image shows the look that this picture must have" in spec.prompt
    assert generation.plan_series(series).planner.reference_count == 1


def test_the_anchor_counts_among_the_pictures_that_a_model_takes(paid, settings):
    series = anchored(*mugs(2))
    settings.NB_CATALOG = {**settings.NB_CATALOG, "MODEL_SPECS": {MODEL: {"max_references": 1}}}
    assert "takes at most 1 reference pictures per request, not 2" in refusal_of(series)


def test_the_tier_s_model_may_change_and_the_series_keeps_its_own(paid, settings):
    series = anchored(*mugs(2))
    before = [spec.fingerprint for spec in specs_of(series)]
    tier = {"PROVIDER": "gemini", "MODEL": "gemini-3-pro-image", "SIZE": "2K"}
    settings.NB_CATALOG = {**settings.NB_CATALOG, "TIERS": {**PAINTED["TIERS"], "standard": tier}}
    assert [spec.fingerprint for spec in specs_of(series)] == before


def test_a_provider_that_is_not_configured_any_more_is_said(paid):
    series = factories.series(*mugs(1))
    Series.objects.update(provider="gone")
    assert "The provider “gone”, which made this series" in refusal_of("autumn")
    assert series.provider == "local"


# Large series.


def test_a_plan_in_blocks_takes_as_many_queries_for_many_as_for_few(monkeypatch):
    def queries(number, key):
        series = factories.series(*mugs(number), key=key)
        plan = generation.plan_series(series)
        with CaptureQueriesContext(connection) as captured:
            assert len(list(plan.items())) == number
        return len(captured)

    assert queries(2, "few") == queries(12, "many")
    monkeypatch.setattr(series_planning, "BLOCK", 5)
    assert queries(12, "blocks") > queries(2, "again")


def test_a_large_run_is_written_later_and_only_with_the_look_that_was_confirmed():
    series = factories.series(*mugs(2))
    plan = generation.plan_series(series)
    stored = planning.stored_request(plan.planner)
    products = list(plan.each_product())
    again = planning.plan_again(stored, products)
    assert [each.fingerprint for each in again.items()] == [
        each.fingerprint for each in plan.items()
    ]
    catalog_series.save_look(catalog_series.with_changes(series, seed_number=2))
    with pytest.raises(PlanRefused, match="The look of the series “autumn” was changed"):
        planning.plan_again(stored, products)


def test_a_plan_knows_its_keys_without_reading_products():
    series = factories.series(*mugs(2))
    plan = generation.plan_series(series)
    with CaptureQueriesContext(connection) as captured:
        assert plan.product_keys() == [str(key) for key in plan.products.keys]
    assert len(captured) == 0


def test_deleted_products_are_left_out():
    mug, other = mugs(2)
    series = factories.series(mug, other)
    mug.delete()
    assert [spec.object_id for spec in specs_of(series)] == [str(other.pk)]


def test_photos_of_members_are_cut_out_beforehand(cutout_backend):
    cutout_backend()
    plan = generation.plan_series(factories.series(*mugs(2)))
    plan.summary(plan.items())
    generation.request_cutouts(plan)
    assert cutouts.make_cutouts() == 2


def test_products_take_their_share_of_the_height_and_taller_ones_are_remarked_on(monkeypatch):
    heights = {"Jug": 30.0, "Cup": 12.0, "Scarf": None, "Ring": 1.0, "Lamp": 60.0}
    monkeypatch.setattr(MugSource, "height_cm", lambda self, mug: heights[mug.name])
    jug, cup, scarf, ring, lamp = (factories.product(name=name) for name in heights)
    series = factories.series(jug, cup, scarf, ring)
    assert {spec.proportion for spec in specs_of(series)} == {1.0}
    sized = catalog_series.with_real_sizes(series)
    assert [spec.proportion for spec in specs_of(sized)] == [1.0, 0.4, 1.0, 0.2]
    assert [spec.proportion for spec in specs_of(sized, products=[lamp])] == [1.0]
    assert warnings_of(sized, products=[lamp]) == [
        "A product is taller than 30 cm, which fills the frame in this series, and looks too small. Take "
        "the real sizes of the members again."
    ]
    assert not warnings_of(sized, products=[cup])
