"""One attempt to deliver a message over HTTP."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

import aiohttp
from yarl import URL

from nb_catalog.providers import public_hosts
from nb_catalog.webhooks import secrets
from nb_catalog.webhooks.failures import Failure
from nb_catalog.webhooks.outbox import Attempt, Message
from nb_catalog.webhooks.targets import allowed_networks, is_allowed, refusal

# As the scheme recommends.
TIMEOUT_SECONDS: Final = 15.0
USER_AGENT: Final = "nb_catalog-webhooks"


class _AddressRefused(Exception):
    """A name leads into a network that messages are not sent to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sessions:
    """One for each scheme: what is not encrypted goes into allowed networks only."""

    encrypted: aiohttp.ClientSession
    plain: aiohttp.ClientSession


@asynccontextmanager
async def open_sessions() -> AsyncIterator[Sessions]:
    networks = allowed_networks()

    def session(*, is_encrypted: bool) -> aiohttp.ClientSession:
        # The address that was checked is the one that is connected to: a name cannot change in between.
        resolver = public_hosts.resolver(
            is_allowed=lambda address: is_allowed(
                address, networks=networks, is_encrypted=is_encrypted
            ),
            refusal=_AddressRefused,
        )
        return aiohttp.ClientSession(
            # The number of connections is bounded by that of claimed messages.
            connector=aiohttp.TCPConnector(resolver=resolver, limit=0),
            timeout=aiohttp.ClientTimeout(total=TIMEOUT_SECONDS),
            # One receiver's cookies are not for another one.
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
        )

    async with AsyncExitStack() as stack:
        yield Sessions(
            encrypted=await stack.enter_async_context(session(is_encrypted=True)),
            plain=await stack.enter_async_context(session(is_encrypted=False)),
        )


async def send(message: Message, *, sessions: Sessions) -> Attempt:
    """Send ``message`` once. Redirects are not followed, and the response's body is not read."""
    if not message.secrets:
        return Attempt(message=message, failure=Failure.SECRET)
    # Settings may have changed since the endpoint was created.
    if refusal(message.url):
        return Attempt(message=message, failure=Failure.ADDRESS)
    timestamp = int(time.time())
    headers = {
        "Content-Type": "application/json",
        "User-Agent": USER_AGENT,
        "webhook-id": message.message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": secrets.sign(
            message.message_id, timestamp=timestamp, body=message.body, secrets=message.secrets
        ),
    }
    try:
        url = URL(message.url)
        if not _is_host_allowed(url):
            return Attempt(message=message, failure=Failure.ADDRESS)
        session = sessions.encrypted if url.scheme == "https" else sessions.plain
        async with session.post(
            url, data=message.body, headers=headers, allow_redirects=False
        ) as response:
            return _attempt(message, response)
    except _AddressRefused:
        failure = Failure.ADDRESS
    except TimeoutError:
        failure = Failure.TIMEOUT
    except aiohttp.ClientSSLError:
        failure = Failure.CERTIFICATE
    except (aiohttp.ClientError, OSError, ValueError):
        failure = Failure.CONNECTION
    return Attempt(message=message, failure=failure)


def _is_host_allowed(url: URL) -> bool:
    """Return whether the host of ``url`` is a name, which is checked when it is looked up, or an address that
    messages may be sent to: as the client reads it, for which “①②⑦.0.0.1” is one."""
    host = url.raw_host or ""
    try:
        return is_allowed(host, networks=allowed_networks(), is_encrypted=url.scheme == "https")
    except ValueError:
        return bool(host)


def _attempt(message: Message, response: aiohttp.ClientResponse) -> Attempt:
    status = response.status
    if 200 <= status < 300:
        return Attempt(message=message, status=status)
    failure = Failure.STATUS
    if 300 <= status < 400:
        failure = Failure.REDIRECT
    elif status == 410:
        failure = Failure.GONE
    return Attempt(
        message=message,
        failure=failure,
        status=status,
        retry_after=seconds_until(response.headers.get("Retry-After", "")),
    )


def seconds_until(retry_after: str) -> float | None:
    """Return the seconds of a header, which has them or a date; None without one that can be read."""
    if retry_after.isascii() and retry_after.isdigit():
        return float(retry_after[:9])
    try:
        moment = parsedate_to_datetime(retry_after)
    except (ValueError, OverflowError):
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())
