"""The stream of all events: the same as webhooks get, to those who may see them."""

from __future__ import annotations

import json

import pytest

from nb_catalog import publishing, ratelimit, review, webhooks
from nb_catalog.api.events import NEEDED
from nb_catalog.billing import budgets
from nb_catalog.core.event_types import EventType
from nb_catalog.generation import run_ends
from nb_catalog.live import CatalogFeed
from nb_catalog.models import WebhookDelivery
from nb_catalog.models.db.clock import database_now
from nb_catalog.signals import events
from tests import factories

pytestmark = pytest.mark.django_db
URL = "/api/catalog-images/events/"
POLL = {"Accept": "application/json"}


def everything_happens():
    """One of each event. Returns the names of those that were recorded, in this order."""
    image = factories.image(series="autumn")
    events.record(EventType.PICTURE_WAITING, [events.picture_facts(image)])
    review.approve(image, actor=factories.superuser())
    placement = publishing.publish(image, slot="hero", actor=None)
    events.record_stale([placement])
    publishing.withdraw(placement, actor=None)
    run = factories.run(budget_usd="0.0001")
    budgets.reserve({run.pk: {1: 900}}, day=run.created_at.date())
    ratelimit.pause(
        "paid", "m", until=database_now() + ratelimit.UNTIL_A_PERSON_ACTS, reason="No.", cause="key"
    )
    run_ends.report_due()


def test_a_stream_has_what_webhooks_get():
    feed = CatalogFeed()
    state = feed.read(None)
    after = feed.position(state)
    webhooks.create(url="https://shop.example/hook")
    everything_happens()
    state = feed.read(state)
    streamed = [(each.name, dict(each.data)) for each in feed.events(state, after=after)]
    sent = [(row.event, row.data) for row in WebhookDelivery.objects.all()]

    def as_text(found):
        return sorted(json.dumps(each, sort_keys=True, default=str) for each in found)

    assert as_text(streamed) == as_text(sent)
    assert {name for name, _data in streamed} == set(EventType) == set(NEEDED)


def names_for(client, query=""):
    response = client.get(URL + query, headers=POLL)
    assert response.status_code == 200, response.content
    return {each["event"] for each in response.json()["events"]}


@pytest.fixture
def signed_in(client):
    def signed_in(*permissions):
        client.force_login(factories.staff(*permissions, views=False))
        return client

    return signed_in


def test_who_sees_runs_pictures_or_placements_gets_their_events(signed_in):
    everything_happens()
    runs = {"run.ended", "budget.reached", "provider.paused"}
    images = {"picture.waiting", "picture.decided"}
    places = {"picture.published", "picture.withdrawn", "picture.stale"}
    assert names_for(signed_in("nb_catalog.view_run")) == runs
    assert names_for(signed_in("nb_catalog.view_productimage")) == images
    client = signed_in("nb_catalog.view_placement", "nb_catalog.view_productimage")
    assert names_for(client) == images | places
    query = "?event=picture.published&event=run.ended"
    assert names_for(client, query) == {"picture.published"}
    assert client.get(f"{URL}?event=run.endet", headers=POLL).status_code == 400
    assert signed_in().get(URL, headers=POLL).status_code == 403


def test_a_client_resumes_after_the_last_event_that_it_has_seen(signed_in):
    client = signed_in("nb_catalog.view_run")
    before = client.get(URL, headers=POLL).json()["last_id"]
    everything_happens()
    response = client.get(URL, headers={**POLL, "Last-Event-ID": before})
    assert [each["event"] for each in response.json()["events"]] == [
        "budget.reached", "provider.paused", "run.ended"
    ]  # fmt: skip
