"""A product composed into each of the scenes at 1K, against bare OpenCV operations of the same kind.

Prints one JSON line. All are measured in the same run, turn by turn, in CPU time of one thread: "bare" scales
a cut-out, blurs a shadow at full size and at half, and blends both onto a ground; "compose" does so with a
backdrop in memory, "cold" renders the backdrop before. Ratios compare turns, not medians. Targets: cold at
most 250 ms and 6 times bare.

    python -m tests.benchmarks.bench_scene [repetitions]
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path

import cv2
import numpy as np

from nb_catalog.core.types import Size
from nb_catalog.imaging.compose import compose
from nb_catalog.imaging.cutout import CropBox, Cutout
from nb_catalog.imaging.scenery import SceneRecipe
from nb_catalog.imaging.scenery.backdrop import build_backdrop
from tests.benchmarks.scene import print_result

ROOT = Path(__file__).resolve().parents[2]
FIXTURE = ROOT / "nb_catalog" / "fixtures" / "nb_catalog_scenes.json"
SIZE = Size(1024, 1024)


def bottle() -> Cutout:
    """Return a cut-out of 900 x 1800 pixels with soft edges."""
    pixels = np.zeros((1800, 900, 4), np.uint8)
    pixels[..., :3] = (24, 96, 58)
    cv2.rectangle(pixels, (20, 500), (880, 1790), (24, 96, 58, 255), -1)
    cv2.rectangle(pixels, (300, 10), (600, 520), (120, 20, 30, 255), -1)
    pixels[..., 3] = cv2.GaussianBlur(pixels[..., 3], (0, 0), 1.2)
    photo = Size(900, 1800)
    return Cutout(pixels=pixels, box=CropBox(0, 0, *photo), photo_size=photo, method="alpha")


def bare(product: Cutout, ground: np.ndarray) -> np.ndarray:
    """Return the least that can be called a composite: scaled, with a blurred shadow, blended."""
    small = cv2.resize(product.pixels, (400, 800), interpolation=cv2.INTER_AREA)
    alpha = np.zeros(ground.shape[:2], np.uint8)
    alpha[112:912, 312:712] = small[..., 3]
    near = cv2.GaussianBlur(alpha, (0, 0), 6)
    half = cv2.GaussianBlur(cv2.resize(alpha, (512, 512)), (0, 0), 20)
    far = cv2.resize(half, alpha.shape[::-1])
    light = 1 - (near * np.float32(0.5 / 255) + far * np.float32(0.3 / 255))
    picture = ground * light[..., None]
    cover = small[..., 3:].astype(np.float32) / 255
    part = picture[112:912, 312:712]
    part += (small[..., :3] - part) * cover
    return np.clip(picture + 0.5, 0, 255).astype(np.uint8)


def milliseconds(work: Callable[[], object]) -> float:
    begin = time.process_time()
    work()
    return (time.process_time() - begin) * 1000


def main(repetitions: int) -> None:
    cv2.setNumThreads(1)
    recipes = {
        row["fields"]["key"]: SceneRecipe.from_mapping(row["fields"]["renderer"])
        for row in json.loads(FIXTURE.read_text(encoding="utf-8"))
    }
    product, seeds = bottle(), count(100)
    ground = np.full((*SIZE, 3), 200, np.uint8)
    turns: dict[str, list[tuple[float, float, float]]] = {key: [] for key in recipes}
    for turn in range(-1, repetitions):
        for key, recipe in recipes.items():
            seed = next(seeds)
            backdrop = build_backdrop(recipe, size=SIZE, seed=seed, view="front")

            def cold(recipe: SceneRecipe = recipe, seed: int = seed) -> object:
                made = build_backdrop(recipe, size=SIZE, seed=seed, view="front")
                return compose(product, made, seed=seed, pose="standing")

            took = (
                milliseconds(lambda: bare(product, ground)),
                milliseconds(lambda b=backdrop: compose(product, b, pose="standing")),
                milliseconds(cold),
            )
            # The first turn only warms code and caches up.
            if turn >= 0:
                turns[key].append(took)
    every = [took for each in turns.values() for took in each]
    slowest = max(turns, key=lambda key: statistics.median(each[2] for each in turns[key]))
    print_result(
        "scene",
        bare_ms=statistics.median(each[0] for each in every),
        compose_ms=statistics.median(each[1] for each in every),
        cold_ms=statistics.median(each[2] for each in every),
        compose_ratio=statistics.median(each[1] / each[0] for each in every),
        cold_ratio=statistics.median(each[2] / each[0] for each in every),
        slowest_scene=slowest,
        slowest_ms=statistics.median(each[2] for each in turns[slowest]),
        repetitions=len(every),
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
