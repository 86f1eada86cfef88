"""Features of a product, which are kept."""

import numpy as np
import pytest

from nb_catalog.imaging import root_sift
from nb_catalog.imaging.recent import RecentArrays


@pytest.fixture
def computed(monkeypatch):
    """What features were really looked for in."""
    monkeypatch.setattr(root_sift, "_products", RecentArrays(max_bytes=2**20))
    seen = []
    real = root_sift.root_sift
    monkeypatch.setattr(
        root_sift,
        "root_sift",
        lambda grey, *args, **kw: seen.append(grey) or real(grey, *args, **kw),
    )
    return seen


def product(seed):
    return np.random.default_rng(seed).integers(0, 256, (80, 60), np.uint8)


def test_features_of_one_product_are_looked_for_once_and_are_the_same(computed):
    inside = np.full((80, 60), 255, np.uint8)
    first, again = (
        root_sift.root_sift_of_product(product(1), inside, most=50) for _time in range(2)
    )
    fresh = root_sift.root_sift(product(1), inside, most=50)
    assert len(computed) == 2 and len(first[0]) > 10
    for kept, new in zip(again, fresh, strict=True):
        assert np.array_equal(kept, new)
    with pytest.raises(ValueError, match="read-only"):
        again[1][0, 0] = 1


def test_other_pixels_mask_shape_or_number_are_another_product(computed):
    inside = np.full((80, 60), 255, np.uint8)
    half = inside.copy()
    half[:40] = 0
    turned = product(1).reshape(60, 80), inside.reshape(60, 80)
    for grey, mask, most in (
        (product(1), inside, 50), (product(2), inside, 50), (product(1), half, 50),
        (*turned, 50), (product(1), inside, 20),
    ):  # fmt: skip
        root_sift.root_sift_of_product(grey, mask, most=most)
    assert len(computed) == 5
