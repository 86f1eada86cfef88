"""Image and text models. A provider is built from the settings on each access, never cached."""

from __future__ import annotations

from typing import TypeVar

from django.utils.module_loading import import_string

from nb_catalog.conf import settings
from nb_catalog.core.text import nearest
from nb_catalog.exceptions import InvalidSettings
from nb_catalog.providers.base import Provider

__all__ = ["Provider", "import_backend", "provider"]

B = TypeVar("B")


def provider(alias: str) -> Provider:
    """Return the provider that ``NB_CATALOG["PROVIDERS"][alias]`` configures.

    Raises ``InvalidSettings`` for an unknown alias, a backend that cannot be imported, and
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
        raise InvalidSettings(
            "'BACKEND' is missing: add the dotted path of a Provider class.", path=path
        )
    # mypy wants a concrete class where a type is passed.
    backend = import_backend(entry["BACKEND"], kind=Provider, path=path)  # type: ignore[type-abstract]
    return backend.from_options(alias, entry.get("OPTIONS", {}))


def import_backend(dotted: str, *, kind: type[B], path: str) -> type[B]:
    """Import the class at this dotted path. Raises ``InvalidSettings``, quoting the settings' ``path``,
    if it cannot be imported or is not a subclass of ``kind``."""
    try:
        backend = import_string(dotted)
    except ImportError as error:
        raise InvalidSettings(f"{dotted!r} cannot be imported: {error}", path=path) from error
    if not (isinstance(backend, type) and issubclass(backend, kind)):
        raise InvalidSettings(f"{dotted!r} is not a subclass of {kind.__name__}.", path=path)
    return backend
