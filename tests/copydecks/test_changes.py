"""The one way of texts into a deck: checked, previewed, applied, undone."""

import pytest

from nb_catalog import copydecks
from nb_catalog.copydecks import changes
from nb_catalog.copydecks.text_checks import text_warnings
from nb_catalog.copydecks.types import ChangeKind, DeckTexts
from nb_catalog.copydecks.validation import text_problems
from nb_catalog.exceptions import DeckRefused
from nb_catalog.models import DeckImport
from tests import factories

pytestmark = pytest.mark.django_db


def words(deck):
    return {(t.locale, t.role, bool(t.proposed_by)): t.text for t in deck.texts.all()}


def brought(deck, *, origin="a.csv", actor=None, **fields):
    return copydecks.import_texts(deck, DeckTexts(**fields), origin=origin, actor=actor)


def test_a_preview_says_what_would_happen_to_each_cell_and_writes_nothing():
    deck = factories.deck(en={"headline": "Sale", "badge": "New", "price": "5"})
    before = words(deck)
    plan = copydecks.plan_changes(
        deck,
        DeckTexts(
            texts={
                ("en", "headline"): "Big sale",
                ("en", "badge"): "",
                ("en", "price"): "5",
                ("de", "headline"): "Angebot",
            },
            proposals={("de", "badge"): "Neu"},
            tool="robot",
        ),
    )
    assert {each.cell: (each.kind, each.old, each.new) for each in plan.changes} == {
        ("en", "headline"): (ChangeKind.CHANGED, "Sale", "Big sale"),
        ("en", "badge"): (ChangeKind.DELETED, "New", ""),
        ("de", "headline"): (ChangeKind.NEW, "", "Angebot"),
        ("de", "badge"): (ChangeKind.PROPOSED, "", "Neu"),
    }
    assert plan.counts == {"new": 1, "changed": 1, "deleted": 1, "proposed": 1}
    assert (plan.unchanged, words(deck)) == (1, before)


def test_an_import_is_undone_with_one_click_and_only_its_own_cells():
    deck = factories.deck(en={"headline": "Sale", "badge": "New"})
    copydecks.save_texts(deck, {("de", "badge"): "Nue"}, proposed_by="robot")
    before, version = words(deck), deck.version
    anna = factories.staff(name="anna")
    texts = {("en", "headline"): "", ("de", "badge"): "Neu", ("de", "headline"): "Angebot"}
    _plan, record = brought(deck, texts=texts, actor=anna)
    copydecks.save_texts(deck, {("en", "badge"): "Brand new"})
    copydecks.undo_import(record, actor=anna)
    assert words(deck) == {**before, ("en", "badge", False): "Brand new"}
    assert (record.actor, record.undone_by) == (anna, anna)
    deck.refresh_from_db()
    assert deck.version == version + 3
    assert deck.texts.get(proposed_by="robot").text == "Nue"
    with pytest.raises(DeckRefused, match="undone already"):
        copydecks.undo_import(record, actor=anna)


def test_what_somebody_changed_since_is_neither_overwritten_nor_undone():
    deck = factories.deck(en={"headline": "Sale"})
    incoming = DeckTexts(texts={("en", "headline"): "Big sale", ("en", "badge"): "New"})
    preview = changes.keep_preview(
        deck, copydecks.plan_changes(deck, incoming), origin="a.csv", actor=None
    )
    copydecks.save_texts(deck, {("en", "headline"): "Other"})
    with pytest.raises(DeckRefused, match="en headline changed since the preview"):
        copydecks.apply_import(preview, actor=None)
    assert words(deck) == {("en", "headline", False): "Other"}
    preview.refresh_from_db()
    assert preview.applied_at is None
    _plan, record = brought(deck, texts=incoming.texts)
    copydecks.save_texts(deck, {("en", "badge"): "Newer"})
    with pytest.raises(DeckRefused, match="en badge changed after the import"):
        copydecks.undo_import(record, actor=None)
    assert words(deck)["en", "headline", False] == "Big sale"


def test_a_preview_is_applied_once():
    deck = factories.deck(en={"headline": "Sale"})
    plan = copydecks.plan_changes(deck, DeckTexts(texts={("en", "badge"): "New"}))
    record = changes.keep_preview(deck, plan, origin="a.csv", actor=None)
    copydecks.apply_import(record, actor=None)
    with pytest.raises(DeckRefused, match="applied already"):
        copydecks.apply_import(record, actor=None)


def test_only_the_latest_imports_and_previews_of_a_deck_are_kept(monkeypatch):
    monkeypatch.setattr(changes, "KEPT", 3)
    monkeypatch.setattr(changes, "KEPT_PREVIEWS", 2)
    deck, other = factories.deck(), factories.deck("winter")
    brought(other, texts={("en", "badge"): "x"})
    records = [brought(deck, texts={("en", "badge"): f"New {n}"})[1].pk for n in range(5)]
    plan = copydecks.plan_changes(deck, DeckTexts(texts={("en", "badge"): "Other"}))
    previews = [changes.keep_preview(deck, plan, origin="a", actor=None).pk for _number in range(4)]
    assert list(deck.imports.values_list("pk", flat=True)) == [*previews[:1:-1], *records[:1:-1]]
    assert DeckImport.objects.filter(deck=other).count() == 1


def test_a_proposal_of_a_file_waits_beside_the_text_that_it_would_replace():
    deck = factories.deck(de={"headline": "Angebot"})
    cell = ("de", "headline")
    _plan, record = brought(
        deck, proposals={cell: "Aktion"}, notes={cell: "The source changed."}, tool="Tool 5"
    )
    assert words(deck) == {("de", "headline", False): "Angebot", ("de", "headline", True): "Aktion"}
    assert deck.texts_by_locale == {"de": {"headline": "Angebot"}}
    assert deck.texts.get(proposed_by="Tool 5").note == "The source changed."
    assert copydecks.accept_proposals(deck, [cell], actor=None) == 1
    assert words(deck) == {("de", "headline", False): "Aktion"}
    with pytest.raises(DeckRefused, match="changed after the import"):
        copydecks.undo_import(record, actor=None)
    brought(deck, proposals={cell: "Sonderaktion"})
    assert copydecks.discard_proposals(deck, [cell], actor=None) == 1
    assert words(deck) == {("de", "headline", False): "Aktion"}


def test_a_machine_proposes_nothing_beside_a_text():
    deck = factories.deck(de={"headline": "Angebot"})
    assert copydecks.save_texts(deck, {("de", "headline"): "X"}, proposed_by="robot") == 0


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("GrÃ¶ÃŸe", "'Größe' is meant"),
        ("Jetzt 1,50 â‚¬", "'Jetzt 1,50 €' is meant"),
        ("РџСЂРёРІРµС‚", "'Привет' is meant"),
        ("Gr\ufffd\ufffde", "U+FFFD REPLACEMENT CHARACTER is left over from a failed conversion"),
        ("a\0b", "character 2 (after “a”): U+0000 without a name is a control character"),
        ("a\x0bb", "U+000B without a name is a control character"),
        ("a\ud800", "is not a character"),
        ("\u200b\u200d", "it has no visible character"),
        ("a\u2028b", "U+2028 LINE SEPARATOR is a control character"),
        ("#NAME?", "is an error of a spreadsheet"),
        ("#REF!", "is an error of a spreadsheet"),
        ("#WERT!", "is an error of a spreadsheet"),
        ("#N/A", "is an error of a spreadsheet"),
        ("Err:502", "is an error of a spreadsheet"),
        ("########", "is an error of a spreadsheet"),
        ("Now {price", "unbalanced brace"),
        ("x" * 1001, "1001 characters; at most 1000"),
    ],
)
def test_what_cannot_be_meant_is_refused_whoever_brings_it(text, says):
    assert any(says in each for each in text_problems(text, locale="en"))
    deck = factories.deck()
    # A model's proposal with a broken character is paid for: it is shown for a person to repair.
    by_a_model = () if "\ufffd" in text else (
        lambda: copydecks.save_texts(deck, {("en", "headline"): text}, proposed_by="robot"),
    )  # fmt: skip
    for write in (
        *by_a_model,
        lambda: copydecks.save_texts(deck, {("en", "headline"): text}),
        lambda: brought(deck, texts={("en", "headline"): text}),
        lambda: brought(deck, proposals={("en", "headline"): text}),
    ):
        with pytest.raises(DeckRefused) as caught:
            write()
        assert says in str(caught.value)
    assert words(deck) == {}


@pytest.mark.parametrize(
    "text",
    [
        "Größe", "São Paulo", "À la carte – 20 €", "#SALE!", "#1", "# neu", "C#", "-30 %", "=x",
        "'-tis", "@home", "+1", "L’été, c’est « fou »", "IRMÃ", "„Größe“", "20\u00a0€", "<3", "A & B",
        "کوله\u200cپشتی", "Fünf {{5}} für {price}", "naïve café", "ÄÖÜ ß", "¡Rebajas!", "two\nlines",
    ],
)  # fmt: skip
def test_what_can_be_meant_is_taken_without_a_word(text):
    assert [*text_problems(text, locale="en"), *text_warnings(text)] == []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("<b>Sale</b>", "'<b>' looks like HTML"),
        ("Fish &amp; Chips", "'&amp;' looks like HTML"),
        ("=SUM(A1:A3)", "begins like a formula"),
        ("IRMÃ»", "wrong encoding"),
    ],
)
def test_what_is_probably_a_mistake_is_warned_of(text, says):
    assert text_problems(text, locale="en") == []
    assert says in next(text_warnings(text))


def test_misspelt_values_and_roles_are_warned_of_with_the_nearest():
    factories.layout()
    factories.product(name="Mug")
    deck = factories.deck(en={"badge": "New"})
    texts = {
        ("en", "headlin"): "Sale", ("en", "price"): "{titel} now", ("en", "badge"): "Newer",
        ("de", "price"): "{titel} jetzt",
    }  # fmt: skip
    plan, _record = brought(deck, texts=texts)
    assert plan.warnings == (
        "No layout has a box for “headlin”. Did you mean 'headline'?",
        "No product has the value {titel}. Did you mean 'title'?",
    )


def test_a_text_that_is_there_already_is_not_checked_again():
    deck = factories.deck(en={"headline": "Sale"})
    deck.texts.update(text="GrÃ¶ÃŸe")
    plan, record = brought(deck, texts={("en", "headline"): "GrÃ¶ÃŸe"})
    assert (len(plan), plan.unchanged, record) == (0, 1, None)


def test_an_import_takes_as_many_queries_for_a_hundred_texts_as_for_one(
    django_assert_max_num_queries,
):
    factories.layout()
    deck = factories.deck()
    texts = {("de", f"role_{n}"): f"Text {n}" for n in range(100)}
    with django_assert_max_num_queries(20):
        _plan, record = brought(deck, texts=texts)
    with django_assert_max_num_queries(20):
        copydecks.undo_import(record, actor=None)
    assert words(deck) == {}
