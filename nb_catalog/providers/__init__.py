"""Providers by alias, made anew from the settings each time they are asked for."""

from __future__ import annotations

from django.utils.module_loading import import_string

from nb_catalog.conf import nearest, settings
from nb_catalog.exceptions import InvalidSettings
from nb_catalog.providers.base import Provider

__all__ = ["Provider", "provider"]


def provider(alias: str) -> Provider:
    """The provider that ``NB_CATALOG["PROVIDERS"][alias]`` describes.

    Raises ``InvalidSettings`` for an unknown alias, a backend that does not import, and
    options that the backend does not have.
    """
    table = settings.PROVIDERS
    path = f"NB_CATALOG['PROVIDERS'][{alias!r}]"
    if alias not in table:
        raise InvalidSettings(f"there is no such provider.{nearest(alias, table)}", path=path)
    entry = table[alias]
    for key in entry:
        if key not in {"BACKEND", "OPTIONS"}:
            raise InvalidSettings(
                f"unknown key {key!r}.{nearest(key, ('BACKEND', 'OPTIONS'))}", path=path
            )
    if "BACKEND" not in entry:
        raise InvalidSettings("'BACKEND' is missing: a dotted path to a Provider.", path=path)
    try:
        backend = import_string(entry["BACKEND"])
    except ImportError as error:
        raise InvalidSettings(
            f"{entry['BACKEND']!r} does not import: {error}", path=path
        ) from error
    if not (isinstance(backend, type) and issubclass(backend, Provider)):
        raise InvalidSettings(f"{entry['BACKEND']!r} is not a Provider.", path=path)
    return backend.from_options(alias, entry.get("OPTIONS", {}))
