"""Pictures of series for calibration: scenes and products in two halves, rendered, and changed on purpose."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache
from io import BytesIO
from typing import Any, Final, NamedTuple

import cv2
import numpy as np
from PIL import Image

from nb_catalog.core.types import Rect, Size
from nb_catalog.imaging.compose import Framing, compose
from nb_catalog.imaging.cutout import Cutout, cut_out
from nb_catalog.imaging.scenery import Backdrop, SceneRecipe, render
from nb_catalog.imaging.scenery.light import sample_light
from tests.imaging.composing import SCENES, block, cutout_of, drawn, goblet
from tests.imaging.pictures import PHOTOS, bottle, mug

SIZE: Final = Size(1024, 1024)
SEED: Final = 41
SCENE_HALVES: Final = (
    ("warm-linen", "oak-table", "concrete", "dark-marble", "studio-white", "sunlit-window",
     "pastel-podium", "glazed-tiles"),
    ("marble", "grey-sweep", "terracotta-arch", "garden-stone", "festive", "terrazzo-counter",
     "sand-and-sun", "panelled-room"),
)  # fmt: skip
PHOTO_HALVES: Final = (
    ("saleor-apple-drink.png", "saleor-mighty-mug.png", "saleor-cushion-blue.png",
     "saleor-beanie-1.png", "saleor-dash-force-1.png", "solidus_tshirt.png",
     "solidus_cap_black_1.png", "saleor-polo-shirt-front.png"),
    ("saleor-carrot-drink.png", "saleor-headless-omnichannel-book.png", "saleor-sunnies.png",
     "saleor-blue-hoodie.png", "saleor-dash-force-2.png", "saleor-white-plimsolls-1.png",
     "solidus_cap_gray_1.png", "solidus_hoodie_black_1.png"),
)  # fmt: skip
PHOTO_SIDE: Final = 1400


class Picture(NamedTuple):
    """(H, W, 3) sRGB uint8, and the box of its product."""

    pixels: np.ndarray
    box: Rect


Change = Callable[[str, Cutout, np.random.Generator], Picture]


@lru_cache
def products(half: int) -> Mapping[str, Cutout]:
    """The products of one half by their names: photos, where they are, and drawn ones."""
    found: dict[str, Cutout] = {}
    for name in PHOTO_HALVES[half]:
        if (PHOTOS / name).exists():
            photo = Image.open(PHOTOS / name).convert("RGBA")
            photo.thumbnail((PHOTO_SIDE, PHOTO_SIDE), Image.Resampling.LANCZOS)
            found[name.partition(".")[0]] = cut_out(photo)
    if half == 0:
        found["bottle"] = cutout_of(bottle(PHOTO_SIDE))
        found["block"] = block(500, 800)
        found["prism"] = drawn(700, 500, ((0.2, 0), (0.8, 0), (1, 1), (0, 1)))
    else:
        found["mug"] = cutout_of(mug(PHOTO_SIDE))
        small = Image.fromarray(goblet().pixels)
        found["goblet"] = cutout_of(small.resize((560, 1280), Image.Resampling.LANCZOS))
        found["tray"] = drawn(900, 300, ((0.05, 0), (0.95, 0), (1, 1), (0, 1)))
    return found


@lru_cache(maxsize=12)
def backdrop_of(recipe: SceneRecipe, seed: int = SEED) -> Backdrop:
    return render(recipe, size=SIZE, seed=seed, view="front")


def recipe_of(scene: str) -> SceneRecipe:
    return SceneRecipe.from_mapping(SCENES[scene])


def picture_of(
    backdrop: Backdrop, cutout: Cutout, *, seed: int = SEED, framing: Framing | None = None
) -> Picture:
    made = compose(cutout, backdrop, seed=seed, framing=framing, pose="standing")
    return Picture(made.pixels, made.product)


def plain_member(scene: str, cutout: Cutout) -> Picture:
    return picture_of(backdrop_of(recipe_of(scene)), cutout)


def tolerable_member(scene: str, cutout: Cutout, rng: np.random.Generator) -> Picture:
    """A member that may differ from the others by what nobody minds."""
    share = rng.uniform(-1, 1, 7)
    backdrop = backdrop_of(recipe_of(scene))
    backdrop = replace(backdrop, pixels=shifted(backdrop.pixels, 0.006 * share[0]))
    framing = Framing(fill=1 + 0.015 * share[1], right=0.009 * share[2], up=0.008 * share[3])
    pixels, box = picture_of(backdrop, cutout, framing=framing)
    pixels = exposed(pixels, stops=0.07 * share[4], gains=daylight(6500 + 130 * share[5]))
    pixels = contrasted(pixels, by=1 + 0.03 * share[6])
    if rng.random() < 0.5:
        pixels = cv2.GaussianBlur(pixels, (0, 0), 0.5)
    return Picture(grainy(pixels, sigma=1.2 * rng.random(), rng=rng), box)


def shifted(pixels: np.ndarray, share: float) -> np.ndarray:
    """The picture moved down by a share of its height."""
    down = np.array([[1, 0, 0], [0, 1, share * pixels.shape[0]]], np.float32)
    return cv2.warpAffine(pixels, down, pixels.shape[1::-1], borderMode=cv2.BORDER_REFLECT)


def exposed(
    pixels: np.ndarray, *, stops: float = 0.0, gains: np.ndarray | None = None
) -> np.ndarray:
    """The picture with more or less light, and light of another colour."""
    levels = np.arange(256) / 255
    linear = np.where(levels <= 0.04045, levels / 12.92, ((levels + 0.055) / 1.055) ** 2.4)
    light = linear[:, None] * 2**stops * (np.ones(3) if gains is None else gains)
    light = np.clip(light, 0, 1)
    srgb = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
    return cv2.LUT(pixels, np.rint(srgb * 255).astype(np.uint8)[None])


def daylight(kelvin: float) -> np.ndarray:
    """Linear sRGB gains of daylight, relative to 6500 K at the same luminance (CIE 15)."""

    def white(t: float) -> np.ndarray:
        x = -4.6070e9 / t**3 + 2.9678e6 / t**2 + 0.09911e3 / t + 0.244063
        if t > 7000:
            x = -2.0064e9 / t**3 + 1.9018e6 / t**2 + 0.24748e3 / t + 0.237040
        y = -3 * x * x + 2.87 * x - 0.275
        to_rgb = np.array(
            [[3.2406, -1.5372, -0.4986], [-0.9689, 1.8758, 0.0415], [0.0557, -0.2040, 1.0570]]
        )
        return to_rgb @ np.array([x / y, 1.0, (1 - x - y) / y])

    return white(kelvin) / white(6500)


def contrasted(pixels: np.ndarray, *, by: float) -> np.ndarray:
    middle = float(pixels.mean())
    table = np.clip((np.arange(256) - middle) * by + middle, 0, 255)
    return cv2.LUT(pixels, np.rint(table).astype(np.uint8))


def hue_turned(pixels: np.ndarray, *, degrees: float) -> np.ndarray:
    hsv = cv2.cvtColor(pixels.astype(np.float32) / 255, cv2.COLOR_RGB2HSV)
    hsv[..., 0] = (hsv[..., 0] + degrees) % 360
    return np.rint(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB) * 255).astype(np.uint8)


def grainy(pixels: np.ndarray, *, sigma: float, rng: np.random.Generator) -> np.ndarray:
    """The picture with noise, after a round through JPEG at quality 90."""
    noisy = pixels + rng.normal(0, max(sigma, 1e-6), pixels.shape[:2])[..., None]
    file = BytesIO()
    Image.fromarray(np.clip(np.rint(noisy), 0, 255).astype(np.uint8)).save(file, "JPEG", quality=90)
    return np.asarray(Image.open(file).convert("RGB"))


def other_recipe(**changes: Callable[[Any], Any]) -> Change:
    """A change of the scene's own recipe: ``light=lambda lamp: ...``."""

    def member(scene: str, cutout: Cutout, rng: np.random.Generator) -> Picture:
        recipe = recipe_of(scene)
        new = {name: change(getattr(recipe, name)) for name, change in changes.items()}
        return picture_of(backdrop_of(replace(recipe, **new)), cutout)

    return member


def other_backdrop(change: Callable[[Backdrop], np.ndarray]) -> Change:
    def member(scene: str, cutout: Cutout, rng: np.random.Generator) -> Picture:
        backdrop = backdrop_of(recipe_of(scene))
        return picture_of(replace(backdrop, pixels=change(backdrop)), cutout)

    return member


def other_finish(change: Callable[[np.ndarray, np.random.Generator], np.ndarray]) -> Change:
    def member(scene: str, cutout: Cutout, rng: np.random.Generator) -> Picture:
        pixels, box = plain_member(scene, cutout)
        return Picture(change(pixels, rng), box)

    return member


def other_framing(**options: float) -> Change:
    def member(scene: str, cutout: Cutout, rng: np.random.Generator) -> Picture:
        backdrop = backdrop_of(recipe_of(scene))
        return picture_of(backdrop, cutout, framing=Framing(**options))

    return member


def other_seed(scene: str, cutout: Cutout, rng: np.random.Generator) -> Picture:
    seed = int(rng.integers(100, 10**6))
    return picture_of(backdrop_of(recipe_of(scene), seed), cutout, seed=seed)


def same_side_seed(scene: str, cutout: Cutout, rng: np.random.Generator) -> Picture:
    recipe = recipe_of(scene)
    side = np.sign(sample_light(recipe.light, seed=SEED).azimuth)
    for seed in rng.integers(100, 10**6, 99):
        if np.sign(sample_light(recipe.light, seed=int(seed)).azimuth) == side:
            return picture_of(backdrop_of(recipe, int(seed)), cutout, seed=int(seed))
    raise AssertionError("99 seeds with the light from the other side")


def mirrored_light(scene: str, cutout: Cutout, rng: np.random.Generator) -> Picture:
    recipe = recipe_of(scene)
    side = "right" if sample_light(recipe.light, seed=SEED).azimuth < 0 else "left"
    recipe = replace(recipe, light=replace(recipe.light, side=side))
    return picture_of(backdrop_of(recipe), cutout)


def other_scene(scene: str, cutout: Cutout, rng: np.random.Generator) -> Picture:
    half = next(each for each in SCENE_HALVES if scene in each)
    others = [each for each in half if each != scene]
    return plain_member(str(rng.choice(others)), cutout)


def _blurred_wall(backdrop: Backdrop) -> np.ndarray:
    soft = cv2.GaussianBlur(backdrop.pixels, (0, 0), 4)
    edge = int(backdrop.edge or 0.55 * backdrop.pixels.shape[0])
    rows = np.arange(backdrop.pixels.shape[0])[:, None, None]
    share = np.clip((edge - rows) / 20, 0, 1)
    return np.rint(backdrop.pixels * (1 - share) + soft * share).astype(np.uint8)


OTHER_SURFACE: Final = {
    "oak": "walnut", "walnut": "oak", "marble": "terrazzo", "terrazzo": "marble",
    "linen": "velvet", "velvet": "linen",
}  # fmt: skip

CHANGES: Final[Mapping[str, Change]] = {
    "other seed": other_seed,
    "other seed, same side": same_side_seed,
    "other scene": other_scene,
    "exposure +.3": other_finish(lambda p, _: exposed(p, stops=0.3)),
    "exposure -.3": other_finish(lambda p, _: exposed(p, stops=-0.3)),
    "white balance +600": other_finish(lambda p, _: exposed(p, gains=daylight(7100))),
    "white balance -600": other_finish(lambda p, _: exposed(p, gains=daylight(5900))),
    "hue +10": other_finish(lambda p, _: hue_turned(p, degrees=10)),
    "hue -10": other_finish(lambda p, _: hue_turned(p, degrees=-10)),
    "contrast +15 %": other_finish(lambda p, _: contrasted(p, by=1.15)),
    "contrast -15 %": other_finish(lambda p, _: contrasted(p, by=0.85)),
    "horizon 4 %": other_backdrop(lambda b: shifted(b.pixels, 0.04)),
    "horizon 8 %": other_backdrop(lambda b: shifted(b.pixels, 0.08)),
    "wall blurred": other_backdrop(_blurred_wall),
    "all blurred": other_backdrop(lambda b: cv2.GaussianBlur(b.pixels, (0, 0), 1.5)),
    "grain": other_finish(lambda p, rng: grainy(p, sigma=5.0, rng=rng)),
    "other surface": other_recipe(
        surface=lambda m: replace(m, kind=OTHER_SURFACE.get(m.kind, "concrete"))
    ),
    "mirrored light": mirrored_light,
    "shadow harder": other_recipe(light=lambda x: replace(x, softness=max(0, x.softness - 0.4))),
    "shadow softer": other_recipe(light=lambda x: replace(x, softness=min(1, x.softness + 0.4))),
    "product +5 %": other_framing(fill=1.05),
    "product -10 %": other_framing(fill=0.9),
    "moved 3 %": other_framing(right=0.039),
    "up 3 %": other_framing(up=0.039),
}
"""What should be flagged, each measured against a plain member with another product."""
