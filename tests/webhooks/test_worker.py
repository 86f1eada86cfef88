"""The worker sends: what it makes itself, what people decide, and what a killed one has left."""

from __future__ import annotations

import pytest
from django.core.management import call_command
from standardwebhooks import Webhook

from nb_catalog import generation, publishing, review, tasks, webhooks, worker
from nb_catalog.core.event_types import EventType
from nb_catalog.models import ProductImage, Run, WebhookDelivery, WebhookEndpoint
from nb_catalog.models.db.clock import database_now
from nb_catalog.signals import events
from nb_catalog.webhooks import outbox
from nb_catalog.worker import persistence
from tests import factories
from tests.worker.conftest import script, start  # noqa: F401 - fixtures

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.story]


def test_a_run_is_followed_from_its_first_picture_to_the_shop(receiver):
    endpoint = receiver.endpoint()
    mug = factories.product()
    plan = generation.plan_backgrounds([mug], scenes=[factories.scene()], treatment="locked")
    generation.start_run(plan)
    call_command("nb_worker", once=True, verbosity=0)
    image = ProductImage.objects.get(kind="picture")
    review.approve(image, actor=None)
    publishing.publish(image, slot="hero", actor=None)
    call_command("nb_worker", once=True, verbosity=0)
    received = [
        Webhook(endpoint.secret).verify(each.body, each.headers) for each in receiver.received
    ]
    assert sorted(each["type"] for each in received) == [
        "picture.decided", "picture.published", "picture.waiting", "run.ended"
    ]  # fmt: skip
    run = next(each["data"] for each in received if each["type"] == "run.ended")
    assert run["counts"] == {"succeeded": 1} and run["run"] == Run.objects.get().pk
    assert not WebhookDelivery.objects.exclude(state="delivered").exists()


def test_a_slice_of_a_task_queue_sends_what_is_due_and_asks_for_another_one(receiver, settings):
    endpoint = receiver.endpoint()
    for _ in range(3):
        webhooks.send_test(endpoint)
    _done, more = tasks._work(batches=False)
    assert not more and receiver.counts() == {"/ok": 3}


def test_an_event_wakes_a_worker_only_if_an_endpoint_wants_it(monkeypatch):
    woken = []
    monkeypatch.setattr(tasks, "wake_up", lambda: woken.append(True))
    review.approve(factories.image(), actor=None)
    webhooks.create(url="https://shop.example/", events=["run.ended"])
    review.approve(factories.image(), actor=None)
    assert woken == []
    webhooks.create(url="https://shop.example/", events=["picture.decided"])
    review.approve(factories.image(), actor=None)
    assert woken == [True]


def test_pictures_of_one_commit_are_reported_together(script, start, monkeypatch):  # noqa: F811
    """So that the worker's queries do not depend on their number."""
    reported, record = [], events.record

    def counted(event, facts):
        if event == EventType.PICTURE_WAITING:
            reported.append(len(facts))
        record(event, facts)

    monkeypatch.setattr(events, "record", counted)
    WebhookEndpoint.objects.create(url="https://shop.example/", secret_digest="x")
    commits, write_outcomes = [], persistence.write_outcomes

    def written(jobs, outcomes):
        commits.append(sum(bool(each.images) for each in outcomes))
        return write_outcomes(jobs, outcomes)

    monkeypatch.setattr(persistence, "write_outcomes", written)
    start(6)
    worker.drain()
    assert [each for each in commits if each] == [each for each in reported if each]
    assert sum(reported) == WebhookDelivery.objects.filter(event="picture.waiting").count() == 6


def test_what_a_killed_worker_had_claimed_is_sent_once_its_lease_ends(receiver):
    webhooks.send_test(receiver.endpoint())
    assert len(outbox.claim_due({})) == 1
    call_command("nb_worker", once=True, verbosity=0)
    assert receiver.received == []
    WebhookDelivery.objects.update(due_at=database_now())
    call_command("nb_worker", once=True, verbosity=0)
    assert len(receiver.received) == 1
