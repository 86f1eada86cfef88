"""Words that a model painted, read by another one that looks at the picture: for money, and on record."""

import base64
import json
from dataclasses import replace

import pytest

from nb_catalog import review
from nb_catalog.checks import check_ocr_provider
from nb_catalog.core.types import Permission
from nb_catalog.exceptions import OutcomeUnknown, ProviderError, RequestRefused
from nb_catalog.models import DailyBudget, TextCall
from nb_catalog.providers.ocr import ocr_provider
from nb_catalog.review import ocr
from nb_catalog.testing.gemini import fault, json_answer
from nb_catalog.typesetting.ocr_diff import OcrComparison
from tests import factories
from tests.text_providers.conftest import OPTIONS

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


def transcript(*lines, printed=()):
    said = {"lines": lines, "printed": printed}
    candidate = {"content": {"parts": [{"text": json.dumps(said)}]}, "finishReason": "STOP"}
    return json_answer({"candidates": [candidate], "usageMetadata": USAGE})


def reserved():
    day = DailyBudget.objects.first()
    return (day.reserved_microusd, day.spent_microusd) if day else (0, 0)


def test_what_it_reads_is_compared_and_kept_with_the_picture(server, image):
    server.script(transcript("عرض الخريف", "€12.50"))
    reading = ocr.read_with_model(image, actor=None)
    assert reading.is_exact and reading.reader == "Gemini (a-text-model)"
    image.refresh_from_db()
    assert OcrComparison.from_dict(image.checks["ocr_by_model"]) == reading
    assert image.checks["decoded"] is True, "the other checks stay"
    assert not review.needs_individual_review(image)
    call = TextCall.objects.get()
    assert (call.image, call.locale, call.outcome) == (image, "ar", "answered")
    assert reserved() == (0, call.cost_microusd) and call.cost_microusd == 1500 + 900


def test_it_gets_the_picture_and_is_not_told_what_to_find(server, image):
    server.script(transcript("عرض"))
    ocr.read_with_model(image, actor=None)
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
    assert ocr.read_with_model(image, actor=None).is_exact
    image.refresh_from_db()
    assert review.needs_individual_review(image)


def test_another_letter_and_a_word_too_many_are_told(server, image):
    server.script(transcript("عرض الخزيف", "€12.50", "FREE"))
    reading = ocr.read_with_model(image, actor=None)
    assert not reading.is_exact and reading.extra == ("FREE",)
    assert reading.said["headline"] == "عرض الخزيف" and 0.9 < reading.share < 1


@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        (transcript(), "answered"),
        (json_answer({"candidates": [], "usageMetadata": USAGE}), "failed"),
        (json_answer({"candidates": [{"content": {"parts": [{"text": "{}"}]}}]}), "failed"),
        (fault("malformed_json"), "unknown"),
    ],
)
def test_an_answer_without_words_changes_no_more_than_it_says(server, image, said, outcome):
    server.script(said)
    if outcome == "answered":
        assert ocr.read_with_model(image, actor=None).share == 0
    else:
        with pytest.raises((ProviderError, OutcomeUnknown)):
            ocr.read_with_model(image, actor=None)
        image.refresh_from_db()
        assert "ocr_by_model" not in image.checks
    assert TextCall.objects.get().outcome == outcome


def test_a_budget_that_is_reached_sends_nothing(server, image, settings):
    settings.NB_CATALOG = {**settings.NB_CATALOG, "DAILY_BUDGET_USD": "0.001"}
    with pytest.raises(RequestRefused, match="Nothing was sent"):
        ocr.read_with_model(image, actor=None)
    assert not server.received and not TextCall.objects.exists()


def test_only_painted_words_are_read_and_only_where_somebody_reads(image, settings):
    with pytest.raises(RequestRefused, match="no text that a model painted"):
        ocr.read_with_model(factories.image(), actor=None)
    settings.NB_CATALOG = {**settings.NB_CATALOG, "OCR_PROVIDER": None}
    with pytest.raises(RequestRefused, match=r"Set NB_CATALOG\['OCR_PROVIDER'\]"):
        ocr.read_with_model(image, actor=None)
    assert ocr_provider() is None


def test_a_wrong_setting_is_told_by_check(settings):
    assert check_ocr_provider() == []
    wrong = {"BACKEND": BACKEND, "OPTIONS": {**OPTIONS, "modell": "x"}}
    settings.NB_CATALOG = {**settings.NB_CATALOG, "OCR_PROVIDER": wrong}
    [error] = check_ocr_provider()
    assert error.id == "nb_catalog.E045" and "Did you mean 'model'?" in error.msg


def test_the_review_page_offers_it_with_its_price(root, server, image):
    page = root.get(REVIEW).content.decode()
    assert "Check the text with Gemini (a-text-model) for at most $0.02" in page
    server.script(transcript("عرض الخريف", "€12.50"))
    answer = root.post(
        DECIDE, {"decision": f"read_text:{image.pk}"}, headers={"Accept": "application/json"}
    ).json()
    assert answer["ok"] and "exactly as requested" in answer["message"]
    assert "letter by letter (Gemini (a-text-model))" in answer["card"]


def test_what_goes_wrong_is_told_on_the_page(root, server, image):
    server.script(fault("unavailable"))
    answer = root.post(
        DECIDE, {"decision": f"read_text:{image.pk}"}, headers={"Accept": "application/json"}
    ).json()
    assert not answer["ok"] and answer["message"]


def test_without_a_reader_or_painted_words_nothing_is_offered(root, image, settings):
    settings.NB_CATALOG = {**settings.NB_CATALOG, "OCR_PROVIDER": None}
    assert "read_text" not in root.get(REVIEW).content.decode()


def test_the_api_reads_and_needs_the_permission_to_spend(client, server, image):
    path = f"/api/catalog-images/images/{image.pk}/read-text/"
    client.force_login(factories.staff(Permission.REVIEW))
    assert client.post(path).status_code == 403
    client.force_login(factories.staff(Permission.GENERATE))
    server.script(transcript("عرض الخريف", "€12.50"))
    assert client.post(path).json()["is_exact"] is True


def test_what_is_said_to_be_printed_is_forgiven_where_the_photo_shows_it(
    server, image, monkeypatch
):
    read_there = ["ACME"]
    monkeypatch.setattr(
        "nb_catalog.review.ocr.ocr_detect.read_words", lambda photo, **options: read_there
    )
    image.spec["photo"] = image.catalog_object.packshot.name
    image.save()
    for _ in range(2):
        server.script(transcript("عرض الخريف", "€12.50", printed=["ACME"]))
    assert ocr.read_with_model(image, actor=None).is_exact
    read_there.clear()
    assert ocr.read_with_model(image, actor=None).extra == ("ACME",)


def test_a_product_without_its_photo_forgives_nothing(server, image):
    server.script(transcript("عرض الخريف", "€12.50", printed=["ACME"]))
    assert ocr.read_with_model(image, actor=None).extra == ("ACME",)
