"""A service that repeats the key wherever it can: it is in no row, page, log or answer of the API."""

import base64
import json
import logging
from urllib.parse import quote

import pytest
from django.apps import apps
from django.urls import reverse

from nb_catalog import worker
from nb_catalog.models import (
    ImageJob,
    ProductImage,
    ProviderBatch,
    ProviderCall,
    ProviderPause,
    Run,
)
from nb_catalog.testing.gemini import Answer, GeminiServer, error_json, json_answer, picture_json
from nb_catalog.testing.openai_images import Answer as GatewayAnswer
from nb_catalog.testing.openai_images import OpenAIImagesServer
from nb_catalog.testing.openai_images import error as gateway_error
from tests import factories
from tests.bad_input.conftest import settle

pytestmark = pytest.mark.django_db(transaction=True)

KEY = "AIza-plus/and+slash=0123456789"
ENCODED = base64.b64encode(KEY.encode()).decode()
USER = base64.b64encode(b"api:" + KEY.encode()).decode()
# Everything from which the key can be read.
FORMS = (KEY, KEY.lower(), quote(KEY, safe=""), ENCODED[:-4], USER[6:-4])
ECHO = (
    f"Authorization: Bearer {KEY}; https://x.test/v1?key={quote(KEY, safe='')}&a=b; Basic {USER};"
    f" b64 {ENCODED}; {KEY}"
)
API = "/api/catalog-images"
MODEL = "gemini-3.1-flash-lite-image"
TIERS = {"draft": {"PROVIDER": "gemini", "MODEL": MODEL, "SIZE": "1K"}}


def configure(settings, backend, **options):
    entry = {"BACKEND": f"nb_catalog.providers.{backend}", "OPTIONS": {"api_key": KEY, **options}}
    changes = {"PROVIDERS": {"gemini": entry}, "TIERS": TIERS, "MAX_ATTEMPTS": 1}
    settings.NB_CATALOG = {**settings.NB_CATALOG, **changes}


def everything(client, caplog):
    """Return all texts that anybody can get to see."""
    texts = [caplog.text]
    for model in apps.get_app_config("nb_catalog").get_models():
        texts += [repr(row) for row in model._default_manager.values()]
    client.force_login(factories.superuser())
    pages = [reverse("admin:nb_catalog_productimage_review")]
    for model in (ImageJob, ProductImage, ProviderBatch, ProviderCall, ProviderPause, Run):
        name = f"admin:nb_catalog_{model._meta.model_name}"
        pages.append(reverse(f"{name}_changelist"))
        pages += [reverse(f"{name}_change", args=[row.pk]) for row in model.objects.all()]
    for run in Run.objects.all():
        pages += [f"{API}/runs/{run.pk}/", f"{API}/jobs/?run={run.pk}"]
    pages += [f"{API}/jobs/{job.pk}/" for job in ImageJob.objects.all()]
    pages += [f"{API}/images/{image.pk}/" for image in ProductImage.objects.all()]
    for page in pages:
        answer = client.get(page)
        assert answer.status_code == 200, page
        texts.append(answer.content.decode())
    return "\n".join(texts)


def stays_secret(client, caplog):
    text = everything(client, caplog)
    assert "[key]" in text, "the service's words arrived"
    for form in FORMS:
        assert form not in text


def spoiled(**changes):
    good = picture_json(factories.photo_bytes())
    candidate = {**good["candidates"][0], **changes.pop("candidate", {})}
    return {**good, "candidates": [candidate], **changes}


TEXT_ONLY = {"parts": [{"text": ECHO}]}
OF_GEMINI = {
    "finish message": json_answer(
        spoiled(candidate={"content": TEXT_ONLY, "finishReason": "NO_IMAGE", "finishMessage": ECHO})
    ),
    "finish reason": json_answer(spoiled(candidate={"content": {}, "finishReason": ECHO})),
    "refusal": json_answer(
        spoiled(candidate={"content": {}, "finishReason": "SAFETY", "finishMessage": ECHO})
    ),
    "block": json_answer(
        {"promptFeedback": {"blockReason": ECHO[:40], "blockReasonMessage": ECHO}}
    ),
    "picture": json_answer(
        spoiled(candidate={"finishReason": ECHO}, modelVersion=ECHO, responseId=ECHO)
    ),
    "error": json_answer(error_json(400, ECHO, ECHO, reason=ECHO), status=400),
    "suspended": json_answer(
        error_json(403, "PERMISSION_DENIED", f"Consumer 'api_key:{KEY}' has been suspended."),
        status=403,
    ),
    "pause": json_answer(error_json(402, "RESOURCE_EXHAUSTED", "x" * 150 + ECHO), status=402),
    "error in 200": json_answer(error_json(400, ECHO, ECHO)),
    "text": Answer(status=400, body=ECHO.encode(), headers={"Content-Type": "text/plain"}),
    "headers": Answer(
        status=429,
        body=json.dumps(error_json(429, "X", ECHO)).encode(),
        headers={"Retry-After": KEY},
    ),
    "server error": Answer(status=500, body=ECHO.encode()),
}


@pytest.mark.exhaustive(every=4)
@pytest.mark.parametrize("case", OF_GEMINI)
def test_geminis_echo(case, start, settings, client, caplog):
    caplog.set_level(logging.DEBUG, logger="nb_catalog")
    with GeminiServer(keys={KEY}) as server:
        configure(settings, "gemini.GeminiProvider", base_url=server.url)
        server.script(OF_GEMINI[case])
        start(factories.product(), treatment="painted")
        worker.drain()
        assert server.count == 1
        if case == "server error":
            assert KEY not in everything(client, caplog)
        else:
            stays_secret(client, caplog)


def test_geminis_echo_in_a_batch(start, settings, client, caplog, monkeypatch):
    from nb_catalog.worker.batches import schedule

    monkeypatch.setattr(schedule, "FIRST_WAIT", 0.0)
    caplog.set_level(logging.DEBUG, logger="nb_catalog")
    with GeminiServer(keys={KEY}) as server:
        configure(settings, "gemini.GeminiProvider", base_url=server.url)
        start(factories.product(), factories.product(), treatment="painted", mode="batch")
        lines = [
            {"error": {"code": 3, "message": ECHO, "details": [{"reason": ECHO}]}},
            {
                "response": spoiled(
                    candidate={"content": {}, "finishReason": "X", "finishMessage": ECHO}
                )
            },
        ]
        keys = list(ImageJob.objects.values_list("pk", flat=True))
        body = b"".join(
            json.dumps({"key": f"{pk}.1", **line}).encode() + b"\n"
            for pk, line in zip(keys, lines, strict=True)
        )
        server.script_for("files.download", Answer(body=body))
        server.script_for("batches.get", json_answer(error_json(500, ECHO, ECHO), status=500))
        worker.drain()
        stays_secret(client, caplog)
        settle()
        assert set(ImageJob.objects.values_list("state", flat=True)) == {"failed"}
        stays_secret(client, caplog)


OF_GATEWAYS = {
    "error": gateway_error(400, code=ECHO, kind=ECHO, message=ECHO),
    "key": gateway_error(401, code="invalid_api_key", message=f"Incorrect API key: {KEY}."),
    "text": GatewayAnswer(status=400, body=ECHO.encode(), content_type="text/plain"),
    "detail": GatewayAnswer(status=422, body=json.dumps({"detail": [{"message": ECHO}]}).encode()),
    "picture": GatewayAnswer(
        body=json.dumps(
            {
                "id": ECHO,
                "model": ECHO,
                "data": [{"b64_json": base64.b64encode(factories.photo_bytes()).decode()}],
            }
        ).encode()
    ),
}


@pytest.mark.exhaustive(every=3)
@pytest.mark.parametrize("case", OF_GATEWAYS)
def test_a_gateways_echo(case, start, settings, client, caplog):
    caplog.set_level(logging.DEBUG, logger="nb_catalog")
    with OpenAIImagesServer(key=KEY) as server:
        configure(settings, "openai_images.OpenAIImagesProvider", base_url=server.url)
        server.script(OF_GATEWAYS[case])
        start(factories.product(), treatment="painted")
        worker.drain()
        assert server.count == 1
        stays_secret(client, caplog)
