"""From a mask to a cut-out: the one way, for masks of machines and of people."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from nb_catalog.exceptions import CutoutRefused
from nb_catalog.imaging.cutout import cut_by_mask
from nb_catalog.imaging.cutout.mask_files import read_mask, save_mask
from tests.imaging.pictures import LIMITS, bottle, ground, mug, on_ground, saved
from tests.imaging.test_cutout import outline, overlap, true_outline


def rough(product: Image.Image, *, side: int) -> np.ndarray:
    """The alpha of ``product`` as a machine finds it: small, and without soft edges."""
    small = product.getchannel("A").resize((side, side), Image.Resampling.BOX)
    return np.where(np.asarray(small) > 127, 255, 0).astype(np.uint8)


def ring(product: Image.Image) -> np.ndarray:
    alpha = product.getchannel("A")
    wide, narrow = alpha.filter(ImageFilter.MaxFilter(9)), alpha.filter(ImageFilter.MinFilter(9))
    return (np.asarray(wide) > 127) & (np.asarray(narrow) < 128)


@pytest.mark.parametrize("side", [256, 512, 1600])
@pytest.mark.parametrize("name", ["white", "light blue"])
def test_refining_restores_the_edge_that_a_machines_mask_lacks(side, name):
    product = bottle(1024)
    photo = on_ground(product, name)
    mask = rough(product, side=side)
    refined, kept = (cut_by_mask(photo, mask, refine=each) for each in (True, False))
    near = ring(product)
    off = [np.abs(outline(cut) - true_outline(product))[near].mean() for cut in (refined, kept)]
    assert off[0] < 0.06
    assert off[0] < off[1]
    assert overlap(outline(refined), true_outline(product)) > 0.985


@pytest.mark.parametrize("refine", [True, False])
def test_solid_pixels_are_those_of_the_photo(refine):
    photo = on_ground(mug(900), "cream vignette")
    cut = cut_by_mask(photo, rough(mug(900), side=300), refine=refine)
    inside = cut.pixels[..., 3] == 255
    assert inside.mean() > 0.3
    assert np.array_equal(cut.pixels[..., :3][inside], np.asarray(photo.crop(cut.box))[inside])


def test_the_edge_has_the_products_colour_and_not_the_backgrounds():
    product = bottle(1024)
    photo = on_ground(product, "light blue")
    cut = cut_by_mask(photo, rough(product, side=512), refine=True)
    row = cut.pixels[800 - cut.box.top]  # across the green glass, (24, 96, 58)
    edge = row[(row[:, 3] > 60) & (row[:, 3] < 250)].astype(int)
    assert len(edge) >= 1
    assert edge[:, 0].max() < 70 and edge[:, 2].max() < 110


def test_what_a_person_drew_stays_as_it_is():
    photo = on_ground(bottle(), "white")
    drawn = Image.new("L", (512, 512), 0)
    ImageDraw.Draw(drawn).ellipse((100, 100, 400, 400), fill=255)
    drawn = drawn.filter(ImageFilter.GaussianBlur(12))
    cut = cut_by_mask(photo, drawn, refine=False)
    left, top, right, bottom = cut.box
    assert np.array_equal(cut.pixels[..., 3], np.asarray(drawn)[top:bottom, left:right])


def test_a_mask_without_any_edge_keeps_the_photo():
    photo = on_ground(bottle(), "white")
    full = np.full((512, 512), 255, np.uint8)
    for refine in (True, False):
        cut = cut_by_mask(photo, full, refine=refine)
        assert cut.box == (0, 0, 512, 512)
        assert np.array_equal(cut.pixels[..., :3], np.asarray(photo))
        assert (cut.pixels[..., 3] == 255).all()


@pytest.mark.parametrize("refine", [True, False])
def test_an_empty_mask_is_refused(refine):
    with pytest.raises(CutoutRefused, match="shows nothing"):
        cut_by_mask(on_ground(bottle(), "white"), np.zeros((512, 512), np.uint8), refine=refine)


@pytest.mark.parametrize("size", [(512, 300), (512, 530), (100, 512)])
def test_a_mask_of_another_shape_is_refused(size):
    mask = np.full(size[::-1], 255, np.uint8)
    with pytest.raises(CutoutRefused, match="proportions"):
        cut_by_mask(on_ground(bottle(), "white"), mask, refine=False)


@pytest.mark.parametrize("side", [64, 512, 1024])
def test_a_mask_of_another_size_is_scaled(side):
    cut = cut_by_mask(on_ground(bottle(), "white"), rough(bottle(), side=side), refine=True)
    assert overlap(outline(cut), true_outline(bottle())) > (0.9 if side == 64 else 0.97)


def test_a_photo_with_an_outline_keeps_it_inside_the_mask():
    product = bottle()
    left_half = np.zeros((512, 512), np.uint8)
    left_half[:, :256] = 255
    for refine in (True, False):
        cut = cut_by_mask(product, left_half, refine=refine)
        assert cut.box.right <= 260
        own = np.asarray(product.crop(cut.box))
        kept = np.indices(own.shape[:2])[1] + cut.box.left < 255
        assert np.array_equal(cut.pixels[kept], own[kept])


def test_laces_stay():
    size = 1200
    product = Image.new("RGBA", (size, size), (120, 20, 30, 0))
    draw = ImageDraw.Draw(product)
    draw.rectangle((400, 500, 800, 900), fill=(120, 20, 30, 255))
    draw.line((600, 500, 700, 200), fill=(120, 20, 30, 255), width=7)
    photo = on_ground(product, "white")
    cut = cut_by_mask(photo, rough(product, side=1200), refine=True)
    assert outline(cut)[300, 640:690].max() > 0.9


def test_a_file_holds_a_mask_unchanged():
    alpha = np.random.default_rng(4).integers(0, 256, (40, 30), dtype=np.uint8)
    data = save_mask(alpha)
    assert Image.open(BytesIO(data)).mode == "L"
    assert np.array_equal(read_mask(data, **LIMITS), alpha)


def test_the_mask_in_a_photo_that_was_cut_elsewhere_is_its_alpha():
    product = bottle()
    assert np.array_equal(read_mask(saved(product), **LIMITS), np.asarray(product.getchannel("A")))
    grey = Image.fromarray(ground("white", 64).astype(np.uint8))
    assert (read_mask(saved(grey), **LIMITS) == 255).all()
