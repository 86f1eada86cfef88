"""Cut-outs against the true outlines of drawn and real products, and the refusals."""

from __future__ import annotations

from functools import cache
from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from nb_catalog.exceptions import CutoutRefused
from nb_catalog.imaging import cutout, inspect
from nb_catalog.imaging.cutout import ClassicalCutout, alpha, find_mask
from tests.cases import ordinary
from tests.imaging import pictures
from tests.imaging.pictures import (
    GROUNDS,
    LIFESTYLE,
    LIMITS,
    NO_PHOTOS,
    PACKSHOTS,
    bottle,
    mug,
    on_ground,
)

GIVEN = {"ids": lambda path: path.stem}


def outline(cut: cutout.Cutout) -> np.ndarray:
    """Alpha from 0 to 1 over the whole photo."""
    whole = np.zeros((cut.photo_size.height, cut.photo_size.width))
    left, top, right, bottom = cut.box
    whole[top:bottom, left:right] = cut.pixels[..., 3] / 255
    return whole


def overlap(one: np.ndarray, other: np.ndarray) -> float:
    one, other = one > 0.5, other > 0.5
    return float((one & other).sum() / (one | other).sum())


def true_outline(product: Image.Image) -> np.ndarray:
    return np.asarray(product.getchannel("A")) / 255


# A mug on white is a case of its own, below: its handle could be white itself.
DRAWN = [
    (draw, name) for draw in (bottle, mug) for name in GROUNDS if (draw, name) != (mug, "white")
]


@pytest.mark.exhaustive(every=3)
@pytest.mark.parametrize(("draw", "name"), DRAWN)
def test_a_drawn_product_comes_off_every_studio_ground(draw, name):
    product = draw()
    cut = cutout.cut_out(on_ground(product, name))
    assert overlap(outline(cut), true_outline(product)) > 0.975
    assert np.abs(outline(cut) - true_outline(product)).mean() < 0.006
    assert (cut.method, cut.reasons) == ("classical", ())
    assert cut.score is not None and cut.score >= 0.95


@pytest.mark.parametrize("name", ["grey gradient", "light blue"])
def test_the_ground_shows_through_a_handle(name):
    cut = cutout.cut_out(on_ground(mug(), name))
    assert outline(cut)[266, 160] == 0  # the middle of the handle
    assert outline(cut)[266, 300] == 1


def test_a_handle_on_burnt_out_white_is_refused_because_it_might_be_white_itself():
    with pytest.raises(CutoutRefused, match="may be a hole, or white itself"):
        cutout.cut_out(on_ground(mug(), "white"))


def test_a_small_highlight_burnt_out_to_the_white_of_the_ground_stays():
    product = bottle()
    ImageDraw.Draw(product).ellipse((200, 220, 216, 236), fill=(255, 255, 255, 255))
    cut = cutout.cut_out(on_ground(product, "white"))
    assert outline(cut)[228, 208] == 1


def test_the_edge_is_soft_and_has_lost_the_colour_of_the_ground():
    cut = cutout.cut_out(on_ground(bottle(), "light blue"))
    left, top, *_ = cut.box
    row = cut.pixels[400 - top]  # across the green glass
    assert row[0, 3] == row[-1, 3] == 0
    edge = row[(row[:, 3] > 20) & (row[:, 3] < 250)].astype(int)
    assert len(edge) >= 1
    # Green glass is (24, 96, 58), the ground (206, 224, 240): nothing of it may be left.
    assert edge[:, 0].max() < 70 and edge[:, 2].max() < 110
    solid = row[row[:, 3] == 255][6:-6, :3].astype(int)
    assert np.abs(solid - (24, 96, 58)).max() < 12


def test_pixels_inside_are_those_of_the_photo():
    photo = on_ground(bottle(), "grey gradient")
    cut = cutout.cut_out(photo)
    original = np.asarray(photo.crop(cut.box))
    inside = cut.pixels[..., 3] == 255
    assert inside.sum() > 0.2 * inside.size
    assert not ((cut.pixels[..., :3] != original).any(axis=-1) & inside).any()


def test_a_cast_shadow_is_not_product():
    product = bottle()
    photo = np.asarray(on_ground(product, "cream vignette")).astype(float)
    y, x = np.mgrid[0:512, 0:512]
    shade = 1 - 0.10 * np.exp(-(((x - 256) / 90) ** 2) - ((y - 462) / 14) ** 2)
    cut = cutout.cut_out(Image.fromarray((photo * shade[..., None]).astype(np.uint8)))
    assert overlap(outline(cut), true_outline(product)) > 0.97


@pytest.mark.parametrize(
    ("blur", "bottom", "reasons"),
    [
        pytest.param(9, 345, (), id="shadow"),
        pytest.param(1, 345, ("shadow",), id="sole"),
        pytest.param(9, 420, ("shadow",), id="larger than a shadow"),
    ],
)
def test_a_pale_part_is_left_out_and_marked_unless_it_is_a_shadow(blur, bottom, reasons):
    part = Image.new("L", (512, 512), 250)
    ImageDraw.Draw(part).rounded_rectangle((150, 320, 360, bottom), radius=8, fill=241)
    photo = part.filter(ImageFilter.GaussianBlur(blur)).convert("RGB")
    ImageDraw.Draw(photo).rectangle((140, 120, 370, 330), fill=(30, 60, 120))
    found = find_mask(photo, backend=ClassicalCutout())
    assert found.reasons == reasons
    assert found.alpha[200, 256] == 255 and found.alpha[340, 256] == 0
    # What lies apart from the product is no part of it, whatever it is.
    ImageDraw.Draw(photo).rectangle((100, 331, 410, 343), fill=(250, 250, 250))
    assert find_mask(photo, backend=ClassicalCutout()).reasons == ()


@pytest.mark.parametrize("scale", [0.4, 2.5])
def test_photos_of_any_size_are_cut_at_their_own_resolution(scale):
    product = bottle(round(512 * scale))
    cut = cutout.cut_out(on_ground(product, "light blue"))
    assert cut.photo_size == product.size
    assert overlap(outline(cut), true_outline(product)) > 0.97


def test_two_runs_give_the_same_pixels():
    photo = on_ground(bottle(), "grey gradient")
    assert np.array_equal(cutout.cut_out(photo).pixels, cutout.cut_out(photo).pixels)


WAYS_OUT = "plain, even background.*transparent background.*painted treatment"


def _refused(photo: Image.Image) -> str:
    with pytest.raises(CutoutRefused, match=WAYS_OUT) as refusal:
        cutout.cut_out(photo)
    return str(refusal.value)


def test_a_picture_of_nothing_is_refused():
    assert "Nothing in the photo stands out" in _refused(Image.new("RGB", (400, 300), "#dddddd"))


def test_a_product_too_small_to_see_is_refused():
    photo = Image.new("RGB", (600, 600), "white")
    photo.paste("navy", (290, 290, 310, 310))
    assert "Nothing in the photo stands out" in _refused(photo)


def test_a_product_that_fills_the_photo_is_refused():
    photo = Image.new("RGB", (600, 600), "#eeeeee")
    photo.paste("navy", (0, 80, 600, 600))
    _refused(photo)


def test_noise_and_stripes_are_no_plain_background():
    noise = np.random.default_rng(1).integers(0, 255, (300, 300, 3), dtype=np.uint8)
    assert "not plain" in _refused(Image.fromarray(noise))
    stripes = np.zeros((300, 300, 3), np.uint8)
    stripes[:, ::40] = stripes[:, 1::40] = stripes[:, 2::40] = 255
    stripes[:, 3::40] = stripes[:, 4::40] = stripes[:, 5::40] = stripes[:, 6::40] = 255
    _refused(Image.fromarray(stripes))


def test_white_on_white_is_refused():
    pixels = np.full((512, 512, 3), 255, np.uint8)
    pixels[120:420, 150:360] = np.linspace(255, 236, 210).astype(np.uint8)[None, :, None]
    pixels[120:200, 150:360] = (60, 70, 200)
    jpeg = pictures.saved(Image.fromarray(pixels), "JPEG", quality=90)
    _refused(Image.open(BytesIO(jpeg)).convert("RGB"))


def test_a_photo_that_is_all_transparent_is_refused():
    assert "next to nothing" in _refused(Image.new("RGBA", (300, 300), (10, 20, 30, 0)))


def test_a_tiny_photo_is_judged_and_not_tripped_over():
    for size in ((1, 1), (3, 40), (16, 9)):
        _refused(Image.new("RGB", size, "white"))


def test_an_outline_that_the_photo_brings_along_is_used_as_it_is():
    product = bottle()
    cut = cutout.cut_out(product)
    assert (cut.method, cut.score) == ("alpha", 1.0)
    left, top, right, bottom = cut.box
    assert np.array_equal(cut.pixels, np.asarray(product)[top:bottom, left:right])
    assert overlap(outline(cut), true_outline(product)) == 1
    margins = [cut.pixels[0], cut.pixels[-1], cut.pixels[:, 0], cut.pixels[:, -1]]
    assert all(not margin[..., 3].any() for margin in margins)
    assert cut.pixels[3, :, 3].any()


def test_a_shadow_painted_into_the_transparency_is_taken_out():
    product = bottle()
    cut = cutout.cut_out(pictures.with_drop_shadow(product))
    assert np.abs(outline(cut) - true_outline(product)).max() < 0.05


def test_see_through_parts_of_a_product_stay():
    glass = Image.new("RGBA", (400, 400), (0, 0, 0, 0))
    draw = ImageDraw.Draw(glass)
    draw.rectangle((100, 60, 300, 340), fill=(40, 44, 40, 90))  # dark glass with a hard edge
    draw.rectangle((140, 60, 260, 110), fill=(180, 140, 40, 255))
    draw.ellipse((20, 150, 90, 250), outline=(20, 20, 20, 255), width=8)
    draw.ellipse((28, 158, 82, 242), fill=(30, 30, 30, 60))  # a lens in its frame
    cut = cutout.cut_out(glass)
    assert np.allclose(outline(cut), true_outline(glass))


def test_a_product_that_is_all_glass_stays():
    glass = Image.new("RGBA", (400, 400), (0, 0, 0, 0))
    ImageDraw.Draw(glass).rectangle((100, 60, 300, 340), fill=(40, 44, 40, 90))
    assert np.allclose(outline(cutout.cut_out(glass)), true_outline(glass))


def test_rounded_corners_are_no_outline():
    photo = on_ground(bottle(), "light blue")
    corners = Image.new("L", photo.size, 0)
    ImageDraw.Draw(corners).rounded_rectangle((0, 0, 511, 511), 30, fill=255)
    photo.putalpha(corners)
    assert not alpha.has_outline(photo)


def test_a_persons_mask_is_followed():
    mask = Image.new("L", (128, 128), 0)
    ImageDraw.Draw(mask).rectangle((40, 40, 80, 100), fill=255)
    cut = cutout.cut_by_mask(on_ground(bottle(), "white"), mask, refine=False)
    assert cut.method == "mask"
    assert outline(cut)[300, 240] == 1 and outline(cut)[100, 240] == 0


@pytest.mark.exhaustive(every=4)
@pytest.mark.skipif(not PACKSHOTS, reason=NO_PHOTOS)
@pytest.mark.parametrize("path", PACKSHOTS, **GIVEN)
def test_real_packshots_lose_their_painted_shadow_and_nothing_else(path):
    photo = inspect.open_photo(path.read_bytes(), **LIMITS)
    cut = cutout.cut_out(photo)
    given = np.asarray(photo)[..., 3]
    rows = np.flatnonzero((given > 160).any(axis=1))
    assert cut.method == "alpha"
    assert cut.box.bottom <= rows[-1] + 8
    assert np.array_equal(outline(cut) * 255 > 160, given > 160)


@pytest.mark.skipif(not PACKSHOTS, reason=NO_PHOTOS)
def test_lenses_stay_in_their_frame():
    (path,) = [path for path in PACKSHOTS if "sunnies" in path.name]
    photo = inspect.open_photo(path.read_bytes(), **LIMITS)
    shown = outline(cutout.cut_out(photo))
    assert ((shown > 0.7) & (shown < 0.98)).sum() > 200_000


@cache
def _product_alone(path) -> Image.Image:
    pixels = np.array(Image.open(path))
    cut = cutout.cut_out(Image.fromarray(pixels))
    left, top, right, bottom = cut.box
    alone = np.zeros_like(pixels)
    alone[top:bottom, left:right] = cut.pixels
    return Image.fromarray(alone).resize((1024, 1024), Image.Resampling.LANCZOS)


@pytest.mark.once
@pytest.mark.skipif(not PACKSHOTS, reason=NO_PHOTOS)
@pytest.mark.parametrize("name", ordinary(GROUNDS, chosen=["cream vignette"]))
def test_real_products_come_off_studio_grounds_well_or_not_at_all(name):
    overlaps, refused = [], 0
    for path in PACKSHOTS[::2]:
        product = _product_alone(path)
        try:
            cut = cutout.cut_out(on_ground(product, name))
        except CutoutRefused:
            refused += 1
            continue
        overlaps.append(overlap(outline(cut), true_outline(product)))
    assert refused <= len(PACKSHOTS[::2]) // 2
    assert float(np.median(overlaps)) > 0.985
    assert sum(o < 0.95 for o in overlaps) <= 1


@pytest.mark.skipif(not LIFESTYLE, reason=NO_PHOTOS)
@pytest.mark.parametrize("path", LIFESTYLE, **GIVEN)
def test_a_busy_photo_is_refused(path):
    message = _refused(inspect.open_photo(path.read_bytes(), **LIMITS))
    assert "not plain" in message or "nearly the colour" in message
