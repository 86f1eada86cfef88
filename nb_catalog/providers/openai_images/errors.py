"""Converts every failure of a call to a gateway into a ``ProviderError``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from nb_catalog.exceptions import (
    ContentRefused,
    KeyRejected,
    ModelRetired,
    NotSent,
    OutcomeUnknown,
    Overloaded,
    PageInstead,
    ProviderError,
    ProviderStopped,
    RateLimited,
    RequestRejected,
    WrongService,
)
from nb_catalog.providers.responses import is_web_page, one_line

# OpenAI's codes and types, and what gateways add to them.
_MONEY: Final = frozenset(
    {"insufficient_quota", "billing_hard_limit_reached", "insufficient_credits", "payment_required"}
)
_POLICY: Final = frozenset(
    {
        "moderation_blocked",
        "content_policy_violation",
        "image_generation_user_error",
        "content_filter",
    }
)
_MODEL: Final = frozenset({"model_not_found", "model_deprecated"})
# Codes of a gateway that has not forwarded the request.
_BUSY: Final = frozenset(
    {"overloaded_error", "overloaded", "server_overloaded", "rate_limit_exceeded"}
)
_DURATION: Final = re.compile(r"(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s)?(?:(\d+)ms)?")


def from_status(
    status: int,
    text: str,
    body: object,
    *,
    headers: Mapping[str, str],
    secret: str = "",
    key_setting: str = "",
    url_setting: str = "base_url",
) -> ProviderError:
    """Return our error for a response that is not a 200. ``body`` is the JSON in ``text``, if any."""
    error = body.get("error") if isinstance(body, Mapping) else None
    if not isinstance(error, Mapping):
        error = {"message": error} if isinstance(error, str) else {}
    codes = {str(error.get(name) or "") for name in ("code", "type")}
    page = is_web_page(text)
    kind = _classify(status, codes, has_error_body=bool(error), is_page=page)
    message = "a web page." if page else one_line(error.get("message"), secret=secret)
    advice = {
        KeyRejected: f" Set the key in {key_setting}.",
        WrongService: f" Is {url_setting} right?",
        ProviderStopped: " Check the account's billing page.",
        OutcomeUnknown: " It may be billed.",
    }.get(kind, "")
    return kind(
        f"The gateway returned {status}: {message or 'no message'}{advice}",
        retry_after=_longest_wait(headers),
        reason=next(iter(sorted(codes - {""})), str(status))[:64],
    )


def _classify(
    status: int, codes: set[str], *, has_error_body: bool, is_page: bool
) -> type[ProviderError]:
    if is_page and status < 500:
        return WrongService
    if status == 402 or codes & _MONEY:
        return ProviderStopped
    if status == 429:
        return RateLimited
    if codes & _POLICY:
        return ContentRefused
    if status in {401, 403}:
        return KeyRejected
    if status == 404 and (codes & _MODEL or has_error_body):
        return ModelRetired
    if status in {503, 529} and codes & _BUSY:
        return Overloaded
    # A gateway's own 5xx says nothing about the model behind it.
    if status >= 500 or status in {408, 409} or status < 300:
        return OutcomeUnknown
    return RequestRejected


def from_transport_error(
    error: BaseException, *, sent: bool, timeout: float, secret: str = ""
) -> ProviderError:
    """Return our error for a call without a response. ``sent`` says whether any part of it was sent."""
    detail = one_line(f"{type(error).__name__}: {error}".rstrip(": "), secret=secret)
    if not sent:
        return NotSent(
            f"The gateway could not be reached, nothing was sent ({detail}).", reason="connect"
        )
    if isinstance(error, TimeoutError):
        return OutcomeUnknown(
            f"The gateway sent no complete response within {timeout:g} seconds; it may be billed.",
            reason="timeout",
        )
    return OutcomeUnknown(
        f"The request was sent and no readable response arrived ({detail}); it may be billed.",
        reason="connection",
    )


def page_instead() -> PageInstead:
    return PageInstead(
        "A web page was returned in place of the gateway's response. Is base_url right? The picture"
        " may be billed.",
        reason="page",
    )


def _longest_wait(headers: Mapping[str, str]) -> float | None:
    """Return the longest wait that the headers ask for, in seconds."""
    waits = [
        _number(headers.get("retry-after", "")),
        _number(headers.get("retry-after-ms", ""), 1e-3),
    ]
    for limit in ("requests", "tokens"):
        # Durations such as "1m2.5s" and "20ms".
        text = headers.get(f"x-ratelimit-reset-{limit}", "")
        if text and (match := _DURATION.fullmatch(text)):
            minutes, seconds, thousandths = (float(part or 0) for part in match.groups())
            waits.append(minutes * 60 + seconds + thousandths / 1000)
    return max((wait for wait in waits if wait is not None), default=None)


def _number(text: str, unit: float = 1.0) -> float | None:
    try:
        value = float(text) * unit
    except ValueError:
        return None
    return value if 0 <= value < 10**7 else None
