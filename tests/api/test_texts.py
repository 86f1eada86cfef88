"""Layouts, copy decks, and words on pictures through the API."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from nb_catalog import copydecks, review, worker
from nb_catalog.core.types import Permission
from nb_catalog.models import Placement, ProductImage, Run
from nb_catalog.publishing import placements
from nb_catalog.testing.scripted import Script
from tests import factories
from tests.catalog.models import Mug
from tests.worker.conftest import PAID_TIERS

CHANGE = "nb_catalog.change_copydeck"


@pytest.fixture(autouse=True)
def shop(settings, db):
    settings.LANGUAGES = [("en", "English"), ("de", "German")]
    settings.NB_CATALOG = {**settings.NB_CATALOG, "LOCALES": ["en", "de"]}
    factories.layout()
    factories.scene()
    factories.deck(en={"headline": "In {colour}"}, de={"headline": "Ganz in {colour}"})


def wish(**changes):
    return {"model": "testcatalog.mug", "objects": "all", "layouts": ["banner"], **changes}


def mug_with_picture():
    mug = factories.product()
    factories.image(mug, size=(400, 500), state="approved")
    return mug


def test_layouts_say_their_roles_and_one_its_boxes(api_as):
    api = api_as()
    [row] = api.get("layouts/").json()["results"]
    assert (row["key"], row["roles"]) == ("banner", ["headline", "price"])
    assert len(api.get("layouts/banner/").json()["content"]["boxes"]) == 2
    factories.layout("broken", content={"boxes": "none"})
    assert [each["roles"] for each in api.get("layouts/").json()["results"]][1] == []


def test_a_deck_says_its_texts_and_what_is_proposed(api_as):
    deck = factories.deck()
    copydecks.save_texts(deck, {("de", "price"): "Jetzt"}, proposed_by="robot")
    found = api_as().get("decks/autumn/").json()
    assert found["texts"]["de"] == {"headline": "Ganz in {colour}"}
    assert found["proposals"] == {"de": {"price": "Jetzt"}}
    assert found["locale"] == "en" and found["version"] == deck.version


def test_texts_are_written_and_proposals_accepted(api_as):
    deck = factories.deck()
    copydecks.save_texts(deck, {("de", "price"): "Jetzt"}, proposed_by="robot")
    api = api_as(CHANGE)
    found = api.post("decks/autumn/texts/", {"texts": {"en": {"price": "Now", "headline": ""}}})
    assert found.json()["changed"] == 2 and found.json()["texts"]["en"] == {"price": "Now"}
    found = api.post("decks/autumn/accept/", {"roles": {"de": ["price", "headline"]}}).json()
    assert found["changed"] == 1 and found["proposals"] == {}
    assert deck.texts.get(locale="de", role="price").changed_by == api.user


@pytest.mark.parametrize(
    ("texts", "status", "says"),
    [
        ({"en": {"price": "{price"}}, 422, "unbalanced brace"),
        ({"en": {"price": "Hot 🔥"}}, 422, "no font draws"),
        ({"en": {"price": "\u200b"}}, 422, "no visible character"),
        ({"en": {"price": "a\x07b"}}, 422, "character 2"),
        ({"xx": {"price": "a"}}, 422, "There is no locale 'xx'"),
        ({"en": "Sale"}, 400, "dictionary"),
        ({"en": {"price": "x" * 1001}}, 400, "1000 characters"),
        ({"en": {f"r{n}": "x" for n in range(5001)}}, 400, "At most 5000 texts"),
    ],
)
def test_wrong_texts_are_refused_whole(api_as, texts, status, says):
    answer = api_as(CHANGE).post("decks/autumn/texts/", {"texts": texts})
    assert answer.status_code == status and says in answer.content.decode()
    assert factories.deck().texts.count() == 2


def test_a_plan_of_texts_is_free_and_says_what_is_missing(api_as):
    mug_with_picture()
    found = api_as(Permission.GENERATE).post("plans/texts/", wish(deck="autumn")).json()
    assert found["summary"]["wanted"] == 2 and found["is_free"] is True
    assert {(item["layout"], item["locale"]) for item in found["items"]} == {
        ("banner", "en"), ("banner", "de")
    }  # fmt: skip
    found = api_as(Permission.GENERATE).post("plans/texts/", wish(locales=["fr"])).json()
    assert "there is none in 'fr'" in found["problems"][0]["problem"]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"layouts": ["baner"]}, "Did you mean 'banner'?"),
        ({"deck": "autum"}, "Did you mean 'autumn'?"),
        ({"locales": ["xx"]}, "There is no locale 'xx'"),
        ({"model": "testcatalog.mugs"}, "testcatalog.mug"),
    ],
)
def test_a_wrong_wish_says_what_is_near(api_as, changes, says):
    answer = api_as(Permission.GENERATE).post("plans/texts/", wish(**changes))
    assert answer.status_code in (400, 404, 422) and says in answer.content.decode()


@pytest.mark.django_db(transaction=True)
def test_texts_are_started_once_made_published_and_renewed(api_as):
    mug = mug_with_picture()
    api = api_as(Permission.GENERATE)
    body = wish(deck="autumn", key="autumn-1")
    first, again = api.post("runs/texts/", body), api.post("runs/texts/", body)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["id"] == again.json()["id"]
    other = api.post("runs/texts/", {**body, "locales": ["de"]})
    assert other.status_code == 409 and "different locales" in other.content.decode()
    worker.drain()
    for job in Run.objects.get().jobs.all():
        image = job.images.get()
        review.approve(image, actor=None)
        placements.publish(image, slot="hero", locale=image.locale, actor=None)
    about = {"model": "testcatalog.mug", "objects": "all"}
    assert api.post("plans/renewal/", about).json()["summary"]["total"] == 0
    Mug.objects.filter(pk=mug.pk).update(colour="green")
    assert api.post("plans/renewal/", about).json()["summary"]["stale"] == 2
    run = api.post("runs/renewal/", about)
    assert run.status_code == 201 and Run.objects.get(pk=run.json()["id"]).jobs.count() == 2


def test_what_is_out_of_date_can_be_asked_for(api_as):
    stale, fresh = factories.published(), factories.published()
    Placement.objects.filter(pk=stale.pk).update(stale_since="2026-11-28T12:00:00Z")
    api = api_as()
    for query, wanted in (({"stale": "true"}, [stale]), ({"stale": "false"}, [fresh])):
        found = api.get("placements/", query).json()["results"]
        assert [each["id"] for each in found] == [each.pk for each in wanted]
    assert len(api.get("placements/").json()["results"]) == 2
    assert api.get(f"placements/{stale.pk}/").json()["stale_since"]
    assert api.get(f"placements/{fresh.pk}/").json()["stale_since"] is None


@pytest.fixture
def paid(settings):
    """A model beside the renderer."""
    settings.NB_CATALOG = {
        **settings.NB_CATALOG,
        "PROVIDERS": {"paid": Script().as_setting()},
        "TIERS": PAID_TIERS,
    }


@pytest.mark.django_db(transaction=True)
def test_words_are_painted_read_back_and_set_instead(api_as, paid):
    mug_with_picture()
    api = api_as(Permission.GENERATE)
    body = wish(deck="autumn", locales=["en"], text="painted", tier="draft", key="painted-1")
    found = api.post("plans/texts/", body).json()
    assert found["is_free"] is False and float(found["price_usd"]) > 0
    assert api.post("runs/texts/", {**body, "budget_usd": "1.5"}).status_code == 201
    assert Run.objects.get().budget_microusd == 1_500_000
    other = api.post("runs/texts/", {**body, "text": "set"})
    assert other.status_code == 409 and "budget_usd, text" in other.content.decode()
    worker.drain()
    [image] = api.get("images/?model=testcatalog.mug").json()["results"][:1]
    assert "ocr" in image["checks"]
    key = {"Idempotency-Key": "set-1"}
    run, replay = (api.post(f"images/{image['id']}/set-text/", **key) for _n in range(2))
    assert (run.status_code, replay.status_code) == (201, 200)
    assert run.json() == replay.json()
    worker.drain()
    assert Run.objects.get(pk=run.json()["run"]).jobs.get().images.get().locale == "en"
    again = api.post(f"images/{image['id']}/set-text/")
    assert (again.status_code, again.json()) == (200, {"run": None})
    assert Run.objects.count() == 2
    base = ProductImage.objects.get(pk=image["id"]).spec["base"]
    ProductImage.objects.filter(sha256=base).update(sha256="0" * 64)
    gone = api.post(f"images/{image['id']}/set-text/")
    assert (
        gone.status_code == 422 and "no longer exists. Generate it again." in gone.content.decode()
    )


def test_only_painted_words_are_set_instead(api_as):
    answer = api_as(Permission.GENERATE).post(f"images/{factories.image().pk}/set-text/")
    assert answer.status_code == 422 and "no text that a model painted" in answer.content.decode()


def test_a_dry_run_says_what_would_change_and_writes_nothing(api_as):
    factories.product()
    deck = factories.deck()
    api = api_as(CHANGE)
    texts = {"de-DE": {"headline": "Angebot", "headlin": "{prise}"}}
    body = {"texts": texts, "dry_run": True}
    found = api.post("decks/autumn/texts/", body).json()
    assert deck.texts.count() == 2 and not deck.imports.exists()
    assert found["changed"] == 2 and found["dry_run"] is True and found["import"] is None
    assert found["counts"] == {"new": 1, "changed": 1}
    assert {
        "locale": "de", "role": "headline", "change": "changed", "old": "Ganz in {colour}",
        "new": "Angebot", "note": "",
    } in found["changes"]  # fmt: skip
    assert any("'headline'" in each for each in found["warnings"])
    assert any("{prise}" in each for each in found["warnings"])
    written = api.post("decks/autumn/texts/", {"texts": texts}).json()
    assert written["changes"] == found["changes"] and written["warnings"] == found["warnings"]
    assert written["texts"]["de"]["headline"] == "Angebot"


def test_an_import_is_undone_through_the_api_unless_somebody_wrote_since(api_as):
    deck = factories.deck()
    api = api_as(CHANGE)
    number = api.post("decks/autumn/texts/", {"texts": {"de": {"headline": "Neu"}}}).json()[
        "import"
    ]
    found = api.post("decks/autumn/undo/", {"import": number}).json()
    assert found["texts"]["de"] == {"headline": "Ganz in {colour}"}
    number = api.post("decks/autumn/texts/", {"texts": {"de": {"headline": "Neu"}}}).json()[
        "import"
    ]
    copydecks.save_texts(deck, {("de", "headline"): "Neuer"})
    answer = api.post("decks/autumn/undo/", {"import": number})
    assert answer.status_code == 422 and "changed after the import" in answer.content.decode()
    assert api.post("decks/autumn/undo/", {"import": number + 99}).status_code == 404
    factories.deck("winter")
    assert api.post("decks/winter/undo/", {"import": number}).status_code == 404


@pytest.mark.parametrize(
    ("texts", "says"),
    [
        ({"xx": {"price": "a"}}, "There is no locale 'xx'"),
        ({"fr": {"price": "a"}}, "There is no language 'fr'. Known: de, en."),
        ({"en": {"price": "GrÃ¶ÃŸe"}}, "Größe"),
        ({"en": {"price": "#REF!"}}, "an error of a spreadsheet"),
        ({"en": {"price": "a\ufffd"}}, "U+FFFD"),
        ({"de": {"price": "a"}, "DE": {"price": "b"}}, "de price is there twice"),
    ],
)
@pytest.mark.parametrize("dry_run", [True, False])
def test_the_api_refuses_what_files_do(api_as, texts, says, dry_run):
    body = {"texts": texts, "dry_run": dry_run}
    answer = api_as(CHANGE).post("decks/autumn/texts/", body)
    assert answer.status_code == 422 and says in answer.json()["detail"]
    assert factories.deck().texts.count() == 2


def test_a_file_is_imported_through_the_api(client):
    deck = factories.deck()
    client.force_login(factories.staff(CHANGE))
    url = "/api/catalog-images/decks/autumn/file/"

    def sent(data, **more):
        file = SimpleUploadedFile("texts.csv", data)
        return client.post(url, {"file": file, **more})

    table = b"role,en,de\nheadline,In {colour},Neu\n"
    found = sent(table, dry_run="true").json()
    assert (found["counts"], found["unchanged"], found["import"]) == ({"changed": 1}, 1, None)
    assert deck.texts.get(locale="de").text == "Ganz in {colour}"
    assert sent(table).json()["texts"]["de"] == {"headline": "Neu"}
    assert deck.imports.get().origin == "texts.csv"
    refused = sent(b"role,xx\nheadline,a\n")
    assert refused.status_code == 422 and "no language 'xx'" in refused.json()["detail"]
    client.force_login(factories.staff(name="looks"))
    assert sent(table).status_code == 403
