"""Downloads a picture from the URL in a gateway's response, from allowed hosts only."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, urlsplit

from nb_catalog.exceptions import AddressRefused, AnswerTooLarge, OutcomeUnknown
from nb_catalog.providers import public_hosts

# The picture is already made and paid for: downloading it again costs nothing.
TRIES: Final = 3
PAUSE: Final = 1.0
PIECE: Final = 2**16
PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True, kw_only=True)
class AllowedHosts:
    """Hosts that pictures may be fetched from: public ``hosts`` over https, and the gateway's own
    ``origin``, even if it is private or plain http: it already has the key and the photos.
    """

    hosts: frozenset[str]
    origin: tuple[str, str, int]

    def refusal(self, url: str) -> str:
        """Return why ``url`` may not be fetched, as a sentence; empty if it may."""
        try:
            address = urlsplit(url)
            its_origin = origin(address)
        except ValueError:
            return "The gateway returned an invalid picture URL."
        host = its_origin[1]
        if address.username is not None or address.password is not None:
            return f"The gateway returned a picture URL at {host} that contains a user name."
        if its_origin == self.origin:
            return ""
        if host not in self.hosts:
            return (
                f"The gateway returned a picture URL at {host or 'no host'}, which is not among the"
                " allowed hosts: add it to 'image_hosts'."
            )
        if address.scheme != "https" and not (
            address.scheme == "http" and public_hosts.is_address(host)
        ):
            return f"The gateway returned a picture URL at {host} that is not sent over https."
        return ""

    def may_be_private(self, url: str) -> bool:
        """Whether ``url`` may be in a private network: the gateway's own, or a listed IP address."""
        return origin(urlsplit(url)) == self.origin or public_hosts.is_address(
            urlsplit(url).hostname or ""
        )


def origin(address: SplitResult) -> tuple[str, str, int]:
    """Return scheme, host and port of ``address``. Raises ``ValueError`` for an invalid port."""
    scheme = address.scheme.lower()
    return scheme, (address.hostname or "").lower(), address.port or PORTS.get(scheme, 0)


async def fetch(url: str, *, allowed: AllowedHosts, most_bytes: int, seconds: float) -> bytes:
    """Return the bytes at ``url``. ``seconds`` limits all tries together; redirects are not followed.

    Raises ``AddressRefused`` for a URL that is not ``allowed``, ``OutcomeUnknown`` if the picture
    cannot be fetched (it may be billed), and ``AnswerTooLarge``.
    """
    import aiohttp

    if refusal := allowed.refusal(url):
        raise AddressRefused(f"{refusal} The picture may be billed.", reason="address")
    host = urlsplit(url).hostname or ""
    last = ""
    try:
        async with asyncio.timeout(seconds):
            for attempt in range(TRIES):
                await asyncio.sleep(PAUSE * attempt)
                try:
                    status, data = await _get(url, allowed=allowed, most_bytes=most_bytes)
                except (aiohttp.ClientError, OSError, ValueError) as error:
                    last = type(error).__name__
                    continue
                if status == 200:
                    return data
                last = f"status {status}"
                if status < 500:
                    break
    except TimeoutError:
        last = f"it took longer than {seconds:g} seconds"
    raise OutcomeUnknown(
        f"The picture was made and could not be fetched from {host} ({last}). It may be billed.",
        reason="fetch",
    )


async def _get(url: str, *, allowed: AllowedHosts, most_bytes: int) -> tuple[int, bytes]:
    import aiohttp

    checking = None
    if not allowed.may_be_private(url):
        checking = public_hosts.resolver(is_allowed=public_hosts.is_public, refusal=_private)
    async with (
        # No proxies or .netrc from the environment: they would see what the gateway sends.
        aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(resolver=checking), trust_env=False
        ) as session,
        session.get(url, allow_redirects=False) as response,
    ):
        data = bytearray()
        async for piece in response.content.iter_chunked(PIECE):
            data += piece
            if len(data) > most_bytes:
                raise too_large(most_bytes)
        return response.status, bytes(data)


def _private(host: str) -> AddressRefused:
    return AddressRefused(
        f"The gateway returned a picture URL at {host}, which leads into a private network. The picture may"
        " be billed.",
        reason="address",
    )


def too_large(most_bytes: int) -> AnswerTooLarge:
    return AnswerTooLarge(
        f"The gateway's picture has more than the {most_bytes:,} bytes that this site accepts"
        " (MAX_PICTURE_BYTES). It may be billed."
    )
