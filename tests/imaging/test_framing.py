"""A product's share of the picture: the same at every size, large, whole, on white if it is asked for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from nb_catalog.core.types import Size
from nb_catalog.imaging import compose as composing
from nb_catalog.imaging.compose import Framing, fit_scene
from nb_catalog.imaging.scenery import SceneRecipe
from nb_catalog.imaging.scenery.stage import build_stage
from nb_catalog.providers.model_specs import pixel_size
from tests.imaging.composing import (
    SCENES,
    block,
    compose,
    compose_on,
    darkening,
    scene,
    solid_block,
)


@pytest.mark.parametrize("photo", [(30, 50), (90, 60), (500, 800)])
@pytest.mark.parametrize(
    "sides", [(512, 1536), pytest.param((1024, 4096), marks=pytest.mark.matrix)]
)
def test_a_product_takes_the_same_share_of_pictures_of_every_size(photo, sides):
    shares = []
    for side in sides:
        picture = compose_on(solid_block(*photo), np.full((side, side, 3), 190, np.uint8))
        red = np.abs(picture.astype(np.int16) - (180, 30, 40)).max(2) < 12
        rows, columns = np.flatnonzero(red.any(1)), np.flatnonzero(red.any(0))
        edges = (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)
        shares.append([edge / side for edge in edges])
    assert np.ptp(shares, axis=0).max() < 0.01


@pytest.mark.parametrize("key", ["oak-table", "pastel-podium", "grey-sweep"])
@pytest.mark.parametrize("view", ["front", "top"])
def test_a_final_is_its_draft_at_another_size(key, view):
    """As a host sees it, shrunk to the size of a list: shadow, props, light and grain are the same."""
    small = []
    for side in (512, 1024):
        backdrop = scene(key, size=Size(side, side), seed=5, view=view)
        picture = Image.fromarray(compose(block(), backdrop, seed=5))
        small.append(np.asarray(picture.resize((64, 64), Image.Resampling.BOX)).astype(float))
    assert np.abs(small[0] - small[1]).mean() < 1.5
    assert np.percentile(np.abs(small[0] - small[1]), 99) < 15


def test_a_photo_that_is_too_small_is_good_for_a_smaller_picture():
    recipe = SceneRecipe.from_mapping(SCENES["oak-table"])
    sizes = [
        fit_scene(
            solid_block(*photo), recipe, size=Size(4096, 4096), seed=2, view="front"
        ).size.width
        for photo in ((1200, 2200), (600, 1200), (300, 540), (30, 50))
    ]
    assert sizes == [4096, 2048, 1024, 512]


@pytest.mark.exhaustive(every=6)
@pytest.mark.parametrize("key", sorted(set(SCENES) - {"pastel-podium"}))
@pytest.mark.parametrize("shape", [(100, 400), (400, 180), (300, 300)])
def test_a_standing_product_fills_the_frame_and_is_whole_in_it(key, shape):
    for seed in range(3):
        stage = build_stage(
            SceneRecipe.from_mapping(SCENES[key]), size=Size(1000, 1000), seed=seed, view="front"
        )
        backdrop = replace(scene(key), box=stage.box, squash=stage.squash, unit=stage.unit)
        at = Framing().place(block(*shape).solid, backdrop, pose="standing", seed=seed)
        assert 740 <= max(at.width, at.height) <= 900
        assert min(at.left, at.top, 1000 - at.right, 1000 - at.bottom) >= 40


@pytest.mark.parametrize("key", ["oak-table", "concrete", "studio-white"])
@pytest.mark.parametrize("shape", [(100, 300), (400, 180)])
def test_the_frame_does_not_cut_a_shadow(key, shape):
    backdrop = scene(key, seed=4)
    dark = darkening(backdrop.pixels, compose(block(*shape), backdrop))
    assert max(dark[0].max(), dark[-1].max(), dark[:, 0].max(), dark[:, -1].max()) <= 6


@pytest.mark.parametrize("ratio", ["1:1", "4:5", "16:9", "9:16"])
@pytest.mark.parametrize(("view", "pose"), [("front", "standing"), ("top", "lying")])
def test_studio_white_is_white_but_for_the_shadow(ratio, view, pose):
    size = pixel_size(ratio, "512")
    for seed in (1, 77):
        backdrop = scene("studio-white", size=size, seed=seed, view=view)
        assert backdrop.pixels.min() == 255
        made = composing.compose(block(300, 200), backdrop, pose=pose, seed=seed)
        picture, at = made.pixels.astype(int), made.product
        rim = [picture[0], picture[-1], picture[:, 0], picture[:, -1]]
        assert min(each.min() for each in rim) >= 250
        # It fades out without a step, from dark at the foot to white.
        column = picture[at.bottom : at.bottom + 60, at.left + at.width // 2, 1]
        assert column[:6].min() < (200 if pose == "standing" else 245)
        assert np.diff(column[column.argmin() :]).max() < 60
