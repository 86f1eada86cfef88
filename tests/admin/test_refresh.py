"""Published pictures that are out of date: noticed where something changes, redone with a click."""

import json
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.urls import reverse

from nb_catalog import copydecks, generation, review, worker
from nb_catalog.generation import runs
from nb_catalog.models import CatalogEvent, Placement, Run, TextLayout
from nb_catalog.publishing import placements, staleness
from tests import factories
from tests.admin.test_decks import page_of, posted
from tests.admin.test_scenes import change
from tests.catalog.catalog_images import MugSource

pytestmark = pytest.mark.django_db(transaction=True)

LIST = "/admin/nb_catalog/placement/"
RENEW = "/admin/nb_catalog/placement/renew/"
SMALL = {"RENDITION_WIDTHS": [320], "RENDITION_FORMATS": ["jpeg"]}
DECK = {"en": {"headline": "In {colour}"}, "de": {"headline": "In {colour}!"}}


@pytest.fixture
def mugs(settings):
    """Two mugs whose colours are published in two languages."""
    settings.LANGUAGES = [("en", "English"), ("de", "German")]
    settings.NB_CATALOG = {**settings.NB_CATALOG, "LOCALES": ["en", "de"], **SMALL}
    factories.layout()
    factories.deck(**DECK)
    found = [factories.product() for _ in range(2)]
    for mug in found:
        factories.image(mug, size=(400, 500), state="approved")
    publish(generation.plan_texts(found, layouts=["banner"], deck="autumn"))
    return found


def publish(plan):
    made(runs.start_run(plan))


def made(run):
    worker.drain()
    for job in run.jobs.all():
        image = job.images.get()
        review.approve(image, actor=None)
        placements.publish(image, slot="hero", locale=image.locale, actor=None)


def saved(client, mug, **changes):
    """The page after a product was saved in the shop's own admin."""
    url = reverse("admin:testcatalog_mug_change", args=[mug.pk])
    return client.post(url, {"name": mug.name, "colour": mug.colour, **changes}, follow=True)


def said(answer):
    return [str(message) for message in answer.context["messages"]]


def stale():
    return set(
        Placement.objects.exclude(stale_since=None).values_list("object_id", "locale")
    )  # fmt: skip


def test_saving_a_product_says_what_is_out_of_date_and_one_click_redoes_exactly_that(root, mugs):
    assert not any("outdated" in each for each in said(saved(root, mugs[0])))
    answer = saved(root, mugs[0], colour="green")
    [sentence] = [each for each in said(answer) if "outdated" in each]
    assert sentence.startswith("2 published pictures show outdated text.")
    assert stale() == {(str(mugs[0].pk), "en"), (str(mugs[0].pk), "de")}
    listed = root.get(re.search(r'href="([^"]+)"', sentence)[1].replace("&amp;", "&"))
    page = listed.content.decode()
    assert "Regenerate outdated pictures" in page and page.count("field-out_of_date") == 2
    answer = root.post(RENEW, {"key": mugs[0].pk})
    run = Run.objects.latest("pk")
    assert answer.url.endswith(f"/run/{run.pk}/change/")
    assert sorted(job.spec["locale"] for job in run.jobs.all()) == ["de", "en"]
    assert {job.object_id for job in run.jobs.all()} == {str(mugs[0].pk)}
    made(run)
    assert stale() == set()
    assert "Regenerate outdated pictures" not in root.get(LIST).content.decode()


def test_words_that_break_do_not_keep_a_product_from_being_saved(root, mugs, monkeypatch):
    monkeypatch.setattr(MugSource, "values", lambda self, mug, locale: 1 / 0)
    answer = saved(root, mugs[0], colour="green")
    assert any("could not be checked" in each for each in said(answer))
    mugs[0].refresh_from_db()
    assert mugs[0].colour == "green" and stale() == set()


def test_what_is_redone_already_is_not_made_again(root, mugs):
    saved(root, mugs[0], colour="green")
    root.post(RENEW)
    worker.drain()
    before = Run.objects.count()
    page = root.post(RENEW, follow=True)
    assert "have already been regenerated" in said(page)[-1]
    assert Run.objects.count() == before


def test_the_action_on_products_looks_first(root, mugs):
    mugs[1].__class__.objects.filter(pk=mugs[1].pk).update(colour="red")
    url = reverse("admin:testcatalog_mug_changelist")
    chosen = {"action": "renew_catalog_pictures", "_selected_action": [mugs[0].pk]}
    assert "No published pictures are out of date." in said(root.post(url, chosen, follow=True))
    chosen["_selected_action"] = [mug.pk for mug in mugs]
    answer = root.post(url, chosen)
    assert answer.url.endswith(f"/run/{Run.objects.latest('pk').pk}/change/")
    assert stale() == {(str(mugs[1].pk), "en"), (str(mugs[1].pk), "de")}


def test_a_changed_text_of_a_deck_is_told_on_its_page(root, mugs):
    deck = factories.deck()
    answer = root.post(page_of(deck), posted(deck, text__de__headline="Nur {colour}"), follow=True)
    assert any(each.startswith("2 published pictures show outdated") for each in said(answer))
    assert {locale for _key, locale in stale()} == {"de"}


def test_a_changed_layout_is_told_on_its_page(root, mugs):
    row = TextLayout.objects.get(key="banner")
    row.content["boxes"][0]["colour"] = "#ffe0a0"
    fields = {"name": row.name, "key": row.key, "position": 0, "is_active": "on"}
    url = reverse("admin:nb_catalog_textlayout_change", args=[row.pk])

    answer = root.post(url, {**fields, "content": json.dumps(row.content)}, follow=True)
    assert any(each.startswith("4 published pictures show outdated") for each in said(answer))
    assert len(stale()) == 4


def of_layout(root, row, face):
    """The layout with another colour, saved on its page or over REST."""
    row.content["boxes"][0]["colour"] = "#ffe0a0"
    if face == "rest":
        url = f"/api/catalog-images/layouts/{row.key}/"
        return root.patch(url, {"content": row.content}, content_type="application/json").json()
    fields = {"name": row.name, "key": row.key, "position": 0, "is_active": "on"}
    url = reverse("admin:nb_catalog_textlayout_change", args=[row.pk])
    return root.post(url, {**fields, "content": json.dumps(row.content)})


def of_scene(root, row, face):
    """The scene with another prompt and recipe."""
    changes = {"prompt": "Oak.", "renderer": {"surface": {"kind": "oak"}}}
    if face == "rest":
        url = f"/api/catalog-images/scenes/{row.key}/"
        return root.patch(url, changes, content_type="application/json").json()
    return change(root, row, prompt="Oak.", renderer=json.dumps(changes["renderer"]))


@pytest.mark.parametrize("face", ["admin", "rest"])
def test_a_changed_design_marks_the_same_on_both_faces(root, mugs, face):
    row, scene = TextLayout.objects.get(key="banner"), factories.scene("marble")
    versions = (row.version, scene.version)
    of_scene(root, scene, face)
    assert stale() == set(), "the text on pictures of a scene is as it was"
    answer = of_layout(root, row, face)
    assert stale() == {(str(mug.pk), locale) for mug in mugs for locale in ("en", "de")}
    assert CatalogEvent.objects.filter(event="picture.stale").count() == 4
    assert face == "admin" or answer["stale"] == 4
    for each, before in zip((row, scene), versions, strict=True):
        each.refresh_from_db()
        assert each.version == before + 1


def test_another_name_of_a_layout_looks_at_no_picture(root, mugs):
    type(mugs[0]).objects.update(colour="green")
    url = "/api/catalog-images/layouts/banner/"
    found = root.patch(url, {"name": "Other"}, content_type="application/json").json()
    assert (found["name"], found["stale"], stale()) == ("Other", 0, set())


@pytest.mark.parametrize("face", ["admin", "rest"])
def test_many_pictures_of_a_layout_are_left_to_the_command(root, mugs, monkeypatch, face):
    monkeypatch.setattr(staleness, "MAX_CHECKED", 3)
    answer = of_layout(root, TextLayout.objects.get(key="banner"), face)
    assert stale() == set() and (face == "admin" or answer["stale"] is None)


def test_many_pictures_are_left_to_the_command(root, mugs, monkeypatch):
    monkeypatch.setattr(staleness, "MAX_CHECKED", 3)
    deck = factories.deck()
    answer = root.post(page_of(deck), posted(deck, text__en__headline="Only {colour}"), follow=True)
    assert any("Run manage.py nb_stale" in each for each in said(answer))
    assert stale() == set()


def test_who_may_not_generate_redoes_nothing(client, mugs):
    saved_as = factories.superuser()
    client.force_login(saved_as)
    saved(client, mugs[0], colour="green")
    client.force_login(factories.staff())
    page = client.get(LIST, {"is_stale": "yes"}).content.decode()
    assert page.count("field-out_of_date") == 2 and "Regenerate outdated pictures" not in page
    assert client.post(RENEW).status_code == 403
    assert client.get(LIST, {"is_stale": "no"}).content.decode().count("field-out_of_date") == 2


def test_the_command_marks_and_with_redo_makes(mugs, capsys):
    call_command("nb_stale")
    assert "0 published pictures are out of date." in capsys.readouterr().out
    copydecks.save_texts(factories.deck(), {("en", "headline"): "Only {colour}"})
    before = Run.objects.count()
    call_command("nb_stale")
    told = capsys.readouterr().out
    assert "2 published pictures are out of date." in told and f"hero {mugs[0].pk}  en" in told
    assert Run.objects.count() == before
    call_command("nb_stale", "--redo")
    assert "Started run" in capsys.readouterr().out
    assert Run.objects.latest("pk").jobs.count() == 2


def test_a_file_that_changes_texts_marks_what_is_published(root, mugs):
    deck = factories.deck()
    table = SimpleUploadedFile("a.csv", b"role,en\nheadline,All in {colour}\n")
    preview = root.post(page_of(deck, "files"), {"file": table}, follow=True)
    assert not Placement.objects.exclude(stale_since=None).exists()
    address = preview.redirect_chain[-1][0]
    answer = root.post(address, {"apply": ""}, follow=True)
    assert any("2 published pictures show outdated text." in each for each in said(answer))
    stale = Placement.objects.exclude(stale_since=None)
    assert set(stale.values_list("locale", flat=True)) == {"en"}
    root.post(address, {"undo": ""})
    assert not Placement.objects.exclude(stale_since=None).exists()


def test_texts_that_the_api_changes_mark_what_is_published(root, mugs):
    url = "/api/catalog-images/decks/autumn/texts/"
    texts = {"texts": {"en": {"headline": "All in {colour}"}}}

    def sent(**more):
        return root.post(url, {**texts, **more}, content_type="application/json").json()["stale"]

    assert (sent(dry_run=True), sent(), sent()) == (None, 2, None)
    assert Placement.objects.exclude(stale_since=None).count() == 2
    stale = CatalogEvent.objects.filter(event="picture.stale")
    assert stale.count() == 2, "each becomes stale once, however often it is looked at"


def test_a_translator_is_shown_a_published_picture_with_the_text(root, mugs):
    deck = factories.deck()
    address = reverse("admin:nb_catalog_copydeck_sheet", args=[deck.pk, "de"])
    shown = Placement.objects.filter(locale="en").latest("published_at").picture_data["src"]
    assert f">http://testserver{shown}</context>" in root.get(address).content.decode()
