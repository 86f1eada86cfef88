"""Fetching a picture from an address that a gateway answered: from allowed hosts, and no further."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Collection
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from nb_catalog.exceptions import AnswerTooLarge, OutcomeUnknown

if TYPE_CHECKING:
    import aiohttp

# The picture is made and paid for: asking for it again costs nothing.
TRIES: Final = 3
PAUSE: Final = 1.0
PIECE: Final = 2**16


async def fetched(url: str, *, hosts: Collection[str], most_bytes: int, seconds: float) -> bytes:
    """The bytes at ``url``. No redirect is followed, and no host is asked that is not in ``hosts``
    or whose name leads into a private network.

    Raises ``OutcomeUnknown``, whose message says that the picture may be paid for, and
    ``AnswerTooLarge``.
    """
    refusal = refused(url, hosts=hosts)
    if refusal:
        raise OutcomeUnknown(f"{refusal} The picture may be billed.", reason="address")
    host = urlsplit(url).hostname or ""
    last = ""
    for attempt in range(TRIES):
        if attempt:
            await asyncio.sleep(PAUSE * attempt)
        try:
            async with asyncio.timeout(seconds):
                status, data = await _got(url, hosts=hosts, most_bytes=most_bytes)
        except _troubles() as error:
            last = type(error).__name__
            continue
        if status == 200:
            return data
        last = f"it answered {status}"
        if status < 500:
            break
    raise OutcomeUnknown(
        f"The picture was made and could not be fetched from {host} ({last}). It may be billed.",
        reason="fetch",
    )


def refused(url: str, *, hosts: Collection[str]) -> str:
    """Why ``url`` is not fetched, as a sentence; empty when it is."""
    try:
        address = urlsplit(url)
        host = (address.hostname or "").lower()
    except ValueError:
        return "The gateway answered an address that is none."
    if host not in hosts:
        return (
            f"The gateway answered a picture at {host or 'no host'}, which is not among the allowed"
            " hosts: add it to 'image_hosts'."
        )
    local = is_listed_address(host)
    if address.scheme != "https" and not (address.scheme == "http" and local):
        return f"The gateway answered a picture at {host} that is not sent over https."
    return ""


def is_listed_address(host: str) -> bool:
    """Whether ``host`` is an address itself, or this machine: a host that lists one means it."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost"
    return True


def is_public(address: str) -> bool:
    """Whether ``address`` lies in the open internet: no private, local or special network."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    mapped = getattr(parsed, "ipv4_mapped", None)
    return (mapped or parsed).is_global and not (mapped or parsed).is_multicast


async def _got(url: str, *, hosts: Collection[str], most_bytes: int) -> tuple[int, bytes]:
    import aiohttp

    host = urlsplit(url).hostname or ""
    connector = aiohttp.TCPConnector(resolver=None if is_listed_address(host) else _resolver())
    async with (
        # Neither proxies nor .netrc from the environment: they would see what the gateway sends.
        aiohttp.ClientSession(connector=connector, trust_env=False) as session,
        session.get(url, allow_redirects=False) as response,
    ):
        data = bytearray()
        async for piece in response.content.iter_chunked(PIECE):
            data += piece
            if len(data) > most_bytes:
                raise AnswerTooLarge(
                    f"The picture at {host} has more than {most_bytes:,} bytes, which is what this "
                    "site takes (MAX_PICTURE_BYTES). It may be billed."
                )
        return response.status, bytes(data)


def _resolver() -> Any:
    """Resolves names, and refuses those that lead into a private network: asked at the moment of
    connecting, so that a name cannot change in between."""
    from aiohttp.resolver import ThreadedResolver

    class PublicOnly(ThreadedResolver):
        async def resolve(
            self, host: str, port: int = 0, family: Any = socket.AF_INET
        ) -> list[aiohttp.abc.ResolveResult]:
            found = await super().resolve(host, port, family)
            if not found or not all(is_public(each["host"]) for each in found):
                raise OSError(f"{host} leads into a private network")
            return found

    return PublicOnly()


def _troubles() -> tuple[type[Exception], ...]:
    import aiohttp

    return (aiohttp.ClientError, OSError, ValueError)
