"""Scenes, layouts and decks written over REST: with the sentences of the admin's forms, and as files."""

import io
import json
import zipfile

import pytest

from nb_catalog.core.types import Permission
from nb_catalog.models import CopyDeck, Scene, TextLayout
from tests import factories
from tests.api.conftest import BASE

pytestmark = pytest.mark.django_db

ALL = tuple(
    f"nb_catalog.{verb}_{name}"
    for name in ("scene", "textlayout", "copydeck")
    for verb in ("add", "change", "delete")
)


@pytest.fixture
def api(api_as):
    return api_as(*ALL)


def upload(api, path, data, **fields):
    file = io.BytesIO(data)
    file.name = "upload"
    return api.client.post(BASE + path, {"file": file, **fields})


def test_a_scene_is_added_changed_copied_and_deleted(api):
    made = api.post("scenes/", {"key": "oak", "name": "Oak", "prompt": "A table of oak."})
    assert made.status_code == 201, made.content
    assert (made.json()["key"], made.json()["version"]) == ("oak", 1)
    changed = api.patch("scenes/oak/", {"prompt": "Oak in morning light."}, if_match="*").json()
    assert (changed["prompt"], changed["version"]) == ("Oak in morning light.", 2)
    copy = api.post("scenes/", {"key": "oak-2", "name": "Copy", "copy_of": "oak"}).json()
    assert (copy["prompt"], copy["version"]) == ("Oak in morning light.", 1)
    assert api.delete("scenes/oak/").status_code == 204
    assert [each.key for each in Scene.objects.all()] == ["oak-2"]


@pytest.mark.parametrize(
    ("body", "field", "sentence"),
    [({"prompt": ""}, "prompt", "Describe the scene"), ({"key": "marble"}, "key", "already exists"),
     ({"renderer": {"surfase": {}}}, "renderer", "surface"), ({"place": {"x": 0.5}}, "place", "no photo"),
     ({"promt": "Oak"}, "promt", "prompt"), ({"position": -1}, "position", "0")],
)  # fmt: skip
def test_a_scene_that_cannot_be_is_refused_with_the_reason(api, body, field, sentence):
    factories.scene("marble")
    refused = api.post("scenes/", {"key": "oak", "name": "Oak", "prompt": "Oak.", **body})
    assert refused.status_code == 400, refused.content
    assert sentence in str(refused.json()["errors"][field])
    assert Scene.objects.count() == 1


def test_two_people_do_not_overwrite_each_other(api):
    factories.scene("marble")
    seen = api.get("scenes/marble/")["ETag"]
    assert api.patch("scenes/marble/", {"name": "White marble"}, if_match=seen).status_code == 200
    late = api.patch("scenes/marble/", {"name": "Black marble"}, if_match=seen)
    assert late.status_code == 412 and Scene.objects.get().name == "White marble"
    assert api.patch("scenes/marble/", {"key": "granite"}).status_code == 400


def test_scenes_go_out_as_a_file_and_come_back(api):
    factories.scene("marble", prompt="Marble.")
    data = api.get("scenes/file/").content
    assert (
        json.loads(zipfile.ZipFile(io.BytesIO(data)).read("scenes.json"))["scenes"][0]["key"]
        == "marble"
    )
    api.patch("scenes/marble/", {"prompt": "Granite."})
    preview = upload(api, "scenes/file/", data, dry_run="true", on_collision="replace")
    assert preview.status_code == 200, preview.content
    [change] = preview.json()["changes"]
    assert (change["action"], change["differences"]) == ("replace", ["prompt"])
    assert Scene.objects.get().prompt == "Granite."
    assert upload(api, "scenes/file/", data).json()["changes"][0]["action"] == "skip"
    upload(api, "scenes/file/", data, on_collision="replace")
    assert Scene.objects.get().prompt == "Marble."
    refused = upload(api, "scenes/file/", b"no scenes")
    assert refused.status_code == 422 and refused.json()["objections"]


def test_a_layout_is_validated_by_its_own_rules_and_kept_while_it_is_used(api):
    content = factories.layout("banner").content
    made = api.post("layouts/", {"key": "sale", "name": "Sale", "content": content})
    assert made.status_code == 201 and made.json()["roles"], made.content
    wrong = api.patch("layouts/sale/", {"content": {"boxs": []}})
    assert wrong.status_code == 400 and "boxes" in str(wrong.json()["errors"]["content"])
    series = factories.series(key="autumn")
    type(series).objects.update(layout=TextLayout.objects.get(key="sale"))
    used = api.delete("layouts/sale/")
    assert used.status_code == 422 and series.name in used.json()["detail"]
    assert api.delete("layouts/banner/").status_code == 204


def test_a_deck_is_added_in_a_language_of_the_shop(api):
    made = api.post("decks/", {"key": "spring", "name": "Spring", "locale": "en"})
    assert made.status_code == 201 and made.json()["texts"] == {}, made.content
    wrong = api.post("decks/", {"key": "summer", "name": "Summer", "locale": "xx"})
    assert "en" in str(wrong.json()["errors"]["locale"])
    assert api.patch("decks/spring/", {"is_active": False}).json()["is_active"] is False
    assert api.delete("decks/spring/").status_code == 204 and not CopyDeck.objects.exists()


def test_texts_go_out_as_files_and_come_back(api):
    factories.deck("autumn", en={"headline": "Autumn"}, de={"headline": "Herbst"})
    table = api.get("decks/autumn/file/?type=csv")
    assert table["Content-Type"].startswith("text/csv") and "Herbst" in table.content.decode()
    changed = table.content.replace(b"Herbst", b"Herbstzeit")
    preview = upload(api, "decks/autumn/file/", changed, dry_run="true").json()
    assert [(each["old"], each["new"]) for each in preview["changes"]] == [("Herbst", "Herbstzeit")]
    assert b"<xliff" in api.get("decks/autumn/file/?type=xliff&locale=de").content
    for query in ("type=xliff", "type=xliff&locale=en", "type=pdf", ""):
        assert api.get(f"decks/autumn/file/?{query}").status_code == 400, query


def test_proposals_are_requested_with_a_provider_and_discarded(api, api_as):
    deck = factories.deck("autumn", en={"headline": "Autumn"})
    deck.texts.create(locale="de", role="headline", text="Fall", proposed_by="machine")
    roles = {"roles": {"de": ["headline"]}}
    assert api.post("decks/autumn/discard/", roles).json()["changed"] == 1
    assert api.get("decks/autumn/").json()["proposals"] == {}
    translator = api_as("nb_catalog.change_copydeck", Permission.GENERATE)
    assert translator.post("decks/autumn/propose/", {"locales": ["xx"]}).status_code == 400
    refused = translator.post("decks/autumn/propose/", {"locales": ["de"]})
    assert refused.status_code == 422 and "TRANSLATION_PROVIDER" in refused.json()["detail"]


def test_a_picture_says_where_its_smaller_files_are(api_as):
    api, image = api_as(), factories.published().image
    stored = [(each.format, each.width) for each in image.renditions.order_by("format", "width")]
    shown = api.get(f"images/{image.pk}/").json()["renditions"]
    assert [(each["format"], each["width"]) for each in shown] == stored and stored
    assert all(each["url"].startswith("/") and each["height"] for each in shown)
    assert api.get(f"images/{factories.image().pk}/").json()["renditions"] == []
