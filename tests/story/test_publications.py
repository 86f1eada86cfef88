"""Publications by several processes, one of which dies, on every database."""

import json
import os
import subprocess
import sys
import threading
import time
from datetime import timedelta
from functools import partial
from itertools import product
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from nb_catalog import review
from nb_catalog.core.states import ImageState
from nb_catalog.exceptions import InvalidTransition, RequestRefused
from nb_catalog.models import (
    Placement,
    PlacementEvent,
    Publication,
    RenditionRequest,
    ReviewDecision,
)
from nb_catalog.publishing import (
    due_publications,
    placements,
    publications,
    rendition_requests,
    renditions,
    request_publication,
    rollbacks,
    schedules,
    upkeep,
    work_on_publications,
)
from tests import factories
from tests.settings import ROOT, SCRATCH
from tests.soak.crowd import wait_until
from tests.story.test_races import at_once

SMALL = {"RENDITION_WIDTHS": [32], "RENDITION_FORMATS": ["jpeg"], "FREE_THREADS": 1}

pytestmark = [pytest.mark.story, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def one_small_jpeg(settings):
    settings.NB_CATALOG = {**settings.NB_CATALOG, **SMALL}


def approved(number):
    mugs = [factories.product(photo=False) for _ in range(number)]
    return [factories.image(mug, state=ImageState.APPROVED) for mug in mugs]


def waiting(images, **times):
    for image in images:
        renditions.make_renditions(image)
    hours = {"starts_at": timezone.now() + timedelta(hours=1), **times}
    return request_publication(publications.placed(images, slot="hero"), actor=None, **hours)


def due(publication, **moments):
    """Its time has come."""
    past = timezone.now() - timedelta(seconds=1)
    Publication.objects.filter(pk=publication.pk).update(due_at=past, **moments)


def shown():
    return set(Placement.objects.values_list("image_id", flat=True))


def test_of_several_processes_one_publishes_and_one_ends_what_is_due():
    for _turn in range(5):
        before, images = shown(), approved(3)
        publication = waiting(images, ends_at=timezone.now() + timedelta(hours=2))
        due(publication)
        answers = at_once(*[due_publications.publish_due] * 4)
        assert sorted(answers) == [0, 0, 0, 1], answers
        assert shown() == before | {image.pk for image in images}
        due(publication)
        answers = at_once(*[due_publications.publish_due] * 4)
        assert sorted(answers) == [0, 0, 0, 1], answers
        assert shown() == before
        publication.refresh_from_db()
        assert (publication.state, publication.problem) == ("ended", "")
    assert PlacementEvent.objects.count() == 5 * 6


def test_several_workers_share_the_files_of_one_publication(monkeypatch):
    images = approved(12)
    publication = request_publication(publications.placed(images, slot="hero"), actor=None)
    made = []
    files_of = renditions.files_of
    monkeypatch.setattr(
        renditions, "files_of", lambda image: (made.append(image.pk), files_of(image))[1]
    )
    answers = at_once(*[partial(work_on_publications)] * 3)
    assert not any(isinstance(each, Exception) for each in answers), answers
    work_on_publications()
    assert sorted(made) == sorted(image.pk for image in images)
    assert len(shown()) == publication.events.count() == 12
    assert not RenditionRequest.objects.exists()


def test_a_person_a_schedule_and_a_roll_back_at_once_leave_places_as_their_last_event_says():
    mugs = [factories.product(photo=False) for _ in range(4)]
    for _turn in range(6):
        images = [factories.image(mug, state=ImageState.APPROVED) for mug in mugs]
        by_hand = [factories.image(mug, state=ImageState.APPROVED) for mug in mugs]
        publication = waiting(images)
        due(publication)
        for image in by_hand:
            renditions.make_renditions(image)
        last = Publication.objects.filter(published_at__isnull=False, undone_at=None).first()

        def publish_by_hand(images=tuple(by_hand)):
            for image in images:
                placements.publish(image, slot="hero", actor=None)

        def roll_back(publication=last):
            if publication is not None:
                scope = rollbacks.scope_of(publication=publication)
                rollbacks.roll_back_all(scope, actor=None, partial=True)

        answers = at_once(due_publications.publish_due, publish_by_hand, roll_back)
        allowed = (int, type(None), InvalidTransition, RequestRefused)
        assert all(isinstance(each, allowed) for each in answers), answers
        due_publications.publish_due()
        publication.refresh_from_db()
        assert publication.state == "published"
    for mug in mugs:
        last_event = PlacementEvent.objects.about(mug).last()
        row = Placement.objects.about(mug).first()
        assert (row and row.image_id) == last_event.image_after_id


def test_many_decisions_beside_workers_publications_and_roll_backs_leave_places_as_they_say():
    boss = User.objects.create_superuser("boss")
    mugs = [factories.product(photo=False) for _ in range(3)]
    for _turn in range(3):
        others = [factories.image(mug, state=ImageState.APPROVED) for mug in mugs]
        batch, decisions = uuid4(), []
        for mug in mugs:
            # Finals of one draft are locked together.
            draft = factories.image(mug, state=ImageState.APPROVED)
            for slot in ("hero", "gallery"):
                image = factories.image(mug, state=ImageState.APPROVED, draft=draft)
                place = {"slot": slot, "key": uuid4(), "batch": batch}
                decisions.append(review.Decision(image=image.pk, verb="publish", **place))
        last = Publication.objects.filter(published_at__isnull=False, undone_at=None).last()

        def roll_back(publication=last):
            if publication is not None:
                scope = rollbacks.scope_of(publication=publication)
                rollbacks.roll_back_all(scope, actor=None, partial=True)

        def undo(batch=batch):
            for count in (1, 3, 6):
                rows = ReviewDecision.objects.filter(batch=batch)
                wait_until(lambda rows=rows, n=count: rows.count() >= n, seconds=30)
                review.undo(rows[:3], actor=boss)

        answers = at_once(
            partial(review.decide_all, decisions, actor=boss),
            partial(review.decide_all, decisions[::-1], actor=boss),
            partial(request_publication, publications.placed(others, slot="hero"), actor=boss),
            work_on_publications,
            roll_back,
            undo,
        )
        allowed = (list, Publication, bool, type(None), InvalidTransition, RequestRefused)
        assert all(isinstance(each, allowed) for each in answers), answers
        wait_until(lambda: not work_on_publications(), seconds=30)
        work_on_publications()
        rows = ReviewDecision.objects.filter(batch=batch)
        assert rows.count() == 6 and not any(row.outcome == "waiting" for row in rows)
        assert shown().isdisjoint(row.image_id for row in rows if row.undone_at)
        assert not Publication.objects.filter(state__in=["waiting", "stopped"]).exists()
    for mug, slot in product(mugs, ("hero", "gallery")):
        last_event = PlacementEvent.objects.about(mug).filter(slot=slot).last()
        row = Placement.objects.about(mug).filter(slot=slot).first()
        assert (row and row.image_id) == (last_event and last_event.image_after_id)


def test_of_two_schedules_for_one_place_at_once_one_is_refused():
    mug = factories.product(photo=False)
    images = [factories.image(mug, state=ImageState.APPROVED) for _ in range(2)]
    answers = at_once(
        *(
            partial(waiting, [image], ends_at=timezone.now() + timedelta(hours=2))
            for image in images
        )
    )
    kinds = sorted(type(each).__name__ for each in answers)
    assert kinds == ["Publication", "RequestRefused"], answers


def test_a_process_that_is_killed_between_two_blocks_leaves_nothing_half_published():
    images = approved(6)
    publication = waiting(images)
    due(publication)
    before = factories.published(images[0].catalog_object)
    environment = {
        **os.environ,
        "NB_TEST_SCRATCH": str(SCRATCH),
        "NB_TEST_NAME": str(connection.settings_dict["NAME"]),
        "NB_TEST_CATALOG": json.dumps(SMALL),
    }
    killed = subprocess.run(
        [sys.executable, "-m", "tests.story.dying_publisher"],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert killed.returncode == -9, killed.stderr
    publication.refresh_from_db()
    assert (publication.state, shown()) == ("waiting", {before.image_id})
    assert due_publications.publish_due() == 1
    assert shown() == {image.pk for image in images}
    assert publication.events.count() == 6


def test_a_schedule_that_is_changed_at_its_moment_is_moved_once():
    for _turn in range(4):
        images = approved(1)
        publication = waiting(images)
        due(publication)
        later = timezone.now() + timedelta(hours=5)
        answers = at_once(
            due_publications.publish_due,
            partial(schedules.reschedule, publication, starts_at=later, ends_at=None),
        )
        publication.refresh_from_db()
        published = publication.state == "published"
        assert answers[0] == int(published), answers
        assert isinstance(answers[1], RequestRefused | InvalidTransition) == published, answers
        assert (images[0].pk in shown()) == published
    assert not rendition_requests.is_waiting()


def test_its_row_is_locked_by_its_key_alone():
    """Where an UPDATE names ``due_at``, MariaDB locks its index first; who reschedules has the row first."""
    publication = waiting(approved(1), ends_at=timezone.now() + timedelta(hours=5))
    for state in ("published", "ended"):
        due(publication)
        with CaptureQueriesContext(connection) as captured:
            assert due_publications.publish_due() == 1
        table = f"UPDATE {connection.ops.quote_name(Publication._meta.db_table)}"
        first = next(each["sql"] for each in captured if each["sql"].startswith(table))
        assert "due_at" not in first
        publication.refresh_from_db()
        assert publication.state == state


def test_a_running_worker_publishes_at_the_moment_whatever_else_it_is_busy_with(monkeypatch):
    images = approved(2)
    publication = waiting(images)
    soon = timezone.now() + timedelta(seconds=2)
    Publication.objects.filter(pk=publication.pk).update(starts_at=soon, due_at=soon)
    busy = threading.Event()
    monkeypatch.setattr(upkeep, "_maintain", lambda: busy.wait(60))
    with upkeep.in_background():
        wait_until(lambda: len(shown()) == 2, seconds=30)
        busy.set()
    publication.refresh_from_db()
    assert timedelta(0) <= publication.published_at - soon < timedelta(seconds=30)


def test_the_end_of_a_series_and_its_roll_back_at_once_wait_for_each_other(monkeypatch):
    mug = factories.product(photo=False)
    image = factories.image(mug, state=ImageState.APPROVED)
    publication = request_publication(
        publications.placed([image], slot="hero"),
        actor=None,
        ends_at=timezone.now() + timedelta(hours=1),
    )
    due(publication, series=factories.series(mug), kind="series")
    preview = rollbacks.preview

    def slow(scope):
        time.sleep(0.5)
        return preview(scope)

    def roll_back():
        time.sleep(0.2)
        scope = rollbacks.scope_of(publication=Publication.objects.get(pk=publication.pk))
        return rollbacks.roll_back_all(scope, actor=None)

    monkeypatch.setattr(rollbacks, "preview", slow)
    answers = at_once(due_publications.publish_due, roll_back)
    assert answers[0] == 1 and isinstance(answers[1], InvalidTransition), answers
    assert shown() == set()
