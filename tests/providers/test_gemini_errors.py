"""Every failure of a call to Gemini, and the error that it becomes."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from zoneinfo import ZoneInfoNotFoundError

import aiohttp
import httpx2
import pydantic
import pytest

from nb_catalog.exceptions import (
    AccountBlocked,
    DailyQuotaReached,
    KeyRejected,
    ModelRetired,
    NotSent,
    OutcomeUnknown,
    Overloaded,
    ProviderStopped,
    RateLimited,
    RequestRejected,
    ServiceUnavailable,
    WrongService,
)
from nb_catalog.providers.gemini import errors
from nb_catalog.providers.gemini.client import transport_errors

NOON = datetime(2026, 7, 1, 19, 0, tzinfo=UTC)  # in Los Angeles


def google(code, status, message="It went wrong.", *details):
    return {"error": {"code": code, "status": status, "message": message, "details": list(details)}}


def retry_info(delay):
    return {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay}


def quota(quota_id):
    return {
        "@type": "type.googleapis.com/google.rpc.QuotaFailure",
        "violations": [{"quotaMetric": "generate_requests", "quotaId": quota_id}],
    }


def error_for(status, body, **more):
    return errors.from_response(errors.parse_error_body(status, body), now=NOON, **more)


EXHAUSTED = "RESOURCE_EXHAUSTED"
BAD_KEY = "API key not valid. Please pass a valid API key."
CREDITS = "Your prepayment credits are depleted. Please go to AI Studio."
PLAN = "You exceeded your current quota, please check your plan and billing details."


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (429, google(429, EXHAUSTED, PLAN), RateLimited),
        (429, google(429, EXHAUSTED, PLAN, quota("RequestsPerMinutePerProject")), RateLimited),
        (429, google(429, EXHAUSTED, PLAN, quota("RequestsPerDayPerProject")), DailyQuotaReached),
        (429, google(429, EXHAUSTED, CREDITS), ProviderStopped),
        (
            429,
            google(429, EXHAUSTED, "Your project exceeded its monthly spending cap."),
            ProviderStopped,
        ),
        (
            429,
            google(429, EXHAUSTED, "Over the limit.", quota("SpendPerTenMinutes")),
            ProviderStopped,
        ),
        (429, google(429, EXHAUSTED, CREDITS, quota("RequestsPerDay")), ProviderStopped),
        (429, None, RateLimited),
        (402, google(402, EXHAUSTED), ProviderStopped),
        (500, google(500, "INTERNAL"), ServiceUnavailable),
        (502, google(502, "UNAVAILABLE"), ServiceUnavailable),
        (503, google(503, "UNAVAILABLE"), Overloaded),
        (503, [google(503, "UNAVAILABLE")], Overloaded),
        (504, google(504, "DEADLINE_EXCEEDED"), ServiceUnavailable),
        (500, None, OutcomeUnknown),
        (502, {"message": "<html>", "status": "Bad Gateway"}, OutcomeUnknown),
        (503, {"error": "overloaded"}, OutcomeUnknown),
        (504, {}, OutcomeUnknown),
        (400, google(400, "INVALID_ARGUMENT"), RequestRejected),
        (400, google(400, "INVALID_ARGUMENT", BAD_KEY), KeyRejected),
        (400, google(400, "INVALID_ARGUMENT", "No.", {"reason": "API_KEY_INVALID"}), KeyRejected),
        (
            400,
            google(400, "FAILED_PRECONDITION", "User location is not supported."),
            AccountBlocked,
        ),
        (401, google(401, "UNAUTHENTICATED"), KeyRejected),
        (403, google(403, "PERMISSION_DENIED"), KeyRejected),
        (404, google(404, "NOT_FOUND"), ModelRetired),
        (404, {"message": "<html>", "status": "Not Found"}, WrongService),
        (413, None, RequestRejected),
        (307, None, WrongService),
        (204, None, OutcomeUnknown),
        (408, None, OutcomeUnknown),
        (499, google(499, "CANCELLED"), OutcomeUnknown),
    ],
)
def test_each_answer_becomes_one_kind_of_error(status, body, kind):
    error = error_for(status, body)
    assert type(error) is kind
    assert str(status) in str(error)


def test_the_wait_is_the_longest_that_is_asked_for():
    body = google(429, EXHAUSTED, "Slow down.", retry_info("2.5s"))
    assert error_for(429, body).retry_after == 2.5
    assert error_for(429, body, retry_after="7").retry_after == 7
    assert error_for(429, body, retry_after="1").retry_after == 2.5
    assert error_for(503, google(503, "UNAVAILABLE"), retry_after="30").retry_after == 30


def test_a_wait_may_be_a_date():
    assert error_for(429, None, retry_after="Wed, 01 Jul 2026 19:00:40 GMT").retry_after == 40
    assert error_for(429, None, retry_after="Wed, 01 Jul 2026 18:00:00 GMT").retry_after == 0


@pytest.mark.parametrize("delay", ["", "soon", "-2s", "infs", "1e9s", 3, None, {}])
def test_a_wait_that_cannot_be_read_is_no_wait(delay):
    assert (
        error_for(429, google(429, EXHAUSTED, "Slow down.", retry_info(delay))).retry_after is None
    )


def test_a_used_up_day_waits_for_midnight_in_los_angeles():
    body = google(429, EXHAUSTED, PLAN, quota("RequestsPerDay"), retry_info("2s"))
    assert error_for(429, body).retry_after == 12 * 3600


@pytest.mark.parametrize(
    ("now", "hours"),
    [
        (datetime(2026, 7, 1, 6, 30, tzinfo=UTC), 0.5),
        (datetime(2026, 12, 1, 7, 30, tzinfo=UTC), 0.5),
        (datetime(2026, 7, 1, 7, 0, tzinfo=UTC), 24),
        (datetime(2026, 3, 8, 8, 30, tzinfo=UTC), 22.5),  # the day that loses an hour
        (datetime(2026, 11, 1, 7, 30, tzinfo=UTC), 24.5),  # and the one that wins it back
    ],
)
def test_midnight_in_los_angeles_knows_daylight_saving(now, hours):
    assert errors.seconds_to_pacific_midnight(now) == hours * 3600


def test_without_a_time_zone_database_the_later_midnight_is_taken(monkeypatch):
    def missing(name):
        raise ZoneInfoNotFoundError(name)

    monkeypatch.setattr("nb_catalog.core.quotas.ZoneInfo", missing)
    summer = datetime(2026, 7, 1, 7, 30, tzinfo=UTC)
    assert errors.seconds_to_pacific_midnight(summer) == 1800


def test_a_rejected_key_says_where_to_set_it():
    error = error_for(401, google(401, "UNAUTHENTICATED"), key_setting="the settings")
    assert str(error).startswith("Set the key in the settings.")


@pytest.mark.parametrize(
    "body",
    [[], [[]], "text", 3, {"error": []}, {"error": {"details": 3}}, {"error": {"details": [3, {}]}},
     {"error": {"code": 429, "details": [{"violations": 3}, {"violations": [3, {"quotaId": 4}]}]}}],
)  # fmt: skip
def test_an_error_body_of_any_form_is_told(body):
    for status in (400, 429, 500):
        assert str(error_for(status, body))


def _invalid() -> Exception:
    try:
        pydantic.TypeAdapter(int).validate_python("x")
    except pydantic.ValidationError as error:
        return error
    raise AssertionError


def _key() -> aiohttp.client_reqrep.ConnectionKey:
    return aiohttp.client_reqrep.ConnectionKey(
        "host.example", 443, True, True, None, None, None, None
    )  # fmt: skip


UNSENT = [
    aiohttp.ClientConnectorError(_key(), ConnectionRefusedError(111, "refused")),
    aiohttp.ClientConnectorDNSError(_key(), OSError(-2, "unknown name")),
    aiohttp.ConnectionTimeoutError("connecting"),
    aiohttp.InvalidURL("nowhere"),
    httpx2.ConnectError("refused"),
    httpx2.ConnectTimeout("connecting"),
    httpx2.PoolTimeout("no connection free"),
]
LOST = [
    aiohttp.ServerDisconnectedError(),
    aiohttp.ClientOSError(104, "reset"),
    aiohttp.ClientPayloadError("cut"),
    aiohttp.SocketTimeoutError("reading"),
    httpx2.ReadTimeout("reading"),
    httpx2.ReadError("reset"),
    httpx2.RemoteProtocolError("dropped"),
    json.JSONDecodeError("bad", "{", 1),
    UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad"),
    _invalid(),
    TimeoutError(),
    ConnectionResetError(104, "reset"),
]


@pytest.mark.parametrize("error", UNSENT, ids=lambda error: type(error).__name__)
def test_what_failed_before_sending_is_free_to_try_again(error):
    ours = errors.from_transport_error(error, transport=transport_errors(), sent=False, timeout=300)
    assert type(ours) is NotSent
    assert ours.retryable


@pytest.mark.parametrize("error", LOST, ids=lambda error: type(error).__name__)
def test_what_failed_after_sending_may_have_been_billed(error):
    known = transport_errors()
    assert isinstance(error, known.other)
    ours = errors.from_transport_error(error, transport=known, sent=True, timeout=300)
    assert type(ours) is OutcomeUnknown
    assert not ours.retryable


def test_time_that_ran_out_before_anything_was_sent_costs_nothing():
    ours = errors.from_transport_error(
        TimeoutError(), transport=transport_errors(), sent=False, timeout=300
    )
    assert type(ours) is NotSent
