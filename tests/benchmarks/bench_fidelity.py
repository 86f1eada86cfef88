"""The comparison of a 1K picture with its product's photo against the OpenCV operations it is made of.

Prints one JSON line. ``ratio`` is the processor time of the whole comparison, files opened, in relation to
the bare calls: both files decoded, features and their matches, RANSAC, warp, flow, a template for each tile.
The features of the product are kept after the first time, as they are for several pictures of one product.
Target: at most 1.5, and ``wall_seconds`` at most 1 on two cores.

    python -m tests.benchmarks.bench_fidelity [repetitions]
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable

import cv2
import numpy as np
from PIL import Image

from nb_catalog.conf.accept import FIDELITY_THRESHOLDS
from nb_catalog.imaging import root_sift
from nb_catalog.imaging.fidelity import alignment, check_fidelity, detail, measures, views
from nb_catalog.imaging.inspect import open_photo
from tests.benchmarks.scene import print_result
from tests.imaging import fidelity_cases as cases
from tests.imaging.pictures import LIMITS, saved
from tests.imaging.test_fidelity import GROUND, printed_box


def seconds(work: Callable[[], object]) -> tuple[float, float]:
    """Return processor and wall time."""
    cpu, wall = time.process_time(), time.perf_counter()
    work()
    return time.process_time() - cpu, time.perf_counter() - wall


def bare(photo: bytes, picture: bytes, *, tiles: int, matrix: np.ndarray) -> None:
    """The same operations on the same sizes, without anything between them."""
    product = views.open_product(photo, mask=None, **LIMITS)
    seen = views.view_picture(open_photo(picture, **LIMITS))
    sift = cv2.SIFT.create(nfeatures=alignment.MOST_FEATURES, contrastThreshold=root_sift.CONTRAST)
    looks = []
    for pixels in (product.pixels, seen):
        grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
        small = cv2.resize(grey, None, fx=alignment.REDUCED, fy=alignment.REDUCED)
        looks.append(sift.detectAndCompute(small, None))
    pairs = cv2.BFMatcher(cv2.NORM_L2).knnMatch(looks[1][1], looks[0][1], k=2)
    good = [best for best, other in pairs if best.distance < alignment.RATIO * other.distance]
    origins = np.float32([looks[0][0][each.trainIdx].pt for each in good])
    targets = np.float32([looks[1][0][each.queryIdx].pt for each in good])
    for _turn in range(2):
        cv2.estimateAffinePartial2D(origins, targets, method=cv2.RANSAC, maxIters=4000)
    height, width = product.mask.shape
    warped = cv2.warpAffine(
        seen, matrix, (width, height), flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    )
    first = cv2.cvtColor(product.pixels, cv2.COLOR_RGB2GRAY)
    second = cv2.cvtColor(warped, cv2.COLOR_RGB2GRAY)
    flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST).calc(first, second, None)
    rows, columns = np.indices(first.shape, np.float32)
    cv2.remap(warped, columns + flow[..., 0], rows + flow[..., 1], cv2.INTER_LINEAR)
    cv2.cvtColor(warped.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    plane = cv2.GaussianBlur(first.astype(np.float32), (0, 0), detail.GRAIN)
    other = cv2.GaussianBlur(second.astype(np.float32), (0, 0), detail.GRAIN)
    size = detail.TILE + 2 * detail.REACH
    for number in range(tiles):
        top = number * 7 % max(1, height - size)
        left = number * 13 % max(1, width - size)
        tile = plane[top : top + detail.TILE, left : left + detail.TILE]
        found = cv2.matchTemplate(
            other[top : top + size, left : left + size], tile, cv2.TM_CCOEFF_NORMED
        )
        cv2.minMaxLoc(found)


def main(repetitions: int) -> None:
    photo = saved(printed_box().resize((1600, 1600), Image.Resampling.BICUBIC))
    rng = np.random.default_rng(1)
    painted = cases.as_painted(np.asarray(printed_box()), GROUND, rng)
    picture = saved(Image.fromarray(painted), "JPEG", quality=92)
    product = views.open_product(photo, mask=None, **LIMITS)
    placements = alignment.find_placements(
        product, views.view_picture(open_photo(picture, **LIMITS))
    )
    tiles = measures.measure(product, painted, placements).tiles
    matrix = placements[0].matrix
    options = {"mask": None, "thresholds": FIDELITY_THRESHOLDS, **LIMITS}
    times: dict[str, list[tuple[float, float]]] = {"bare": [], "whole": []}
    for turn in range(-1, repetitions):
        took = {
            "bare": seconds(lambda: bare(photo, picture, tiles=tiles, matrix=matrix)),
            "whole": seconds(
                lambda: check_fidelity(photo, open_photo(picture, **LIMITS), **options)
            ),
        }
        # The first turn only warms code and caches up.
        for key, each in took.items() if turn >= 0 else ():
            times[key].append(each)
    cpu = {key: statistics.median(each[0] for each in rows) for key, rows in times.items()}
    print_result(
        "fidelity",
        ratio=cpu["whole"] / cpu["bare"],
        bare_cpu_seconds=cpu["bare"],
        whole_cpu_seconds=cpu["whole"],
        wall_seconds=statistics.median(each[1] for each in times["whole"]),
        tiles=tiles,
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 9)
