"""Real heights as shares of the largest."""

import pytest

from nb_catalog.core.proportions import LEAST_PROPORTION, proportions_of


@pytest.mark.parametrize(
    ("heights", "expected"),
    [
        ([30.0, 15.0, 10.0], [1.0, 0.5, 0.3333]),
        ([200.0, 2.0], [1.0, LEAST_PROPORTION]),
        ([None, 20.0, 10.0], [1.0, 1.0, 0.5]),
        ([None, None], [1.0, 1.0]),
        ([], []),
    ],
)
def test_heights_become_shares_of_the_largest(heights, expected):
    assert proportions_of(heights) == expected
