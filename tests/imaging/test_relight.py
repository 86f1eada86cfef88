"""The scene's light on the product: what it adds, and that it never adds more than its bounds."""

from __future__ import annotations

from dataclasses import replace
from math import inf

import numpy as np
import pytest
from PIL import Image

from nb_catalog.core.types import Rect, Size
from nb_catalog.imaging import compose as composing
from nb_catalog.imaging.colour_shift import measure_shift
from nb_catalog.imaging.compose import light_map as light_maps
from nb_catalog.imaging.compose.light_map import SceneLight, is_neutral, scene_light
from nb_catalog.imaging.compose.relight import Bounds, relight_product
from nb_catalog.imaging.cutout import cut_out
from nb_catalog.imaging.inspect import open_photo
from nb_catalog.imaging.scenery import Light, SceneRecipe, render
from nb_catalog.imaging.scenery.stage import build_stage
from tests.imaging.composing import SCENES, block, cutout_of, jumper
from tests.imaging.pictures import LIMITS, NO_PHOTOS, PHOTOS, bottle, mug

SIZE = Size(600, 600)
UNBOUNDED = Bounds(median=inf, colour_median=inf, p95=inf, ncc=-1)
PATTERNED = ("sunlit-window", "concrete", "terracotta-arch", "panelled-room")


def recipe(key: str) -> SceneRecipe:
    return SceneRecipe.from_mapping(SCENES[key])


def pair(cutout, key: str, *, seed: int = 7, size: Size = SIZE, pose=None, view="front"):
    """The same picture with the product's own pixels, and relit."""
    backdrop = render(recipe(key), size=size, seed=seed, view=view)
    light = scene_light(recipe(key), size=size, seed=seed, view=view)
    options = {"seed": seed, "pose": pose}
    own = composing.compose(cutout, backdrop, **options)
    return own, composing.compose(cutout, backdrop, light=light, **options)


def softbox(**changes) -> SceneLight:
    """Light without a pattern, on an empty stage."""
    plain = SceneRecipe.from_mapping({"surface": {"kind": "paper"}})
    stage = build_stage(plain, size=SIZE, seed=1, view="front")
    return SceneLight(light=Light(), lamp="softbox", stage=stage, **changes)


def stripes(x, y):
    return (np.sin(np.asarray(x) * 60) > 0).astype(np.float32)


def bars(x, y):
    return (np.sin(np.asarray(x) * 12) > -0.5).astype(np.float32)


def product(*, mean=(150, 150, 150), spread: float = 12) -> np.ndarray:
    rng = np.random.default_rng(2)
    pixels = np.full((300, 240, 4), 255, np.uint8)
    pixels[..., :3] = (mean + rng.normal(0, spread, (300, 240, 3))).clip(0, 255)
    return pixels


def plain_scene(*colour: int) -> np.ndarray:
    return np.full((600, 600, 3), colour, np.uint8)


RED, GREY = plain_scene(230, 40, 20), plain_scene(150, 150, 150)
# A product, a scene, a pattern and a lamp that exceed this bound, if nothing holds them.
EXCESSES = {
    "colour_median": (product(), RED, None, "softbox"),
    "median": (product(mean=(190, 185, 180)), RED, stripes, "softbox"),
    "p95": (product(mean=(240, 240, 240)), GREY, bars, "spot"),
    "ncc": (product(spread=3), GREY, stripes, "softbox"),
}


def lit(name: str, bounds: Bounds):
    pixels, scene, pattern, lamp = EXCESSES[name]
    light = replace(softbox(pattern=pattern), lamp=lamp)
    return relight_product(
        pixels, scene, left=180, top=200, light=light, stands=True, bounds=bounds
    )


@pytest.mark.parametrize("name", EXCESSES)
def test_each_bound_holds_where_the_light_alone_would_exceed_it(name):
    limit = getattr(Bounds(), name)
    free = getattr(lit(name, UNBOUNDED).shift, name)
    held = lit(name, replace(UNBOUNDED, **{name: limit}))
    kept = getattr(held.shift, name)
    if name == "ncc":
        assert free < limit <= kept
        assert kept < 0.999, "as much light as the bound allows"
    else:
        assert free > limit >= kept
        assert kept > 0.5 * limit, "as much light as the bound allows"


@pytest.mark.parametrize("name", EXCESSES)
def test_all_bounds_hold_together(name):
    pixels = EXCESSES[name][0]
    relit = lit(name, Bounds())
    assert Bounds().hold(relit.shift)
    own, now = pixels[..., :3], relit.product[..., :3]
    assert relit.shift == measure_shift(own, now, solid=pixels[..., 3] == 255, side=600)


def test_a_product_that_no_light_suits_keeps_its_pixels():
    pixels, scene, *_ = EXCESSES["colour_median"]
    none, light = Bounds(p95=-1), softbox()
    same = relight_product(pixels, scene, left=180, top=200, light=light, stands=True, bounds=none)
    assert np.array_equal(same.product, pixels)
    assert same.shift == (0, 0, 0, 1)


@pytest.mark.exhaustive(every=4)
@pytest.mark.parametrize("key", [*PATTERNED, "festive", "oak-table"])
@pytest.mark.parametrize("image", [bottle, mug])
def test_the_shift_that_is_reported_is_that_of_the_finished_picture(image, key):
    own, relit = pair(cutout_of(image(500)), key, pose="standing")
    place = own.product
    inside = (
        slice(place.top + 2, place.bottom - 2),
        slice(place.left + place.width // 3, place.left + 2 * place.width // 3),
    )
    assert relit.product == place
    assert Bounds().hold(relit.shift)
    solid = np.zeros(own.pixels.shape[:2], bool)
    solid[inside] = True
    seen = measure_shift(own.pixels, relit.pixels, solid=solid, side=600)
    assert seen.median == pytest.approx(relit.shift.median, abs=2.0)
    assert (own.pixels != relit.pixels).any() == (relit.shift.p95 > 0)


@pytest.mark.parametrize("key", ["terracotta-arch", "sunlit-window"])
def test_the_scene_around_the_product_stays_as_it_is(key):
    own, relit = pair(cutout_of(bottle(500)), key)
    around = np.ones(own.pixels.shape[:2], bool)
    grown = own.product.grown(3)
    around[grown.top : grown.bottom, grown.left : grown.right] = False
    assert np.array_equal(own.pixels[around], relit.pixels[around])


def test_without_a_light_the_pixels_are_the_products_own():
    own, relit = pair(block(), "terracotta-arch")
    assert own.shift is None
    middle = own.product.top + 60, own.product.left + 60
    assert own.pixels[middle].tolist() == [180, 30, 40]
    assert relit.pixels[middle].tolist() != [180, 30, 40]


@pytest.mark.parametrize("key", PATTERNED)
def test_the_pattern_on_the_product_continues_the_one_on_the_ground(key):
    size, likeness = Size(360, 360), []
    for seed in range(16):
        backdrop = render(recipe(key), size=size, seed=seed, view="front")
        light = scene_light(recipe(key), size=size, seed=seed, view="front")
        assert light.light == backdrop.light
        # A board as wide as the picture, with its foot on the ground.
        foot = round(backdrop.box.bottom)
        place = Rect(0, foot - 100, size.width, 100)
        shape = (100, size.width)
        pattern = light_maps._pattern_on(place, shape=shape, light=light, stands=True)[-1]
        strip = backdrop.pixels[foot - 3 : foot + 4].astype(float).sum(axis=(0, 2))
        if pattern.std() > 0.12:
            soft = np.convolve(strip, np.ones(15) / 15, mode="same")[20:-20]
            likeness.append(np.corrcoef(soft, pattern[20:-20])[0, 1])
    assert len(likeness) >= 3, "most grounds are lit evenly at the foot"
    assert np.median(likeness) > 0.7


def test_the_pattern_reaches_what_lies_and_what_hangs():
    for cutout, options in (
        (jumper(), {"view": "top"}),
        (cutout_of(bottle(500)), {"pose": "lying", "view": "front"}),
    ):
        own, relit = pair(cutout, "sunlit-window", **options)
        place = own.product
        inside = slice(place.top, place.bottom), slice(place.left, place.right)
        before, after = (each.pixels[inside].astype(float).sum(2) for each in (own, relit))
        share = (after / np.maximum(before, 1))[before != after]
        assert np.ptp(np.percentile(share, [5, 95])) > 0.05


def test_coloured_surroundings_colour_the_product_and_grey_ones_do_not():
    grey = product(spread=4)
    warm = relight_product(grey, RED, left=180, top=200, light=softbox(), stands=False)
    cold = relight_product(grey, GREY, left=180, top=200, light=softbox(), stands=False)
    red, _, blue = warm.product[..., :3].reshape(-1, 3).mean(0)
    assert red > blue + 6
    red, _, blue = cold.product[..., :3].reshape(-1, 3).mean(0)
    assert abs(red - blue) < 1


def test_a_plain_colour_is_no_room_that_could_lend_its_own():
    own, relit = pair(block(), "brand-colour", pose="standing")
    middle = own.product.top + 60, own.product.left + 60
    assert np.abs(own.pixels[middle].astype(int) - relit.pixels[middle]).max() <= 2
    assert relit.shift.colour_median < 1


def test_a_hard_spot_lends_less_of_the_surroundings_colour():
    shifts = [
        relight_product(
            product(), RED, left=180, top=200, stands=False, bounds=UNBOUNDED,
            light=replace(softbox(), lamp=lamp),
        ).shift.colour_median
        for lamp in ("softbox", "spot")
    ]  # fmt: skip
    assert shifts[1] < 0.6 * shifts[0]


def test_what_stands_gets_darker_towards_its_foot_and_what_hangs_does_not():
    scene = plain_scene(90, 90, 90)
    rows = {}
    for stands in (True, False):
        out = relight_product(
            product(spread=0), scene, left=180, top=200, light=softbox(), stands=stands
        ).product
        rows[stands] = out[..., 0].astype(float).mean(1)
    assert rows[True][-2] < rows[True][200] - 3
    assert abs(rows[False][-2] - rows[False][200]) < 3


def test_black_is_lifted_to_the_black_of_the_scene_and_white_is_not():
    pale = plain_scene(200, 200, 200)
    dark = product(mean=(2, 2, 2), spread=0)
    dark[:150, :, :3] = 250
    out = relight_product(dark, pale, left=180, top=200, light=softbox(), stands=False).product
    assert 3 <= out[200, 120, 0] - 2 <= 7
    assert abs(int(out[60, 120, 0]) - 250) <= 3


def test_a_plain_surface_shows_no_steps_of_light():
    plain = product(mean=(236, 234, 230), spread=0)
    ramp = np.linspace(120, 180, 600)[None, :, None]
    scene = np.broadcast_to(ramp * (1.0, 0.8, 0.6), (600, 600, 3)).astype(np.uint8)
    out = relight_product(plain, scene, left=180, top=200, light=softbox(), stands=False).product
    part = out[100:200, 20:-20, 2].astype(float)
    column = part.mean(0)
    # Rounded, whole columns would have one level, and then the next.
    assert np.ptp(column) > 1
    assert (part.std(0) > 0.2).mean() > 0.8


def test_alpha_is_left_alone():
    pixels = np.array(bottle(300))
    light = softbox()
    out = relight_product(pixels, RED, left=100, top=100, light=light, stands=True).product
    assert np.array_equal(out[..., 3], pixels[..., 3])
    assert not np.array_equal(out, pixels)


def test_a_product_without_a_solid_pixel_is_left_alone():
    glass = product()
    glass[..., 3] = 90
    same = relight_product(glass, RED, left=180, top=200, light=softbox(), stands=True)
    assert np.array_equal(same.product, glass)


def test_the_same_place_gets_the_same_light_at_every_size():
    small, large = (
        pair(cutout_of(bottle(900)), "sunlit-window", size=Size(side, side))[1].pixels
        for side in (400, 800)
    )
    shrunk = np.asarray(Image.fromarray(large).resize((400, 400), Image.Resampling.BOX))
    assert np.abs(shrunk.astype(int) - small).mean() < 4


def test_neutral_scenes_are_known_by_their_recipe():
    known = {key for key in SCENES if is_neutral(recipe(key))}
    assert "studio-white" in known
    assert not known & {*PATTERNED, "oak-table", "festive", "warm-linen"}


@pytest.mark.exhaustive(every=4)
@pytest.mark.skipif(not PHOTOS.is_dir(), reason=NO_PHOTOS)
@pytest.mark.parametrize("key", ["terracotta-arch", "sunlit-window", "festive", "oak-table"])
@pytest.mark.parametrize("name", ["headless-omnichannel-book", "apple-drink", "mighty-mug"])
def test_real_products_stay_within_the_bounds(name, key):
    photo = open_photo((PHOTOS / f"saleor-{name}.png").read_bytes(), **LIMITS)
    shift = pair(cut_out(photo), key)[1].shift
    assert Bounds().hold(shift)
    assert shift.median > 0.3
    assert shift.ncc > 0.98
