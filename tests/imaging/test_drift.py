"""How far a member of a series is from its anchor, and why."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from nb_catalog.core.types import Rect, Size
from nb_catalog.imaging import drift
from nb_catalog.imaging.box import Box
from nb_catalog.imaging.compose import compose
from nb_catalog.imaging.drift import ground_line, parts
from nb_catalog.imaging.drift.look import LEAST_SIDE
from tests.calibration.series_pictures import daylight, exposed, grainy, hue_turned, shifted
from tests.imaging.composing import block, goblet, scene

SIZE = Size(640, 640)
SCENE = "oak-table"


def picture(product, key=SCENE, *, seed=3, change=None):
    backdrop = scene(key, size=SIZE, seed=seed)
    if change is not None:
        backdrop = replace(backdrop, pixels=change(backdrop.pixels))
    return compose(product, backdrop, seed=seed, pose="standing")


def look_of(made, *, change=None):
    pixels = made.pixels if change is None else change(made.pixels)
    return drift.take_look(pixels, product=made.product)


@pytest.fixture(scope="module")
def anchor():
    return look_of(picture(goblet()))


@pytest.fixture(scope="module")
def member():
    return picture(block(200, 160))


def test_two_products_in_the_same_scene_have_the_same_look(anchor, member):
    found = drift.measure_drift(anchor, look_of(member))
    assert found.score < 0.6
    assert not found.is_outlier


@pytest.mark.parametrize(
    ("part", "change"),
    [
        ("light", lambda pixels: exposed(pixels, stops=0.3)),
        ("light", lambda pixels: exposed(pixels, stops=-0.3)),
        ("cast", lambda pixels: exposed(pixels, gains=daylight(5800))),
        ("hue", lambda pixels: hue_turned(pixels, degrees=25)),
        ("grain", lambda pixels: grainy(pixels, sigma=6, rng=np.random.default_rng(1))),
        ("ground", lambda pixels: cv2.GaussianBlur(pixels, (0, 0), 2)),
    ],
)
def test_the_worst_part_is_what_was_changed(anchor, member, part, change):
    found = drift.measure_drift(anchor, look_of(member, change=change))
    assert found.is_outlier
    assert found.worst == part
    assert found.parts[part] == found.score


def test_a_lower_horizon_is_found_and_measured(anchor):
    product = block(200, 160)
    lower = look_of(picture(product, change=lambda pixels: shifted(pixels, 0.04)))
    found = drift.measure_drift(anchor, lower)
    assert found.is_outlier
    assert found.parts["line"] * drift.TOLERANCES["line"] == pytest.approx(0.04, abs=0.004)


def test_light_from_the_other_side_is_called_another_light(anchor, member):
    mirrored = picture(block(200, 160), change=lambda pixels: pixels[:, ::-1].copy())
    found = drift.measure_drift(anchor, look_of(mirrored))
    assert found.worst in ("tilt", "layout")
    assert found.score > 2


def test_contrast_is_seen(anchor, member):
    flat = look_of(
        member, change=lambda p: np.rint((p - p.mean()) * 0.6 + p.mean()).astype(np.uint8)
    )
    assert drift.measure_drift(anchor, flat).parts["tones"] > 1


def test_a_third_of_a_stop_is_seen_in_the_dark():
    made = picture(block(200, 160), "dark-marble")
    dark = look_of(picture(goblet(), "dark-marble"))
    found = drift.measure_drift(
        dark, look_of(made, change=lambda pixels: exposed(pixels, stops=0.33))
    )
    assert found.worst == "light"
    assert found.is_outlier
    assert not drift.measure_drift(dark, look_of(made)).is_outlier


def test_another_seed_is_another_look(anchor):
    assert drift.measure_drift(anchor, look_of(picture(block(200, 160), seed=11))).score > 2


def test_the_products_place_is_compared_with_the_expected_box(anchor, member):
    look = look_of(member)
    box = look.product
    for name, other in {
        "height": box._replace(top=box.top - 0.03),
        "centre": box._replace(left=box.left + 0.03, right=box.right + 0.03),
        "baseline": box._replace(top=box.top + 0.03, bottom=box.bottom + 0.03),
    }.items():
        found = drift.measure_drift(anchor, look, expected=other)
        assert found.worst == name
        assert found.score == pytest.approx(0.03 / drift.TOLERANCES[name], abs=0.01)
    assert not drift.measure_drift(anchor, look, expected=box).is_outlier
    assert "height" not in drift.measure_drift(anchor, look).parts


def test_a_picture_of_another_size_has_the_same_look(anchor, member):
    half = cv2.resize(member.pixels, (320, 320), interpolation=cv2.INTER_AREA)
    place = Rect(*(each // 2 for each in member.product))
    found = drift.measure_drift(anchor, drift.take_look(half, product=place))
    assert not found.is_outlier
    # The finish of pictures of different sizes cannot be compared.
    assert not {"grain", "wall", "ground"} & set(found.parts)


def test_an_anchor_of_another_ratio_is_not_compared(anchor, member):
    wide = drift.take_look(member.pixels[100:500], product=member.product)
    found = drift.measure_drift(anchor, wide)
    assert (found.score, found.missing) == (None, "ratio")
    assert not found.is_outlier
    assert found.as_dict() == {"missing": "ratio"}


def test_a_picture_that_is_all_product_is_not_compared(anchor, member):
    whole = drift.take_look(member.pixels, product=Rect(0, 0, *SIZE))
    assert drift.measure_drift(anchor, whole).missing == "covered"


def test_a_grey_picture_is_compared(anchor, member):
    grey = np.repeat(cv2.cvtColor(member.pixels, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=-1)
    found = drift.measure_drift(anchor, drift.take_look(grey, product=member.product))
    assert found.is_outlier
    both = drift.take_look(grey, product=member.product)
    assert drift.measure_drift(both, both).score == 0


@pytest.mark.parametrize(
    ("pixels", "product", "says"),
    [
        (np.zeros((400, 400), np.uint8), Rect(9, 9, 99, 99), "Convert the picture to RGB"),
        (np.zeros((400, 400, 4), np.uint8), Rect(9, 9, 99, 99), "Convert the picture to RGB"),
        (np.zeros((400, 400, 3), np.float32), Rect(9, 9, 99, 99), "float32"),
        (np.zeros((400, LEAST_SIDE - 1, 3), np.uint8), Rect(9, 9, 99, 99), "127 x 400"),
        (np.zeros((400, 400, 3), np.uint8), Rect(9, 9, 0, 0), "shares no pixel"),
        (np.zeros((400, 400, 3), np.uint8), Rect(500, 9, 50, 50), "shares no pixel"),
    ],
)
def test_what_has_no_look_is_refused(pixels, product, says):
    with pytest.raises(ValueError, match=says):
        drift.take_look(pixels, product=product)


def test_a_box_beyond_the_frame_is_accepted(member):
    look = drift.take_look(member.pixels, product=Rect(-50, 300, 300, 900))
    assert look.product == Box(-50 / 640, 300 / 640, 250 / 640, 1200 / 640)


def test_shadows_count_a_quarter_and_the_product_not_at_all():
    weight = parts.weights(Box(0.4, 0.3, 0.6, 0.7), 100, 100)
    assert weight[50, 50] == 0
    assert weight[65, 70] == 0.25
    assert weight[20, 10] == weight[95, 5] == 1


def test_a_sweep_without_a_horizon_has_no_ground_line():
    looks = [look_of(picture(each, "studio-white")) for each in (goblet(), block(200, 160))]
    free = np.minimum(*(parts.weights(each.product, 64, 64) for each in looks)) > 0
    assert ground_line.compare(*looks, free=free) is None


def test_a_look_is_small(anchor):
    maps = (anchor.light, anchor.colours, anchor.bands, anchor.detail, anchor.grain)
    assert sum(each.nbytes for each in maps) < 450_000


@pytest.mark.parametrize("part", [*drift.TOLERANCES, "of an older version"])
def test_each_part_is_described_in_a_sentence(part):
    assert str(drift.describe_part(part)).endswith(".")
