"""Many pictures published as one: at once, by a worker, and from one moment to another."""

from datetime import timedelta

import pytest
from django.db import DataError, IntegrityError, OperationalError, connection
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from nb_catalog import generation, review
from nb_catalog.core.states import ImageState
from nb_catalog.core.types import Permission
from nb_catalog.exceptions import InvalidTransition, RequestRefused, StorageFailed
from nb_catalog.models import (
    Placement,
    PlacementEvent,
    ProductImage,
    Publication,
    Rendition,
    RenditionRequest,
)
from nb_catalog.models.generic import object_key
from nb_catalog.operations import status
from nb_catalog.operations.views import health
from nb_catalog.publishing import (
    due_publications,
    placements,
    publications,
    publish_series,
    rendition_requests,
    renditions,
    request_publication,
    rollbacks,
    schedules,
    work_on_publications,
)
from nb_catalog.storefront.timeline import shown_at
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def one_small_jpeg(settings):
    settings.NB_CATALOG = {
        **settings.NB_CATALOG,
        "RENDITION_WIDTHS": [32],
        "RENDITION_FORMATS": ["jpeg"],
        "FREE_THREADS": 1,
    }


@pytest.fixture
def clock(monkeypatch):
    """The time of schedules; ``clock(hours=1)`` lets an hour pass."""
    return Clock(monkeypatch)


class Clock:
    def __init__(self, monkeypatch):
        self.now = timezone.now()
        for module in (due_publications, publications, schedules, rendition_requests, rollbacks):
            monkeypatch.setattr(module, "database_now", lambda: self.now)

    def __call__(self, **passed):
        self.now += timedelta(**passed)
        work_on_publications()

    def at(self, **ahead):
        return self.now + timedelta(**ahead)


def approved(number, **fields):
    mugs = [factories.product(photo=False) for _ in range(number)]
    return [factories.image(mug, state=ImageState.APPROVED, **fields) for mug in mugs]


def place_of(image, slot="hero", locale="", position=0):
    return (image.content_type_id, image.object_id, slot, locale, position)


def request(*images, actor=None, **options):
    return request_publication(
        [(place_of(image), image) for image in images], actor=actor, **options
    )


def shown():
    return set(Placement.objects.values_list("image_id", flat=True))


def keys(*images):
    return {image.pk for image in images}


def state_of(publication):
    publication.refresh_from_db()
    return publication.state


# Files.


def test_pictures_with_files_are_published_at_once_and_undone_as_one():
    before = factories.published()
    images = approved(3)
    for image in images:
        renditions.make_renditions(image)
    newer = factories.image(before.image.catalog_object, state=ImageState.APPROVED)
    publication = request(*images, newer)
    assert (publication.state, shown()) == ("published", keys(*images, newer))
    rollbacks.roll_back_all(rollbacks.scope_of(publication=publication), actor=None)
    assert shown() == {before.image_id}


@pytest.mark.story
def test_a_request_makes_no_files_and_a_worker_shows_all_pictures_at_once():
    images, actor = approved(5), factories.staff(Permission.PUBLISH)
    publication = request(*images, actor=actor)
    assert (publication.state, shown(), Rendition.objects.count()) == ("waiting", set(), 0)
    rendition_requests.make_requested(seconds=0)
    progress = publications.progress_of(publication)
    assert (progress.ready, progress.total, shown()) == (0, 5, set())
    assert not work_on_publications()
    assert (state_of(publication), shown()) == ("published", keys(*images))
    assert not RenditionRequest.objects.exists()
    assert set(PlacementEvent.objects.values_list("actor", "publication")) == {
        (actor.pk, publication.pk)
    }


def test_a_single_picture_does_not_wait_for_a_worker():
    [image] = approved(1)
    assert request(image).state == "published"
    assert shown() == keys(image)


def test_code_can_make_the_files_itself():
    images = approved(3)
    assert request(*images, background=False).state == "published"
    assert shown() == keys(*images)


def test_until_all_files_are_made_no_page_changes(monkeypatch):
    before = [factories.published() for _ in range(3)]
    newer = [
        factories.image(each.image.catalog_object, state=ImageState.APPROVED) for each in before
    ]
    request(*newer)
    seen = []
    store = rendition_requests._store

    def store_and_look(*results):
        seen.append(shown())
        return store(*results)

    monkeypatch.setattr(rendition_requests, "_store", store_and_look)
    work_on_publications()
    assert seen == [{each.image_id for each in before}] * 3
    assert shown() == keys(*newer)


def test_a_picture_that_cannot_be_read_is_named_and_nothing_is_half_published():
    images = approved(3)
    broken = images[1]
    broken.file.storage.delete(broken.file.name)
    publication = request(*images)
    work_on_publications()
    assert (state_of(publication), shown()) == ("stopped", set())
    [row] = publications.progress_of(publication).problems
    assert row.image == broken and broken.file.name in row.problem
    publications.retry(publication, leave_out=True)
    work_on_publications()
    assert shown() == keys(images[0], images[2])


def test_a_storage_that_fails_is_tried_again_and_said_meanwhile(monkeypatch, clock):
    images = approved(2)
    publication = request(*images)
    make, down = renditions.files_of, [True]

    def files_of(image):
        if down[0]:
            raise StorageFailed("The storage is down.")
        return make(image)

    monkeypatch.setattr(renditions, "files_of", files_of)
    work_on_publications()
    progress = publications.progress_of(publication)
    assert [each.problem for each in progress.problems] == ["The storage is down."] * 2
    assert (progress.ready, state_of(publication)) == (0, "waiting")
    down[0] = False
    work_on_publications()
    assert not shown()
    clock(seconds=61)
    assert shown() == keys(*images)


def test_a_worker_that_died_leaves_its_pictures_to_the_next_one(clock):
    images = approved(2)
    request(*images)
    assert len(rendition_requests._take(2, token="dead")) == 2
    work_on_publications()
    assert not shown()
    clock(seconds=121)
    assert shown() == keys(*images)


def test_what_becomes_unfit_while_files_are_made_stops_the_publication():
    images, actor = approved(2), factories.staff(Permission.PUBLISH)
    publication = request(*images, actor=actor)
    ProductImage.objects.filter(pk=images[0].pk).update(state=ImageState.REJECTED)
    work_on_publications()
    assert (state_of(publication), shown()) == ("stopped", set())
    assert f"Picture {images[0].pk} is not approved" in publication.problem
    [row] = publications.progress_of(publication).problems
    assert row.image == images[0]


def test_a_person_who_lost_the_permission_publishes_nothing():
    images, actor = approved(2), factories.staff(Permission.PUBLISH)
    publication = request(*images, actor=actor)
    actor.user_permissions.clear()
    work_on_publications()
    assert (state_of(publication), shown()) == ("stopped", set())
    assert "may not publish pictures any more" in publication.problem


def test_a_publication_that_waits_can_be_cancelled_and_others_not():
    images = approved(2)
    publication = request(*images)
    publications.cancel(publication)
    work_on_publications()
    assert (state_of(publication), shown()) == ("cancelled", set())
    with pytest.raises(InvalidTransition, match="does not wait: Cancelled"):
        publications.cancel(publication)
    with pytest.raises(InvalidTransition, match="was not stopped"):
        publications.retry(publication)


def test_what_is_wrong_is_said_at_once():
    pending = factories.image()
    [image] = approved(1)
    with pytest.raises(RequestRefused, match="is not approved"):
        request(image, pending)
    with pytest.raises(RequestRefused, match="Choose pictures to publish"):
        request()
    with pytest.raises(RequestRefused, match="for the same place"):
        request(image, image)
    assert not Publication.objects.exists()


def test_publishing_takes_a_constant_number_of_queries():
    def queries(number):
        images = approved(number)
        with CaptureQueriesContext(connection) as asked:
            request(*images)
        rendition_requests.make_requested()
        with CaptureQueriesContext(connection) as moved:
            due_publications.publish_due()
        assert keys(*images) <= shown()
        return len(asked), len(moved)

    queries(2)
    assert queries(3) == queries(20)


def test_files_of_approved_pictures_are_made_ahead_but_after_those_that_somebody_waits_for():
    ahead = factories.image(factories.product(photo=False))
    review.approve(ahead, actor=None)
    images = approved(2)
    request(*images)
    taken = [request.image_id for request in rendition_requests._take(3, token="t")]
    assert set(taken) == keys(ahead, *images)
    RenditionRequest.objects.update(not_before=None)
    first = {request.image_id for request in rendition_requests._take(2, token="u")}
    assert first == keys(*images)
    RenditionRequest.objects.update(not_before=None)
    assert not work_on_publications()
    assert Rendition.objects.filter(image=ahead).exists() and shown() == keys(*images)


# Schedules.


@pytest.mark.story
def test_a_schedule_shows_its_pictures_for_its_time_and_then_exactly_what_was_there(clock):
    before = factories.published()
    newer = factories.image(before.image.catalog_object, state=ImageState.APPROVED)
    [other] = approved(1)
    was = list(Placement.objects.values("pk", "image_id", "picture_data"))
    publication = request(newer, other, starts_at=clock.at(hours=1), ends_at=clock.at(hours=3))
    clock(minutes=59)
    assert shown() == {before.image_id} and Rendition.objects.filter(image=newer).exists()
    clock(minutes=1)
    assert (state_of(publication), shown()) == ("published", keys(newer, other))
    clock(hours=1)
    assert shown() == keys(newer, other)
    clock(hours=1)
    assert (state_of(publication), publication.problem) == ("ended", "")
    assert list(Placement.objects.values("pk", "image_id", "picture_data")) == was
    clock(hours=9)
    assert PlacementEvent.objects.count() == 5


def test_a_place_that_was_changed_by_hand_meanwhile_is_left_and_said(clock):
    [image, other] = approved(2)
    publication = request(image, other, ends_at=clock.at(hours=2), background=False)
    own = factories.published(image.catalog_object)
    clock(hours=2)
    assert (state_of(publication), shown()) == ("ended", {own.image_id})
    assert "Somebody has changed 1 of these places since" in publication.problem


def test_moments_that_were_missed_are_made_up_for_in_their_order(clock):
    mug = factories.product(photo=False)
    first, second, third = (factories.image(mug, state=ImageState.APPROVED) for _ in range(3))
    skipped = request(first, starts_at=clock.at(hours=1), ends_at=clock.at(hours=2))
    request(second, starts_at=clock.at(hours=2), ends_at=clock.at(hours=9))
    work_on_publications()
    clock(hours=8)
    assert (state_of(skipped), shown()) == ("missed", keys(second))
    assert "over before a worker could publish it" in skipped.problem
    request(third, starts_at=clock.at(hours=1))
    clock(hours=1)
    assert shown() == keys(third)
    moves = list(PlacementEvent.objects.values_list("image_before", "image_after"))
    assert moves == [(None, second.pk), (second.pk, None), (None, third.pk)]


def test_a_picture_that_was_rejected_before_its_time_is_not_published(clock):
    [image] = approved(1)
    publication = request(image, starts_at=clock.at(hours=1))
    ProductImage.objects.filter(pk=image.pk).update(state=ImageState.REJECTED)
    clock(hours=1)
    assert (state_of(publication), shown()) == ("stopped", set())
    assert "is not approved" in publication.problem


def test_times_that_make_no_sense_are_refused(clock):
    [image] = approved(1)
    wrong = [
        ({"starts_at": clock.at(hours=-1)}, "has passed. Leave the start out to publish now"),
        ({"ends_at": clock.at(hours=-1)}, "The end, .*, has passed. Choose a later one"),
        (
            {"starts_at": clock.at(hours=2), "ends_at": clock.at(hours=1)},
            "is not after the start, .* Choose a later end",
        ),
        (
            {"starts_at": clock.at(hours=2), "ends_at": clock.at(hours=2)},
            "is not after the start, .* Choose a later end",
        ),
    ]
    for times, message in wrong:
        with pytest.raises(RequestRefused, match=message):
            request(image, **times)
    assert not Publication.objects.exists()


@pytest.mark.parametrize(
    ("first", "second", "overlaps"),
    [
        ((2, 4), (1, 2), False),
        ((2, 4), (4, 5), False),
        ((2, 4), (1, 3), True),
        ((2, 4), (3, None), True),
        ((2, 4), (2, None), True),
        ((2, 4), (1, None), False),
        ((2, 4), (4, None), False),
        ((2, None), (2, 3), True),
        ((2, None), (1, 3), True),
        ((2, None), (3, 4), False),
        ((2, None), (2, None), True),
        ((2, None), (3, None), False),
    ],
)
def test_a_place_belongs_to_one_publication_at_a_time(clock, first, second, overlaps):
    mug = factories.product(photo=False)
    images = [factories.image(mug, state=ImageState.APPROVED) for _ in range(2)]

    def times(start, end):
        ends_at = None if end is None else clock.at(hours=end)
        return {"starts_at": clock.at(hours=start), "ends_at": ends_at}

    other = request(images[0], **times(*first))
    if not overlaps:
        assert request(images[1], **times(*second)).state == "waiting"
        return
    with pytest.raises(RequestRefused, match=f"Publication {other.pk} .*slot “hero”"):
        request(images[1], **times(*second))
    publications.cancel(other)
    assert request(images[1], **times(*second)).state == "waiting"


def test_a_schedule_is_moved_and_its_end_is_changed_while_it_is_shown(clock):
    [image] = approved(1)
    publication = request(image, starts_at=clock.at(hours=5))
    schedules.reschedule(publication, starts_at=clock.at(hours=1), ends_at=clock.at(hours=9))
    clock(hours=1)
    assert state_of(publication) == "published"
    with pytest.raises(RequestRefused, match="has begun already"):
        schedules.reschedule(publication, starts_at=clock.at(hours=1), ends_at=None)
    schedules.reschedule(publication, starts_at=publication.starts_at, ends_at=clock.at(hours=1))
    clock(hours=1)
    assert (state_of(publication), shown()) == ("ended", set())
    with pytest.raises(InvalidTransition, match="neither waits nor is published"):
        schedules.reschedule(publication, starts_at=None, ends_at=None)


def test_a_schedule_that_is_rolled_back_does_not_end_again(clock):
    [image] = approved(1)
    publication = request(image, starts_at=clock.at(hours=1), ends_at=clock.at(hours=2))
    clock(hours=1)
    scope = rollbacks.scope_of(publication=Publication.objects.get())
    rollbacks.roll_back_all(scope, actor=None)
    placements.publish(image, slot="hero", actor=None)
    clock(hours=1)
    assert (state_of(publication), shown()) == ("published", keys(image))


def test_what_waits_for_files_holds_up_no_end_and_no_start(clock):
    [shown_now, next_one] = ready(2)
    ending = request(shown_now, ends_at=clock.at(hours=1))
    starting = request(next_one, starts_at=clock.at(hours=1))
    lacking = approved(2)
    for position in range(1, 101):
        pictures = [(place_of(each, position=position), each) for each in lacking]
        assert request_publication(pictures, actor=None).state == "waiting"
    clock.now += timedelta(hours=2)
    with CaptureQueriesContext(connection) as asked:
        assert due_publications.publish_due() == 2
    assert (state_of(ending), state_of(starting)) == ("ended", "published")
    assert shown() == keys(next_one) and len(asked) < 100


@pytest.mark.parametrize("error", [DataError, IntegrityError, ValueError])
def test_a_publication_that_always_fails_holds_up_none_that_are_due_later(
    clock, monkeypatch, error
):
    first, second = publications_of_two(clock, monkeypatch, error)
    clock(hours=3)
    assert (state_of(first), state_of(second)) == ("waiting", "published")


def test_while_the_database_is_away_no_publication_is_tried(clock, monkeypatch):
    first, second = publications_of_two(clock, monkeypatch, OperationalError)
    with pytest.raises(OperationalError):
        clock(hours=3)
    assert (state_of(first), state_of(second)) == ("waiting", "waiting")


def publications_of_two(clock, monkeypatch, error):
    images = ready(2)
    check = placements.checked

    def checked(pictures, **options):
        if images[0].pk in {each.pk for each in pictures.values()}:
            raise error("A source asks the database for something odd.")
        return check(pictures, **options)

    monkeypatch.setattr(placements, "checked", checked)
    return [
        request(image, starts_at=clock.at(hours=number)) for number, image in enumerate(images, 1)
    ]


def ready(number):
    images = approved(number)
    for image in images:
        renditions.make_renditions(image)
    return images


def roll_back(publication):
    publication.refresh_from_db()
    scope = rollbacks.scope_of(publication=publication)
    return rollbacks.roll_back_all(scope, actor=None)


def test_a_roll_back_that_is_undone_gives_the_schedule_its_end_again(clock):
    [image] = approved(1)
    publication = request(image, ends_at=clock.at(hours=2))
    roll_back(roll_back(publication))
    assert shown() == keys(image)
    clock(hours=2)
    assert (state_of(publication), shown()) == ("ended", set())


def test_what_has_ended_and_is_shown_again_is_published_without_an_end(clock):
    [image] = approved(1)
    publication = request(image, ends_at=clock.at(hours=1))
    clock(hours=1)
    roll_back(Publication.objects.get(undoes=publication))
    assert (state_of(publication), shown()) == ("published", keys(image))
    assert publication.ends_at is None
    schedules.reschedule(publication, starts_at=None, ends_at=clock.at(hours=1))
    clock(hours=1)
    assert (state_of(publication), shown()) == ("ended", set())


def test_a_roll_back_is_given_no_end(clock):
    [image] = approved(1)
    undone = roll_back(request(image))
    with pytest.raises(RequestRefused, match="A roll-back has no end"):
        schedules.reschedule(undone, starts_at=None, ends_at=clock.at(hours=1))


def test_a_series_that_is_published_at_once_and_given_an_end_has_its_places_until_then(clock):
    mug, series, image = series_of_one()
    publication = publish_series(series, actor=None)
    schedules.reschedule(publication, starts_at=None, ends_at=clock.at(hours=2))
    key, after = object_key(mug), clock.at(hours=3)
    assert shown_at([key], moment=after) == []
    other = factories.image(mug, state=ImageState.APPROVED)
    with pytest.raises(RequestRefused, match=f"Publication {publication.pk} "):
        request(other, starts_at=clock.at(hours=1), ends_at=clock.at(hours=3))
    assert shown() == keys(image)
    clock(hours=2)
    assert (state_of(publication), shown()) == ("ended", set())


def series_of_one():
    mug = factories.product()
    series = factories.series(mug)
    [item] = generation.plan_series(series).items()
    return mug, series, factories.image(mug, asked=item.spec, state=ImageState.APPROVED)


def test_what_a_deleted_series_has_published_ends_when_it_was_to_end(clock):
    _mug, series, image = series_of_one()
    publication = publish_series(series, actor=None)
    schedules.reschedule(publication, starts_at=None, ends_at=clock.at(hours=2))
    series.delete()
    assert shown() == keys(image)
    clock(hours=2)
    assert (state_of(publication), shown()) == ("ended", set())


def test_what_a_deleted_series_was_to_publish_is_stopped(clock):
    [image] = approved(1)
    publication = request(image, starts_at=clock.at(hours=1))
    series = factories.series(image.catalog_object)
    Publication.objects.update(series=series, look_version=series.version, kind="series")
    series.delete()
    clock(hours=1)
    assert (state_of(publication), shown()) == ("stopped", set())
    assert publication.problem == "Its series was deleted meanwhile."


def test_a_picture_that_stays_because_the_one_before_was_rejected_is_reported_until_it_is_gone(
    clock, client
):
    before = factories.published()
    newer = factories.image(before.image.catalog_object, state=ImageState.APPROVED)
    publication = request(newer, ends_at=clock.at(hours=1))
    ProductImage.objects.filter(pk=before.image_id).update(state=ImageState.REJECTED)
    clock(hours=1)
    assert (state_of(publication), shown()) == ("ended", keys(newer))
    assert status.problems() == ("publications_not_ended",)
    # An editor's matter takes no server out of service.
    assert health(RequestFactory().get("/")).status_code == 200
    client.force_login(factories.superuser())
    page = client.get(reverse("admin:app_list", args=["nb_catalog"])).content.decode()
    assert "Still shown after their end" in page and f"?id__in={publication.pk}" in page
    listed = client.get(
        reverse("admin:nb_catalog_publication_changelist"), {"id__in": publication.pk}
    )
    assert publication.title in listed.content.decode()
    placements.withdraw(Placement.objects.get(), actor=None)
    assert status.problems() == ()


def test_an_end_is_made_up_for_when_the_storage_answers_again(clock, monkeypatch):
    before = factories.published()
    newer = factories.image(before.image.catalog_object, state=ImageState.APPROVED)
    publication = request(newer, ends_at=clock.at(hours=1))
    Rendition.objects.filter(image=before.image).delete()
    make = renditions.files_of

    def files_of(image):
        raise StorageFailed("The storage is down.")

    monkeypatch.setattr(renditions, "files_of", files_of)
    clock(hours=1)
    assert (state_of(publication), publication.problem) == ("published", "The storage is down.")
    monkeypatch.setattr(renditions, "files_of", make)
    clock(seconds=1)
    assert (state_of(publication), publication.problem) == ("ended", "")
    assert shown() == {before.image_id}


@pytest.mark.parametrize("deleted", [True, False])
def test_a_schedule_of_somebody_who_has_left_is_stopped(clock, deleted):
    [image], actor = approved(1), factories.staff(Permission.PUBLISH)
    publication = request(image, actor=actor, starts_at=clock.at(hours=1))
    if deleted:
        actor.delete()
    else:
        actor.is_active = False
        actor.save()
    clock(hours=1)
    assert (state_of(publication), shown()) == ("stopped", set())
    assert ("was deleted" if deleted else "may not publish") in publication.problem


def test_a_product_that_was_deleted_before_the_start_is_named_and_can_be_left_out(clock):
    gone, stays = approved(2)
    publication = request(gone, stays, starts_at=clock.at(hours=1))
    gone.catalog_object.delete()
    clock(hours=1)
    assert (state_of(publication), shown()) == ("stopped", set())
    assert f"Product {gone.object_id} was deleted" in publication.problem
    publications.retry(publication, leave_out=True)
    work_on_publications()
    assert shown() == keys(stays)


def test_a_decoder_that_breaks_stops_its_publication_and_not_the_worker(monkeypatch):
    publication = request(*approved(2))

    def files_of(image):
        raise ValueError("broken decoder")

    monkeypatch.setattr(renditions, "files_of", files_of)
    work_on_publications()
    assert (state_of(publication), shown()) == ("stopped", set())
    assert "could not be made (ValueError)" in publication.problem
