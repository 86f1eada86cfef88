"""A scene by fields and by dragging in a photo."""

import json

import pytest
from selenium.webdriver import ActionChains, Keys
from selenium.webdriver.common.by import By

from nb_catalog.generation import scene_files, scene_photos
from nb_catalog.imaging.encode import encode
from nb_catalog.models import Scene
from tests import factories
from tests.browser import axe
from tests.browser.test_admin_way import has_loaded, open_json, person  # noqa: F401 - a fixture
from tests.imaging.test_backdrop_photo import room

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

OAK = {"surface": {"kind": "oak"}, "wall": {"kind": "plaster", "gloss": 0.2}}


def value(someone, name):
    return float(someone.wait_for(f"#id_place_{name}").get_attribute("value"))


def recipe(someone):
    script = "return document.getElementById('id_renderer').value"
    return json.loads(someone.browser.execute_script(script))


def save(someone):
    someone.click("input[name=_continue]")
    someone.wait_for(".messagelist")


@pytest.fixture
def in_photo(person):  # noqa: F811
    factories.product()
    scene = factories.scene("room")
    photo = encode(room((1200, 900)), format="jpeg")
    scene_photos.attach(scene, scene_photos.inspect(photo))
    scene.save()
    person.open(f"/admin/nb_catalog/scene/{scene.pk}/change/")
    person.wait(lambda: has_loaded(person, ".nbc-result img"), for_what="the preview")
    return person


def test_a_field_changes_the_json_and_the_json_the_fields(person):  # noqa: F811
    factories.product()
    scene = factories.scene("table", renderer=OAK)
    person.open(f"/admin/nb_catalog/scene/{scene.pk}/change/")
    person.wait(
        lambda: "product=testcatalog" in person.wait_for(".nbc-design img").get_attribute("src"),
        for_what="the preview with a product",
    )
    before = person.wait_for(".nbc-design img").get_attribute("src")
    person.click("#id_recipe_surface_kind input[value=marble]")
    slider = person.wait_for("#id_recipe_light_softness")
    slider.send_keys(Keys.HOME)
    assert recipe(person) == {
        "surface": {"kind": "marble"},
        "wall": {"kind": "plaster", "gloss": 0.2},
        "light": {"softness": 0},
    }
    person.wait(
        lambda: person.wait_for(".nbc-design img").get_attribute("src") != before,
        for_what="the new picture",
    )
    field = open_json(person)
    field.clear()
    field.send_keys('{"surface": {"kind": "sand", "tone": "#112233"}, "edge": "floor"}')
    assert person.wait_for("#id_recipe_edge").get_attribute("value") == "floor"
    assert person.wait_for("#id_recipe_surface_tone").get_attribute("value") == "#112233"
    save(person)
    assert Scene.objects.get().renderer["surface"] == {"kind": "sand", "tone": "#112233"}


def test_what_is_not_saved_can_be_undone(person):  # noqa: F811
    scene = factories.scene("table", renderer=OAK)
    person.open(f"/admin/nb_catalog/scene/{scene.pk}/change/")
    person.click("#id_recipe_surface_kind input[value=marble]")
    person.click(".nbc-design button[type=reset]")
    person.wait(lambda: recipe(person) == OAK, for_what="the saved recipe")
    assert person.sees("#id_recipe_surface_kind input[value=oak]")[0].is_selected()


def test_ground_product_and_light_are_dragged(in_photo):
    before = {name: value(in_photo, name) for name in ("ground", "x", "bottom", "height")}
    stage = in_photo.wait_for(".nbc-place .nbc-stage")
    in_photo.browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", stage)
    size = stage.size

    def drag(css, across, down):
        ActionChains(in_photo.browser).drag_and_drop_by_offset(
            in_photo.sees(css)[0], round(across * size["width"]), round(down * size["height"])
        ).perform()

    drag(".nbc-product", -0.1, 0.05)
    assert value(in_photo, "x") == pytest.approx(before["x"] - 0.1, abs=0.01)
    assert value(in_photo, "bottom") == pytest.approx(before["bottom"] + 0.05, abs=0.01)
    drag(".nbc-product .nbc-handle", 0, 0.1)
    assert value(in_photo, "height") == pytest.approx(before["height"] - 0.1, abs=0.01)
    ground = in_photo.wait_for(".nbc-ground")
    line = ActionChains(in_photo.browser).move_to_element_with_offset(
        ground, round(-0.45 * size["width"]), 0
    )
    line.click_and_hold().move_by_offset(0, round(-0.1 * size["height"])).release().perform()
    assert value(in_photo, "ground") == pytest.approx(before["ground"] - 0.1, abs=0.02)
    dial = in_photo.wait_for(".nbc-dial")
    to_the_right = ActionChains(in_photo.browser).click_and_hold(in_photo.wait_for(".nbc-sun"))
    to_the_right.move_to_element_with_offset(dial, 30, 0).release().perform()
    assert value(in_photo, "azimuth") == pytest.approx(90, abs=6)


def test_the_keyboard_does_what_dragging_does(in_photo):
    before = {name: value(in_photo, name) for name in ("ground", "x", "height", "azimuth")}
    for css, keys in (
        (".nbc-ground", [Keys.ARROW_UP] * 3),
        (".nbc-product", [Keys.ARROW_LEFT] * 2),
        (".nbc-sun", [Keys.ARROW_RIGHT] * 2),
    ):
        in_photo.wait_for(css).send_keys(*keys)
    box = in_photo.wait_for(".nbc-product")
    ActionChains(in_photo.browser).key_down(Keys.SHIFT).send_keys_to_element(
        box, Keys.ARROW_DOWN
    ).key_up(Keys.SHIFT).perform()
    assert value(in_photo, "ground") == pytest.approx(before["ground"] - 0.03, abs=0.002)
    assert value(in_photo, "x") == pytest.approx(before["x"] - 0.02, abs=0.002)
    assert value(in_photo, "height") == pytest.approx(before["height"] - 0.01, abs=0.002)
    assert value(in_photo, "azimuth") == before["azimuth"] + 10
    save(in_photo)
    place = Scene.objects.get().backdrop_place
    assert place["x"] == pytest.approx(before["x"] - 0.02, abs=0.002)


def test_a_number_moves_the_handle_and_draws_again(in_photo):
    shown = in_photo.wait_for(".nbc-result img").get_attribute("src")
    field = in_photo.wait_for("#id_place_x")
    field.clear()
    field.send_keys("0.3")
    in_photo.wait(
        lambda: in_photo.wait_for(".nbc-result img").get_attribute("src") != shown,
        for_what="the new picture",
    )
    box = in_photo.wait_for(".nbc-product").rect
    stage = in_photo.wait_for(".nbc-place .nbc-stage").rect
    middle = (box["x"] + box["width"] / 2 - stage["x"]) / stage["width"]
    assert middle == pytest.approx(0.3, abs=0.01)


def test_the_editor_of_a_photo_is_accessible_and_fits_a_phone(in_photo):
    assert axe.violations(in_photo.browser) == []
    in_photo.browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True},
    )
    in_photo.browser.refresh()
    in_photo.wait(lambda: has_loaded(in_photo, ".nbc-result img"), for_what="the preview")
    assert in_photo.browser.execute_script("return document.documentElement.scrollWidth") == 390
    assert axe.violations(in_photo.browser) == []


def test_without_javascript_fields_alone_save_the_scene(person):  # noqa: F811
    scene = factories.scene("table", renderer=OAK)
    person.browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    person.open(f"/admin/nb_catalog/scene/{scene.pk}/change/")
    person.browser.find_element(By.CSS_SELECTOR, "input[value=terrazzo]").click()
    person.browser.find_element(By.CSS_SELECTOR, "input[name=_continue]").click()
    assert person.wait_for(".messagelist")
    assert Scene.objects.get().renderer == {**OAK, "surface": {"kind": "terrazzo"}}


@pytest.mark.exhaustive(every=2)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_recipe_and_the_import_are_accessible_in_both_themes(person, tmp_path, theme):  # noqa: F811
    scene = factories.scene("table", renderer=OAK)
    file = tmp_path / "scenes.zip"
    file.write_bytes(scene_files.export([scene]))
    Scene.objects.update(prompt="Mine.")
    for size in (axe.DESKTOP, axe.PHONE):
        axe.show(person.browser, theme=theme, size=size)
        person.open(f"/admin/nb_catalog/scene/{scene.pk}/change/")
        person.wait(lambda: has_loaded(person, ".nbc-design img"), for_what="the preview")
        assert axe.violations(person.browser) == []
        person.open("/admin/nb_catalog/scene/import/")
        assert axe.violations(person.browser) == []
        person.wait_for("#nbc-file").send_keys(str(file))
        person.click("#content-main button[type=submit]")
        person.wait_for("select[name=existing-table]")
        assert axe.violations(person.browser) == []
        assert (
            person.browser.execute_script("return document.documentElement.scrollWidth") <= size[0]
        )
    person.click("button[name=apply]")
    person.wait_for(".messagelist")
    assert Scene.objects.count() == 1
