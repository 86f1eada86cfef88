"""The border between this machine's network and the internet, for URLs that somebody else has chosen."""

from __future__ import annotations

import socket
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import aiohttp

# IANA's allocation for global unicast; no other part of IPv6 is routed on the internet.
_UNICAST: Final = IPv6Network("2000::/3")
# 6to4 (RFC 3056) wraps any IPv4 address, including private ones, and Python calls it global, as it
# does the documentation prefix of RFC 9637.
_SPECIAL: Final = (IPv6Network("2002::/16"), IPv6Network("3fff::/20"))
# NAT64 (RFC 6052): how an IPv6-only network reaches an IPv4 address.
_NAT64: Final = IPv6Network("64:ff9b::/96")


def is_address(host: str) -> bool:
    """Whether ``host`` is an IP address or "localhost", rather than a name."""
    try:
        ip_address(host)
    except ValueError:
        return host == "localhost"
    return True


def is_public(address: str) -> bool:
    """Whether ``address``, or the IPv4 address that it wraps, is on the public internet: not in a
    private, local or special network."""
    parsed = unwrapped(address)
    if isinstance(parsed, IPv4Address):
        return parsed.is_global and not parsed.is_multicast
    return (
        parsed in _UNICAST
        and parsed.is_global
        and not any(parsed in network for network in _SPECIAL)
    )


def unwrapped(address: str) -> IPv4Address | IPv6Address:
    """Return ``address``, which may have a zone, or the IPv4 address that it wraps. Raises ``ValueError``."""
    parsed = ip_address(address.partition("%")[0])
    if isinstance(parsed, IPv4Address):
        return parsed
    return IPv4Address(parsed.packed[-4:]) if parsed in _NAT64 else parsed.ipv4_mapped or parsed


def resolver(
    *, is_allowed: Callable[[str], bool], refusal: Callable[[str], Exception]
) -> aiohttp.abc.AbstractResolver:
    """Return a resolver that raises the ``refusal`` of a host of which one address is not allowed.

    It is called while connecting, so that a name cannot change between check and use. It is not called for a
    URL whose host is an address. ``refusal`` must not return an ``OSError``, which would be retried.
    """
    from aiohttp.resolver import ThreadedResolver

    class CheckingResolver(ThreadedResolver):
        async def resolve(
            self, host: str, port: int = 0, family: Any = socket.AF_INET
        ) -> list[aiohttp.abc.ResolveResult]:
            results = await super().resolve(host, port, family)
            if not all(is_allowed(each["host"]) for each in results):
                raise refusal(host)
            return results

    return CheckingResolver()
