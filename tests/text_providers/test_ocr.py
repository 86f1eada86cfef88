"""Words that a model painted, read by another one that looks at the picture: for money, and on record."""

import base64
import json
from dataclasses import replace

import pytest

from nb_catalog import review
from nb_catalog.checks import check_ocr_provider
from nb_catalog.core.types import Permission
from nb_catalog.exceptions import RequestRefused
from nb_catalog.models import DailyBudget, ProviderCall, Run
from nb_catalog.providers.ocr import ocr_provider
from nb_catalog.testing.gemini import fault, json_answer
from nb_catalog.typesetting.ocr_diff import OcrComparison
from nb_catalog.worker import drain
from tests import factories
from tests.text_providers.conftest import OPTIONS, carried_out

pytestmark = pytest.mark.django_db(transaction=True)

BACKEND = "nb_catalog.providers.gemini.ocr.GeminiOcr"
USAGE = {"promptTokenCount": 1500, "candidatesTokenCount": 90, "totalTokenCount": 1590}
WORDS = {"headline": "عرض الخريف", "price": "€12.50"}
REVIEW = "/admin/nb_catalog/productimage/review/"
DECIDE = "/admin/nb_catalog/productimage/review/decide/"


@pytest.fixture(autouse=True)
def shop(settings, providers):
    settings.NB_CATALOG = {
        **settings.NB_CATALOG,
        "PROVIDERS": providers,
        "OCR_PROVIDER": {"BACKEND": BACKEND, "OPTIONS": OPTIONS},
    }


@pytest.fixture
def image():
    """Painted in Arabic, which nothing on the machine reads well."""
    mug = factories.product()
    spec = replace(
        factories.spec(mug), base="aa11", locale="ar", renderer={"texts": WORDS, "locale": "ar"}
    )
    checks = {"decoded": True, "ocr": OcrComparison().as_dict()}
    return factories.image(mug, asked=spec, locale="ar", checks=checks)


def read(image, *, actor=None):
    """The comparison that a worker has stored; None if there is none."""
    carried_out(review.request_reading(image, actor=actor))
    image.refresh_from_db()
    stored = image.checks.get("ocr_by_model")
    return None if stored is None else OcrComparison.from_dict(stored)


def transcript(*lines, printed=()):
    said = {"lines": lines, "printed": printed}
    candidate = {"content": {"parts": [{"text": json.dumps(said)}]}, "finishReason": "STOP"}
    return json_answer({"candidates": [candidate], "usageMetadata": USAGE})


def reserved():
    day = DailyBudget.objects.first()
    return (day.reserved_microusd, day.spent_microusd) if day else (0, 0)


def test_what_it_reads_is_compared_and_kept_with_the_picture(server, image):
    server.script(transcript("عرض الخريف", "€12.50"))
    reading = read(image)
    assert reading.is_exact and reading.reader == "Gemini (a-text-model)"
    assert image.checks["decoded"] is True, "the other checks stay"
    assert not review.needs_individual_review(image)
    call = ProviderCall.objects.get()
    assert (call.job.catalog_object, call.job.kind, call.outcome) == (image, "ocr", "texts")
    assert reserved() == (0, call.cost_microusd) and call.cost_microusd == 1500 + 900


def test_it_gets_the_picture_and_is_not_told_what_to_find(server, image):
    server.script(transcript("عرض"))
    read(image)
    [sent] = server.received
    body = json.dumps(sent.body, ensure_ascii=False)
    assert "الخريف" not in body and "12.50" not in body and sent.body["store"] is False
    [picture] = [
        part["inlineData"] for part in sent.body["contents"][0]["parts"] if "inlineData" in part
    ]
    with image.file.open() as file:
        assert base64.b64decode(picture["data"]) == file.read()


def test_a_model_that_reads_what_should_be_there_does_not_clear_another_reader_s_doubt(
    server, image
):
    doubt = OcrComparison(reader="RapidOCR", said={**WORDS, "headline": "عرض"}, share=0.5)
    image.checks = {"ocr": doubt.as_dict()}
    image.save()
    server.script(transcript("عرض الخريف", "€12.50"))
    assert read(image).is_exact
    image.refresh_from_db()
    assert review.needs_individual_review(image)


def test_another_letter_and_a_word_too_many_are_told(server, image):
    server.script(transcript("عرض الخزيف", "€12.50", "FREE"))
    reading = read(image)
    assert not reading.is_exact and reading.extra == ("FREE",)
    assert reading.said["headline"] == "عرض الخزيف" and 0.9 < reading.share < 1


@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        (transcript(), "texts"),
        (json_answer({"candidates": [], "usageMetadata": USAGE}), "failed"),
        (json_answer({"candidates": [{"content": {"parts": [{"text": "{}"}]}}]}), "failed"),
        (fault("malformed_json"), "unknown"),
    ],
)
def test_an_answer_without_words_changes_no_more_than_it_says(server, image, said, outcome):
    server.script(said)
    comparison = read(image)
    if outcome == "texts":
        assert comparison.share == 0
    else:
        assert comparison is None
    assert ProviderCall.objects.get().outcome == outcome


def test_a_budget_that_is_reached_sends_nothing(server, image, settings):
    settings.NB_CATALOG = {**settings.NB_CATALOG, "DAILY_BUDGET_USD": "0.001"}
    assert read(image) is None
    assert Run.objects.get().paused_reason == "day_budget"
    assert not server.received and not ProviderCall.objects.exists()


def test_only_painted_words_are_read_and_only_where_somebody_reads(image, settings):
    with pytest.raises(RequestRefused, match="no text that a model painted"):
        read(factories.image())
    settings.NB_CATALOG = {**settings.NB_CATALOG, "OCR_PROVIDER": None}
    with pytest.raises(RequestRefused, match=r"Set NB_CATALOG\['OCR_PROVIDER'\]"):
        read(image)
    assert ocr_provider() is None


def test_a_wrong_setting_is_told_by_check(settings):
    assert check_ocr_provider() == []
    wrong = {"BACKEND": BACKEND, "OPTIONS": {**OPTIONS, "modell": "x"}}
    settings.NB_CATALOG = {**settings.NB_CATALOG, "OCR_PROVIDER": wrong}
    [error] = check_ocr_provider()
    assert error.id == "nb_catalog.E045" and "Did you mean 'model'?" in error.msg


def test_the_review_page_offers_it_with_its_price(root, server, image):
    page = root.get(REVIEW).content.decode()
    assert "Check the text with Gemini (a-text-model) for at most $0.0" in page
    server.script(transcript("عرض الخريف", "€12.50"))
    answer = root.post(
        DECIDE, {"decision": f"read_text:{image.pk}"}, headers={"Accept": "application/json"}
    ).json()
    assert answer["ok"] and "is being read" in answer["message"]
    assert "data-pending" in answer["card"] and "read_text" not in answer["card"]
    drain()
    page = root.get(REVIEW).content.decode()
    assert "letter by letter (Gemini (a-text-model))" in page and "data-pending" not in page


def test_what_goes_wrong_is_told_on_the_page(root, server, image):
    server.script(json_answer({"candidates": [], "usageMetadata": USAGE}))
    headers = {"Accept": "application/json"}
    for expected in (True, False):
        answer = root.post(DECIDE, {"decision": f"read_text:{image.pk}"}, headers=headers).json()
        assert answer["ok"] is expected and answer["message"]
    assert "requested already" in answer["message"]
    drain()
    page = root.get(REVIEW).content.decode()
    assert "Gemini returned no texts" in page
    assert "Check the text with" in page, "it can be requested again"


def test_without_a_reader_or_painted_words_nothing_is_offered(root, image, settings):
    settings.NB_CATALOG = {**settings.NB_CATALOG, "OCR_PROVIDER": None}
    assert "read_text" not in root.get(REVIEW).content.decode()


def test_the_api_reads_and_needs_the_permission_to_spend(client, server, image):
    path = f"/api/catalog-images/images/{image.pk}/read-text/"
    client.force_login(factories.staff(Permission.REVIEW))
    assert client.post(path).status_code == 403
    client.force_login(factories.staff(Permission.GENERATE))
    server.script(transcript("عرض الخريف", "€12.50"))
    key = {"Idempotency-Key": "read-1"}
    response = client.post(path, headers=key)
    assert response.status_code == 202
    assert client.post(path).status_code == 422, "it is under way"
    again = client.post(path, headers=key)
    assert (again.status_code, again.json()) == (200, response.json())
    drain()
    run = Run.objects.get()
    assert response.json() == {"run": run.pk} and run.jobs.get().state == "succeeded"
    assert client.get(f"/api/catalog-images/images/{image.pk}/").json()["checks"]["ocr_by_model"]


def test_what_is_said_to_be_printed_is_forgiven_where_the_photo_shows_it(
    server, image, monkeypatch
):
    read_there = ["ACME"]
    monkeypatch.setattr(
        "nb_catalog.worker.texts.ocr_detect.read_words", lambda photo, **options: read_there
    )
    image.spec["photo"] = image.catalog_object.packshot.name
    image.save()
    for _ in range(2):
        server.script(transcript("عرض الخريف", "€12.50", printed=["ACME"]))
    assert read(image).is_exact
    read_there.clear()
    assert read(image).extra == ("ACME",)


def test_a_product_without_its_photo_forgives_nothing(server, image):
    server.script(transcript("عرض الخريف", "€12.50", printed=["ACME"]))
    assert read(image).extra == ("ACME",)
