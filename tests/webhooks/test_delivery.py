"""Messages: signed, sent at least once under one id, tried for a day; no receiver delays another."""

from __future__ import annotations

import json
import socket
import threading
import time
from datetime import timedelta

import pytest
from django.conf import settings as django_settings
from django.db import InterfaceError, connections
from standardwebhooks import Webhook, WebhookVerificationError

from nb_catalog import review, webhooks
from nb_catalog.exceptions import RequestRefused
from nb_catalog.models import WebhookDelivery, WebhookEndpoint
from nb_catalog.models.db.clock import database_now
from nb_catalog.webhooks import outbox, sending, transport
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)


def the_delivery():
    return WebhookDelivery.objects.get()


def make_due():
    """As if the pauses, of messages and of endpoints, were over."""
    WebhookDelivery.objects.filter(due_at__isnull=False).update(due_at=database_now())
    WebhookEndpoint.objects.update(not_before=None)


def test_a_receiver_verifies_what_it_gets_with_the_scheme_s_own_package(receiver):
    endpoint = receiver.endpoint()
    image = factories.image()
    review.approve(image, actor=None, note="Words that nobody else may read.")
    webhooks.send_due()
    [request] = receiver.received
    content = Webhook(endpoint.secret).verify(request.body, request.headers)
    assert content["type"] == "picture.decided" and content["timestamp"].endswith("Z")
    assert content["data"]["image"] == image.pk and b"Words" not in request.body
    assert request.headers["webhook-id"].startswith("msg_")
    assert request.headers["Content-Type"] == "application/json"
    other, _secret = webhooks.create(url=f"{receiver.root}/other")
    with pytest.raises(WebhookVerificationError):
        Webhook(_secret).verify(request.body, request.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(endpoint.secret).verify(request.body + b" ", request.headers)
    delivery = the_delivery()
    assert (delivery.state, delivery.attempts, delivery.status_code) == ("delivered", 1, 204)


def test_a_message_that_fails_is_sent_again_under_its_id_and_signed_anew(receiver, quick):
    endpoint = receiver.endpoint("/ok")
    receiver.answers["/ok"] = (500, {})
    webhooks.send_test(endpoint)
    webhooks.send_due(seconds=0)
    endpoint.refresh_from_db()
    assert endpoint.failing_since is not None and the_delivery().error_code == "status"
    receiver.answers.clear()
    make_due()
    webhooks.send_due()
    first, *_others, last = receiver.received
    assert first.headers["webhook-id"] == last.headers["webhook-id"] and first.body == last.body
    assert Webhook(endpoint.secret).verify(last.body, last.headers)["type"] == "webhook.test"
    endpoint.refresh_from_db()
    assert endpoint.failing_since is None and the_delivery().error_code == ""


@pytest.mark.story
def test_what_a_killed_process_had_claimed_is_sent_by_another_one(receiver):
    webhooks.send_test(receiver.endpoint())
    [message] = outbox.claim_due({})
    assert outbox.claim_due({}) == [] and not webhooks.send_due(), "it is held"
    make_due()
    webhooks.send_due()
    assert len(receiver.received) == 1 and the_delivery().attempts == 2
    # The first one lives after all: what it writes is too late.
    outbox.write_attempts([outbox.Attempt(message=message, failure="timeout")])
    assert the_delivery().state == "delivered"


def test_a_message_is_tried_for_a_day_with_growing_pauses_and_then_given_up(receiver):
    receiver.answers["/fail"] = (503, {})
    webhooks.send_test(receiver.endpoint("/fail"))
    pauses = []
    while (delivery := the_delivery()).state == "waiting":
        make_due()
        webhooks.send_due(seconds=0)
        delivery = the_delivery()
        if delivery.due_at:
            pauses.append(delivery.due_at - delivery.tried_at)
    assert pauses == sorted(pauses) and len(receiver.received) == len(outbox.PAUSES) + 1
    assert timedelta(hours=24) < sum(pauses, timedelta()) < timedelta(hours=30)
    assert delivery.state == "failed" and delivery.due_at is None
    receiver.answers.clear()
    assert webhooks.resend(WebhookDelivery.objects.all()) == 1
    webhooks.send_due()
    assert the_delivery().state == "delivered"
    assert len({each.headers["webhook-id"] for each in receiver.received}) == 1


def test_a_redirect_is_a_failure_and_not_followed(receiver):
    receiver.answers["/moved"] = (307, {"Location": f"{receiver.root}/elsewhere"})
    webhooks.send_test(receiver.endpoint("/moved"))
    webhooks.send_due(seconds=0)
    assert receiver.counts() == {"/moved": 1}
    assert "redirects (status 307)" in webhooks.describe_failure(the_delivery())


def test_a_receiver_that_hangs_is_given_a_limited_time(receiver, monkeypatch):
    monkeypatch.setattr(transport, "TIMEOUT_SECONDS", 0.2)
    webhooks.send_test(receiver.endpoint("/hang"))
    webhooks.send_due(seconds=0)
    assert "within 15 seconds" in webhooks.describe_failure(the_delivery())


@pytest.mark.story
def test_a_receiver_that_is_gone_is_switched_off_with_what_waits(receiver):
    receiver.answers["/gone"] = (410, {})
    endpoint = receiver.endpoint("/gone")
    for _ in range(6):
        webhooks.send_test(endpoint)
    webhooks.send_due(seconds=0)
    endpoint.refresh_from_db()
    assert not endpoint.is_active and "410" in webhooks.describe_disabled(endpoint)
    assert set(WebhookDelivery.objects.values_list("state", flat=True)) == {"failed"}
    with pytest.raises(RequestRefused, match="Switched off"):
        webhooks.resend(WebhookDelivery.objects.all())
    with pytest.raises(RequestRefused, match="Switched off"):
        webhooks.send_test(endpoint)
    webhooks.switch_on(endpoint)
    assert webhooks.resend(WebhookDelivery.objects.all()) == 6


def test_a_receiver_that_fails_for_days_is_switched_off(receiver):
    receiver.answers["/fail"] = (500, {})
    endpoint = receiver.endpoint("/fail")
    for days, is_active in ((4, True), (6, False)):
        since = database_now() - timedelta(days=days)
        WebhookEndpoint.objects.update(failing_since=since, failed_at=database_now())
        webhooks.send_test(endpoint)
        make_due()
        webhooks.send_due(seconds=0)
        endpoint.refresh_from_db()
        assert endpoint.is_active == is_active
    assert "for days" in webhooks.describe_disabled(endpoint)


@pytest.mark.parametrize(
    ("header", "least"), [("120", 110), ("Fri, 01 Jan 2100 00:00:00 GMT", 86000)]
)
def test_a_receiver_may_ask_for_time(receiver, header, least):
    receiver.answers["/busy"] = (429, {"Retry-After": header})
    endpoint = receiver.endpoint("/busy")
    for _ in range(8):
        webhooks.send_test(endpoint)
    assert not webhooks.send_due(), "what else is for it waits, too"
    endpoint.refresh_from_db()
    assert least < (endpoint.not_before - database_now()).total_seconds() <= 86400
    assert len(receiver.received) <= outbox.SLOTS


@pytest.mark.parametrize("header", ["soon", "-5", "٣", "Fri, 99 Jan"])
def test_a_header_that_nobody_understands_is_ignored(header):
    assert transport.seconds_until(header) is None


@pytest.mark.story
def test_a_fifth_of_receivers_that_fail_or_hang_delays_nobody_else(receiver):
    """The others' messages have all arrived while those that hang still do."""
    receiver.answers["/fail"] = (500, {})
    endpoints = [receiver.endpoint(path) for path in ("/hang", "/fail")]
    endpoints += [receiver.endpoint(f"/ok/{number}") for number in range(8)]
    for _ in range(20):
        for endpoint in endpoints:
            webhooks.send_test(endpoint)
    with webhooks.in_background():
        receiver.wait_for(lambda counts: all(counts[f"/ok/{each}"] >= 20 for each in range(8)))
        counts = receiver.counts()
        assert 1 <= counts["/hang"] <= outbox.SLOTS, "they still wait for their answer"
        receiver.released.set()
    assert [counts[f"/ok/{number}"] for number in range(8)] == [20] * 8


def test_to_one_that_fails_one_message_is_sent_at_a_time(receiver):
    endpoint = receiver.endpoint()
    for _ in range(9):
        webhooks.send_test(endpoint)
    assert len(outbox.claim_due({})) == outbox.SLOTS
    WebhookEndpoint.objects.update(failing_since=database_now())
    assert len(outbox.claim_due({})) == 1
    assert outbox.claim_due({endpoint.pk: 1}) == []


def test_names_that_take_long_to_look_up_delay_nobody_else(receiver, settings, monkeypatch):
    asked, lookup = [], socket.getaddrinfo

    def slow(host, *args, **options):
        if host.endswith("slow.example"):
            asked.append(host)
            receiver.released.wait(20)
            raise socket.gaierror("no such name")
        return lookup(host, *args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    for number in range(8):
        endpoint, _secret = webhooks.create(url=f"https://{number}.slow.example/")
        for _ in range(4):
            webhooks.send_test(endpoint)
    name = receiver.root.replace("127.0.0.1", "localhost")
    endpoint, _secret = webhooks.create(url=f"{name}/ok")
    webhooks.send_test(endpoint)
    with webhooks.in_background():
        receiver.wait_for(lambda counts: counts["/ok"] == 1)
        assert asked
        receiver.released.set()


@pytest.mark.story
def test_two_processes_send_each_message_once(receiver):
    endpoint = receiver.endpoint()
    for _ in range(40):
        webhooks.send_test(endpoint)

    def send():
        webhooks.send_due()
        connections.close_all()

    threads = [threading.Thread(target=send) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ids = [each.headers["webhook-id"] for each in receiver.received]
    assert len(ids) == len(set(ids)) == 40


def test_a_body_is_json_that_says_what_where_and_when(receiver):
    endpoint = receiver.endpoint()
    delivery = webhooks.send_test(endpoint)
    content = json.loads(outbox.body_of(delivery))
    assert content == {"type": "webhook.test", "timestamp": content["timestamp"], "data": {}}


def test_both_secrets_are_valid_for_a_day_after_a_rotation(receiver):
    endpoint = receiver.endpoint()
    fresh = webhooks.rotate(endpoint)
    webhooks.send_test(endpoint)
    webhooks.send_due()
    for each in (endpoint.secret, fresh):
        assert Webhook(each).verify(receiver.received[0].body, receiver.received[0].headers)
    WebhookEndpoint.objects.update(previous_until=database_now() - timedelta(seconds=1))
    webhooks.send_test(endpoint)
    webhooks.send_due()
    request = receiver.received[1]
    assert Webhook(fresh).verify(request.body, request.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(endpoint.secret).verify(request.body, request.headers)


def test_a_secret_is_nowhere_in_the_database(receiver):
    endpoint = receiver.endpoint()
    row = WebhookEndpoint.objects.filter(pk=endpoint.pk).values().get()
    assert endpoint.secret.removeprefix("whsec_")[:10] not in str(row)
    assert len({receiver.endpoint().secret for _ in range(3)} | {endpoint.secret}) == 4


def test_a_changed_secret_key_is_an_error_unless_the_former_one_is_a_fallback(receiver, settings):
    endpoint, former = receiver.endpoint(), django_settings.SECRET_KEY
    settings.SECRET_KEY = "another"
    settings.SECRET_KEY_FALLBACKS = [former]
    webhooks.send_test(endpoint)
    webhooks.send_due()
    request = receiver.received[0]
    assert Webhook(endpoint.secret).verify(request.body, request.headers)
    settings.SECRET_KEY_FALLBACKS = []
    delivery = webhooks.send_test(endpoint)
    webhooks.send_due(seconds=0)
    delivery.refresh_from_db()
    assert len(receiver.received) == 1 and "SECRET_KEY" in webhooks.describe_failure(delivery)


@pytest.mark.story
def test_old_messages_are_deleted_unless_they_wait(receiver):
    endpoint = receiver.endpoint()
    kept = webhooks.send_test(endpoint)
    done = webhooks.send_test(endpoint)
    WebhookDelivery.objects.filter(pk=done.pk).update(state="delivered", due_at=None)
    assert webhooks.prune() == 0
    WebhookDelivery.objects.update(at=database_now() - timedelta(days=31))
    assert webhooks.prune() == 1
    assert the_delivery() == kept


def test_without_messages_no_thread_is_started(django_assert_num_queries):
    with django_assert_num_queries(1):
        started = time.monotonic()
        assert not webhooks.send_due()
    assert time.monotonic() - started < 5


@pytest.fixture
def impatient(monkeypatch):
    """The background thread looks for messages all the time."""
    monkeypatch.setattr(sending, "POLL_SECONDS", 0.02)


@pytest.mark.parametrize(
    "retry_after",
    ["Thu, 01 Jan 2026 00:00:00 +9999999999999", "Mon, 01 Jan 0001 00:00:00 +2300", "soon", "²"],
)
def test_a_pause_that_cannot_be_read_stops_no_other_messages(receiver, impatient, retry_after):
    receiver.answers["/fail"] = (503, {"Retry-After": retry_after.encode().decode("latin-1")})
    failing, other = receiver.endpoint("/fail"), receiver.endpoint("/ok")
    with webhooks.in_background():
        webhooks.send_test(failing)
        receiver.wait_for(lambda counts: counts["/fail"])
        webhooks.send_test(other)
        receiver.wait_for(lambda counts: counts["/ok"])
    assert WebhookDelivery.objects.get(endpoint=failing).error_code == "status"


def test_an_error_while_sending_is_a_failure_of_that_message_only(
    receiver, impatient, monkeypatch, caplog
):
    send, broken = transport.send, receiver.endpoint("/broken")

    async def breaks(message, *, sessions):
        if message.endpoint == broken.pk:
            raise RuntimeError("unforeseen")
        return await send(message, sessions=sessions)

    monkeypatch.setattr(transport, "send", breaks)
    webhooks.send_test(broken)
    webhooks.send_test(receiver.endpoint("/ok"))
    with webhooks.in_background():
        receiver.wait_for(lambda counts: counts["/ok"])
    assert WebhookDelivery.objects.get(endpoint=broken).error_code == "connection"
    assert "could not be sent" in caplog.text


def test_an_error_while_looking_for_messages_does_not_end_the_thread(
    receiver, impatient, monkeypatch, caplog
):
    claim_due, errors = outbox.claim_due, [RuntimeError("unforeseen"), InterfaceError("closed")]

    def breaks(in_flight):
        if errors:
            raise errors.pop()
        return claim_due(in_flight)

    monkeypatch.setattr(outbox, "claim_due", breaks)
    webhooks.send_test(receiver.endpoint("/ok"))
    with webhooks.in_background():
        receiver.wait_for(lambda counts: counts["/ok"])
    assert caplog.text.count("it is tried again") == 2


def test_a_new_address_starts_without_the_failures_of_the_old_one(receiver):
    receiver.answers["/busy"] = (429, {"Retry-After": "3600"})
    endpoint = receiver.endpoint("/busy")
    webhooks.send_test(endpoint)
    webhooks.send_due(seconds=0)
    since = database_now() - timedelta(days=30)
    WebhookEndpoint.objects.update(failing_since=since)
    endpoint.refresh_from_db()
    same = {"events": [], "description": "Renamed"}
    webhooks.update(endpoint, url=endpoint.url, **same)
    assert WebhookEndpoint.objects.get().failing_since == since and endpoint.not_before
    # As a form does, which sets the address before it saves.
    endpoint.url = f"{receiver.root}/ok"
    webhooks.update(endpoint, url=endpoint.url, **same)
    endpoint.refresh_from_db()
    assert (endpoint.failing_since, endpoint.failed_at, endpoint.not_before) == (None, None, None)
    webhooks.send_test(endpoint)
    webhooks.send_due(seconds=0)
    assert receiver.counts()["/ok"] == 1


@pytest.mark.parametrize("failure", ["gone", ""])
def test_what_becomes_of_a_message_to_the_old_address_says_nothing_of_the_new_one(failure):
    endpoint, _secret = webhooks.create(url="https://shop.example/old")
    webhooks.send_test(endpoint)
    [message] = outbox.claim_due({})
    webhooks.update(endpoint, url="https://shop.example/new", events=[], description="")
    WebhookEndpoint.objects.update(failing_since=None if failure else database_now())
    before = WebhookEndpoint.objects.values().get()
    outbox.write_attempts([outbox.Attempt(message=message, failure=failure)])
    assert WebhookEndpoint.objects.values().get() == before


@pytest.mark.parametrize(("hours", "is_active"), [(30, False), (72, True)])
def test_only_failures_without_days_of_silence_switch_an_endpoint_off(hours, is_active):
    endpoint, _secret = webhooks.create(url="https://shop.example/")
    now = database_now()
    WebhookEndpoint.objects.update(
        failing_since=now - timedelta(days=6), failed_at=now - timedelta(hours=hours)
    )
    webhooks.send_test(endpoint)
    [message] = outbox.claim_due({})
    outbox.write_attempts([outbox.Attempt(message=message, failure="timeout")])
    endpoint.refresh_from_db()
    assert endpoint.is_active == is_active
    assert (endpoint.failing_since >= now) == is_active


@pytest.mark.parametrize("act", ["prune", "switch_on"])
def test_what_was_recorded_while_an_endpoint_was_switched_off_does_not_wait_for_ever(act):
    endpoint, _secret = webhooks.create(url="https://shop.example/")
    webhooks.send_test(endpoint)
    # As if the event's transaction had found it active, and committed afterwards.
    WebhookEndpoint.objects.update(is_active=False)
    endpoint.refresh_from_db()
    if act == "prune":
        assert webhooks.prune() == 0
    else:
        webhooks.switch_on(endpoint)
    assert "switched off" in webhooks.describe_failure(the_delivery())
    assert outbox.claim_due({}) == []
    WebhookDelivery.objects.update(at=database_now() - timedelta(days=400))
    assert webhooks.prune() == 1
