"""Events about pictures: none is lost, whatever the order of commits, and few come twice."""

from datetime import timedelta

import pytest
from django.urls import reverse

from nb_catalog import publishing, review
from nb_catalog.core.states import ImageState
from nb_catalog.live import PictureFeed, rows
from nb_catalog.models import ProductImage, ReviewEvent
from nb_catalog.models.db.clock import database_now
from tests import factories

pytestmark = pytest.mark.django_db


class Reader:
    """Reads a feed as a stream does."""

    def __init__(self, after="", **options):
        self.feed, self.state, self.after = PictureFeed(**options), None, after

    def next(self):
        self.state = self.feed.read(self.state)
        events = self.feed.events(self.state, after=self.after)
        self.after = self.feed.position(self.state)
        return [(each.name, each.data.get("change"), each.data.get("image")) for each in events]


@pytest.fixture
def mug():
    return factories.product(photo=False)


def age(*rows, seconds=60):
    """As if ``rows`` had been written a while ago."""
    for row in rows:
        name = "created_at" if isinstance(row, ProductImage) else "at"
        then = database_now() - timedelta(seconds=seconds)
        type(row).objects.filter(pk=row.pk).update(**{name: then})


def test_pictures_are_reported_once_when_they_are_made_decided_and_published(mug):
    age(factories.image(mug))
    reader = Reader()
    assert reader.next() == []
    image = factories.image(mug)
    assert reader.next() == [("picture", "made", image.pk)]
    review.approve(image, actor=None)
    assert reader.next() == [("picture", "approve", image.pk)]
    publishing.publish(image, slot="hero", actor=None)
    assert reader.next() == [("picture", "publish", image.pk)]
    age(image, *ReviewEvent.objects.all())
    assert reader.next() == reader.next() == []


def test_a_row_that_is_committed_late_is_not_missed(mug):
    """It has a lower key than one that has been reported already."""
    age(*(factories.image(mug) for _ in range(2)))
    reader = Reader()
    reader.next()
    late, early = factories.image(mug), factories.image(mug)
    ProductImage.objects.filter(pk=late.pk).delete()
    assert reader.next() == [("picture", "made", early.pk)]
    late.save(force_insert=True)
    assert reader.next() == [("picture", "made", late.pk)]


def test_a_client_resumes_after_hours_where_it_was(mug):
    age(factories.image(mug))
    reader = Reader()
    reader.next()
    missed = [factories.image(mug) for _ in range(3)]
    age(*missed, seconds=3600)
    again = Reader(reader.after)
    assert again.next() == [("picture", "made", each.pk) for each in missed]
    assert Reader(again.after).next() == []


def test_what_happened_while_a_page_was_loading_is_reported(mug):
    image = factories.image(mug)
    assert Reader().next() == [("picture", "made", image.pk)]


def test_an_id_that_means_nothing_is_that_of_a_new_client(mug):
    image = factories.image(mug)
    assert Reader("0815").next() == [("picture", "made", image.pk)]


def test_after_too_many_a_client_is_told_to_begin_again(mug, monkeypatch):
    monkeypatch.setattr(rows, "MOST", 3)
    age(factories.image(mug))
    reader, absent = Reader(), Reader()
    reader.next(), absent.next()
    three = [factories.image(mug) for _ in range(3)]
    assert reader.next() == [("picture", "made", each.pk) for each in three]
    age(*three)
    assert reader.next() == []
    age(*(factories.image(mug) for _ in range(4)))
    assert reader.next() == [("reset", None, None)]
    assert Reader(absent.after).next() == [("reset", None, None)]
    assert reader.next() == []
    image = factories.image(mug)
    assert reader.next() == [("picture", "made", image.pk)]


def test_too_many_while_a_page_was_loading_make_it_begin_again(mug, monkeypatch):
    monkeypatch.setattr(rows, "MOST", 3)
    age(factories.image(mug))
    for _ in range(4):
        factories.image(mug)
    assert Reader().next() == [("reset", None, None)]


def test_a_series_hears_of_its_own_pictures_only(mug):
    reader = Reader(series="autumn")
    reader.next()
    factories.image(mug)
    own = factories.image(mug, asked=factories.spec(mug, series="autumn"))
    assert reader.next() == [("picture", "made", own.pk)]
    review.approve(own, actor=None)
    publishing.publish(own, slot="hero", actor=None)
    assert [change for _name, change, _pk in reader.next()] == ["approve", "publish"]


def test_placements_need_the_permission_to_view_them(client, mug):
    image = factories.image(mug, state=ImageState.APPROVED)
    publishing.publish(image, slot="hero", actor=None)
    changes = {}
    for names in ((), ("nb_catalog.view_placement",)):
        client.force_login(
            factories.staff("nb_catalog.view_productimage", *names, views=False)
        )  # fmt: skip
        url = reverse("nb_catalog_api:image-events")
        found = client.get(url, headers={"accept": "application/json"}).json()
        changes[len(names)] = [each["data"]["change"] for each in found["events"]]
    assert changes == {0: ["made"], 1: ["made", "publish"]}


def test_reading_nothing_new_is_three_queries(mug, django_assert_num_queries):
    for _ in range(3):
        factories.image(mug)
    reader = Reader()
    reader.next()
    with django_assert_num_queries(3):
        reader.next()


def test_pages_get_events_only_for_users_who_may_see_them(client, mug):
    series = factories.series(mug)
    urls = (
        reverse("admin:nb_catalog_productimage_events"),
        reverse("admin:nb_catalog_series_events", args=[series.pk]),
    )
    accepts = {"accept": "application/json"}
    for names, codes in (
        ((), (403, 403)),
        (("nb_catalog.view_productimage",), (200, 403)),
        (("nb_catalog.view_series",), (403, 403)),
        (("nb_catalog.view_series", "testcatalog.view_mug"), (403, 200)),
    ):
        client.force_login(factories.staff(*names, views=False))
        assert tuple(client.get(url, headers=accepts).status_code for url in urls) == codes
    client.logout()
    assert [client.get(url, headers=accepts).status_code for url in urls] == [302, 302]


def test_events_say_whether_they_can_be_streamed(root, mug):
    url = reverse("nb_catalog_api:image-events")
    assert root.get(url, headers={"accept": "application/json"}).json()["streams"] is False
    assert root.get(url, {"serie": "x"}).status_code == 400
