"""What one answer says about every further call: pauses, and breakers that a person closes."""

from datetime import timedelta

import pytest
from django.utils import timezone

from nb_catalog import worker
from nb_catalog.exceptions import (
    KeyRejected,
    ModelRetired,
    NoCredentials,
    PageInstead,
    ProviderStopped,
    WrongService,
)
from nb_catalog.models import ImageJob, ProductImage, ProviderCall, ProviderPause
from nb_catalog.ratelimit import EVERY_MODEL
from nb_catalog.worker import results
from nb_catalog.worker.recovery import requeue_due
from tests.worker.conftest import money_is_sound

pytestmark = pytest.mark.django_db(transaction=True)

MODEL = "gemini-3.1-flash-lite-image"


def states():
    return sorted(ImageJob.objects.values_list("state", flat=True))


def work_again():
    ImageJob.objects.filter(state="waiting").update(not_before=timezone.now())
    requeue_due()
    worker.drain()


@pytest.mark.parametrize(
    "error",
    [
        ProviderStopped("The spending cap is reached."),
        KeyRejected("The key was revoked."),
        NoCredentials("There is no key."),
        WrongService("A web page."),
    ],
    ids=lambda error: error.code,
)
def test_a_breaker_stops_the_whole_provider_until_a_person_closes_it(script, start, error):
    script.add(error)
    start(5)
    worker.Worker(concurrency=1).run(until_idle=True)
    assert script.count == 1, "one answer speaks for all"
    pause = ProviderPause.objects.get()
    assert (pause.provider, pause.model, pause.cause) == ("paid", EVERY_MODEL, error.code)
    assert pause.until > timezone.now() + timedelta(days=365)
    work_again()
    assert script.count == 1
    assert set(states()) == {"queued"}, "nothing failed and nothing is lost"
    assert max(ImageJob.objects.values_list("attempts", flat=True)) == 0
    pause.delete()
    work_again()
    assert states() == ["succeeded"] * 5
    money_is_sound()


def test_a_retired_model_stops_itself_and_fails_the_picture_that_found_out(script, start):
    script.add(ModelRetired("Gone."))
    start(3)
    worker.Worker(concurrency=1).run(until_idle=True)
    assert states() == ["failed", "queued", "queued"]
    pause = ProviderPause.objects.get()
    assert (pause.model, pause.cause) == (MODEL, "model_retired")


def test_a_page_in_place_of_an_answer_is_unknown_and_stops_the_rest(script, start):
    script.add(PageInstead("Sign in."))
    run = start(3)
    worker.Worker(concurrency=1).run(until_idle=True)
    assert states() == ["queued", "queued", "unknown"]
    assert ProviderPause.objects.get().model == EVERY_MODEL
    run.refresh_from_db()
    assert run.reserved_microusd == ImageJob.objects.first().estimate_microusd


def test_a_call_without_a_key_is_on_record_as_not_sent(script, start):
    script.add(NoCredentials("There is no key."))
    start(1)
    worker.drain()
    assert set(ProviderCall.objects.values_list("outcome", "cost_microusd")) == {("not_sent", 0)}


def test_another_model_that_answers_is_noticed(script, start, caplog, monkeypatch):
    monkeypatch.setattr(results, "_warned", set())
    script.model_version = "gemini-silent-successor-001"
    start(8)
    worker.drain()
    image = ProductImage.objects.first()
    assert image.checks["answered_by"] == "gemini-silent-successor-001"
    warned = [record for record in caplog.records if "silent-successor" in record.getMessage()]
    assert len(warned) == 1, "said once, not for each picture"


def test_a_release_of_the_model_is_the_model(script, start):
    script.model_version = f"models/{MODEL}-001"
    start(1)
    worker.drain()
    assert "answered_by" not in ProductImage.objects.get().checks
