"""The storage that pictures live in."""

from __future__ import annotations

from typing import Any

from django.conf import settings as django_settings
from django.core.checks import CheckMessage, Error, Warning
from django.core.files.storage import InvalidStorageError, storages

from nb_catalog.checks.settings import or_nothing
from nb_catalog.conf import NAME, settings
from nb_catalog.core.text import nearest


def check_storage(**_options: Any) -> list[CheckMessage]:
    """The catalog's storage exists, and its addresses last: renditions keep theirs."""
    alias = or_nothing(lambda: settings.STORAGE)
    if not alias:
        return []
    known = django_settings.STORAGES
    if alias not in known:
        return [
            Error(
                f"{NAME}['STORAGE']: STORAGES has no {alias!r}.",
                hint=nearest(alias, known).strip(),
                id="nb_catalog.E020",
            )
        ]
    try:
        storage = storages[alias]
    except InvalidStorageError as error:
        return [
            Error(
                f"STORAGES[{alias!r}]: {error}",
                hint="Correct its BACKEND, or install the package that it needs.",
                id="nb_catalog.E021",
            )
        ]
    return [_signed(alias)] if _signs_addresses(storage) else []


def _signs_addresses(storage: object) -> bool:
    """As django-storages does it: told by attributes, because signing may use the network."""
    own_domain = getattr(storage, "custom_domain", None)
    if own_domain:
        return bool(
            getattr(storage, "querystring_auth", False)
            and getattr(storage, "cloudfront_signer", None)
        )
    public = getattr(storage, "default_acl", None) == "publicRead"
    signs = getattr(storage, "querystring_auth", False) and not public
    return bool(signs or getattr(storage, "expiration_secs", None))


def _signed(alias: str) -> CheckMessage:
    return Warning(
        f"The addresses of STORAGES[{alias!r}] expire, and renditions keep theirs for ever.",
        hint=(
            '"OPTIONS": {"querystring_auth": False}, with a bucket or a CDN that may be read by '
            "everybody."
        ),
        id="nb_catalog.W020",
    )
