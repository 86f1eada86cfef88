"""Errors of the account in a batch: everything waits for a person, and nothing fails."""

import pytest
from django.utils import timezone

from nb_catalog.models import ImageJob, ProductImage, ProviderBatch, ProviderCall, ProviderPause
from nb_catalog.ratelimit import EVERY_MODEL
from nb_catalog.testing.gemini import BatchScript, error_json, json_answer
from tests.batches.conftest import MODEL, drain, forget_the_rest, states
from tests.worker.conftest import money_is_sound

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(("name", "model"), [("region", EVERY_MODEL), ("zero_quota", MODEL)])
def test_items_that_fail_by_the_accounts_fault_wait_for_a_person(server, start, name, model):
    server.batches.script(BatchScript(items={0: name, 1: name}))
    start(3)
    drain()
    assert states() == {"succeeded": 1, "queued": 2}
    assert set(ImageJob.objects.filter(state="queued").values_list("attempts", flat=True)) == {0}
    pause = ProviderPause.objects.get()
    assert pause.model == model and pause.until.year > timezone.now().year + 5
    assert ProviderBatch.objects.count() == 1, "no other batch goes out"
    pause.delete()
    forget_the_rest()
    drain()
    assert states() == {"succeeded": 3}
    money_is_sound()


def test_a_batch_that_fails_by_the_accounts_fault_waits_for_a_person(server, start):
    message = "This API method requires billing to be enabled."
    job = {
        "name": "batches/x",
        "done": True,
        "metadata": {"state": "BATCH_STATE_FAILED"},
        "error": {"code": 9, "message": message},
    }
    server.script_for("batches.get", json_answer(job))
    start(2)
    drain()
    assert states() == {"queued": 2}
    assert set(ImageJob.objects.values_list("attempts", flat=True)) == {0}
    assert "billing" in ProviderPause.objects.get().reason
    assert money_is_sound() == 0


def test_a_batch_that_the_account_may_not_submit_waits_for_a_person(server, start):
    body = error_json(400, "FAILED_PRECONDITION", "User location is not supported for the API use.")
    server.script_for("batches.create", json_answer(body, status=400))
    start(2)
    drain()
    assert states() == {"queued": 2}
    assert "supported country" in ProviderPause.objects.get().reason


def test_an_interim_picture_in_a_batch_is_kept_and_marked(server, start):
    server.batches.script(BatchScript(items={0: "only_thought_images"}))
    start(1)
    drain()
    assert states() == {"succeeded": 1}
    assert ProductImage.objects.get().checks["interim"] is True
    assert len(server.request_log.for_operation("batch item")) == 1


def test_broken_base64_in_a_batch_is_no_picture_with_its_cost(server, start, settings):
    settings.NB_CATALOG = {**settings.NB_CATALOG, "MAX_ATTEMPTS": 1}
    server.batches.script(BatchScript(items={0: "bad_base64"}))
    start(1)
    drain()
    call = ProviderCall.objects.get()
    assert (ImageJob.objects.get().error_code, call.error_code) == ("no_picture", "no_picture")
    assert call.cost_microusd == int(server.request_log.billed_usd * 1_000_000) > 0
    assert money_is_sound() == call.cost_microusd
