"""Alternative texts: written by people, else said by product and picture, in the page's language."""

import pytest
from django.db import connection
from django.template import Context, Template
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from nb_catalog import publishing, storefront
from nb_catalog.core.types import Permission
from nb_catalog.exceptions import RequestRefused
from nb_catalog.publishing import placements
from nb_catalog.storefront import alt_text
from tests import factories

pytestmark = pytest.mark.django_db

PAGE = "/admin/nb_catalog/productimage/{}/alt/"
WORDS = {"price": "Now €12", "headline": "Autumn sale!", "badge": "New"}
LAYOUT = {
    "boxes": [
        {"role": role, "place": {"start": 0, "top": top, "width": 1, "height": 0.1}}
        for role, top in (("price", 0.8), ("headline", 0.1), ("badge", 0.5))
    ]
}


@pytest.fixture(autouse=True)
def languages(settings):
    settings.LANGUAGES = [("en", "English"), ("de", "German"), ("ar", "Arabic")]
    settings.NB_CATALOG = {**settings.NB_CATALOG, "LOCALES": ["en", "de", "ar"]}


@pytest.fixture
def root(client):
    client.force_login(factories.superuser())
    return client


def with_words(mug, **fields):
    asked = factories.spec(mug, renderer={"texts": WORDS, "layout": LAYOUT}, locale="en")
    return factories.image(mug, asked=asked, state="approved", **fields)


def shown(mug, locale="en"):
    return storefront.picture_for(mug, "hero", locale=locale).alt


def test_words_on_a_picture_are_said_from_top_to_bottom():
    assert alt_text.overlay_text(with_words(factories.product())) == "Autumn sale! New. Now €12"
    assert alt_text.overlay_text(factories.image()) == ""


def test_a_page_says_the_product_and_the_words_on_its_picture():
    mug = factories.product(name="Blue mug")
    placements.publish(with_words(mug), slot="hero", actor=None)
    assert shown(mug) == "Blue mug. Autumn sale! New. Now €12"
    factories.published(mug, slot="hero")
    assert shown(mug) == "Blue mug"


def test_what_a_person_wrote_wins_in_its_language_and_its_stand_ins(settings):
    mug = factories.product(name="Blue mug")
    placement = factories.published(mug)
    publishing.set_alt_texts(placement.image, {"en": "A mug", "de": "Ein  Becher\n"}, actor=None)
    assert shown(mug) == "A mug"
    assert shown(mug, "de") == shown(mug, "de-at") == "Ein Becher"
    assert shown(mug, "ar") == "Blue mug"
    settings.NB_CATALOG = {**settings.NB_CATALOG, "LOCALE_FALLBACKS": {"ar": ["en"]}}
    assert shown(mug, "ar") == "A mug"
    [picture] = storefront.pictures_for(mug, "hero", locale="de")
    assert picture.alt == "Ein Becher"
    with translation.override("de"):
        html = Template('{% load nb_catalog %}{% catalog_picture mug "hero" %}').render(
            Context({"mug": mug})
        )
    assert 'alt="Ein Becher"' in html


def test_a_page_of_many_is_still_one_query():
    mugs = [factories.published(factories.product()) for _ in range(3)]
    publishing.set_alt_texts(mugs[0].image, {"en": "A mug"}, actor=None)
    products = [each.catalog_object for each in mugs]
    with CaptureQueriesContext(connection) as caught:
        found = storefront.prefetch_catalog_images(products, locale="en")
        assert [shown(mug) for mug in found][0] == "A mug"
    assert len(caught) == 1


def test_writing_counts_changes_and_an_empty_text_is_taken_out():
    image, actor = factories.image(), factories.staff()
    assert publishing.set_alt_texts(image, {"en": "A mug", "de": ""}, actor=actor) == 1
    assert publishing.set_alt_texts(image, {"en": "A mug"}, actor=None) == 0
    assert image.alts.get().changed_by == actor
    assert publishing.set_alt_texts(image, {"en": " "}, actor=None) == 1
    assert not image.alts.exists()


def test_wrong_texts_write_nothing_and_all_is_said():
    image = factories.image()
    with pytest.raises(RequestRefused) as caught:
        publishing.set_alt_texts(image, {"en": "fine", "xx": "a", "de": "x" * 501}, actor=None)
    assert len(caught.value.objections) == 2 and "501 characters" in str(caught.value)
    assert not image.alts.exists()


def test_a_suggestion_has_facts_and_scene_where_their_language_is_spoken():
    factories.scene("oak", name="Oak table")
    mug = factories.product(name="Blue mug", colour="sea blue")
    image = factories.image(mug, asked=factories.spec(mug, scene="oak"))
    assert alt_text.suggestion(mug, image, locale="en") == "Blue mug, sea blue, Oak table"
    assert alt_text.suggestion(mug, image, locale="de") == "Blue mug"


def test_the_page_writes_them_and_shows_what_the_shop_says_itself(root):
    mug = factories.product(name="Blue mug", colour="sea blue")
    image = factories.image(mug)
    page = root.get(PAGE.format(image.pk)).content.decode()
    assert page.count('placeholder="Blue mug"') == 3
    assert '<span lang="en" dir="auto">Blue mug, sea blue</span>' in page
    answer = root.post(PAGE.format(image.pk), {"alt-de": "Ein Becher", "alt-en": ""}, follow=True)
    assert "1 text saved." in answer.content.decode()
    assert dict(image.alts.values_list("locale", "text")) == {"de": "Ein Becher"}
    answer = root.post(PAGE.format(image.pk), {"alt-de": "x" * 501})
    page = answer.content.decode()
    assert "501 characters" in page and "x" * 501 in page
    assert image.alts.get().text == "Ein Becher"


def test_a_picture_with_words_is_described_in_its_own_language(root):
    image = with_words(factories.product(), locale="de")
    page = root.get(PAGE.format(image.pk)).content.decode()
    assert 'name="alt-de"' in page and 'name="alt-en"' not in page


def test_who_may_not_review_reads_only(client):
    image = factories.image()
    client.force_login(factories.staff())
    page = client.get(PAGE.format(image.pk)).content.decode()
    assert "readonly" in page and ">Save<" not in page
    assert client.post(PAGE.format(image.pk), {"alt-en": "x"}).status_code == 403
    client.force_login(factories.staff(Permission.REVIEW, views=False))
    assert client.get(PAGE.format(image.pk)).status_code == 403


def test_the_api_writes_and_tells_them(client):
    mug = factories.product(name="Blue mug")
    placement = factories.published(mug)
    client.force_login(factories.staff(Permission.REVIEW))
    address = f"/api/catalog-images/images/{placement.image_id}/"
    body = {"texts": {"de": "Ein Becher"}}
    answer = client.post(f"{address}alt/", body, content_type="application/json")
    assert answer.json() == {"alt": {"de": "Ein Becher"}, "changed": 1}
    assert client.get(address).json()["alt"] == {"de": "Ein Becher"}
    listed = client.get("/api/catalog-images/placements/", {"locale": "de"}).json()["results"]
    assert listed[0]["alt"] == "Ein Becher"
    listed = client.get("/api/catalog-images/placements/", {"locale": "en"}).json()["results"]
    assert listed[0]["alt"] == "Blue mug"
    wrong = client.post(f"{address}alt/", {"texts": {"xx": "a"}}, content_type="application/json")
    assert wrong.status_code == 422
