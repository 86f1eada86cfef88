"""Streams of a real ASGI server: what they send, where they resume, and when they end."""

import gc
import time
from datetime import timedelta
from statistics import median

import pytest
from django.contrib.auth import get_user_model
from django.db.backends.base.base import BaseDatabaseWrapper
from django.urls import reverse

from nb_catalog.core.states import JobState
from nb_catalog.core.types import Permission
from nb_catalog.live import RunFeed, feeds, rows, streams
from nb_catalog.models import ImageJob, Run
from tests import factories
from tests.live.server import PATIENCE, Stream, serving

pytestmark = pytest.mark.django_db(transaction=True)


def admin_url(run):
    return reverse("admin:nb_catalog_run_events", args=[run.pk])


def api_url(run):
    return reverse("nb_catalog_api:run-events", args=[run.pk])


@pytest.fixture
def run():
    run = factories.run()
    factories.job(of=run)
    factories.job(of=run)
    return run


def make(run, number=1):
    rows = run.jobs.filter(state=JobState.QUEUED).values_list("pk", flat=True)[:number]
    ImageJob.objects.filter(pk__in=list(rows)).update(state=JobState.SUCCEEDED)


@pytest.mark.parametrize("url", [admin_url, api_url])
def test_progress_is_sent_when_it_changes_and_the_stream_ends_with_the_run(port, root, run, url):
    with Stream(port, url(run), client=root) as stream:
        assert (stream.status, stream.headers["Content-Type"]) == (200, "text/event-stream")
        assert "no-store" in stream.headers["Cache-Control"]
        assert stream.headers["X-Accel-Buffering"] == "no"
        name, first, data = stream.next()
        assert (name, data["percent"], data["over"]) == ("progress", 0, False)
        make(run)
        name, second, data = stream.next()
        assert (name, data["percent"]) == ("progress", 50) and second != first
        make(run)
        assert stream.next()[2]["over"] is True
        name, last, _data = stream.next()
        assert name == "end" and stream.next() is None
    with Stream(port, url(run), client=root, last_id=last) as stream:
        assert stream.status == 204, "or the browser would come back for ever"
    with Stream(port, url(run), client=root) as stream:
        assert [stream.next()[0], stream.next()[0], stream.next()] == ["progress", "end", None]


def test_events_have_the_data_of_the_api(port, root, run):
    with Stream(port, api_url(run), client=root) as stream:
        _name, _id, data = stream.next()
    path = reverse("nb_catalog_api:run-progress", args=[run.pk])
    assert data == root.get(path).json()
    polled = root.get(api_url(run), headers={"accept": "application/json"}).json()
    assert polled["events"][0]["data"] == data


def test_after_a_restart_of_the_server_a_client_gets_what_it_missed_and_nothing_twice(root, run):
    with serving() as port, Stream(port, admin_url(run), client=root) as stream:
        _name, seen, _data = stream.next()
    make(run)
    with serving(port), Stream(port, admin_url(run), client=root, last_id=seen) as stream:
        _name, seen, data = stream.next()
        assert data["percent"] == 50
    with serving(port), Stream(port, admin_url(run), client=root, last_id=seen) as stream:
        make(run)
        _name, latest, data = stream.next()
        assert latest != seen, "the first event is a new one"
        # On a slow machine, time alone has changed something before.
        while data["percent"] != 100:
            data = stream.next()[2]


def test_a_picture_comes_once_in_a_stream_however_long_it_lasts(port, root, monkeypatch):
    mug = factories.product(photo=False)
    url = reverse("admin:nb_catalog_productimage_events")
    with Stream(port, url, client=root) as stream:
        first = factories.image(mug)
        assert stream.next()[2]["image"] == first.pk
        # It settles: the position moves on, and nothing is to be sent.
        monkeypatch.setattr(rows, "SETTLES_AFTER", timedelta(0))
        time.sleep(10 * feeds.POLL_SECONDS)
        second = factories.image(mug)
        assert stream.next()[2]["image"] == second.pk


def log_out(client):
    client.logout()


def demote(client):
    get_user_model().objects.filter(pk=client.user.pk).update(is_superuser=False)


def disable(client):
    get_user_model().objects.filter(pk=client.user.pk).update(is_active=False)


def change_password(client):
    client.user.set_password("another")
    client.user.save()


@pytest.mark.parametrize("url", [admin_url, api_url])
@pytest.mark.parametrize("end", [log_out, demote, disable, change_password])
def test_a_user_who_may_no_longer_watch_receives_nothing_more(
    port, root, run, url, end, monkeypatch
):
    monkeypatch.setattr(streams, "PING_SECONDS", 0.1)
    with Stream(port, url(run), client=root) as stream:
        stream.next()
        assert stream.next()[0] == "ping"
        end(root)
        while (event := stream.next()) is not None:
            assert event[0] == "ping"


def test_who_loses_one_of_several_permissions_is_not_sent_its_events_any_more(
    port, client, monkeypatch
):
    """The stream ends; the client connects again, and gets what it may still see."""
    monkeypatch.setattr(streams, "PING_SECONDS", 0.1)
    user = factories.staff("nb_catalog.view_run", "nb_catalog.view_productimage", views=False)
    client.force_login(user)
    with Stream(port, "/api/catalog-images/events/", client=client) as stream:
        image = factories.image()
        while (event := stream.next())[0] == "ping":
            continue
        assert (event[0], event[2]["image"]) == ("picture.waiting", image.pk)
        assert stream.next()[0] == "ping"
        user.user_permissions.remove(*user.user_permissions.filter(codename="view_productimage"))
        while (event := stream.next()) is not None:
            assert event[0] == "ping"


@pytest.mark.parametrize("permission", [None, Permission.REVIEW])
def test_a_stream_needs_the_permission_to_view_runs(port, client, run, permission):
    user = factories.staff(*([permission] if permission else []), views=False)
    client.force_login(user)
    for url in (admin_url, api_url):
        with Stream(port, url(run), client=client) as stream:
            assert stream.status == 403


def test_a_stream_ends_after_a_while_and_goes_on_where_it_was(port, root, run, monkeypatch):
    monkeypatch.setattr(streams, "LIFETIME_SECONDS", 0.3)
    with Stream(port, admin_url(run), client=root) as stream:
        _name, seen, _data = stream.next()
        assert stream.next() is None
    make(run)
    with Stream(port, admin_url(run), client=root, last_id=seen) as stream:
        assert stream.next()[2]["percent"] == 50


def test_a_deleted_run_ends_its_stream(port, root, run):
    with Stream(port, admin_url(run), client=root) as stream:
        stream.next()
        Run.objects.all().delete()
        assert stream.next()[0] == "end" and stream.next() is None


def test_too_many_streams_are_refused_and_places_are_free_again(port, root, run, monkeypatch):
    monkeypatch.setattr(streams, "MOST_STREAMS", 1)
    with Stream(port, admin_url(run), client=root) as first:
        first.next()
        with Stream(port, admin_url(run), client=root) as second:
            assert (second.status, second.headers["Retry-After"]) == (503, "30")
    deadline = time.monotonic() + PATIENCE
    while feeds.open_streams():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    with Stream(port, admin_url(run), client=root) as third:
        assert third.next()[0] == "progress"


def open_connections():
    """Of all threads. SQLite keeps the files of closed ones open, so that files say nothing."""
    wrappers = (each for each in gc.get_objects() if issubclass(type(each), BaseDatabaseWrapper))
    return sum(each.connection is not None for each in wrappers)


@pytest.mark.story
def test_open_streams_hold_no_connections_of_the_database(port, root, run, monkeypatch):
    monkeypatch.setattr(feeds, "POLL_SECONDS", 0.5)
    before = open_connections()
    many = [Stream(port, admin_url(run), client=root) for _ in range(8)]
    for stream in many:
        assert stream.next()[0] == "progress"
    counted = []
    for _ in range(12):
        counted.append(open_connections())
        time.sleep(0.1)
    for stream in many:
        stream.close()
    # Only while a poll runs, its thread has one, of two.
    assert median(counted) <= before and max(counted) <= before + 2


def test_streams_of_one_run_share_its_queries(port, root, run, monkeypatch):
    reads, read = [], RunFeed.read

    def counted(self, before):
        reads.append(before)
        return read(self, before)

    monkeypatch.setattr(RunFeed, "read", counted)
    many = [Stream(port, admin_url(run), client=root) for _ in range(8)]
    for stream in many:
        stream.next()
    reads.clear()
    begun = time.monotonic()
    time.sleep(1)
    polls = (time.monotonic() - begun) / feeds.POLL_SECONDS
    assert 0 < len(reads) <= polls + 1, "eight would read eight times as often"
    for stream in many:
        stream.close()


def test_without_a_session_the_user_is_read_again_too(rf):
    """As with tokens, or a middleware of the host's own."""
    request = rf.get("/")
    request.user = factories.staff()
    type(request.user).objects.update(is_active=False)
    assert not streams.authenticated_again(request).user.is_active and request.user.is_active
    type(request.user).objects.all().delete()
    assert streams.authenticated_again(request).user.is_anonymous


def test_under_wsgi_there_is_no_stream_but_the_same_events_as_json(root, run):
    for url in (admin_url(run), api_url(run)):
        refused = root.get(url, headers={"accept": "text/event-stream"})
        assert refused.status_code == 406 and b"application/json" in refused.content
        found = root.get(url, headers={"accept": "application/json"}).json()
        [event] = found["events"]
        assert (event["event"], event["data"]["percent"], found["over"]) == ("progress", 0, False)
        headers = {"accept": "application/json", "last-event-id": found["last_id"]}
        assert root.get(url, headers=headers).json()["events"] == []
    page = root.get(reverse("admin:nb_catalog_run_change", args=[run.pk])).content.decode()
    assert 'data-events=""' in page
