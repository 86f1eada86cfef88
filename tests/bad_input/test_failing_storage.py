"""A storage that does not take what it is given: free work is repeated, paid bytes wait on disk."""

from datetime import timedelta

import pytest
from django.utils import timezone

from nb_catalog import review, storefront, worker
from nb_catalog.exceptions import StorageFailed
from nb_catalog.generation import runs
from nb_catalog.models import ImageJob, ProductImage, ProviderCall
from nb_catalog.publishing import placements
from nb_catalog.worker import spool
from tests import factories
from tests.bad_input.conftest import job_of, settle
from tests.bad_input.plugs import Outage
from tests.worker.conftest import money_is_sound

pytestmark = pytest.mark.django_db(transaction=True)

FOR_EVER = 10**6


@pytest.fixture
def outage(settings, tmp_path):
    """The catalog's storage has one, which lasts until a test says otherwise."""
    outage = Outage(FOR_EVER)
    failing = {
        "BACKEND": "tests.bad_input.plugs.FailingStorage",
        "OPTIONS": {"outage": outage, "location": tmp_path},
    }
    settings.STORAGES = {**settings.STORAGES, "catalog": failing}
    settings.NB_CATALOG = {**settings.NB_CATALOG, "STORAGE": "catalog"}
    return outage


def leases_run_out():
    ImageJob.objects.update(lease_until=timezone.now() - timedelta(seconds=1))


def test_free_work_is_tried_again(outage, local, start):
    outage.failures = 4  # a mask and a picture, twice
    product = factories.product()
    start(product)
    settle()
    assert (job_of(product).state, job_of(product).attempts) == ("succeeded", 3)
    assert ProductImage.objects.count() == 1


def test_free_work_ends_with_a_sentence_and_a_person_can_ask_again(outage, local, start):
    product = factories.product()
    run = start(product)
    settle()
    job = job_of(product)
    assert (job.state, job.error_code) == ("failed", "storage_failed")
    assert "ConnectionResetError" in job.error
    assert "hung up" not in job.error, "a foreign message may hold addresses and keys"
    outage.failures = 0
    assert runs.retry_run(run) == 1
    settle()
    assert job_of(product).state == "succeeded"


@pytest.mark.parametrize("treatment", ["painted", "locked"])
def test_a_paid_picture_waits_on_disk_and_is_never_paid_again(treatment, outage, script, start):
    product = factories.product()
    start(product, treatment=treatment)
    settle()
    # A locked one has a mask, before the call and again when it is composed.
    assert outage.asked == (3 if treatment == "locked" else 1)
    assert job_of(product).state == "calling", "not unknown: the picture is there"
    assert len(list(spool.names())) == 1 and not ProductImage.objects.exists()

    leases_run_out()
    assert worker.sweep() == [], "the storage is still away"
    assert len(list(spool.names())) == 1

    outage.failures = 0
    assert [outcome.move for outcome in worker.sweep()] == ["succeed"]
    assert job_of(product).state == "succeeded"
    assert script.count == ProviderCall.objects.count() == 1
    assert not list(spool.names())
    assert money_is_sound() > 0
    picture = ProductImage.objects.order_by("pk").first()
    with picture.file.open() as file:
        assert file.read().startswith(b"\x89PNG")


def test_a_composite_that_is_not_stored_is_made_again_from_the_paid_surroundings(
    outage, script, start
):
    outage.before, outage.failures = 2, 1
    product = factories.product()
    start(product, treatment="locked")
    settle()
    assert job_of(product).state == "calling" and not ProductImage.objects.exists()
    leases_run_out()
    settle()
    assert job_of(product).state == "succeeded"
    backdrop, picture = ProductImage.objects.order_by("pk")
    assert (backdrop.kind, picture.kind, picture.parent) == ("backdrop", "picture", backdrop)
    # Two pictures and a mask, and the failure.
    assert (script.count, outage.asked) == (1, 4), "what lies there is not written again"


def test_a_publication_that_cannot_be_stored_changes_nothing(outage):
    outage.failures = 0
    product = factories.product()
    image = factories.image(product)
    review.approve(image, actor=None)
    outage.failures = 1
    with pytest.raises(StorageFailed, match="retried when the storage works"):
        placements.publish(image, slot="hero", actor=None)
    assert storefront.picture_for(product, "hero").image_id is None
    assert not image.renditions.exists()
    placements.publish(image, slot="hero", actor=None)
    assert storefront.picture_for(product, "hero").image_id == image.pk
