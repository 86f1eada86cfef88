"""Which addresses events may be sent to: public ones over https, and networks that the settings allow."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Final
from urllib.parse import urlsplit

from django.conf import settings as django_settings
from django.utils.translation import gettext as _

from nb_catalog.conf import settings
from nb_catalog.providers.public_hosts import is_public, unwrapped

Network = IPv4Network | IPv6Network

# While developing: receivers on this machine.
LOOPBACK: Final = (ip_network("127.0.0.0/8"), ip_network("::1/128"))


def allowed_networks() -> tuple[Network, ...]:
    """Return the networks of ``ALLOWED_NETWORKS``; with ``DEBUG``, this machine as well."""
    networks: tuple[Network, ...] = settings.WEBHOOKS["ALLOWED_NETWORKS"]
    return (*networks, *LOOPBACK) if django_settings.DEBUG else networks


def is_allowed(address: str, *, networks: tuple[Network, ...], is_encrypted: bool) -> bool:
    """Return whether a message may be sent to the IP ``address``.

    Without encryption, only into ``networks``: elsewhere others could read and change it.
    """
    parsed = unwrapped(address)
    if any(parsed in network for network in networks):
        return True
    return is_encrypted and is_public(address)


def refusal(url: str) -> str:
    """Return why events cannot be sent to ``url``, as a sentence; empty if they can.

    A name is not looked up: what it leads to is checked at each connection.
    """
    networks = allowed_networks()
    try:
        address = urlsplit(url)
        host, _port = address.hostname or "", address.port
    except ValueError:
        return _("This is not a valid address. It has to start with https://.")
    if address.scheme not in ("http", "https") or not host:
        return _("This is not a valid address. It has to start with https://.")
    if address.username is not None or address.password is not None:
        return _("The address contains a user name or a password. Check the signature instead.")
    if address.fragment:
        return _("The address contains a “#”. What follows it is not sent: remove it.")
    is_encrypted = address.scheme == "https"
    if not is_encrypted and not networks:
        return _(
            "The address starts with http://: anyone on the way could read and change what is sent. Use "
            "https://, or allow the receiver's network in WEBHOOKS['ALLOWED_NETWORKS']."
        )
    try:
        if not is_allowed(host, networks=networks, is_encrypted=is_encrypted):
            return private_network()
    except ValueError:
        # A name.
        if host == "localhost" and not networks:
            return private_network()
    return ""


def private_network() -> str:
    """Return what is wrong with an address that is not on the public internet."""
    return _(
        "The address is in a private network, or is sent to unencrypted. Allow the receiver's network in "
        "WEBHOOKS['ALLOWED_NETWORKS'] if it is yours."
    )
