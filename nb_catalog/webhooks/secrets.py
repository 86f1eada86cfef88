"""Secrets of endpoints, and signatures with them.

A secret is derived from Django's ``SECRET_KEY`` and is stored nowhere, so that no dump of the database holds
one. The signature is HMAC-SHA256 of Python's own ``hmac``: the package ``standardwebhooks`` does the same in
as many lines, and takes bodies as text; the tests verify with it.
"""

from __future__ import annotations

import hmac
from base64 import b64encode
from collections.abc import Iterable
from datetime import datetime
from hashlib import sha256
from typing import Final

from django.conf import settings as django_settings
from django.utils.crypto import salted_hmac

from nb_catalog.models import WebhookEndpoint

SALT: Final = "nb_catalog.webhooks"


def new_secret(endpoint: WebhookEndpoint) -> bytes:
    """Return the 32 bytes of the secret of ``endpoint`` in its present version, from today's key."""
    return _derive(endpoint, version=endpoint.secret_version, key=django_settings.SECRET_KEY)


def digest(secret: bytes) -> str:
    """Return by what a secret is recognised."""
    return sha256(secret).hexdigest()


def as_text(secret: bytes) -> str:
    """Return ``secret`` as receivers configure it."""
    return f"whsec_{b64encode(secret).decode()}"


def valid_secrets(endpoint: WebhookEndpoint, *, now: datetime) -> list[bytes]:
    """Return what messages to ``endpoint`` are signed with: its secret, and after a rotation the one before
    it for a day. Empty if ``SECRET_KEY`` was changed since, and is not among ``SECRET_KEY_FALLBACKS``."""
    wanted = {endpoint.secret_version: endpoint.secret_digest}
    if endpoint.previous_until is not None and endpoint.previous_until > now:
        wanted[endpoint.secret_version - 1] = endpoint.previous_digest
    keys = (django_settings.SECRET_KEY, *django_settings.SECRET_KEY_FALLBACKS)
    return [
        secret
        for version, expected in wanted.items()
        for secret in (_derive(endpoint, version=version, key=key) for key in keys)
        if digest(secret) == expected
    ]


def sign(message_id: str, *, timestamp: int, body: bytes, secrets: Iterable[bytes]) -> str:
    """Return the header ``webhook-signature``: one signature for each of ``secrets``."""
    content = f"{message_id}.{timestamp}.".encode() + body
    return " ".join(
        f"v1,{b64encode(hmac.digest(secret, content, 'sha256')).decode()}" for secret in secrets
    )


def _derive(endpoint: WebhookEndpoint, *, version: int, key: str | bytes) -> bytes:
    name = f"{endpoint.uid}.{version}"
    return salted_hmac(SALT, name, secret=key, algorithm="sha256").digest()
