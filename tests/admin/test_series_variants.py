"""Variants in a series' admin pages: the action on the products' own list, the sheet and the plan."""

import pytest
from django.urls import reverse

from nb_catalog import generation, publishing
from nb_catalog import series as catalog_series
from nb_catalog.core.states import ImageState
from nb_catalog.core.types import Variant
from nb_catalog.models import ProductImage
from tests import factories
from tests.admin.test_series import CHANGE, MUGS, VIEW, decide, text_of, url
from tests.catalog.catalog_images import MugSource

pytestmark = pytest.mark.django_db


@pytest.fixture
def red(monkeypatch):
    """A mug that shows the red variant of all others, which also come in green."""
    row = factories.product(name="Red mug")
    variants = [
        Variant(key="red", name="Red", product=row),
        Variant(key="green", name="Green", colour="#1f6b3a"),
    ]
    monkeypatch.setattr(MugSource, "variants", lambda self, mug: variants, raising=False)
    return row


def keys_of(series):
    return [each.key for each in series.members.filter(removed_at=None)]


def chosen_on_the_list(client, *rows):
    fields = {"action": "show_catalog_variants", "_selected_action": [row.pk for row in rows]}
    return client.post(reverse("admin:testcatalog_mug_changelist"), fields, follow=True)


def test_the_variants_of_one_product_are_shown_and_chosen(root, red):
    mug, series = factories.product(name="Mug"), factories.series()
    page = chosen_on_the_list(root, mug)
    text = text_of(page)
    assert "Red" in text and "Green (painted in #1f6b3a)" in text
    assert red.packshot.url in page.content.decode()
    data = {"selection": page.context["chosen"].token, "series": series.pk, "variant": ["red"]}
    answer = root.post(url("variants"), data, follow=True)
    assert "2 variants added." in text_of(answer)
    assert keys_of(series) == [str(mug.pk), f"{mug.pk}:red"]
    assert "Mug, Red" in text_of(answer)


def test_all_variants_of_several_products_are_added(root, red):
    first, second, series = factories.product(), factories.product(), factories.series()
    page = chosen_on_the_list(root, first, second)
    assert "All variants of these products are added" in text_of(page)
    data = {"selection": page.context["chosen"].token, "series": series.pk}
    root.post(url("variants"), data)
    assert len(keys_of(series)) == 6


def test_variants_that_are_not_valid_are_named_on_the_page(root, monkeypatch):
    mug, series = factories.product(), factories.series()
    monkeypatch.setattr(
        MugSource, "variants", lambda self, mug: [Variant(key="red", colour="rood")], raising=False
    )
    page = chosen_on_the_list(root, mug)
    assert "rood&#x27; cannot be read. Write a name of CSS" in text_of(page)
    data = {"selection": page.context["chosen"].token, "series": series.pk, "variant": ["red"]}
    assert "cannot be read" in text_of(root.post(url("variants"), data, follow=True))
    assert keys_of(series) == []


def test_a_product_without_variants_says_so(root):
    mug = factories.product()
    factories.series()
    assert "This product has no variants" in text_of(chosen_on_the_list(root, mug))


def test_the_sheet_adds_sorts_and_removes_variants(root, red):
    mug = factories.product(name="Mug")
    series = factories.series(mug)
    answer = decide(root, series, "variants", chosen=[str(mug.pk)])
    assert "2 variants added." in text_of(answer)
    assert "Mug, Green" in text_of(answer)
    again = decide(root, series, "variants", chosen=[str(mug.pk)])
    assert "All variants are members already." in text_of(again)
    decide(root, series, f"earlier:{mug.pk}:green")
    assert keys_of(series) == [str(mug.pk), f"{mug.pk}:green", f"{mug.pk}:red"]
    decide(root, series, "remove", chosen=[f"{mug.pk}:green"])
    assert keys_of(series) == [str(mug.pk), f"{mug.pk}:red"]


def test_the_sheet_shows_each_variant_by_its_own_picture(root, red):
    mug = factories.product(name="Mug")
    series = factories.series()
    catalog_series.add_variants(series, [mug])
    for item in generation.plan_series(series).items():
        if item.spec:
            factories.image(mug, asked=item.spec, state=ImageState.APPROVED, size=(80, 100))
    publishing.publish_series(series, actor=None, partial=True)
    found = {card.title: card for card in root.get(url("sheet", series.pk)).context["cards"]}
    assert {title: card.state for title, card in found.items()} == {
        "Mug": "published", "Mug, Red": "published", "Mug, Green": "impossible",
    }  # fmt: skip
    assert found["Mug, Red"].image == ProductImage.objects.get(variant="red")
    assert "cannot paint a product in another colour" in found["Mug, Green"].notes[0]
    listed = text_of(root.get(url("changelist")))
    assert "2 of 3" in listed


def test_a_trial_is_of_the_first_member_alone(root, red):
    mug = factories.product(name="Mug")
    series = factories.series()
    catalog_series.add_variants(series, [mug])
    address = reverse("admin:nb_catalog_run_series_plan")
    data = {"key": series.pk, "members": "first", "mode": "direct"}
    plan = root.post(address, data).context["preview"].plan
    assert [item.variant for item in plan.items()] == [""]


def test_variants_need_the_permission_to_change_series(sign_in, red):
    mug = factories.product()
    factories.series(mug)
    client = sign_in(VIEW, MUGS)
    assert client.get(url("variants")).status_code == 403
    address = reverse("admin:testcatalog_mug_changelist")
    assert "show_catalog_variants" not in client.get(address).content.decode()
    client = sign_in(VIEW, MUGS, CHANGE)
    assert "show_catalog_variants" in client.get(address).content.decode()
