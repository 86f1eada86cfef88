"""Products together: in proportion, hidden by a third at most, and made of their own pixels."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from nb_catalog.core.types import Size
from nb_catalog.exceptions import PictureError
from nb_catalog.imaging.bundles import PartFile, compose_bundle_into, render_bundle
from nb_catalog.imaging.compose import scaled_product
from nb_catalog.imaging.compose.arrangement import MOST_COVERED, Outline, relative_heights
from nb_catalog.imaging.compose.bundle import (
    BundlePart,
    compose_bundle,
    compose_bundle_on,
    fit_bundle,
)
from nb_catalog.imaging.cutout import CutoutBackend, FoundMask
from nb_catalog.imaging.scenery import SceneRecipe, render
from nb_catalog.imaging.scenery.stage import DISTANCE
from nb_catalog.providers.model_specs import pixel_size
from nb_catalog.testing.pictures import solid_png
from tests.imaging.composing import SCENES, cutout_of, goblet, solid_block
from tests.imaging.pictures import LIMITS, bottle, mug, saved

# Width, height of a photo, and the real height.
BOTTLE, BOOK, MUG, TIN, PLATE, RING = (
    (300, 900, 30.0), (500, 700, 24.0), (420, 360, 10.0), (300, 420, 12.0), (900, 120, 4.0),
    (80, 80, 2.0),
)  # fmt: skip
SETS = [
    [MUG, BOTTLE],
    [BOTTLE, BOOK, MUG],
    [MUG, BOOK, BOTTLE, TIN],
    [TIN, BOTTLE, BOOK, MUG, PLATE],
    [MUG, BOTTLE, BOOK, TIN, PLATE, RING],
    [BOTTLE, BOTTLE, BOTTLE, BOTTLE, BOTTLE, BOTTLE],
]


def parts_of(shapes):
    return [
        BundlePart(cutout=solid_block(width, height), height_cm=cm) for width, height, cm in shapes
    ]


def arranged(shapes, *, scene="oak-table", ratio="1:1", seed=3, view="front", size="512"):
    recipe = SceneRecipe.from_mapping(SCENES[scene])
    size = pixel_size(ratio, size)
    backdrop = render(recipe, size=size, seed=seed, view=view)
    return compose_bundle(parts_of(shapes), backdrop, recipe=recipe, seed=seed)


@pytest.mark.exhaustive(every=6)
@pytest.mark.parametrize("shapes", SETS, ids=len)
@pytest.mark.parametrize("ratio", ["1:1", "4:5", "16:9"])
@pytest.mark.parametrize("scene", ["oak-table", "pastel-podium", "studio-white"])
def test_products_stand_in_proportion_and_none_is_hidden_by_more_than_a_third(shapes, ratio, scene):
    made = arranged(shapes, scene=scene, ratio=ratio)
    height, width = made.pixels.shape[:2]
    hidden = hidden_shares(made)
    assert hidden[0] == 0
    assert max(hidden) <= 1 / 3
    assert hidden == pytest.approx([each.covered for each in made.parts], abs=0.03)
    # Real height, times perspective: what is further behind is smaller and its foot is higher up.
    tall = max(shape[2] for shape in shapes)
    scale = [
        at.rect.height * (1 + at.away / DISTANCE) / max(0.2, shape[2] / tall)
        for at, shape in zip(made.parts, shapes, strict=True)
    ]
    rounding = max(0.5 / at.rect.height for at in made.parts)
    assert max(scale) / min(scale) < 1.02 + 2 * rounding
    for one in made.parts:
        for other in made.parts:
            if one.away > other.away:
                assert one.rect.bottom < other.rect.bottom
    union = made.product
    assert union.left >= 0.04 * width and union.right <= 0.96 * width
    assert union.top >= 0.02 * height and union.bottom <= 0.98 * height


def hidden_shares(made) -> list[float]:
    """The share of each rectangle that those with a lower foot cover: measured apart from the arrangement."""
    shares = []
    for one in made.parts:
        plane = np.zeros((one.rect.height, one.rect.width), bool)
        for other in made.parts:
            if other.rect.bottom > one.rect.bottom:
                top, left = other.rect.top - one.rect.top, other.rect.left - one.rect.left
                plane[
                    max(0, top) : max(0, top + other.rect.height),
                    max(0, left) : max(0, left + other.rect.width),
                ] = True
        shares.append(float(plane.mean()))
    return shares


@pytest.mark.exhaustive(every=3)
@pytest.mark.parametrize("count", [2, 4, 6])
@pytest.mark.parametrize("view", ["front", "top"])
def test_visible_solid_pixels_are_the_products_own(count, view):
    """Compared with the scaled cut-outs, pasted back to front by hand."""
    rng = np.random.default_rng(7)
    parts = []
    for index in range(count):
        image = bottle(500 + 40 * index) if index % 2 else mug(420)
        photo = np.array(image)
        photo[..., :3] = rng.integers(0, 255, photo[..., :3].shape)
        parts.append(
            BundlePart(cutout=cutout_of(Image.fromarray(photo)), height_cm=8.0 + 5 * index)
        )
    recipe = SceneRecipe.from_mapping(SCENES["oak-table"])
    backdrop = render(recipe, size=Size(900, 720), seed=5, view=view)
    made = compose_bundle(parts, backdrop, recipe=recipe, seed=5)
    owner = np.full(made.pixels.shape[:2], -1)
    own = np.zeros_like(made.pixels)
    mixed = np.zeros(owner.shape, bool)
    order = sorted(range(count), key=lambda index: made.parts[index].rect.bottom)
    for index in order:
        scaled = scaled_product(parts[index].cutout, place=made.parts[index].rect)
        rows = slice(scaled.top, scaled.top + scaled.pixels.shape[0])
        columns = slice(scaled.left, scaled.left + scaled.pixels.shape[1])
        alpha = scaled.pixels[..., 3]
        owner[rows, columns][alpha == 255] = index
        own[rows, columns][alpha == 255] = scaled.pixels[..., :3][alpha == 255]
        mixed[rows, columns][alpha == 255] = False
        mixed[rows, columns][(alpha > 0) & (alpha < 255)] = True
    solid = (owner >= 0) & ~mixed
    assert {*np.unique(owner[solid])} == {*range(count)}
    assert (made.pixels[solid] == own[solid]).all()


def test_products_that_lie_are_side_by_side_and_none_is_hidden():
    made = arranged(SETS[4], view="top")
    assert hidden_shares(made) == [0] * 6
    rects = [each.rect for each in made.parts]
    assert all(one.shared(other) == 0 for one in rects for other in rects if one is not other)


def test_each_product_darkens_the_ground_at_its_own_foot():
    recipe = SceneRecipe.from_mapping(SCENES["studio-white"])
    backdrop = render(recipe, size=Size(800, 800), seed=3)
    made = compose_bundle(parts_of(SETS[1]), backdrop, recipe=recipe, seed=3)
    for at in made.parts:
        under = made.pixels[at.rect.bottom + 1, at.rect.left : at.rect.right].astype(int).sum(1)
        free = backdrop.pixels[at.rect.bottom + 1, at.rect.left : at.rect.right].astype(int).sum(1)
        assert np.percentile(free - under, 70) > 90


def test_a_product_of_unknown_height_gets_the_mean_size_of_the_others():
    def outline(width, height, cm=None):
        return Outline(alpha=np.full((height, width), 255, np.uint8), height_cm=cm)

    assert relative_heights([outline(100, 100, 20), outline(100, 100)]) == [1.0, 1.0]
    # A quarter as wide as high: of the same area, it is twice as high as a square.
    assert relative_heights([outline(100, 100), outline(50, 200)]) == [0.5, 1.0]
    assert relative_heights([outline(10, 10, 100), outline(10, 10, 1)]) == [1.0, 0.2]


def test_the_smallest_photo_decides_the_size_of_the_picture():
    recipe = SceneRecipe.from_mapping(SCENES["oak-table"])
    large = fit_bundle(parts_of([MUG, BOTTLE]), recipe, size=Size(2048, 2048), seed=1, view="front")
    small = fit_bundle(
        parts_of([MUG, (60, 180, 30.0)]), recipe, size=Size(2048, 2048), seed=1, view="front"
    )
    assert large.size.width > small.size.width == 512


def test_a_models_background_gets_the_same_arrangement():
    made = compose_bundle_on(parts_of(SETS[2]), np.full((600, 750, 3), 210, np.uint8), view="front")
    assert max(hidden_shares(made)) <= MOST_COVERED + 0.03 and hidden_shares(made)[0] == 0


def file_of(image, **options):
    return PartFile(photo=saved(image), **options)


def test_a_bundle_becomes_a_file_that_says_where_its_products_are():
    files = [
        file_of(bottle(400), height_cm=25.0),
        file_of(mug(400), height_cm=10.0),
        file_of(
            Image.new("RGB", (300, 400), (40, 90, 60)), photo_kind="full_frame", height_cm=21.0
        ),
    ]
    recipe = SceneRecipe.from_mapping(SCENES["oak-table"])
    made = render_bundle(files, recipe, size=Size(512, 512), seed=4, **LIMITS)
    boxes = [each["box"] for each in made.report["parts"]]
    assert len(boxes) == 3
    assert made.product.left == min(box[0] for box in boxes)
    assert made.product.bottom == max(box[1] + box[3] for box in boxes)
    again = render_bundle(files, recipe, size=Size(512, 512), seed=4, **LIMITS)
    assert again.data == made.data
    on = compose_bundle_into(
        solid_png(Size(512, 640), colour=(220, 210, 200)), files, view="front", **LIMITS
    )
    assert len(on.report["parts"]) == 3


def test_products_lie_if_one_of_them_cannot_stand():
    files = [file_of(bottle(300)), file_of(mug(300), pose="lying")]
    recipe = SceneRecipe.from_mapping(SCENES["oak-table"])
    made = render_bundle(files, recipe, size=Size(512, 512), seed=4, **LIMITS)
    assert [each["covered"] for each in made.report["parts"]] == [0, 0]
    one, other = (each["box"] for each in made.report["parts"])
    assert one[1] + one[3] / 2 == pytest.approx(other[1] + other[3] / 2, abs=2)


def test_a_part_that_is_no_picture_is_refused():
    recipe = SceneRecipe.from_mapping(SCENES["oak-table"])
    files = [file_of(bottle(300)), PartFile(photo=b"no picture")]
    with pytest.raises(PictureError):
        render_bundle(files, recipe, size=Size(512, 512), seed=4, **LIMITS)


def test_the_doubts_about_all_cut_outs_are_told():
    """With the method and the score of the least certain one."""

    class Doubtful(CutoutBackend):
        maker = "doubtful/1"

        def __init__(self, score, reason):
            self.found = {"score": score, "reasons": (reason,)}

        def find_mask(self, view):
            alpha = np.zeros(view.size[::-1], np.uint8)
            alpha[view.height // 4 : -view.height // 4, view.width // 4 : -view.width // 4] = 255
            return FoundMask(alpha=alpha, method="network", maker=self.maker, **self.found)

    photo = Image.new("RGB", (400, 400), (40, 90, 160))
    files = [
        file_of(photo, backend=Doubtful(0.4, "unsure")),
        file_of(photo, backend=Doubtful(0.6, "outline")),
    ]
    recipe = SceneRecipe.from_mapping(SCENES["oak-table"])
    made = render_bundle(files, recipe, size=Size(512, 512), seed=4, **LIMITS)
    assert made.report["cutout"] == {
        "method": "network", "score": 0.4, "reasons": ["unsure", "outline"],
    }  # fmt: skip


def test_a_product_of_a_few_pixels_is_refused_as_one_alone_is():
    recipe = SceneRecipe.from_mapping(SCENES["oak-table"])
    files = [file_of(bottle(600)), file_of(bottle(24))]
    with pytest.raises(PictureError, match="at most 8 times are possible"):
        render_bundle(files, recipe, size=Size(512, 512), seed=4, **LIMITS)


def test_outlines_with_holes_and_handles_count_as_they_are():
    recipe = SceneRecipe.from_mapping(SCENES["oak-table"])
    parts = [
        BundlePart(cutout=goblet(), height_cm=18.0),
        BundlePart(cutout=solid_block(200, 500), height_cm=20.0),
    ]
    backdrop = render(recipe, size=Size(512, 512), seed=2)
    made = compose_bundle(parts, backdrop, recipe=recipe, seed=2)
    assert max(each.covered for each in made.parts) <= MOST_COVERED
