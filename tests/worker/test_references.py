"""Photos that are prepared for a model once, however many pictures are made of them."""

import pytest

from nb_catalog.exceptions import PictureError
from nb_catalog.imaging.references import Limits
from nb_catalog.worker import references
from tests import factories

READS = frozenset({"image/png", "image/jpeg"})


@pytest.fixture
def prepared(monkeypatch):
    """The photos that were really prepared."""
    photos, prepare = [], references.as_reference

    def counting(photo, **options):
        photos.append(photo)
        return prepare(photo, **options)

    references._prepared.clear()
    monkeypatch.setattr(references, "as_reference", counting)
    return photos


def test_the_same_photo_is_prepared_once(prepared):
    photo = factories.photo_bytes()
    first = references.prepare(photo, limits=Limits(reads=READS))
    assert references.prepare(bytes(bytearray(photo)), limits=Limits(reads=set(READS))) == first
    assert prepared == [photo]


def test_other_bytes_and_other_limits_are_prepared_for_themselves(prepared, settings):
    red, blue = factories.photo_bytes(colour="red"), factories.photo_bytes(colour="blue")
    small = Limits(reads=READS, longest_side=64)
    results = {
        references.prepare(photo, limits=limits)[1].sha256
        for photo in (red, blue)
        for limits in (Limits(reads=READS), small)
    }
    assert len(results) == len(prepared) == 4
    settings.NB_CATALOG = {**settings.NB_CATALOG, "MAX_PICTURE_PIXELS": 100}
    with pytest.raises(PictureError):
        references.prepare(red, limits=small)


def test_only_a_few_photos_are_kept(prepared, monkeypatch):
    monkeypatch.setattr(references, "MOST_CACHED", 1)
    photos = [factories.photo_bytes(colour=colour) for colour in ("red", "blue", "red")]
    for photo in photos:
        references.prepare(photo, limits=Limits(reads=READS))
    assert prepared == photos
    monkeypatch.setattr(references, "MOST_CACHED_BYTES", 1)
    references._prepared.clear()
    references.prepare(photos[0], limits=Limits(reads=READS))
    assert not references._prepared
