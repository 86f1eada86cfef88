"""Copy decks in the admin: the grid, proposals, files in and out."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from nb_catalog import copydecks
from nb_catalog.models import CopyDeck
from tests import factories

pytestmark = pytest.mark.django_db

ADD = "/admin/nb_catalog/copydeck/add/"
FIELDS = {"name": "Autumn", "key": "autumn", "locale": "en", "position": 0, "is_active": "on"}


@pytest.fixture(autouse=True)
def shop(settings):
    settings.NB_CATALOG = {**settings.NB_CATALOG, "LOCALES": ["en", "de", "ar"]}
    factories.layout()
    factories.product(name="Blue mug")


def page_of(deck, name="change"):
    return reverse(f"admin:nb_catalog_copydeck_{name}", args=[deck.pk])


def posted(deck=None, *, was=None, **texts):
    """What a browser posts: every cell with its text and what it was when the page was opened."""
    was = was or {}
    standing = {
        f"text-{locale}-{role}": ""
        for locale in ("en", "de", "ar")
        for role in ("headline", "price")
    } | {f"text-{t.locale}-{t.role}": t.text for t in (deck.texts.all() if deck else ())}
    fields = {
        **FIELDS,
        **standing,
        **{name.replace("__", "-"): said for name, said in texts.items()},
    }
    return fields | {f"initial-{name}": was.get(name, text) for name, text in standing.items()}


def said(answer):
    return [str(message) for message in answer.context["messages"]]


def words(deck):
    return {(text.locale, text.role): (text.text, text.proposed_by) for text in deck.texts.all()}


def test_a_new_deck_is_written_with_its_texts(root):
    answer = root.post(
        ADD, posted(text__en__headline="Sale", text__ar__price="الآن {title}"), follow=True
    )
    deck = CopyDeck.objects.get(key="autumn")
    assert words(deck) == {("en", "headline"): ("Sale", ""), ("ar", "price"): ("الآن {title}", "")}
    assert "2 texts saved." in said(answer)
    assert deck.texts.first().changed_by == factories.get_user_model().objects.get()


def test_the_page_shows_languages_roles_values_and_what_is_missing(root):
    deck = factories.deck(en={"headline": "Sale", "price": "{title}"}, ar={"headline": "عرض"})
    page = root.get(page_of(deck)).content.decode()
    for wanted in (
        '<th scope="col">headline</th>', '<code>{title}</code> <span dir="auto">Blue mug</span>',
        "1 missing", "2 missing", 'lang="ar" dir="auto" aria-label="العربية, headline"',
    ):  # fmt: skip
        assert wanted in page


def test_a_wrong_text_is_said_at_its_cell_and_nothing_is_lost(root):
    deck = factories.deck(en={"headline": "Sale"})
    answer = root.post(
        page_of(deck), posted(deck, text__en__headline="Now {price", text__de__headline="Angebot")
    )
    page = answer.content.decode()
    assert "unbalanced brace" in page and "Angebot" in page and "Now {price" in page
    assert words(deck) == {("en", "headline"): ("Sale", "")}


def test_a_value_that_no_product_has_is_warned_of(root):
    deck = factories.deck()
    answer = root.post(page_of(deck), posted(deck, text__en__headline="{titel}"), follow=True)
    assert "No product has the value {titel}. Did you mean 'title'?" in said(answer)


def test_two_people_fill_different_languages_at_once(root):
    deck = factories.deck(en={"headline": "Sale"})
    opened = posted(deck, text__de__headline="Angebot")
    copydecks.save_texts(deck, {("en", "headline"): "Big sale"})
    root.post(page_of(deck), opened)
    assert words(deck) == {
        ("en", "headline"): ("Big sale", ""), ("de", "headline"): ("Angebot", "")
    }  # fmt: skip


def test_a_proposal_is_marked_and_accepted_with_a_tick(root):
    deck = factories.deck(en={"headline": "Sale"})
    copydecks.save_texts(
        deck, {("de", "headline"): "Angebot", ("de", "price"): "x"}, proposed_by="Robot 2"
    )
    page = root.get(page_of(deck)).content.decode()
    assert page.count("Proposed by Robot 2; not used on pictures until accepted.") == 2
    root.post(page_of(deck), posted(deck, accept__de__headline="on", text__de__price="y"))
    assert words(deck)["de", "headline"] == ("Angebot", "")
    assert words(deck)["de", "price"] == ("y", "")


def test_who_may_only_look_sees_the_texts_and_no_field(client):
    deck = factories.deck(en={"headline": "Sale"})
    client.force_login(factories.staff("nb_catalog.view_copydeck"))
    page = client.get(page_of(deck)).content.decode()
    assert "Sale" in page and "<textarea" not in page
    assert client.post(page_of(deck), posted(deck)).status_code == 403
    assert client.get(page_of(deck, "files")).status_code == 200
    assert "Import a file" not in client.get(page_of(deck, "files")).content.decode()
    assert client.post(page_of(deck, "files")).status_code == 403
    client.force_login(factories.staff(views=False))
    assert client.get(page_of(deck, "files")).status_code == 403


def test_a_table_goes_out_and_comes_back(root):
    deck = factories.deck(en={"headline": "Sale"}, de={"headline": "Angebot"})
    copydecks.save_texts(deck, {("ar", "headline"): "عرض"}, proposed_by="robot")
    table = root.get(page_of(deck, "table"))
    assert table["Content-Disposition"] == 'attachment; filename="autumn.csv"'
    text = table.content.decode("utf-8-sig").replace("Angebot", "Rabatt").replace("Sale", "")
    answer = uploaded(root, deck, text.encode())
    assert said(answer) == ["2 texts changed."]
    assert words(deck) == {
        ("de", "headline"): ("Rabatt", ""), ("ar", "headline"): ("عرض", "robot")
    }  # fmt: skip


def test_a_translator_gets_a_file_and_what_comes_back_is_read(root):
    deck = factories.deck(en={"headline": "Sale", "price": "Now {title}"})
    address = reverse("admin:nb_catalog_copydeck_sheet", args=[deck.pk, "de"])
    sheet = root.get(address).content.decode()
    assert root.get(address.replace("de.xlf", "xx.xlf")).status_code == 404
    sheet = sheet.replace('<target xml:lang="de" state="needs-translation" />', "", 1)
    done = sheet.replace(
        '<target xml:lang="de" state="needs-translation" />',
        '<target state="translated">Jetzt <x id="title" equiv-text="{title}"/></target>',
    )
    assert done != sheet
    answer = uploaded(root, deck, done.encode(), name="autumn.de.xlf")
    assert said(answer) == ["1 text changed."]
    assert words(deck)["de", "price"] == ("Jetzt {title}", "")


def test_an_unsure_translation_waits_as_a_proposal(root):
    deck = factories.deck(en={"headline": "Sale"})
    sheet = root.get(reverse("admin:nb_catalog_copydeck_sheet", args=[deck.pk, "de"]))
    done = sheet.content.decode().replace(
        'state="needs-translation" />', 'state="needs-review-translation">Angebot</target>'
    )
    answer = uploaded(root, deck, done.encode())
    assert said(answer) == ["0 texts changed. 1 proposal to accept."]
    assert words(deck)["de", "headline"] == ("Angebot", "a translation file")


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"role,xx\nheadline,a", "There is no language &#x27;xx&#x27;"),
        (b"\x89PNG\r\n", "The file is not UTF-8"),
        (b"<xliff", "This is not an XLIFF document"),
        (b"role,en\nheadline,{price\nprice,}", "unbalanced brace"),
    ],
)
def test_a_wrong_file_changes_nothing_and_says_why(root, data, says):
    deck = factories.deck(en={"headline": "Sale"})
    page = uploaded(root, deck, data).content.decode()
    assert says in page and "Nothing was changed." in page
    assert words(deck) == {("en", "headline"): ("Sale", "")}


def test_no_file_and_a_huge_one_are_told(root):
    deck = factories.deck()
    assert "Choose a file first." in root.post(page_of(deck, "files")).content.decode()
    huge = b"role,en\n" + b"x" * (5 * 2**20)
    assert "larger than 5 MB" in uploaded(root, deck, huge).content.decode()


def uploaded(client, deck, data, *, name="texts.csv"):
    return client.post(
        page_of(deck, "files"), {"file": SimpleUploadedFile(name, data)}, follow=True
    )


def test_the_list_counts_languages_and_proposals(root, django_assert_max_num_queries):
    deck = factories.deck(en={"headline": "Sale"}, de={"headline": "Angebot"})
    copydecks.save_texts(deck, {("ar", "headline"): "عرض"}, proposed_by="robot")
    with django_assert_max_num_queries(8):
        page = root.get("/admin/nb_catalog/copydeck/").content.decode()
    assert '<td class="field-languages">2</td>' in page
    assert '<td class="field-proposals">1</td>' in page
    changed = {
        "form-TOTAL_FORMS": 1, "form-INITIAL_FORMS": 1, "form-0-id": deck.pk,
        "form-0-position": 7, "form-0-is_active": "on", "_save": "Save",
    }  # fmt: skip
    root.post("/admin/nb_catalog/copydeck/", changed)
    deck.refresh_from_db()
    assert deck.position == 7 and len(words(deck)) == 3


@pytest.mark.parametrize(
    ("make", "model"),
    [
        (factories.deck, "copydeck"),
        (factories.layout, "textlayout"),
        (factories.scene, "scene"),
    ],
)
def test_a_key_is_written_once_as_pictures_know_their_design_by_it(root, make, model):
    row = make()
    page = root.get(f"/admin/nb_catalog/{model}/{row.pk}/change/").content.decode()
    assert 'name="key"' not in page and row.key in page
    assert 'name="key"' in root.get(f"/admin/nb_catalog/{model}/add/").content.decode()
