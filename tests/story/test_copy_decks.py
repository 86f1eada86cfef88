"""Words of copy decks on pictures, and what is published when they change."""

from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from nb_catalog import copydecks, generation, review, storefront
from nb_catalog.core.types import Money
from nb_catalog.exceptions import PlanRefused
from nb_catalog.models import Placement
from nb_catalog.publishing import placements, staleness
from tests import factories
from tests.catalog.catalog_images import MugSource
from tests.catalog.models import Mug
from tests.story.test_words import made, statuses, texts

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.story]

DECK = {
    "en": {"headline": "Autumn sale", "price": "Now {price}"},
    "de": {"headline": "Herbstaktion", "price": "Jetzt {price}"},
    "ar": {"headline": "عرض الخريف", "price": "الآن {price}"},
}


@pytest.fixture(autouse=True)
def prices(monkeypatch, settings):
    """Prices by product; a test may change them."""
    known = {}
    monkeypatch.setattr(
        MugSource,
        "values",
        lambda self, mug, locale: {
            "title": mug.name, "price": Money(Decimal(known.get(mug.pk, "12.50")), "EUR")
        },
    )  # fmt: skip
    settings.LANGUAGES = [("en", "English"), ("de", "German"), ("ar", "Arabic")]
    small = {"RENDITION_WIDTHS": [320], "RENDITION_FORMATS": ["jpeg"]}
    settings.NB_CATALOG = {**settings.NB_CATALOG, **small}
    return known


def with_picture(count=1):
    """Mugs with an approved picture each."""
    mugs = [factories.product() for _ in range(count)]
    for mug in mugs:
        factories.image(mug, size=(400, 500), state="approved")
    return mugs


def words_of(plan):
    return {item.spec.locale: item.spec.renderer["texts"] for item in plan.items() if item.spec}


def published(mugs, deck="autumn"):
    for mug in mugs:
        for locale, image in made(texts([mug], deck=deck)).items():
            review.approve(image, actor=None)
            placements.publish(image, slot="hero", locale=locale, actor=None)


def stale():
    return set(
        Placement.objects.exclude(stale_since=None).values_list("object_id", "locale")
    )  # fmt: skip


def test_a_deck_says_what_the_shop_does_not_with_prices_as_each_language_writes_them():
    [mug] = with_picture()
    factories.deck(**DECK)
    plan = texts([mug], deck="autumn")
    assert words_of(plan) == {
        "en": {"headline": "Autumn sale", "price": "Now €12.50"},
        "de": {"headline": "Herbstaktion", "price": "Jetzt 12,50\u00a0€"},
        "ar": {"headline": "عرض الخريف", "price": "الآن \u2068\u200f12.50\u00a0€\u2069"},
    }
    assert len(made(plan)) == 3
    assert {item.spec.deck_version for item in plan.items()} == {2}


def test_a_deck_overrides_the_shop_role_by_role(monkeypatch):
    monkeypatch.setattr(
        MugSource, "copy", lambda self, mug, locale: {"headline": "Own", "price": "own price"}
    )
    factories.deck(en={"headline": "Autumn sale"})
    [mug] = with_picture()
    assert words_of(texts([mug], ["en"], deck="autumn")) == {
        "en": {"headline": "Autumn sale", "price": "own price"}
    }
    assert words_of(texts([mug], ["en"]))["en"]["headline"] == "Own"


def test_a_text_that_cannot_be_filled_is_not_said_in_other_words(monkeypatch):
    monkeypatch.setattr(MugSource, "copy", lambda self, mug, locale: {"price": "own price"})
    factories.deck(en={"headline": "Sale", "price": "{prise}"}, de={"headline": "{title:long}"})
    [mug] = with_picture()
    problems = texts([mug], ["en", "de"], deck="autumn").summary().problems
    assert "The text 'price' in 'en': There is no value {prise}. Did you mean 'price'?" in problems
    assert any("The text 'headline' in 'de'" in each for each in problems)


def test_a_proposal_is_on_no_picture():
    deck = factories.deck(en=DECK["en"])
    copydecks.save_texts(deck, {("de", "headline"): "Herbstaktion"}, proposed_by="robot")
    [mug] = with_picture()
    plan = texts([mug], ["en", "de"], deck="autumn")
    assert statuses(plan) == ["impossible", "missing"]
    copydecks.accept_proposals(deck, [("de", "headline")], actor=None)
    assert statuses(texts([mug], ["en", "de"], deck="autumn")) == ["missing", "missing"]


def test_another_language_stands_in_only_where_settings_say_so(settings):
    factories.deck(de=DECK["de"], de_at={"headline": "Herbschtaktion"})
    [mug] = with_picture()
    assert words_of(texts([mug], ["de-at"], deck="autumn"))["de-at"] == {
        "headline": "Herbschtaktion"
    }
    settings.NB_CATALOG = {**settings.NB_CATALOG, "LOCALE_FALLBACKS": {"de-at": ["de"]}}
    assert words_of(texts([mug], ["de-at"], deck="autumn"))["de-at"] == {
        "headline": "Herbschtaktion",
        "price": "Jetzt €\u00a012,50",
    }


def test_the_shop_s_own_words_of_another_language_stand_in_too(settings, monkeypatch):
    monkeypatch.setattr(
        MugSource, "copy", lambda self, mug, locale: {"headline": "Tasse"} if locale == "de" else {}
    )
    settings.NB_CATALOG = {**settings.NB_CATALOG, "LOCALE_FALLBACKS": {"de-at": ["de"]}}
    [mug] = with_picture()
    assert words_of(texts([mug], ["de-at"]))["de-at"] == {"headline": "Tasse"}


def test_words_go_on_what_is_published_in_a_slot_and_on_nothing_else():
    mugs = with_picture(2)
    hero, _other = (
        factories.image(
            mugs[0], size=(400, 500), state="approved", asked=factories.spec(mugs[0], scene=scene)
        )
        for scene in ("oak", "sand")
    )
    placements.publish(hero, slot="hero", actor=None)
    factories.deck(**DECK)
    assert len(list(texts(mugs[:1], ["en"], deck="autumn").items())) == 3
    plan = texts(mugs, ["en"], deck="autumn", slot="hero")
    assert [item.spec and item.spec.base for item in plan.items()] == [None, hero.sha256]
    assert "Publish one there first." in next(iter(plan.summary().problems))
    image = made(plan)["en"]
    review.approve(image, actor=None)
    placements.publish(image, slot="hero", locale="en", actor=None)
    again = texts(mugs[:1], ["en"], deck="autumn", slot="hero")
    assert statuses(again) == ["present"], "not on the picture that has words already"
    with pytest.raises(PlanRefused, match="no slot 'heroe'. Did you mean 'hero'"):
        texts(mugs, slot="heroe")


def test_a_deck_that_there_is_not_is_refused_with_the_nearest():
    factories.deck("winter")
    factories.layout()
    with pytest.raises(PlanRefused, match="no copy deck 'wimter'. Did you mean 'winter'"):
        generation.plan_texts([factories.product()], layouts=["banner"], deck="wimter")


def test_two_decks_are_two_wishes_and_neither_makes_the_other_stale():
    factories.deck(**DECK)
    factories.deck("winter", en={"headline": "Winter sale"})
    [mug] = with_picture()
    made(texts([mug], ["en"], deck="autumn"))
    assert statuses(texts([mug], ["en"], deck="winter")) == ["missing"]
    made(texts([mug], ["en"], deck="winter"))
    assert statuses(texts([mug], ["en"], deck="autumn")) == ["present"]


def test_a_changed_price_marks_exactly_the_published_pictures_that_show_it(prices):
    mugs = with_picture(3)
    factories.deck(**DECK)
    published(mugs)
    assert staleness.mark_stale(mugs) == []
    prices[mugs[1].pk] = "9.90"
    assert len(staleness.mark_stale(mugs)) == 3
    assert stale() == {(str(mugs[1].pk), locale) for locale in ("en", "de", "ar")}
    since = set(Placement.objects.exclude(stale_since=None).values_list("stale_since", flat=True))
    staleness.mark_stale(mugs)
    again = set(Placement.objects.exclude(stale_since=None).values_list("stale_since", flat=True))
    assert again == since, "it says since when"
    prices[mugs[1].pk] = "12.50"
    assert staleness.mark_stale(mugs) == []
    assert stale() == set()


def test_a_renewal_makes_what_is_stale_and_nothing_else_and_publishing_it_ends_it(prices):
    mugs = with_picture(2)
    factories.deck(**DECK)
    published(mugs)
    prices[mugs[0].pk] = "9.90"
    staleness.mark_stale(mugs)
    plan = generation.plan_refresh(Mug.objects.all())
    assert statuses(plan) == ["stale"] * 3
    for locale, image in made(plan).items():
        assert image.object_id == str(mugs[0].pk)
        assert "9" in image.spec["renderer"]["texts"]["price"]
        assert storefront.picture_for(mugs[0], "hero", locale=locale).image_id != image.pk
        review.approve(image, actor=None)
        placements.publish(image, slot="hero", locale=locale, actor=None)
    assert stale() == set()
    assert staleness.mark_stale(mugs) == []
    assert statuses(generation.plan_refresh(mugs)) == []


def test_a_word_of_one_language_makes_that_language_stale():
    mugs = with_picture(2)
    deck = factories.deck(**DECK)
    published(mugs)
    copydecks.save_texts(deck, {("de", "headline"): "Herbstrabatt"})
    assert {each.locale for each in staleness.mark_stale(mugs)} == {"de"}
    assert statuses(generation.plan_refresh(mugs)) == ["stale", "stale"]


def test_words_that_are_gone_make_it_stale_with_a_reason():
    [mug] = with_picture()
    deck = factories.deck(**DECK)
    published([mug])
    copydecks.save_texts(deck, {("ar", "headline"): ""})
    assert [each.locale for each in staleness.mark_stale([mug])] == ["ar"]
    plan = generation.plan_refresh([mug])
    assert statuses(plan) == ["impossible"]
    assert "needs headline, and there is none in 'ar'" in next(iter(plan.summary().problems))


def test_pictures_without_words_are_never_stale(prices):
    factories.published(factories.product())
    assert staleness.mark_stale(list(Mug.objects.all())) == []
    assert staleness.mark_stale([]) == []


def test_looking_over_many_products_costs_no_query_more():
    mugs = with_picture(3)
    factories.deck(**DECK)
    published(mugs)

    def asked(products):
        with CaptureQueriesContext(connection) as caught:
            staleness.mark_stale(products)
        return len(caught)

    assert asked(mugs[:1]) == asked(mugs)


def test_a_layout_or_deck_that_is_gone_leaves_what_is_published_alone():
    [mug] = with_picture()
    deck = factories.deck(**DECK)
    published([mug])
    deck.delete()
    assert staleness.mark_stale([mug]) == []
