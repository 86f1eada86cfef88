"""Whether the final of a draft has the same composition."""

import numpy as np
import pytest
from PIL import Image

from nb_catalog.core.types import Size
from nb_catalog.exceptions import PictureError
from nb_catalog.imaging.box import Box
from nb_catalog.imaging.compose import Framing, compose
from nb_catalog.imaging.composition import compare_composition, overlap, take_sketch
from nb_catalog.imaging.composition_files import compare_files, find_product
from nb_catalog.imaging.encode import encode
from tests.calibration.series_pictures import contrasted, daylight, exposed
from tests.imaging.composing import goblet, scene

SIZE, LARGE = Size(512, 512), Size(1024, 1024)
LIMITS = {"max_bytes": 10**8, "max_pixels": 10**8}


def made(*, size=SIZE, seed=3, key="oak-table", **framing):
    backdrop = scene(key, size=size, seed=seed)
    return compose(goblet(), backdrop, seed=seed, framing=Framing(**framing), pose="standing")


def sketch(picture, *, change=None, has_box=True):
    pixels = picture.pixels if change is None else np.ascontiguousarray(change(picture.pixels))
    size = Size(pixels.shape[1], pixels.shape[0])
    return take_sketch(pixels, product=Box.of(picture.product, size) if has_box else None)


@pytest.fixture(scope="module")
def draft():
    return made()


def test_the_same_picture_twice_as_large_has_the_same_composition(draft):
    change = compare_composition(sketch(draft), sketch(made(size=LARGE)))
    assert change.score < 0.5 and set(change.parts) == {"place", "light", "edges"}


@pytest.mark.parametrize(
    "change",
    [
        lambda pixels: exposed(pixels, stops=0.25),
        lambda pixels: exposed(pixels, gains=daylight(6000)),
        lambda pixels: contrasted(pixels, by=0.9),
        lambda pixels: 255 - (255 - pixels) // 2,
    ],
)
def test_light_colours_and_contrast_are_not_the_composition(draft, change):
    assert compare_composition(sketch(draft), sketch(draft, change=change)).score < 1


@pytest.mark.parametrize("framing", [{"fill": 0.8}, {"fill": 0.9}, {"right": 0.1}, {"up": 0.08}])
def test_a_product_of_another_size_or_elsewhere_is_another_composition(draft, framing):
    change = compare_composition(sketch(draft), sketch(made(**framing)))
    assert change.score > 1 and change.parts["place"] > 1
    assert change.score == max(change.parts.values()) == change.parts[change.worst]


def test_a_mirrored_picture_is_another_composition_without_any_box():
    draft = made(key="sunlit-window")
    mirrored = sketch(draft, change=lambda pixels: pixels[:, ::-1], has_box=False)
    change = compare_composition(sketch(draft, has_box=False), mirrored)
    assert change.score > 1 and "place" not in change.parts


def test_upright_edges_do_not_jump_between_directions_in_noise():
    # Their gradients point to the left or to the right, which is one direction.
    pixels = np.full((512, 512, 3), 200, np.uint8)
    pixels[60:460, 150:360] = 40
    noise = np.random.default_rng(1).normal(0, 2, pixels.shape[:2])[..., None]
    noisy = np.clip(pixels + noise, 0, 255).astype(np.uint8)
    change = compare_composition(take_sketch(pixels), take_sketch(noisy))
    assert change.parts["edges"] < 0.2


def test_another_ratio_and_a_single_colour_are_not_compared(draft):
    wide = take_sketch(np.ascontiguousarray(draft.pixels[:400]))
    assert compare_composition(sketch(draft), wide).as_dict() == {"missing": "ratio"}
    flat = take_sketch(np.full((512, 512, 3), 90, np.uint8))
    assert compare_composition(flat, sketch(draft)).as_dict() == {"missing": "flat"}


def test_the_overlap_of_boxes_is_their_shared_part_of_both():
    box = Box(0.2, 0.2, 0.6, 0.6)
    assert overlap(box, box) == pytest.approx(1)
    assert overlap(box, Box(0.4, 0.2, 0.8, 0.6)) == pytest.approx(1 / 3)
    assert overlap(box, Box(0.7, 0.7, 0.9, 0.9)) == 0


@pytest.fixture(scope="module")
def label():
    """A product with a print, whose features are found again."""
    rng = np.random.default_rng(5)
    blocks = rng.integers(0, 256, (12, 8, 3), dtype=np.uint8)
    pixels = np.asarray(Image.fromarray(blocks).resize((240, 360), Image.Resampling.NEAREST))
    return np.dstack([pixels, np.full(pixels.shape[:2], 255, np.uint8)])


def pasted(label, *, left, top, scale=1.0):
    ground = np.full((1024, 1024, 3), 225, np.uint8)
    ground[700:] = 150
    picture = Image.fromarray(ground)
    picture.paste(
        Image.fromarray(label[..., :3]).resize((int(240 * scale), int(360 * scale))), (left, top)
    )
    return np.asarray(picture)


def test_a_product_is_found_wherever_it_is(label):
    found = find_product(pasted(label, left=300, top=420), cutout=label)
    assert found is not None
    assert found.rect(Size(1024, 1024)) == pytest.approx((300, 420, 240, 360), abs=10)
    assert find_product(np.full((1024, 1024, 3), 99, np.uint8), cutout=label) is None


def test_files_are_compared_with_the_place_of_a_product_that_is_looked_for(label):
    first = encode(pasted(label, left=300, top=420), format="jpeg", quality=95)
    larger = encode(pasted(label, left=270, top=375, scale=1.25), format="jpeg", quality=95)
    same = compare_files(first, first, cutout=label, **LIMITS)
    assert same.score == pytest.approx(0, abs=0.05) and "place" in same.parts
    assert compare_files(first, larger, cutout=label, **LIMITS).parts["place"] > 1
    assert "place" not in compare_files(first, larger, **LIMITS).parts


def test_a_file_that_is_no_picture_is_refused():
    with pytest.raises(PictureError):
        compare_files(b"no", b"picture", **LIMITS)
