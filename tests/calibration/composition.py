"""Tolerances of composition, chosen on one half of the scenes and products and measured on the other half.

Prints the 97th percentile of each part among finals that should pass, and the share that is flagged of each
kind of final. It renders 600 pictures, which takes about 15 minutes of one processor.

    DJANGO_SETTINGS_MODULE=tests.settings python -m tests.calibration.composition [scenes of each half]
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace

import cv2
import numpy as np

from nb_catalog.core.types import Size
from nb_catalog.imaging.box import Box
from nb_catalog.imaging.compose import Framing
from nb_catalog.imaging.composition import TOLERANCES, Sketch, compare_composition, take_sketch
from nb_catalog.imaging.cutout import Cutout
from nb_catalog.imaging.scenery import render
from tests.calibration import series_pictures as pictures
from tests.calibration.series_pictures import Picture

OF_EACH = 2
LARGE = Size(2048, 2048)
REMADE = "made again"


def sketch_of(picture: Picture) -> Sketch:
    size = Size(picture.pixels.shape[1], picture.pixels.shape[0])
    return take_sketch(picture.pixels, product=Box.of(picture.box, size))


def at_2k(scene: str, cutout: Cutout, rng: np.random.Generator) -> Picture:
    backdrop = render(pictures.recipe_of(scene), size=LARGE, seed=pictures.SEED, view="front")
    return pictures.picture_of(backdrop, cutout)


def made_again(scene: str, cutout: Cutout, rng: np.random.Generator) -> Picture:
    """What another renderer may do with the same composition: light, colours, contrast, a little of the
    place."""
    share = rng.uniform(-1, 1, 7)
    backdrop = pictures.backdrop_of(pictures.recipe_of(scene))
    backdrop = replace(backdrop, pixels=pictures.shifted(backdrop.pixels, 0.012 * share[0]))
    framing = Framing(fill=1 + 0.03 * share[1], right=0.0156 * share[2], up=0.0156 * share[3])
    pixels, box = pictures.picture_of(backdrop, cutout, framing=framing)
    gains = pictures.daylight(6500 + 400 * share[4])
    pixels = pictures.exposed(pixels, stops=0.25 * share[5], gains=gains)
    pixels = pictures.contrasted(pixels, by=1 + 0.1 * share[6])
    return Picture(pictures.grainy(pixels, sigma=1.2, rng=rng), box)


def mirrored(scene: str, cutout: Cutout, rng: np.random.Generator) -> Picture:
    pixels, box = pictures.plain_member(scene, cutout)
    left = pixels.shape[1] - box.right
    return Picture(np.ascontiguousarray(pixels[:, ::-1]), box._replace(left=left))


def other_product(scene: str, cutout: Cutout, rng: np.random.Generator) -> Picture:
    half = next(each for each in (0, 1) if scene in pictures.SCENE_HALVES[each])
    others = [each for each in pictures.products(half).values() if each is not cutout]
    return pictures.plain_member(scene, others[rng.integers(len(others))])


KINDS = {
    REMADE: made_again,
    "other seed": pictures.other_seed,
    "mirrored": mirrored,
    "mirrored light": pictures.mirrored_light,
    "other scene": pictures.other_scene,
    "other product": other_product,
    "product 10 % smaller": pictures.other_framing(fill=0.9),
    "product 20 % smaller": pictures.other_framing(fill=0.8),
    "moved 3 %": pictures.other_framing(right=0.039),
    "moved 6 %": pictures.other_framing(right=0.078),
    "horizon 4 %": pictures.CHANGES["horizon 4 %"],
    "horizon 8 %": pictures.CHANGES["horizon 8 %"],
    "blurred": pictures.other_finish(lambda p, _: cv2.GaussianBlur(p, (0, 0), 1.5)),
    "exposure +.3": pictures.CHANGES["exposure +.3"],
    "hue +10": pictures.CHANGES["hue +10"],
}


def comparisons(half: int, scene: str) -> Iterator[tuple[str, dict[str, float]]]:
    """Yield (kind of final, its parts in units of their tolerances)."""
    products = pictures.products(half)
    rng = np.random.default_rng(sum(map(ord, scene)))
    drafts = {
        name: sketch_of(pictures.plain_member(scene, each)) for name, each in products.items()
    }

    def compared(name: str, picture: Picture) -> dict[str, float]:
        return dict(compare_composition(drafts[name], sketch_of(picture)).parts)

    name = str(rng.choice([*products]))
    yield "2K, same seed", compared(name, at_2k(scene, products[name], rng))
    for kind, change in KINDS.items():
        names = [*products] if kind == REMADE else rng.choice([*products], OF_EACH, replace=False)
        for name in map(str, names):
            yield kind, compared(name, change(scene, products[name], rng))


def main(scenes: int) -> None:
    for half, title in enumerate(("calibrated on", "held out")):
        found: dict[str, list[dict[str, float]]] = defaultdict(list)
        for scene in pictures.SCENE_HALVES[half][:scenes]:
            for kind, parts in comparisons(half, scene):
                found[kind].append(parts)
        print(f"\n{title}: {', '.join(pictures.SCENE_HALVES[half][:scenes])}")
        for part, tolerance in TOLERANCES.items():
            values = [each[part] * tolerance for each in found[REMADE]]
            print(
                f"  {part:6} 97 % {np.percentile(values, 97):.3f}  99 % {np.percentile(values, 99):.3f}"
                f"  most {max(values):.3f}   tolerance {tolerance:.3f}"
            )
        for kind, rows in found.items():
            flagged = np.mean([max(each.values()) > 1 for each in rows])
            unplaced = [max(each["light"], each["edges"]) > 1 for each in rows]
            print(
                f"  {kind:22} flagged {flagged:.3f}  without boxes {np.mean(unplaced):.3f}"
                f"  of {len(rows)}"
            )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 99)
