"""A product keeps the pixels that its picture shows, however large its photo is."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from nb_catalog.imaging import cutout, locked
from nb_catalog.imaging.cutout import ClassicalCutout
from tests.imaging.pictures import LIMITS, bottle, on_ground, saved


def photo_of(side, *, share):
    """A bottle in the middle of a transparent photo, ``share`` of it tall."""
    image = Image.new("RGBA", (side, side), (0, 0, 0, 0))
    product = bottle(512).resize((round(side * share),) * 2, Image.Resampling.BICUBIC)
    image.paste(product, ((side - product.width) // 2, (side - product.height) // 2))
    return saved(image, "PNG", compress_level=1)


def tall(product):
    return product.pixels.shape[0]


@pytest.mark.parametrize(("share", "most"), [(0.9, 2048), (0.25, 3_300)])
def test_a_product_has_at_least_the_pixels_of_its_picture(share, most, monkeypatch):
    sides = []

    def cut(photo, alpha, **options):
        sides.append(max(photo.size))
        return cutout.cut_by_mask(photo, alpha, **options)

    monkeypatch.setattr(locked, "cut_by_mask", cut)
    product = locked.cut_out_photo(photo_of(3_300, share=share), picture_side=1024, **LIMITS)
    assert sides[0] == 2048
    assert max(sides) <= most
    assert max(product.pixels.shape[:2]) >= min(1024, 0.75 * share * 3_300)


def test_a_small_photo_is_cut_out_once_and_as_it_is():
    data = photo_of(900, share=0.5)
    product = locked.cut_out_photo(data, picture_side=4096, **LIMITS)
    assert product.photo_size == (900, 900)


def test_the_outline_is_the_same_at_every_size_of_the_picture():
    data = photo_of(3_000, share=0.4)
    small, large = (locked.cut_out_photo(data, picture_side=side, **LIMITS) for side in (512, 2048))
    assert tall(large) > tall(small)
    wide = small.pixels.shape[1::-1]
    again = Image.fromarray(large.pixels[..., 3]).resize(wide, Image.Resampling.BOX)
    assert np.abs(np.asarray(again).astype(int) - small.pixels[..., 3]).mean() < 6


class Watching(ClassicalCutout):
    """Counts what it is asked."""

    def __init__(self):
        self.views = []

    def find_mask(self, view):
        self.views.append(view.size)
        return super().find_mask(view)


def on_a_large_ground(side):
    """A bottle, 0.3 of the photo tall, on a grey ground."""
    small = bottle(512).resize((round(side * 0.3),) * 2, Image.Resampling.BICUBIC)
    product = Image.new("RGBA", (side, side), (0, 0, 0, 0))
    product.paste(small, ((side - small.width) // 2, (side - small.height) // 2))
    return on_ground(product, "grey gradient")


def test_a_product_that_is_small_in_a_large_photo_is_searched_for_once():
    backend = Watching()
    data = saved(on_a_large_ground(2_600), "JPEG", quality=95)
    product = locked.cut_out_photo(data, picture_side=1024, backend=backend, **LIMITS)
    assert backend.views == [(2048, 2048)]
    assert product.photo_size == (2600, 2600)
    assert (product.method, product.reasons) == ("classical", ())


def test_a_mask_that_is_given_is_not_searched_for():
    backend = Watching()
    data = saved(on_ground(bottle(), "light blue"), "PNG")
    mask = np.zeros((256, 256), np.uint8)
    mask[60:200, 90:160] = 255
    product = locked.cut_out_photo(data, alpha=mask, refine=False, backend=backend, **LIMITS)
    assert backend.views == []
    assert (product.method, product.score) == ("mask", None)
    assert product.pixels.shape[0] == pytest.approx(280, abs=6)


def test_the_mask_that_is_found_in_a_file_has_the_size_of_the_view():
    data = saved(on_ground(bottle(900), "light blue"), "PNG")
    found = locked.find_mask_of(data, backend=ClassicalCutout(), **LIMITS)
    assert found.alpha.shape == (900, 900)
    assert found.alpha.dtype == np.uint8
    assert (found.method, found.maker, found.is_plain) == ("classical", "classical/4", True)
    assert found.is_certain
