"""What a job is about goes away, or changes, while the job waits."""

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage

from nb_catalog import generation
from nb_catalog.exceptions import PlanRefused
from nb_catalog.generation import runs
from nb_catalog.models import ProviderCall, Run, Scene
from tests import factories
from tests.bad_input.conftest import at_once, job_of, settle
from tests.catalog.catalog_images import MugSource
from tests.worker.conftest import money_is_sound

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("treatment", ["locked", "painted"])
def test_an_object_that_is_deleted_while_its_job_waits_costs_nothing(treatment, script, start):
    gone, there = factories.product(), factories.product()
    run = start(gone, there, treatment=treatment)
    gone.delete()
    settle()
    failed = run.jobs.get(state="failed")
    assert failed.error_code == "object_gone"
    assert failed.error == "The product was deleted while its picture waited to be made."
    assert job_of(there).state == "succeeded"
    assert script.count == ProviderCall.objects.count() == 1


def test_an_object_that_is_deleted_while_its_picture_is_painted_keeps_the_picture(script, start):
    product = factories.product()
    run = start(product, treatment="painted")
    data = factories.photo_bytes((64, 64))

    def painted(request):
        at_once(product.delete)  # in a thread: a loop must not touch the ORM
        return data

    script.add(painted)
    settle()
    assert run.jobs.get().state == "succeeded"
    with run.jobs.get().images.get().file.open() as file:
        assert file.read() == data


def test_surroundings_that_were_paid_for_are_kept_when_the_photo_goes_meanwhile(script, start):
    product = factories.product()
    run = start(product, treatment="locked")
    data = factories.photo_bytes((64, 64))

    def painted(request):
        product.packshot.storage.delete(product.packshot.name)
        return data

    script.add(painted)
    settle()
    job = run.jobs.get()
    assert (job.state, job.error_code) == ("failed", "picture_missing")
    image = job.images.get()
    assert (image.kind, image.state) == ("backdrop", "pending")
    with image.file.open() as file:
        assert file.read() == data
    assert money_is_sound() == 33_910 and not Run.objects.get().reserved_microusd


def test_a_source_that_breaks_on_one_product_stops_nobody_else(script, start, monkeypatch):
    bad, good = factories.product(), factories.product()
    start(bad, good, treatment="locked")
    photos = MugSource.photos

    def breaks(self, product):
        if product.pk == bad.pk:
            raise AttributeError("the host's own mistake")
        return photos(self, product)

    monkeypatch.setattr(MugSource, "photos", breaks)
    settle()
    assert (job_of(bad).state, job_of(good).state) == ("failed", "succeeded")
    assert "AttributeError" in job_of(bad).error


def test_a_photo_s_storage_that_does_not_answer_is_told_and_a_person_can_ask_again(
    script, start, monkeypatch
):
    bad, good = factories.product(), factories.product()
    run = start(bad, good, treatment="painted")
    whole = FileSystemStorage._open

    def breaks(self, name, mode="rb"):
        if name == bad.packshot.name:
            raise PermissionError("/where/nobody/may/look")
        return whole(self, name, mode)

    with monkeypatch.context() as outage:
        outage.setattr(FileSystemStorage, "_open", breaks)
        settle()
    job = job_of(bad)
    assert (job.state, job.error_code, job_of(good).state) == (
        "failed",
        "storage_failed",
        "succeeded",
    )
    assert bad.packshot.name in job.error and "/where/nobody" not in job.error
    assert runs.retry_run(run) == 1
    settle()
    assert job_of(bad).state == "succeeded"


def test_a_photo_that_was_replaced_while_its_job_waits_is_told_by_name(script, start):
    product = factories.product()
    start(product)
    planned = product.packshot.name
    product.packshot.save("better.png", ContentFile(factories.photo_bytes()), save=True)
    settle()
    job = job_of(product)
    assert (job.state, job.error_code) == ("failed", "picture_missing")
    assert planned in job.error and "Plan its pictures again" in job.error


@pytest.mark.parametrize("treatment", ["locked", "painted"])
def test_a_scene_that_is_deleted_in_use_is_painted_as_it_was_asked_for(treatment, script, start):
    product = factories.product()
    words = "Wet slate under a grey sky."
    factories.scene(prompt=words)
    start(product, treatment=treatment)
    Scene.objects.all().delete()
    settle()
    assert job_of(product).state == "succeeded"
    assert words in script.requests[0].prompt


def test_a_scene_that_is_deleted_in_use_is_rendered_as_it_was_asked_for(local, start):
    product = factories.product()
    start(product)
    Scene.objects.all().delete()
    settle()
    assert job_of(product).state == "succeeded"
    assert job_of(product).images.get().scene == "marble"


def test_a_plan_with_a_deleted_scene_names_the_nearest(db):
    factories.scene("marble").delete()
    factories.scene("marble-dark")
    with pytest.raises(PlanRefused, match=r"no scene 'marble'\. Did you mean 'marble-dark'\?"):
        generation.plan_backgrounds([factories.product()], scenes=["marble"])


def test_a_plan_without_any_scenes_tells_how_to_get_some(db):
    with pytest.raises(PlanRefused, match="loaddata nb_catalog_scenes"):
        generation.plan_backgrounds([factories.product()], scenes=["marble"])
