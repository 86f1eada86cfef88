"""What differs on a product, said by a model that sees its photo beside the picture: for money, on record."""

import base64
import json
from dataclasses import replace

import pytest

from nb_catalog import review
from nb_catalog.checks import check_comparison_provider
from nb_catalog.core.types import Permission
from nb_catalog.exceptions import RequestRefused
from nb_catalog.imaging.fidelity import Fidelity
from nb_catalog.models import DailyBudget, ProviderCall, Run
from nb_catalog.providers.comparison import comparison_provider
from nb_catalog.registry import read_photo, source_for
from nb_catalog.testing.gemini import fault, json_answer
from nb_catalog.worker import drain
from tests import factories
from tests.text_providers.conftest import OPTIONS, carried_out

pytestmark = pytest.mark.django_db(transaction=True)

BACKEND = "nb_catalog.providers.gemini.comparison.GeminiComparison"
USAGE = {"promptTokenCount": 2600, "candidatesTokenCount": 60, "totalTokenCount": 2660}
DIFFERS = Fidelity(score=0.2, reasons=("detail",))
REVIEW = "/admin/nb_catalog/productimage/review/"
DECIDE = "/admin/nb_catalog/productimage/review/decide/"


@pytest.fixture(autouse=True)
def shop(settings, providers):
    settings.NB_CATALOG = {
        **settings.NB_CATALOG,
        "PROVIDERS": providers,
        "COMPARISON_PROVIDER": {"BACKEND": BACKEND, "OPTIONS": OPTIONS},
    }


@pytest.fixture
def image():
    mug = factories.product()
    spec = replace(factories.spec(mug), treatment="painted", photo=mug.packshot.name)
    return factories.image(mug, asked=spec, checks={"decoded": True, "fidelity": DIFFERS.as_dict()})


def compared(image):
    """What a worker has stored; None if nothing."""
    carried_out(review.request_comparison(image, actor=None))
    image.refresh_from_db()
    return image.checks.get("comparison_by_model")


def answer(*differences, same=True):
    said = {"same_product": same, "differences": differences}
    candidate = {"content": {"parts": [{"text": json.dumps(said)}]}, "finishReason": "STOP"}
    return json_answer({"candidates": [candidate], "usageMetadata": USAGE})


def test_what_it_says_stands_beside_the_comparison_and_clears_nothing(server, image):
    server.script(answer())
    said = compared(image)
    assert said == {
        "reader": "Gemini (a-text-model)",
        "locale": "en",
        "is_same_product": True,
        "differences": [],
    }
    assert image.checks["fidelity"] == DIFFERS.as_dict() and image.checks["decoded"] is True
    assert review.needs_individual_review(image)
    call = ProviderCall.objects.get()
    assert (call.job.catalog_object, call.job.kind, call.outcome) == (image, "comparison", "texts")
    assert call.cost_microusd == 2600 + 600
    day = DailyBudget.objects.get()
    assert (day.reserved_microusd, day.spent_microusd) == (0, 3200)


def test_differences_do_not_reject_a_picture(server, image):
    image.checks = {"fidelity": Fidelity(score=0.9).as_dict()}
    image.save()
    server.script(
        answer("The handle\n is missing.", "  ", "The letter “S” is another.", same=False)
    )
    said = compared(image)
    assert said["differences"] == ["The handle is missing.", "The letter “S” is another."]
    assert said["is_same_product"] is False
    assert not review.needs_individual_review(image) and image.state == "pending"


def test_it_gets_the_photo_first_and_is_not_told_what_was_found(server, image):
    server.script(answer())
    compared(image)
    [sent] = server.received
    body = json.dumps(sent.body, ensure_ascii=False)
    assert "detail" not in body and "0.2" not in body and sent.body["store"] is False
    photo, picture = (
        base64.b64decode(part["inlineData"]["data"])
        for part in sent.body["contents"][0]["parts"]
        if "inlineData" in part
    )
    mug = image.catalog_object
    assert photo == read_photo(source_for(mug).photos(mug)[0])
    with image.file.open() as file:
        assert picture == file.read()


@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        (json_answer({"candidates": [], "usageMetadata": USAGE}), "failed"),
        (json_answer({"candidates": [{"content": {"parts": [{"text": "{}"}]}}]}), "failed"),
        (fault("malformed_json"), "unknown"),
    ],
)
def test_an_answer_without_a_comparison_stores_nothing(server, image, said, outcome):
    server.script(said)
    assert compared(image) is None
    assert ProviderCall.objects.get().outcome == outcome


def test_a_photo_that_is_gone_is_not_paid_for(server, image):
    image.spec["photo"] = "gone.png"
    image.save()
    assert compared(image) is None
    assert not server.received and not ProviderCall.objects.exists()
    job = Run.objects.get().jobs.get()
    assert job.error_code == "picture_missing" and "no longer has the photo" in job.error


def test_a_budget_that_is_reached_sends_nothing(server, image, settings):
    settings.NB_CATALOG = {**settings.NB_CATALOG, "DAILY_BUDGET_USD": "0.001"}
    assert compared(image) is None
    assert Run.objects.get().paused_reason == "day_budget" and not server.received


def test_only_what_a_model_drew_is_compared_and_only_where_one_compares(image, settings):
    with pytest.raises(RequestRefused, match="No model drew the product"):
        compared(factories.image())
    settings.NB_CATALOG = {**settings.NB_CATALOG, "COMPARISON_PROVIDER": None}
    with pytest.raises(RequestRefused, match=r"Set NB_CATALOG\['COMPARISON_PROVIDER'\]"):
        compared(image)
    assert comparison_provider() is None


def test_several_products_are_not_compared_with_the_photo_of_the_first(root, image):
    image.checks = {"fidelity": Fidelity(score=None, left_out=("bundle",)).as_dict()}
    image.save()
    with pytest.raises(RequestRefused, match="shows several products"):
        compared(image)
    page = root.get(REVIEW).content.decode()
    assert "pictures of several products are not compared" in page
    assert 'value="compare:' not in page


def test_a_wrong_setting_is_told_by_check(settings):
    assert check_comparison_provider() == []
    wrong = {"BACKEND": BACKEND, "OPTIONS": {**OPTIONS, "modell": "x"}}
    settings.NB_CATALOG = {**settings.NB_CATALOG, "COMPARISON_PROVIDER": wrong}
    [error] = check_comparison_provider()
    assert error.id == "nb_catalog.E052" and "Did you mean 'model'?" in error.msg


def test_the_review_page_offers_it_with_its_price(root, server, image):
    page = root.get(REVIEW).content.decode()
    assert "Have Gemini (a-text-model) compare it for at most $0.0" in page
    assert f'value="compare:{image.pk}"' in page
    server.script(answer("The handle is missing."))
    response = root.post(
        DECIDE, {"decision": f"compare:{image.pk}"}, headers={"Accept": "application/json"}
    ).json()
    assert response["ok"] and "is being compared" in response["message"]
    assert "data-pending" in response["card"] and "compare:" not in response["card"]
    drain()
    page = root.get(REVIEW).content.decode()
    assert "The handle is missing." in page and "data-pending" not in page


def test_the_api_compares_and_needs_the_permission_to_spend(client, server, image):
    path = f"/api/catalog-images/images/{image.pk}/compare/"
    client.force_login(factories.staff(Permission.REVIEW))
    assert client.post(path).status_code == 403
    client.force_login(factories.staff(Permission.GENERATE))
    server.script(answer("Another blue."))
    response = client.post(path, headers={"Idempotency-Key": "compare-1"})
    assert response.status_code == 202
    assert client.post(path).status_code == 422, "it is under way"
    drain()
    assert response.json() == {"run": Run.objects.get().pk}
    checks = client.get(f"/api/catalog-images/images/{image.pk}/").json()["checks"]
    assert checks["comparison_by_model"]["differences"] == ["Another blue."]
