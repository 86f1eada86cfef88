"""A local variant at 1K against the decode, resize, paste and encode that it cannot avoid.

Prints one JSON line. Both are measured in the same run, turn by turn, on one photo: a packshot
with transparency, from ``../shared/photos`` if it is there, else drawn. "cold" has a new seed and
so a new backdrop each time, "warm" finds its backdrop in memory. Target: cold at most 3.0.

    python -m tests.benchmarks.bench_local_variant [repetitions]
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable
from io import BytesIO
from itertools import count
from pathlib import Path

from django.conf import settings
from PIL import Image, ImageDraw

from nb_catalog.providers.local import render_variant
from tests.benchmarks.scene import print_result

ROOT = Path(__file__).resolve().parents[2]
PHOTO = ROOT.parent / "shared" / "photos" / "saleor-mighty-mug.png"
FIXTURE = ROOT / "nb_catalog" / "fixtures" / "nb_catalog_scenes.json"
SIZE = (1024, 1024)
SCENES = ("oak-table", "marble", "concrete", "studio-white")


def packshot() -> bytes:
    if PHOTO.is_file():
        return PHOTO.read_bytes()
    image = Image.new("RGBA", (2160, 2160))
    draw = ImageDraw.Draw(image)
    draw.rounded_rectangle((520, 700, 1640, 2000), 140, fill=(58, 40, 120, 255))
    for row in range(900, 1800, 12):
        draw.line((640, row, 1520, row), fill=(90, row // 10, 190, 255), width=5)
    file = BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def bare(photo: bytes, ground: Image.Image) -> bytes:
    """The least that puts a product on a ground: no cut-out, no shadow, no scene."""
    image = Image.open(BytesIO(photo)).convert("RGBA")
    small = image.resize(SIZE, Image.Resampling.LANCZOS)
    picture = ground.copy()
    picture.paste(small, (0, 0), small)
    file = BytesIO()
    picture.save(file, "JPEG", quality=95, subsampling="4:4:4", optimize=True, progressive=True)
    return file.getvalue()


def milliseconds(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return (time.perf_counter() - begin) * 1000


def main(repetitions: int) -> None:
    settings.configure()
    recipes = {
        row["fields"]["key"]: row["fields"]["renderer"]
        for row in json.loads(FIXTURE.read_text(encoding="utf-8"))
    }
    photo, ground, seeds = packshot(), Image.new("RGB", SIZE, "#c8c4be"), count(100)

    def variant(key: str, seed: int) -> bytes:
        body = {"photo": photo, "renderer": recipes[key], "size": SIZE, "seed": seed}
        return render_variant(body)[0]

    times: dict[str, list[float]] = {"bare": [], "cold": [], "warm": []}
    for turn in range(-1, repetitions):
        for key in SCENES:
            seed = next(seeds)
            took = {
                "bare": milliseconds(lambda: bare(photo, ground)),
                "cold": milliseconds(lambda key=key, seed=seed: variant(key, seed)),
                "warm": milliseconds(lambda key=key, seed=seed: variant(key, seed)),
            }
            # The first turn only warms code and caches up.
            for name, each in took.items() if turn >= 0 else ():
                times[name].append(each)
    median = {name: statistics.median(each) for name, each in times.items()}
    print_result(
        "local_variant",
        **{f"{name}_ms": each for name, each in median.items()},
        cold_ratio=median["cold"] / median["bare"],
        warm_ratio=median["warm"] / median["bare"],
        repetitions=repetitions * len(SCENES),
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
