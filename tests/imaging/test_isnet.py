"""The real network on drawn and real photos: a few here, the measurement of acceptance with ``--matrix``."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from nb_catalog.exceptions import CutoutRefused
from nb_catalog.imaging import locked
from nb_catalog.imaging.cutout import alpha, cut_by_mask
from tests.imaging.pictures import (
    LIFESTYLE,
    LIMITS,
    NO_PHOTOS,
    PACKSHOTS,
    bottle,
    mug,
    on_ground,
    saved,
)
from tests.imaging.test_cutout import outline, overlap, true_outline

# Products whose photos the thresholds of ``learned`` were calibrated on: none of them is measured here.
CALIBRATED_ON = (
    "drink",
    "book",
    "plimsolls",
    "polygon",
    "ascii",
    "dash-tee",
    "beanie",
    "cushion-blue",
)
HELD_OUT = [path for path in PACKSHOTS if not any(each in path.name for each in CALIBRATED_ON)]
GROUNDS = ("white", "grey", "gradient")


def flattened(path, ground: str) -> Image.Image:
    """A photo with transparency as JPEG at quality 90 on a ground, with the shadow painted into it."""
    image = Image.open(path).convert("RGBA")
    y, x = np.mgrid[0 : image.height, 0 : image.width]
    levels = {
        "white": np.full(x.shape, 255.0),
        "grey": np.full(x.shape, 232.0),
        "gradient": 250 - 46 * y / image.height - 8 * x / image.width,
    }
    pixels = np.asarray(image).astype(np.float32)
    share = pixels[..., 3:] / 255
    seen = pixels[..., :3] * share + levels[ground][..., None] * (1 - share)
    data = saved(Image.fromarray(np.rint(seen.clip(0, 255)).astype(np.uint8)), "JPEG", quality=90)
    return locked.open_view(data, **LIMITS)


def truth(path, size: tuple[int, int]) -> np.ndarray:
    found = alpha.find_product(Image.open(path).convert("RGBA")).alpha
    return np.asarray(Image.fromarray(found).resize(size, Image.Resampling.BOX)) / 255


def photo_named(name: str):
    return next(path for path in PACKSHOTS if name in path.name)


@pytest.mark.parametrize("draw", [bottle, mug])
def test_a_drawn_product_is_cut_off_white(isnet, draw):
    found = isnet.find_mask(on_ground(draw(), "white"))
    assert overlap(found.alpha / 255, true_outline(draw())) > 0.97


@pytest.mark.skipif(not PACKSHOTS, reason=NO_PHOTOS)
@pytest.mark.parametrize(
    ("name", "ground"),
    [("polo-shirt-front", "white"), ("mighty-mug", "grey"), ("white-plimsolls-1", "white")],
)
def test_a_real_product_is_accepted_with_the_right_outline(isnet, name, ground):
    path = photo_named(name)
    view = flattened(path, ground)
    found = isnet.find_mask(view)
    assert (found.reasons, found.is_plain) == ((), True)
    assert found.maker.startswith("isnet@b6e8497b/")
    cut = cut_by_mask(view, found.alpha, refine=True)
    assert overlap(outline(cut), truth(path, view.size)) > 0.98


@pytest.mark.skipif(not LIFESTYLE, reason=NO_PHOTOS)
def test_a_photo_of_a_person_in_a_room_is_never_certain(isnet):
    (path,) = [path for path in LIFESTYLE if "cap_01" in path.name]
    found = isnet.find_mask(locked.open_view(path.read_bytes(), **LIMITS))
    assert "room" in found.reasons


@pytest.mark.matrix
@pytest.mark.skipif(not HELD_OUT, reason=NO_PHOTOS)
@pytest.mark.long
def test_most_held_out_photos_are_accepted_and_those_are_right(isnet):
    accepted, total = [], 0
    for path in HELD_OUT:
        for ground in GROUNDS:
            view = flattened(path, ground)
            found = isnet.find_mask(view)
            total += 1
            if found.is_certain:
                accepted.append(overlap(found.alpha / 255, truth(path, view.size)))
    assert len(accepted) >= 0.9 * total
    assert min(accepted) >= 0.95


@pytest.mark.matrix
@pytest.mark.skipif(not LIFESTYLE, reason=NO_PHOTOS)
@pytest.mark.long
def test_no_photo_of_a_room_is_accepted_without_a_person(isnet):
    for path in LIFESTYLE:
        try:
            found = isnet.find_mask(locked.open_view(path.read_bytes(), **LIMITS))
        except CutoutRefused:
            continue
        assert found.reasons, path.name
