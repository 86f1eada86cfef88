"""Contrast as WCAG defines it, and scrims as opaque as they have to be."""

import numpy as np
import pytest

from nb_catalog.typesetting import contrast

WHITE, BLACK = (255, 255, 255), (0, 0, 0)


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [
        (WHITE, BLACK, 21.0),
        (WHITE, WHITE, 1.0),
        ((118, 118, 118), WHITE, 4.54),  # the lightest grey that W3C's examples pass on white
        ((119, 119, 119), WHITE, 4.48),
    ],
)
def test_ratios_match_wcag(one, other, ratio):
    measured = contrast.text_contrast(np.array([one], np.uint8), colour=other)
    assert measured == pytest.approx(ratio, abs=0.01)


def background(share_of_white, count=4000):
    pixels = np.zeros((count, 3), np.uint8)
    pixels[: round(count * share_of_white)] = 255
    return pixels


def test_a_few_light_pixels_do_not_count_but_five_percent_do():
    assert contrast.text_contrast(background(0.04), colour=WHITE) == pytest.approx(21)
    assert contrast.text_contrast(background(0.08), colour=WHITE) == pytest.approx(1)


def test_a_scrim_is_as_opaque_as_the_text_needs():
    pixels, solid = background(0.5), np.ones(4000, np.float32)
    opacity = contrast.scrim_opacity(pixels, solid, colour=WHITE, scrim=BLACK, target=4.5)
    assert 0.4 < opacity < 0.6
    for change, enough in ((0.0, True), (-0.01, False)):
        under = contrast.blend(pixels, solid * np.float32(opacity + change), colour=BLACK)
        assert (contrast.text_contrast(under, colour=WHITE) >= 4.5) is enough


def test_a_scrim_that_is_not_needed_is_transparent():
    pixels, solid = background(0.0), np.ones(4000, np.float32)
    assert contrast.scrim_opacity(pixels, solid, colour=WHITE, scrim=BLACK, target=7) == 0.0


def test_a_scrim_of_the_text_s_own_colour_is_refused():
    pixels, solid = background(0.5), np.ones(4000, np.float32)
    assert contrast.scrim_opacity(pixels, solid, colour=WHITE, scrim=WHITE, target=4.5) is None
