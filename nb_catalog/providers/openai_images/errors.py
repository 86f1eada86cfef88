"""Converts every failure of a call to a gateway into a ``ProviderError``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from nb_catalog.core.text import message_line
from nb_catalog.exceptions import (
    AccountBlocked,
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
from nb_catalog.providers.account_errors import AccountError, account_error, fill_in, zero_quota
from nb_catalog.providers.responses import innermost_error, is_web_page, mappings, text

_POLICY: Final = frozenset(
    {
        "moderation_blocked",
        "content_policy_violation",
        "image_generation_user_error",
        "content_filter",
    }
)
_POLICY_WORDS: Final = re.compile(
    r"""content\ polic|usage\ polic|safety\ (?:system|filter)|\bflagged\b|\bmoderation\b""",
    re.IGNORECASE | re.VERBOSE,
)
_MODEL: Final = frozenset({"model_not_found", "model_deprecated", "model_not_exist"})
_MODEL_WORD: Final = re.compile(r"\bmodels?\b", re.IGNORECASE)
# Codes of a gateway that has not forwarded the request.
_BUSY: Final = frozenset(
    {"overloaded_error", "overloaded", "server_overloaded", "rate_limit_exceeded"}
)
_ACCOUNT_BY_STATUS: Final[Mapping[int, AccountError]] = {
    401: AccountError(KeyRejected, "Set the key in {key}."),
    402: AccountError(ProviderStopped, "Check the account's billing page."),
    403: AccountError(KeyRejected, "Set the key in {key}."),
    451: AccountError(AccountBlocked, "The gateway may not serve this country."),
}
# The limit itself, not what remains of it.
_ZERO_HEADERS: Final = frozenset({"x-ratelimit-limit-requests", "x-ratelimit-limit-images"})
# Only the beginning is displayed, and what an error is about is said there.
_LONGEST_TEXT: Final = 5000
_DURATION: Final = re.compile(r"(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s)?(?:(\d+)ms)?")


def from_status(
    status: int,
    body: object,
    *,
    headers: Mapping[str, str],
    key_setting: str = "",
    url_setting: str = "base_url",
) -> ProviderError:
    """Return our error for a response that is not a 200. ``body`` is its text, or JSON."""
    error = innermost_error(body)
    if not error and isinstance(body, str):
        error = {"message": body}
    codes = {
        str(error.get(name) or "").lower() for name in ("code", "type", "status", "error_code")
    }
    codes |= {text(detail, "reason").lower() for detail in mappings(error, "details")}
    page = is_web_page(body)
    message = "a web page." if page else text(error, "message")[:_LONGEST_TEXT]
    kind, advice = _classify(status, codes - {""}, message, headers=headers, is_page=page)
    advice = fill_in(advice, key=key_setting).replace("{base_url}", url_setting)
    waits = [
        _number(headers.get("retry-after", "")),
        _number(headers.get("retry-after-ms", ""), 1e-3),
    ]
    for limit in ("requests", "tokens"):
        # Durations such as "1m2.5s" and "20ms".
        duration = headers.get(f"x-ratelimit-reset-{limit}", "")
        if duration and (match := _DURATION.fullmatch(duration)):
            minutes, seconds, thousandths = (float(part or 0) for part in match.groups())
            waits.append(minutes * 60 + seconds + thousandths / 1000)
    # The advice comes first, because long messages are cut.
    return kind(
        f"{advice} The gateway returned {status}: {message or 'no message'}".lstrip(),
        retry_after=max((wait for wait in waits if wait is not None), default=None),
        reason=next(iter(sorted(codes - {""})), str(status)),
    )


def _classify(
    status: int, codes: set[str], message: str, *, headers: Mapping[str, str], is_page: bool
) -> tuple[type[ProviderError], str]:
    """Return the error class for a response, by whose fault it is, and advice for its message."""
    if status == 413:
        return RequestRejected, "The request is too large."
    if is_page and status < 500:
        return WrongService, "Is {base_url} right? If it is, a proxy is in between."
    if codes & _POLICY or (status in {400, 403, 422} and _POLICY_WORDS.search(message)):
        return ContentRefused, ""
    # An account is looked at before anything is generated, whatever the status: gateways report errors of
    # their own account with the service behind them as 500. Too many requests are another matter.
    error = account_error(message if status != 429 else "", reasons=codes)
    if error is None and status == 429:
        has_none = _ZERO_HEADERS & {name for name, value in headers.items() if value.strip() == "0"}
        error = zero_quota(message, is_zero=bool(has_none)) or account_error(message)
    if error is None and not (status == 404 and codes & _MODEL):
        error = _ACCOUNT_BY_STATUS.get(status)
    if error is not None:
        return error
    if status == 429:
        return RateLimited, ""
    if status == 404 and (codes & _MODEL or _MODEL_WORD.search(message)):
        return ModelRetired, "The model is not available: choose another one."
    if 300 <= status < 400 or status in {404, 405, 407, 410, 421}:
        return WrongService, "Is {base_url} right?"
    if status in {503, 529} and codes & _BUSY:
        return Overloaded, ""
    # A gateway's own 5xx says nothing about the model behind it.
    if status >= 500 or status in {408, 409} or status < 300:
        return OutcomeUnknown, "It may be billed."
    return RequestRejected, ""


def from_transport_error(error: BaseException, *, sent: bool, timeout: float) -> ProviderError:
    """Return our error for a call without a response. ``sent`` says whether any part of it was sent."""
    detail = f"{type(error).__name__}: {message_line(error)}".rstrip(": ")
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


def _number(value: str, unit: float = 1.0) -> float | None:
    try:
        number = float(value) * unit
    except ValueError:
        return None
    return number if 0 <= number < 10**7 else None
