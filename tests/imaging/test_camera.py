"""One camera for a set: every product on one line and in one middle, in proportion, at every ratio."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from nb_catalog.core.types import Size
from nb_catalog.imaging import compose as composing
from nb_catalog.imaging import locked
from nb_catalog.imaging.compose import Framing, fit_scene
from nb_catalog.imaging.scenery import SceneRecipe, render
from nb_catalog.imaging.scenery.camera import Camera
from nb_catalog.imaging.scenery.recipe import FramingWish
from nb_catalog.providers.model_specs import pixel_size
from nb_catalog.testing.pictures import solid_png
from tests.imaging.composing import SCENES, block, cap, goblet, jumper, solid_block
from tests.imaging.pictures import LIMITS, saved

RED = (180, 30, 40)
# Standing and lying, upright and low, from large photos and from tiny ones.
SET = [
    block(), jumper(), cap(), goblet(), solid_block(100, 400), solid_block(300, 300),
    solid_block(20, 32), solid_block(50, 50), solid_block(900, 1400), solid_block(260, 300),
    solid_block(24, 90), solid_block(400, 420),
]  # fmt: skip
CAMERA = Camera(framing=FramingWish(fill=0.6, place="centre", baseline=0.2))


def measured(pixels: np.ndarray) -> tuple[float, float, float, float]:
    """Middle, foot, width and height of what is red, in shares of the frame, from the picture alone."""
    red = np.abs(pixels.astype(np.int16) - RED).max(2) < 40
    rows, columns = np.flatnonzero(red.any(1)), np.flatnonzero(red.any(0))
    tall, wide = red.shape
    return (
        (columns[0] + columns[-1] + 1) / 2 / wide,
        (rows[-1] + 1) / tall,
        (columns[-1] + 1 - columns[0]) / wide,
        (rows[-1] + 1 - rows[0]) / tall,
    )


def pictured(cutout, *, camera=CAMERA, scene="studio-white", ratio="1:1", size="512", share=1.0):
    recipe = camera.aimed_at(SceneRecipe.from_mapping(SCENES[scene]))
    framing = Framing.of_camera(camera, proportion=share)
    view = composing.view_for(cutout)
    fitted = fit_scene(
        cutout, recipe, size=pixel_size(ratio, size), seed=5, view=view, framing=framing
    )
    backdrop = render(recipe, size=fitted.size, seed=5, view=view)
    return composing.compose(cutout, backdrop, seed=5, framing=framing).pixels


@pytest.mark.exhaustive(every=3)
@pytest.mark.parametrize("ratio", ["1:1", "4:5", "16:9", "9:16"])
@pytest.mark.parametrize("scene", ["studio-white", "packshot-white"])
def test_all_products_of_a_set_stand_on_one_line_in_one_middle(scene, ratio):
    places = np.array([measured(pictured(each, scene=scene, ratio=ratio)) for each in SET])
    assert np.ptp(places[:, 0]) < 0.01 and np.ptp(places[:, 1]) < 0.01
    assert places[:, 0].mean() == pytest.approx(0.5, abs=0.01)
    assert places[:, 1].mean() == pytest.approx(0.8, abs=0.01)
    # As high as the framing says, unless that would be too wide.
    shape = np.array([each.solid.height / each.solid.width for each in SET])
    width, height = pixel_size(ratio, "512")
    expected = np.minimum(0.6, 0.6 * shape * width / height)
    assert places[:, 3] == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize("size", ["512", "2K"])
def test_a_small_photo_makes_a_smaller_picture_and_the_product_keeps_its_size_in_it(size):
    large, tiny = (measured(pictured(solid_block(*each), size=size)) for each in SIZES)
    assert large == pytest.approx(tiny, abs=0.01)


SIZES = [(900, 1400), (36, 56)]


@pytest.mark.exhaustive(every=5)
@pytest.mark.parametrize("share", [0.2, 0.45, 0.8, 1.0])
@pytest.mark.parametrize("ratio", ["1:1", "4:5", "16:9"])
def test_sizes_are_in_proportion(ratio, share):
    camera = replace(CAMERA, to_scale=True)
    for cutout in (solid_block(100, 400), solid_block(400, 420), goblet()):
        at = measured(pictured(cutout, camera=camera, ratio=ratio, share=share, size="1K"))
        assert at[3] == pytest.approx(0.6 * share, rel=0.02)
        assert at[:2] == pytest.approx((0.5, 0.8), abs=0.01)


def test_a_wide_product_takes_the_free_width_to_stay_in_proportion_and_no_more():
    camera, flat = replace(CAMERA, to_scale=True), solid_block(900, 300)
    wide = measured(pictured(flat, camera=camera, share=0.5))
    assert wide[2] == pytest.approx(0.9, abs=0.01) and wide[3] == pytest.approx(0.3, abs=0.01)
    alone = measured(pictured(flat))
    assert alone[2] == pytest.approx(0.6, abs=0.01)
    framing = Framing.of_camera(camera, proportion=0.5)
    box = composing.box_in_plain(Size(500, 1000), camera=camera)
    report = framing.report(flat.solid, box)["proportion"]
    assert report["requested"] == 0.5
    # 0.92 of a width of 500, for a product of 3:1, in a box of 600.
    assert report["made"] == pytest.approx(0.92 * 500 / 3 / 600, rel=0.01)
    assert framing.report(goblet().solid, box) == {}


BY_AREA = replace(CAMERA, framing=replace(CAMERA.framing, by="area"))


@pytest.mark.parametrize("view", ["front", "top"])
@pytest.mark.parametrize("ratio", ["1:1", "4:5"])
def test_products_of_any_shape_take_one_area_if_the_framing_says_so(ratio, view):
    """A cube, a bottle and a tray: the area of each is read from the picture."""
    camera, frame = replace(BY_AREA, view=view), pixel_size(ratio, "512")
    for photo in [(300, 300), (260, 300), (200, 390), (390, 200)]:
        at = measured(pictured(solid_block(*photo), camera=camera, ratio=ratio))
        area = at[2] * frame.width * at[3] * frame.height
        assert area == pytest.approx(0.5 * (0.6 * frame.width) ** 2, rel=0.03), photo
        assert at[0] == pytest.approx(0.5, abs=0.01)
        if view == "front":
            assert at[1] == pytest.approx(0.8, abs=0.01)


def test_a_slim_product_is_no_larger_than_the_framing_allows_and_not_sized_by_area():
    at = measured(pictured(solid_block(100, 400), camera=BY_AREA))
    assert at[2:] == pytest.approx((0.15, 0.6), abs=0.01)


def test_a_scene_may_size_its_products_by_area_too():
    recipe = SceneRecipe.from_mapping(
        {**SCENES["studio-white"], "framing": {"fill": 0.7, "by": "area", "place": "centre"}}
    )
    backdrop = render(recipe, size=pixel_size("1:1", "512"), seed=5, view="front")
    for photo in [(300, 300), (200, 390)]:
        pixels = composing.compose(solid_block(*photo), backdrop, seed=5, pose="standing").pixels
        at = measured(pixels)
        assert at[2] * at[3] == pytest.approx(0.5 * 0.7**2, rel=0.03)


def test_a_view_is_forced_on_products_of_either_pose():
    camera = replace(CAMERA, view="top")
    places = np.array([measured(pictured(each, camera=camera)) for each in SET])
    middles = places[:, 1] - places[:, 3] / 2
    assert np.ptp(places[:, 0]) < 0.01 and np.ptp(middles) < 0.01
    assert middles.mean() == pytest.approx(0.5, abs=0.01)


def test_a_scene_with_a_view_of_its_own_keeps_it():
    recipe = replace(SceneRecipe.from_mapping(SCENES["studio-white"]), view="top")
    assert CAMERA.aimed_at(recipe).view == "top"
    assert CAMERA.aimed_at(replace(recipe, view="auto")).view == "front"


@pytest.mark.parametrize("ratio", ["1:1", "4:5", "16:9"])
@pytest.mark.parametrize("share", [1.0, 0.4])
def test_a_models_background_gets_the_product_at_the_same_place(ratio, share):
    size = pixel_size(ratio, "1K")
    for cutout in SET[3:6]:
        photo = np.pad(cutout.pixels, ((20, 20), (20, 20), (0, 0)))
        made = locked.compose_into(
            solid_png(size, colour=(225, 225, 220)), photo=saved(Image.fromarray(photo)),
            camera=replace(CAMERA, to_scale=True).as_dict(), proportion=share, **LIMITS,
        )  # fmt: skip
        with Image.open(BytesIO(made.data)) as picture:
            at = measured(np.asarray(picture.convert("RGB")))
        assert at[:2] == pytest.approx((0.5, 0.8), abs=0.01)
        assert at[3] == pytest.approx(0.6 * share, rel=0.02)


@pytest.mark.parametrize(
    ("mapping", "problem"),
    [
        ({"view": "side"}, "camera.view"),
        ({"framing": {"place": "vary"}}, "camera.framing.place"),
        ({"framing": {"fill": 7}}, "camera.framing.fill"),
        ({"framing": {"by": "width"}}, "camera.framing.by"),
        ({"framing": {"by": "area"}, "to_scale": True}, "framing.by: products in proportion"),
        ({"to_scale": "yes"}, "camera.to_scale"),
        ({"angle": 3}, "camera: there is no key 'angle'"),
        ("front", "camera: expected an object"),
    ],
)
def test_an_invalid_camera_is_refused_with_its_key(mapping, problem):
    with pytest.raises(ValueError, match=problem):
        Camera.from_mapping(mapping)


def test_a_camera_comes_back_from_a_column():
    assert Camera.from_mapping(CAMERA.as_dict()) == CAMERA
    assert Camera.from_mapping({"framing": {"fill": 0.7}}).framing.place == "centre"
    assert Camera.from_mapping({}) == Camera()


@pytest.mark.parametrize("share", [0, 0.1, 1.2, float("nan"), True])
def test_a_proportion_out_of_range_is_refused(share):
    with pytest.raises(ValueError, match="0.2 to 1"):
        Framing.of_camera(None, proportion=share)
