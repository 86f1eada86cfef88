"""Parameters of tests: a few for every run, the rest for ``sh tests/run --matrix``."""

import pytest


def ordinary(cases, *, chosen):
    """``cases``, those that are not among ``chosen`` marked ``matrix``. A case is a value or a tuple
    of values, and is chosen by its first value or as a whole."""
    params = []
    for case in cases:
        values = case if isinstance(case, tuple) else (case,)
        is_chosen = case in chosen or values[0] in chosen
        params.append(pytest.param(*values, marks=() if is_chosen else pytest.mark.matrix))
    return params
