"""Two people at one series at the same moment, on every database."""

from functools import partial

import pytest

from nb_catalog import generation, publishing
from nb_catalog import series as catalog_series
from nb_catalog.core.states import ImageState
from nb_catalog.exceptions import InvalidTransition, RequestRefused
from nb_catalog.models import Placement, PlacementEvent, Publication, Series
from nb_catalog.publishing import renditions
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


def overlapping(keys):
    """Series of 12 products each, of which neighbours share 8, all pictures approved and with their files."""
    mugs = [factories.product() for _ in range(12 + 4 * (len(keys) - 1))]
    rows = []
    for number, key in enumerate(keys):
        members = mugs[4 * number : 4 * number + 12]
        # In another order than their keys.
        row = factories.series(*members[::-1] if number % 2 else members, key=key)
        for item in generation.plan_series(row).items():
            about = next(mug for mug in members if str(mug.pk) == item.object_id)
            image = factories.image(
                about, asked=item.spec, state=ImageState.APPROVED, size=(50, 50)
            )
            renditions.make_renditions(image)
        rows.append(row)
    return mugs, rows


def test_series_that_share_products_are_published_and_rolled_back_at_once_without_a_deadlock():
    mugs, rows = overlapping(["one", "two", "three"])
    for turn in range(8):
        answers = at_once(
            *(partial(publishing.publish_series, row, actor=None, replace=True) for row in rows),
            partial(publishing.roll_back_series, rows[turn % 3], actor=None, partial=True),
        )
        # What loses is told so, as when somebody else has published to a place at the same moment.
        allowed = (Publication, InvalidTransition, RequestRefused)
        assert all(isinstance(each, allowed) for each in answers), answers
        assert any(isinstance(each, Publication) for each in answers), answers
    for mug in mugs:
        last = PlacementEvent.objects.about(mug).filter(slot="hero").last()
        row = Placement.objects.about(mug).filter(slot="hero").first()
        assert (row and row.image_id) == (last and last.image_after_id)
