"""Missing texts of a deck, proposed by a Gemini text model on a local server: on record, within budgets."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import connection

from nb_catalog import copydecks, generation
from nb_catalog.core.types import Permission
from nb_catalog.exceptions import InvalidSettings, RequestRefused, StorageFailed
from nb_catalog.models import DailyBudget, DailySpendTotal, ImageJob, ProviderCall, ProviderPause
from nb_catalog.models.db.clock import database_now
from nb_catalog.providers.gemini.translation import GeminiTranslation
from nb_catalog.providers.translation import (
    TranslationProvider,
    TranslationResult,
    translation_provider,
)
from nb_catalog.providers.types import Payload, RawResponse
from nb_catalog.testing.gemini import fault, json_answer
from nb_catalog.worker import drain, results, spool
from tests import factories
from tests.text_providers.conftest import OPTIONS, carried_out

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


def translate(deck, *locales, actor=None):
    """The job of a request that a worker has carried out."""
    return carried_out(generation.request_translations(deck, locales or ("de",), actor=actor))


def proposals(deck, locale="de"):
    found = deck.texts.filter(locale=locale).exclude(proposed_by="")
    return dict(found.values_list("role", "text"))


def test_what_is_missing_is_asked_for_and_waits_as_proposals(server, deck):
    server.script(answer({"headline": "Herbstaktion", "price": "Jetzt {price:short}"}))
    actor = factories.staff()
    job = translate(deck, actor=actor)
    assert (job.kind, job.state, job.error) == ("translation", "succeeded", "")
    assert proposals(deck) == {"headline": "Herbstaktion", "price": "Jetzt {price:short}"}
    assert deck.texts_by_locale["de"] == {"badge": "Neu"}
    [sent] = server.received
    asked = json.loads(sent.body["contents"][0]["parts"][0]["text"])
    assert asked == {"headline": "Autumn sale", "price": "Now {price:short}"}
    told = sent.body["systemInstruction"]["parts"][0]["text"]
    assert "English (en)" in told and "German (de)" in told and "{price}" in told
    assert sent.path.endswith("/models/a-text-model:generateContent")
    call = ProviderCall.objects.get()
    assert (call.outcome, call.cost_microusd, call.run.actor) == ("texts", 700, actor)
    assert (call.provider, call.model, call.job) == ("gemini", "a-text-model", job)
    # The service stops at what was reserved: 10 micro-dollars per token of output.
    most = 10 * sent.body["generationConfig"]["maxOutputTokens"]
    assert call.cost_microusd < most <= call.estimate_microusd < most + 1000
    day = DailyBudget.objects.get()
    assert (day.reserved_microusd, day.spent_microusd) == (0, 700)
    line = DailySpendTotal.objects.get()
    assert (line.tier, line.model, line.spent_microusd) == ("text", "a-text-model", 700)
    assert deck.texts.get(role="headline", locale="de").proposed_by == "Gemini (a-text-model)"


def test_what_is_there_is_not_asked_for_again(server, deck):
    server.script(answer({"headline": "Herbstaktion", "price": "Jetzt {price:short}"}))
    translate(deck)
    assert generation.request_translations(deck, ["de"], actor=None) is None
    assert generation.request_translations(deck, ["en"], actor=None) is None
    assert server.count == ProviderCall.objects.count() == 1


def test_several_languages_are_one_run_with_a_job_each(server, deck):
    # Both are out at once: either may come first.
    texts = {"headline": "Herbstaktion", "price": "Jetzt {price:short}", "badge": "Neu"}
    server.script(answer(texts), answer(texts))
    run = generation.request_translations(deck, ["de", "ar"], actor=None)
    drain()
    assert sorted(run.jobs.values_list("state", flat=True)) == ["succeeded", "succeeded"]
    assert proposals(deck).keys() == {"headline", "price"}
    assert proposals(deck, "ar").keys() == {"headline", "price", "badge"}
    run.refresh_from_db()
    assert run.spent_microusd == 1400 and run.reserved_microusd == 0


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
    job = translate(deck)
    assert job.state == "succeeded" and says in job.error and "price:" in job.error
    assert proposals(deck) == {"headline": "Herbstaktion"}


def test_proposals_of_which_none_can_be_used_fail_with_every_reason(server, deck):
    server.script(answer({"headline": "", "price": "Jetzt"}))
    job = translate(deck)
    assert (job.state, job.error_code) == ("failed", "no_text")
    assert "headline: nothing was proposed." in job.error and "price: the placeholders" in job.error
    assert ProviderCall.objects.get().cost_microusd == 700
    assert proposals(deck) == {}


@pytest.mark.parametrize(
    ("reply", "state", "outcome", "cost"),
    [
        (answer("no JSON at all"), "failed", "failed", 700),
        (answer('["a list"]'), "failed", "failed", 700),
        (json_answer({"promptFeedback": {"blockReason": "SAFETY"}}), "refused", "failed", None),
        (json_answer({}), "failed", "failed", None),
        (fault("rate_limited"), "waiting", "failed", 0),
        (fault("cut"), "unknown", "unknown", None),
    ],
    ids=["no JSON", "a list", "refused", "empty", "rate limited", "cut off"],
)
def test_an_answer_without_texts_is_on_record_with_its_cost(
    server, deck, reply, state, outcome, cost
):
    server.script(reply)
    assert translate(deck).state == state
    call = ProviderCall.objects.get()
    assert (call.outcome, call.cost_microusd) == (outcome, cost)
    day = DailyBudget.objects.get()
    assert day.spent_microusd == (cost or 0)
    assert day.reserved_microusd == (call.estimate_microusd if cost is None else 0)
    assert proposals(deck) == {}


def test_a_budget_that_is_reached_pauses_the_run_and_sends_nothing(server, deck, settings):
    settings.NB_CATALOG = {**settings.NB_CATALOG, "TIER_DAILY_BUDGETS_USD": {"text": "0.0001"}}
    job = translate(deck)
    assert (job.state, job.run.paused_reason) == ("queued", "tier_budget")
    assert server.count == ProviderCall.objects.count() == 0
    assert DailyBudget.objects.get().reserved_microusd == 0


def test_the_same_is_not_requested_twice_at_once(server, deck):
    generation.request_translations(deck, ["de"], actor=None)
    with pytest.raises(RequestRefused, match=r"requested already \(de\)"):
        generation.request_translations(deck, ["ar", "de"], actor=None)
    assert ImageJob.objects.count() == 1
    server.script(answer({"headline": "Herbstaktion"}), answer({"headline": "عرض"}))
    generation.request_translations(deck, ["ar"], actor=None)
    drain()
    assert proposals(deck) and proposals(deck, "ar")


def test_a_person_who_wrote_meanwhile_wins(server, deck, monkeypatch):
    server.script(answer({"headline": "Herbstaktion", "price": "Jetzt {price:short}"}))
    real = GeminiTranslation.parse

    def slowly(self, response):
        # In a thread of its own: the worker's loop must not use the database.
        with ThreadPoolExecutor(1) as pool:
            pool.submit(write_by_hand, deck).result()
        return real(self, response)

    monkeypatch.setattr(GeminiTranslation, "parse", slowly)
    translate(deck)
    assert deck.texts_by_locale["de"]["headline"] == "Von Hand"
    assert proposals(deck) == {"price": "Jetzt {price:short}"}


def write_by_hand(deck):
    copydecks.save_texts(deck, {("de", "headline"): "Von Hand"})
    connection.close()


def test_what_people_wrote_before_it_was_sent_is_not_paid_for(server, deck):
    run = generation.request_translations(deck, ["de"], actor=None)
    copydecks.save_texts(deck, {("de", "headline"): "Von Hand", ("de", "price"): "{price:short}"})
    job = carried_out(run)
    assert (job.state, job.error_code) == ("cancelled", "made_meanwhile")
    assert server.count == ProviderCall.objects.count() == 0


def test_a_deck_that_was_deleted_meanwhile_loses_no_money(server, deck):
    server.script(answer({"headline": "Herbstaktion", "price": "Jetzt {price:short}"}))
    run = generation.request_translations(deck, ["de"], actor=None)
    deck.delete()
    assert carried_out(run).state == "succeeded"
    assert ProviderCall.objects.get().cost_microusd == 700


def test_another_provider_than_the_requested_one_is_not_paid(server, deck, settings):
    run = generation.request_translations(deck, ["de"], actor=None)
    other = {"BACKEND": BACKEND, "OPTIONS": {**OPTIONS, "model": "another-model"}}
    settings.NB_CATALOG = {**settings.NB_CATALOG, "TRANSLATION_PROVIDER": other}
    job = carried_out(run)
    assert (job.state, job.error_code) == ("failed", "request_rejected")
    assert "a-text-model" in job.error and "another-model" in job.error
    assert server.count == 0


def test_without_a_key_nothing_was_sent_and_nothing_stays_reserved(deck, settings, monkeypatch):
    monkeypatch.delenv("GEMINI_API_KEY", raising=False)
    settings.NB_CATALOG["PROVIDERS"]["gemini"]["OPTIONS"].pop("api_key")
    job = translate(deck)
    assert (job.state, job.error_code) == ("waiting", "no_credentials")
    assert ProviderCall.objects.get().outcome == "not_sent"
    assert DailyBudget.objects.get().reserved_microusd == 0
    assert ProviderPause.objects.get().provider == "gemini"


def test_a_pause_of_the_account_holds_texts_too(server, deck):
    ProviderPause.objects.create(
        provider="gemini",
        model="",
        until=database_now() + timedelta(hours=1),
        reason="out of credit",
    )
    assert translate(deck).state == "queued"
    assert server.count == 0


def test_a_worker_that_dies_with_the_answer_loses_nothing(server, deck, monkeypatch):
    """What was spooled is read, stored and settled by the next worker."""
    server.script(answer({"headline": "Herbstaktion", "price": "Jetzt {price:short}"}))
    run = generation.request_translations(deck, ["de"], actor=None)
    with monkeypatch.context() as patched:
        patched.setattr(results, "store_result", raise_system_exit)
        drain()
    job = run.jobs.get()
    assert job.state == "calling" and len(list(spool.names())) == 1
    run.jobs.update(lease_until=database_now() - timedelta(seconds=1))
    drain()
    job.refresh_from_db()
    assert job.state == "succeeded" and proposals(deck).keys() == {"headline", "price"}
    assert server.count == 1 and ProviderCall.objects.get().cost_microusd == 700
    assert not list(spool.names())


def raise_system_exit(*_args, **_options):
    raise StorageFailed("The disk is gone.")


def test_a_free_provider_leaves_no_call(deck, settings):
    settings.NB_CATALOG = {
        **settings.NB_CATALOG,
        "TRANSLATION_PROVIDER": {"BACKEND": f"{__name__}.Dictionary"},
    }
    job = translate(deck)
    assert (job.state, job.is_free) == ("succeeded", True)
    assert proposals(deck) == {"headline": "AUTUMN SALE", "price": "NOW {price:short}"}
    assert not ProviderCall.objects.exists() and not DailyBudget.objects.exists()


class Dictionary(TranslationProvider):
    """Translates by itself: no service, no money."""

    name = "Our dictionary"
    model = "dictionary"

    def cost(self, usage):
        return Decimal(0)

    def estimate(self, texts):
        return Decimal(0)

    def build(self, texts, *, source, target):
        return Payload(model=self.model, body=dict(texts))

    async def send(self, payload):
        return RawResponse(body=json.dumps(payload.body))

    def parse(self, answer):
        loud = {role: text.upper() for role, text in json.loads(answer.body).items()}
        return TranslationResult(
            texts={
                role: text.replace("{PRICE:SHORT}", "{price:short}") for role, text in loud.items()
            }
        )


def test_without_a_translator_it_says_how_to_have_one(deck, settings):
    settings.NB_CATALOG = {**settings.NB_CATALOG, "TRANSLATION_PROVIDER": None}
    with pytest.raises(RequestRefused, match="TRANSLATION_PROVIDER"):
        generation.request_translations(deck, ["de"], actor=None)


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
    propose = f"/admin/nb_catalog/copydeck/{deck.pk}/propose/"
    page = client.post(propose, {"locale": "de"}, follow=True).content.decode()
    assert "Requested: Deutsch." in page and "data-pending" in page
    assert ">Deutsch (2)<" not in page, "it is not offered again meanwhile"
    page = client.post(propose, {"locale": "de"}, follow=True).content.decode()
    assert 'class="error"' in page and "requested already" in page
    server.script(answer({"headline": "Herbstaktion", "price": "Jetzt"}))
    drain()
    page = client.get(files).content.decode()
    assert "1 proposal to accept" in page and "data-pending" not in page
    assert ">Deutsch (1)<" in page
    server.script(answer("no JSON at all"))
    client.post(propose, {"locale": "ar"})
    drain()
    page = client.get(files).content.decode()
    assert "العربية: Failed." in page and "Gemini returned no texts" in page
    run = ImageJob.objects.last().run
    shown = client.get(f"/admin/nb_catalog/run/{run.pk}/change/").content.decode()
    assert f"copy deck {deck}" in shown
    jobs = client.get("/admin/nb_catalog/imagejob/", {"kind__exact": "translation"})
    assert jobs.context["cl"].result_count == 2
    job = ImageJob.objects.last()
    assert "Failed" in client.get(f"/admin/nb_catalog/imagejob/{job.pk}/change/").content.decode()
    listed = client.get("/admin/nb_catalog/providercall/").content.decode()
    assert listed.count("a-text-model") == 2
    told = client.get(f"/api/catalog-images/jobs/{job.pk}/").json()
    assert (told["kind"], told["calls"][0]["cost_usd"]) == ("translation", "0.0007")


def test_it_needs_both_permissions(deck, client):
    address = f"/admin/nb_catalog/copydeck/{deck.pk}/propose/"
    for permissions in ((Permission.GENERATE,), ("nb_catalog.change_copydeck",)):
        client.force_login(factories.staff(*permissions))
        assert client.post(address, {"locale": "de"}).status_code == 403
    client.force_login(factories.superuser())
    assert client.post(address, {"locale": "xx"}).status_code == 404
    assert client.get(address).status_code == 405
