"""Lists of the API that are too long to be counted: by key, every row once, and no query reads it all."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from nb_catalog.core import pagination
from tests import factories
from tests.api.conftest import BASE

pytestmark = pytest.mark.django_db

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
