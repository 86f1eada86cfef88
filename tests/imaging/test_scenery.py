"""Rendered scenes: deterministic, the same at every size, lit, textured, and told how by a recipe."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest
from django.core.management import call_command

import nb_catalog
from nb_catalog.core.types import Size
from nb_catalog.imaging.scenery import SceneRecipe, render, thumbnail
from nb_catalog.imaging.scenery.backdrop import build_backdrop
from nb_catalog.imaging.scenery.gobo import gobo
from nb_catalog.imaging.scenery.ground import project_gobo
from nb_catalog.imaging.scenery.light import Light, sample_light
from nb_catalog.imaging.scenery.noise import fractal
from nb_catalog.imaging.scenery.recipe import SURFACES, WALLS, Lamp
from nb_catalog.imaging.scenery.stage import build_stage
from nb_catalog.imaging.scenery.surfaces import PAINTERS
from nb_catalog.models import Scene
from nb_catalog.providers.model_specs import RATIOS, pixel_size

ROOT = Path(nb_catalog.__file__).parent
FIXTURE = ROOT / "fixtures" / "nb_catalog_scenes.json"
SCENES = {
    row["fields"]["key"]: row["fields"] for row in json.loads(FIXTURE.read_text(encoding="utf-8"))
}
PLAIN = {"packshot-white", "packshot-shadow", "brand-colour"}
SMALL = Size(320, 320)
OAK = {"surface": {"kind": "oak", "tone": "#b98a5a"}, "wall": {"kind": "plaster"}}


def scene(key: str) -> SceneRecipe:
    return SceneRecipe.from_mapping(SCENES[key]["renderer"])


def difference(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.abs(one.astype(float) - other.astype(float)).mean())


# Recipes


def test_a_recipe_needs_only_a_surface_which_then_rises_as_the_wall():
    recipe = SceneRecipe.from_mapping({"surface": {"kind": "paper", "tone": "#F0F0F0"}})
    assert recipe.wall == recipe.surface
    assert recipe.surface.tone == "#f0f0f0"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, ["surface", "missing"]),
        ({"surfaces": {}}, ["'surfaces'", "Did you mean 'surface'", "Accepted:", "light"]),
        ({"surface": {"tone": "#ffffff"}}, ["surface", "'kind' is missing"]),
        ({"surface": {"kind": "marbel"}}, ["surface.kind", "Did you mean 'marble'", "oak"]),
        ({"surface": {"kind": "foliage"}}, ["surface.kind", "'foliage'", "moss"]),
        ({"surface": {"kind": "oak", "tone": "brown"}}, ["surface.tone", "'brown'", "#b98a5a"]),
        ({"surface": {"kind": "oak", "colour": "#ffffff"}}, ["surface", "'colour'", "tone"]),
        ({"surface": "oak"}, ["surface", "object", "'oak'"]),
        ({**OAK, "wall": {"kind": "plastr"}}, ["wall.kind", "Did you mean 'plaster'"]),
        ({**OAK, "edge": "cliff"}, ["edge", "'cliff'", "floor, sweep, table"]),
        ({**OAK, "light": {"side": "lef"}}, ["light.side", "Did you mean 'left'"]),
        ({**OAK, "light": {"warmth": 3}}, ["light.warmth", "from -1 to 1", "3"]),
        ({**OAK, "light": {"warmth": True}}, ["light.warmth", "True"]),
        ({**OAK, "light": {"warmth": float("nan")}}, ["light.warmth", "nan"]),
        ({**OAK, "props": {"kind": "arch"}}, ["props", "list"]),
        ({**OAK, "props": [{"kind": "arch"}, {"kind": "podum"}]}, ["props[1].kind", "podium"]),
        ({**OAK, "props": [{"width": 1}]}, ["props[0]", "'kind' is missing"]),
        ({**OAK, "mood": {"grain": "much"}}, ["mood.grain", "0 to 1", "'much'"]),
        ({**OAK, "view": "side"}, ["view", "auto, front, top"]),
        ({**OAK, "shadow": "noen"}, ["shadow", "Did you mean 'none'"]),
        ({**OAK, "framing": {"fill": 2}}, ["framing.fill", "0.3 to 0.9", "2"]),
        ({**OAK, "framing": {"place": "center"}}, ["framing.place", "Did you mean 'centre'"]),
        ({**OAK, "framing": {"room": "below"}}, ["framing.room", "above, left, none, right"]),
        ({**OAK, "framing": {"baseline": 0.9}}, ["framing.baseline", "0.02 to 0.6", "0.9"]),
        ({**OAK, "framing": {"base": 0.2}}, ["framing", "'base'", "baseline"]),
        ({**OAK, "framing": "centre"}, ["framing", "object", "'centre'"]),
        ({**OAK, "fill": 2}, ["fill", "0.3 to 0.9", "2"]),
        ({**OAK, "fill": 0.8, "framing": {"fill": 0.8}}, ["fill", "framing.fill", "Remove"]),
    ],
)
def test_a_wrong_recipe_is_told_by_its_key_its_nearest_match_and_what_is_accepted(given, words):
    with pytest.raises(ValueError) as caught:
        SceneRecipe.from_mapping(given)
    for word in words:
        assert word in str(caught.value)


def test_every_material_that_a_recipe_may_name_has_a_painter():
    assert set(PAINTERS) == set(WALLS)
    assert set(SURFACES) < set(WALLS)


@pytest.mark.parametrize("kind", sorted(set(SURFACES) - {"plain"}))
def test_a_surface_has_texture_where_the_product_stands(kind):
    recipe = SceneRecipe.from_mapping({"surface": {"kind": kind, "tone": "#9a8f80"}})
    ground = build_backdrop(recipe, size=Size(512, 512), seed=3, view="top").pixels
    grey = cv2.cvtColor(ground, cv2.COLOR_RGB2GRAY).astype(np.float32)
    detail = grey - cv2.GaussianBlur(grey, (0, 0), 6)
    assert detail.std() > 0.8
    assert 40 < grey.mean() < 225


@pytest.mark.parametrize("kind", sorted(set(WALLS) - set(SURFACES)))
def test_a_wall_that_is_no_surface_paints_too(kind):
    recipe = SceneRecipe.from_mapping({**OAK, "wall": {"kind": kind, "tone": "#7a8f80"}})
    assert build_backdrop(recipe, size=SMALL, seed=1, view="front").pixels[:100].std() > 1


# Rendering


@pytest.mark.parametrize("key", SCENES)
@pytest.mark.parametrize("view", ["front", "top"])
def test_the_same_scene_comes_out_in_the_same_bytes(key, view):
    one = build_backdrop(scene(key), size=SMALL, seed=11, view=view)
    other = build_backdrop(scene(key), size=SMALL, seed=11, view=view)
    assert one.pixels.shape == (320, 320, 3)
    assert one.pixels.dtype == np.uint8
    assert np.array_equal(one.pixels, other.pixels)
    assert (one.box, one.light) == (other.box, other.light)


def test_another_process_renders_the_same_bytes():
    code = (
        "import json, sys, hashlib\n"
        "from nb_catalog.imaging.scenery import SceneRecipe, render\n"
        "from nb_catalog.core.types import Size\n"
        "recipe = SceneRecipe.from_mapping(json.load(sys.stdin))\n"
        "pixels = render(recipe, size=Size(320, 320), seed=11).pixels\n"
        "print(hashlib.sha256(pixels.tobytes()).hexdigest())\n"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code],
        input=json.dumps(SCENES["garden-stone"]["renderer"]),
        cwd=ROOT.parent,
        capture_output=True,
        text=True,
        check=True,
    )
    here = render(scene("garden-stone"), size=SMALL, seed=11).pixels
    assert answer.stdout.strip() == hashlib.sha256(here.tobytes()).hexdigest()


# One colour is the same at every size and with every seed; test_framing.py and test_packshots.py look at it.
@pytest.mark.parametrize("key", sorted(set(SCENES) - {"studio-white", *PLAIN}))
def test_twice_the_size_is_the_same_picture_only_finer(key):
    small = build_backdrop(scene(key), size=Size(320, 400), seed=5, view="front").pixels
    large = build_backdrop(scene(key), size=Size(640, 800), seed=5, view="front").pixels
    shrunk = cv2.resize(large, (320, 400), interpolation=cv2.INTER_AREA)
    soft = [cv2.blur(each.astype(np.float32), (9, 9)) for each in (small, shrunk)]
    assert difference(soft[0], soft[1]) < 2.5
    # Another seed is another picture, so the comparison above can fail.
    other = build_backdrop(scene(key), size=Size(320, 400), seed=6, view="front").pixels
    assert difference(small, other) > difference(small, shrunk)


@pytest.mark.parametrize("key", sorted(set(SCENES) - {"packshot-white", "packshot-shadow"}))
def test_seeds_differ_in_framing_and_light(key):
    drawn = [build_backdrop(scene(key), size=SMALL, seed=seed, view="front") for seed in range(4)]
    assert len({(round(each.box.centre, 2), round(each.box.height, 2)) for each in drawn}) == 4
    assert len({each.light.azimuth for each in drawn}) == 4
    assert len({each.light.colour for each in drawn}) == 4


def test_seeds_light_a_scene_from_both_sides():
    sides = Counter(sample_light(Lamp(), seed=seed).azimuth > 0 for seed in range(40))
    assert min(sides.values()) > 8
    assert all(sample_light(Lamp(side="left"), seed=seed).azimuth < 0 for seed in range(20))
    assert all(abs(sample_light(Lamp(side="front"), seed=seed).azimuth) < 20 for seed in range(20))


@pytest.mark.parametrize("ratio", RATIOS)
@pytest.mark.parametrize("key", ["oak-table", "pastel-podium"])
def test_a_product_has_its_place_in_every_ratio(ratio, key):
    size = pixel_size(ratio, "1K" if ratio == "21:9" else "512")
    backdrop = build_backdrop(scene(key), size=size, seed=2, view="front")
    box = backdrop.box
    assert backdrop.pixels.shape == (size.height, size.width, 3)
    assert box.bottom - box.height >= 0
    assert box.bottom < size.height
    assert box.centre - box.width / 2 >= 0
    assert box.centre + box.width / 2 <= size.width
    assert box.height * box.width > 0.1 * min(size) ** 2


def test_a_stand_raises_the_product_and_says_where_its_top_is():
    backdrop = build_backdrop(scene("pastel-podium"), size=Size(512, 512), seed=3, view="front")
    foot = (int(backdrop.box.bottom), int(backdrop.box.centre))
    assert backdrop.platform is not None
    assert backdrop.platform[foot] == 255
    assert backdrop.platform[500, 256] == 0
    bare = build_backdrop(scene("oak-table"), size=Size(512, 512), seed=3, view="front")
    assert bare.platform is None


def test_a_warm_lamp_makes_a_warmer_picture():
    cool, warm = (
        build_backdrop(
            SceneRecipe.from_mapping(
                {"surface": {"kind": "paper", "tone": "#cccccc"}, "light": {"warmth": warmth}}
            ),
            size=SMALL,
            seed=1,
            view="front",
        )
        .pixels.reshape(-1, 3)
        .mean(0)
        for warmth in (-0.8, 0.8)
    )
    assert warm[0] - warm[2] > cool[0] - cool[2] + 10


def test_the_wall_of_a_table_is_out_of_focus_and_the_ground_at_the_product_is_not():
    recipe = {
        "surface": {"kind": "brick", "tone": "#aa8877"},
        "wall": {"kind": "brick", "tone": "#aa8877"},
        "mood": {"blur": 1.0, "grain": 0},
    }
    backdrop = build_backdrop(
        SceneRecipe.from_mapping(recipe), size=Size(640, 640), seed=4, view="front"
    )
    grey = cv2.cvtColor(backdrop.pixels, cv2.COLOR_RGB2GRAY).astype(np.float32)
    detail = np.abs(grey - cv2.GaussianBlur(grey, (0, 0), 3))
    foot = int(backdrop.box.bottom)
    assert detail[foot - 15 : foot + 15].mean() > 2 * detail[: int(backdrop.edge) - 40].mean()


@pytest.mark.parametrize("seed", range(12))
def test_a_band_of_sun_finds_the_products_foot_and_leaves_the_corners(seed):
    recipe = scene("concrete")
    light, stage = (
        sample_light(recipe.light, seed=seed),
        build_stage(recipe, size=SMALL, seed=seed, view="front"),
    )
    pattern = gobo(recipe.light, light=light, distance=stage.wall_distance, seed=seed)
    across = np.array([[-4, -0.1, 0, 0.1, 4]], np.float32)
    sun = project_gobo(
        pattern, across=across, away=np.zeros_like(across), stage=stage, light=light
    )[0]
    assert sun[1:4].min() > 0.8
    assert sun[[0, 4]].max() < 0.2


def test_grain_hides_the_steps_of_a_soft_gradient():
    wall = build_backdrop(scene("grey-sweep"), size=Size(512, 512), seed=1, view="front").pixels[
        40:140
    ]
    runs = (np.diff(wall[..., 1].astype(int), axis=1) == 0).mean()
    assert runs < 0.75


def test_a_kept_backdrop_cannot_be_painted_over():
    backdrop = render(scene("marble"), size=SMALL, seed=1)
    assert render(scene("marble"), size=SMALL, seed=1) is backdrop
    with pytest.raises(ValueError, match="read-only"):
        backdrop.pixels[0, 0] = 0


def test_a_recipe_that_names_its_view_is_always_seen_so():
    recipe = SceneRecipe.from_mapping({**OAK, "view": "top"})
    assert render(recipe, size=SMALL, seed=1, view="front").view == "top"
    assert render(SceneRecipe.from_mapping(OAK), size=SMALL, seed=1, view="top").view == "top"


def test_a_thumbnail_shows_the_scene():
    small = thumbnail(scene("festive"), size=Size(160, 120), seed=2)
    large = build_backdrop(scene("festive"), size=Size(320, 240), seed=2, view="front").pixels
    assert small.shape == (120, 160, 3)
    shrunk = cv2.resize(large, (160, 120), interpolation=cv2.INTER_AREA)
    assert difference(small, shrunk) < 6


def test_fine_octaves_add_detail_and_move_nothing():
    coarse = fractal(7, "x", shape=(64, 64), cells=(4, 4), octaves=6)
    fine = fractal(7, "x", shape=(256, 256), cells=(4, 4), octaves=6)
    shrunk = cv2.resize(fine, (64, 64), interpolation=cv2.INTER_AREA)
    assert np.corrcoef(coarse.ravel(), shrunk.ravel())[0, 1] > 0.98


def test_shadows_fall_away_from_the_lamp():
    right, away = Light(azimuth=-60).reach
    assert right > 0
    assert away > 0
    assert Light(azimuth=60).reach[0] < 0
    assert Light(elevation=20).reach[0] > Light(elevation=70).reach[0]


# The scenes that ship


def test_at_least_twelve_scenes_ship_and_each_is_described_in_words():
    assert len(SCENES) >= 12
    for fields in SCENES.values():
        assert 2 <= fields["prompt"].count(". ") + 1 <= 4
        assert "product" not in fields["prompt"].lower()
        assert fields["renderer"]
    assert len({fields["position"] for fields in SCENES.values()}) == len(SCENES)


@pytest.mark.django_db
def test_loading_the_scenes_twice_changes_nothing():
    call_command("loaddata", "nb_catalog_scenes", verbosity=0)
    first = list(Scene.objects.values("pk", "key", "name", "renderer"))
    call_command("loaddata", "nb_catalog_scenes", verbosity=0)
    assert list(Scene.objects.values("pk", "key", "name", "renderer")) == first
    assert {row["key"] for row in first} == set(SCENES)
