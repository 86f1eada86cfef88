"""The comparison on real photos, with thresholds that were fitted to other products."""

import numpy as np
import pytest
from PIL import Image

from nb_catalog.conf.accept import FIDELITY_THRESHOLDS
from nb_catalog.imaging.cutout import alpha
from nb_catalog.imaging.fidelity.alignment import find_placements
from nb_catalog.imaging.fidelity.calibration import NOTHING, Sample, cross_validate, rates_of
from nb_catalog.imaging.fidelity.measures import measure
from nb_catalog.imaging.fidelity.views import open_product
from tests.imaging import fidelity_cases as cases
from tests.imaging.composing import scene
from tests.imaging.pictures import LIMITS, NO_PHOTOS, PACKSHOTS

pytestmark = [pytest.mark.matrix, pytest.mark.skipif(len(PACKSHOTS) < 8, reason=NO_PHOTOS)]

SCENES = ("marble", "oak-table", "concrete")
GOOD = 3
"""Pictures of each product that keep it; of each kind of damage there is one."""


def cut_out(path, *, side=1600) -> np.ndarray:
    """The product at the size that pictures show."""
    image = Image.open(path).convert("RGBA")
    image.thumbnail((side, side))
    pixels = np.array(image)
    pixels[..., 3] = alpha.find_product(image).alpha
    rows, columns = np.nonzero(pixels[..., 3] > 127)
    return pixels[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]


def samples_of(path, *, other):
    """What is measured of pictures that keep the product of ``path``, and of others."""
    product, pixels = open_product(path.read_bytes(), mask=None, **LIMITS), cut_out(path)
    rng = np.random.default_rng(len(path.name))
    made = [(pixels, True)] * GOOD + [(cut_out(other), False)]
    damaged = [damage(pixels, rng) for damage in cases.DAMAGES.values()]
    made += [(each, False) for each in damaged if cases.is_visible(pixels, each)]
    for number, (shown, keeps) in enumerate(made):
        ground = np.asarray(scene(SCENES[number % len(SCENES)]).pixels)
        picture = cases.as_painted(shown, ground, rng)
        places = find_placements(product, picture)
        measures = measure(product, picture, places).measures if places else None
        yield Sample(group=path.stem, keeps=keeps, measures=measures)


@pytest.mark.long
def test_damage_is_flagged_and_what_was_kept_is_not():
    samples = [
        sample
        for path, other in zip(PACKSHOTS, PACKSHOTS[3:] + PACKSHOTS[:3], strict=True)
        for sample in samples_of(path, other=other)
    ]
    held_out = sum(cross_validate(samples, start=FIDELITY_THRESHOLDS, parts=4), start=NOTHING)
    for rates in (held_out, rates_of(samples, FIDELITY_THRESHOLDS)):
        assert rates.kept >= 0.92 * rates.good, rates
        assert rates.flagged >= 0.92 * rates.damaged, rates
