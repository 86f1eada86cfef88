"""The drawn product photos: the same each time, and what the app's cut-out needs."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from demo_project.shop import goods, photography
from nb_catalog.imaging.cutout import cut_out
from tests.cases import ordinary

SIDE = 480
ON_A_GROUND = [key for key, make in photography.SUBJECTS.items() if make().background]


def solid(alpha):
    return np.asarray(alpha) > 127


def test_a_photo_is_the_same_each_time():
    first = photography.photo_file("earl-grey", side=200)
    assert first == photography.photo_file("earl-grey", side=200)
    assert first != photography.photo_file("hand-wash", side=200)


@pytest.mark.parametrize(
    "key", ordinary(list(photography.SUBJECTS), chosen=list(photography.SUBJECTS)[::3])
)
def test_a_product_fills_its_photo_and_is_not_cropped(key):
    shape = solid(photography.cut_out(key, side=120).getchannel("A"))
    assert 0.05 < shape.mean() < 0.9
    assert not (shape[0].any() or shape[-1].any() or shape[:, 0].any() or shape[:, -1].any())


@pytest.mark.parametrize("key", ordinary(ON_A_GROUND, chosen=ON_A_GROUND[::4]))
def test_a_product_on_a_ground_cuts_out_cleanly(key):
    drawn = solid(photography.cut_out(key, side=SIDE).getchannel("A"))
    _, data = photography.photo_file(key, side=SIDE)
    found = cut_out(Image.open(BytesIO(data)))
    left, top, right, bottom = found.box
    shape = np.zeros_like(drawn)
    shape[top:bottom, left:right] = found.pixels[..., 3] > 127
    assert found.method == "classical"
    assert (shape & drawn).sum() / (shape | drawn).sum() > 0.96


def test_some_photos_have_a_ground_and_some_are_cut_out_already():
    assert 5 <= len(ON_A_GROUND) <= len(photography.SUBJECTS) - 5
    name, data = photography.photo_file("round-sunglasses", side=200)
    assert name.endswith(".png")
    assert Image.open(BytesIO(data)).mode == "RGBA"


def test_lenses_let_light_through():
    alpha = np.asarray(photography.cut_out("round-sunglasses", side=240).getchannel("A"))
    assert ((alpha > 180) & (alpha < 250)).mean() > 0.03


def test_everything_in_stock_has_a_photo():
    stock = [row["slug"] for kind in ("products", "bundles") for row in goods.load_rows(kind)]
    assert sorted(stock) == sorted(photography.SUBJECTS)
