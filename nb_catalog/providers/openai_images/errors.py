"""What a gateway can answer, and what can happen on the way, as one of our errors."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

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

MESSAGE_LENGTH: Final = 300

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
# Said by a gateway that has not passed the request on.
_BUSY: Final = frozenset(
    {"overloaded_error", "overloaded", "server_overloaded", "rate_limit_exceeded"}
)
_PAGE: Final = re.compile(r"\s*<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE)
_DURATION: Final = re.compile(r"(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s)?(?:(\d+)ms)?")


def is_page(text: str) -> bool:
    """Whether ``text`` begins as a web page does."""
    return _PAGE.match(text) is not None


def from_status(
    status: int,
    text: str,
    body: object,
    *,
    headers: Mapping[str, str],
    secret: str = "",
    where_the_key_is: str = "",
    where_the_address_is: str = "base_url",
) -> ProviderError:
    """Our error for an answer that is not a 200. ``body`` is the JSON in ``text``, if it is any."""
    error = _error_in(body)
    words = {str(error.get(name) or "") for name in ("code", "type")}
    kind = _kind(status, words, is_ours=bool(error), page=is_page(text))
    message = "a web page." if is_page(text) else short(error.get("message"), secret=secret)
    advice = {
        KeyRejected: f" Set the key in {where_the_key_is}.",
        WrongService: f" Is {where_the_address_is} right?",
        ProviderStopped: " Somebody has to look at the account's billing page.",
        OutcomeUnknown: " It may be billed.",
    }.get(kind, "")
    return kind(
        f"The gateway answered {status}: {message or 'no message'}{advice}",
        retry_after=_retry_after(headers),
        reason=next(iter(sorted(words - {""})), str(status))[:64],
    )


def _kind(status: int, words: set[str], *, is_ours: bool, page: bool) -> type[ProviderError]:
    if page and status < 500:
        return WrongService
    if status == 402 or words & _MONEY:
        return ProviderStopped
    if status == 429:
        return RateLimited
    if words & _POLICY:
        return ContentRefused
    if status in {401, 403}:
        return KeyRejected
    if status == 404 and (words & _MODEL or is_ours):
        return ModelRetired
    if status in {503, 529} and words & _BUSY:
        return Overloaded
    # A gateway's own 5xx says nothing about the model behind it.
    if status >= 500 or status in {408, 409} or status < 300:
        return OutcomeUnknown
    return RequestRejected


def from_transport_error(
    error: BaseException, *, sent: bool, timeout: float, secret: str = ""
) -> ProviderError:
    """Our error for a call without an answer. ``sent``: whether anything of it went out."""
    what = short(f"{type(error).__name__}: {error}".rstrip(": "), secret=secret)
    if not sent:
        return NotSent(
            f"The gateway could not be reached, nothing was sent ({what}).", reason="connect"
        )
    if isinstance(error, TimeoutError):
        return OutcomeUnknown(
            f"The gateway gave no complete answer within {timeout:g} seconds; it may be billed.",
            reason="timeout",
        )
    return OutcomeUnknown(
        f"The request went out and no answer that can be read came back ({what}); it may be billed.",
        reason="connection",
    )


def page_instead() -> PageInstead:
    return PageInstead(
        "A web page came where the gateway's answer belongs. Is base_url right? The picture may be"
        " billed.",
        reason="page",
    )


def short(text: object, *, secret: str = "") -> str:
    """One bounded line of what somebody else wrote, without ``secret``."""
    line = " ".join(str(text or "").split())
    line = line.replace(secret, "[key]") if secret else line
    return line if len(line) <= MESSAGE_LENGTH else f"{line[: MESSAGE_LENGTH - 1]}…"


def _error_in(body: object) -> Mapping[str, Any]:
    error = body.get("error") if isinstance(body, Mapping) else None
    if isinstance(error, str):
        return {"message": error}
    return error if isinstance(error, Mapping) else {}


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """The longest wait that the headers ask for, in seconds."""
    asked = [
        _number(headers.get("retry-after", "")),
        _number(headers.get("retry-after-ms", ""), 1e-3),
    ]
    asked += [
        _duration(headers.get(f"x-ratelimit-reset-{what}", "")) for what in ("requests", "tokens")
    ]
    return max((wait for wait in asked if wait is not None), default=None)


def _number(text: str, unit: float = 1.0) -> float | None:
    try:
        value = float(text) * unit
    except ValueError:
        return None
    return value if 0 <= value < 10**7 else None


def _duration(text: str) -> float | None:
    """``1m2.5s`` and ``20ms`` as seconds."""
    match = _DURATION.fullmatch(text)
    if not text or match is None:
        return None
    minutes, seconds, thousandths = (float(part or 0) for part in match.groups())
    return minutes * 60 + seconds + thousandths / 1000
