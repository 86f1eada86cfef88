"""Relit pictures and covers, from the plan to the stored picture."""

import pytest

from nb_catalog import storage, worker
from nb_catalog.core.states import JobState
from nb_catalog.imaging.provenance import DigitalSourceType, read_mark
from nb_catalog.models import ImageJob, ProductImage
from tests.catalog.catalog_images import MugSource

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_relit_picture_says_how_far_its_product_was_changed(start):
    start(treatment="relit", ratio="1:1")
    worker.drain()
    image = ProductImage.objects.get()
    shift = image.checks["relit"]
    assert set(shift) == {"median", "colour_median", "p95", "ncc"}
    assert 0 <= shift["colour_median"] <= 4 and shift["median"] <= 6 and shift["p95"] <= 11
    assert 0.97 <= shift["ncc"] <= 1
    assert image.provenance["treatment"] == "relit"
    assert image.digital_source_type == DigitalSourceType.ALGORITHMIC
    assert read_mark(storage.read(image.file.name)) is DigitalSourceType.ALGORITHMIC


def test_a_locked_picture_has_no_such_check(start):
    start(treatment="locked", ratio="1:1")
    worker.drain()
    image = ProductImage.objects.get()
    assert "relit" not in image.checks
    assert image.provenance["treatment"] == "locked"


def test_a_cover_is_set_into_the_scene_as_a_whole(start, monkeypatch):
    monkeypatch.setattr(MugSource, "photo_kind", "full_frame")
    start(treatment="locked", ratio="1:1")
    worker.drain()
    job = ImageJob.objects.get()
    assert job.state == JobState.SUCCEEDED, job.error
    image = ProductImage.objects.get()
    assert image.spec["photo_kind"] == "full_frame"
    _, _, width, height = image.checks["product"]
    assert width > 100 and height > 100
