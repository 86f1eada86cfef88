"""Scenes in the admin: fields and JSON, photos of places, copies and previews."""

import json
from io import BytesIO

import numpy as np
import pytest
from django.contrib import admin
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from PIL import Image

from nb_catalog import cutouts, storage
from nb_catalog.admin import scene_fields, thumbnails
from nb_catalog.cutouts import previews
from nb_catalog.cutouts.photos import request_for_products
from nb_catalog.imaging.encode import encode
from nb_catalog.imaging.provenance import DigitalSourceType, read_mark, xmp_packet
from nb_catalog.imaging.scenery import SceneRecipe
from nb_catalog.models import PhotoCutout, Scene
from tests import factories
from tests.imaging.composing import SCENES
from tests.imaging.test_backdrop_photo import plain, room

pytestmark = pytest.mark.django_db

PREVIEW = "/admin/nb_catalog/scene/preview/"
OAK = {"surface": {"kind": "oak", "tone": "#b98a5a"}}


def shown(response):
    """What the page's form sends back if nobody changes anything, without its script."""
    form = response.context["adminform"].form
    sent = {}
    for name in form.fields:
        value = form[name].value()
        if value is not None and value is not False:
            sent[name] = value
    return sent


def upload(image=None, *, xmp=b""):
    return SimpleUploadedFile("room.jpg", encode(image or room(), format="jpeg", xmp=xmp))


def change(client, scene, **changes):
    url = reverse("admin:nb_catalog_scene_change", args=[scene.pk])
    sent = {**shown(client.get(url)), **changes}
    return client.post(url, {name: value for name, value in sent.items() if value is not None})


def picture(response):
    assert response.status_code == 200, response.content
    return np.asarray(Image.open(BytesIO(response.content)).convert("RGB")).astype(int)


@pytest.mark.parametrize("key", SCENES)
def test_a_shipped_scene_that_is_saved_unchanged_stays_the_same(root, key):
    scene = factories.scene(key, renderer=SCENES[key])
    assert change(root, scene).status_code == 302
    stored = Scene.objects.get()
    assert (stored.renderer, stored.version) == (SCENES[key], 1)


def test_fields_change_the_recipe_and_keep_what_they_do_not_show(root):
    scene = factories.scene(renderer={**OAK, "wall": {"kind": "plaster", "gloss": 0.2}})
    change(root, scene, recipe_surface_tone="#112233", recipe_light_kind="sun")
    stored = Scene.objects.get()
    assert stored.renderer == {
        "surface": {"kind": "oak", "tone": "#112233"},
        "wall": {"kind": "plaster", "gloss": 0.2},
        "light": {"kind": "sun"},
    }
    assert stored.version == 2


def test_props_are_added_and_taken_away(root):
    scene = factories.scene(renderer={**OAK, "props": [{"kind": "podium", "height": 0.3}]})
    change(root, scene, recipe_props_1_kind="arch", recipe_props_1_width="1.5")
    assert Scene.objects.get().renderer["props"] == [
        {"kind": "podium", "height": 0.3},
        {"kind": "arch", "width": 1.5},
    ]
    change(root, scene, recipe_props_0_kind=None)
    assert [each["kind"] for each in Scene.objects.get().renderer["props"]] == ["arch"]


def test_without_a_ground_a_scene_has_no_recipe(root):
    scene = factories.scene(renderer=OAK)
    change(root, scene, recipe_surface_kind="")
    assert Scene.objects.get().renderer == {}


def test_the_json_changes_the_recipe_as_before(root):
    scene = factories.scene(renderer=OAK)
    written = {**OAK, "edge": "sweep"}
    change(root, scene, renderer=json.dumps(written))
    assert Scene.objects.get().renderer == written


def test_fields_and_json_that_disagree_are_an_error_at_the_json(root):
    scene = factories.scene(renderer=OAK)
    answer = change(root, scene, renderer="{}", recipe_edge="sweep", recipe_surface_kind="marble")
    assert "they disagree" in str(answer.context["adminform"].form.errors["renderer"])
    assert Scene.objects.get().renderer == OAK
    script = {"fields_synced": "on", "renderer": json.dumps({**OAK, "edge": "floor"})}
    change(root, scene, recipe_edge="sweep", **script)
    assert Scene.objects.get().renderer["edge"] == "floor"


@pytest.mark.parametrize(
    ("change_of", "field", "words"),
    [
        ({"recipe_light_softness": "2"}, "recipe_light_softness", "less than or equal to 1"),
        ({"recipe_surface_tone": "red"}, "recipe_surface_tone", "Enter a valid value"),
        ({"renderer": '{"surfac": {}}'}, "renderer", "Did you mean &#x27;surface&#x27;?"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(root, change_of, field, words):
    answer = change(root, factories.scene(renderer=OAK), **change_of)
    assert words in str(answer.context["adminform"].form.errors[field])


@pytest.mark.parametrize("key", SCENES)
def test_fields_show_every_shipped_recipe_and_give_it_back(key):
    recipe = SCENES[key]
    assert scene_fields.recipe_with(recipe, scene_fields.initial_of(recipe)) == recipe
    assert SceneRecipe.from_mapping(recipe)


def test_an_uploaded_photo_becomes_the_scene_with_a_proposal(root):
    scene = factories.scene(prompt="", renderer={})
    change(root, scene, photo_file=upload(room(line=0.55)), prompt="")
    stored = Scene.objects.get()
    assert stored.backdrop_place["view"] == "front"
    assert stored.backdrop_place["ground"] == pytest.approx(0.55, abs=0.02)
    assert (stored.backdrop_width, stored.backdrop_height) == (800, 600)
    assert (stored.version, stored.is_local, stored.backdrop_origin) == (2, True, "")
    assert storage.read(str(stored.backdrop))
    page = root.get(reverse("admin:nb_catalog_scene_change", args=[scene.pk]))
    told = page.content.decode()
    assert "The ground ends at 5" in told and "nbc-place" in told


def test_a_photo_without_a_ground_is_said_and_used_as_a_wall(root):
    scene = factories.scene()
    change(root, scene, photo_file=upload(plain()))
    told = root.get(reverse("admin:nb_catalog_scene_changelist")).content.decode()
    assert "No ground was found in the photo" in told
    assert Scene.objects.get().backdrop_place["view"] == "wall"


def test_the_place_is_changed_by_fields_and_counts_as_a_version(root):
    scene = factories.scene()
    change(root, scene, photo_file=upload())
    change(root, scene, place_x="0.3", place_azimuth="-120", place_view="front")
    stored = Scene.objects.get()
    assert (stored.backdrop_place["x"], stored.backdrop_place["azimuth"]) == (0.3, -120)
    assert stored.version == 3
    answer = change(root, scene, place_bottom="0.2", place_height="0.1")
    assert "above the ground line" in str(answer.context["adminform"].form.errors["place_bottom"])


def test_a_removed_photo_stays_in_the_storage(root):
    scene = factories.scene()
    change(root, scene, photo_file=upload())
    name = str(Scene.objects.get().backdrop)
    change(root, scene, photo_remove="on")
    stored = Scene.objects.get()
    assert (stored.backdrop_sha256, stored.backdrop_place, stored.version) == ("", {}, 3)
    assert storage.read(name)


def test_a_scene_whose_photo_was_lost_can_still_be_saved(root):
    scene = factories.scene()
    change(root, scene, photo_file=upload())
    storage.catalog_storage().delete(str(Scene.objects.get().backdrop))
    change(root, scene, prompt="Another one.")
    assert Scene.objects.get().prompt == "Another one."


def test_a_mark_of_a_model_cannot_be_taken_back_and_one_can_be_declared(root):
    scene = factories.scene()
    marked = upload(xmp=xmp_packet(DigitalSourceType.MODEL))
    change(root, scene, photo_file=marked)
    change(root, scene, photo_by_model=None)
    assert Scene.objects.get().backdrop_origin == "trainedAlgorithmicMedia"
    change(root, scene, photo_file=upload(), photo_by_model=None)
    assert Scene.objects.get().backdrop_origin == ""
    change(root, scene, photo_by_model="on")
    assert Scene.objects.get().backdrop_origin == "trainedAlgorithmicMedia"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"not a picture", "not a picture in a known format"),
        (encode(room((300, 200)), format="png"), "at least 480 × 480"),
    ],
)
def test_a_file_that_is_no_photo_is_refused_at_its_field(root, data, words):
    scene = factories.scene()
    answer = change(root, scene, photo_file=SimpleUploadedFile("room.jpg", data))
    assert words in str(answer.context["adminform"].form.errors["photo_file"])
    assert Scene.objects.get().backdrop_sha256 == ""


def test_a_copy_begins_with_everything_and_leaves_the_original_alone(root):
    scene = factories.scene(renderer=OAK)
    change(root, scene, photo_file=upload(), place_x="0.4")
    page = root.get(reverse("admin:nb_catalog_scene_add"), {"copy": scene.pk})
    sent = shown(page)
    assert sent["key"] == "marble-copy"
    root.post(reverse("admin:nb_catalog_scene_add"), sent)
    original, copy = Scene.objects.get(pk=scene.pk), Scene.objects.get(key="marble-copy")
    assert (copy.renderer, copy.backdrop_sha256) == (OAK, original.backdrop_sha256)
    assert copy.backdrop_place == original.backdrop_place and copy.version == 1


def test_a_scene_needs_a_prompt_or_a_photo(root):
    answer = change(root, factories.scene(), prompt="")
    assert "upload a photo" in str(answer.context["adminform"].form.errors["prompt"])


def test_a_preview_shows_a_product_of_the_shop_in_the_recipe(root):
    mug = factories.product(colour="blue")
    query = {"content": json.dumps(OAK), "product": f"testcatalog.Mug:{mug.pk}", "ratio": "4:5"}
    pixels = picture(root.get(PREVIEW, query))
    assert pixels.shape == (450, 360, 3)
    assert ((pixels[..., 2] > 120) & (pixels[..., 0] < 60)).sum() > 5000


def test_a_preview_shows_a_product_as_its_stored_mask_cuts_it_out(root, drawn_mask, monkeypatch):
    """In this photo nothing can be found by its colours, and nothing is searched for."""
    mug = factories.product(photo=encode(room((600, 750)), format="png"))
    query = {"content": json.dumps(OAK), "product": f"testcatalog.Mug:{mug.pk}", "ratio": "4:5"}
    answer = root.get(PREVIEW, query)
    assert answer.status_code == 400 and "What would work" in answer.json()["error"]
    request_for_products([mug])
    mask = drawn_mask((600, 750), box=(200, 500, 400, 700))
    cutouts.replace_mask(PhotoCutout.objects.get(), mask, actor=None)
    monkeypatch.setattr(previews, "cut_out", None)
    seen = picture(root.get(PREVIEW, query))
    cutouts.replace_mask(
        PhotoCutout.objects.get(), drawn_mask((600, 750), box=(250, 300, 350, 700)), actor=None
    )
    assert np.abs(picture(root.get(PREVIEW, query)) - seen).max() > 60, "another mask is seen"


def test_a_mask_of_a_photo_that_was_replaced_is_not_shown(root, drawn_mask):
    mug = factories.product()
    query = {"content": json.dumps(OAK), "product": f"testcatalog.Mug:{mug.pk}"}
    found = picture(root.get(PREVIEW, query))
    request_for_products([mug])
    row = PhotoCutout.objects.get()
    cutouts.replace_mask(row, drawn_mask(), actor=None)
    PhotoCutout.objects.update(photo_sha256="0" * 64)
    assert np.array_equal(picture(root.get(PREVIEW, query)), found)


def test_a_preview_shows_a_cover_as_a_board(root):
    """On a red ground there is no product to find: the whole photo is one."""
    mug = factories.product(photo=encode(Image.new("RGB", (300, 400), "#c01010"), format="png"))
    query = {"content": json.dumps(OAK), "product": f"testcatalog.Mug:{mug.pk}"}
    assert root.get(PREVIEW, query).status_code == 400
    request_for_products([mug])
    cutouts.set_kind(PhotoCutout.objects.all(), "full_frame", actor=None)
    pixels = picture(root.get(PREVIEW, query))
    red = (pixels[..., 0] > 150) & (pixels[..., 1] < 60)
    assert red.mean() > 0.1


def test_a_preview_shows_a_product_in_a_photo_at_an_unsaved_place(root):
    mug, scene = factories.product(), factories.scene()
    change(root, scene, photo_file=upload())
    centres = []
    for x in (0.35, 0.65):
        place = json.dumps({"ground": 0.6, "bottom": 0.9, "height": 0.4, "x": x})
        query = {"scene": scene.pk, "place": place, "product": f"testcatalog.Mug:{mug.pk}"}
        answer = root.get(PREVIEW, {**query, "ratio": "16:9"})
        pixels = picture(answer)
        assert read_mark(answer.content) == "compositeCapture"
        blue = (pixels[..., 2] > 120) & (pixels[..., 0] < 60)
        centres.append(np.nonzero(blue)[1].mean() / pixels.shape[1])
    assert centres == pytest.approx([0.35, 0.65], abs=0.04)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"place": '{"x": 3}'}, "from 0.02 to 0.98"),
        ({"place": "nothing"}, "expected an object"),
        ({"place": "{}", "product": "testcatalog.Mug:999"}, "The product is gone"),
        ({"place": "{}", "product": "nothing:1"}, "nothing"),
    ],
)
def test_a_preview_that_cannot_be_drawn_says_why(root, query, words):
    mug, scene = factories.product(), factories.scene()
    change(root, scene, photo_file=upload())
    query = {"scene": scene.pk, "product": f"testcatalog.Mug:{mug.pk}", **query}
    answer = root.get(PREVIEW, query)
    assert answer.status_code == 400 and words in answer.json()["error"]


def test_only_products_that_a_user_may_view_are_offered_and_drawn(sign_in):
    mug, scene = factories.product(), factories.scene(renderer=OAK)
    client = sign_in("nb_catalog.change_scene")
    page = client.get(reverse("admin:nb_catalog_scene_change", args=[scene.pk])).content.decode()
    query = {"content": json.dumps(OAK), "product": f"testcatalog.Mug:{mug.pk}"}
    assert mug.name not in page and client.get(PREVIEW, query).status_code == 400


def test_a_photo_and_swatches_are_served_to_those_who_may_view_scenes(root, sign_in):
    scene = factories.scene()
    change(root, scene, photo_file=upload(room((1600, 1200))))
    stored = Scene.objects.get()
    name = "admin:nb_catalog_scene_photo"
    url = reverse(name, args=[scene.pk, stored.backdrop_sha256[:16]])
    assert picture(root.get(url)).shape == (720, 960, 3)
    thumbnail = thumbnails.scene_url(stored, site=admin.site)
    assert picture(root.get(thumbnail)).shape == (240, 320, 3)
    swatch = reverse("admin:nb_catalog_scene_swatch", args=["oak"])
    assert picture(root.get(swatch)).shape == (96, 128, 3)
    assert root.get(swatch.replace("oak", "gold")).status_code == 404
    stranger = sign_in(views=False)
    assert stranger.get(url).status_code == stranger.get(swatch).status_code == 403
