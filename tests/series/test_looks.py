"""A series keeps its look: it is checked as a whole, and changes only when somebody says so."""

import pytest

from nb_catalog import series as catalog_series
from nb_catalog.exceptions import InvalidTransition, NotRegistered, RequestRefused
from nb_catalog.imaging.scenery import SceneRecipe
from nb_catalog.imaging.scenery.camera import Camera
from nb_catalog.models import Series
from nb_catalog.models.series import SeriesView
from tests import factories
from tests.catalog.catalog_images import MugSource
from tests.catalog.models import Mug, Unlisted

pytestmark = pytest.mark.django_db

PHOTO_SCENE = {
    "renderer": {}, "backdrop": "scenes/terrace.jpg", "backdrop_sha256": "5" * 64,
    "backdrop_place": {"view": "front"},
}  # fmt: skip


def refused(**options):
    with pytest.raises(RequestRefused) as refusal:
        factories.series(**options)
    return " ".join(refusal.value.objections)


def test_a_series_keeps_the_scene_as_it_was():
    made = factories.series()
    scene = made.scene
    before = made.frozen_scene("all")
    scene.renderer = {"surface": {"kind": "oak"}}
    scene.save()
    made.refresh_from_db()
    assert (made.scene_version, scene.version) == (1, 2)
    assert made.frozen_scene("all").renderer == before.renderer
    assert before.renderer["surface"] == {"kind": "paper", "tone": "#f6f5f3"}


def test_the_newer_scene_is_adopted_when_somebody_says_so():
    made = factories.series()
    made.scene.prompt = "A quiet surface at dusk."
    made.scene.save()
    newer = catalog_series.with_current_scene(made)
    assert Series.objects.get().look["prompt"] == "A quiet surface in soft light from the left."
    catalog_series.save_look(newer)
    stored = Series.objects.get()
    assert (stored.look["prompt"], stored.scene_version, stored.version) == (
        "A quiet surface at dusk.",
        2,
        2,
    )


def test_a_deleted_scene_leaves_the_look_and_nothing_to_adopt():
    made = factories.series()
    made.scene.delete()
    made = Series.objects.get()
    assert made.frozen_scene("all").renderer["surface"]["kind"] == "paper"
    with pytest.raises(RequestRefused, match="The scene “Marble” was deleted"):
        catalog_series.with_current_scene(made)


def test_by_default_the_product_stands_in_the_middle_with_the_scene_s_fill():
    factories.scene(renderer={"surface": {"kind": "paper"}, "fill": 0.6})
    made = factories.series()
    assert made.framing == {"fill": 0.6, "place": "centre", "baseline": 0.2}
    camera = Camera.from_mapping(made.camera_for("all"))
    recipe = SceneRecipe.from_mapping(made.recipe_for("all"))
    assert camera.aimed_at(recipe).framing.fill == 0.6


def test_overrides_replace_parts_of_a_material_and_whole_lists():
    factories.scene(
        renderer={"surface": {"kind": "oak", "tone": "#b98a5a"}, "props": [{"kind": "podium"}]}
    )
    made = factories.series(overrides={"surface": {"tone": "#112233"}, "props": []})
    recipe = made.recipe_for("all")
    assert recipe["surface"] == {"kind": "oak", "tone": "#112233"}
    assert recipe["props"] == []


@pytest.mark.parametrize(
    ("view", "expected"),
    [
        (SeriesView.FRONT, {"all": ("standing", "front")}),
        (SeriesView.TOP, {"all": ("lying", "top")}),
        (SeriesView.GROUPS, {"standing": ("standing", "front"), "lying": ("lying", "top")}),
    ],
)
def test_each_group_has_one_pose_and_one_camera(view, expected):
    made = factories.series(view=view)
    assert {
        group: (made.pose_for(group), made.recipe_for(group)["view"]) for group in made.groups
    } == expected


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"key": "Not a key"}, "The key 'Not a key' is not valid"),
        ({"name": " "}, "A series needs a name."),
        ({"scene": "marbel"}, "There is no scene 'marbel'. Did you mean 'marble'?"),
        ({"slot": "herro"}, "The product has no slot 'herro'."),
        ({"tier": "drafft"}, "There is no tier 'drafft'."),
        ({"treatment": "glued"}, "There is no treatment 'glued'."),
        ({"treatment": "painted"}, "local-studio has no treatment 'painted'."),
        ({"ratio": "4:7"}, "local-studio has no ratio '4:7'."),
        ({"view": "below"}, "There is no camera 'below'."),
        ({"seed_number": 0}, "The arrangement must be between 1 and 100, not 0."),
        ({"framing": {"fill": 2}}, "framing.fill: expected a number from 0.3 to 0.9, got 2."),
        ({"framing": {"fill": 0.6}}, "Choose the place centre, left or right."),
        ({"overrides": {"view": "top"}}, "A series cannot replace 'view' of a recipe."),
        ({"overrides": {"light": {"side": "below"}}}, "light.side: 'below' is not accepted."),
    ],
)
def test_each_mistake_has_a_sentence_and_nothing_is_written(options, sentence):
    factories.scene()
    assert sentence in refused(**options)
    assert not Series.objects.exists()


def test_all_mistakes_are_said_at_once():
    factories.scene()
    said = refused(slot="herro", tier="drafft", seed_number=0)
    assert said.count("There is no") + said.count("has no slot") + said.count("arrangement") == 3


def test_a_key_is_taken_once():
    factories.series()
    assert refused() == "There is already a series with the key 'autumn'."


def test_a_model_that_is_not_registered_has_no_series():
    with pytest.raises(NotRegistered):
        factories.series(model=Unlisted)


def test_without_a_ratio_the_slot_s_own_is_taken(monkeypatch):
    monkeypatch.setattr(MugSource, "slots", {"hero": "4:5"})
    assert factories.series().ratio == "4:5"
    assert factories.series(key="winter", model="testcatalog.mug", ratio="1:1").ratio == "1:1"


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"view": "top"}, "is a photo with a camera of its own. Choose the camera 'front'."),
        ({"view": "groups"}, "is a photo with a camera of its own."),
        ({"framing": {"place": "centre"}}, "the product's place and the light in it are part"),
        ({"overrides": {"light": {}}}, "the product's place and the light in it are part"),
    ],
)
def test_a_photo_as_the_scene_has_its_own_camera_place_and_light(options, sentence):
    factories.scene(**PHOTO_SCENE)
    assert sentence in refused(**options)
    made = factories.series()
    assert (made.framing, made.frozen_scene("all").local_options["place"]) == (
        {},
        {"view": "front"},
    )


def test_a_scene_without_a_recipe_needs_a_model_and_has_nothing_to_replace():
    factories.scene(renderer={})
    said = refused(overrides={"light": {"side": "left"}})
    assert "has no recipe for the local renderer" in said
    assert "so none of it can be replaced" in said


def test_only_fields_of_the_look_are_changed():
    made = factories.series()
    with pytest.raises(RequestRefused, match="A series has no field 'view' that can be changed."):
        catalog_series.with_changes(made, view="top")


def test_the_version_counts_changes_of_the_look_and_nothing_else():
    made = factories.series()
    catalog_series.save_look(catalog_series.with_changes(made, name="Autumn 2027"))
    assert Series.objects.get().version == 1
    catalog_series.save_look(
        catalog_series.with_changes(made, overrides={"light": {"side": "left"}})
    )
    stored = Series.objects.get()
    assert (stored.version, stored.name) == (2, "Autumn")


def test_of_two_people_who_change_the_look_the_second_is_told():
    mine, theirs = factories.series(), Series.objects.get()
    catalog_series.save_look(catalog_series.with_changes(mine, seed_number=2))
    with pytest.raises(InvalidTransition, match="Someone else has changed the series “Autumn”"):
        catalog_series.save_look(catalog_series.with_changes(theirs, seed_number=3))
    assert Series.objects.get().seed_number == 2


def test_a_change_of_the_look_leaves_an_order_made_meanwhile():
    mugs = [factories.product() for _ in range(2)]
    made = factories.series(*mugs)
    changed = catalog_series.with_changes(made, seed_number=2)
    catalog_series.reorder(made, [str(mugs[1].pk), str(mugs[0].pk)], version=1)
    catalog_series.save_look(changed)
    assert Series.objects.get().order_version == 2


def test_the_tier_s_model_is_kept(settings):
    made = factories.series()
    assert (made.tier, made.provider, made.model, made.size) == (
        "draft",
        "local",
        "local-studio",
        "1K",
    )
    assert made.content_type.model_class() is Mug


def test_members_are_shown_in_proportion_when_somebody_says_so(monkeypatch):
    heights = {"Jug": 30.0, "Cup": 12.0, "Scarf": None}
    monkeypatch.setattr(MugSource, "height_cm", lambda self, mug: heights[mug.name])
    members = [factories.product(name=name, photo=False) for name in heights]
    made = factories.series(*members)
    assert made.camera_for("all")["to_scale"] is False
    sized = catalog_series.with_real_sizes(made)
    assert sized.heights_cm == {"all": 30.0}
    catalog_series.save_look(sized)
    stored = Series.objects.get()
    assert (stored.camera_for("all")["to_scale"], stored.version) == (True, 2)
    with pytest.raises(
        RequestRefused, match="heights_cm: expected a number from 0.1 to 100000, got -4"
    ):
        catalog_series.with_changes(stored, heights_cm={"all": -4})
    with pytest.raises(RequestRefused, match="heights_cm: 'lying' is not accepted"):
        catalog_series.with_changes(stored, heights_cm={"lying": 4})


def test_real_sizes_and_one_area_exclude_each_other(monkeypatch):
    monkeypatch.setattr(MugSource, "height_cm", lambda self, mug: 12.0)
    made = factories.series(
        factories.product(photo=False), framing={"fill": 0.7, "by": "area", "place": "centre"}
    )
    assert made.camera_for("all")["framing"]["by"] == "area"
    sized = catalog_series.with_real_sizes(
        catalog_series.with_changes(made, framing={"fill": 0.7, "place": "centre"})
    )
    with pytest.raises(RequestRefused, match="by their real heights"):
        catalog_series.with_changes(sized, framing={"fill": 0.7, "by": "area", "place": "centre"})
    with pytest.raises(RequestRefused, match="by their real heights"):
        catalog_series.with_real_sizes(made)
    with pytest.raises(RequestRefused, match="framing.by: 'size' is not accepted"):
        catalog_series.with_changes(made, framing={"by": "size", "place": "centre"})


def test_without_any_height_nothing_can_be_in_proportion():
    made = factories.series(factories.product(photo=False))
    with pytest.raises(RequestRefused, match="height_field of MugSource"):
        catalog_series.with_real_sizes(made)
