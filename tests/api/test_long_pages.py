"""Lists of the API that are too long to be counted: by key, every row once, and no query reads it all."""

from __future__ import annotations

import json
import random
from base64 import b64encode, urlsafe_b64decode, urlsafe_b64encode

import django
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from nb_catalog.api.keyset import Keyset
from nb_catalog.api.placements import PlacementViewSet
from nb_catalog.core import pagination
from nb_catalog.models import Placement
from nb_catalog.models.generic import content_type_of
from tests import factories
from tests.api import described
from tests.api.conftest import BASE
from tests.catalog.models import Mug, Vase

pytestmark = pytest.mark.django_db

# More than any list of these tests has.
MOST_ROWS = 11_000
TABLE = f"FROM {connection.ops.quote_name('nb_catalog_imagejob')}"


@pytest.fixture
def api(api_as):
    return api_as()


@pytest.fixture
def jobs(monkeypatch):
    monkeypatch.setattr(pagination, "COUNT_LIMIT", 20)
    about, run = factories.product(photo=False), factories.run()
    return [factories.job(about, of=run) for _ in range(25)]


def walk(client, address):
    keys = []
    while address:
        body = client.get(address).json()
        keys += [row["id"] for row in body["results"]]
        assert len(keys) <= MOST_ROWS, "next leads in a circle"
        address = path_of(body["next"])
    return keys


def path_of(link):
    return link and link.partition(BASE)[2]


def test_next_leads_to_every_row_once(api, jobs):
    first = api.get("jobs/?page_size=10").json()
    assert first["count"] is None and first["previous"] is None
    assert walk(api, "jobs/?page_size=10") == [job.pk for job in jobs]


def test_the_newest_pictures_come_first_there_too(api, monkeypatch):
    monkeypatch.setattr(pagination, "COUNT_LIMIT", 3)
    images = [factories.image() for _ in range(5)]
    assert walk(api, "images/?page_size=2") == [image.pk for image in reversed(images)]


def test_no_query_counts_or_skips_them(api, jobs):
    following = path_of(api.get("jobs/?page_size=10").json()["next"])
    with CaptureQueriesContext(connection) as captured:
        assert api.get(following).status_code == 200
    about_jobs = [q["sql"] for q in captured if TABLE in q["sql"]]
    assert about_jobs and all("LIMIT" in sql and "OFFSET" not in sql for sql in about_jobs)


def test_who_asks_for_a_page_by_its_number_gets_it_counted(api, jobs):
    body = api.get("jobs/?page=2&page_size=10").json()
    assert body["count"] == 25
    assert [row["id"] for row in body["results"]] == [job.pk for job in jobs[10:20]]


def test_a_cursor_that_is_none_is_said_to_be(api, jobs):
    answer = api.get("jobs/?cursor=nonsense")
    assert answer.status_code == 404
    assert "cursor" in answer.json()["detail"].lower()


def test_a_short_list_is_counted(api, jobs, monkeypatch):
    monkeypatch.setattr(pagination, "COUNT_LIMIT", 25)
    assert api.get("jobs/").json()["count"] == 25


def many_placements(count):
    """Placements of two models in every order but that of their keys, without files."""
    real = factories.published()
    real.delete()
    types = [content_type_of(model) for model in (Mug, Vase)]
    rows = [
        Placement(
            content_type=types[number % 2],
            object_id=str(number // 7),
            slot=("hero", "gallery", "social")[number % 3],
            locale=("", "de", "en", "fr")[number % 4],
            position=number,
            image_id=real.image_id,
            picture_data=real.picture_data,
        )
        for number in range(count)
    ]
    random.Random(7).shuffle(rows)
    Placement.objects.bulk_create(rows)
    order = Placement.objects.order_by("content_type_id", "object_id", "slot", "position", "locale")
    return list(order.values_list("pk", flat=True))


def test_every_placement_is_on_one_page_beyond_ten_thousand(api, monkeypatch):
    keys = many_placements(10_500)
    # Everything else about a placement takes nine tenths of the time.
    # Of a placement it reads only the key, which is not what is described.
    monkeypatch.setattr(described, "check", lambda response: None)
    monkeypatch.setattr(
        PlacementViewSet, "serialize_page", lambda view, page: [{"id": row.pk} for row in page]
    )
    assert walk(api, "placements/?page_size=200") == keys


@pytest.mark.parametrize("page_size", [1, 7, 30, 31])
def test_pages_lead_back_the_way_they_came(api, monkeypatch, page_size):
    monkeypatch.setattr(pagination, "COUNT_LIMIT", 20)
    keys = many_placements(30)
    pages, address = [], f"placements/?page_size={page_size}"
    while address:
        body = api.get(address).json()
        pages.append([row["id"] for row in body["results"]])
        assert len(pages) <= len(keys), "next leads in a circle"
        address, back = path_of(body["next"]), body["previous"]
    assert [key for page in pages for key in page] == keys
    for page in reversed(pages[:-1]):
        body = api.get(path_of(back)).json()
        assert [row["id"] for row in body["results"]] == page and body["next"]
        back = body["previous"]
    assert back is None


def test_rows_that_come_and_go_meanwhile_move_no_others(api, monkeypatch):
    monkeypatch.setattr(pagination, "COUNT_LIMIT", 20)
    keys = many_placements(40)
    first = api.get("placements/?page_size=10").json()
    Placement.objects.filter(pk__in=(*keys[:5], keys[9], keys[15])).delete()
    rest = walk(api, path_of(first["next"]))
    assert rest == [key for key in keys[10:] if key != keys[15]]


ORDERS = [("slot", "-position"), ("-slot", "-locale"), ("locale",), ("-published_at", "slot"), ()]


@pytest.mark.parametrize("order", ORDERS)
def test_any_ordering_of_a_host_is_followed_whole(api, monkeypatch, order):
    monkeypatch.setattr(pagination, "COUNT_LIMIT", 20)
    many_placements(60)
    rows = Placement.objects.order_by(*order)
    monkeypatch.setattr(PlacementViewSet, "get_queryset", lambda view: rows)
    found = walk(api, "placements/?page_size=7")
    assert sorted(found) == sorted(rows.values_list("pk", flat=True)) and len({*found}) == 60
    names = [name.lstrip("-") for name in order] or ["slot"]
    by_key = {row.pk: row for row in rows}
    firsts = [getattr(by_key[key], names[0]) for key in found]
    assert firsts == sorted(firsts, reverse=bool(order) and order[0].startswith("-"))


@pytest.mark.parametrize("order", [("stale_since",), ("image__sha256",), ("content_type",), ("?",)])
def test_an_ordering_without_a_keyset_has_numbered_pages(api, monkeypatch, order):
    monkeypatch.setattr(pagination, "COUNT_LIMIT", 20)
    many_placements(30)
    rows = Placement.objects.order_by(*order)
    monkeypatch.setattr(PlacementViewSet, "get_queryset", lambda view: rows)
    body = api.get("placements/?page_size=7").json()
    assert body["count"] == 30 and "page=2" in body["next"]
    assert api.get("placements/?cursor=WzFd").status_code == 404


LISTS = ("models", "scenes", "layouts", "decks", "runs", "jobs", "images", "placements")


def cursors(real):
    """Cursors that somebody has changed, by hand or by accident."""
    reverse, *values = json.loads(urlsafe_b64decode(real + "=="))
    for changed in (
        [reverse], [reverse, *values, "x"], [reverse, *values[:-1]], [None, *values], [0, *values],
        [reverse, *(["x"] * len(values))], [reverse, *(["9" * 30] * len(values))],
        [reverse, *(["\0"] * len(values))], [reverse, *(["\ud800"] * len(values))],
        [reverse, *([None] * len(values))], [reverse, *([7] * len(values))],
        [reverse, *([["1"]] * len(values))], [reverse, *(["-1e999"] * len(values))],
        {"a": 1}, [], None, 7, "text", [[]], [reverse, *(["x" * 1500] * len(values))],
    ):  # fmt: skip
        yield urlsafe_b64encode(json.dumps(changed).encode()).decode().rstrip("=")
    yield urlsafe_b64encode(b"[" * 1400).decode()
    yield from (
        "",
        "%",
        "p=1",
        "cD0x",
        "bz0x",
        real[:-3],
        real[3:],
        real + "A",
        "é",
        "\0",
        "A" * 9000,
    )
    # As DRF's own pagination wrote them.
    for text in (b"p=x", b"o=1&p=99999999999999999999", b"r=x"):
        yield b64encode(text).decode()


def test_no_cursor_breaks_a_list(api, anybody, settings):
    factories.published()
    factories.job()
    factories.scene()
    factories.layout()
    factories.deck()
    settings.NB_CATALOG = {**settings.NB_CATALOG, "API_PUBLIC_PLACEMENTS": True}
    first = Keyset.of(PlacementViewSet().get_queryset())
    real = first._encode(Placement.objects.get(), reverse=False)
    for name in LISTS:
        for cursor in cursors(real):
            answer = api.get(f"{name}/", {"cursor": cursor})
            assert answer.status_code in (200, 400, 404), (name, cursor)
            assert answer.status_code == 200 or answer["Content-Type"] == "application/problem+json"
    for cursor in cursors(real):
        assert anybody.get("placements/", {"cursor": cursor}).status_code in (200, 400, 404)


def test_a_page_deep_in_a_list_is_found_by_an_index(api):
    many_placements(10_500)
    # Without statistics a database may prefer to read everything. MySQL would commit.
    if connection.vendor != "mysql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
    rows = PlacementViewSet().get_queryset()
    keyset = Keyset.of(rows)
    with CaptureQueriesContext(connection) as captured:
        deep = keyset.page(rows, size=50, cursor=keyset._encode(rows[9000], reverse=False))
    assert [row.pk for row in deep.rows] == list(rows.values_list("pk", flat=True)[9001:9051])
    # Django 6.1 writes "= 1" behind a bare expression on SQLite, which reads the index from its beginning.
    if connection.vendor == "sqlite" and django.VERSION < (6, 1):
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN QUERY PLAN {captured[-1]['sql']}")
            plan = " ".join(str(row) for row in cursor.fetchall())
        assert "(content_type_id,object_id,slot)>(?,?,?)" in plan, plan


@pytest.mark.skipif(connection.vendor != "sqlite", reason="about SQLite's planner")
@pytest.mark.parametrize(
    "query", ["", "state=pending", "scene=marble", "state=pending&scene=marble"]
)
def test_the_newest_pictures_are_read_in_order_and_not_sorted(api, query):
    factories.image()
    with CaptureQueriesContext(connection) as captured:
        assert api.get(f"images/?{query}").status_code == 200
    ordered = [
        q["sql"] for q in captured
        if '"nb_catalog_productimage"."id" DESC' in q["sql"] and "LIMIT" in q["sql"]
    ]  # fmt: skip
    assert ordered
    for sql in ordered:
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
            plan = " ".join(str(row) for row in cursor.fetchall())
        assert "TEMP B-TREE" not in plan, plan
