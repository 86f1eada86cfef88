"""Thresholds for recoloured products, fitted to one half of the photos and measured on the other.

    DJANGO_SETTINGS_MODULE=tests.settings python -m tests.calibration.recolouring DIRECTORY

DIRECTORY has PNG files with transparency. Prints what is flagged of each kind, and each picture's measures to
the standard error.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import numpy as np

from nb_catalog.conf.accept import FIDELITY_THRESHOLDS
from nb_catalog.core.colours import rgb_of
from nb_catalog.imaging.fidelity.alignment import find_placements
from nb_catalog.imaging.fidelity.calibration import Sample, fit, rates_of
from nb_catalog.imaging.fidelity.measures import measure
from nb_catalog.imaging.fidelity.recolour import guess_back
from nb_catalog.imaging.fidelity.report import for_recoloured
from nb_catalog.imaging.fidelity.views import open_product
from tests.imaging import fidelity_cases as cases
from tests.imaging import recolour_cases as recolour
from tests.imaging.composing import scene
from tests.imaging.pictures import LIMITS
from tests.imaging.test_fidelity_photos import cut_out

SCENES = ("marble", "oak-table", "concrete")
RECOLOURED = for_recoloured(FIDELITY_THRESHOLDS)
GOOD = "as asked"
GOOD_OF_EACH = 3
SIDE = 800
"""Pixels of the longer side of a photo that products are cut out of."""


@lru_cache
def ground_of(key: str) -> np.ndarray:
    return np.asarray(scene(key).pixels)


def pictures_of(path: Path) -> Iterator[tuple[str, str, np.ndarray]]:
    """Yield (kind, colour asked for, product) of one photo; ``GOOD`` ones keep everything else."""
    product = cut_out(path, side=SIDE)
    body = recolour.body_of(product)
    if body is None:
        return
    rng = np.random.default_rng(len(path.name))
    own = recolour.main_colour(product, body)
    beside = recolour.other_colours(product, body)
    others = [
        each
        for each in recolour.PALETTE
        if recolour.distance(own, recolour.rgb(each)) > recolour.APART
        and recolour.shows_print(each, beside)
    ]
    if len(others) < GOOD_OF_EACH:
        return
    chosen = [str(each) for each in rng.permutation(others)]

    def painted(colour: str) -> np.ndarray:
        return recolour.recoloured(product, body, recolour.rgb(colour), rng)

    for colour in chosen[:GOOD_OF_EACH]:
        yield GOOD, colour, painted(colour)
    yield "not recoloured", chosen[0], product
    for asked in chosen[:2]:
        wrong = next(
            (
                each
                for each in chosen
                if recolour.distance(recolour.rgb(each), recolour.rgb(asked)) > recolour.APART
            ),
            None,
        )
        if wrong:
            yield "wrong colour", asked, painted(wrong)
    if body[product[..., 3] > 128].mean() < 0.93:
        yield "all tinted", chosen[0], recolour.tinted(product, recolour.rgb(chosen[0]), rng)
    yield "half done", chosen[1], recolour.half_done(product, painted(chosen[1]), rng)
    for number, (name, damage) in enumerate(recolour.DAMAGES.items()):
        colour = chosen[number % len(chosen)]
        done = painted(colour)
        damaged = damage(done, rng)
        if cases.is_visible(done, damaged):
            yield name, colour, damaged


def measured(path: Path) -> Iterator[tuple[str, str, dict[str, float] | None]]:
    """Yield (kind, colour, measures) of each picture; None if the product is not found in it."""
    view = open_product(path.read_bytes(), mask=None, **LIMITS)
    rng = np.random.default_rng(len(path.name) + 7)
    for number, (kind, colour, product) in enumerate(pictures_of(path)):
        ground = ground_of(SCENES[number % len(SCENES)])
        picture = cases.as_painted(product, ground, rng)
        also = guess_back(view, picture, colour=rgb_of(colour))
        places = find_placements(view, picture, also=also)
        if places is None:
            continue
        yield (
            kind,
            colour,
            dict(measure(view, picture, places, colour=rgb_of(colour)).measures)
            if places
            else None,
        )


def kind_of(path: Path) -> str:
    """The kind of product: of both sides of a shirt, and of all photos of a shoe, one is used."""
    return re.sub(r"(-(front|back|\d+))+$", "", path.stem)


def samples(directory: Path, *, half: int) -> Iterator[tuple[str, Sample]]:
    """Yield (kind of picture, sample) for the photos of one half of the kinds of products."""
    paths = {kind_of(path): path for path in sorted(directory.glob("*.png"), reverse=True)}
    for number, path in enumerate(paths[kind] for kind in sorted(paths)):
        if number % 2 == half:
            for kind, colour, measures in measured(path):
                sample = Sample(group=kind_of(path), keeps=kind == GOOD, measures=measures)
                print(path.stem, colour, kind, json.dumps(measures), file=sys.stderr, flush=True)
                yield kind, sample


def main() -> None:
    halves = [list(samples(Path(sys.argv[1]), half=half)) for half in (0, 1)]
    thresholds = fit([sample for _kind, sample in halves[0]], start=RECOLOURED)
    print("fitted to the first half:", json.dumps(thresholds))
    for name, table in (("fitted", thresholds), ("shipped", RECOLOURED)):
        for half, both in enumerate(halves):
            print(f"{name}, half {half}: {rates_of([sample for _kind, sample in both], table)}")
    for half, both in enumerate(halves):
        for kind in dict.fromkeys(kind for kind, _sample in both):
            rates = rates_of([sample for each, sample in both if each == kind], RECOLOURED)
            print(f"half {half}, {kind}: {rates.flagged + rates.good - rates.kept} of "
                  f"{rates.good + rates.damaged} flagged")  # fmt: skip


if __name__ == "__main__":
    main()
