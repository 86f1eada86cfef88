"""What a job is about goes away, or changes, while the job waits."""

import pytest
from django.core.files.base import ContentFile

from nb_catalog import plans
from nb_catalog.exceptions import PlanRefused
from nb_catalog.models import ProviderCall, Scene
from tests import factories
from tests.bad_input.conftest import at_once, job_of, settle

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


def test_a_photo_that_was_replaced_while_its_job_waits_is_told_by_name(script, start):
    product = factories.product()
    start(product)
    planned = product.packshot.name
    product.packshot.save("better.png", ContentFile(factories.photo_bytes()), save=True)
    settle()
    job = job_of(product)
    assert (job.state, job.error_code) == ("failed", "picture_missing")
    assert planned in job.error and "Plan its pictures anew" in job.error


@pytest.mark.parametrize("treatment", ["locked", "painted"])
def test_a_scene_that_is_deleted_in_use_is_painted_as_it_was_asked_for(treatment, script, start):
    product = factories.product()
    words = "Wet slate under a grey sky."
    factories.scene(words=words)
    start(product, treatment=treatment)
    Scene.objects.all().delete()
    settle()
    assert job_of(product).state == "succeeded"
    assert words in script.asked[0].prompt


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
        plans.plan_backgrounds([factories.product()], scenes=["marble"])


def test_a_plan_without_any_scenes_tells_how_to_get_some(db):
    with pytest.raises(PlanRefused, match="loaddata nb_catalog_scenes"):
        plans.plan_backgrounds([factories.product()], scenes=["marble"])
