"""Adjustments of pictures, pixel by pixel."""

import math
from io import BytesIO

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw

from nb_catalog.core.types import Rect, Size
from nb_catalog.exceptions import AdjustmentRefused, CropRefused
from nb_catalog.imaging.adjust import (
    ProductMask,
    RenderedScene,
    adjust_file,
    as_mappings,
    own_mask,
    parse_adjustments,
    place_in_photo,
    preview_file,
)
from nb_catalog.imaging.adjust.geometry import identity, matrix_of, moved_box
from nb_catalog.imaging.own_photo import own_photo
from nb_catalog.imaging.provenance import DigitalSourceType, read_mark
from nb_catalog.imaging.scenery import SceneRecipe, render
from tests.imaging.pictures import LIMITS, bottle, colourful, saved

PRODUCT = Rect(40, 30, 40, 60)
CAPTURE = DigitalSourceType.CAPTURE


def ground(width=160, height=120):
    """Colours that differ everywhere, with a grey product at ``PRODUCT``."""
    image = colourful(width, height)
    ImageDraw.Draw(image).rectangle(
        (PRODUCT.left, PRODUCT.top, PRODUCT.right - 1, PRODUCT.bottom - 1), fill=(120, 120, 120)
    )
    return image


def mask_file(place=PRODUCT, size=(160, 120)):
    mask = Image.new("L", size, 0)
    ImageDraw.Draw(mask).rectangle(
        (place.left, place.top, place.right - 1, place.bottom - 1), fill=255
    )
    return saved(mask)


def mask(**changes):
    options = {"file": mask_file(), "place": PRODUCT, "matrix": identity(), "refine": False}
    return ProductMask(**options | changes)


def adjusted(image, *items, **options):
    data = image if isinstance(image, bytes) else saved(image)
    defaults = {"origin": CAPTURE, "product": PRODUCT}
    return adjust_file(data, parse_adjustments(items), **defaults | options, **LIMITS)


def pixels(data):
    with Image.open(BytesIO(data)) as opened:
        return np.asarray(opened)


def linear(levels):
    share = np.asarray(levels, np.float64) / 255
    return np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)


def test_a_crop_has_the_ratio_and_the_pixels_around_the_product():
    image = ground()
    made = adjusted(image, {"kind": "crop", "ratio": "1:1"})
    assert made.size == (120, 120)
    left = PRODUCT.left - made.product.left
    assert made.product == PRODUCT._replace(left=PRODUCT.left - left) and left == 0
    assert np.array_equal(pixels(made.data), np.asarray(image)[:, left : left + 120])
    narrow = adjusted(image, {"kind": "crop", "ratio": "1:2"})
    middle = narrow.product.left + narrow.product.width / 2
    assert narrow.size == (60, 120) and abs(middle - 30) <= 1
    np.testing.assert_allclose(narrow.matrix, [[1, 0, -30], [0, 1, 0]])


def test_a_crop_that_would_cut_the_product_or_leave_next_to_nothing_is_refused():
    with pytest.raises(AdjustmentRefused, match="part of the product would be cut off"):
        adjusted(ground(), {"kind": "crop", "ratio": "3:1"})
    with pytest.raises(CropRefused, match="15 × 120"):
        adjusted(ground(), {"kind": "crop", "ratio": "1:8"}, product=None)


def test_straightening_turns_clockwise_and_leaves_no_empty_corner():
    image = Image.new("RGB", (400, 300), "#808080")
    # A line that falls to the right by 3 degrees, and is level after 3 degrees against the clock.
    ImageDraw.Draw(image).line(
        (0, 150 - 200 * math.tan(math.radians(3)), 400, 150 + 200 * math.tan(math.radians(3))),
        fill="white",
        width=5,
    )
    made = adjusted(image, {"kind": "straighten", "degrees": -3}, product=None)
    seen = pixels(made.data)[..., 0].astype(int)
    rows = np.argmax(seen, axis=0)
    assert np.ptp(rows) <= 3
    # Every corner shows what was inside of the picture before.
    turned_back = np.linalg.inv(np.vstack([made.matrix, [0, 0, 1]]))
    for x in (0, made.size.width):
        for y in (0, made.size.height):
            at = turned_back @ (x, y, 1)
            assert -0.5 <= at[0] <= 400.5 and -0.5 <= at[1] <= 300.5, "an empty corner"
    assert made.size.width / made.size.height == pytest.approx(4 / 3, abs=0.02)


def test_turning_is_about_the_very_middle():
    noise = np.random.default_rng(3).integers(0, 256, (200, 300, 3), np.uint8)
    smooth = cv2.GaussianBlur(noise, (0, 0), 1.5).astype(int)
    # The same upside down, and so it is after any turn about its middle.
    image = Image.fromarray(((smooth + smooth[::-1, ::-1]) // 2).astype(np.uint8))
    made = adjusted(image, {"kind": "straighten", "degrees": 15}, product=None)
    seen = pixels(made.data).astype(int)
    assert np.abs(seen - seen[::-1, ::-1]).mean() < 0.5


def test_the_products_box_turns_with_it_and_may_not_be_cut():
    made = adjusted(ground(), {"kind": "straighten", "degrees": 5})
    # The same corners by hand: about the middle of one picture to the middle of the other.
    angle, (width, height) = math.radians(5), made.size
    xs, ys = [], []
    for x in (PRODUCT.left, PRODUCT.right):
        for y in (PRODUCT.top, PRODUCT.bottom):
            dx, dy = x - 80, y - 60
            xs.append(dx * math.cos(angle) - dy * math.sin(angle) + width / 2)
            ys.append(dx * math.sin(angle) + dy * math.cos(angle) + height / 2)
    assert made.product.left == math.floor(min(xs)) and made.product.bottom == math.ceil(max(ys))
    with pytest.raises(AdjustmentRefused, match="Turned by 15 degrees"):
        adjusted(ground(), {"kind": "straighten", "degrees": 15}, product=Rect(2, 2, 100, 100))


@pytest.mark.parametrize("stops", [-1.0, 0.5, 1.0])
def test_a_stop_is_twice_the_light(stops):
    made = pixels(adjusted(ground(), {"kind": "exposure", "stops": stops}).data)
    before = np.asarray(ground())
    wanted = np.minimum(linear(before) * 2**stops, 1)
    # Half a level of rounding, in linear light at its steepest.
    assert np.abs(linear(made) - wanted).max() < 0.005


def test_white_balance_warms_a_grey_and_keeps_its_luminance():
    grey = Image.new("RGB", (64, 64), (120, 120, 120))
    weights = np.array([0.2126, 0.7152, 0.0722])
    for item, order in (
        ({"temperature": 60}, "red over blue"),
        ({"temperature": -60}, "blue over red"),
        ({"tint": 60}, "magenta"),
    ):
        made = adjusted(grey, {"kind": "white_balance", **item}, product=None)
        red, green, blue = pixels(made.data)[0, 0].astype(int)
        assert {
            "red over blue": red > 124 > 116 > blue,
            "blue over red": blue > 124 > 116 > red,
            "magenta": green < 119 and red > 120 and blue > 120,
        }[order]
        assert linear([red, green, blue]) @ weights == pytest.approx(linear(120), rel=0.02)


def test_in_the_background_alone_the_product_keeps_every_pixel():
    before = np.asarray(ground())
    box = np.s_[PRODUCT.top : PRODUCT.bottom, PRODUCT.left : PRODUCT.right]
    for item in (
        {"kind": "exposure", "stops": 1.0},
        {"kind": "white_balance", "temperature": 100},
        {"kind": "sharpen", "amount": 2.0},
    ):
        made = adjusted(ground(), {**item, "area": "background"}, mask=mask())
        after = pixels(made.data)
        assert np.array_equal(after[box], before[box])
        assert (after != before).any() and made.shift is None


def test_a_background_colour_fills_all_but_the_product():
    made = pixels(adjusted(ground(), {"kind": "background", "colour": "#FF0080"}, mask=mask()).data)
    inside = np.zeros(made.shape[:2], bool)
    inside[PRODUCT.top : PRODUCT.bottom, PRODUCT.left : PRODUCT.right] = True
    assert (made[inside] == 120).all() and (made[~inside] == (255, 0, 128)).all()


def test_the_mask_of_a_photo_is_laid_where_the_product_was_placed_and_moved():
    # The product was half as large in its photo, and the picture was cropped since.
    photo_mask = mask_file(Rect(5, 10, 20, 30), (80, 60))
    place = PRODUCT._replace(left=PRODUCT.left + 25)
    moved = mask(file=photo_mask, place=place, matrix=np.array([[1.0, 0, -25], [0, 1, 0]]))
    made = pixels(adjusted(ground(), {"kind": "background", "colour": "#000000"}, mask=moved).data)
    assert (
        made[PRODUCT.top + 3 : PRODUCT.bottom - 3, PRODUCT.left + 3 : PRODUCT.right - 3] == 120
    ).all()
    assert not made[:, PRODUCT.right + 3 :].any() and not made[: PRODUCT.top - 3].any()


def test_a_mask_of_another_shape_than_its_place_is_refused():
    wrong = mask(place=Rect(40, 30, 60, 60))
    with pytest.raises(AdjustmentRefused, match="not known which pixels"):
        adjusted(ground(), {"kind": "background", "colour": "#ffffff"}, mask=wrong)


def test_without_a_mask_a_background_is_not_guessed():
    for item in (
        {"kind": "background", "colour": "#ffffff"},
        {"kind": "exposure", "stops": 1, "area": "background"},
    ):
        with pytest.raises(AdjustmentRefused, match="not known which pixels"):
            adjusted(ground(), item)


def test_a_picture_with_transparency_has_a_background_of_its_own():
    made = adjusted(bottle(128), {"kind": "background", "colour": "#ffffff"}, product=None)
    flat = Image.new("RGBA", (128, 128), "white")
    flat.alpha_composite(bottle(128))
    wanted = np.asarray(flat.convert("RGB")).astype(int)
    assert np.abs(pixels(made.data).astype(int) - wanted).max() <= 1
    kept = adjusted(bottle(128), {"kind": "exposure", "stops": 0.5}, product=None)
    assert np.array_equal(pixels(kept.data)[..., 3], np.asarray(bottle(128))[..., 3])


def test_sharpening_raises_contrast_at_edges_and_leaves_plain_areas():
    image = Image.new("RGB", (64, 64), (90, 90, 90))
    ImageDraw.Draw(image).rectangle((32, 0, 64, 64), fill=(160, 160, 160))
    made = pixels(adjusted(image, {"kind": "sharpen", "amount": 1.0}, product=None).data)
    assert made[32, 31, 0] < 90 and made[32, 32, 0] > 160
    assert made[32, 10, 0] == 90 and made[32, 60, 0] == 160


def test_nothing_is_enlarged_unless_it_is_asked_for():
    assert adjusted(ground(), {"kind": "resize", "width": 80}).size == (80, 60)
    with pytest.raises(AdjustmentRefused, match="160 pixels wide.*adds no detail"):
        adjusted(ground(), {"kind": "resize", "width": 161})
    larger = adjusted(ground(), {"kind": "resize", "width": 240, "enlarge": True})
    assert larger.size == (240, 180) and larger.product == Rect(60, 45, 60, 90)
    with pytest.raises(AdjustmentRefused, match="twice that at most"):
        adjusted(ground(), {"kind": "resize", "width": 330, "enlarge": True})


def test_the_same_list_gives_the_same_bytes_and_its_order_counts():
    items = ({"kind": "crop", "ratio": "1:1"}, {"kind": "exposure", "stops": 0.3})
    assert adjusted(ground(), *items).data == adjusted(ground(), *items).data
    turned = ({"kind": "straighten", "degrees": 4}, {"kind": "crop", "ratio": "1:1"})
    assert adjusted(ground(), *turned).size != adjusted(ground(), *turned[::-1]).size


def test_a_chain_of_adjustments_knows_where_the_product_went():
    items = (
        {"kind": "straighten", "degrees": 2},
        {"kind": "resize", "width": 120},
        {"kind": "crop", "ratio": "1:1"},
    )
    made = adjusted(ground(), *items)
    whole = moved_box(PRODUCT, made.matrix)
    # Each step takes whole pixels around the last one's.
    assert all(abs(ours - theirs) <= 3 for ours, theirs in zip(made.product, whole, strict=True))


def test_the_products_own_pixels_change_no_further_than_relighting_may():
    made = adjusted(ground(), {"kind": "exposure", "stops": 0.2}, bounded={})
    assert 0 < made.shift.median <= 6
    with pytest.raises(AdjustmentRefused, match="at most 6 are allowed"):
        adjusted(ground(), {"kind": "exposure", "stops": 1.2}, bounded={})
    before = {"median": 5.0, "colour_median": 0.1, "p95": 6.0, "ncc": 0.99}
    with pytest.raises(AdjustmentRefused, match="at most 6 are allowed"):
        adjusted(ground(), {"kind": "exposure", "stops": 0.2}, bounded=before)
    # The shop's own photo, or what a model drew, has no such promise.
    assert adjusted(ground(), {"kind": "exposure", "stops": 1.2}).shift.median > 6


@pytest.mark.parametrize(
    ("item", "term"),
    [
        ({"kind": "crop", "ratio": "1:1"}, "digitalCapture"),
        ({"kind": "exposure", "stops": 0.5}, "digitalCapture"),
        ({"kind": "background", "colour": "#ffffff"}, "algorithmicMedia"),
    ],
)
def test_the_file_has_the_mark_of_what_it_is_made_from_and_what_was_added(item, term):
    made = adjusted(ground(), item, mask=mask())
    assert read_mark(made.data) == made.term == term
    drawn = adjusted(ground(), item, mask=mask(), origin=DigitalSourceType.MODEL)
    assert read_mark(drawn.data) == "trainedAlgorithmicMedia"


def test_a_png_stays_one_and_a_jpeg_does():
    item = {"kind": "crop", "ratio": "1:1"}
    assert adjusted(ground(), item).mime_type == "image/png"
    assert adjusted(saved(ground(), "JPEG", quality=95), item).mime_type == "image/jpeg"


def test_a_preview_is_small_and_shows_what_the_bounds_would_refuse():
    items = parse_adjustments([{"kind": "exposure", "stops": 1.5}])
    data = preview_file(saved(ground()), items, side=80, origin=CAPTURE, product=PRODUCT, **LIMITS)
    assert pixels(data).shape == (60, 80, 3) and read_mark(data) == "digitalCapture"


RECIPE = {"surface": {"kind": "marble", "tone": "#e8e6e2"}}


def scene_picture(*, seed=5, view="front"):
    backdrop = render(SceneRecipe.from_mapping(RECIPE), size=Size(256, 256), seed=seed, view=view)
    image = Image.fromarray(backdrop.pixels)
    box = Rect(108, 90, 40, 120)
    ImageDraw.Draw(image).rectangle((box.left, box.top, box.right, box.bottom), fill=(20, 60, 160))
    return image, box


@pytest.mark.parametrize(("ratio", "size"), [("16:9", (455, 256)), ("9:16", (256, 455))])
@pytest.mark.parametrize("view", ["front", "top"])
def test_a_rendered_scene_is_rendered_on(ratio, size, view):
    image, product = scene_picture(view=view)
    scene = RenderedScene(recipe=RECIPE, seed=5, camera={})
    made = adjusted(image, {"kind": "extend", "ratio": ratio}, product=product, scene=scene)
    assert made.size == size
    left, top = (size[0] - 256) // 2, (size[1] - 256) // 2
    before, after = np.asarray(image), pixels(made.data)
    # All but the seams is the picture, the product with it.
    assert np.array_equal(
        after[top + 21 : top + 235, left + 21 : left + 235], before[21:235, 21:235]
    )
    assert made.product == product._replace(left=product.left + left, top=product.top + top)
    # New ground looks like the old one: no step at the seam that the scene does not have itself.
    wide = after if left else after.transpose(1, 0, 2)
    steps = np.abs(np.diff(wide.astype(int).mean(axis=(0, 2))))
    seams = [size[0] - 256 if left else size[1] - 256]
    at = seams[0] // 2
    assert steps[at - 3 : at + 3].max() <= max(3.0, np.percentile(steps[at + 30 : at + 70], 99) + 1)


def test_new_ground_takes_up_the_light_at_the_edge_of_the_old():
    recipe = {**RECIPE, "mood": {"vignette": 1.0}}
    backdrop = render(SceneRecipe.from_mapping(recipe), size=Size(256, 256), seed=5, view="front")
    scene = RenderedScene(recipe=recipe, seed=5, camera={})
    made = adjusted(
        Image.fromarray(backdrop.pixels),
        {"kind": "extend", "ratio": "16:9"},
        product=Rect(108, 90, 40, 120),
        scene=scene,
    )
    light = pixels(made.data)[:100].astype(float).mean(axis=(0, 2))
    at = (made.size.width - 256) // 2
    edge = backdrop.pixels[:100, :10].astype(float).mean()
    # Without it, the new ground beside the dark edge would be 45 levels brighter.
    assert light[at - 12 : at - 2].mean() == pytest.approx(edge, abs=8)


def test_another_scene_than_the_renderers_is_not_extended():
    image, product = scene_picture()
    item = {"kind": "extend", "ratio": "16:9"}
    for scene, reason in (
        (None, "Only a scene that the local renderer made"),
        (
            RenderedScene(recipe={"surface": {"kind": "oak"}}, seed=5, camera={}),
            "not valid|differently",
        ),
        (
            RenderedScene(
                recipe={"surface": {"kind": "paper", "tone": "#203040"}}, seed=5, camera={}
            ),
            "Today the renderer draws this scene differently",
        ),
    ):
        with pytest.raises(AdjustmentRefused, match=reason):
            adjusted(image, item, product=product, scene=scene)
    scene = RenderedScene(recipe=RECIPE, seed=5, camera={})
    with pytest.raises(AdjustmentRefused, match="more than two thirds"):
        adjusted(image, {"kind": "extend", "ratio": "4:1"}, product=product, scene=scene)


def test_no_picture_becomes_larger_than_the_site_accepts():
    image, product = scene_picture()
    scene = RenderedScene(recipe=RECIPE, seed=5, camera={})
    for item, size in (
        ({"kind": "extend", "ratio": "16:9"}, Size(455, 256)),
        ({"kind": "resize", "width": 300, "enlarge": True}, Size(300, 300)),
    ):
        options = {"origin": CAPTURE, "product": product, "scene": scene}
        options |= {"max_bytes": LIMITS["max_bytes"], "max_pixels": size.width * size.height}
        data, items = saved(image), parse_adjustments([item])
        assert adjust_file(data, items, **options).size == size
        options["max_pixels"] -= 1
        with pytest.raises(AdjustmentRefused, match=f"{size.width} × {size.height} pixels"):
            adjust_file(data, items, **options)


def test_the_mask_follows_the_product_when_its_ground_is_extended():
    image, product = scene_picture()
    scene = RenderedScene(recipe=RECIPE, seed=5, camera={})
    own = mask(file=mask_file(product, image.size), place=product)
    options = {"product": product, "scene": scene, "mask": own}
    extended = {"kind": "extend", "ratio": "16:9"}
    before = pixels(adjusted(image, extended, **options).data)
    darker = {"kind": "exposure", "stops": -0.5, "area": "background"}
    made = adjusted(image, extended, darker, **options)
    kept = np.argwhere((pixels(made.data) == before).all(axis=2))
    (top, left), (bottom, right) = kept.min(axis=0), kept.max(axis=0)
    found = Rect(int(left), int(top), int(right - left) + 1, int(bottom - top) + 1)
    assert all(abs(a - b) <= 3 for a, b in zip(found, made.product, strict=True))


def test_a_product_is_found_in_its_own_photo_whole_or_cropped():
    photo = Image.new("RGB", (400, 500), "white")
    ImageDraw.Draw(photo).rectangle((150, 120, 249, 419), fill=(40, 60, 160))
    found = Image.new("L", (200, 250), 0)
    ImageDraw.Draw(found).rectangle((75, 60, 124, 209), fill=255)
    data = saved(photo)
    whole = place_in_photo(saved(found), picture=Size(400, 500), **LIMITS)
    assert whole == Rect(150, 120, 100, 300)
    square = own_photo(data, ratio="1:1", **LIMITS)
    with Image.open(BytesIO(square.data)) as opened:
        size, made = Size(*opened.size), np.asarray(opened.convert("RGB"))
    place = place_in_photo(saved(found), picture=size, photo=data, ratio="1:1", **LIMITS)
    blue = np.argwhere(made[..., 2] > made[..., 0].astype(int) + 50)
    top, left = blue.min(axis=0)
    assert abs(place.left - left) <= 1 and abs(place.top - top) <= 1
    assert own_mask(data, **LIMITS) is None and own_mask(saved(bottle(64)), **LIMITS)


@pytest.mark.parametrize(
    ("items", "message"),
    [
        ([], "nothing to adjust"),
        ("crop", "expected a list of objects"),
        ([3], r"adjustments\[0\]: expected an object"),
        ([{"kind": "croop"}], "no adjustment 'croop'.*crop"),
        ([{"kind": "crop"}], "'ratio' is missing"),
        ([{"kind": "crop", "ratio": "wide"}], "'wide' is not a ratio"),
        ([{"kind": "crop", "ratio": "1:100"}], "'1:100' is not a ratio"),
        ([{"kind": "crop", "ratio": "1:1", "zoom": 2}], "no key 'zoom'"),
        ([{"kind": "straighten", "degrees": 0}], "changes nothing"),
        ([{"kind": "straighten", "degrees": 90}], "from -15 to 15"),
        ([{"kind": "exposure", "stops": float("nan")}], "from -2 to 2"),
        ([{"kind": "exposure", "stops": 1, "area": "product"}], "'product' is not accepted"),
        ([{"kind": "white_balance"}], "changes nothing"),
        ([{"kind": "background", "colour": "white"}], "expected a colour"),
        ([{"kind": "resize", "width": 10}], "from 32 to 8192"),
        ([{"kind": "sharpen", "amount": 0.5}] * 13, "At most 12"),
    ],
)
def test_what_is_wrong_with_a_list_is_said(items, message):
    with pytest.raises(ValueError, match=message):
        parse_adjustments(items)


def test_adjustments_are_plain_data_and_back():
    items = [{"kind": "exposure", "stops": 1}, {"kind": "resize", "width": 400}]
    parsed = parse_adjustments(items)
    assert parse_adjustments(as_mappings(parsed)) == parsed
    assert as_mappings(parsed)[0] == {"kind": "exposure", "stops": 1.0, "area": "all"}
    np.testing.assert_array_equal(matrix_of([[1, 0, 2], [0, 1, 3]]), [[1, 0, 2], [0, 1, 3]])
