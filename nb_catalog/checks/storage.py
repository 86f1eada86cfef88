"""The storage of the pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings as django_settings
from django.core.checks import CheckMessage, Error, Warning
from django.core.files.storage import FileSystemStorage, storages

from nb_catalog.checks.settings import or_nothing
from nb_catalog.conf import NAME, settings
from nb_catalog.core.text import nearest


def check_storage(**_options: Any) -> list[CheckMessage]:
    """Check that the catalog's storage can be created, keeps files where they are served from, and
    that its URLs do not expire."""
    alias = or_nothing(lambda: settings.STORAGE)
    if not alias:
        return []
    known = django_settings.STORAGES
    if alias not in known:
        return [
            Error(
                f"{NAME}['STORAGE']: STORAGES has no alias {alias!r}.",
                hint=nearest(alias, known).strip(),
                id="nb_catalog.E020",
            )
        ]
    try:
        storage = storages[alias]
    except Exception as error:  # noqa: BLE001 - a storage may be any foreign code with any error
        return [
            Error(
                f"STORAGES[{alias!r}] cannot be created: {error or type(error).__name__}",
                hint="Correct its BACKEND and OPTIONS, or install the package that it needs.",
                id="nb_catalog.E021",
            )
        ]
    messages: list[CheckMessage] = []
    if signs_urls(storage):
        messages.append(
            Warning(
                f"The URLs of STORAGES[{alias!r}] expire, but renditions store them permanently.",
                hint=(
                    '"OPTIONS": {"querystring_auth": False}, with a bucket or a CDN that is publicly '
                    "readable."
                ),
                id="nb_catalog.W020",
            )
        )
    # "", Django's default, is the current directory, which may differ between web server and worker.
    if isinstance(storage, FileSystemStorage) and not Path(storage.base_location).is_absolute():
        messages.append(
            Warning(
                f"STORAGES[{alias!r}] stores files below the current directory: its location is "
                f"{str(storage.base_location)!r}.",
                hint='MEDIA_ROOT = BASE_DIR / "media" and MEDIA_URL = "media/"',
                id="nb_catalog.W021",
            )
        )
    return messages


def signs_urls(storage: object) -> bool:
    """Return whether the URLs of a django-storages backend expire. Decided by its attributes, because
    signing may use the network."""
    if getattr(storage, "custom_domain", None):
        return bool(
            getattr(storage, "querystring_auth", False)
            and getattr(storage, "cloudfront_signer", None)
        )
    public = getattr(storage, "default_acl", None) == "publicRead"
    signs = getattr(storage, "querystring_auth", False) and not public
    return bool(signs or getattr(storage, "expiration_secs", None))
