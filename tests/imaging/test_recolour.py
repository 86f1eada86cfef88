"""The comparison of a product that was to be painted in another colour."""

import numpy as np
import pytest
from PIL import Image

from nb_catalog.conf.accept import FIDELITY_THRESHOLDS
from nb_catalog.core.colours import rgb_of
from nb_catalog.imaging.fidelity import BORDER, check_fidelity
from tests.imaging import fidelity_cases as cases
from tests.imaging import recolour_cases as recolour
from tests.imaging.pictures import LIMITS, saved
from tests.imaging.test_fidelity import GROUND

RED = "#b3202a"
BODY = (60, 110, 170)


def shirt(*, seed: int = 4, size: int = 640) -> np.ndarray:
    """A blue cloth with folds, and a print of dark and light shapes in its middle."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[0:size, 0:size].astype(np.float32)
    folds = 1 + 0.12 * np.sin(columns / 37 + rows / 90) + 0.08 * np.sin(rows / 23)
    folds += 0.05 * np.asarray(
        Image.fromarray(rng.normal(0, 1, (160, 160)).astype(np.float32)).resize((size, size))
    )
    colours = np.clip(np.array(BODY) * folds[..., None], 0, 255)
    inside = (abs(columns - size / 2) < size * 0.38) & (abs(rows - size / 2) < size * 0.4)
    for _number in range(140):
        x, y = rng.integers(190, 420, 2)
        wide, tall = rng.integers(6, 28, 2)
        colours[y : y + tall, x : x + wide] = rng.choice(
            [(24, 24, 28), (240, 236, 228), (230, 200, 40)]
        )
    return np.dstack([colours, inside * 255]).astype(np.uint8)


PRODUCT = shirt()
PHOTO = saved(Image.fromarray(PRODUCT))
CLOTH = (np.abs(PRODUCT[..., :3].astype(int) - BODY).sum(axis=-1) < 150) & (PRODUCT[..., 3] > 0)
CLOTH = CLOTH.astype(np.float32)


def painted(colour, *, seed=0):
    return recolour.recoloured(PRODUCT, CLOTH, recolour.rgb(colour), np.random.default_rng(seed))


def judged(product, *, colour=RED, seed=0):
    picture = cases.as_painted(product, GROUND, np.random.default_rng(seed))
    found = check_fidelity(
        PHOTO,
        Image.fromarray(picture),
        mask=None,
        colour=rgb_of(colour),
        thresholds=FIDELITY_THRESHOLDS,
        **LIMITS,
    ).fidelity
    return found


@pytest.mark.exhaustive(every=2)
@pytest.mark.parametrize(
    ("colour", "seed"), [(RED, 0), ("#1f6b3a", 1), ("#e2b21b", 2), ("#f2f0ea", 3)]
)
def test_a_product_in_the_colour_asked_for_is_kept(colour, seed):
    found = judged(painted(colour, seed=seed), colour=colour, seed=seed)
    assert found.reasons == () and found.score > BORDER
    assert {"asked", "kept"} <= found.measures.keys()


@pytest.mark.exhaustive(every=4)
@pytest.mark.parametrize(
    ("product", "reason"),
    [
        (lambda: PRODUCT, "other_colour"),
        (lambda: painted("#1f6b3a"), "other_colour"),
        (lambda: recolour.half_done(PRODUCT, painted(RED), np.random.default_rng(1)), "old_colour"),
        (lambda: cases.erased_print(painted(RED), np.random.default_rng(2)), "detail"),
        (lambda: cases.garbled_print(painted(RED), np.random.default_rng(2)), "detail"),
        (lambda: cases.missing_part(painted(RED), np.random.default_rng(3)), "part"),
        (lambda: cases.stretched(painted(RED), np.random.default_rng(3)), "shape"),
        (lambda: recolour.tinted(PRODUCT, recolour.rgb(RED), np.random.default_rng(3)), "part"),
    ],
    ids=["as it was", "green", "half", "erased", "garbled", "missing", "stretched", "tinted"],
)
def test_another_colour_and_each_damage_is_named(product, reason):
    found = judged(product())
    assert reason in found.reasons and found.score < BORDER


def test_without_a_colour_asked_for_the_same_picture_is_another_colour():
    picture = cases.as_painted(painted(RED), GROUND, np.random.default_rng(0))
    options = {"mask": None, "thresholds": FIDELITY_THRESHOLDS, **LIMITS}
    found = check_fidelity(PHOTO, Image.fromarray(picture), **options).fidelity
    assert found.fails and "asked" not in found.measures


def test_a_product_without_a_main_colour_is_not_judged_by_the_one_asked_for():
    rng = np.random.default_rng(5)
    patches = rng.integers(0, 255, (9, 9, 3)).astype(np.uint8)
    image = np.asarray(Image.fromarray(patches).resize((640, 640), Image.Resampling.NEAREST))
    noise = rng.integers(-20, 20, (640, 640, 1))
    colours = np.clip(image.astype(int) + noise, 0, 255).astype(np.uint8)
    product = np.dstack([colours, PRODUCT[..., 3]])
    picture = cases.as_painted(product, GROUND, np.random.default_rng(0))
    found = check_fidelity(
        saved(Image.fromarray(product)), Image.fromarray(picture), mask=None,
        colour=rgb_of(RED), thresholds=FIDELITY_THRESHOLDS, **LIMITS,
    ).fidelity  # fmt: skip
    assert "many_colours" in found.left_out and "asked" not in found.measures
