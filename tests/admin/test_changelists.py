"""Lists of more rows than anybody counts: by key, newest first, without reading the table."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from nb_catalog.core import pagination
from nb_catalog.core.states import JobState
from nb_catalog.models import ImageJob, ProductImage
from tests import factories

pytestmark = pytest.mark.django_db

TABLE = f"FROM {connection.ops.quote_name('nb_catalog_imagejob')}"
JOBS = reverse("admin:nb_catalog_imagejob_changelist")
IMAGES = reverse("admin:nb_catalog_productimage_changelist")
CALLS = reverse("admin:nb_catalog_providercall_changelist")


@pytest.fixture
def long(monkeypatch):
    """120 jobs, which is a long list here: three pages of 50."""
    monkeypatch.setattr(pagination, "COUNT_LIMIT", 60)
    about, run = factories.product(photo=False), factories.run()
    return [factories.job(about, of=run) for _ in range(120)]


def shown(page):
    return [int(key) for key in re.findall(r"/imagejob/(\d+)/change/", page)]


def link(page, rel):
    found = re.search(rf'<a href="([^"]+)" rel="{rel}"', page)
    return found and JOBS + found[1].replace("&amp;", "&")


def read(client, address):
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def test_every_row_is_on_one_page_on_the_way_down_and_up(root, long):
    page, down = read(root, JOBS), []
    assert link(page, "prev") is None
    while True:
        down += shown(page)
        assert len(down) <= len(long), "rows are shown again"
        if (following := link(page, "next")) is None:
            break
        page = read(root, following)
    assert down == [job.pk for job in reversed(long)]
    up = shown(page)
    while previous := link(page, "prev"):
        page = read(root, previous)
        up = shown(page) + up
        assert len(up) <= len(long), "rows are shown again"
    assert up == down


def test_no_query_reads_more_than_a_page(root, long):
    read(root, JOBS)
    with CaptureQueriesContext(connection) as captured:
        read(root, JOBS)
    about_jobs = [q["sql"] for q in captured if TABLE in q["sql"]]
    assert about_jobs
    for sql in about_jobs:
        assert "LIMIT" in sql or "MIN(" in sql, sql
        assert "DISTINCT" not in sql and "OFFSET" not in sql, sql


def test_a_long_list_says_about_how_long_it_is(root, long):
    assert "About 120 jobs" in read(root, JOBS)
    assert "More than 60 jobs" in read(root, f"{JOBS}?state__exact=queued")


def test_filters_and_searches_start_from_the_top(root, long):
    page = read(root, f"{JOBS}?before={long[20].pk}")
    assert shown(page)[0] == long[19].pk
    assert 'name="before"' not in page
    filters = re.findall(r'href="(\?[^"]*state__exact[^"]*)"', page)
    assert filters and not any("before=" in each for each in filters)


def test_pages_keep_the_filter(root, long):
    following = link(read(root, f"{JOBS}?state__exact=queued"), "next")
    assert "state__exact=queued" in following and "before=" in following
    assert len(shown(read(root, following))) == 50


def test_a_long_list_is_not_sorted_otherwise(root, long):
    page = read(root, f"{JOBS}?o=3")
    assert shown(page)[0] == long[-1].pk
    assert "sortable" not in page


@pytest.mark.parametrize("bad", ["abc", "-1", "1e9", "9" * 30, "١٢"])
def test_an_address_with_a_bad_key_leads_to_the_list(root, long, bad):
    answer = root.get(JOBS, {"before": bad})
    assert answer.status_code == 302 and answer.url.endswith("?e=1")


def test_a_short_list_is_djangos_own(root, long):
    ImageJob.objects.filter(pk__gt=long[54].pk).delete()
    page = read(root, JOBS)
    assert "55 jobs" in page and "p=2" in page and "sortable" in page


def test_filters_offer_what_is_known_without_reading_the_table(root):
    factories.scene("oak")
    page = read(root, IMAGES)
    assert "scene__exact=oak" in page and "tier__exact=draft" in page
    assert "model__exact=gemini-3.1-flash-lite-image" in read(root, CALLS)


def test_a_product_is_found_by_its_key_and_by_nothing_like_it(root):
    mug = factories.product(photo=False)
    job, _other = factories.job(mug), factories.job(factories.product(photo=False))
    assert shown(read(root, f"{JOBS}?q={mug.pk}")) == [job.pk]


def test_a_failed_job_is_found_by_words_of_its_error(root):
    job = factories.job(
        state=JobState.FAILED, error="The lamp is on fire.", error_code="no_picture"
    )
    factories.job(state=JobState.SUCCEEDED)
    assert (
        shown(read(root, f"{JOBS}?q=LAMP")) == shown(read(root, f"{JOBS}?q=no_picture")) == [job.pk]
    )


def test_a_picture_is_found_by_the_beginning_of_its_hash(root):
    image, _other = factories.image(), factories.image()
    for term in (image.sha256[:12].upper(), image.fingerprint):
        page = read(root, f"{IMAGES}?q={term}")
        assert f"/productimage/{image.pk}/" in page
        assert page.count('class="action-select"') == 1
    found = ProductImage.objects.filter(sha256__startswith=image.sha256[:12]).count()
    assert found == 1
    assert "0 product images" in read(root, f"{IMAGES}?q=zzz")


def test_the_review_page_counts_no_more_than_it_can_show(root, monkeypatch):
    monkeypatch.setattr(pagination, "COUNT_LIMIT", 3)
    for _ in range(5):
        factories.image()
    page = read(root, reverse("admin:nb_catalog_productimage_review"))
    assert "More than 3 pictures" in page
