"""Image and text models. A provider is built from the settings on each access, never cached."""

from __future__ import annotations

from nb_catalog.conf import settings
from nb_catalog.core.backends import import_backend
from nb_catalog.core.text import nearest
from nb_catalog.exceptions import InvalidSettings
from nb_catalog.providers.base import Provider

__all__ = ["Provider", "import_backend", "provider"]


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
