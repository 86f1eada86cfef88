"""Real product photos, where they lie beside the repository: packshots are made, busy ones refused."""

from collections import Counter

import pytest
from django.core.files.base import ContentFile

from nb_catalog import generation, worker
from nb_catalog.generation import runs
from nb_catalog.models import ImageJob
from tests import factories
from tests.catalog.models import Mug
from tests.imaging.pictures import NO_PHOTOS, PHOTOS

PACKSHOTS = ("saleor-apple-drink.png", "saleor-blue-hoodie.png", "saleor-mighty-mug.png")
BUSY = ("sylius-cap_01.jpg", "sylius-dress_01.jpg", "sylius-jeans_03.jpg")
MISSING = [name for name in (*PACKSHOTS, *BUSY) if not (PHOTOS / name).is_file()]

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.once,
    pytest.mark.skipif(bool(MISSING), reason=NO_PHOTOS),
]


def mug_with(name):
    mug = Mug(name=name)
    mug.packshot.save(name, ContentFile((PHOTOS / name).read_bytes()), save=True)
    return mug


def test_packshots_are_made_and_busy_photos_refused_in_the_same_run():
    factories.scene()
    mugs = [mug_with(name) for name in (*PACKSHOTS, *BUSY)]
    run = runs.start_run(generation.plan_backgrounds(mugs, scenes=["marble"]))
    worker.drain()
    assert factories.counts_of(run) == Counter(succeeded=len(PACKSHOTS), failed=len(BUSY))
    for mug in mugs:
        job = ImageJob.objects.about(mug).get()
        if mug.name in PACKSHOTS:
            assert (job.state, job.error) == ("succeeded", "")
            assert (job.images.get().width, job.images.get().height) == (1024, 1024)
        else:
            assert (job.state, job.error_code) == ("failed", "cutout_refused")
            assert "What would work: a photo on a plain, even background" in job.error
            assert "a PNG with a transparent background" in job.error
