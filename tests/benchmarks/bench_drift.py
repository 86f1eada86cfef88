"""Drift of one 1K picture from its anchor against the bare OpenCV operations that it consists of.

Prints one JSON line, in CPU time. "bare" converts a decoded picture to CIELAB and to linear light, blurs it
twice, filters its median and pools all of it; "drift" takes the picture's look and compares it with the
anchor's, which a worker keeps. Ratios compare turns, not medians. Targets: at most 0.3 s and 1.5 times bare.

    python -m tests.benchmarks.bench_drift [repetitions]
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable

import cv2
import numpy as np

from nb_catalog.core.types import Rect
from nb_catalog.imaging.compose.merge import TO_LINEAR
from nb_catalog.imaging.drift import measure_drift, take_look
from nb_catalog.imaging.drift.look import CELLS, COARSE, COLOURS, COLUMNS, FINE, ROWS
from nb_catalog.imaging.scenery.light import LUMINANCE
from tests.benchmarks.scene import print_result

SIDE = 1024
PLACE = Rect(312, 212, 400, 600)


def picture(seed: int) -> np.ndarray:
    """Return a soft, noisy ground with a product in front of it."""
    rng = np.random.default_rng(seed)
    ground = cv2.resize(rng.integers(90, 200, (6, 6, 3)).astype(np.float32), (SIDE, SIDE))
    pixels = np.clip(ground + rng.normal(0, 2, (SIDE, SIDE, 1)), 0, 255).astype(np.uint8)
    cv2.rectangle(pixels, PLACE[:2], (PLACE.right, PLACE.bottom), (40, 90, 60), -1)
    return pixels


def bare(pixels: np.ndarray) -> None:
    lab = cv2.cvtColor(pixels.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    lightness = np.ascontiguousarray(lab[..., 0])
    fine, coarse = (cv2.GaussianBlur(lightness, (0, 0), each) for each in (FINE, COARSE))
    rough = cv2.absdiff(lightness, cv2.medianBlur(lightness, 3))
    linear = cv2.transform(cv2.LUT(pixels, TO_LINEAR), LUMINANCE[None].astype(np.float32))
    for plane, size in (
        (linear, (CELLS, CELLS)),
        (lab, (COLOURS, COLOURS)),
        (lab, (COLUMNS, ROWS)),
        (cv2.absdiff(fine, coarse), (CELLS, CELLS)),
        (rough, (CELLS, CELLS)),
    ):
        cv2.resize(plane, size, interpolation=cv2.INTER_AREA)


def seconds(work: Callable[[], object]) -> float:
    begin = time.process_time()
    work()
    return time.process_time() - begin


def main(repetitions: int) -> None:
    cv2.setNumThreads(1)
    anchor, pixels = take_look(picture(1), product=PLACE), picture(2)
    times: dict[str, list[float]] = {"bare": [], "drift": []}
    for turn in range(-1, repetitions):
        took = {
            "bare": seconds(lambda: bare(pixels)),
            "drift": seconds(lambda: measure_drift(anchor, take_look(pixels, product=PLACE))),
        }
        # The first turn only warms code and caches up.
        for key, each in took.items() if turn >= 0 else ():
            times[key].append(each)
    ratios = [drift / plain for drift, plain in zip(times["drift"], times["bare"], strict=True)]
    print_result(
        "drift",
        ratio=statistics.median(ratios),
        drift_cpu_ms=1000 * statistics.median(times["drift"]),
        bare_cpu_ms=1000 * statistics.median(times["bare"]),
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 15)
