"""Copy decks: written whole or not at all, proposals beside what people wrote."""

import pytest

from nb_catalog import copydecks
from nb_catalog.exceptions import DeckRefused
from tests import factories

pytestmark = pytest.mark.django_db


def words(deck):
    return {(text.locale, text.role): (text.text, text.proposed_by) for text in deck.texts.all()}


def test_writing_sets_what_is_given_and_leaves_the_rest():
    deck = factories.deck(en={"headline": "Sale", "badge": "New"})
    actor = factories.staff()
    assert copydecks.save_texts(deck, {("en", "headline"): " Big sale "}, actor=actor) == 1
    assert words(deck) == {("en", "headline"): ("Big sale", ""), ("en", "badge"): ("New", "")}
    assert deck.texts.get(role="headline").changed_by == actor


def test_an_empty_text_is_taken_out():
    deck = factories.deck(en={"headline": "Sale"})
    assert copydecks.save_texts(deck, {("en", "headline"): "  ", ("de", "headline"): ""}) == 1
    assert words(deck) == {}


def test_the_version_rises_with_what_can_be_shown_and_not_otherwise():
    deck = factories.deck(en={"headline": "Sale"})
    before = deck.version
    copydecks.save_texts(deck, {("en", "headline"): "Sale"})
    copydecks.save_texts(deck, {("de", "headline"): "Angebot"}, proposed_by="robot")
    assert deck.version == before
    copydecks.save_texts(deck, {("en", "headline"): "Sales"})
    assert deck.version == before + 1
    copydecks.accept_proposals(deck, [("de", "headline")], actor=None)
    assert deck.version == before + 2


def test_a_wrong_text_writes_nothing_and_all_that_is_wrong_is_said():
    deck = factories.deck(en={"headline": "Sale"})
    wrong = {
        ("en", "headline"): "Fine",
        ("en", "price"): "{price",
        ("nowhere", "badge"): "New",
        ("de", "Ro le"): "x",
        ("fr", "badge"): "x" * 1001,
    }
    with pytest.raises(DeckRefused) as caught:
        copydecks.save_texts(deck, wrong)
    assert [each.split(":")[0] for each in caught.value.objections] == [
        "en price", "nowhere badge", "de Ro le", "fr badge",
    ]  # fmt: skip
    assert words(deck) == {("en", "headline"): ("Sale", "")}


def test_a_proposal_never_replaces_what_a_person_wrote():
    deck = factories.deck(en={"headline": "Sale"})
    copydecks.save_texts(deck, {("de", "badge"): "Nue"}, proposed_by="robot")
    changed = copydecks.save_texts(
        deck,
        {("en", "headline"): "X", ("de", "badge"): "Neu", ("de", "headline"): "Angebot"},
        proposed_by="robot 2",
    )
    assert changed == 2
    assert words(deck) == {
        ("en", "headline"): ("Sale", ""),
        ("de", "badge"): ("Neu", "robot 2"),
        ("de", "headline"): ("Angebot", "robot 2"),
    }


def test_a_proposal_is_not_among_the_words_until_a_person_accepts_it():
    deck = factories.deck(en={"headline": "Sale"})
    copydecks.save_texts(
        deck, {("de", "headline"): "Angebot", ("de", "badge"): "Neu"}, proposed_by="robot"
    )
    assert deck.texts_by_locale == {"en": {"headline": "Sale"}}
    actor = factories.staff()
    cells = [("de", "headline"), ("en", "headline"), ("fr", "headline")]
    assert copydecks.accept_proposals(deck, cells, actor=actor) == 1
    assert deck.texts_by_locale == {"en": {"headline": "Sale"}, "de": {"headline": "Angebot"}}
    assert deck.texts.get(locale="de", role="headline").changed_by == actor
    assert deck.texts.get(locale="en", role="headline").changed_by is None


def test_writing_a_proposal_again_as_a_person_accepts_it():
    deck = factories.deck()
    copydecks.save_texts(deck, {("de", "headline"): "Angebot"}, proposed_by="robot")
    assert copydecks.save_texts(deck, {("de", "headline"): "Angebot"}) == 1
    assert deck.texts_by_locale == {"de": {"headline": "Angebot"}}


def test_a_hundred_texts_take_as_many_queries_as_one(django_assert_max_num_queries):
    deck = factories.deck()
    texts = {("de", f"role_{n}"): f"Text {n}" for n in range(100)}
    with django_assert_max_num_queries(10):
        assert copydecks.save_texts(deck, texts) == 100
    changed = {cell: "" if n % 2 else f"{text}!" for n, (cell, text) in enumerate(texts.items())}
    with django_assert_max_num_queries(10):
        assert copydecks.save_texts(deck, changed) == 100
    kept = {cell: text for cell, text in changed.items() if text}
    assert {(t.locale, t.role): t.text for t in deck.texts.all()} == kept
    deck.texts.update(proposed_by="A machine")
    anna = factories.staff(name="anna")
    with django_assert_max_num_queries(10):
        assert copydecks.accept_proposals(deck, list(kept), actor=anna) == 50
    assert set(deck.texts.values_list("proposed_by", "changed_by")) == {("", anna.pk)}


def test_a_proposal_with_a_broken_character_is_kept_for_a_person_to_repair():
    deck = factories.deck()
    cell = ("de", "headline")
    with pytest.raises(DeckRefused):
        copydecks.save_texts(deck, {cell: "Gr\ufffdn"})
    assert copydecks.save_texts(deck, {cell: "Gr\ufffdn"}, proposed_by="A machine") == 1
    with pytest.raises(DeckRefused, match="de headline"):
        copydecks.accept_proposals(deck, [cell], actor=None)
    assert deck.texts.get(role="headline", locale="de").proposed_by == "A machine"
