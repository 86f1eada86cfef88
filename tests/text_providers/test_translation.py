"""Missing texts of a deck, proposed by a Gemini text model on a local server: on record, within budgets."""

import json

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError

from nb_catalog import copydecks
from nb_catalog.billing import paid_requests
from nb_catalog.copydecks import translation
from nb_catalog.core.types import Permission
from nb_catalog.exceptions import (
    ContentRefused,
    InvalidSettings,
    NoText,
    OutcomeUnknown,
    ProviderError,
    RequestRefused,
)
from nb_catalog.models import DailyBudget, DailySpendTotal, TextCall
from nb_catalog.models.db.clock import database_now
from nb_catalog.providers.translation import translation_provider
from nb_catalog.testing.gemini import fault, json_answer
from tests import factories
from tests.text_providers.conftest import OPTIONS

pytestmark = pytest.mark.django_db(transaction=True)

BACKEND = "nb_catalog.providers.gemini.translation.GeminiTranslation"
USAGE = {"promptTokenCount": 300, "candidatesTokenCount": 40, "totalTokenCount": 340}
OWN = {"headline": "Autumn sale", "price": "Now {price:short}", "badge": "New"}


@pytest.fixture(autouse=True)
def shop(settings, providers):
    settings.NB_CATALOG = {
        **settings.NB_CATALOG,
        "LOCALES": ["en", "de", "ar"],
        "PROVIDERS": providers,
        "TRANSLATION_PROVIDER": {"BACKEND": BACKEND, "OPTIONS": OPTIONS},
    }


@pytest.fixture
def deck():
    return factories.deck(en=OWN, de={"badge": "Neu"})


def answer(texts, **more):
    written = texts if isinstance(texts, str) else json.dumps(texts)
    candidate = {"content": {"parts": [{"text": written}]}, "finishReason": "STOP"}
    return json_answer({"candidates": [candidate], "usageMetadata": USAGE, **more})


def proposals(deck, locale="de"):
    found = deck.texts.filter(locale=locale).exclude(proposed_by="")
    return dict(found.values_list("role", "text"))


def test_what_is_missing_is_asked_for_and_waits_as_proposals(server, deck):
    server.script(answer({"headline": "Herbstaktion", "price": "Jetzt {price:short}"}))
    actor = factories.staff()
    assert translation.propose_translation(deck, "de", actor=actor).written == 2
    assert proposals(deck) == {"headline": "Herbstaktion", "price": "Jetzt {price:short}"}
    assert deck.texts_by_locale["de"] == {"badge": "Neu"}
    [sent] = server.received
    asked = json.loads(sent.body["contents"][0]["parts"][0]["text"])
    assert asked == {"headline": "Autumn sale", "price": "Now {price:short}"}
    told = sent.body["systemInstruction"]["parts"][0]["text"]
    assert "English (en)" in told and "German (de)" in told and "{price}" in told
    assert sent.path.endswith("/models/a-text-model:generateContent")
    call = TextCall.objects.get()
    assert (call.outcome, call.cost_microusd, call.actor) == ("answered", 700, actor)
    assert call.cost_microusd < call.estimate_microusd
    day = DailyBudget.objects.get()
    assert (day.reserved_microusd, day.spent_microusd) == (0, 700)
    line = DailySpendTotal.objects.get()
    assert (line.tier, line.model, line.spent_microusd) == ("text", "a-text-model", 700)
    assert deck.texts.get(role="headline", locale="de").proposed_by == "Gemini (a-text-model)"


def test_what_is_there_is_not_asked_for_again(server, deck):
    server.script(answer({"headline": "Herbstaktion", "price": "Jetzt {price:short}"}))
    for _ in range(2):
        translation.propose_translation(deck, "de", actor=None)
    assert translation.propose_translation(deck, "en", actor=None).written == 0
    assert server.count == TextCall.objects.count() == 1


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("Jetzt", "differ from the original"),
        ("Jetzt {price} {price:short} {title}", "differ from the original"),
        ("Jetzt {price", "unbalanced brace"),
        ("", "nothing was proposed"),
    ],
)
def test_a_proposal_that_lost_a_value_is_not_kept(server, deck, text, says):
    server.script(answer({"headline": "Herbstaktion", "price": text, "more": "unasked"}))
    outcome = translation.propose_translation(deck, "de", actor=None)
    assert outcome.written == 1 and says in outcome.refused[0]
    assert proposals(deck) == {"headline": "Herbstaktion"}


@pytest.mark.parametrize(
    ("reply", "error", "outcome", "cost"),
    [
        (answer("no JSON at all"), NoText, "failed", 700),
        (answer('["a list"]'), NoText, "failed", 700),
        (
            json_answer({"promptFeedback": {"blockReason": "SAFETY"}}),
            ContentRefused,
            "failed",
            None,
        ),
        (json_answer({}), NoText, "failed", None),
        (fault("rate_limited"), ProviderError, "failed", 0),
        (fault("cut"), OutcomeUnknown, "unknown", None),
    ],
    ids=["no JSON", "a list", "refused", "empty", "rate limited", "cut off"],
)
def test_an_answer_without_texts_is_on_record_with_its_cost(
    server, deck, reply, error, outcome, cost
):
    server.script(reply)
    with pytest.raises(error):
        translation.propose_translation(deck, "de", actor=None)
    call = TextCall.objects.get()
    assert (call.outcome, call.cost_microusd) == (outcome, cost)
    day = DailyBudget.objects.get()
    assert day.spent_microusd == (cost or 0)
    assert day.reserved_microusd == (call.estimate_microusd if cost is None else 0)
    assert proposals(deck) == {}


def test_a_budget_that_is_reached_sends_nothing(server, deck, settings):
    settings.NB_CATALOG = {**settings.NB_CATALOG, "TIER_DAILY_BUDGETS_USD": {"text": "0.0001"}}
    with pytest.raises(RequestRefused, match="A daily budget is reached"):
        translation.propose_translation(deck, "de", actor=None)
    assert server.count == TextCall.objects.count() == 0
    assert not DailyBudget.objects.exists(), "nothing is reserved either"


def test_the_same_is_not_asked_twice_at_once_and_a_dead_request_is_not_waited_for(server, deck):
    call = TextCall.objects.create(
        deck=deck, locale="de", translator="x", model="x", estimate_microusd=5,
        started_at=database_now(),
    )  # fmt: skip
    with pytest.raises(RequestRefused, match="already being translated"):
        translation.propose_translation(deck, "de", actor=None)
    TextCall.objects.filter(pk=call.pk).update(started_at=database_now() - paid_requests.MAX_AGE)
    server.script(answer({"headline": "Herbstaktion"}))
    assert translation.propose_translation(deck, "de", actor=None).written == 1


def test_a_person_who_wrote_meanwhile_wins(server, deck, monkeypatch):
    server.script(answer({"headline": "Herbstaktion"}))
    real = paid_requests._send

    def slowly(*args, **options):
        copydecks.save_texts(deck, {("de", "headline"): "Von Hand"})
        return real(*args, **options)

    monkeypatch.setattr(paid_requests, "_send", slowly)
    translation.propose_translation(deck, "de", actor=None)
    assert deck.texts_by_locale["de"]["headline"] == "Von Hand"


def test_without_a_key_nothing_was_sent_and_nothing_stays_reserved(deck, settings, monkeypatch):
    monkeypatch.delenv("GEMINI_API_KEY", raising=False)
    settings.NB_CATALOG["PROVIDERS"]["gemini"]["OPTIONS"].pop("api_key")
    with pytest.raises(ProviderError):
        translation.propose_translation(deck, "de", actor=None)
    assert TextCall.objects.get().outcome == "not_sent"
    assert DailyBudget.objects.get().reserved_microusd == 0


def test_without_a_translator_it_says_how_to_have_one(deck, settings):
    settings.NB_CATALOG = {**settings.NB_CATALOG, "TRANSLATION_PROVIDER": None}
    with pytest.raises(RequestRefused, match="TRANSLATION_PROVIDER"):
        translation.propose_translation(deck, "de", actor=None)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"BACKEND": "nowhere.Translator"}, "cannot be imported"),
        ({"BACKEND": "nb_catalog.core.types.Money"}, "is not a subclass of TranslationProvider"),
        ({"BACKEND": BACKEND, "OPTIONS": {**OPTIONS, "modell": 1}}, "Did you mean 'model'?"),
        ({"BACKEND": BACKEND, "OPTIONS": {"model": "x"}}, "usd_per_million"),
        ({"BACKEND": BACKEND, "OPTIONS": {**OPTIONS, "model": ""}}, "the id of a text model"),
        ({"BACKEND": BACKEND, "OPTIONS": {**OPTIONS, "provider": "local"}}, "a Gemini provider"),
        (
            {"BACKEND": BACKEND, "OPTIONS": {**OPTIONS, "usd_per_million": {"input": 1}}},
            "{'input': ..., 'output': ...}",
        ),
    ],
)
def test_a_wrong_setting_quotes_its_path_and_the_check_says_it(settings, given, says):
    settings.NB_CATALOG = {**settings.NB_CATALOG, "TRANSLATION_PROVIDER": given}
    with pytest.raises(InvalidSettings) as caught:
        translation_provider()
    assert says in str(caught.value) and "NB_CATALOG['TRANSLATION_PROVIDER']" in str(caught.value)
    with pytest.raises(SystemCheckError, match="E043"):
        call_command("check")


def test_the_page_of_files_offers_it_and_says_how_it_went(server, deck, client):
    client.force_login(factories.superuser())
    files = f"/admin/nb_catalog/copydeck/{deck.pk}/files/"
    page = client.get(files).content.decode()
    assert "Gemini (a-text-model) translates them" in page
    assert ">Deutsch (2)<" in page and ">العربية (3)<" in page
    server.script(answer({"headline": "Herbstaktion", "price": "Jetzt"}))
    page = client.post(
        f"/admin/nb_catalog/copydeck/{deck.pk}/propose/", {"locale": "de"}, follow=True
    ).content.decode()
    assert "1 proposal to accept." in page
    assert "differ from the original" in page
    server.script(fault("rate_limited"))
    page = client.post(
        f"/admin/nb_catalog/copydeck/{deck.pk}/propose/", {"locale": "ar"}, follow=True
    ).content.decode()
    assert 'class="error"' in page
    listed = client.get("/admin/nb_catalog/textcall/").content.decode()
    assert listed.count(">Gemini (a-text-model)<") == 2
    assert client.get(f"/admin/nb_catalog/textcall/{TextCall.objects.first().pk}/change/")


def test_it_needs_both_permissions(deck, client):
    address = f"/admin/nb_catalog/copydeck/{deck.pk}/propose/"
    for permissions in ((Permission.GENERATE,), ("nb_catalog.change_copydeck",)):
        client.force_login(factories.staff(*permissions))
        assert client.post(address, {"locale": "de"}).status_code == 403
    client.force_login(factories.superuser())
    assert client.post(address, {"locale": "xx"}).status_code == 404
    assert client.get(address).status_code == 405
