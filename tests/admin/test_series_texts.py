"""The text of a series in the admin: chosen in its look, shown on the sheet, planned after the pictures."""

import pytest
from django.urls import reverse

from nb_catalog import generation, publishing
from nb_catalog.core.states import ImageState
from nb_catalog.models import Run, Series
from nb_catalog.publishing import due_publications
from tests import factories
from tests.admin.test_series import changes, decide, text_of, url
from tests.series.test_texts import complete, made, with_text

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def locales(settings):
    settings.NB_CATALOG = {
        **settings.NB_CATALOG, "LOCALES": ["en", "de"], "RENDITION_WIDTHS": [32],
        "RENDITION_FORMATS": ["jpeg"],
    }  # fmt: skip


def badges(client, series):
    [card] = client.get(url("sheet", series.pk)).context["cards"]
    return {text.locale: text.state for text in card.texts}


def test_a_layout_is_chosen_in_the_form_and_given_up_there(root):
    series, layout = factories.series(factories.product()), factories.layout()
    deck = factories.deck(en={"headline": "Autumn"})
    answer = root.post(url("change", series.pk), changes(series, layout=layout.pk, deck=deck.pk))
    assert answer.status_code == 302
    series = Series.objects.get()
    assert (series.layout, series.deck) == (layout, deck)
    page = root.get(url("change", series.pk)).content.decode()
    assert f'<option value="{layout.pk}" selected>' in page
    root.post(url("change", series.pk), changes(series, layout="", deck=""))
    assert Series.objects.get().layout is None


def test_a_deck_without_a_layout_is_refused_in_the_form(root):
    series, deck = factories.series(factories.product()), factories.deck(en={"headline": "Autumn"})
    answer = root.post(url("change", series.pk), changes(series, deck=deck.pk))
    assert "A series with a copy deck needs a text layout" in text_of(answer)


def test_the_form_says_which_text_becomes_stale(root):
    mug = factories.product(name="Mug")
    series = with_text(mug)
    complete(series)
    other = factories.layout("other")
    other.content["boxes"][0]["place"]["top"] = 0.4
    other.save()
    fields = {"layout": other.pk, "deck": series.deck.pk}
    answer = root.post(url("change", series.pk), changes(series, **fields))
    assert "2 pictures become out of date: Mug (en), Mug (de)." in text_of(answer)
    assert Series.objects.get().layout == series.layout
    root.post(url("change", series.pk), changes(series, accept_stale="on", **fields))
    assert Series.objects.get().layout == other


def test_the_sheet_shows_the_text_of_each_member_by_language(root):
    series = with_text(factories.product(name="Mug"))
    assert badges(root, series) == {"en": "impossible", "de": "impossible"}
    made(generation.plan_series(series))
    assert badges(root, series) == {"en": "missing", "de": "missing"}
    made(generation.plan_series_texts(series), state=ImageState.PENDING)
    assert badges(root, series) == {"en": "review", "de": "review"}
    assert "2 pictures approved." in text_of(decide(root, series, "approve"))
    assert badges(root, series) == {"en": "approved", "de": "approved"}
    assert "The files of the pictures are being made." in text_of(decide(root, series, "publish"))
    assert badges(root, series) == {"en": "approved", "de": "approved"}
    due_publications.work_on_publications()
    assert badges(root, series) == {"en": "published", "de": "published"}
    text = text_of(root.get(url("sheet", series.pk)))
    assert "Banner · Autumn" in text and "de: published (Mug)" in text


def test_a_text_that_cannot_be_made_says_why_on_the_sheet(root):
    series = with_text(factories.product(), deck=factories.deck(en={"headline": "Autumn"}))
    made(generation.plan_series(series))
    assert "there is none in &#x27;de&#x27;" in text_of(root.get(url("sheet", series.pk)))


def test_the_plan_has_two_steps_and_the_second_comes_after_the_first(root):
    series = with_text(factories.product())
    address = reverse("admin:nb_catalog_run_series")
    page = root.get(f"{address}?key={series.pk}")
    assert "Text: 0 can be set now, 2 not yet" in text_of(page)
    made(generation.plan_series(series))
    page = root.get(f"{address}?key={series.pk}")
    assert "Text: 2 can be set now, 0 not yet" in text_of(page)
    data = {
        "key": series.pk, "members": "all", "mode": "direct", "step": "texts",
        "nonce": page.context["nonce"],
    }  # fmt: skip
    plan = root.post(reverse("admin:nb_catalog_run_series_plan"), data).context["preview"].plan
    assert [item.spec.locale for item in plan.items()] == ["en", "de"]
    root.post(address, {**data, "start": "1"})
    assert Run.objects.get().jobs.count() == 2


def test_a_series_without_a_layout_has_one_step(root):
    series = factories.series(factories.product())
    page = root.get(f"{reverse('admin:nb_catalog_run_series')}?key={series.pk}")
    assert "Text on the pictures" not in text_of(page)
    data = {"key": series.pk, "members": "all", "mode": "direct", "step": "texts"}
    plan = root.post(reverse("admin:nb_catalog_run_series_plan"), data).context["preview"].plan
    assert plan.planner.kind == "series"


def test_a_text_of_the_old_look_is_out_of_date_on_the_sheet(root):
    series = with_text(factories.product())
    complete(series)
    publishing.publish_series(series, actor=None)
    layout = series.layout
    layout.content["boxes"][0]["place"]["top"] = 0.4
    layout.save()
    assert badges(root, series) == {"en": "stale", "de": "stale"}
