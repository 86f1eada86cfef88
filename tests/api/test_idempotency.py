"""A key belongs to a user, an address and a whole request, and starts one thing."""

import re
import threading

import pytest
from django.db import connections
from django.test import Client

from nb_catalog.api.urls import urlpatterns
from nb_catalog.core.states import JobState
from nb_catalog.core.types import Permission
from nb_catalog.models import IdempotencyKey, ImageJob, Run
from nb_catalog.operations import pruning
from tests import factories
from tests.api.conftest import BASE
from tests.settings import ROOT

HEADER = "Idempotency-Key"


@pytest.fixture
def api(api_as):
    factories.scene("marble")
    return api_as(Permission.GENERATE)


def wish(*products, **changes):
    return {
        "model": "testcatalog.mug",
        "objects": [product.pk for product in products] or "all",
        "scenes": ["marble"],
    } | changes


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"budget_usd": "6"}, "budget_usd"),
        ({"budget_usd": None}, "budget_usd"),
        ({"priority": 2}, "priority"),
        ({"variants": 2}, "variants"),
        ({"objects": "all"}, "objects"),
    ],
)
def test_another_request_under_the_same_key_is_a_conflict(api, changes, name):
    body = wish(factories.product(), budget_usd="5", key="order-1")
    assert api.post("runs/", body).status_code == 201
    answer = api.post("runs/", {**body, **changes})
    assert (answer.status_code, answer.json()["code"]) == (409, "key_reused")
    assert name in answer.json()["detail"]
    assert Run.objects.count() == 1


def test_the_same_request_may_be_written_in_another_way(api):
    mugs = [factories.product() for _n in range(2)]
    body = wish(*mugs, budget_usd="5", key="order-1")
    first = api.post("runs/", body)
    again = {**body, "budget_usd": "5.000", "objects": [str(mug.pk) for mug in reversed(mugs)]}
    for other in (again, {**again, "priority": 0, "model": "testcatalog.MUG"}):
        second = api.post("runs/", other)
        assert (second.status_code, second.json()["id"]) == (200, first.json()["id"])
    assert second.json()["key"] == "order-1"


def test_a_repetition_returns_the_run_as_it_is_now(api):
    body = wish(factories.product(), key="order-1")
    api.post("runs/", body)
    ImageJob.objects.update(state=JobState.SUCCEEDED)
    assert api.post("runs/", body).json()["counts"]["succeeded"] == 1


def test_a_key_belongs_to_its_user(api, api_as):
    other = api_as(Permission.GENERATE)
    body = wish(factories.product(), key="order-1")
    mine, theirs = api.post("runs/", body), other.post("runs/", body)
    assert (mine.status_code, theirs.status_code) == (201, 201)
    assert mine.json()["id"] != theirs.json()["id"]
    assert other.post("runs/", {**body, "budget_usd": "1"}).status_code == 409


def test_a_key_belongs_to_its_address(api):
    factories.product()
    api.post("runs/", wish(key="order-1"))
    renewal = {"model": "testcatalog.mug", "objects": "all", "key": "order-1"}
    answer = api.post("runs/renewal/", renewal)
    assert answer.status_code == 201
    assert Run.objects.count() == 2 and answer.json()["request"]["renewal"]


def test_a_key_of_a_plan_in_the_admin_opens_nothing(api):
    run = factories.run(plan_key="order-1")
    answer = api.post("runs/", wish(factories.product(), key="order-1"))
    assert answer.status_code == 201 and answer.json()["id"] != run.pk


def test_a_request_that_is_refused_leaves_its_key_unused(api):
    mug = factories.product()
    body = wish(mug, key="order-1")
    assert api.post("runs/", {**body, "tier": "drafd"}).status_code == 422
    assert api.post("runs/", body).status_code == 201


def test_a_retry_is_carried_out_once(api):
    job = factories.job(state=JobState.FAILED)
    address, key = f"runs/{job.run_id}/retry/", {HEADER: "again-1"}
    assert api.post(address, {}, **key).json()["changed"] == 1
    ImageJob.objects.update(state=JobState.FAILED, live_key=None)
    answer = api.post(address, {}, **key)
    assert (answer.status_code, answer.json()["changed"]) == (200, 1)
    job.refresh_from_db()
    assert job.state == JobState.FAILED, "it was not queued a second time"
    assert api.post(address, {"unknown": True}, **key).status_code == 409


@pytest.mark.parametrize(
    "key", ["", "  ", "a\0b", "a\nb", "a\x1b[0mb", "a\u202eb", "k" * 65, "\x80"]
)
def test_a_key_in_the_header_is_clean(api, key):
    mug, run, image = factories.product(), factories.run(), factories.image()
    for path in ("runs/", "plans/", f"runs/{run.pk}/retry/", f"images/{image.pk}/set-text/"):
        answer = api.post(path, wish(mug), **{HEADER: key})
        assert answer.status_code == 400
        assert HEADER in answer.json()["errors"]
    assert not IdempotencyKey.objects.exists()


@pytest.mark.parametrize("key", ["a\0b", "a\nb", "a\u202eb", "k" * 65, "\ud800"])
def test_a_key_in_the_body_is_clean(api, key):
    answer = api.post("runs/", wish(factories.product(), key=key))
    assert answer.status_code == 400 and "key" in answer.json()["errors"]


def race(*requests):
    """The responses to (user, body) pairs that are sent at the same moment."""
    ready, answers = threading.Barrier(len(requests)), {}

    def send(number, user, body):
        client = Client()
        client.force_login(user)
        ready.wait(10)
        try:
            answers[number] = client.post(f"{BASE}runs/", body, content_type="application/json")
        finally:
            connections.close_all()

    threads = [
        threading.Thread(target=send, args=(number, *each)) for number, each in enumerate(requests)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return [answers[number] for number in range(len(requests))]


@pytest.mark.story
@pytest.mark.django_db(transaction=True)
def test_of_racers_with_one_key_one_starts_a_run(api_as):
    factories.scene("marble")
    mug = factories.product()
    user, other = (api_as(Permission.GENERATE).user for _n in range(2))
    for number in range(3):
        body = wish(mug, key=f"order-{number}")
        answers = race((user, body), (user, body), (user, {**body, "priority": 1}), (other, body))
        statuses = [answer.status_code for answer in answers]
        *own, theirs = statuses
        assert theirs == 201
        assert own.count(201) == 1
        winner = own.index(201)
        # The winner's own request is repeated with 200, and the other one is a conflict.
        assert sorted(own) == ([200, 201, 409] if winner < 2 else [201, 409, 409])
        runs = {answer.json()["id"] for answer in answers if answer.status_code < 300}
        assert len(runs) == 2 and Run.objects.count() == 2 * (number + 1)


def test_keys_are_forgotten_with_time(api):
    api.post("runs/", wish(factories.product(), key="order-1"))
    pruning.prune(days=30)
    assert IdempotencyKey.objects.count() == 1
    IdempotencyKey.objects.update(created_at="2020-01-01T00:00:00Z")
    pruning.prune(days=30, dry_run=True)
    assert IdempotencyKey.objects.count() == 1
    pruning.prune(days=30)
    assert not IdempotencyKey.objects.exists()


def test_the_addresses_that_obey_a_key_are_those_of_the_documentation():
    text = (ROOT / "docs/api.md").read_text()
    sentence = text.partition("header is also obeyed by")[2].partition("checked everywhere")[0]
    documented = {each.split("/")[-2] for each in re.findall(r"`([a-z0-9/-]+/)`", sentence)}
    # Below which some are.
    obeying = {"7", "cutouts"}
    for pattern in urlpatterns:
        for action in getattr(pattern.callback, "actions", {}).values():
            view = pattern.callback.cls()
            view.action = action
            # Those that start runs are described before it.
            if view.operation.once and (action == "retry" or not pattern.name.startswith("run-")):
                obeying.add(str(pattern.pattern).split("/")[-2])
    assert documented == obeying
