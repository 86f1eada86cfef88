"""Photos that are cut out because somebody asked, not because a picture is made."""

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from nb_catalog import cutouts
from nb_catalog.cutouts.requests import requested_count
from nb_catalog.exceptions import InvalidSettings
from nb_catalog.models import PhotoCutout
from nb_catalog.models.cutouts import CutoutState
from nb_catalog.registry import source_for
from tests import factories
from tests.cutouts.backends import CountingCutout

pytestmark = [pytest.mark.story, pytest.mark.django_db]


def photo_of(product):
    return product, source_for(product).photos(product)[0]


def test_a_photo_is_requested_once_and_made_once(cutout_backend):
    mug = factories.product()
    assert cutouts.request_cutouts([photo_of(mug)]) == 1
    assert cutouts.request_cutouts([photo_of(mug)]) == 0
    assert requested_count() == 1
    assert cutouts.make_cutouts() == 1
    assert cutouts.make_cutouts() == requested_count() == 0
    assert PhotoCutout.objects.get().state == CutoutState.ACCEPTED


def test_again_means_the_known_ones_whose_mask_no_person_made(cutout_backend, drawn_mask):
    known, drawn, new = factories.product(), factories.product(), factories.product()
    cutouts.request_cutouts([photo_of(known), photo_of(drawn)])
    cutouts.make_cutouts()
    row = PhotoCutout.objects.get(object_id=str(drawn.pk))
    cutouts.replace_mask(row, drawn_mask(), actor=None)
    cutout_backend(maker="counting/2")
    photos = [photo_of(each) for each in (known, drawn, new)]
    assert cutouts.request_cutouts(photos, again=True) == 1
    assert cutouts.make_cutouts() == 1
    assert PhotoCutout.objects.get(object_id=str(known.pk)).maker == "counting/2"
    assert PhotoCutout.objects.get(pk=row.pk).by_person


def test_a_photo_that_its_storage_lacks_waits_for_the_next_time(cutout_backend):
    mug = factories.product()
    cutouts.request_cutouts([photo_of(mug)])
    data = mug.packshot.read()
    mug.packshot.close()
    default_storage.delete(mug.packshot.name)
    assert cutouts.make_cutouts() == 0
    assert requested_count() == 1
    default_storage.save(mug.packshot.name, ContentFile(data))
    assert cutouts.make_cutouts() == 1


def test_a_file_that_is_not_a_picture_is_refused_with_a_sentence(cutout_backend):
    mug = factories.product(photo=b"this is not a picture")
    cutouts.request_cutouts([photo_of(mug)])
    assert cutouts.make_cutouts() == 1
    row = PhotoCutout.objects.get()
    assert row.state == CutoutState.REFUSED
    assert row.problem
    assert requested_count() == 0


def test_a_deleted_product_is_not_asked_for_again(cutout_backend):
    mug = factories.product()
    cutouts.request_cutouts([photo_of(mug)])
    mug.delete()
    assert cutouts.make_cutouts() == requested_count() == 0


def test_the_time_for_it_is_bounded(cutout_backend):
    for _number in range(3):
        cutouts.request_cutouts([photo_of(factories.product())])
    assert cutouts.make_cutouts(seconds=0) == 0
    assert CountingCutout.seen == []
    assert requested_count() == 3


def test_a_backend_that_breaks_says_so_and_is_tried_again(cutout_backend, monkeypatch):
    cutouts.request_cutouts([photo_of(factories.product())])
    with monkeypatch.context() as patched:
        patched.setattr(CountingCutout, "find_mask", lambda self, view: 1 / 0)
        assert cutouts.make_cutouts() == 1
    row = PhotoCutout.objects.get()
    assert row.state == CutoutState.REFUSED
    assert "ZeroDivisionError" in row.problem
    assert cutouts.cut_again([row], actor=None) == cutouts.make_cutouts() == 1
    assert PhotoCutout.objects.get().state == CutoutState.ACCEPTED


def test_photos_wait_while_the_backend_is_not_configured(cutout_backend, monkeypatch, caplog):
    cutouts.request_cutouts([photo_of(factories.product())])

    def lacks(self, view):
        raise InvalidSettings("The file of the network is gone.")

    with monkeypatch.context() as patched:
        patched.setattr(CountingCutout, "find_mask", lacks)
        assert cutouts.make_cutouts() == 0
    assert requested_count() == 1
    assert "network is gone" in caplog.text
    assert cutouts.make_cutouts() == 1
