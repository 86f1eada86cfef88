"""Copy decks in the admin: the grid, proposals, files in and out."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from nb_catalog import copydecks
from nb_catalog.copydecks.types import DeckTexts
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


@pytest.mark.parametrize("text", ["Hot 🔥", "\u200b", "a\x07b"])
def test_what_no_picture_can_show_is_refused_at_its_cell(root, text):
    deck = factories.deck(en={"headline": "Sale", "price": "Now"})
    page = root.post(page_of(deck), posted(deck, text__en__headline=text, text__en__price="Then"))
    [name] = page.context["adminform"].form.errors
    assert name == "text-en-headline"
    assert words(deck)["en", "price"] == ("Now", ""), "nothing is written"


def test_an_old_text_that_would_be_refused_today_keeps_no_other_from_being_saved(root):
    deck = factories.deck(en={"headline": "Sale", "price": "Now"})
    deck.texts.filter(role="headline").update(text="Hot 🔥")
    root.post(page_of(deck), posted(deck, text__en__price="Then"))
    assert words(deck)["en", "price"] == ("Then", "")


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
    answer = applied(root, uploaded(root, deck, text.encode()))
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
    answer = applied(root, uploaded(root, deck, done.encode(), name="autumn.de.xlf"))
    assert said(answer) == ["1 text changed."]
    assert words(deck)["de", "price"] == ("Jetzt {title}", "")


def test_an_unsure_translation_waits_as_a_proposal(root):
    deck = factories.deck(en={"headline": "Sale"})
    sheet = root.get(reverse("admin:nb_catalog_copydeck_sheet", args=[deck.pk, "de"]))
    done = sheet.content.decode().replace(
        'state="needs-translation" />', 'state="needs-review-translation">Angebot</target>'
    )
    answer = applied(root, uploaded(root, deck, done.encode()))
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


def applied(client, preview, *, button="apply"):
    """The page after a person has pressed a button of the page of an import."""
    return client.post(preview.redirect_chain[-1][0], {button: ""}, follow=True)


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


def test_a_file_is_shown_before_it_changes_anything_and_undone_with_one_click(root):
    factories.product(name="Mug")
    deck = factories.deck(en={"headline": "Sale", "badge": "New"})
    table = 'role,en,de\nheadline,"Big <sale>",Angebot {titel}\nbadge,,\nprise,5,\n'
    preview = uploaded(root, deck, table.encode(), name="texts of anna.csv")
    page = preview.content.decode()
    for wanted in (
        "A preview: nothing has been changed yet.", "texts of anna.csv",
        "<dt>new</dt><dd>2</dd>", "<dt>changed</dt><dd>1</dd>", "<dt>deleted</dt><dd>1</dd>",
        "<dt>unchanged</dt><dd>2</dd>", "<del>Sale</del>", "Big &lt;sale&gt;</ins>", "<del>New</del>",
        "No product has the value {titel}. Did you mean &#x27;title&#x27;?",
        "No layout has a box for “prise”. Did you mean &#x27;price&#x27;?", "Apply these changes",
    ):  # fmt: skip
        assert wanted in page
    before = {("en", "headline"): ("Sale", ""), ("en", "badge"): ("New", "")}
    assert words(deck) == before
    done = applied(root, preview)
    assert said(done) == ["4 texts changed."]
    assert words(deck)["de", "headline"] == ("Angebot {titel}", "")
    assert "Apply these changes" not in done.content.decode()
    listed = root.get(page_of(deck, "files")).content.decode()
    assert "Recent changes" in listed and "texts of anna.csv" in listed
    undone = applied(root, preview, button="undo")
    assert said(undone) == ["Undone: the texts are what they were before."]
    assert words(deck) == before
    assert ">Undo<" not in undone.content.decode()


def test_an_import_is_not_undone_where_somebody_wrote_since(root):
    deck = factories.deck(en={"headline": "Sale"})
    preview = uploaded(root, deck, b"role,en\nheadline,Big sale\n")
    applied(root, preview)
    copydecks.save_texts(deck, {("en", "headline"): "Biggest sale"})
    answer = applied(root, preview, button="undo")
    assert "en headline changed after the import" in said(answer)[0]
    assert words(deck) == {("en", "headline"): ("Biggest sale", "")}


def test_a_file_that_changes_nothing_says_so(root):
    deck = factories.deck(en={"headline": "Sale"})
    answer = uploaded(root, deck, root.get(page_of(deck, "table")).content)
    assert said(answer) == ["Nothing to change: the deck has all texts of this file already."]
    assert not deck.imports.exists()


def test_a_workbook_goes_out_and_comes_back(root):
    deck = factories.deck(en={"headline": "=Sale"})
    book = root.get(page_of(deck, "workbook"))
    assert book["Content-Disposition"] == 'attachment; filename="autumn.xlsx"'
    answer = uploaded(root, deck, book.content, name="autumn.xlsx")
    assert said(answer) == ["Nothing to change: the deck has all texts of this file already."]


def test_imports_need_the_permissions_of_the_deck(client):
    deck, other = factories.deck(en={"headline": "Sale"}), factories.deck("winter")
    texts = DeckTexts(texts={("en", "badge"): "New"})
    _plan, record = copydecks.import_texts(deck, texts, origin="a.csv", actor=None)
    address = reverse("admin:nb_catalog_copydeck_import", args=[deck.pk, record.pk])
    client.force_login(factories.staff("nb_catalog.view_copydeck"))
    assert "Undo" not in client.get(address).content.decode()
    assert client.post(address, {"undo": ""}).status_code == 403
    elsewhere = reverse("admin:nb_catalog_copydeck_import", args=[other.pk, record.pk])
    assert client.get(elsewhere).status_code == 404
    client.force_login(factories.staff(name="nobody", views=False))
    assert client.get(address).status_code == 403


@pytest.mark.parametrize(
    ("text", "says"),
    [("GrÃ¶ÃŸe", "Größe"), ("#NAME?", "an error of a spreadsheet"), ("Sale\ufffd", "U+FFFD")],
)
def test_the_form_refuses_what_files_do(root, text, says):
    deck = factories.deck()
    page = root.post(page_of(deck), posted(deck, text__en__headline=text)).content.decode()
    assert says in page and words(deck) == {}
    page = uploaded(root, deck, f"role,en\nheadline,{text}\n".encode()).content.decode()
    assert says in page and "Nothing was changed." in page


def test_what_the_form_saved_can_be_undone_too(root):
    deck = factories.deck(en={"headline": "Sale"})
    fields = posted(deck, text__en__headline="Big\r\nsale")
    answer = root.post(page_of(deck), fields, follow=True)
    record = deck.imports.get()
    address = reverse("admin:nb_catalog_copydeck_import", args=[deck.pk, record.pk])
    assert any(address in each for each in said(answer))
    assert words(deck) == {("en", "headline"): ("Big\nsale", "")}
    root.post(address, {"undo": ""})
    assert words(deck) == {("en", "headline"): ("Sale", "")}


def test_a_proposal_beside_a_text_is_shown_with_its_reason_accepted_or_discarded(root):
    deck = factories.deck(en={"headline": "Sale"}, de={"headline": "Angebot", "price": "5"})
    copydecks.import_texts(
        deck,
        DeckTexts(
            proposals={("de", "headline"): "Aktion", ("de", "price"): "6"},
            notes={("de", "headline"): "The source text has changed."},
        ),
        origin="a.xlf",
        actor=None,
    )
    page = root.get(page_of(deck)).content.decode()
    assert "Aktion" in page and "Angebot" in page and "The source text has changed." in page
    fields = posted(
        None, text__en__headline="Sale", text__de__headline="Angebot", text__de__price="5",
        accept__de__headline="on", discard__de__price="on",
    )  # fmt: skip
    shown = {name: text for name, text in fields.items() if name.startswith("text-")}
    root.post(page_of(deck), {**fields, **{f"initial-{n}": t for n, t in shown.items()}})
    assert words(deck) == {
        ("en", "headline"): ("Sale", ""), ("de", "headline"): ("Aktion", ""),
        ("de", "price"): ("5", ""),
    }  # fmt: skip


def test_a_translator_is_told_where_a_text_goes_and_what_its_values_are(root):
    deck = factories.deck(en={"headline": "In {title}", "price": "5"})
    address = reverse("admin:nb_catalog_copydeck_sheet", args=[deck.pk, "de"])
    sheet = root.get(address).content.decode()
    assert "“headline” on pictures with the layout “Banner”: at most" in sheet
    assert "For example, {title} is “Blue mug”. Values may be moved." in sheet
    assert 'maxwidth="' in sheet
