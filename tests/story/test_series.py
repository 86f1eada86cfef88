"""Two people at one series at the same moment, on every database."""

from functools import partial

import pytest

from nb_catalog import series as catalog_series
from nb_catalog.exceptions import InvalidTransition
from nb_catalog.models import Series
from tests import factories
from tests.story.test_races import at_once

pytestmark = [pytest.mark.story, pytest.mark.django_db(transaction=True)]


def order_of(series):
    rows = series.members.filter(removed_at=None).order_by("position", "pk")
    return list(rows.values_list("object_id", flat=True))


def test_of_two_orders_at_once_one_wins_whole_and_no_member_is_lost():
    mugs = [factories.product(photo=False) for _ in range(40)]
    made = factories.series(*mugs)
    keys = order_of(made)
    orders = [keys[::-1], keys[20:] + keys[:20]]
    for version in range(1, 6):
        answers = at_once(
            *(partial(catalog_series.reorder, made, order, version=version) for order in orders)
        )
        winners = [place for place, answer in enumerate(answers) if answer == version + 1]
        losers = [answer for answer in answers if isinstance(answer, InvalidTransition)]
        assert (len(winners), len(losers)) == (1, 1), answers
        assert order_of(made) == orders[winners[0]]


def test_of_two_changes_of_the_look_at_once_one_is_written():
    made = factories.series()
    copies = [Series.objects.get(pk=made.pk) for _ in range(2)]

    def change(copy, number):
        return lambda: catalog_series.save_look(
            catalog_series.with_changes(copy, seed_number=number)
        )

    answers = at_once(change(copies[0], 2), change(copies[1], 3))
    assert sorted(type(each).__name__ for each in answers) == ["InvalidTransition", "NoneType"]
    stored = Series.objects.get()
    assert stored.version == 2
    assert stored.seed_number == (2 if answers[0] is None else 3)


def test_products_added_at_once_are_all_members_and_each_has_its_place():
    made = factories.series()
    mugs = [factories.product(photo=False) for _ in range(30)]
    adds = [
        lambda some=mugs[start::3] + mugs[:5]: catalog_series.add(made, some) for start in range(3)
    ]
    answers = at_once(*adds)
    assert sum(each.added for each in answers) == 30, answers
    places = list(made.members.values_list("position", flat=True))
    assert len(set(places)) == len(places) == 30
