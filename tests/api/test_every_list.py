"""Every list is read whole through ``next``, each row once, while others write."""

import copy
from datetime import date, timedelta
from uuid import uuid4

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from nb_catalog.models import (
    DailyBudget,
    Export,
    ProviderBatch,
    ProviderCall,
    ProviderPause,
    Publication,
    ReviewFilter,
    WebhookDelivery,
    WebhookEndpoint,
)
from tests import factories
from tests.api import described
from tests.api.conftest import Api
from tests.api.test_long_pages import path_of

pytestmark = [pytest.mark.matrix, pytest.mark.once, pytest.mark.django_db]

ROWS = 10_501
# What must differ, as text that is a key of a product, too.
UNIQUE = ("key", "plan_key", "object_id", "message_id")
UNIQUE_OF = {ProviderBatch: "name", ProviderPause: "model", ReviewFilter: "name"}


def copies(row, count, *, first=0):
    """``count`` rows like ``row``, as different as they must be."""
    columns = {field.attname for field in row._meta.concrete_fields}
    rows = []
    for number in range(first, first + count):
        each = copy.copy(row)
        each.pk, each._state = None, copy.copy(row._state)
        each._state.adding = True
        for name in columns.intersection((*UNIQUE, UNIQUE_OF.get(type(row)))):
            setattr(each, name, str(10_000_000 + number))
        if type(row) is ProviderCall:
            each.epoch = number + 2
        if "day" in columns:
            each.day = date(2100, 1, 1) + timedelta(days=number)
        if "uid" in columns:
            each.uid = uuid4()
        if "live_key" in columns:
            each.live_key = None
        rows.append(each)
    return rows


def call():
    return ProviderCall.objects.create(
        job=factories.job(of=factories.run()), epoch=1, provider="gemini", started_at=timezone.now()
    )


def endpoint():
    return WebhookEndpoint.objects.create(url="https://shop.example/events")


def delivery():
    return WebhookDelivery.objects.create(
        endpoint=endpoint(), event="run.ended", data={}, at=timezone.now()
    )


def export():
    # Listed to who has requested it.
    actor = get_user_model().objects.get()
    return Export.objects.create(pictures=[], options={}, total=0, actor=actor)


def one_row(path):
    if path == "layouts/":
        return factories.layout()
    if path == "decks/":
        return factories.deck()
    makers = {
        "scenes/": factories.scene, "runs/": factories.run, "jobs/": factories.job,
        "images/": factories.image, "placements/": factories.published, "cutouts/": factories.cutout,
        "gallery-deliveries/": factories.gallery_delivery,
        "exports/": export,
        "batches/": lambda: ProviderBatch.objects.create(name="first", provider="gemini"),
        "calls/": call, "webhooks/": endpoint, "webhook-deliveries/": delivery,
        "pauses/": lambda: ProviderPause.objects.create(provider="gemini", until=timezone.now()),
        "publications/": lambda: Publication.objects.create(title="Autumn"),
        "review-filters/": lambda: ReviewFilter.objects.create(
            owner=factories.staff(), name="Doubtful", is_shared=True
        ),
        "spending/": lambda: DailyBudget.objects.create(day=date(2026, 11, 1)),
    }  # fmt: skip
    if path in makers:
        return makers[path]()
    mug = factories.product(photo=False)
    if path == "experiments/":
        return factories.experiment(mug)
    series = factories.series(mug)
    return series.members.get() if path == "series/autumn/members/" else series


LISTS = (
    ("scenes/", "key"), ("layouts/", "key"), ("decks/", "key"), ("runs/", "id"), ("jobs/", "id"),
    ("images/", "id"), ("placements/", "id"), ("cutouts/", "id"), ("experiments/", "id"),
    ("series/", "key"), ("series/autumn/members/", "key"), ("gallery-deliveries/", "id"), ("exports/", "id"),
    ("batches/", "id"), ("calls/", "id"), ("webhooks/", "id"), ("webhook-deliveries/", "id"),
    ("pauses/", "id"), ("publications/", "id"), ("review-filters/", "id"), ("spending/", "day"),
)  # fmt: skip
# Has a row for each model that is registered, and no table.
NOT_A_TABLE = "/models/"


def pages_of_the_schema():
    """The addresses whose response is a page of a list."""
    document = described.document()
    for address, operations in document["paths"].items():
        answer = operations.get("get", {"responses": {}})["responses"].get("200", {})
        for content in answer.get("content", {}).values():
            schema = content["schema"]
            if "$ref" in schema:
                schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
            if {"next", "results"} <= schema.get("properties", {}).keys():
                yield address


def test_every_list_of_the_schema_is_walked():
    walked = {described.operation_of("get", f"{described.BASE}/{path}")[0] for path, _name in LISTS}
    assert walked | {NOT_A_TABLE} == set(pages_of_the_schema())


@pytest.fixture
def root(db, monkeypatch):
    # Which would take most of the time, and has compared rows of each of them before.
    monkeypatch.setattr(described, "check", lambda response: None)
    return Api(factories.superuser())


@pytest.mark.parametrize(("path", "name"), LISTS, ids=[path for path, _name in LISTS])
def test_a_list_is_walked_once_while_rows_are_written(root, path, name):
    row = one_row(path)
    model = type(row)._default_manager
    model.bulk_create(copies(row, ROWS - 1))
    expected = {str(getattr(each, name)) for each in model.all()}
    assert len(expected) >= ROWS
    found, address, pages, queries = [], f"{path}?page_size=200", 0, set()
    while address:
        with CaptureQueriesContext(connection) as captured:
            body = root.get(address).json()
        # The first page is counted, and fills caches.
        if pages:
            queries.add(len(captured))
        found += [str(each[name]) for each in body["results"]]
        address = path_of(body["next"])
        pages += 1
        if pages % 10 == 0:
            model.bulk_create(copies(row, 5, first=ROWS * pages))
        assert pages < 60
    assert len(found) == len(set(found)) and expected <= set(found)
    assert len(queries) == 1, queries
