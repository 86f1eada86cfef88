"""Thresholds that are fitted to pictures of which people said whether they keep the product."""

import numpy as np
import pytest

from nb_catalog.imaging.fidelity.calibration import (
    Rates,
    Sample,
    cross_validate,
    fit,
    rates_of,
)

START = {"hue": 4.0, "blob": 0.5}


def samples(*, good=(), damaged=(), name="hue", products=6):
    """Pictures with these values of one measure, spread over ``products``."""
    values = [(value, True) for value in good] + [(value, False) for value in damaged]
    return [
        Sample(group=f"p{number % products}", keeps=keeps, measures={name: value})
        for number, (value, keeps) in enumerate(values)
    ]


def test_what_is_beyond_a_threshold_is_flagged():
    rows = samples(good=(1, 3.9, 4.0, 4.1), damaged=(2, 5, 9))
    rows.append(Sample(group="p", keeps=False, measures=None))
    assert rates_of(rows, START) == Rates(good=4, kept=3, damaged=4, flagged=3)


def test_a_threshold_goes_between_the_two_kinds():
    rows = samples(good=np.linspace(5.0, 6.0, 20), damaged=np.linspace(9.0, 12.0, 20))
    fitted = fit(rows, start=START)
    assert 6.0 < fitted["hue"] < 9.0
    assert fitted["blob"] == START["blob"], "a measure that tells nothing keeps its threshold"
    assert rates_of(rows, fitted) == Rates(good=20, kept=20, damaged=20, flagged=20)


def test_a_threshold_that_does_well_stays():
    rows = samples(good=(0.5, 1.0, 2.0), damaged=(8.0, 9.0))
    assert fit(rows, start=START) == START


def test_the_worse_of_both_rates_counts():
    # 30 good pictures and 2 damaged ones: to flag neither would be right most of the time.
    rows = samples(good=np.linspace(0.1, 3.0, 30), damaged=(3.5, 3.6))
    fitted = fit(rows, start={"hue": 8.0, "blob": 0.5})
    assert rates_of(rows, fitted).flagged == 2


def test_each_product_is_held_out_once():
    rows = samples(good=np.linspace(0, 3, 40), damaged=np.linspace(6, 9, 40), products=10)
    parts = list(cross_validate(rows, start=START, parts=5))
    assert len(parts) == 5
    assert sum(part.good for part in parts) == sum(part.damaged for part in parts) == 40


def test_held_out_products_do_not_help_themselves():
    # One product's pictures are damaged in a way that only its own would teach to be seen.
    rows = [Sample(group="odd", keeps=False, measures={"hue": 3.0}) for _ in range(10)]
    rows += [Sample(group=f"p{number}", keeps=True, measures={"hue": 2.0}) for number in range(10)]
    assert rates_of(rows, fit(rows, start=START)).flagged == 10
    total = sum(
        cross_validate(rows, start=START, parts=11),
        start=Rates(good=0, kept=0, damaged=0, flagged=0),
    )
    assert total.flagged == 0


@pytest.mark.parametrize("rows", [[], samples(good=(1.0,))])
def test_few_pictures_fit_nothing(rows):
    assert fit(rows, start=START) == START
    assert list(cross_validate(rows, start=START, parts=4)) == []
