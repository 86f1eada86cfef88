"""The one place where everything that can go wrong with a call becomes one of our errors."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
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

MESSAGE_LENGTH: Final = 300

# Google says it in words only: "Your prepayment credits are depleted", "monthly spending cap",
# "spend-based rate limit". "Check your plan and billing details" stands in every 429.
_MONEY: Final = re.compile(r"\bspend|\bprepa(?:y|id)|credits? (?:are|is|have been) ", re.IGNORECASE)
_BAD_KEY: Final = re.compile(r"api[ _]key (?:not valid|invalid|expired)", re.IGNORECASE)
# RFC 7523, as Google words it: the token's times do not fit the server's.
_CLOCK: Final = re.compile(r"clock|\biat\b|\bexp\b|short-lived|reasonable timeframe", re.IGNORECASE)
_PAGE: Final = re.compile(r"\s*<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE)
_DELAY: Final = re.compile(r"(\d{1,6}(?:\.\d{1,9})?)s?")


class ErrorBody(NamedTuple):
    """An error answer, taken apart. ``official`` when it has the API's own error body; ``is_page``
    when it is a web page."""

    status: int
    code: str
    message: str
    details: tuple[Mapping[str, Any], ...]
    official: bool
    is_page: bool = False


def parse_error_body(status: int, body: object, *, secret: str = "") -> ErrorBody:
    """Take ``body``, an answer's JSON, apart; nothing about its form is trusted.

    ``secret`` is cut out of it: Google quotes the key when it says that a project is suspended.
    """
    if isinstance(body, list) and len(body) == 1:
        body = body[0]
    outer = body if isinstance(body, Mapping) else {}
    inner = outer.get("error")
    official = isinstance(inner, Mapping) and bool({"code", "status"} & set(inner))
    content: Mapping[str, Any] = inner if isinstance(inner, Mapping) else outer
    details = content.get("details")
    # The SDK puts what is no JSON under "message".
    page = is_page(body) or is_page(content.get("message"))
    return ErrorBody(
        status=status,
        code=_line(content.get("status"), secret=secret),
        message="a web page." if page else _line(content.get("message"), secret=secret),
        details=tuple(d for d in details if isinstance(d, Mapping))
        if isinstance(details, list)
        else (),
        official=official,
        is_page=page,
    )


def is_page(body: object) -> bool:
    """Whether ``body`` begins as a web page does."""
    text = body.decode("latin-1") if isinstance(body, bytes) else body
    return isinstance(text, str) and _PAGE.match(text) is not None


def from_transport_error(
    error: Exception,
    *,
    troubles: TransportErrors,
    sent: bool,
    timeout: float,
    secret: str = "",
    where_the_key_is: str = "",
) -> ProviderError:
    """Our error for what the SDK or a transport raised without an answer of the service.

    ``sent`` says whether anything went out, ``timeout`` how many seconds the call had.
    """
    what = _line(f"{type(error).__name__}: {error}".rstrip(": "), secret=secret)
    if isinstance(error, troubles.credentials):
        return _without_token(error, what=what, where=where_the_key_is)
    late = isinstance(error, TimeoutError)
    if isinstance(error, troubles.unsent) or (late and not sent):
        return NotSent(f"Gemini could not be reached, nothing was sent ({what}).", reason="connect")
    if late:
        return OutcomeUnknown(
            f"Gemini gave no complete answer within {timeout:g} seconds; it may be billed.",
            reason="timeout",
        )
    return OutcomeUnknown(
        f"The request went out and no answer that can be read came back ({what}); it may be billed.",
        reason="connection",
    )


def _without_token(error: Exception, *, what: str, where: str) -> ProviderError:
    """Our error for Vertex AI's credentials: no token came of them, so nothing was sent."""
    if getattr(error, "retryable", False) or type(error).__name__ == "TransportError":
        return NotSent(f"Google gave no token, nothing was sent ({what}).", reason="token")
    advice = f" Check the credentials in {where}." if where else ""
    if _CLOCK.search(what):
        advice = " The clock of this machine seems to be off: set it by a time server."
    return NoCredentials(
        f"Google accepts the credentials for Vertex AI not ({what}).{advice}", reason="token"
    )


def from_response(
    answer: ErrorBody,
    *,
    retry_after: str = "",
    date: str = "",
    where_the_key_is: str = "",
    where_the_address_is: str = "base_url",
    now: datetime | None = None,
) -> ProviderError:
    """Our error for an answer that is not a 200. ``retry_after`` and ``date`` are headers' texts.

    Times are reckoned from the answer's own ``date``: the clock of this machine may be off.
    """
    kind, advice = _kind(answer)
    if kind is KeyRejected and where_the_key_is:
        advice = f" Set the key in {where_the_key_is}."
    if kind is WrongService:
        advice = f" Is {where_the_address_is} right?"
    moment = now or _moment(date) or datetime.now(UTC)
    wait = _retry_after(answer, header=retry_after, now=moment)
    if kind is DailyQuotaReached:
        wait = seconds_to_pacific_midnight(moment)
    told = " ".join(part for part in (str(answer.status), answer.code) if part)
    return kind(
        f"Gemini answered {told}: {answer.message or 'no message'}{advice}",
        retry_after=wait,
        reason=answer.code or str(answer.status),
    )


def _kind(answer: ErrorBody) -> tuple[type[ProviderError], str]:
    """The class for an answer and what to add to its message."""
    status = answer.status
    if answer.is_page and status < 500:
        return (PageInstead if status < 300 else WrongService), ""
    if status == 402 or (status == 429 and _MONEY.search(_everything(answer))):
        return ProviderStopped, " Somebody has to look at the account's billing page."
    if status == 429:
        daily = any("PerDay" in quota for quota in _quotas(answer))
        return (DailyQuotaReached if daily else RateLimited), ""
    if status >= 500:
        if answer.official:
            return (Overloaded if status == 503 else ServiceUnavailable), ""
        return OutcomeUnknown, " Something between here and Gemini failed; it may be billed."
    if status in {401, 403} or (status == 400 and _is_about_the_key(answer)):
        return KeyRejected, ""
    if status == 404 and answer.official:
        return ModelRetired, " The model is gone: choose another one."
    if status in {408, 499} or status < 300:
        return OutcomeUnknown, " It may be billed."
    return RequestRejected, "" if answer.official else " Is the base_url right?"


def _is_about_the_key(answer: ErrorBody) -> bool:
    reasons = {
        detail.get("reason") for detail in answer.details if isinstance(detail.get("reason"), str)
    }
    return "API_KEY_INVALID" in reasons or bool(_BAD_KEY.search(answer.message))


def _everything(answer: ErrorBody) -> str:
    return " ".join((answer.message, *_quotas(answer)))


def _quotas(answer: ErrorBody) -> Iterator[str]:
    for detail in answer.details:
        violations = detail.get("violations")
        for violation in violations if isinstance(violations, list) else ():
            if isinstance(violation, Mapping):
                yield f"{violation.get('quotaId', '')} {violation.get('quotaMetric', '')}"


def _retry_after(answer: ErrorBody, *, header: str, now: datetime) -> float | None:
    """The longest wait that the answer or its header asks for, in seconds."""
    asked = [_delay(detail.get("retryDelay")) for detail in answer.details]
    asked += [_delay(header.strip()), _until(header, now)]
    return max((wait for wait in asked if wait is not None), default=None)


def _delay(text: object) -> float | None:
    match = _DELAY.fullmatch(text) if isinstance(text, str) else None
    return float(match[1]) if match else None


def _until(header: str, now: datetime) -> float | None:
    moment = _moment(header)
    return None if moment is None else max(0.0, (moment - now).total_seconds())


def _moment(header: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(header)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def seconds_to_pacific_midnight(now: datetime) -> float:
    """Seconds until Google's daily quotas start anew: midnight in Los Angeles."""
    zone = pacific()
    tomorrow = now.astimezone(zone).date() + timedelta(days=1)
    midnight = datetime(tomorrow.year, tomorrow.month, tomorrow.day, tzinfo=zone)
    return (midnight.astimezone(UTC) - now).total_seconds()


def _line(text: object, *, secret: str = "") -> str:
    """One bounded line of what somebody else wrote."""
    line = " ".join(str(text or "").split())
    line = line.replace(secret, "[key]") if secret else line
    return line if len(line) <= MESSAGE_LENGTH else f"{line[: MESSAGE_LENGTH - 1]}…"
