"""Events: whatever changes, in whichever way, is recorded once, in the transaction that changes it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from nb_catalog import generation, publishing, ratelimit, review, signals, worker
from nb_catalog.billing import budgets
from nb_catalog.core.event_types import FIELDS, LOGGED, EventType
from nb_catalog.exceptions import RateLimited
from nb_catalog.generation import run_ends
from nb_catalog.models import CatalogEvent, Placement, Run, WebhookDelivery, WebhookEndpoint
from nb_catalog.models.db.clock import database_now
from nb_catalog.operations import pruning
from nb_catalog.publishing import places, staleness
from nb_catalog.signals import events
from tests import factories
from tests.worker.conftest import script, start  # noqa: F401 - fixtures

pytestmark = pytest.mark.django_db


@pytest.fixture
def endpoint():
    return WebhookEndpoint.objects.create(url="https://shop.example/hook", secret_digest="x")


def recorded(*names):
    """What is on its way to the endpoint, in the order in which it happened, without the addresses."""
    rows = WebhookDelivery.objects.order_by("pk")
    wanted = [(row.event, row.data) for row in rows if not names or row.event in names]
    for event, data in wanted:
        assert set(data) == set(FIELDS[EventType(event)])
    return wanted


def names():
    return [event for event, _data in recorded()]


def test_every_event_has_fields_a_signal_and_a_label():
    assert set(FIELDS) == set(events.SIGNALS) == set(EventType) >= LOGGED
    assert {signal for signal, _sender in events.SIGNALS.values()} == {
        getattr(signals, name)
        for name in signals.__all__
        if name not in ("image_made", "job_failed")
    }


@pytest.mark.django_db(transaction=True)
def test_a_made_picture_waits_and_its_background_does_not(script, start, endpoint):  # noqa: F811
    start(1, treatment="locked")
    worker.drain()
    [(event, data)] = recorded()
    assert event == "picture.waiting"
    assert data["model"] == "testcatalog.mug" and data["resource"] == f"images/{data['image']}/"


def test_what_a_person_and_a_policy_decide_is_recorded(endpoint):
    image, user = factories.image(), factories.superuser()
    review.approve(image, actor=user, note="Words that nobody else may read.")
    review.reconsider(image, actor=None)
    told = [(data["change"], data["state"], data["automatic"]) for _event, data in recorded()]
    assert told == [("approve", "approved", False), ("reconsider", "pending", True)]
    assert "Words" not in str(recorded())


def test_publishing_replacing_rolling_back_and_withdrawing_are_recorded(endpoint):
    first = factories.published()
    before, product = first.image, first.image.catalog_object
    second = factories.image(product, state="approved")
    publishing.publish(second, slot=first.slot, actor=None)
    publishing.roll_back(product, slot=first.slot, actor=None)
    publishing.withdraw(Placement.objects.get(), actor=None)
    assert [(event, data["image"], data["change"]) for event, data in recorded()] == [
        ("picture.published", before.pk, "publish"),
        ("picture.published", second.pk, "publish"),
        ("picture.published", before.pk, "roll_back"),
        ("picture.withdrawn", before.pk, "withdraw"),
    ]
    assert [data.get("before") for _event, data in recorded()][:3] == [None, before.pk, second.pk]


def test_a_placement_whose_product_is_gone_is_withdrawn(endpoint):
    placement = factories.published()
    placement.image.catalog_object.delete()
    pruning.prune(days=30)
    assert names() == ["picture.published", "picture.withdrawn"]


def test_a_picture_becomes_stale_once(endpoint):
    placement = factories.published()
    mug = placement.image.catalog_object
    WebhookDelivery.objects.all().delete()
    events.record_stale([placement])
    [(event, data)] = recorded()
    assert event == "picture.stale" and data["slot"] == placement.slot
    assert staleness.mark_stale([mug]) == []
    assert CatalogEvent.objects.get().data == data, "a stream reads it from there"


def test_a_reached_budget_is_recorded_with_its_reason(endpoint):
    run = factories.run(budget_usd="0.0001")
    for _ in range(2):
        with transaction.atomic():
            budgets.reserve({run.pk: {1: 90, 2: 90}}, day=run.created_at.date())
    reached = {"run": run.pk, "reason": "run_budget", "resource": f"runs/{run.pk}/"}
    assert recorded() == [("budget.reached", reached)]


@pytest.mark.parametrize(
    ("seconds", "count"), [((5, 20), 0), ((90,), 1), ((5, 90, 100), 1), ((90, 4000), 1)]
)
def test_a_pause_is_recorded_when_it_is_long_and_new(endpoint, seconds, count):
    for each in seconds:
        error = RateLimited("Words of the provider.", retry_after=each)
        ratelimit.record_backoff(error, provider="paid", model="m")
    assert names() == ["provider.paused"] * count
    assert "Words" not in str(recorded())


def test_a_pause_until_a_person_acts_says_so(endpoint):
    until = database_now() + ratelimit.UNTIL_A_PERSON_ACTS
    ratelimit.pause("paid", "", until=until, reason="No money.", cause="account_blocked")
    [(_event, data)] = recorded()
    assert data["needs_person"] and data["cause"] == "account_blocked" and data["model"] == ""


def test_a_run_ends_once_and_again_after_a_retry(endpoint):
    job = factories.job(state="queued")
    run = job.run
    assert run_ends.report_due() == 0, "a job is queued"
    Run.objects.update(next_look_at=database_now())
    type(job).objects.update(state="failed", live_key=None)
    assert [run_ends.report_due(), run_ends.report_due()] == [1, 0]
    [(_event, data)] = recorded("run.ended")
    assert (data["state"], data["cancelled"], data["counts"]) == ("finished", False, {"failed": 1})
    assert generation.retry_run(run) == 1
    assert run_ends.report_due() == 0
    assert generation.cancel_run(run) == 1
    Run.objects.update(next_look_at=database_now())
    assert run_ends.report_due() == 1
    assert recorded("run.ended")[1][1]["cancelled"] is True


def test_the_end_of_a_run_that_is_retried_in_this_moment_is_not_reported(endpoint, monkeypatch):
    job = factories.job(state="failed")
    counts_for = run_ends.job_counts.counts_for

    def retried_meanwhile(runs):
        generation.retry_run(job.run)
        return counts_for(runs)

    monkeypatch.setattr(run_ends.job_counts, "counts_for", retried_meanwhile)
    assert run_ends.report_due() == 0 and recorded() == []


def test_open_runs_are_looked_at_less_often_as_they_age():
    old = factories.job(state="queued").run
    Run.objects.update(created_at=database_now() - timedelta(days=30))
    run_ends.report_due()
    old.refresh_from_db()
    assert timedelta(seconds=50) < old.next_look_at - database_now() <= run_ends.LATEST


def test_an_endpoint_gets_what_it_wants_and_an_inactive_one_nothing(endpoint):
    other = WebhookEndpoint.objects.create(
        url="https://shop.example/other", events=["picture.published"], secret_digest="x"
    )
    WebhookEndpoint.objects.create(url="https://off.example/", is_active=False, secret_digest="x")
    image = factories.image()
    review.approve(image, actor=None)
    publishing.publish(image, slot="hero", actor=None)
    rows = WebhookDelivery.objects.order_by("pk").values_list("endpoint", "event", "message_id")
    decided, *published = rows
    assert decided[:2] == (endpoint.pk, "picture.decided")
    assert {row[:2] for row in published} == {
        (endpoint.pk, "picture.published"), (other.pk, "picture.published")
    }  # fmt: skip
    assert published[0][2] == published[1][2] != decided[2], "one message has one id"


def test_what_is_rolled_back_was_never_on_its_way(endpoint):
    image = factories.image()
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        review.approve(image, actor=None)
        raise ZeroDivisionError
    assert recorded() == []


def test_without_endpoints_an_event_costs_one_query_however_many_pictures_it_is_about():
    facts = [events.picture_facts(factories.image()) for _ in range(60)]
    with CaptureQueriesContext(
        connection,
    ) as queries:
        events.record(EventType.PICTURE_WAITING, facts)
        events.record(EventType.PICTURE_WAITING, [])
    assert len(queries) == 1 and not WebhookDelivery.objects.exists()


def test_with_endpoints_many_are_written_at_once(endpoint):
    facts = [events.picture_facts(factories.image()) for _ in range(60)]
    with CaptureQueriesContext(connection) as queries:
        events.record(EventType.PICTURE_WAITING, facts)
    assert len(queries) <= 3 and WebhookDelivery.objects.count() == 60


def test_a_hundred_places_are_reported_in_as_many_queries_as_two(endpoint):
    def queries_for(number):
        rows = [factories.published(position=position + number) for position in range(number)]
        changes = [places.PlaceChange(key=places.place_key(row), current=row) for row in rows]
        with transaction.atomic(), CaptureQueriesContext(connection) as queries:
            places.write_changes(changes, actor=None, move="withdraw")
        return len(queries)

    assert queries_for(20) == queries_for(2)
