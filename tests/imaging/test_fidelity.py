"""The comparison of a product with the picture that a model painted of it."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageDraw

from nb_catalog.conf.accept import FIDELITY_THRESHOLDS
from nb_catalog.exceptions import PictureUnreadable
from nb_catalog.imaging.fidelity import BORDER, Fidelity, check_fidelity, fidelity_in
from nb_catalog.imaging.fidelity.report import judge
from nb_catalog.imaging.inspect import open_photo
from tests.imaging import fidelity_cases as cases
from tests.imaging.pictures import LIMITS, saved


def printed_box(*, seed: int = 3, size: int = 640) -> Image.Image:
    """An RGBA box with a pattern and a label of coloured shapes, in the middle of nothing."""
    rng = np.random.default_rng(seed)
    box = Image.new("RGBA", (size, size), (0, 0, 0, 0))
    draw = ImageDraw.Draw(box)
    draw.rounded_rectangle((60, 90, size - 60, size - 70), radius=20, fill=(196, 120, 60, 255))
    for _number in range(150):
        x, y = rng.integers(70, size - 110), rng.integers(100, size - 115)
        wide, tall = rng.integers(6, 40, 2)
        fill = (*(int(each) for each in rng.integers(30, 230, 3)), 255)
        shape = draw.ellipse if rng.random() < 0.5 else draw.rectangle
        shape((x, y, x + wide, y + tall), fill=fill)
    return box


PRODUCT = np.asarray(printed_box())
PHOTO = saved(printed_box())
GROUND = np.full((64, 64, 3), (214, 206, 190), np.uint8)
GROUND[40:] = (150, 140, 120)


def picture_of(product, *, seed=0) -> bytes:
    painted = cases.as_painted(product, GROUND, np.random.default_rng(seed))
    return saved(Image.fromarray(painted))


def compared(picture: bytes, *, photo: bytes = PHOTO, **options) -> Fidelity:
    options = {"mask": None, "thresholds": FIDELITY_THRESHOLDS, **LIMITS, **options}
    return check_fidelity(photo, open_photo(picture, **LIMITS), **options).fidelity


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_product_that_was_moved_turned_and_relit_is_kept(seed):
    found = compared(picture_of(PRODUCT, seed=seed))
    assert found.reasons == () and found.regions == () and found.left_out == ()
    assert found.score > BORDER


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        ("hue", "colour"),
        ("erased", "detail"),
        ("garbled", "detail"),
        ("missing", "part"),
        ("stretched", "shape"),
    ],
)
def test_each_kind_of_damage_is_named(damage, reason):
    damaged = cases.DAMAGES[damage](PRODUCT, np.random.default_rng(5))
    assert cases.is_visible(PRODUCT, damaged)
    found = compared(picture_of(damaged, seed=7))
    assert reason in found.reasons
    assert found.fails and found.score < BORDER


def test_another_product_is_not_found():
    found = compared(picture_of(np.asarray(printed_box(seed=99))))
    assert found.reasons == ("not_found",) and found.score == 0 and found.measures == {}


def test_an_empty_scene_has_no_product():
    assert compared(saved(Image.fromarray(np.kron(GROUND, np.ones((8, 8, 1), np.uint8))))).reasons == (
        "not_found",
    )  # fmt: skip


def test_the_product_twice_is_one_too_many():
    once = cases.as_painted(PRODUCT, GROUND, np.random.default_rng(2))
    twice = np.hstack([once, once[:, ::1]])
    found = compared(saved(Image.fromarray(twice).resize((1024, 512))))
    assert found.reasons[0] == "twice" and found.score < BORDER


def test_the_changed_place_is_outlined_where_it_is():
    damaged = PRODUCT.copy()
    damaged[250:350, 250:400, :3] = (20, 160, 40)
    picture = np.full((800, 1000, 3), 225, np.uint8)
    share = damaged[..., 3:] / 255
    picture[100:740, 200:840] = damaged[..., :3] * share + 225 * (1 - share)
    found = compared(saved(Image.fromarray(picture)))
    assert {"detail", "part"} <= set(found.reasons)
    corners = np.array(found.regions[0])
    left, top = corners.min(axis=0)
    right, bottom = corners.max(axis=0)
    # The place in shares of the picture, and some pixels around it.
    assert np.allclose((left, top), (450 / 1000, 350 / 800), atol=0.05)
    assert np.allclose((right, bottom), (600 / 1000, 450 / 800), atol=0.05)


def test_a_product_with_little_detail_is_judged_by_colour_and_outline():
    plain = Image.new("RGBA", (640, 640), (0, 0, 0, 0))
    ImageDraw.Draw(plain).ellipse((100, 100, 540, 540), fill=(150, 160, 170, 255))
    logo = printed_box().crop((200, 200, 400, 400)).resize((56, 56), Image.Resampling.LANCZOS)
    plain.paste(logo, (292, 292))
    found = compared(picture_of(np.asarray(plain), seed=3), photo=saved(plain))
    assert found.left_out == ("few_details",) and not found.fails
    assert not {"lost_detail", "weak_detail", "lost_place", "shape"} & found.measures.keys()
    assert {"difference", "hue", "outline"} <= found.measures.keys()


def test_a_product_without_any_detail_is_not_judged():
    plain = Image.new("RGBA", (640, 640), (0, 0, 0, 0))
    ImageDraw.Draw(plain).ellipse((100, 100, 540, 540), fill=(120, 130, 140, 255))
    found = compared(picture_of(np.asarray(plain)), photo=saved(plain))
    assert found.score is None and found.left_out == ("plain",) and not found.fails


def test_a_product_of_a_few_pixels_is_not_judged():
    found = compared(picture_of(PRODUCT), photo=saved(printed_box().resize((50, 50))))
    assert found.score is None and found.left_out == ("small",)


def test_a_mask_says_where_the_product_is():
    photo = saved(
        Image.alpha_composite(Image.new("RGBA", (640, 640), "white"), printed_box()).convert("RGB")
    )
    mask = saved(printed_box().getchannel("A"))
    assert not compared(picture_of(PRODUCT), photo=photo, mask=mask).fails


def test_a_photo_that_is_all_product_needs_no_mask():
    front = printed_box().crop((80, 110, 560, 550))
    rgba = np.asarray(front)
    found = compared(picture_of(rgba), photo=saved(front.convert("RGB")), is_full_frame=True)
    assert found.reasons == () and found.score > BORDER


@pytest.mark.parametrize("size", [(4096, 4096), (256, 256)])
def test_large_and_small_pictures_are_judged_alike(size):
    painted = cases.as_painted(PRODUCT, GROUND, np.random.default_rng(1))
    how = Image.Resampling.LANCZOS
    assert (
        compared(saved(Image.fromarray(painted).resize(size, how), "JPEG", quality=92)).score > 0.4
    )


def test_a_transparent_picture_is_seen_on_white():
    found = compared(saved(printed_box()))
    assert found.reasons == ()


def test_what_is_no_picture_is_refused():
    with pytest.raises(PictureUnreadable):
        compared(b"\x89PNG\r\n\x1a\n and then nothing")


def test_the_score_is_a_half_exactly_at_a_threshold():
    limits = {"hue": 4.0, "blob": 0.4}
    assert judge({"hue": 4.0, "blob": 0.1}, limits) == (0.5, ())
    assert judge({"hue": 4.1, "blob": 0.8}, limits) == (round(1 / 3, 4), ("part", "colour"))
    assert judge({"hue": 0.0}, limits) == (1.0, ())


def test_what_is_stored_is_read_back():
    found = Fidelity(
        score=0.2, reasons=("words",), left_out=("few_details",), measures={"hue": 1.5},
        regions=(((0.1, 0.2), (0.3, 0.4), (0.5, 0.1)),), gone=("TRULY",), added=("TROLLY",),
    )  # fmt: skip
    assert fidelity_in({"fidelity": found.as_dict()}) == found
    assert fidelity_in({}) is None


def test_the_same_picture_has_the_same_result():
    picture = picture_of(cases.garbled_print(PRODUCT, np.random.default_rng(1)))
    assert compared(picture) == compared(picture)


def test_files_are_opened_within_the_limits():
    file = BytesIO()
    Image.new("RGB", (64, 64)).save(file, "PNG")
    with pytest.raises(Exception, match="pixels"):
        compared(file.getvalue(), max_pixels=100)
