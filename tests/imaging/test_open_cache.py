"""Pictures that are kept open for a moment."""

import numpy as np
import pytest

from nb_catalog.core.types import Size
from nb_catalog.exceptions import PictureUnreadable
from nb_catalog.imaging import inspect, open_cache
from nb_catalog.imaging.recent import RecentArrays
from nb_catalog.testing.pictures import solid_png

BOUNDS = {"max_bytes": 10**7, "max_pixels": 10**7}


@pytest.fixture(autouse=True)
def decoded(monkeypatch):
    """How often a picture was really decoded."""
    open_cache.clear()
    count = []
    real = inspect.open_photo
    monkeypatch.setattr(
        open_cache, "open_photo", lambda data, **bounds: count.append(data) or real(data, **bounds)
    )
    yield count
    open_cache.clear()


def test_the_same_bytes_are_decoded_once(decoded):
    first = open_cache.open_cached(solid_png(Size(40, 30), colour=(10, 20, 30)), **BOUNDS)
    assert first.shape == (30, 40, 3) and (first == (10, 20, 30)).all()
    assert open_cache.open_cached(solid_png(Size(40, 30), colour=(10, 20, 30)), **BOUNDS) is first
    assert (
        open_cache.open_cached(solid_png(Size(40, 30), colour=(9, 20, 30)), **BOUNDS) == (9, 20, 30)
    ).all()
    assert len(decoded) == 2


def test_nobody_paints_on_what_is_kept():
    with pytest.raises(ValueError, match="read-only"):
        open_cache.open_cached(solid_png(Size(4, 3), colour=(1, 2, 3)), **BOUNDS)[0, 0] = 9


def test_what_was_not_used_longest_goes_first(decoded, monkeypatch):
    monkeypatch.setattr(open_cache, "_cache", RecentArrays(max_bytes=2 * 20 * 20 * 3))
    pictures = [solid_png(Size(20, 20), colour=(n, 0, 0)) for n in range(3)]
    for picture in (pictures[0], pictures[1], pictures[0], pictures[2], pictures[0]):
        open_cache.open_cached(picture, **BOUNDS)
    assert len(decoded) == 3
    open_cache.open_cached(pictures[1], **BOUNDS)
    assert len(decoded) == 4


def test_one_that_is_too_large_is_opened_and_not_kept(decoded, monkeypatch):
    monkeypatch.setattr(open_cache, "_cache", RecentArrays(max_bytes=100))
    for _ in range(2):
        assert np.array(
            open_cache.open_cached(solid_png(Size(20, 20), colour=(1, 2, 3)), **BOUNDS)
        ).shape == (20, 20, 3)
    assert len(decoded) == 2


def test_bytes_that_are_no_picture_are_refused_each_time():
    for _ in range(2):
        with pytest.raises(PictureUnreadable):
            open_cache.open_cached(b"nothing of the kind, at all", **BOUNDS)


def test_a_larger_picture_than_models_make_is_scaled_down(monkeypatch):
    monkeypatch.setattr(open_cache, "MAX_PIXELS", 400)
    pixels = open_cache.open_cached(solid_png(Size(40, 20), colour=(1, 2, 3)), **BOUNDS)
    assert pixels.shape == (14, 28, 3) and (pixels == (1, 2, 3)).all()
    pixels = open_cache.open_cached(solid_png(Size(20, 20), colour=(1, 2, 3)), **BOUNDS)
    assert pixels.shape == (20, 20, 3)
