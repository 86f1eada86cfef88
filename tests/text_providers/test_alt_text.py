"""Alternative texts that a Gemini text model proposes: in no shop until a person accepts them."""

import base64
import json
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import connection
from django.template import Context, Template
from PIL import Image

from nb_catalog import publishing, storefront
from nb_catalog.core.types import Permission
from nb_catalog.exceptions import InvalidSettings, RequestRefused
from nb_catalog.models import (
    AltProposal,
    DailyBudget,
    DailySpendTotal,
    ImageJob,
    Placement,
    ProviderCall,
)
from nb_catalog.providers.alt_text import alt_text_provider
from nb_catalog.providers.gemini.alt_text import GeminiAltText
from nb_catalog.publishing import alt_text, placements
from nb_catalog.testing.gemini import fault, json_answer
from nb_catalog.worker import drain
from tests import factories
from tests.text_providers.conftest import OPTIONS, carried_out

pytestmark = pytest.mark.django_db(transaction=True)

BACKEND = "nb_catalog.providers.gemini.alt_text.GeminiAltText"
USAGE = {"promptTokenCount": 1500, "candidatesTokenCount": 90, "totalTokenCount": 1590}
SAID = {"en": "A blue mug on oak", "de": "Ein blauer Becher auf Eiche", "ar": "كوب أزرق"}
PAGE = "/admin/nb_catalog/productimage/{}/alt/"
LAYOUT = {"boxes": [{"role": "headline", "place": {"start": 0, "top": 0, "width": 1, "height": 1}}]}


@pytest.fixture(autouse=True)
def shop(settings, providers):
    settings.LANGUAGES = [("en", "English"), ("de", "German"), ("ar", "Arabic")]
    settings.NB_CATALOG = {
        **settings.NB_CATALOG,
        "LOCALES": ["en", "de", "ar"],
        "PROVIDERS": providers,
        "ALT_TEXT_PROVIDER": {"BACKEND": BACKEND, "OPTIONS": OPTIONS},
    }


@pytest.fixture
def image():
    return factories.image(factories.product(name="Blue mug"))


def answer(texts):
    candidate = {"content": {"parts": [{"text": json.dumps(texts)}]}, "finishReason": "STOP"}
    return json_answer({"candidates": [candidate], "usageMetadata": USAGE})


def waiting(image):
    return dict(image.alt_proposals.values_list("locale", "text"))


def written(image):
    return dict(image.alts.values_list("locale", "text"))


def request(image, *locales, actor=None):
    return publishing.request_alt_texts(image, locales or ("en", "de", "ar"), actor=actor)


def propose(image, *locales, actor=None):
    """The job of a request that a worker has carried out."""
    return carried_out(request(image, *locales, actor=actor))


def a_proposal(image, locale="de", text=SAID["de"]):
    return AltProposal.objects.create(image=image, locale=locale, text=text, proposed_by="X")


def parts_sent(server):
    [sent] = server.received
    return sent.body["contents"][0]["parts"]


def test_what_a_model_says_of_the_picture_waits_as_proposals(server, image):
    server.script(answer(SAID))
    anna = factories.staff(name="anna")
    job = propose(image, actor=anna)
    assert (job.kind, job.state, job.spec["locales"]) == (
        "alt_text",
        "succeeded",
        ["en", "de", "ar"],
    )
    assert waiting(image) == SAID and written(image) == {}
    assert image.alt_proposals.get(locale="de").proposed_by == "Gemini (a-text-model)"
    call = ProviderCall.objects.get()
    assert (call.job, call.run.actor, call.tier) == (job, anna, "text")
    assert job.catalog_object == image
    assert (call.outcome, call.cost_microusd) == ("texts", 2400)
    assert call.cost_microusd < call.estimate_microusd
    day, line = DailyBudget.objects.get(), DailySpendTotal.objects.get()
    assert (day.reserved_microusd, day.spent_microusd) == (0, 2400)
    assert (line.tier, line.spent_microusd) == ("text", 2400)


def test_the_picture_goes_out_small_with_what_the_shop_knows_of_it(server):
    mug = factories.product(name="Blue mug")
    asked = factories.spec(
        mug, renderer={"texts": {"headline": "Sale!"}, "layout": LAYOUT}, locale="de"
    )
    data = factories.photo_bytes((1500, 2000))
    image = factories.image(mug, asked=asked, data=data, locale="de")
    server.script(answer(SAID))
    propose(image, "de")
    assert waiting(image) == {"de": SAID["de"]}
    picture, told = parts_sent(server)
    assert picture["inlineData"]["mime_type"] == "image/jpeg"
    with Image.open(BytesIO(base64.b64decode(picture["inlineData"]["data"]))) as sent:
        assert sent.size == (768, 1024)
    known = json.loads(told["text"])
    assert known == {"product": "Blue mug", "words on the picture": {"de": "Sale!"}}
    [request] = server.received
    system = request.body["systemInstruction"]["parts"][0]["text"]
    assert "German (de)" in system and "English" not in system
    schema = request.body["generationConfig"]["responseSchema"]
    assert schema["required"] == ["de"] and request.body["store"] is False


def test_a_small_picture_goes_out_as_it_is(server, image):
    server.script(answer(SAID))
    propose(image)
    picture, _told = parts_sent(server)
    assert picture["inlineData"]["mime_type"] == "image/png"


def test_what_is_there_is_not_asked_for_again(server, image):
    publishing.set_alt_texts(image, {"en": "By hand"}, actor=None)
    server.script(answer(SAID))
    propose(image)
    assert request(image) is None
    assert server.count == ProviderCall.objects.count() == 1
    assert waiting(image).keys() == {"de", "ar"} and written(image) == {"en": "By hand"}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "de: nothing was proposed."),
        (" \n", "de: nothing was proposed."),
        (None, "de: nothing was proposed."),
        ("x" * 501, "de: the proposal has 501 characters; at most 500 are possible."),
    ],
)
def test_a_proposal_that_is_empty_or_too_long_is_not_kept(server, image, text, says):
    server.script(answer({"en": "  A\nmug ", "de": text, "fr": "Not asked for"}))
    job = propose(image, "en", "de")
    assert (job.state, job.error) == ("succeeded", says)
    assert waiting(image) == {"en": "A mug"}


def test_a_person_who_wrote_meanwhile_wins(server, image, monkeypatch):
    server.script(answer(SAID))
    real = GeminiAltText.parse

    def slowly(self, response):
        # In a thread of its own: the worker's loop must not use the database.
        with ThreadPoolExecutor(1) as pool:
            pool.submit(write_by_hand, image).result()
        return real(self, response)

    monkeypatch.setattr(GeminiAltText, "parse", slowly)
    assert propose(image).state == "succeeded"
    assert waiting(image).keys() == {"en", "ar"} and written(image) == {"de": "Von Hand"}


def write_by_hand(image):
    publishing.set_alt_texts(image, {"de": "Von Hand"}, actor=None)
    connection.close()


def test_nothing_unaccepted_is_in_a_shop(server, root):
    mug = factories.product(name="Blue mug")
    placement = factories.published(mug)
    before = Placement.objects.values().get()
    server.script(answer({code: f"LEAK {text}" for code, text in SAID.items()}))
    propose(placement.image)
    assert len(waiting(placement.image)) == 3
    page = Template(
        '{% load nb_catalog %}{% catalog_picture mug "hero" %}{% catalog_jsonld mug "hero" %}'
    )
    html = page.render(Context({"mug": mug}))
    assert 'alt="Blue mug"' in html and "LEAK" not in html
    again = placements.publish(placement.image, slot="gallery", actor=None)
    assert "LEAK" not in str(again.picture_data)
    assert Placement.objects.filter(pk=placement.pk).values().get() == before
    for code in SAID:
        assert storefront.picture_for(mug, "hero", locale=code).alt == "Blue mug"
        listed = root.get("/api/catalog-images/placements/", {"locale": code}).content.decode()
        assert "Blue mug" in listed and "LEAK" not in listed
    told = root.get(f"/api/catalog-images/images/{placement.image_id}/").json()
    assert told["alt"] == {} and "LEAK" not in json.dumps(told)
    publishing.set_alt_texts(placement.image, {"de": waiting(placement.image)["de"]}, actor=None)
    assert storefront.picture_for(mug, "hero", locale="de").alt.startswith("LEAK"), (
        "it would be seen"
    )


def test_a_waiting_proposal_hides_no_stand_in(settings):
    mug = factories.product(name="Blue mug")
    placement = factories.published(mug)
    publishing.set_alt_texts(placement.image, {"en": "A mug"}, actor=None)
    a_proposal(placement.image, "ar")
    settings.NB_CATALOG = {**settings.NB_CATALOG, "LOCALE_FALLBACKS": {"ar": ["en"]}}
    assert storefront.picture_for(mug, "hero", locale="ar").alt == "A mug"


def test_whoever_writes_a_text_has_decided_about_the_proposal(image):
    a_proposal(image)
    a_proposal(image, "en")
    publishing.set_alt_texts(image, {"de": "Von Hand", "en": ""}, actor=None)
    assert waiting(image).keys() == {"en"}, "an empty field decides nothing"
    assert alt_text.discard_alt_texts(image, ["en", "ar"]) == 1
    assert waiting(image) == {}


def test_a_picture_is_described_once_at_a_time(server, image):
    request(image, "fr", "de")
    with pytest.raises(RequestRefused, match=r"requested already \(de\)"):
        request(image)
    assert request(image, "en") is not None
    assert server.count == 0


def test_a_budget_that_is_reached_sends_nothing(server, image, settings):
    settings.NB_CATALOG = {**settings.NB_CATALOG, "TIER_DAILY_BUDGETS_USD": {"text": "0.0001"}}
    job = propose(image)
    assert (job.state, job.run.paused_reason) == ("queued", "tier_budget")
    assert server.count == ProviderCall.objects.count() == 0


def test_a_lost_request_keeps_its_money_reserved(server, image):
    server.script(fault("cut"))
    assert propose(image).state == "unknown"
    call = ProviderCall.objects.get()
    assert (call.outcome, call.cost_microusd) == ("unknown", None)
    assert DailyBudget.objects.get().reserved_microusd == call.estimate_microusd
    assert waiting(image) == {}
    with pytest.raises(RequestRefused, match="its outcome is unknown"):
        request(image, "de")


@pytest.mark.parametrize("locales", [("de", "xx"), tuple(f"en-{n}" for n in range(41))])
def test_languages_that_cannot_be_asked_for_are_refused_beforehand(server, image, locales):
    with pytest.raises(RequestRefused):
        request(image, *locales)
    assert server.count == ImageJob.objects.count() == 0


def test_more_languages_than_fit_a_request_are_refused(image, monkeypatch):
    monkeypatch.setattr(alt_text, "MAX_LOCALES", 2)
    with pytest.raises(RequestRefused, match="At most 2 languages can be requested at once, not 3"):
        request(image)


def test_a_file_that_is_gone_costs_nothing(image):
    image.file.storage.delete(image.file.name)
    job = propose(image)
    assert (job.state, job.error_code) == ("failed", "picture_missing")
    assert not ProviderCall.objects.exists()


def test_without_a_describer_it_says_how_to_have_one(image, settings):
    settings.NB_CATALOG = {**settings.NB_CATALOG, "ALT_TEXT_PROVIDER": None}
    with pytest.raises(RequestRefused, match="ALT_TEXT_PROVIDER"):
        request(image)
    assert alt_text.offer(image) is None


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"BACKEND": "nowhere.Describer"}, "cannot be imported"),
        ({"BACKEND": "nb_catalog.core.types.Money"}, "is not a subclass of AltTextProvider"),
        (
            {"BACKEND": "nb_catalog.providers.gemini.translation.GeminiTranslation"},
            "is not a subclass of AltTextProvider",
        ),
        ({"BACKEND": BACKEND, "OPTIONS": {**OPTIONS, "modell": 1}}, "Did you mean 'model'?"),
        ({"BACKEND": BACKEND, "OPTIONS": {"model": "x"}}, "usd_per_million"),
        ({"BACKEND": BACKEND, "OPTIONS": {**OPTIONS, "model": ""}}, "the id of a text model"),
        ({"BACKEND": BACKEND, "OPTIONS": {**OPTIONS, "provider": "local"}}, "a Gemini provider"),
    ],
)
def test_a_wrong_setting_quotes_its_path_and_the_check_says_it(
    settings, image, client, given, says
):
    settings.NB_CATALOG = {**settings.NB_CATALOG, "ALT_TEXT_PROVIDER": given}
    with pytest.raises(InvalidSettings) as caught:
        alt_text_provider()
    assert says in str(caught.value) and "NB_CATALOG['ALT_TEXT_PROVIDER']" in str(caught.value)
    with pytest.raises(SystemCheckError, match="E044"):
        call_command("check")
    client.force_login(factories.superuser())
    assert "Propose texts" not in client.get(PAGE.format(image.pk)).content.decode()


def test_a_setting_of_another_shape_is_told_once(settings):
    settings.NB_CATALOG = {**settings.NB_CATALOG, "ALT_TEXT_PROVIDER": "gemini"}
    with pytest.raises(SystemCheckError, match="'ALT_TEXT_PROVIDER'") as caught:
        call_command("check")
    assert "E044" not in str(caught.value)


# The page.


def test_the_page_offers_it_with_its_price_and_says_how_it_went(server, image, root):
    page = root.get(PAGE.format(image.pk)).content.decode()
    assert "Gemini (a-text-model) describes the picture" in page
    assert "English, Deutsch, العربية" in page
    usd = alt_text.offer(image).usd
    assert f"for at most ${usd.quantize(usd.__class__('0.0001'), 'ROUND_UP')}" in page
    server.script(answer({**SAID, "ar": "x" * 501}))
    page = root.post(f"{PAGE.format(image.pk)}propose/", follow=True).content.decode()
    assert "Requested: English, Deutsch, العربية." in page and "data-pending" in page
    assert "Propose texts" not in page
    drain()
    page = root.get(PAGE.format(image.pk)).content.decode()
    assert "data-pending" not in page
    assert page.count('class="nbc-proposed"') == 2 and SAID["de"] in page
    assert "Proposed by Gemini (a-text-model)" in page
    assert "describes the picture in العربية" in page
    server.script(answer({}))
    root.post(f"{PAGE.format(image.pk)}propose/")
    drain()
    page = root.get(PAGE.format(image.pk)).content.decode()
    assert "العربية: Failed." in page and "returned no texts" in page


def test_a_ticked_proposal_is_saved_as_it_was_read(image, root):
    a_proposal(image)
    page = root.get(PAGE.format(image.pk)).content.decode()
    assert f'name="accept-de" value="{SAID["de"]}"' in page
    image.alt_proposals.update(text="Something else by now")
    said = {"alt-en": "A mug", "alt-de": "", "alt-ar": "", "accept-de": SAID["de"]}
    page = root.post(PAGE.format(image.pk), said, follow=True).content.decode()
    assert "2 texts saved." in page
    assert written(image) == {"en": "A mug", "de": SAID["de"]} and waiting(image) == {}
    assert image.alts.get(locale="de").changed_by.is_superuser


def test_saving_without_a_tick_accepts_nothing(image, root):
    a_proposal(image)
    root.post(PAGE.format(image.pk), {"alt-en": "A mug", "alt-de": ""})
    assert written(image) == {"en": "A mug"} and waiting(image) == {"de": SAID["de"]}


def test_a_proposal_can_be_thrown_away(image, root):
    a_proposal(image)
    page = root.post(PAGE.format(image.pk), {"alt-de": "", "discard-de": "on"}, follow=True)
    assert "1 proposal was discarded." in page.content.decode()
    assert written(image) == waiting(image) == {}


def test_what_is_proposed_is_text_and_no_markup(image, root):
    a_proposal(image, text='"><script>x</script>')
    page = root.get(PAGE.format(image.pk)).content.decode()
    assert "<script>x" not in page and "&lt;script&gt;x" in page


def test_the_page_offers_nothing_where_nothing_lacks_or_nobody_is_asked(image, root, settings):
    for code in SAID:
        a_proposal(image, code)
    assert "Propose texts" not in root.get(PAGE.format(image.pk)).content.decode()
    image.alt_proposals.all().delete()
    assert "Propose texts" in root.get(PAGE.format(image.pk)).content.decode()
    settings.NB_CATALOG = {**settings.NB_CATALOG, "ALT_TEXT_PROVIDER": None}
    assert "Propose texts" not in root.get(PAGE.format(image.pk)).content.decode()


@pytest.mark.parametrize(
    ("permissions", "views"),
    [
        ((Permission.REVIEW,), True),
        ((Permission.GENERATE, Permission.PUBLISH), True),
        ((Permission.REVIEW, Permission.GENERATE), False),
    ],
)
def test_it_needs_every_permission(server, image, client, permissions, views):
    client.force_login(factories.staff(*permissions, views=views))
    assert client.post(f"{PAGE.format(image.pk)}propose/").status_code == 403
    if views:
        assert "Propose texts" not in client.get(PAGE.format(image.pk)).content.decode()
    assert server.count == 0


def test_those_permissions_are_enough(server, image, client):
    client.force_login(factories.staff(Permission.REVIEW, Permission.GENERATE))
    assert "Propose texts" in client.get(PAGE.format(image.pk)).content.decode()
    address = f"{PAGE.format(image.pk)}propose/"
    assert client.get(address).status_code == 405
    server.script(answer(SAID))
    assert client.post(address).status_code == 302
    drain()
    assert waiting(image) == SAID
    assert client.post(PAGE.format(image.pk + 1) + "propose/").status_code == 404


def test_without_a_key_nothing_was_sent_and_nothing_stays_reserved(image, settings, monkeypatch):
    monkeypatch.delenv("GEMINI_API_KEY", raising=False)
    settings.NB_CATALOG["PROVIDERS"]["gemini"]["OPTIONS"].pop("api_key")
    assert propose(image).state == "waiting"
    assert ProviderCall.objects.get().outcome == "not_sent"
    assert DailyBudget.objects.get().reserved_microusd == 0
