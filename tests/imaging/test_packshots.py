"""Framing as a recipe wishes it, plain colours, and the packshots that marketplaces ask for."""

from __future__ import annotations

import numpy as np
import pytest

from nb_catalog.core.types import Size
from nb_catalog.imaging import compose as composing
from nb_catalog.imaging.compose import fit_scene
from nb_catalog.imaging.scenery import SceneRecipe, render
from nb_catalog.imaging.scenery.stage import LIFT, ROOM, build_stage
from nb_catalog.providers.model_specs import RATIOS, pixel_size
from tests.imaging.composing import SCENES, block, jumper, scene, solid_block

SQUARE = Size(800, 800)
PACKSHOTS = ("packshot-white", "packshot-shadow")
OAK = {"surface": {"kind": "oak"}, "wall": {"kind": "plaster"}}


def recipe_with(**framing: object) -> SceneRecipe:
    return SceneRecipe.from_mapping({**OAK, "framing": framing})


def placed(recipe: SceneRecipe, *, size: Size = SQUARE, seed: int = 3, product=None, view="front"):
    """Where the product is, as shares of the frame."""
    backdrop = render(recipe, size=size, seed=seed, view=view)
    product = product or block()
    at = composing.compose(product, backdrop, seed=seed).product
    return np.array([at.left, at.top, at.right, at.bottom]) / (*size, *size)


# Packshots


@pytest.mark.parametrize("key", PACKSHOTS)
@pytest.mark.parametrize("shape", [(300, 300), (400, 130), (130, 400)])
@pytest.mark.parametrize("seed", [1, 77])
def test_a_packshot_fills_85_percent_of_a_square_and_is_centred(key, shape, seed):
    left, top, right, bottom = placed(
        SceneRecipe.from_mapping(SCENES[key]), product=block(*shape), seed=seed
    )
    assert max(right - left, bottom - top) == pytest.approx(0.85, abs=0.003)
    assert (left + right) / 2 == pytest.approx(0.5, abs=0.003)
    assert (top + bottom) / 2 == pytest.approx(0.5, abs=0.003)


@pytest.mark.exhaustive(every=5)
@pytest.mark.parametrize("key", PACKSHOTS)
@pytest.mark.parametrize("ratio", RATIOS)
def test_a_packshot_of_any_ratio_takes_85_percent_of_one_side(key, ratio):
    size = pixel_size(ratio, "1K" if ratio == "21:9" else "512")
    for product, view in ((block(), "front"), (jumper(), "top")):
        left, top, right, bottom = placed(
            SceneRecipe.from_mapping(SCENES[key]), size=size, product=product, view=view
        )
        assert max(right - left, bottom - top) == pytest.approx(0.85, abs=0.006)


@pytest.mark.parametrize(("view", "pose"), [("front", "standing"), ("top", "lying")])
def test_without_a_shadow_all_that_is_not_the_product_is_white(view, pose):
    backdrop = scene("packshot-white", size=SQUARE, view=view)
    made = composing.compose(solid_block(300, 200), backdrop, pose=pose)
    around = np.ones(made.pixels.shape[:2], bool)
    at = made.product
    around[at.top - 2 : at.bottom + 2, at.left - 2 : at.right + 2] = False
    assert made.pixels[around].min() == 255


@pytest.mark.parametrize("shape", [(300, 300), (400, 130), (130, 400)])
def test_a_contact_shadow_ends_before_the_frame_and_all_else_is_white(shape):
    backdrop = scene("packshot-shadow", size=SQUARE)
    made = composing.compose(solid_block(*shape), backdrop, pose="standing")
    picture, at = made.pixels.astype(int), made.product
    below = picture[at.bottom : at.bottom + 3, at.left + 20 : at.right - 20]
    assert below.min() < 150
    rim = np.concatenate([picture[0], picture[-1], picture[:, 0], picture[:, -1]])
    assert rim.min() == 255
    # It ends where half of the room beside the product is left, instead of being cut there.
    assert picture[at.bottom + 3, : at.left // 2, 1].min() > 246
    # Nothing is thrown to one side, and nothing is darker than it was nearer to the product.
    assert picture[: at.top + at.height // 2].reshape(-1, 3)[:, 1].max() == 255
    sides = picture[at.bottom - 4, : at.left - 3, 1], picture[at.bottom - 4, at.right + 3 :, 1]
    assert abs(int(sides[0].sum()) - int(sides[1].sum())) < 0.02 * 255 * at.left + 60
    column = picture[at.bottom + 2 :, at.left + at.width // 2, 1]
    assert (np.diff(column) >= 0).all()
    assert np.diff(column).max() < 40


# A plain colour


@pytest.mark.parametrize("tone", ["#2f6f78", "#ffffff", "#000000", "#e30613"])
@pytest.mark.parametrize("view", ["front", "top"])
def test_a_plain_scene_is_exactly_its_colour(tone, view):
    recipe = SceneRecipe.from_mapping({"surface": {"kind": "plain", "tone": tone}})
    pixels = render(recipe, size=Size(300, 200), seed=5, view=view).pixels
    expected = tuple(int(tone[at : at + 2], 16) for at in (1, 3, 5))
    assert (pixels == expected).all()
    assert not pixels.flags.writeable


def test_the_brands_colour_stays_exact_away_from_the_product():
    backdrop = scene("brand-colour", size=SQUARE)
    made = composing.compose(block(), backdrop)
    assert (made.pixels[:60] == backdrop.pixels[0, 0]).all()
    foot = made.pixels[made.product.bottom + 2, 400].astype(int)
    assert foot.sum() < 0.5 * backdrop.pixels[0, 0].sum()


def test_a_plain_ground_with_a_wall_or_a_prop_is_lit():
    plain = {"surface": {"kind": "plain", "tone": "#7788aa"}}
    podium = {"kind": "podium", "tone": "#7788aa", "surface": "plain"}
    for more in ({"wall": {"kind": "plain", "tone": "#aa8877"}}, {"props": [podium]}):
        recipe = SceneRecipe.from_mapping({**plain, **more})
        assert render(recipe, size=Size(200, 200), seed=1).pixels.std(axis=(0, 1)).min() > 2


# Shadows


@pytest.mark.parametrize(("view", "pose"), [("front", "standing"), ("top", "lying")])
def test_a_recipe_says_which_shadow_it_wants(view, pose):
    darkest = {}
    for shadow in ("cast", "contact", "none"):
        recipe = SceneRecipe.from_mapping(
            {"surface": {"kind": "plain", "tone": "#cccccc"}, "shadow": shadow}
        )
        backdrop = render(recipe, size=Size(400, 400), seed=2, view=view)
        made = composing.compose(solid_block(120, 200), backdrop, pose=pose)
        darkest[shadow] = int((backdrop.pixels.astype(int) - made.pixels).clip(0).sum())
    product = darkest["none"]
    assert darkest["cast"] > darkest["contact"] > product
    # Only the product itself is darker than the ground.
    red = solid_block(120, 200).pixels[0, 0, :3].astype(int)
    assert product == pytest.approx((204 - red).clip(0).sum() * at_area(made.product), rel=0.02)


def at_area(rect) -> int:
    return rect.width * rect.height


# Framing


@pytest.mark.parametrize("seed", range(4))
def test_an_exact_place_does_not_depend_on_the_seed(seed):
    one = placed(recipe_with(place="centre", fill=0.6), seed=0)
    assert placed(recipe_with(place="centre", fill=0.6), seed=seed) == pytest.approx(one, abs=0.002)
    assert (one[0] + one[2]) / 2 == pytest.approx(0.5, abs=0.002)


@pytest.mark.parametrize("fill", [0.4, 0.6, 0.9])
@pytest.mark.parametrize("view", ["front", "top"])
def test_fill_is_the_products_share_of_the_frame(fill, view):
    product = block(200, 200)
    left, top, right, bottom = placed(
        recipe_with(place="centre", fill=fill), product=product, view=view
    )
    assert max(right - left, bottom - top) == pytest.approx(fill, abs=0.004)


def test_fill_beside_framing_is_the_same_wish():
    old = SceneRecipe.from_mapping({**OAK, "fill": 0.5, "framing": {"place": "centre"}})
    assert old == recipe_with(fill=0.5, place="centre")


def test_a_product_stands_on_the_left_or_on_the_right():
    left, right = (placed(recipe_with(place=each, fill=0.5)) for each in ("left", "right"))
    assert left[[0, 2]].mean() == pytest.approx(0.36, abs=0.002)
    assert right[[0, 2]].mean() == pytest.approx(0.64, abs=0.002)


@pytest.mark.parametrize("baseline", [0.1, 0.2, 0.4])
def test_a_product_stands_on_the_baseline(baseline):
    bottom = placed(recipe_with(place="centre", baseline=baseline), product=block(120, 400))[3]
    assert bottom == pytest.approx(1 - baseline, abs=0.002)
    top = placed(recipe_with(place="centre", baseline=baseline), product=block(120, 400))[1]
    assert top > 0.1


@pytest.mark.exhaustive(every=5)
@pytest.mark.parametrize("size", [SQUARE, Size(640, 800), Size(900, 506)])
@pytest.mark.parametrize("view", ["front", "top"])
@pytest.mark.parametrize("place", ["vary", "centre"])
@pytest.mark.parametrize("room", ["left", "right", "above"])
def test_room_for_text_stays_free(room, place, view, size):
    for product in (block(100, 400), block(400, 180)):
        left, top, right, bottom = placed(
            recipe_with(room=room, place=place), size=size, product=product, view=view
        )
        assert min(left, top, 1 - right, 1 - bottom) >= 0
        # A product that varies may lean a little into the room.
        spare = 0.04 if place == "vary" else 0.002
        assert {"left": left, "right": 1 - right, "above": top}[room] >= ROOM[room] - spare


def test_the_photo_needs_fewer_pixels_for_a_smaller_product():
    photo = solid_block(1500, 3000)
    sizes = [
        fit_scene(
            photo, recipe_with(fill=fill, place="centre"), size=Size(2048, 2048), seed=2,
            view="front",
        ).enlargement
        for fill in (0.4, 0.8)
    ]  # fmt: skip
    assert sizes[1] == pytest.approx(2 * sizes[0], rel=0.01)


def test_a_low_product_in_a_scene_with_ground_does_not_leave_it():
    """On a table, "centre" does not lift a low product into the air."""
    recipe = recipe_with(place="centre")
    stage = build_stage(recipe, size=SQUARE, seed=3, view="front")
    bottom = placed(recipe, product=block(400, 60))[3] * SQUARE.height
    assert stage.edge + 0.3 * (stage.floor - stage.edge) < bottom <= stage.floor
    assert (
        build_stage(SceneRecipe.from_mapping(OAK), size=SQUARE, seed=3, view="front").box.lift
        == LIFT
    )
