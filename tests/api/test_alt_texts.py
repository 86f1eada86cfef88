"""Alternative texts over REST: proposed by a model as on the page of the admin, read, accepted, discarded."""

import json

import pytest
from django.test import Client

from nb_catalog.core.types import Permission
from nb_catalog.models import AltProposal, DailyBudget, ImageJob, ProviderCall, Run
from nb_catalog.testing.gemini import json_answer
from nb_catalog.worker import drain
from tests import factories
from tests.text_providers.conftest import OPTIONS, providers, server  # noqa: F401 - fixtures

pytestmark = pytest.mark.django_db(transaction=True)

BACKEND = "nb_catalog.providers.gemini.alt_text.GeminiAltText"
USAGE = {"promptTokenCount": 1500, "candidatesTokenCount": 90, "totalTokenCount": 1590}
PROPOSED = {"en": "A blue mug on oak", "de": "Ein blauer Becher auf Eiche"}


@pytest.fixture(autouse=True)
def shop(settings, providers):  # noqa: F811 - the fixture
    settings.LANGUAGES = [("en", "English"), ("de", "German")]
    settings.NB_CATALOG = {
        **settings.NB_CATALOG,
        "LOCALES": ["en", "de"],
        "PROVIDERS": providers,
        "ALT_TEXT_PROVIDER": {"BACKEND": BACKEND, "OPTIONS": OPTIONS},
    }


@pytest.fixture
def image():
    return factories.image(factories.product(name="Blue mug"))


@pytest.fixture
def api(api_as):
    return api_as(Permission.REVIEW, Permission.GENERATE)


def script(server):  # noqa: F811 - the fixture
    parts = [{"text": json.dumps(PROPOSED)}]
    candidate = {"content": {"parts": parts}, "finishReason": "STOP"}
    server.script(json_answer({"candidates": [candidate], "usageMetadata": USAGE}))


def proposed(image):
    return [*image.alt_proposals.values_list("locale", "text", "proposed_by")]


def test_both_faces_have_the_same_requested_and_proposed(server, api, image):  # noqa: F811
    other = factories.image(factories.product(name="Blue mug"))
    browser = Client()
    browser.force_login(api.user)
    results, sent = [], []
    for each in (image, other):
        script(server)
        if each == image:
            response = api.post(f"images/{each.pk}/alt/propose/")
            assert response.status_code == 202
            run = Run.objects.get(pk=response.json()["run"])
            assert response["Location"].endswith(f"/runs/{run.pk}/")
        else:
            browser.post(f"/admin/nb_catalog/productimage/{each.pk}/alt/propose/")
            run = Run.objects.latest("id")
        job = ImageJob.objects.get(run=run)
        assert not ProviderCall.objects.filter(run=run).exists()
        drain()
        results.append(
            (
                *(run.actor, run.tier, run.estimate_microusd, run.request),
                *(job.kind, job.priority, job.spec["locales"]),
                *(ProviderCall.objects.get(run=run).cost_microusd, proposed(each)),
            )
        )
        body = server.received[-1].body
        # Their pictures differ.
        assert "inlineData" in body["contents"][0]["parts"].pop(0)
        sent.append(body)
    assert results[0] == results[1] and sent[0] == sent[1]
    assert dict(row[:2] for row in proposed(image)) == PROPOSED
    assert DailyBudget.objects.get().reserved_microusd == 0


def test_texts_are_read_with_what_is_proposed_and_what_more_would_cost(server, api, image):  # noqa: F811
    address = f"images/{image.pk}/alt/"
    body = api.get(address).json()
    assert body["offer"] == {
        "provider": "Gemini (a-text-model)",
        "locales": ["en", "de"],
        "price_usd": body["offer"]["price_usd"],
    }
    assert 0 < float(body["offer"]["price_usd"]) < 1 and body["underway"] == []
    [english, german] = body["texts"]
    assert (english["locale"], english["text"], english["proposal"]) == ("en", "", None)
    assert english["default"] == "Blue mug" and "Blue mug" in german["suggestion"]
    script(server)
    api.post(f"{address}propose/", {"locales": ["de"]})
    assert api.get(address).json()["underway"] == ["de"]
    drain()
    body = api.get(address).json()
    proposal = body["texts"][1]["proposal"]
    assert (proposal["text"], proposal["proposed_by"]) == (PROPOSED["de"], "Gemini (a-text-model)")
    assert body["offer"]["locales"] == ["en"] and body["underway"] == []


def test_a_proposal_is_accepted_by_writing_it_or_discarded(api, image):
    for locale, text in PROPOSED.items():
        AltProposal.objects.create(image=image, locale=locale, text=text, proposed_by="X")
    address = f"images/{image.pk}/alt/"
    assert api.post(address, {"texts": {"de": PROPOSED["de"]}}).json()["changed"] == 1
    [english, german] = api.get(address).json()["texts"]
    assert (german["text"], german["proposal"]) == (PROPOSED["de"], None)
    assert english["proposal"]["text"] == PROPOSED["en"]
    answer = api.post(f"{address}discard/", {"locales": ["en", "de"]}).json()
    assert answer == {"alt": {"de": PROPOSED["de"]}, "changed": 1}
    assert not image.alt_proposals.exists()


def test_the_same_request_costs_once(server, api, image):  # noqa: F811
    script(server)
    address, key = f"images/{image.pk}/alt/propose/", {"Idempotency-Key": "alt-1"}
    first = api.post(address, **key)
    again = api.post(address, **key)
    assert (first.status_code, again.status_code) == (202, 200)
    assert first.json() == again.json()
    answer = api.post(address)
    assert (answer.status_code, answer.json()["code"]) == (422, "request_refused")
    assert "under way" in answer.json()["detail"]
    drain()
    assert server.count == ProviderCall.objects.count() == 1
    assert api.post(address).json() == {"run": None}


@pytest.mark.parametrize(
    ("option", "body", "says"),
    [
        (None, {}, "ALT_TEXT_PROVIDER"),
        ({"BACKEND": "nowhere.Describer"}, {}, "cannot be imported"),
        ({"BACKEND": BACKEND, "OPTIONS": OPTIONS}, {"locales": ["xx"]}, "There is no locale 'xx'"),
    ],
)
def test_it_says_why_nothing_can_be_proposed(api, image, settings, option, body, says):
    settings.NB_CATALOG = {**settings.NB_CATALOG, "ALT_TEXT_PROVIDER": option}
    answer = api.post(f"images/{image.pk}/alt/propose/", body)
    assert (answer.status_code, answer.json()["code"]) == (422, "request_refused")
    assert says in answer.json()["detail"]
    assert (api.get(f"images/{image.pk}/alt/").json()["offer"] is None) is not bool(body)
    assert not Run.objects.exists()


@pytest.mark.parametrize(
    "permissions", [(Permission.REVIEW,), (Permission.GENERATE, Permission.PUBLISH)]
)
def test_it_takes_every_permission(api_as, image, permissions):
    api = api_as(*permissions)
    assert api.post(f"images/{image.pk}/alt/propose/").status_code == 403
    body = api.get(f"images/{image.pk}/alt/").json()
    assert body["offer"] is None and len(body["texts"]) == 2
    assert not Run.objects.exists()


def test_a_rate_for_reading_pictures_holds_for_proposals(api, image, settings):
    settings.REST_FRAMEWORK = {"DEFAULT_THROTTLE_RATES": {"nb_catalog_read": "1/day"}}
    address = f"images/{image.pk}/alt/"
    assert api.post(f"{address}propose/").status_code == 202
    assert api.post(f"{address}propose/").status_code == 429
    assert api.get(address).status_code == 200
