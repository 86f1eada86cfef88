"""The scene's light on products that stand together, and the shadows of those in front on those behind."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from nb_catalog.core.types import Rect, Size
from nb_catalog.imaging.bundles import PartFile, render_bundle
from nb_catalog.imaging.colour_shift import Shift, measure_shift, worst
from nb_catalog.imaging.compose import bundle as bundles
from nb_catalog.imaging.compose import scaled_product
from nb_catalog.imaging.compose.bundle import BundlePart, compose_bundle
from nb_catalog.imaging.compose.light_map import SceneLight, Shade, scene_light
from nb_catalog.imaging.compose.neighbours import Standing, shade_on
from nb_catalog.imaging.compose.relight import BOUNDS, relight_product
from nb_catalog.imaging.compose.shadows import silhouette
from nb_catalog.imaging.cutout import cut_out
from nb_catalog.imaging.inspect import open_photo
from nb_catalog.imaging.scenery import Backdrop, Light, SceneRecipe, render
from nb_catalog.imaging.scenery.stage import build_stage, plain_box
from tests.imaging.composing import SCENES, cutout_of
from tests.imaging.pictures import LIMITS, NO_PHOTOS, PHOTOS, bottle, mug, saved

SIZE = Size(600, 600)
PATTERNED = ["sunlit-window", "terracotta-arch", "panelled-room", "concrete"]


def board(width: int, height: int, *, cm: float) -> BundlePart:
    rng = np.random.default_rng(width)
    pixels = np.full((height, width, 4), 255, np.uint8)
    pixels[..., :3] = (150 + rng.normal(0, 12, (height, width, 1))).clip(0, 255)
    return BundlePart(cutout=cutout_of(Image.fromarray(pixels)), height_cm=cm)


LOW, WIDE = board(240, 300, cm=10.0), board(420, 600, cm=30.0)


def studio(side: str, **changes) -> SceneRecipe:
    """A grey studio with a soft lamp on one side."""
    raw = {**SCENES["studio-white"], "shadow": "cast", **changes}
    raw["light"] = {**raw["light"], "kind": "softbox", "side": side}
    return SceneRecipe.from_mapping(raw)


def composed(parts, recipe, *, seed: int = 1, view: str = "front", relit: bool = True):
    backdrop = render(recipe, size=SIZE, seed=seed, view=view)
    light = scene_light(recipe, size=SIZE, seed=seed, view=view) if relit else None
    return compose_bundle(parts, backdrop, recipe=recipe, seed=seed, light=light)


def shade_from(azimuth: float, *, softness: float = 0.3, shadow: str = "cast"):
    """What a board of 60 x 80 pixels keeps from one of 160 x 160 behind it, whose middle it hides."""
    light = Light(azimuth=azimuth, elevation=25.0, softness=softness)
    size = Size(300, 300)
    backdrop = Backdrop(
        pixels=np.zeros((300, 300, 3), np.uint8), light=light, box=plain_box(size), view="front",
        unit=200.0, squash=0.27, edge=0.0, shadow=shadow,
    )  # fmt: skip
    low, wide = (
        Standing(
            silhouette(
                np.full((tall, across), 255, np.uint8), left=left, top=top, backdrop=backdrop
            ),
            away,
        )
        for tall, across, left, top, away in ((80, 60, 120, 170, -0.15), (160, 160, 70, 75, 0.15))
    )
    frame, options = Rect(70, 75, 160, 160), {"backdrop": backdrop, "centre": 150}
    assert shade_on(low, [low, wide], frame=Rect(120, 170, 60, 80), **options) is None
    return shade_on(wide, [low, wide], frame=frame, **options)


# Rows low on the board behind; columns at the left and at the right of what the one in front hides.
LEFT, RIGHT = np.s_[120:150, 20:45], np.s_[120:150, 115:140]


@pytest.mark.parametrize(("azimuth", "away", "towards"), [(-55, RIGHT, LEFT), (55, LEFT, RIGHT)])
def test_a_product_blocks_the_lamp_on_the_side_away_from_it_and_the_sky_on_both(
    azimuth, away, towards
):
    blocked, occluded = shade_from(azimuth)
    assert blocked[away].mean() > 0.3
    assert blocked[towards].max() < 0.02
    assert occluded[away].mean() == pytest.approx(occluded[towards][:, ::-1].mean(), rel=0.2)
    # It is low: far above it nothing is lost.
    assert max(blocked[:50].max(), occluded[:50].max()) < 0.02


def test_the_sky_is_kept_away_most_where_products_nearly_touch():
    line = shade_from(-55).occluded[135]
    assert line[112] > 2 * line[125] > 0
    assert line[155] < 0.02


def test_the_shadow_of_a_softer_lamp_ends_more_softly():
    steepest = [
        np.abs(np.diff(shade_from(-55, softness=each).blocked[140])).max() for each in (0, 1)
    ]
    assert steepest[1] < 0.7 * steepest[0]


def test_scenes_decide_which_shadows_there_are():
    blocked, occluded = shade_from(-55, shadow="contact")
    assert blocked.max() == 0 and occluded.max() > 0.3
    assert shade_from(-55, shadow="none") is None


def test_shade_darkens_where_it_is_and_leaves_the_rest_as_it_is():
    pixels = LOW.cutout.pixels
    scene = np.full((600, 600, 3), 150, np.uint8)
    stage = build_stage(studio("left"), size=SIZE, seed=1, view="front")
    light = SceneLight(light=Light(), lamp="softbox", stage=stage)
    blocked = np.zeros((30, 24), np.float32)
    blocked[:, 16:] = 0.8
    options = {"left": 180, "top": 200, "light": light, "stands": True}
    bare = relight_product(pixels, scene, **options)
    dark = relight_product(pixels, scene, shade=Shade(blocked, blocked * 0), **options)
    taken = bare.product[..., :3].astype(float).mean(2) - dark.product[..., :3].mean(2)
    assert taken[:, 180:].mean() > 8
    assert np.abs(taken[:, :140]).max() <= 1
    assert BOUNDS.hold(dark.shift), "80 % of the lamp would exceed them"
    # What others hide is not measured, and does not weaken what is seen.
    visible = np.ones(pixels.shape[:2], bool)
    visible[:, 180:] = False
    hidden = relight_product(
        pixels, scene, shade=Shade(blocked, blocked * 0), visible=visible, **options
    )
    assert hidden.shift.p95 < dark.shift.p95
    assert hidden.product[:, 180:, :3].mean() < dark.product[:, 180:, :3].mean()


def test_products_that_lie_do_not_shade_each_other(monkeypatch):
    options = {"seed": 2, "view": "top"}
    made = composed([LOW, WIDE], studio("left"), **options)
    monkeypatch.setattr(bundles, "shade_on", lambda *given, **named: None)
    assert np.array_equal(made.pixels, composed([LOW, WIDE], studio("left"), **options).pixels)


@pytest.mark.exhaustive(every=3)
@pytest.mark.parametrize("key", PATTERNED)
@pytest.mark.parametrize("seed", [1, 4])
def test_bounds_hold_for_what_is_visible_of_each_product(key, seed):
    """Measured on the finished picture, against the scaled cut-outs, pasted back to front by hand."""
    parts = [
        BundlePart(cutout=cutout_of(mug(420)), height_cm=10.0),
        BundlePart(cutout=cutout_of(bottle(700)), height_cm=25.0),
        WIDE,
        LOW,
    ]
    made = composed(parts, SceneRecipe.from_mapping(SCENES[key]), seed=seed)
    owner = np.full(made.pixels.shape[:2], -1)
    own = np.zeros_like(made.pixels)
    for index in sorted(range(4), key=lambda index: made.parts[index].rect.bottom):
        scaled = scaled_product(parts[index].cutout, place=made.parts[index].rect)
        alpha = scaled.pixels[..., 3]
        at = (
            slice(scaled.top, scaled.top + len(alpha)),
            slice(scaled.left, scaled.left + len(alpha[0])),
        )
        owner[at][alpha > 0] = -1
        owner[at][alpha == 255] = index
        own[at][alpha == 255] = scaled.pixels[..., :3][alpha == 255]
    for index, shift in enumerate(made.shifts):
        seen = measure_shift(own, made.pixels, solid=owner == index, side=600)
        assert BOUNDS.hold(seen)
        assert seen == pytest.approx(shift, abs=0.35)


def test_the_worst_measure_of_any_product_is_reported():
    shifts = [Shift(1.0, 3.0, 5.0, 0.99), Shift(2.0, 1.0, 4.0, 0.98)]
    assert worst(shifts) == Shift(2.0, 3.0, 5.0, 0.98)


def test_a_relit_bundle_reports_the_shift_of_each_product_and_the_worst():
    files = [
        PartFile(photo=saved(bottle(400)), height_cm=25.0),
        PartFile(photo=saved(mug(400)), height_cm=10.0),
    ]
    recipe = SceneRecipe.from_mapping(SCENES["terracotta-arch"])
    own, relit = (
        render_bundle(files, recipe, size=Size(512, 512), seed=4, relit=relit, **LIMITS)
        for relit in (False, True)
    )
    assert "relit" not in own.report and own.data != relit.data
    assert own.product == relit.product
    each = [part["relit"] for part in relit.report["parts"]]
    assert len(each) == 2 and each[0] != each[1]
    for name, pick in (("median", max), ("colour_median", max), ("p95", max), ("ncc", min)):
        assert relit.report["relit"][name] == pick(shift[name] for shift in each)


@pytest.mark.skipif(not PHOTOS.is_dir(), reason=NO_PHOTOS)
@pytest.mark.matrix
@pytest.mark.parametrize("key", ["terracotta-arch", "sunlit-window", "concrete"])
def test_real_products_stay_within_the_bounds_together(key):
    heights = {"apple-drink": 24, "mighty-mug": 11, "headless-omnichannel-book": 22}
    parts = [
        BundlePart(
            cutout=cut_out(open_photo((PHOTOS / f"saleor-{name}.png").read_bytes(), **LIMITS)),
            height_cm=cm,
        )
        for name, cm in heights.items()
    ]
    for seed in range(4):
        made = composed(parts, SceneRecipe.from_mapping(SCENES[key]), seed=seed)
        assert all(map(BOUNDS.hold, made.shifts))
