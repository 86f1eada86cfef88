"""What makes a rendered scene look photographed: focus, highlights, walls of their own, lights, boards."""

from __future__ import annotations

from itertools import combinations

import cv2
import numpy as np
import pytest

from nb_catalog.core.types import Size
from nb_catalog.imaging.scenery import SceneRecipe
from nb_catalog.imaging.scenery.backdrop import Backdrop, build_backdrop
from nb_catalog.imaging.scenery.bokeh import add_bokeh
from nb_catalog.imaging.scenery.canvas import expose
from nb_catalog.imaging.scenery.focus import blur_by_depth
from nb_catalog.imaging.scenery.noise import stream
from nb_catalog.imaging.scenery.recipe import Prop
from nb_catalog.imaging.scenery.stage import build_stage
from tests.imaging.composing import SCENES

WHITE = {"studio-white", "packshot-white", "packshot-shadow"}
ON_PLASTER = sorted(
    key for key, recipe in SCENES.items() if recipe.get("wall", {}).get("kind") == "plaster"
)
SIDE = 480


def build(recipe: dict | str, *, seed: int = 7, view: str = "front", side: int = SIDE) -> Backdrop:
    mapping = SCENES[recipe] if isinstance(recipe, str) else recipe
    return build_backdrop(
        SceneRecipe.from_mapping(mapping), size=Size(side, side), seed=seed, view=view
    )


def luminance(pixels: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).astype(np.float32)


# Depth of field


def stripes(side: int = 1024) -> np.ndarray:
    """Upright stripes, which lose contrast where they are blurred."""
    row = np.where(np.arange(side) // 4 % 2, 220, 40).astype(np.uint8)
    return np.repeat(np.broadcast_to(row, (side, side))[..., None], 3, axis=2).copy()


def contrast_by_row(pixels: np.ndarray) -> np.ndarray:
    return pixels[..., 0].astype(float).std(axis=1)


@pytest.mark.parametrize("seed", [1, 4, 9])
def test_ground_and_wall_lose_focus_with_their_distance_from_the_product(seed):
    recipe = SceneRecipe.from_mapping(SCENES["oak-table"])
    stage = build_stage(recipe, size=Size(1024, 1024), seed=seed, view="front")
    pixels = stripes()
    blur_by_depth(pixels, stage=stage)
    sharp, seen = contrast_by_row(stripes())[0], contrast_by_row(pixels)
    foot, edge = int(stage.floor), int(stage.edge)
    assert seen[foot - 10 : foot + 10].min() > 0.9 * sharp
    assert (np.diff(seen[edge + 5 : foot - 40]) >= -0.05 * sharp).all()
    assert seen[edge] < 0.5 * sharp
    # The wall has the distance of the edge of the ground.
    assert np.ptp(seen[: edge - 30]) < 0.1 * sharp
    assert seen[-1] < 0.9 * sharp


def test_focus_is_the_same_at_every_size():
    recipe = SceneRecipe.from_mapping(SCENES["oak-table"])
    seen = []
    for side in (512, 1024):
        stage = build_stage(recipe, size=Size(side, side), seed=4, view="front")
        # The same stripes in units.
        pixels = cv2.resize(stripes(512), (side, side), interpolation=cv2.INTER_CUBIC)
        blur_by_depth(pixels, stage=stage)
        seen.append(cv2.resize(pixels, (512, 512), interpolation=cv2.INTER_AREA))
    assert np.abs(seen[0].astype(int) - seen[1])[:, 20:-20].mean() < 4


def test_a_view_from_above_is_sharp_everywhere():
    detail = np.abs(np.diff(luminance(build("terrazzo-counter", view="top").pixels), axis=1))
    middle, rim = detail[200:280].mean(), np.concatenate([detail[:60], detail[-60:]]).mean()
    assert rim > 0.7 * middle


# Highlights


@pytest.mark.exhaustive(every=5)
@pytest.mark.parametrize("key", sorted(set(SCENES) - WHITE))
@pytest.mark.parametrize("view", ["front", "top"])
def test_bright_ground_and_walls_do_not_burn_out(key, view):
    for seed in (1, 7, 12):
        pixels = build(key, seed=seed, view=view).pixels
        assert (pixels.max(axis=2) >= 254).mean() < 0.005


def test_highlights_are_compressed_and_nothing_below_them_changes():
    levels = np.linspace(0, 400, 401, dtype=np.float32)[None, :, None].repeat(3, axis=2)
    seen = expose(levels)[0, :, 0].astype(int)
    assert np.array_equal(seen[:200], np.arange(200))
    assert (np.diff(seen) >= 0).all()
    assert 235 < seen[255] < 250
    assert seen[290] < 255
    assert seen[310:].min() == 255


# Walls


def test_walls_of_different_scenes_are_different_walls():
    textures = []
    for key in ON_PLASTER:
        wall = cv2.GaussianBlur(luminance(build(key).pixels)[: SIDE // 2], (0, 0), 2)
        textures.append((wall - cv2.GaussianBlur(wall, (0, 0), SIDE / 6)).ravel())
    assert len(textures) > 5
    same = [np.corrcoef(one, other)[0, 1] for one, other in combinations(textures, 2)]
    assert max(same) < 0.7


def test_another_colour_keeps_the_texture():
    textures = []
    for tone in ("#d8d6cd", "#c9d8d6"):
        recipe = {**SCENES["oak-table"], "wall": {"kind": "plaster", "tone": tone}}
        wall = cv2.GaussianBlur(luminance(build(recipe).pixels)[: SIDE // 2], (0, 0), 2)
        textures.append((wall - cv2.GaussianBlur(wall, (0, 0), SIDE / 6)).ravel())
    assert np.corrcoef(textures)[0, 1] > 0.9


# Lights


def lights(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Areas and peaks of separate lights on a black wall."""
    prop = Prop(kind="bokeh", tone="#ffffff", accent="#ffffff", height=0.6)
    black = np.zeros((600, 900, 3), np.float32)
    glow = add_bokeh(
        black, prop, origin=(450.0, 560.0), per_unit=520.0, rng=stream(seed, "test")
    )[..., 1]  # fmt: skip
    ground = cv2.GaussianBlur(glow, (0, 0), 60)
    spots = (glow - ground > 25).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(spots)
    good = [each for each in range(1, count) if stats[each, cv2.CC_STAT_AREA] > 60]
    peaks = np.array([glow[labels == each].max() for each in good])
    return stats[good, cv2.CC_STAT_AREA], peaks


def test_lights_out_of_focus_differ_in_size_and_brightness():
    areas, peaks = (np.concatenate(each) for each in zip(*map(lights, range(5)), strict=True))
    assert len(areas) > 30
    assert np.percentile(areas, 90) > 6 * np.percentile(areas, 10)
    assert np.percentile(peaks, 90) > 1.6 * np.percentile(peaks, 10)


def test_lights_hang_together():
    """Closer to their neighbours than the same number would be that hang anywhere."""
    prop = Prop(kind="bokeh", tone="#ffffff", height=3.0, width=0.3)
    black = np.zeros((300, 450, 3), np.float32)
    uneven = []
    for seed in range(6):
        seen = add_bokeh(
            black, prop, origin=(225.0, 280.0), per_unit=260.0, rng=stream(seed, "test")
        )[:280, :, 1]  # fmt: skip
        cells = cv2.resize(seen, (9, 6), interpolation=cv2.INTER_AREA)
        uneven.append(cells.std() / cells.mean())
    assert np.mean(uneven) > 0.3


# Props from above


@pytest.mark.parametrize("kind", ["arch", "block", "disc", "podium", "slab"])
def test_a_prop_is_a_board_below_a_product_that_is_seen_from_above(kind):
    prop = {"kind": kind, "tone": "#c03020", "surface": "paper"}
    recipe = {"surface": {"kind": "paper", "tone": "#d8d8d8"}, "props": [prop]}
    pixels = build(recipe, view="top").pixels.astype(int)
    red = pixels[..., 0] - pixels[..., 2] > 60
    assert red[SIDE // 2 - 20 : SIDE // 2 + 20, SIDE // 2 - 20 : SIDE // 2 + 20].all()
    assert 0.3 < red.mean() < 0.85
    assert not np.concatenate([red[0], red[-1], red[:, 0], red[:, -1]]).any()


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("size", [Size(480, 480), Size(400, 500), Size(800, 450)])
def test_a_podium_is_whole_in_the_frame(seed, size):
    recipe = SceneRecipe.from_mapping(SCENES["pastel-podium"])
    stage = build_stage(recipe, size=size, seed=seed, view="front")
    width = next(each.width for each in recipe.props if each.kind == "podium")
    front = stage.project(np.array([[0.0, -width / 2]]))[0, 1]
    assert front < size.height


def test_lamps_shine_into_a_view_from_above_and_the_sky_does_not():
    for key, shine in (("festive", True), ("garden-stone", False)):
        bare = {**SCENES[key], "props": []}
        with_lights, without = (
            build_backdrop(
                SceneRecipe.from_mapping(each), size=Size(300, 300), seed=3, view="top"
            ).pixels
            for each in (SCENES[key], bare)
        )
        corners, rim = luminance(with_lights), 70
        brightest = max(
            corners[rows, columns].max()
            for rows in (slice(0, rim), slice(-rim, None))
            for columns in (slice(0, rim), slice(-rim, None))
        )
        assert (brightest > luminance(without).max() + 20) == shine
