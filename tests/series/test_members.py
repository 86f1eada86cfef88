"""Members of series: each once, in one order, and those that a person removed stay out."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from nb_catalog import series as catalog_series
from nb_catalog.exceptions import InvalidTransition, RegistryError, RequestRefused
from nb_catalog.models import Series, SeriesMember, StaleScan
from nb_catalog.publishing import upkeep
from tests import factories
from tests.catalog.catalog_images import MugSource
from tests.catalog.models import Mug

pytestmark = pytest.mark.django_db


def mugs(number, **fields):
    return [factories.product(photo=False, **fields) for _ in range(number)]


def order_of(series):
    rows = series.members.filter(removed_at=None).order_by("position", "pk")
    return list(rows.values_list("object_id", flat=True))


def keys(*products):
    return [str(each.pk) for each in products]


def test_products_are_appended_in_their_order_and_each_once():
    first, second, third = mugs(3)
    made = factories.series(second, first)
    result = catalog_series.add(made, [first, third, third])
    assert order_of(made) == keys(second, first, third)
    assert (result.added, result.present) == (1, 1)


def test_a_queryset_is_added_as_it_is_sorted():
    made = factories.series()
    products = mugs(3)
    catalog_series.add(made, Mug.objects.order_by("-pk"))
    assert order_of(made) == keys(*reversed(products))


def test_a_product_of_another_model_is_refused_and_nothing_is_added():
    made = factories.series()
    with pytest.raises(RequestRefused, match="is not of the model"):
        catalog_series.add(made, [*mugs(1), factories.poster()])
    assert not SeriesMember.objects.exists()


def test_a_person_adds_again_what_was_removed_and_a_rule_does_not():
    first, second = mugs(2)
    made = factories.series(first, second)
    assert catalog_series.remove(made, [first]) == 1
    assert catalog_series.remove(made, [first]) == 0
    assert catalog_series.add(made, [first], by_rule=True).added == 0
    assert order_of(made) == keys(second)
    assert catalog_series.add(made, [first]).added == 1
    assert order_of(made) == keys(second, first)


def test_a_product_in_two_series_with_one_slot_is_said():
    mug, other = mugs(2)
    factories.series(mug, key="summer")
    result = catalog_series.add(factories.series(), [mug, other])
    assert result.warnings == (
        "1 of these products are also in the series “Summer”, which is published in the same slot “hero”. "
        "Only one of the two can be shown there.",
    )
    assert not catalog_series.add(factories.series(key="winter", slot="gallery"), [mug]).warnings


def test_an_order_is_total_and_moves_nothing_else():
    first, second, third = mugs(3)
    made = factories.series(first, second, third)
    assert catalog_series.reorder(made, keys(third, first, second), version=1) == 2
    assert order_of(made) == keys(third, first, second)


def test_some_members_share_out_the_places_that_they_hold():
    first, second, third, fourth = mugs(4)
    made = factories.series(first, second, third, fourth)
    catalog_series.reorder(made, keys(fourth, second), version=1)
    assert order_of(made) == keys(first, fourth, third, second)


def test_of_two_orders_one_wins_and_the_other_person_is_told():
    first, second, third = mugs(3)
    made = factories.series(first, second, third)
    catalog_series.reorder(made, keys(second, third, first), version=1)
    with pytest.raises(InvalidTransition, match="Someone else has sorted the series “Autumn”"):
        catalog_series.reorder(made, keys(third, second, first), version=1)
    assert order_of(made) == keys(second, third, first)


@pytest.mark.parametrize(
    ("order", "sentence"),
    [("aa", "Named twice: "), ("ax", "These are not members of the series: 999.")],
)
def test_an_order_that_cannot_be_is_refused_and_changes_nothing(order, sentence):
    first, second = mugs(2)
    made = factories.series(first, second)
    named = {"a": str(second.pk), "x": "999"}
    with pytest.raises(RequestRefused, match=sentence):
        catalog_series.reorder(made, [named[each] for each in order], version=1)
    assert (order_of(made), Series.objects.get().order_version) == (keys(first, second), 1)


def test_lying_and_standing_goods_are_two_groups_if_the_series_has_them():
    made = factories.series(view="groups")
    mug, towel = factories.product(), factories.product(name="Beach towel")
    catalog_series.add(made, [mug, towel])
    assert dict(made.members.values_list("object_id", "group")) == {
        str(mug.pk): "standing", str(towel.pk): "lying",
    }  # fmt: skip
    assert catalog_series.set_group(made, [mug, towel], "lying") == 1
    with pytest.raises(RequestRefused, match="The series has no group 'all'."):
        catalog_series.set_group(made, [mug], "all")
    other = factories.series(towel, key="winter")
    assert other.members.get().group == "all"


def test_adding_many_takes_a_constant_number_of_queries():
    made = factories.series()

    def count(products):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            catalog_series.add(made, products)
        return len(queries)

    assert count(mugs(2)) == count(mugs(20))


# Rules.


def test_a_rule_adds_what_it_names_and_asks_no_one(monkeypatch):
    made = factories.series()
    red, blue = factories.product(colour="red"), factories.product(colour="blue")
    monkeypatch.setattr(
        MugSource, "series", lambda self, mug: ["autumn"] if mug.colour == "red" else []
    )
    source = MugSource(Mug)
    assert catalog_series.apply_rules(source) == {"autumn": 1}
    assert catalog_series.apply_rules(source) == {"autumn": 0}
    assert order_of(made) == keys(red)
    catalog_series.remove(made, [red])
    catalog_series.apply_rules(source)
    assert order_of(made) == []
    catalog_series.add(made, [blue])
    assert dict(made.members.values_list("object_id", "by_rule")) == {
        str(red.pk): True, str(blue.pk): False,
    }  # fmt: skip


def test_a_rule_that_names_no_series_is_the_host_s_mistake(monkeypatch):
    factories.series()
    factories.product()
    monkeypatch.setattr(MugSource, "series", lambda self, mug: ["autum"])
    with pytest.raises(RegistryError, match="names the series 'autum'.*Did you mean 'autumn'"):
        catalog_series.apply_rules(MugSource(Mug))


def test_a_rule_that_returns_a_text_is_the_host_s_mistake(monkeypatch):
    factories.product()
    monkeypatch.setattr(MugSource, "series", lambda self, mug: "autumn")
    with pytest.raises(RegistryError, match="must return a list of keys of series"):
        catalog_series.apply_rules(MugSource(Mug))


def test_the_command_and_the_upkeep_apply_rules(monkeypatch):
    made = factories.series()
    first = factories.product()
    monkeypatch.setattr(MugSource, "series", lambda self, mug: ["autumn"])
    written = StringIO()
    call_command("nb_series", stdout=written)
    assert written.getvalue() == "autumn: 1 added\n"
    second = factories.product()
    upkeep.run_due()
    assert order_of(made) == keys(first, second)
    third = factories.product()
    upkeep.run_due()
    assert order_of(made) == keys(first, second), "not due again"
    StaleScan.objects.update(started_at=None)
    upkeep.run_due()
    assert order_of(made) == keys(first, second, third)
    monkeypatch.setattr(MugSource, "series", lambda self, mug: ["autum"])
    with pytest.raises(CommandError, match="names the series 'autum'"):
        call_command("nb_series")
    StaleScan.objects.update(started_at=None)
    upkeep.run_due()
    assert order_of(made) == keys(first, second, third), "the log has the error"


def test_without_a_rule_no_product_is_read(django_assert_num_queries):
    with django_assert_num_queries(0):
        assert catalog_series.apply_rules(MugSource(Mug)) == {}
