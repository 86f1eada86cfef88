"""Fetching a picture from an address that a gateway answered: from allowed places, and no further."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import SplitResult, urlsplit

from nb_catalog.exceptions import AddressRefused, AnswerTooLarge, OutcomeUnknown

if TYPE_CHECKING:
    import aiohttp

# The picture is made and paid for: asking for it again costs nothing.
TRIES: Final = 3
PAUSE: Final = 1.0
PIECE: Final = 2**16
PORTS: Final = {"http": 80, "https": 443}

# What IANA has given out for the open internet; only this part of IPv6 is routed there.
_UNICAST: Final = IPv6Network("2000::/3")
# 6to4 (RFC 3056) wraps any IPv4 address, a private one too, and Python calls it global, as it
# does the examples of RFC 9637.
_SPECIAL: Final = (IPv6Network("2002::/16"), IPv6Network("3fff::/20"))
# NAT64 (RFC 6052): how a network that has IPv6 alone reaches an IPv4 address.
_NAT64: Final = IPv6Network("64:ff9b::/96")


@dataclass(frozen=True, slots=True, kw_only=True)
class AllowedHosts:
    """Where pictures may be fetched: at ``hosts`` of the open internet over https, and at
    ``origin``, the gateway's own, whatever that is: it has the key and the photos anyway.
    """

    hosts: frozenset[str]
    origin: tuple[str, str, int]

    def refusal(self, url: str) -> str:
        """Why ``url`` is not fetched, as a sentence; empty when it is."""
        try:
            address = urlsplit(url)
            its_origin = origin(address)
        except ValueError:
            return "The gateway answered an address that is none."
        host = its_origin[1]
        if address.username is not None or address.password is not None:
            return f"The gateway answered an address at {host} that has a user's name in it."
        if its_origin == self.origin:
            return ""
        if host not in self.hosts:
            return (
                f"The gateway answered a picture at {host or 'no host'}, which is not among the"
                " allowed hosts: add it to 'image_hosts'."
            )
        if address.scheme != "https" and not (address.scheme == "http" and is_address(host)):
            return f"The gateway answered a picture at {host} that is not sent over https."
        return ""

    def may_be_private(self, url: str) -> bool:
        """Whether ``url`` may lead into a private network: a host that lists an address means it."""
        return origin(urlsplit(url)) == self.origin or is_address(urlsplit(url).hostname or "")


def origin(address: SplitResult) -> tuple[str, str, int]:
    """Scheme, host and port of ``address``. Raises ``ValueError`` for a port that is none."""
    scheme = address.scheme.lower()
    return scheme, (address.hostname or "").lower(), address.port or PORTS.get(scheme, 0)


async def fetch(url: str, *, places: AllowedHosts, most_bytes: int, seconds: float) -> bytes:
    """The bytes at ``url``, within ``seconds`` for all tries. No redirect is followed.

    Raises ``AddressRefused`` for an address that ``places`` does not allow, ``OutcomeUnknown`` when
    the picture cannot be had (it may be paid for), and ``AnswerTooLarge``.
    """
    if refusal := places.refusal(url):
        raise AddressRefused(f"{refusal} The picture may be billed.", reason="address")
    host = urlsplit(url).hostname or ""
    last = ""
    try:
        async with asyncio.timeout(seconds):
            for attempt in range(TRIES):
                await asyncio.sleep(PAUSE * attempt)
                try:
                    status, data = await _get(url, places=places, most_bytes=most_bytes)
                except _troubles() as error:
                    last = type(error).__name__
                    continue
                if status == 200:
                    return data
                last = f"it answered {status}"
                if status < 500:
                    break
    except TimeoutError:
        last = f"it took longer than {seconds:g} seconds"
    raise OutcomeUnknown(
        f"The picture was made and could not be fetched from {host} ({last}). It may be billed.",
        reason="fetch",
    )


def is_address(host: str) -> bool:
    """Whether ``host`` is an address itself, or this machine, and no name."""
    try:
        ip_address(host)
    except ValueError:
        return host == "localhost"
    return True


def is_public(address: str) -> bool:
    """Whether ``address`` lies in the open internet: in no private, local or special network, and
    in none that it wraps."""
    parsed = ip_address(address.partition("%")[0])
    if isinstance(parsed, IPv4Address):
        return parsed.is_global and not parsed.is_multicast
    if wrapped := _wrapped(parsed):
        return is_public(str(wrapped))
    return (
        parsed in _UNICAST
        and parsed.is_global
        and not any(parsed in network for network in _SPECIAL)
    )


def _wrapped(address: IPv6Address) -> IPv4Address | None:
    if address in _NAT64:
        return IPv4Address(address.packed[-4:])
    return address.ipv4_mapped


async def _get(url: str, *, places: AllowedHosts, most_bytes: int) -> tuple[int, bytes]:
    import aiohttp

    resolver = None if places.may_be_private(url) else _public_only()
    async with (
        # Neither proxies nor .netrc from the environment: they would see what the gateway sends.
        aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(resolver=resolver), trust_env=False
        ) as session,
        session.get(url, allow_redirects=False) as response,
    ):
        data = bytearray()
        async for piece in response.content.iter_chunked(PIECE):
            data += piece
            if len(data) > most_bytes:
                raise too_large(most_bytes)
        return response.status, bytes(data)


def too_large(most_bytes: int) -> AnswerTooLarge:
    return AnswerTooLarge(
        f"The gateway's picture has more than {most_bytes:,} bytes, which is what this site takes"
        " (MAX_PICTURE_BYTES). It may be billed."
    )


def _public_only() -> Any:
    """Resolves names, and refuses those that lead into a private network: asked at the moment of
    connecting, so that a name cannot change in between."""
    from aiohttp.resolver import ThreadedResolver

    class PublicOnly(ThreadedResolver):
        async def resolve(
            self, host: str, port: int = 0, family: Any = socket.AF_INET
        ) -> list[aiohttp.abc.ResolveResult]:
            found = await super().resolve(host, port, family)
            if not all(is_public(each["host"]) for each in found):
                # No OSError, which would be tried again.
                raise AddressRefused(
                    f"The gateway answered a picture at {host}, which leads into a private"
                    " network. The picture may be billed.",
                    reason="address",
                )
            return found

    return PublicOnly()


def _troubles() -> tuple[type[Exception], ...]:
    import aiohttp

    return (aiohttp.ClientError, OSError, ValueError)
