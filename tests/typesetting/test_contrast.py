"""Contrast as WCAG defines it, and veils that are as thick as they must be."""

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
def test_ratios_are_the_standard_s(one, other, ratio):
    found = contrast.text_contrast(np.array([one], np.uint8), colour=other)
    assert found == pytest.approx(ratio, abs=0.01)


def background(share_of_white, count=4000):
    pixels = np.zeros((count, 3), np.uint8)
    pixels[: round(count * share_of_white)] = 255
    return pixels


def test_a_few_light_pixels_make_white_letters_unreadable_not_one():
    assert contrast.text_contrast(background(0.04), colour=WHITE) == pytest.approx(21)
    assert contrast.text_contrast(background(0.08), colour=WHITE) == pytest.approx(1)


def test_a_veil_is_as_thick_as_the_letters_need():
    pixels, solid = background(0.5), np.ones(4000, np.float32)
    opacity = contrast.scrim_opacity(pixels, solid, colour=WHITE, scrim=BLACK, target=4.5)
    assert 0.4 < opacity < 0.6
    for change, enough in ((0.0, True), (-0.01, False)):
        under = contrast.blend(pixels, solid * np.float32(opacity + change), colour=BLACK)
        assert (contrast.text_contrast(under, colour=WHITE) >= 4.5) is enough


def test_no_veil_lies_where_none_is_needed():
    pixels, solid = background(0.0), np.ones(4000, np.float32)
    assert contrast.scrim_opacity(pixels, solid, colour=WHITE, scrim=BLACK, target=7) == 0.0


def test_a_veil_of_the_letters_own_colour_helps_nobody():
    pixels, solid = background(0.5), np.ones(4000, np.float32)
    assert contrast.scrim_opacity(pixels, solid, colour=WHITE, scrim=WHITE, target=4.5) is None
