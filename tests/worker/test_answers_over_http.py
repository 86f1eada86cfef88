"""From a service's odd answer to rows: pauses, kept pictures, costs, and text that can be stored."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from django.urls import reverse

from nb_catalog import worker
from nb_catalog.models import ImageJob, ProductImage, ProviderCall, ProviderPause
from nb_catalog.ratelimit import EVERY_MODEL
from nb_catalog.testing.gemini import (
    Answer,
    GeminiServer,
    error,
    error_json,
    fault,
    json_answer,
    picture_json,
)
from nb_catalog.testing.openai_images import Answer as GatewayAnswer
from nb_catalog.testing.openai_images import OpenAIImagesServer
from tests import factories
from tests.factories import OUR_RULES
from tests.worker.conftest import money_is_sound

pytestmark = pytest.mark.django_db(transaction=True)

KEY = "a-key-of-the-shop"
MODEL = "gemini-3.1-flash-lite-image"


@pytest.fixture
def server():
    with GeminiServer(keys={KEY}, **OUR_RULES) as running:
        yield running


@pytest.fixture(autouse=True)
def one_paid_tier(settings, server):
    options = {"api_key": KEY, "base_url": server.url, "timeout": 10}
    gemini = {"BACKEND": "nb_catalog.providers.gemini.GeminiProvider", "OPTIONS": options}
    settings.NB_CATALOG = {
        **settings.NB_CATALOG,
        "PROVIDERS": {"gemini": gemini},
        "TIERS": {"draft": {"PROVIDER": "gemini", "MODEL": MODEL, "SIZE": "1K"}},
    }


def states():
    return Counter(ImageJob.objects.values_list("state", flat=True))


@pytest.mark.parametrize(
    ("name", "model", "advice"),
    [
        ("region", EVERY_MODEL, "supported country"),
        ("api_disabled", EVERY_MODEL, "overview?project=12345"),
        ("zero_quota", MODEL, "The free tier does not include this model"),
        ("bad_key", EVERY_MODEL, "['api_key']"),
    ],
)
def test_a_fault_of_the_account_costs_one_request_and_no_job(server, start, name, model, advice):
    server.script(*[fault(name)] * 12)
    start(12)
    worker.Worker(concurrency=1).run(until_idle=True)
    assert server.count == 1
    assert set(states()) <= {"queued", "waiting"}, "nothing failed"
    assert set(ImageJob.objects.values_list("attempts", flat=True)) == {0}
    pause = ProviderPause.objects.get()
    assert pause.model == model and advice in pause.reason
    assert pause.until.year > 2030, "no midnight changes it"
    assert money_is_sound() == 0


def test_a_fault_of_one_request_fails_it_alone(server, start):
    server.script(error(400, "INVALID_ARGUMENT", "Unable to process input image."))
    start(3)
    worker.drain()
    assert states() == {"failed": 1, "succeeded": 2}
    assert not ProviderPause.objects.exists()


@pytest.mark.parametrize(
    ("name", "check", "words"),
    [
        ("only_thought_images", {"interim": True}, "interim picture"),
        ("blocked_picture", {"finish_reason": "IMAGE_SAFETY"}, "ended with IMAGE_SAFETY"),
    ],
)
def test_a_picture_that_was_paid_for_is_kept_marked_and_bought_once(
    server,
    start,
    client,
    name,
    check,
    words,
):
    server.script(fault(name))
    start(1)
    worker.drain()
    assert (server.count, states()) == (1, {"succeeded": 1})
    image = ProductImage.objects.get()
    assert image.state == "pending" and image.checks.items() >= check.items()
    call = ProviderCall.objects.get()
    assert call.cost_microusd == int(server.request_log.billed_usd * 1_000_000) > 0
    client.force_login(factories.superuser())
    page = client.get(reverse("admin:nb_catalog_productimage_review")).content.decode()
    assert words in page


def test_the_mark_survives_a_worker_that_died(server, start, monkeypatch):
    from nb_catalog.worker import results

    server.script(fault("only_thought_images"))
    start(1)
    with monkeypatch.context() as patched:
        patched.setattr(results, "store_result", lambda *_a, **_o: 1 / 0)
        worker.drain()
    worker.sweep()
    assert ProductImage.objects.get().checks["interim"] is True
    assert server.count == 1


def test_broken_base64_is_no_picture_and_its_cost_is_booked(server, start, settings):
    settings.NB_CATALOG = {**settings.NB_CATALOG, "MAX_ATTEMPTS": 1}
    server.script(fault("bad_base64"))
    start(1)
    worker.drain()
    job, call = ImageJob.objects.get(), ProviderCall.objects.get()
    assert (job.state, job.error_code) == ("failed", "no_picture")
    assert (call.outcome, call.error_code) == ("failed", "no_picture")
    assert call.cost_microusd == int(server.request_log.billed_usd * 1_000_000) > 0
    assert money_is_sound() == call.cost_microusd


ODD = "half \ud800, nul \0, escape \x1b[2J, override \u202e, " + "long " * 400


@pytest.mark.parametrize("status", [400, 402, 403, 429, 500, 503])
def test_odd_text_in_an_error_leaves_no_job_in_the_air(server, start, settings, status):
    settings.NB_CATALOG = {**settings.NB_CATALOG, "MAX_ATTEMPTS": 1}
    names = {400: "INVALID_ARGUMENT", 429: "RESOURCE_EXHAUSTED", 503: "UNAVAILABLE"}
    body = error_json(status, names.get(status, ODD), ODD, reason=ODD, retry_delay="600s")
    server.script(*[json_answer(body, status=status)] * 6)
    start(6)
    worker.Worker(concurrency=6).run(until_idle=True)
    assert "calling" not in states()
    assert ProviderPause.objects.exists() == (status in {402, 403, 429})
    texts = [*ImageJob.objects.values_list("error", flat=True)]
    texts += ProviderPause.objects.values_list("reason", flat=True)
    for text in filter(None, texts):
        assert text.isprintable() and len(text) <= 500
    assert any("half \ufffd, nul , escape [2J, override" in text for text in texts)


def test_odd_text_beside_a_picture_keeps_it(server, start):
    good = picture_json(factories.photo_bytes(), model=ODD[:100], response_id=ODD[:100])
    parts = good["candidates"][0]["content"]["parts"]
    parts.insert(0, {"text": ODD})
    server.script(Answer(body=json.dumps(good).encode(), works=True))
    start(1)
    worker.drain()
    assert states() == {"succeeded": 1}
    assert ProviderCall.objects.get().request_id.startswith("half \ufffd, nul ,")
    assert ProductImage.objects.get().provenance["model_version"].startswith("half \ufffd")


def test_a_gateways_data_uri_is_a_picture(start, settings):
    import base64

    photo = factories.photo_bytes()
    uri = f"data:image/png;base64,{base64.encodebytes(photo).decode()}"
    with OpenAIImagesServer(key=KEY) as gateway:
        backend = "nb_catalog.providers.openai_images.OpenAIImagesProvider"
        options = {"api_key": KEY, "base_url": gateway.url, "response_format": "url"}
        settings.NB_CATALOG = {
            **settings.NB_CATALOG,
            "PROVIDERS": {"gemini": {"BACKEND": backend, "OPTIONS": options}},
        }
        gateway.script(GatewayAnswer(picture_url=uri), GatewayAnswer(picture_url=uri + "@"))
        start(1)
        worker.drain()
        assert states() == {"succeeded": 1}
        assert not ProviderPause.objects.exists()
        assert gateway.count == 1 and not gateway.fetches
