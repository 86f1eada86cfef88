"""The action "Add text to pictures…": layouts, languages, a plan, a start."""

import pytest
from django.urls import reverse

from nb_catalog import worker
from nb_catalog.models import ProductImage, Run
from tests import factories
from tests.catalog.catalog_images import MugSource

pytestmark = pytest.mark.django_db

TEXTS = "/admin/nb_catalog/run/texts/"
PLAN = "/admin/nb_catalog/run/texts/plan/"


@pytest.fixture(autouse=True)
def shop(settings, monkeypatch):
    """Says a headline in English and Arabic, and nothing in German."""
    settings.NB_CATALOG = {**settings.NB_CATALOG, "LOCALES": ["en", "de", "ar"]}
    words = {"en": {"headline": "Offer"}, "ar": {"headline": "عرض"}}
    monkeypatch.setattr(MugSource, "copy", lambda self, mug, locale: words.get(locale, {}))
    factories.layout()


def mug_with_picture():
    mug = factories.product()
    factories.image(mug, size=(400, 500), state="approved")
    return mug


def asked(mug, **wishes):
    said = {"nonce": "n1", "model": "testcatalog.mug", "key": mug.pk, "layouts": ["banner"]}
    return {**said, "locales": ["en", "ar"], **wishes}


def test_the_action_keeps_the_choice_and_leads_to_the_page(root):
    mugs = [mug_with_picture() for _ in range(2)]
    answer = root.post(
        reverse("admin:testcatalog_mug_changelist"),
        {"action": "put_text_on_pictures", "_selected_action": [mug.pk for mug in mugs]},
    )
    page = root.get(answer.url).content.decode()
    assert answer.url.startswith(TEXTS)
    assert "Add text to pictures" in page and "<strong>2 mugs</strong>" in page
    assert 'name="layouts" value="banner"' in page
    for locale in ("en", "de", "ar"):
        assert f'name="locales" value="{locale}" checked' in page


def test_the_plan_says_what_a_language_has_no_words_for(root):
    page = root.post(PLAN, asked(mug_with_picture(), locales=["en", "de", "ar"])).content.decode()
    assert "2 pictures to generate" in page and "free" in page
    assert "needs headline, and there is none in &#x27;de&#x27;" in page


@pytest.mark.django_db(transaction=True)
def test_starting_makes_a_picture_in_each_language_and_only_once(root):
    mug = mug_with_picture()
    for _ in range(2):
        answer = root.post(TEXTS, asked(mug, start="1"))
    assert answer.url == reverse("admin:nb_catalog_run_change", args=[Run.objects.get().pk])
    worker.drain()
    made = ProductImage.objects.exclude(locale="")
    assert sorted(made.values_list("locale", flat=True)) == ["ar", "en"]
    assert root.get(answer.url).status_code == 200


@pytest.mark.parametrize(
    ("wishes", "words"),
    [
        ({"layouts": []}, "Choose at least one layout."),
        ({"locales": []}, "Choose at least one language."),
        ({"layouts": ["nowhere"]}, "nowhere is not one of the available choices"),
        ({"locales": ["xx"]}, "xx is not one of the available choices"),
    ],
)
def test_a_wish_that_cannot_be_is_explained_and_nothing_is_started(root, wishes, words):
    page = root.post(TEXTS, asked(mug_with_picture(), start="1", **wishes))
    assert words in page.content.decode()
    assert not Run.objects.exists()


def test_with_nothing_to_make_nothing_is_started(root):
    page = root.post(TEXTS, asked(factories.product(), start="1")).content.decode()
    assert "Nothing to generate" in page and "Generate one first." in page
    assert not Run.objects.exists()


def test_without_a_choice_the_page_says_where_to_make_one(root):
    assert "No products are selected" in root.get(TEXTS).content.decode()


def test_who_may_not_generate_puts_no_text_on_pictures(sign_in):
    client = sign_in("testcatalog.view_mug")
    mug = mug_with_picture()
    assert client.get(TEXTS).status_code == 403
    assert client.post(PLAN, asked(mug)).status_code == 403
    page = client.get(reverse("admin:testcatalog_mug_changelist")).content.decode()
    assert "put_text_on_pictures" not in page
