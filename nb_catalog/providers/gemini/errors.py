"""Converts every failure of a call to Gemini into a ``ProviderError``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Final, NamedTuple

from nb_catalog.core.quotas import pacific
from nb_catalog.exceptions import (
    DailyQuotaReached,
    KeyRejected,
    ModelRetired,
    NoCredentials,
    NotSent,
    OutcomeUnknown,
    Overloaded,
    PageInstead,
    ProviderError,
    ProviderStopped,
    RateLimited,
    RequestRejected,
    ServiceUnavailable,
    WrongService,
)
from nb_catalog.providers.gemini.client import TransportErrors
from nb_catalog.providers.responses import is_web_page, mappings, one_line

# Only the message says so: "Your prepayment credits are depleted", "monthly spending cap",
# "spend-based rate limit". "Check your plan and billing details" is part of every 429.
_MONEY: Final = re.compile(r"\bspend|\bprepa(?:y|id)|credits? (?:are|is|have been) ", re.IGNORECASE)
_BAD_KEY: Final = re.compile(r"api[ _]key (?:not valid|invalid|expired)", re.IGNORECASE)
# RFC 7523, in Google's wording: the token's times do not match the server's.
_CLOCK: Final = re.compile(r"clock|\biat\b|\bexp\b|short-lived|reasonable timeframe", re.IGNORECASE)
_DELAY: Final = re.compile(r"(\d{1,6}(?:\.\d{1,9})?)s?")


class ErrorBody(NamedTuple):
    """A parsed error response. ``official`` if it has the API's own error body, ``is_page`` if it is a
    web page."""

    status: int
    code: str
    message: str
    details: tuple[Mapping[str, Any], ...]
    official: bool
    is_page: bool = False


def parse_error_body(status: int, body: object, *, secret: str = "") -> ErrorBody:
    """Parse ``body``, a response's JSON of any form.

    ``secret`` is removed from it: Google quotes the key when it reports that a project is suspended.
    """
    if isinstance(body, list) and len(body) == 1:
        body = body[0]
    outer = body if isinstance(body, Mapping) else {}
    inner = outer.get("error")
    official = isinstance(inner, Mapping) and bool({"code", "status"} & set(inner))
    content: Mapping[str, Any] = inner if isinstance(inner, Mapping) else outer
    details = content.get("details")
    # The SDK stores a body that is not JSON under "message".
    page = is_web_page(body) or is_web_page(content.get("message"))
    return ErrorBody(
        status=status,
        code=one_line(content.get("status"), secret=secret),
        message="a web page." if page else one_line(content.get("message"), secret=secret),
        details=tuple(d for d in details if isinstance(d, Mapping))
        if isinstance(details, list)
        else (),
        official=official,
        is_page=page,
    )


def from_transport_error(
    error: Exception,
    *,
    transport: TransportErrors,
    sent: bool,
    timeout: float,
    secret: str = "",
    key_setting: str = "",
) -> ProviderError:
    """Return our error for an exception of the SDK or a transport, raised without a response.

    ``sent`` says whether any part of the request was sent; ``timeout`` is in seconds.
    """
    detail = one_line(f"{type(error).__name__}: {error}".rstrip(": "), secret=secret)
    if isinstance(error, transport.credentials):
        return _credentials_error(error, detail=detail, key_setting=key_setting)
    late = isinstance(error, TimeoutError)
    if isinstance(error, transport.unsent) or (late and not sent):
        return NotSent(
            f"Gemini could not be reached, nothing was sent ({detail}).", reason="connect"
        )
    if late:
        return OutcomeUnknown(
            f"Gemini sent no complete response within {timeout:g} seconds; it may be billed.",
            reason="timeout",
        )
    return OutcomeUnknown(
        f"The request was sent and no readable response arrived ({detail}); it may be billed.",
        reason="connection",
    )


def _credentials_error(error: Exception, *, detail: str, key_setting: str) -> ProviderError:
    """Return our error for Vertex AI's credentials: they gave no token, so nothing was sent."""
    if getattr(error, "retryable", False) or type(error).__name__ == "TransportError":
        return NotSent(f"Google issued no token, nothing was sent ({detail}).", reason="token")
    advice = f" Check the credentials in {key_setting}." if key_setting else ""
    if _CLOCK.search(detail):
        advice = " The clock of this machine seems to be off: synchronize it with a time server."
    return NoCredentials(
        f"Google rejects the credentials for Vertex AI ({detail}).{advice}", reason="token"
    )


def from_response(
    body: ErrorBody,
    *,
    retry_after: str = "",
    date: str = "",
    key_setting: str = "",
    url_setting: str = "base_url",
    now: datetime | None = None,
) -> ProviderError:
    """Return our error for a response that is not a 200. ``retry_after`` and ``date`` are headers.

    Waits are computed from the response's own ``date``, because this machine's clock may be off.
    """
    kind, advice = _classify(body)
    if kind is KeyRejected and key_setting:
        advice = f" Set the key in {key_setting}."
    if kind is WrongService:
        advice = f" Is {url_setting} right?"
    moment = now or _parse_date(date) or datetime.now(UTC)
    wait = _longest_wait(body, header=retry_after, now=moment)
    if kind is DailyQuotaReached:
        wait = seconds_to_pacific_midnight(moment)
    status = f"{body.status} {body.code}".rstrip()
    return kind(
        f"Gemini returned {status}: {body.message or 'no message'}{advice}",
        retry_after=wait,
        reason=body.code or str(body.status),
    )


def _classify(body: ErrorBody) -> tuple[type[ProviderError], str]:
    """Return the error class for a response, and advice to append to its message."""
    status = body.status
    quotas = [
        f"{violation.get('quotaId', '')} {violation.get('quotaMetric', '')}"
        for detail in body.details
        for violation in mappings(detail, "violations")
    ]
    if body.is_page and status < 500:
        return (PageInstead if status < 300 else WrongService), ""
    if status == 402 or (status == 429 and _MONEY.search(" ".join((body.message, *quotas)))):
        return ProviderStopped, " Check the account's billing page."
    if status == 429:
        daily = any("PerDay" in quota for quota in quotas)
        return (DailyQuotaReached if daily else RateLimited), ""
    if status >= 500:
        if body.official:
            return (Overloaded if status == 503 else ServiceUnavailable), ""
        return OutcomeUnknown, " Something between here and Gemini failed; it may be billed."
    bad_key = any(detail.get("reason") == "API_KEY_INVALID" for detail in body.details)
    if status in {401, 403} or (status == 400 and (bad_key or _BAD_KEY.search(body.message))):
        return KeyRejected, ""
    if status == 404 and body.official:
        return ModelRetired, " The model is no longer available: choose another one."
    if status in {408, 499} or status < 300:
        return OutcomeUnknown, " It may be billed."
    return RequestRejected, "" if body.official else " Is the base_url right?"


def _longest_wait(body: ErrorBody, *, header: str, now: datetime) -> float | None:
    """Return the longest wait that the response or its Retry-After header asks for, in seconds."""
    waits: list[float] = []
    for value in (header.strip(), *(detail.get("retryDelay") for detail in body.details)):
        if isinstance(value, str) and (match := _DELAY.fullmatch(value)):
            waits.append(float(match[1]))
    if moment := _parse_date(header):
        waits.append(max(0.0, (moment - now).total_seconds()))
    return max(waits, default=None)


def _parse_date(header: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(header)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def seconds_to_pacific_midnight(now: datetime) -> float:
    """Return the seconds until Google's daily quotas reset, at midnight in Los Angeles."""
    zone = pacific()
    tomorrow = now.astimezone(zone).date() + timedelta(days=1)
    midnight = datetime(tomorrow.year, tomorrow.month, tomorrow.day, tzinfo=zone)
    return (midnight.astimezone(UTC) - now).total_seconds()
