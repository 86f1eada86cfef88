"""Cut-outs with a network against the bare call of onnxruntime: processor seconds and memory.

Prints one JSON line. ``cpu_over_bare`` is the time of a whole cut-out (photo opened, network at its first
size, colours, edge) minus 0.7 s, in relation to a bare run of the same network. Target: at most 1.15.
Without the network of ``.ci/weights``, a small one stands in, and the figures mean nothing.

    python -m tests.benchmarks.bench_cutout [repetitions]
"""

from __future__ import annotations

import os
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from nb_catalog.imaging import locked
from nb_catalog.imaging.cutout.backends import NetworkCutout
from nb_catalog.imaging.cutout.weights import HALF_PRECISION_ISNET
from tests.benchmarks.scene import print_result
from tests.imaging import onnx_files
from tests.imaging.pictures import LIMITS, mug, on_ground, saved

ALLOWED_SECONDS = 0.7


def options(directory: Path) -> dict[str, str]:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    file = cache / "nb_catalog" / f"isnet-{HALF_PRECISION_ISNET}.onnx"
    if file.exists():
        return {"path": str(file), "sha256": HALF_PRECISION_ISNET}
    return onnx_files.save(directory / "small.onnx", onnx_files.network())


def seconds(work: Callable[[], object]) -> float:
    begin = time.process_time()
    work()
    return time.process_time() - begin


def resident_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main(repetitions: int) -> None:
    with tempfile.TemporaryDirectory() as directory:
        backend = NetworkCutout(**options(Path(directory)))
        photo = saved(on_ground(mug(1600), "white"), "JPEG", quality=90)
        side = backend.network.sides()[0]
        opening = seconds(lambda: backend.network.find(Image.new("RGB", (side, side)), side=side))
        session = backend.network._sessions[side]
        values = np.zeros((1, 3, side, side), np.float32)
        name = session.get_inputs()[0].name
        times: dict[str, list[float]] = {"bare": [], "whole": []}
        for turn in range(-1, repetitions):
            took = {
                "bare": seconds(lambda: session.run(None, {name: values})),
                "whole": seconds(
                    lambda: locked.cut_out_photo(
                        photo, backend=backend, picture_side=1024, **LIMITS
                    )
                ),
            }
            # The first turn only warms code and caches up.
            for key, each in took.items() if turn >= 0 else ():
                times[key].append(each)
        median = {key: statistics.median(each) for key, each in times.items()}
        print_result(
            "cutout",
            bare_cpu_seconds=median["bare"],
            whole_cpu_seconds=median["whole"],
            cpu_over_bare=max(0.0, median["whole"] - ALLOWED_SECONDS) / median["bare"],
            opening_cpu_seconds=opening,
            resident_mb=resident_mb(),
            side=side,
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
