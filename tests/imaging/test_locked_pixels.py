"""A locked product has the pixels of its scaled photo: in every scene, ratio and size, to the last one."""

from __future__ import annotations

from itertools import cycle

import numpy as np
import pytest
from PIL import Image

from nb_catalog.imaging import compose as composing
from nb_catalog.providers.model_specs import RATIOS, pixel_size
from tests.imaging.composing import SCENES, cutout_of, scene

# Each scene in one of the ratios, each ratio in one scene at least.
EACH = list(zip(SCENES, cycle(RATIOS), cycle(["front", "top"]), strict=False))
LARGE = list(
    zip(["oak-table", "packshot-white", "sunlit-window", "pastel-podium"], RATIOS, strict=False)
)


def printed(width: int, height: int) -> Image.Image:
    """A product without two equal pixels side by side: a shift or a blur changes nearly all of them."""
    pixels = np.random.default_rng(11).integers(0, 256, (height, width, 4), np.uint8)
    pixels[..., 3] = 255
    return Image.fromarray(pixels)


def assert_own_pixels(picture: composing.Composition, product: Image.Image) -> None:
    left, top, width, height = picture.product
    scaled = product.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=3.0)
    seen = picture.pixels[top : top + height, left : left + width]
    assert np.array_equal(seen, np.asarray(scaled)[..., :3])


@pytest.mark.exhaustive(every=4)
@pytest.mark.parametrize(("key", "ratio", "view"), EACH)
def test_a_locked_product_has_the_pixels_of_its_scaled_photo(key, ratio, view):
    product = printed(600, 700)
    backdrop = scene(key, size=pixel_size(ratio, "1K"), view=view)
    assert_own_pixels(composing.compose(cutout_of(product), backdrop, seed=4), product)


@pytest.mark.exhaustive(every=4)
@pytest.mark.parametrize("ratio", RATIOS)
def test_so_it_has_in_a_background_that_a_model_painted(ratio):
    product, size = printed(600, 700), pixel_size(ratio, "1K")
    painted = np.full((size.height, size.width, 3), 150, np.uint8)
    assert_own_pixels(composing.compose_on(cutout_of(product), painted, seed=4), product)


@pytest.mark.matrix
@pytest.mark.parametrize(("key", "ratio"), LARGE)
def test_so_it_has_at_4k(key, ratio):
    product = printed(2600, 3000)
    backdrop = scene(key, size=pixel_size(ratio, "4K"), view="front")
    assert_own_pixels(composing.compose(cutout_of(product), backdrop, seed=4), product)
