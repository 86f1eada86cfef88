"""Where the product is in a picture whose mask is unknown."""

import cv2
import numpy as np
import pytest
from PIL import Image

from nb_catalog.core.types import Rect, Size
from nb_catalog.imaging import product_box
from nb_catalog.imaging.box import Box
from nb_catalog.imaging.compose import Framing, compose
from nb_catalog.imaging.cutout import CutoutBackend, FoundMask
from nb_catalog.imaging.product_box.colours import box_by_colours
from nb_catalog.imaging.product_box.features import box_by_features
from nb_catalog.imaging.product_box.outline import box_by_outline
from tests.calibration.series_pictures import exposed, grainy
from tests.imaging.composing import block, cutout_of, scene

SIZE = Size(640, 640)


def printed():
    """A block with a print that does not repeat."""
    cells = np.random.default_rng(4).integers(0, 255, (40, 30, 4), np.uint8)
    cells[..., 3] = 255
    return cutout_of(Image.fromarray(cells).resize((600, 800), Image.Resampling.NEAREST))


def painted(product, *, key="oak-table", fill=0.8, right=0.03, up=0.02):
    """The product smaller, elsewhere and in other light than in the box in which it was asked for."""
    backdrop = scene(key, size=SIZE)
    expected = compose(product, backdrop, pose="standing", framing=Framing(fill=0.85)).product
    made = compose(
        product, backdrop, pose="standing", framing=Framing(fill=fill, right=right, up=up)
    )
    pixels = exposed(made.pixels, stops=0.15, gains=np.array([1.03, 1.0, 0.95]))
    return grainy(pixels, sigma=1.5, rng=np.random.default_rng(2)), expected, made.product


def deviation(found, true):
    box = Box.of(true, SIZE)
    return max(
        abs(found.height - box.height),
        abs(found.centre - box.centre),
        abs(found.bottom - box.bottom),
    )


def test_a_printed_product_is_found_by_its_print_and_its_outline():
    product = printed()
    pixels, expected, true = painted(product)
    found = product_box.measure_box(pixels, product=product.pixels, expected=expected)
    assert {"features", "outline"} <= set(found.ways)
    assert deviation(found.box, true) < 0.01
    assert deviation(Box.of(expected, SIZE), true) > 0.02


def test_a_plain_product_is_found_by_its_outline_and_its_colours():
    product = block(300, 400)
    pixels, expected, true = painted(product, fill=0.92, right=-0.02, up=0.0)
    assert box_by_features(pixels, product.pixels) is None
    found = product_box.measure_box(pixels, product=product.pixels, expected=expected)
    assert found.ways == ("outline", "colours")
    assert deviation(found.box, true) < 0.01


@pytest.mark.parametrize("degrees", [-4, 4])
def test_a_plain_product_is_found_although_a_model_turned_it(degrees):
    product = block(300, 400)
    turned = Image.fromarray(product.pixels).rotate(degrees, Image.Resampling.BICUBIC, expand=True)
    backdrop = scene("oak-table", size=SIZE)
    expected = compose(product, backdrop, pose="standing", framing=Framing(fill=0.85)).product
    made = compose(cutout_of(turned), backdrop, pose="standing", framing=Framing(fill=0.86))
    assert deviation(box_by_outline(made.pixels, product.pixels, expected), made.product) < 0.012
    found = product_box.measure_box(made.pixels, product=product.pixels, expected=expected)
    assert deviation(found.box, made.product) < 0.01


def test_nothing_is_guessed_if_the_product_is_not_there():
    product = block(300, 400)
    pixels = np.array(scene("garden-stone", size=SIZE).pixels)
    expected = Rect(200, 150, 240, 320)
    assert product_box.measure_box(pixels, product=product.pixels, expected=expected) is None


def test_a_network_is_asked_about_the_part_around_the_expected_box():
    class Network(CutoutBackend):
        def find_mask(self, view):
            self.size = view.size
            alpha = np.zeros((view.height, view.width), np.uint8)
            # Whatever is red there.
            red = np.asarray(view).astype(int)
            alpha[(red[..., 0] > 120) & (red[..., 1] < 60)] = 255
            return FoundMask(alpha=alpha, method="network", maker="red", score=1.0)

    product = block(300, 400)
    pixels, expected, true = painted(product)
    backend = Network()
    box = product_box.box_by_network(pixels, expected, backend)
    assert backend.size[0] < SIZE.width
    assert deviation(box, true) < 0.01


@pytest.mark.parametrize(
    ("found", "box"),
    [
        ({"a": Box(0.1, 0.1, 0.5, 0.5), "b": None}, None),
        ({"a": Box(0.1, 0.1, 0.5, 0.5), "b": Box(0.1, 0.1, 0.5, 0.52)}, None),
        (
            {"a": Box(0.1, 0.1, 0.5, 0.5), "b": Box(0.11, 0.1, 0.5, 0.5), "c": Box(0.3, 0, 1, 1)},
            Box(0.105, 0.1, 0.5, 0.5),
        ),
        (
            {"a": Box(0.1, 0, 1, 1), "b": Box(0.104, 0, 1, 1), "c": Box(0.116, 0, 1, 1)},
            Box(0.104, 0, 1, 1),
        ),
    ],
)
def test_two_ways_have_to_agree_on_each_side(found, box):
    agreed = product_box.agreed_box(found)
    assert (agreed and agreed.box) == (box and pytest.approx(box))


def test_a_box_outside_the_picture_and_an_invisible_product_are_refused():
    pixels = np.zeros((200, 200, 3), np.uint8)
    with pytest.raises(ValueError, match="outside the picture"):
        product_box.measure_box(pixels, product=block().pixels, expected=Rect(300, 0, 50, 50))
    with pytest.raises(ValueError, match="Nothing of the product"):
        product_box.measure_box(
            pixels, product=np.zeros((9, 9, 4), np.uint8), expected=Rect(0, 0, 50, 50)
        )


def test_a_product_that_fills_the_frame_is_not_measured_by_its_colours():
    product = block(300, 300)
    pixels = cv2.resize(product.pixels[..., :3], (200, 200))
    found = product_box.measure_box(pixels, product=product.pixels, expected=Rect(0, 0, 200, 200))
    assert found is None or "colours" not in found.ways


def test_one_colour_tells_nothing_of_a_product():
    """GrabCut divides even that, after seconds."""
    grain = np.random.default_rng(3).integers(0, 4, (*SIZE, 3), np.uint8)
    expected = Box(0.2, 0.1, 0.8, 0.9)
    assert box_by_colours(200 + grain, block(300, 400).pixels, expected) is None
    pixels, place, _true = painted(block(300, 400))
    assert box_by_colours(pixels, block(300, 400).pixels, Box.of(place, SIZE)) is not None
