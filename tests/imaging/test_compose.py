"""Composing: the product's own pixels, standing where they should, in a shadow that obeys the lamp."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from PIL import Image

from nb_catalog.core.types import Size
from nb_catalog.imaging import compose as composing
from nb_catalog.imaging.compose import (
    Framing,
    estimate_pose,
    shadows,
    view_for,
)
from nb_catalog.imaging.cutout import CropBox, Cutout, cut_out
from nb_catalog.imaging.inspect import open_photo
from nb_catalog.imaging.scenery import Light, SceneRecipe, render
from nb_catalog.imaging.scenery.stage import plain_box
from nb_catalog.providers.model_specs import RATIOS, pixel_size
from tests.imaging.composing import (
    GREY,
    SCENES,
    SMALL,
    block,
    cap,
    compose,
    compose_on,
    cutout_of,
    darkening,
    goblet,
    jumper,
    scene,
)
from tests.imaging.pictures import LIMITS, NO_PHOTOS, PHOTOS, bottle, mug

# What stands and what lies, as a person would say of the real photos.
STAND = (
    "apple-drink", "carrot-drink", "cushion-blue", "dash-force-1", "dash-force-2",
    "headless-omnichannel-book", "mighty-mug",
)  # fmt: skip
LIE = ("beanie-1", "blue-hoodie", "polo-shirt-front", "sunnies", "white-plimsolls-1")


def linear(pixels: np.ndarray) -> np.ndarray:
    """Light, as IEC 61966-2-1 defines sRGB."""
    share = pixels / 255
    return np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)


def found(picture: np.ndarray, product: np.ndarray) -> tuple[int, int]:
    """Where ``product`` (RGBA) lies in ``picture``, by its solid pixels."""
    solid = (product[..., 3] == 255).astype(np.uint8) * 255
    solid = cv2.cvtColor(solid, cv2.COLOR_GRAY2RGB)
    score = cv2.matchTemplate(
        picture, np.ascontiguousarray(product[..., :3]), cv2.TM_SQDIFF, mask=solid
    )
    _, _, (x, y), _ = cv2.minMaxLoc(score)
    return x, y


@pytest.mark.parametrize(
    ("key", "view"),
    [
        ("oak-table", "front"),
        ("marble", "front"),
        ("pastel-podium", "front"),
        ("garden-stone", "top"),
    ],
)
@pytest.mark.parametrize("image", [bottle, mug])
def test_solid_pixels_of_the_product_arrive_as_they_are(image, key, view):
    original = cutout_of(image(720))
    backdrop = scene(key, view=view)
    picture = compose(original, backdrop, seed=1)
    solid_rows = np.abs(picture.astype(int) - backdrop.pixels).sum(2)
    assert solid_rows.any()
    tall, wide = original.pixels.shape[:2]
    scale = min(backdrop.box.width / wide, backdrop.box.height / tall, 1.5)
    size = (round(wide * scale), round(tall * scale))
    expected = np.array(
        Image.fromarray(original.pixels).resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
    )
    x, y = found(picture, expected)
    inside = picture[y : y + size[1], x : x + size[0]].astype(int)
    solid = expected[..., 3] == 255
    assert solid.mean() > 0.4
    assert np.abs(inside - expected[..., :3].astype(int))[solid].max() <= 1


@pytest.mark.parametrize("azimuth", [-60.0, 60.0])
def test_the_cast_shadow_falls_away_from_the_lamp(azimuth):
    light = Light(azimuth=azimuth, elevation=40, softness=0.2)
    dark = darkening(GREY, compose_on(block(), GREY, light=light))
    box = plain_box(SMALL)
    low = slice(int(box.bottom) - 45, int(box.bottom) + 8)
    left, right = dark[low, :95].sum(), dark[low, -95:].sum()
    away, towards = (right, left) if azimuth < 0 else (left, right)
    assert away > 3 * max(towards, 1)


def test_a_soft_lamp_casts_a_softer_shadow():
    def steepest(softness: float) -> int:
        light = Light(azimuth=-60, elevation=40, softness=softness)
        dark = darkening(GREY, compose_on(block(), GREY, light=light))
        return int(np.abs(np.diff(dark[:, 305:], axis=0)).max())

    assert steepest(0.0) > 2 * steepest(1.0)


def test_the_ground_is_darkest_where_the_product_touches_it():
    picture = compose_on(block(), GREY)
    column = darkening(GREY, picture)[:, 200]
    foot = int(np.flatnonzero((picture[:, 200] == (180, 30, 40)).all(1))[-1])
    assert column[foot + 3] > 240
    assert column[foot + 3] > 5 * column[foot + 20]


def test_a_round_base_touches_the_ground_all_along_its_front():
    """A tin seen from above ends in an ellipse: beside its lowest point it stands too."""
    height, width, depth = 300, 200, 40
    x = np.abs(np.arange(width) - (width - 1) / 2) / (width / 2)
    underside = height - 1 - depth * (1 - np.sqrt(np.clip(1 - x**2, 0, 1)))
    alpha = (np.arange(height)[:, None] <= underside).astype(np.uint8) * 255
    backdrop = scene("studio-white", view="front")
    shape = shadows.silhouette(alpha, left=90, top=90, backdrop=backdrop)
    contact = shadows.contact_line(shape)
    columns = np.round((np.arange(width) + 90) * shape.scale).astype(int)
    at_middle, towards_rim = columns[width // 2], columns[round(0.1 * width)]
    assert contact[:, at_middle].max() > 0.9
    assert contact[:, towards_rim].max() > 0.8


def test_a_lifted_toe_does_not_touch_the_ground():
    alpha = np.full((100, 300), 255, np.uint8)
    for column in range(240, 300):
        alpha[100 - (column - 240) // 3 :, column] = 0
    backdrop = scene("studio-white", view="front")
    shape = shadows.silhouette(alpha, left=20, top=90, backdrop=backdrop)
    contact = shadows.contact_line(shape)
    assert contact[:, round(100 * shape.scale)].max() > 0.9
    assert contact[:, round(315 * shape.scale)].max() < 0.3


def test_a_stand_catches_the_shadow_and_the_ground_below_it_does_not():
    backdrop = scene("pastel-podium")
    dark = darkening(backdrop.pixels, compose(block(60, 200), backdrop))
    assert backdrop.platform is not None
    outside = backdrop.platform == 0
    outside[: int(backdrop.box.bottom)] = False
    assert np.abs(dark[outside]).max() == 0
    assert dark[int(backdrop.box.bottom) + 6, int(backdrop.box.centre)] > 30


def test_a_shadow_ends_with_the_table():
    backdrop = scene("oak-table", seed=8)
    picture = compose(block(60, 300), backdrop)
    beside = np.r_[0:100, 300:400]
    dark = darkening(backdrop.pixels, picture)[:, beside]
    assert np.abs(dark[: int(backdrop.edge) - 3]).max() == 0


@pytest.mark.parametrize("warmth", [-0.9, 0.0, 0.9])
@pytest.mark.parametrize("key", ["warm-linen", "terracotta-arch", "festive", "concrete"])
def test_a_contact_shadow_has_the_colour_of_its_ground(key, warmth):
    light = {**SCENES[key]["light"], "warmth": warmth}
    recipe = SceneRecipe.from_mapping(
        {**SCENES[key], "light": light, "surface": {**SCENES[key]["surface"], "gloss": 0}}
    )
    backdrop = render(recipe, size=SMALL, seed=3)
    made = composing.compose(block(), backdrop, pose="standing")
    below = (
        slice(made.product.bottom, made.product.bottom + 4),
        slice(made.product.left + 20, made.product.right - 20),
    )
    shadow, ground = (linear(each[below]).mean((0, 1)) for each in (made.pixels, backdrop.pixels))
    assert shadow.sum() < 0.5 * ground.sum()
    warmer = (shadow[0] / shadow[2]) / (ground[0] / ground[2])
    # What light is left was thrown back by warm ground: redder, but not glowing.
    assert (1.05 if key in ("warm-linen", "terracotta-arch") else 0.97) < warmer < 1.4


def test_what_the_lamp_does_not_reach_has_the_colour_of_the_fill_light():
    warm, cool = (Light(colour=each).shade for each in ((1.1, 1.0, 0.85), (0.9, 1.0, 1.15)))
    assert warm[2] > 1 > warm[0]
    assert cool[0] > 1 > cool[2]
    assert Light().shade == pytest.approx((1, 1, 1))


def test_polished_ground_mirrors_the_product():
    red = block()
    dull, glossy = (
        render(
            SceneRecipe.from_mapping(
                {"surface": {"kind": "paper", "tone": "#cccccc", "gloss": gloss}, "edge": "floor"}
            ),
            size=SMALL,
            seed=1,
        )
        for gloss in (0.0, 1.0)
    )
    below = (slice(int(dull.box.bottom) + 12, int(dull.box.bottom) + 25), slice(190, 210))
    tints = [
        np.subtract(*compose(red, each)[below].reshape(-1, 3).mean(0)[[0, 1]])
        for each in (dull, glossy)
    ]
    assert tints[1] > tints[0] + 15


def test_half_covered_edges_mix_in_linear_light():
    pixels_ = np.zeros((200, 120, 4), np.uint8)
    pixels_[..., :3] = 255
    pixels_[..., 3] = 128
    pixels_[20:-20, 20:-20, 3] = 255
    veil = Cutout(
        pixels=pixels_, box=CropBox(0, 0, 120, 200), photo_size=Size(120, 200), method="a"
    )
    black = np.zeros((400, 400, 3), np.uint8)
    picture = compose_on(veil, black)
    half = [value for value in np.unique(picture) if 0 < value < 255]
    # 50 % of white is sRGB 188; mixed in sRGB it would be 128.
    assert max(np.bincount(picture.ravel())[120:135]) < 100
    assert 160 < max(half, key=lambda value: int((picture == value).sum())) < 190


@pytest.mark.exhaustive(every=5)
@pytest.mark.parametrize("ratio", RATIOS)
@pytest.mark.parametrize("shape", [(100, 400), (400, 100), (300, 300)])
def test_a_product_of_any_shape_stays_in_the_frame(shape, ratio):
    size = pixel_size(ratio, "1K" if ratio == "21:9" else "512")
    picture = compose_on(block(*shape), np.full((size.height, size.width, 3), 200, np.uint8))
    red = (picture == (180, 30, 40)).all(2)
    rim = np.concatenate([red[0], red[-1], red[:, 0], red[:, -1]])
    assert red.mean() > 0.015
    assert not rim.any()


def test_the_backdrop_is_left_as_it_was():
    backdrop = scene("marble")
    before = backdrop.pixels.copy()
    compose(block(), backdrop)
    assert np.array_equal(backdrop.pixels, before)
    picture = GREY.copy()
    compose_on(block(), picture)
    assert np.array_equal(picture, GREY)


def test_the_same_seed_composes_the_same_bytes():
    backdrop = scene("festive")
    one, same = (compose(block(), backdrop, seed=4) for _ in range(2))
    assert np.array_equal(one, same)


def test_framing_shrinks_and_shifts():
    whole = compose_on(block(), GREY)
    half = compose_on(block(), GREY, framing=Framing(fill=0.5, right=0.2))
    red = [(each == (180, 30, 40)).all(2) for each in (whole, half)]
    assert 0.2 < red[1].sum() / red[0].sum() < 0.3
    middle = [np.flatnonzero(each.any(0)).mean() for each in red]
    assert middle[1] > middle[0] + 40
    with pytest.raises(ValueError, match=r"fill.*0\.05 to 1\.5.*9"):
        Framing(fill=9)


# Standing or lying


@pytest.mark.parametrize("product", [block(), cutout_of(bottle()), cutout_of(mug()), goblet()])
def test_what_has_a_foot_stands_and_is_seen_from_the_front(product):
    assert estimate_pose(product.pixels[..., 3]) == "standing"
    assert view_for(product) == "front"


@pytest.mark.parametrize("product", [jumper(), cap()])
def test_what_has_no_foot_lies_and_is_seen_from_above(product):
    assert estimate_pose(product.pixels[..., 3]) == "lying"
    assert view_for(product) == "top"


@pytest.mark.exhaustive(every=4)
@pytest.mark.skipif(not PHOTOS.is_dir(), reason=NO_PHOTOS)
@pytest.mark.parametrize("name", [*STAND, *LIE])
def test_real_packshots_rest_as_a_person_would_put_them(name):
    data = (PHOTOS / f"saleor-{name}.png").read_bytes()
    product = cut_out(open_photo(data, **LIMITS))
    assert view_for(product) == ("front" if name in STAND else "top")


def test_a_flat_lay_has_its_shadow_all_round_and_longer_on_one_side():
    light = Light(azimuth=-60, elevation=45, softness=0.4)
    picture = compose_on(jumper(), GREY, light=light, view="top")
    dark = darkening(GREY, picture)
    red = (picture == (180, 30, 40)).all(2)
    rows = np.flatnonzero(red.any(1))
    assert abs(rows.mean() - (plain_box(SMALL).bottom - plain_box(SMALL).height / 2)) < 4
    body = red[rows[0] + 5]
    left, right = np.flatnonzero(body)[[0, -1]]
    near = dark[rows[0] + 5]
    assert near[left - 4] > 0
    assert near[right + 6] > near[left - 6]


def test_clothing_in_a_front_view_hangs_clear_of_the_ground():
    recipe = SceneRecipe.from_mapping({**SCENES["concrete"], "view": "front"})
    backdrop = render(recipe, size=SMALL, seed=3)
    picture = compose(jumper(), backdrop)
    red = (picture == (180, 30, 40)).all(2)
    assert np.flatnonzero(red.any(1))[-1] < backdrop.box.bottom - 4


def test_it_says_where_the_product_is():
    made = composing.compose_on(block(), GREY, framing=Framing(fill=0.5, right=0.2))
    where = made.product
    middle = made.pixels[where.top + where.height // 2, where.left + where.width // 2].astype(int)
    rows, columns = np.nonzero(np.abs(made.pixels - middle).max(axis=2) < 12)
    edges = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
    assert edges == pytest.approx((where.left, where.top, where.right, where.bottom), abs=2)
