"""Providers by alias, made anew from the settings each time they are asked for."""

from __future__ import annotations

from typing import TypeVar

from django.utils.module_loading import import_string

from nb_catalog.conf import settings
from nb_catalog.core.text import nearest
from nb_catalog.exceptions import InvalidSettings
from nb_catalog.providers.base import Provider

__all__ = ["Provider", "backend_at", "provider"]

B = TypeVar("B")


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
    # mypy wants a concrete class where a type is passed.
    backend = backend_at(entry["BACKEND"], kind=Provider, path=path)  # type: ignore[type-abstract]
    return backend.from_options(alias, entry.get("OPTIONS", {}))


def backend_at(dotted: str, *, kind: type[B], path: str) -> type[B]:
    """The class with this dotted path. Raises ``InvalidSettings``, quoting the settings' ``path``, for
    one that does not import or is no subclass of ``kind``."""
    try:
        backend = import_string(dotted)
    except ImportError as error:
        raise InvalidSettings(f"{dotted!r} does not import: {error}", path=path) from error
    if not (isinstance(backend, type) and issubclass(backend, kind)):
        raise InvalidSettings(f"{dotted!r} is not a subclass of {kind.__name__}.", path=path)
    return backend
