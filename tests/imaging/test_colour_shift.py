"""How far pixels were changed, by the published test data and by changes whose size is known."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from nb_catalog.imaging.colour_shift import (
    ciede2000,
    correlate_detail,
    difference,
    lab,
    linear,
    measure_shift,
    sample_of,
)

# Sharma, Wu and Dalal, "The CIEDE2000 Color-Difference Formula", 2005, table 1.
PAIRS = """
50.0000 2.6772 -79.7751 50.0000 0.0000 -82.7485 2.0425
50.0000 3.1571 -77.2803 50.0000 0.0000 -82.7485 2.8615
50.0000 2.8361 -74.0200 50.0000 0.0000 -82.7485 3.4412
50.0000 -1.3802 -84.2814 50.0000 0.0000 -82.7485 1.0000
50.0000 -1.1848 -84.8006 50.0000 0.0000 -82.7485 1.0000
50.0000 -0.9009 -85.5211 50.0000 0.0000 -82.7485 1.0000
50.0000 0.0000 0.0000 50.0000 -1.0000 2.0000 2.3669
50.0000 -1.0000 2.0000 50.0000 0.0000 0.0000 2.3669
50.0000 2.4900 -0.0010 50.0000 -2.4900 0.0009 7.1792
50.0000 2.4900 -0.0010 50.0000 -2.4900 0.0010 7.1792
50.0000 2.4900 -0.0010 50.0000 -2.4900 0.0011 7.2195
50.0000 2.4900 -0.0010 50.0000 -2.4900 0.0012 7.2195
50.0000 -0.0010 2.4900 50.0000 0.0009 -2.4900 4.8045
50.0000 -0.0010 2.4900 50.0000 0.0010 -2.4900 4.8045
50.0000 -0.0010 2.4900 50.0000 0.0011 -2.4900 4.7461
50.0000 2.5000 0.0000 50.0000 0.0000 -2.5000 4.3065
50.0000 2.5000 0.0000 73.0000 25.0000 -18.0000 27.1492
50.0000 2.5000 0.0000 61.0000 -5.0000 29.0000 22.8977
50.0000 2.5000 0.0000 56.0000 -27.0000 -3.0000 31.9030
50.0000 2.5000 0.0000 58.0000 24.0000 15.0000 19.4535
50.0000 2.5000 0.0000 50.0000 3.1736 0.5854 1.0000
50.0000 2.5000 0.0000 50.0000 3.2972 0.0000 1.0000
50.0000 2.5000 0.0000 50.0000 1.8634 0.5757 1.0000
50.0000 2.5000 0.0000 50.0000 3.2592 0.3350 1.0000
60.2574 -34.0099 36.2677 60.4626 -34.1751 39.4387 1.2644
63.0109 -31.0961 -5.8663 62.8187 -29.7946 -4.0864 1.2630
61.2901 3.7196 -5.3901 61.4292 2.2480 -4.9620 1.8731
35.0831 -44.1164 3.7933 35.0232 -40.0716 1.5901 1.8645
22.7233 20.0904 -46.6940 23.0331 14.9730 -42.5619 2.0373
36.4612 47.8580 18.3852 36.2715 50.5065 21.2231 1.4146
90.8027 -2.0831 1.4410 91.1528 -1.6435 0.0447 1.4441
90.9257 -0.5406 -0.9208 88.6381 -0.8985 -0.7239 1.5381
6.7747 -0.2908 -2.4247 5.8714 -0.0985 -2.2286 0.6377
2.0776 0.0795 -1.1350 0.9033 -0.0636 -0.5514 0.9082
"""
TABLE = np.array([line.split() for line in PAIRS.split("\n") if line], float)
SOLID = np.ones((200, 300), bool)


def noise(*, mean: float = 128, spread: float = 20) -> np.ndarray:
    rng = np.random.default_rng(5)
    return rng.normal(mean, spread, (200, 300, 3)).clip(0, 255).astype(np.uint8)


def test_the_published_differences_come_out_to_four_digits():
    assert len(TABLE) == 34
    assert np.abs(ciede2000(TABLE[:, :3], TABLE[:, 3:6]) - TABLE[:, 6]).max() < 5e-5


def test_the_formula_does_not_mind_which_colour_comes_first():
    forward = ciede2000(TABLE[:, :3], TABLE[:, 3:6])
    assert np.allclose(forward, ciede2000(TABLE[:, 3:6], TABLE[:, :3]), atol=1e-9)


@pytest.mark.parametrize(
    ("srgb", "expected"),
    [
        ((255, 255, 255), (100, 0, 0)),
        ((0, 0, 0), (0, 0, 0)),
        ((255, 0, 0), (53.24, 80.09, 67.20)),
        ((0, 0, 255), (32.30, 79.19, -107.86)),
        ((119, 119, 119), (50.03, 0, 0)),
    ],
)
def test_known_colours_have_their_known_place_in_lab(srgb, expected):
    assert np.abs(lab(linear(np.array([srgb])))[0] - expected).max() < 0.05


def test_what_is_only_darker_is_no_shift_of_colour():
    before = noise()
    after = (255 * (0.7 * linear(before)) ** (1 / 2.4) * 1.055 - 14.025).clip(0, 255)
    median, colour, p95 = difference(before.reshape(-1, 3), after.reshape(-1, 3))
    assert median > 5 and p95 > median
    assert colour < 0.05


def test_another_hue_is_a_shift_of_colour_and_of_the_whole():
    before = noise()
    after = (before * np.array([1.0, 0.9, 0.8])).astype(np.uint8)
    shift = measure_shift(before, after, solid=SOLID, side=300)
    assert shift.colour_median > 5
    assert shift.p95 >= shift.median


def test_pixels_that_are_not_solid_do_not_count():
    before = noise()
    after, solid = before.copy(), SOLID.copy()
    after[:, :100] = 0
    solid[:, :100] = False
    assert measure_shift(before, after, solid=solid, side=300).median == 0
    assert correlate_detail(before, after, solid, side=300) > 0.9999
    assert measure_shift(before, after, solid=SOLID, side=300).p95 > 30


def test_detail_that_is_blurred_away_no_longer_correlates():
    before = noise()
    after = cv2.GaussianBlur(before, (0, 0), 2)
    assert correlate_detail(before, after, SOLID, side=300) < 0.6


def test_a_slow_change_of_light_leaves_the_detail_as_it_is():
    before = noise()
    ramp = np.linspace(0.8, 1.1, 300)[None, :, None]
    after = (before * ramp).clip(0, 255).astype(np.uint8)
    assert correlate_detail(before, after, SOLID, side=300) > 0.99


def test_two_plain_surfaces_correlate_though_neither_has_any_detail():
    grey = np.full((200, 300, 3), 128, np.uint8)
    assert correlate_detail(grey, grey - 9, SOLID, side=300) == pytest.approx(1)


def test_a_sample_covers_all_of_a_large_product():
    solid = np.zeros((1000, 1200), bool)
    solid[100:900, 200:1100] = True
    rows, columns = sample_of(solid, at_most=3000)
    assert 2500 < len(rows) < 3600
    assert solid[rows, columns].all()
    for at, low, high in ((rows, 100, 900), (columns, 200, 1100)):
        counts, _ = np.histogram(at, bins=8, range=(low, high))
        assert counts.min() > 0.7 * counts.mean()
