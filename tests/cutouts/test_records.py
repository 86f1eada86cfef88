"""Rows of cut-outs: one per version of a photo; a person's mask is never replaced by a machine's."""

from dataclasses import replace

import pytest

from nb_catalog import cutouts
from nb_catalog.cutouts.records import PHOTO_CHANGED, record, stored_cutouts
from nb_catalog.models import PhotoCutout
from nb_catalog.models.cutouts import CutoutState
from nb_catalog.models.generic import own_key
from nb_catalog.models.photos import photo_key
from nb_catalog.registry import read_photo, source_for
from tests import factories
from tests.cutouts.backends import CountingCutout

pytestmark = pytest.mark.django_db


def found_for(product):
    """The product's first photo, and what the backend finds in it."""
    source = source_for(product)
    photo = source.photos(product)[0]
    return photo, cutouts.find_cutout(read_photo(photo), source=source)


def test_what_is_found_is_stored_with_its_mask(cutout_backend):
    mug = factories.product()
    photo, found = found_for(mug)
    stored = record(found, owner=own_key(mug), photo=photo)
    row = PhotoCutout.objects.get()
    assert (row.state, row.method, row.score) == (CutoutState.ACCEPTED, "network", 0.5)
    assert (row.width, row.height) == (120, 150)
    assert row.mask.storage.exists(row.mask.name)
    assert stored == stored_cutouts([(*own_key(mug), photo_key(photo))]).popitem()[1]


def test_doubts_and_refusals_are_states(cutout_backend):
    mug = factories.product()
    cutout_backend(reasons=["unsure"])
    photo, found = found_for(mug)
    assert record(found, owner=own_key(mug), photo=photo).needs_a_look
    cutout_backend(refusal="Nothing in the photo stands out.")
    photo, found = found_for(mug)
    stored = record(found, owner=own_key(mug), photo=photo)
    assert stored.state == CutoutState.REFUSED
    assert (stored.problem, stored.mask) == ("Nothing in the photo stands out.", "")
    assert PhotoCutout.objects.count() == 1


def test_a_mask_that_a_person_made_stays(cutout_backend, drawn_mask):
    mug = factories.product()
    photo, found = found_for(mug)
    record(found, owner=own_key(mug), photo=photo)
    cutouts.replace_mask(PhotoCutout.objects.get(), drawn_mask(), actor=None)
    drawn = PhotoCutout.objects.get()
    stored = record(replace(found, maker="better/9"), owner=own_key(mug), photo=photo)
    assert stored.by_person
    assert stored.mask == drawn.mask.name
    assert stored.state == CutoutState.CONFIRMED


def test_a_person_s_mask_is_doubtful_once_the_photo_has_other_bytes(cutout_backend, drawn_mask):
    mug = factories.product()
    photo, found = found_for(mug)
    record(found, owner=own_key(mug), photo=photo)
    cutouts.replace_mask(PhotoCutout.objects.get(), drawn_mask(), actor=None)
    stored = record(replace(found, photo_sha256="f" * 64), owner=own_key(mug), photo=photo)
    assert stored.by_person
    assert (stored.state, stored.reasons) == (CutoutState.DOUBTFUL, (PHOTO_CHANGED,))


def test_a_confirmation_holds_for_the_same_mask_alone(cutout_backend):
    mug = factories.product()
    cutout_backend(reasons=["unsure"])
    photo, found = found_for(mug)
    record(found, owner=own_key(mug), photo=photo)
    cutouts.confirm(PhotoCutout.objects.all(), actor=None)
    assert record(found, owner=own_key(mug), photo=photo).state == CutoutState.CONFIRMED
    other = replace(found, mask_sha256="0" * 64)
    assert record(other, owner=own_key(mug), photo=photo).state == CutoutState.DOUBTFUL


def test_a_result_that_was_requested_again_meanwhile_is_not_written(cutout_backend):
    mug = factories.product()
    photo, found = found_for(mug)
    cutouts.request_cutouts([(mug, photo)])
    first = PhotoCutout.objects.get().requested_at
    PhotoCutout.objects.update(requested_at=first.replace(year=first.year + 1))
    record(found, owner=own_key(mug), photo=photo, requested_at=first)
    assert PhotoCutout.objects.get().state == CutoutState.REQUESTED


def test_any_number_of_cutouts_is_looked_up_with_one_query(
    cutout_backend, django_assert_num_queries
):
    places = []
    for _number in range(5):
        mug = factories.product()
        photo, found = found_for(mug)
        record(found, owner=own_key(mug), photo=photo)
        places.append((*own_key(mug), photo_key(photo)))
    with django_assert_num_queries(1):
        assert len(stored_cutouts(places)) == 5
    with django_assert_num_queries(0):
        assert stored_cutouts([]) == {}


def test_equal_bytes_are_cut_out_once(cutout_backend):
    data = factories.photo_bytes()
    first, second = factories.product(photo=data), factories.product(photo=data)
    assert found_for(first)[1] == found_for(second)[1]
    assert len(CountingCutout.seen) == 1
