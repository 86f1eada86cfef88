"""A product on a background from a model: the background's own size, or a smaller one and why."""

from __future__ import annotations

from io import BytesIO

import pytest
from PIL import Image

from nb_catalog.core.types import Size
from nb_catalog.imaging import locked
from nb_catalog.testing.pictures import solid_png
from tests.imaging.pictures import LIMITS, bottle, saved


def composed(side: int, *, photo: int) -> locked.Composed:
    background = solid_png(Size(side, side), colour=(200, 190, 180))
    return locked.compose_into(background, photo=saved(bottle(photo)), **LIMITS)


@pytest.mark.parametrize(("photo", "made"), [(1600, 2048), (800, 1024), (400, 512), (100, 512)])
def test_a_small_photo_makes_a_smaller_picture_and_never_a_smaller_product(photo, made):
    result = composed(2048, photo=photo)
    with Image.open(BytesIO(result.data)) as image:
        assert image.size == (made, made)
    assert result.product.height / made == pytest.approx(0.77, abs=0.005)
    if made == 2048:
        assert result.report == {}
    else:
        assert result.report["small_photo"]["requested"] == [2048, 2048]
        assert result.report["small_photo"]["made"] == [made, made]
