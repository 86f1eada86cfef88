"""Tolerances of drift, chosen on one half of the scenes and products and measured on the other half.

Prints the 97th percentile of each part among members that should pass, and the share that is flagged of each
kind of picture. It renders 1,100 pictures, which takes about 20 minutes of one processor.

    DJANGO_SETTINGS_MODULE=tests.settings python -m tests.calibration.series_drift [scenes of each half]
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterator
from io import BytesIO
from itertools import combinations

import numpy as np
from PIL import Image

from nb_catalog.imaging.drift import TOLERANCES, Look, measure_drift, take_look
from tests.calibration import series_pictures as pictures

ANCHORS = 3
"""Plain members with which each changed one is compared."""
OF_EACH_CHANGE = 2
TOLERABLE = "may differ"
SAME = "same"
PLACE = ("height", "centre", "baseline")


def look_of(picture: pictures.Picture) -> Look:
    """The look of a picture as it would be stored: a JPEG file."""
    file = BytesIO()
    Image.fromarray(picture.pixels).save(file, "JPEG", quality=95, subsampling=0)
    return take_look(np.asarray(Image.open(file).convert("RGB")), product=picture.box)


def drifts(half: int, scene: str) -> Iterator[tuple[str, dict[str, float]]]:
    """Yield (kind of picture, its parts in units of their tolerances) for pairs of different products."""
    products = pictures.products(half)
    rng = np.random.default_rng(sum(map(ord, scene)))
    plain = {name: look_of(pictures.plain_member(scene, each)) for name, each in products.items()}

    def against_others(kind: str, name: str, look: Look) -> Iterator[tuple[str, dict[str, float]]]:
        others = [each for each in plain if each != name]
        for anchor in rng.choice(others, ANCHORS, replace=False):
            found = measure_drift(plain[anchor], look, expected=plain[name].product)
            yield kind, dict(found.parts)

    for first, second in combinations(plain, 2):
        found = measure_drift(plain[first], plain[second], expected=plain[second].product)
        yield SAME, dict(found.parts)
    for name, product in products.items():
        look = look_of(pictures.tolerable_member(scene, product, rng))
        yield from against_others(TOLERABLE, name, look)
    for kind, change in pictures.CHANGES.items():
        for name in rng.choice([*products], OF_EACH_CHANGE, replace=False):
            look = look_of(change(scene, products[str(name)], rng))
            yield from against_others(kind, str(name), look)


def main(scenes: int) -> None:
    for half, title in enumerate(("calibrated on", "held out")):
        found: dict[str, list[dict[str, float]]] = defaultdict(list)
        for scene in pictures.SCENE_HALVES[half][:scenes]:
            for kind, parts in drifts(half, scene):
                found[kind].append(parts)
        print(f"\n{title}: {', '.join(pictures.SCENE_HALVES[half][:scenes])}")
        for part, tolerance in TOLERANCES.items():
            values = [each[part] * tolerance for each in found[TOLERABLE] if part in each]
            if values:
                most = np.percentile(values, 97)
                print(f"  {part:10} 97 % {most:7.3f}   tolerance {tolerance:7.3f}")
        for kind, rows in found.items():
            seen = [max(each.values()) > 1 for each in rows if each]
            by_background = [
                max(value for part, value in each.items() if part not in PLACE) > 1
                for each in rows
                if each
            ]
            print(
                f"  {kind:24} flagged {np.mean(seen):6.3f}  by the background alone "
                f"{np.mean(by_background):6.3f}  of {len(seen)}, not compared {len(rows) - len(seen)}"
            )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 99)
