"""Reads attributes of the host's objects as Django's templates do: what is callable is called."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from nb_catalog.core.text import shorten, strip_unstorable
from nb_catalog.exceptions import NBCatalogError, RegistryError

# Errors of the database are the worker's to retry; the ORM is on a higher floor.
_OF_DATABASE: Final = "django.db.utils"
MAX_ERROR_LENGTH: Final = 200


def read(product: object, name: str, *, where: str) -> Any:
    """Return the attribute ``name`` of ``product``, called if it is a method.

    None for a relation without an object. ``where`` is what names it, for messages. Raises
    ``RegistryError``.
    """
    with host_code(f"{where} names {name!r}, which"):
        return get(product, name)


def get(value: object, name: str) -> Any:
    """Return the same; errors of the host's code pass as they are."""
    try:
        return evaluate(getattr(value, name))
    except Exception as error:
        # As templates do: a relation has no object.
        if getattr(error, "silent_variable_failure", False):
            return None
        raise


def evaluate(value: Any) -> Any:
    """Return ``value``, called if it is callable, as a template would. Raises ``RegistryError``."""
    if not callable(value) or getattr(value, "do_not_call_in_templates", False):
        return value
    if getattr(value, "alters_data", False):
        raise RegistryError(f"{_name(value)} changes data and is never called. Name another field.")
    if _required(value):
        raise RegistryError(f"{_name(value)} needs arguments. Name a method without any.")
    value = value()
    if callable(value) and not getattr(value, "do_not_call_in_templates", False):
        raise RegistryError(f"{_name(value)} was returned, a function in place of a value.")
    return value


def as_text(value: Any) -> str:
    """Return ``value`` as text: "" for None, the members of a relation or list joined by commas."""
    value = evaluate(value)
    if value is None:
        return ""
    if hasattr(value, "all"):
        value = list(value.all())
    if isinstance(value, list | tuple | set | frozenset):
        return ", ".join(filter(None, map(as_text, value)))
    return str(value)


@contextmanager
def host_code(what: str) -> Iterator[None]:
    """Raise errors of the host's own code as ``RegistryError``: "``what`` raised ValueError: …".

    Our own errors, and those of the database, pass.
    """
    try:
        yield
    except NBCatalogError:
        raise
    except Exception as error:
        if type(error).__module__ == _OF_DATABASE:
            raise
        said = shorten(strip_unstorable(error), MAX_ERROR_LENGTH)
        raise RegistryError(f"{what} raised {type(error).__name__}: {said}") from error


def why_unusable(model: type, name: str) -> str:
    """Return why the attribute ``name`` of ``model`` can never be read, as the end of a sentence; "" if it
    may be."""
    try:
        value = getattr(model, name)
    except Exception as error:  # noqa: BLE001 - a descriptor of the host may raise anything
        return f"which raises {type(error).__name__}"
    if not callable(value) or getattr(value, "do_not_call_in_templates", False):
        return ""
    if getattr(value, "alters_data", False):
        return "which changes data: it is never called"
    bound = inspect.ismethod(value) or isinstance(
        inspect.getattr_static(model, name, None), staticmethod
    )
    missing = _required(value)[0 if bound else 1 :]
    return f"a method that needs {', '.join(missing)}" if missing else ""


def _required(function: Any) -> list[str]:
    """Return the names of parameters without a default."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return []
    return [
        each.name
        for each in parameters
        if each.default is each.empty and each.kind not in (each.VAR_POSITIONAL, each.VAR_KEYWORD)
    ]


def _name(function: Any) -> str:
    return getattr(function, "__qualname__", type(function).__name__)
