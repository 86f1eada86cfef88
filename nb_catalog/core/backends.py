"""Building what a setting names by its dotted path: ``{"BACKEND": ..., "OPTIONS": {...}}``."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any, Final, TypeVar

from django.utils.module_loading import import_string

from nb_catalog.core.text import nearest
from nb_catalog.exceptions import InvalidSettings

B = TypeVar("B")

KEYS: Final = ("BACKEND", "OPTIONS")


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


def build_backend(entry: Mapping[str, Any], *, kind: type[B], path: str) -> B:
    """Return an object of the class that ``entry`` names, with its options as keyword arguments.

    Raises ``InvalidSettings`` for keys and options that do not exist, naming the nearest one.
    """
    for key in entry:
        if key not in KEYS:
            raise InvalidSettings(f"unknown key {key!r}.{nearest(key, KEYS)}", path=path)
    if "BACKEND" not in entry:
        raise InvalidSettings("'BACKEND' is missing: add the dotted path of a class.", path=path)
    backend = import_backend(entry["BACKEND"], kind=kind, path=path)
    options: Mapping[str, Any] = entry.get("OPTIONS", {})
    known = set(inspect.signature(backend).parameters)
    for option in options:
        if option not in known:
            raise InvalidSettings(
                f"unknown option {option!r}.{nearest(option, known)}", path=f"{path}['OPTIONS']"
            )
    try:
        return backend(**options)
    except (TypeError, ValueError) as error:
        raise InvalidSettings(f"{error}.", path=f"{path}['OPTIONS']") from error
