"""What receivers get is what the API's description says: payloads and headers of every event, as sent."""

import json
from datetime import timedelta

import pytest
from django.db import transaction
from jsonschema import Draft202012Validator, FormatChecker

from nb_catalog import publishing, ratelimit, review, webhooks, worker
from nb_catalog.billing import budgets
from nb_catalog.core.event_types import EventType
from nb_catalog.generation import run_ends
from nb_catalog.models import Placement, Run
from nb_catalog.models.db.clock import database_now
from nb_catalog.signals import events
from nb_catalog.webhooks.endpoints import TEST_EVENT
from tests import factories
from tests.api import described
from tests.worker.conftest import script, start  # noqa: F401 - fixtures

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.once]


def cause_each_event():
    """By what makes them happen, with the values that differ most."""
    image = factories.image(series="autumn")
    review.approve(image, actor=factories.superuser(), note="")
    review.reconsider(image, actor=None)
    first = factories.published(factories.product(), locale="de")
    product = first.image.catalog_object
    second = factories.image(product, state="approved", locale="de")
    publishing.publish(second, slot=first.slot, locale="de", actor=None)
    events.record_stale([Placement.objects.get()])
    publishing.withdraw(Placement.objects.get(), actor=None)
    run = factories.run(budget_usd="0.0001")
    with transaction.atomic():
        budgets.reserve({run.pk: {1: 90, 2: 90}}, day=run.created_at.date())
    now = database_now()
    ratelimit.pause("paid", "", until=now + timedelta(hours=1), reason="", cause="rate_limited")
    until = now + ratelimit.UNTIL_A_PERSON_ACTS
    ratelimit.pause("other", "m", until=until, reason="", cause="account_blocked")
    factories.job(state="failed")
    Run.objects.update(next_look_at=database_now())
    assert run_ends.report_due()


def validator(pointer):
    schema = {"$ref": f"{described.URI}#{pointer}"}
    return Draft202012Validator(
        schema, registry=described._registry(), format_checker=FormatChecker()
    )


def test_every_message_is_as_described(script, start, receiver):  # noqa: F811 - the fixtures
    endpoint = receiver.endpoint()
    start(1, treatment="locked")
    worker.drain()
    cause_each_event()
    webhooks.send_test(endpoint)
    webhooks.send_due(seconds=20)
    document = described.document()
    assert document["webhooks"].keys() == {*EventType.values, TEST_EVENT}
    sent = set()
    for request in receiver.received:
        body = json.loads(request.body)
        operation = document["webhooks"][body["type"]]["post"]
        content = operation["requestBody"]["content"]["application/json"]["schema"]
        errors = [
            f"{body['type']} {each.json_path}: {each.message}"
            for each in validator(content["$ref"].removeprefix("#")).iter_errors(body)
        ]
        assert not errors
        headers = {name.lower(): value for name, value in request.headers.items()}
        for parameter in operation["parameters"]:
            pointer = parameter["$ref"].removeprefix("#")
            name = document["components"]["parameters"][pointer.rpartition("/")[2]]["name"]
            validator(f"{pointer}/schema").validate(headers[name])
        named = {each for each in headers if each.startswith("webhook-")}
        assert len(named) == len(operation["parameters"]) == 3
        sent.add(body["type"])
    assert sent == document["webhooks"].keys(), "each of them was really sent"


@pytest.mark.parametrize("event", EventType.values)
def test_a_description_refuses_what_is_missing_or_of_another_event(event):
    document = described.document()
    operation = document["webhooks"][event]["post"]
    pointer = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"]
    schema = document["components"]["schemas"][pointer.rpartition("/")[2]]
    data = schema["properties"]["data"]
    assert set(data["required"]) == set(data["properties"])
    check = validator(pointer.removeprefix("#"))
    assert not check.is_valid({"type": event, "timestamp": "2026-11-30T21:00:00.000Z", "data": {}})
    assert not check.is_valid({"type": "webhook.test", "timestamp": "now", "data": {}})
