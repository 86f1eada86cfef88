"""Converts every failure of a call to Gemini into a ``ProviderError``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Final, NamedTuple

from nb_catalog.core.quotas import pacific
from nb_catalog.core.text import message_line
from nb_catalog.exceptions import (
    AccountBlocked,
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
from nb_catalog.providers.account_errors import AccountError, account_error, fill_in, zero_quota
from nb_catalog.providers.gemini.client import TransportErrors
from nb_catalog.providers.responses import (
    innermost_error,
    is_web_page,
    mapping,
    mappings,
    read_json,
    text,
)

# RFC 7523, in Google's wording: the token's times do not match the server's.
_CLOCK: Final = re.compile(r"clock|\biat\b|\bexp\b|short-lived|reasonable timeframe", re.IGNORECASE)
# Google's page that enables an API, or billing.
_CONSOLE: Final = re.compile(
    r"https://console\.(?:developers|cloud)\.google\.com/[^\s\"'<>]{1,200}"
)
# About a file that a request names: the file service answers 403 for one that does not exist.
_FILE: Final = re.compile(r"\baccess the File\b|\bfile\b.{0,80}\bACTIVE state", re.IGNORECASE)
# Without Google's error body, these come from something that is not the API.
_NO_SERVICE: Final = frozenset({404, 405, 407, 410, 421})
_ACCOUNT_BY_STATUS: Final[Mapping[int, AccountError]] = {
    401: AccountError(KeyRejected, "Set the key in {key}."),
    402: AccountError(ProviderStopped, "Check the account's billing page."),
    403: AccountError(KeyRejected, "Set the key in {key}."),
    451: AccountError(AccountBlocked, "The service may not serve this country."),
}
# Google documents it for one case only: no free tier in the country and no billing. It is the state of the
# account, which no other request changes.
_ACCOUNT_BY_CODE: Final[Mapping[str, AccountError]] = {
    "FAILED_PRECONDITION": AccountError(
        AccountBlocked,
        "The account does not meet a condition of the service, such as billing or a supported country:"
        " check its project.",
    ),
}
# Only the beginning is displayed, and what an error is about is said there.
_LONGEST_TEXT: Final = 5000
# Items of batches have codes of google.rpc.Code, calls those of HTTP. 1 is an item that a batch had not
# started when it was cancelled.
HTTP_OF_RPC: Final[Mapping[int, tuple[int, str]]] = {
    1: (503, "CANCELLED"), 2: (500, "UNKNOWN"), 3: (400, "INVALID_ARGUMENT"),
    4: (504, "DEADLINE_EXCEEDED"), 5: (404, "NOT_FOUND"), 6: (409, "ALREADY_EXISTS"),
    7: (403, "PERMISSION_DENIED"), 8: (429, "RESOURCE_EXHAUSTED"), 9: (400, "FAILED_PRECONDITION"),
    10: (409, "ABORTED"), 11: (400, "OUT_OF_RANGE"), 12: (501, "UNIMPLEMENTED"),
    13: (500, "INTERNAL"), 14: (503, "UNAVAILABLE"), 15: (500, "DATA_LOSS"),
    16: (401, "UNAUTHENTICATED"),
}  # fmt: skip
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

    @property
    def violations(self) -> list[Mapping[str, Any]]:
        """The quotas that are exceeded."""
        return [each for detail in self.details for each in mappings(detail, "violations")]

    @property
    def reasons(self) -> list[str]:
        """What the error is called for machines."""
        return [self.code, *(text(detail, "reason") for detail in self.details)]

    @property
    def activation_url(self) -> str:
        """Google's page that enables the API; empty if the response names none."""
        urls = [text(mapping(detail, "metadata"), "activationUrl") for detail in self.details]
        links = [each for detail in self.details for each in mappings(detail, "links")]
        urls += [text(each, "url") for each in links]
        match = _CONSOLE.search(" ".join((*urls, self.message)))
        return match[0].rstrip(".") if match else ""


def parse_error_body(status: int, body: object) -> ErrorBody:
    """Parse ``body``, a response's JSON of any form."""
    outer = body[0] if isinstance(body, list) and len(body) == 1 else body
    inner = outer.get("error") if isinstance(outer, Mapping) else None
    official = isinstance(inner, Mapping) and bool({"code", "status"} & set(inner))
    content = innermost_error(body)
    # The SDK stores a body that is not JSON under "message".
    page = is_web_page(body) or is_web_page(content.get("message"))
    return ErrorBody(
        status=status,
        code=text(content, "status", "code", "type")[:_LONGEST_TEXT],
        message="a web page." if page else text(content, "message")[:_LONGEST_TEXT],
        details=tuple(mappings(content, "details")),
        official=official,
        is_page=page,
    )


def body_json(received: bytes) -> object:
    """Return the JSON of an error's body, or its text as the SDK would have it."""
    try:
        return read_json(received)
    except ValueError:
        return {"message": received.decode("utf-8", "replace")}


def from_transport_error(
    error: Exception,
    *,
    transport: TransportErrors,
    sent: bool,
    timeout: float,
    key_setting: str = "",
) -> ProviderError:
    """Return our error for an exception of the SDK or a transport, raised without a response.

    ``sent`` says whether any part of the request was sent; ``timeout`` is in seconds.
    """
    detail = f"{type(error).__name__}: {message_line(error)}".rstrip(": ")
    if isinstance(error, transport.credentials):
        # Vertex AI's credentials gave no token, so nothing was sent.
        if getattr(error, "retryable", False) or type(error).__name__ == "TransportError":
            return NotSent(f"Google issued no token, nothing was sent ({detail}).", reason="token")
        advice = f" Check the credentials in {key_setting}." if key_setting else ""
        if _CLOCK.search(detail):
            advice = (
                " The clock of this machine seems to be off: synchronize it with a time server."
            )
        return NoCredentials(
            f"Google rejects the credentials for Vertex AI ({detail}).{advice}", reason="token"
        )
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
    moment = now or _parse_date(date) or datetime.now(UTC)
    # The longest that the response or its Retry-After header asks for, in seconds.
    waits: list[float] = []
    for value in (retry_after.strip(), *(detail.get("retryDelay") for detail in body.details)):
        if isinstance(value, str) and (match := _DELAY.fullmatch(value)):
            waits.append(float(match[1]))
    if until := _parse_date(retry_after):
        waits.append(max(0.0, (until - moment).total_seconds()))
    wait = max(waits, default=None)
    if kind is DailyQuotaReached:
        wait = seconds_to_pacific_midnight(moment)
    advice = fill_in(advice, key=key_setting, url=body.activation_url).replace(
        "{base_url}", url_setting
    )
    status = f"{body.status} {body.code}".rstrip()
    # The advice comes first, because long messages are cut.
    return kind(
        f"{advice} Gemini returned {status}: {body.message or 'no message'}".lstrip(),
        retry_after=wait,
        reason=body.code or str(body.status),
    )


def _classify(body: ErrorBody) -> tuple[type[ProviderError], str]:
    """Return the error class for a response, by whose fault it is, and advice for its message."""
    status = body.status
    if status >= 500:
        if body.official:
            return (Overloaded if status == 503 else ServiceUnavailable), ""
        return OutcomeUnknown, "Something between here and Gemini failed; it may be billed."
    if status < 300 or status in {408, 499}:
        return (PageInstead if body.is_page else OutcomeUnknown), "It may be billed."
    if status == 413:
        return RequestRejected, "The request is too large."
    if body.is_page or status < 400 or (status in _NO_SERVICE and not body.official):
        return WrongService, "Is {base_url} right? If it is, a proxy is in between."
    # "Quota exceeded" and names of quotas may be all that says which one it is.
    words = " ".join((body.message, *(_quota_name(each) for each in body.violations)))
    if _FILE.search(body.message):
        return RequestRejected, ""
    error = account_error(words, reasons=body.reasons)
    if error is None and status == 429:
        error = zero_quota(words, is_zero=_has_zero_quota(body))
    if error is None:
        error = _ACCOUNT_BY_STATUS.get(status) or _ACCOUNT_BY_CODE.get(body.code)
    if error is not None:
        return error
    if status == 429:
        daily = any("PerDay" in _quota_name(each) for each in body.violations)
        return (DailyQuotaReached if daily else RateLimited), ""
    if status == 404:
        return ModelRetired, "The model is no longer available: choose another one."
    return RequestRejected, "" if body.official else "Is {base_url} right?"


def _quota_name(violation: Mapping[str, Any]) -> str:
    return f"{violation.get('quotaId', '')} {violation.get('quotaMetric', '')}"


def _has_zero_quota(body: ErrorBody) -> bool:
    """Whether the details name a quota of 0."""
    metadata = [mapping(detail, "metadata") for detail in body.details]
    limits = [each.get("quota_limit_value") for each in metadata]
    limits += [each.get("quotaValue") for each in body.violations]
    if any(str(limit) == "0" for limit in limits):
        return True
    # JSON of protocol buffers leaves a 0 out. Google sends the value of every other quota, and one call
    # uses up the quotas of a minute and of a day at once only if both are 0.
    bare = [
        each
        for each in body.violations
        if each.get("quotaDimensions") and each.get("quotaValue") is None
    ]
    names = " ".join(map(_quota_name, bare))
    return len(bare) == len(body.violations) and "PerMinute" in names and "PerDay" in names


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
